"""Names to addresses, against a name server of ours."""

import asyncio
from collections.abc import Sequence

import pytest

from callflow.net.resolver import LEAST_GOOD_FOR, MOST_GOOD_FOR, Found, Resolver, system_lookup
from callflow.sip.address import Transport
from callflow.sip.locate import Candidate, Target
from tests.support.name_server import NameServer, name_server

pytestmark = pytest.mark.sockets

UDP, TCP = Transport.UDP, Transport.TCP
ZONE = {
    ("full.test.", "NAPTR"): (
        900,
        [
            '20 10 "s" "SIP+D2U" "" _sip._udp.full.test.',
            '10 10 "S" "sip+d2t" "" _sip._tcp.full.test.',
            '5 10 "u" "SIP+D2U" "!^.*$!sip:x@y!" .',
            '4 10 "s" "SIP+D2U" "!^.*$!sip:x@y!" _sip._udp.full.test.',
            '1 10 "s" "SIPS+D2T" "" _sips._tcp.full.test.',
        ],
    ),
    ("_sip._tcp.full.test.", "SRV"): (600, ["20 0 5071 b.test.", "10 0 5070 a.test."]),
    ("_sip._udp.full.test.", "SRV"): (500, ["10 0 5060 a.test."]),
    ("_sip._udp.no.test.", "SRV"): (500, ["0 0 0 ."]),
    ("a.test.", "A"): (400, ["192.0.2.1"]),
    ("b.test.", "A"): (700, ["192.0.2.2"]),
    ("_sip._udp.bare.test.", "SRV"): (450, ["10 0 5060 b.test."]),
    ("brief.test.", "A"): (1, ["192.0.2.3"]),
    ("long.test.", "A"): (86_400, ["192.0.2.4"]),
    ("alias.test.", "CNAME"): (200, ["a.test."]),
    ("v6.test.", "AAAA"): (200, ["2001:db8::1"]),
}


async def no_system(name: str) -> Sequence[str]:
    raise OSError(f"nobody knows {name}")


def resolver(server: NameServer, lifetime: float = 5.0) -> Resolver:
    return Resolver(["127.0.0.1"], server.port, lifetime, no_system)


async def find(target: Target) -> Found:
    async with asyncio.timeout(10), name_server(ZONE) as server:
        return await resolver(server).locate(target)


async def test_naptr_srv_and_a_lead_to_addresses_in_order() -> None:
    async with asyncio.timeout(10), name_server(ZONE) as server:
        found = await resolver(server).locate(Target("full.test"))
    assert found == Found(
        (
            Candidate("192.0.2.1", 5070, TCP),
            Candidate("192.0.2.2", 5071, TCP),
            Candidate("192.0.2.1", 5060, UDP),
        ),
        "",
        400.0,
    )
    assert server.asked[0] == "NAPTR full.test."
    assert sorted(server.asked[1:3]) == ["SRV _sip._tcp.full.test.", "SRV _sip._udp.full.test."]
    assert sorted(server.asked[3:]) == ["A a.test.", "A b.test."]


@pytest.mark.parametrize(
    ("host", "address", "good_for"),
    [
        ("brief.test", "192.0.2.3", LEAST_GOOD_FOR),
        ("long.test", "192.0.2.4", MOST_GOOD_FOR),
        ("alias.test", "192.0.2.1", 200.0),
    ],
)
async def test_what_is_found_is_good_for_as_long_as_its_ttl_within_bounds(
    host: str, address: str, good_for: float
) -> None:
    assert await find(Target(host, 5060)) == Found((Candidate(address, 5060, UDP),), "", good_for)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Target("nowhere.test"), "no_such_name"),
        (Target("v6.test", 5060), "no_address"),
        (Target("no.test", None, UDP), "not_offered"),
        (Target("a..b"), "no_answer"),
        (Target("x" * 64 + ".test", 5060), "no_answer"),
    ],
)
async def test_what_is_not_found_has_a_reason(target: Target, reason: str) -> None:
    assert await find(target) == Found((), reason, LEAST_GOOD_FOR)


async def test_a_name_server_that_is_silent_is_given_up() -> None:
    async with asyncio.timeout(10), name_server(ZONE, frozenset({"a.test."})) as server:
        found = await resolver(server, lifetime=0.2).locate(Target("a.test", 5060))
    assert found == Found((), "no_answer", LEAST_GOOD_FOR)


async def test_a_domain_without_naptr_is_not_asked_all_the_time() -> None:
    assert await find(Target("bare.test")) == Found((Candidate("192.0.2.2", 5060, UDP),), "", 450.0)


async def test_what_could_not_be_asked_is_soon_asked_again() -> None:
    async with asyncio.timeout(10), name_server(ZONE, frozenset({"bare.test."})) as server:
        found = await resolver(server, lifetime=0.2).locate(Target("bare.test"))
    assert found == Found((Candidate("192.0.2.2", 5060, UDP),), "", LEAST_GOOD_FOR)


async def test_an_address_asks_nobody() -> None:
    async with asyncio.timeout(10), name_server(ZONE) as server:
        found = await resolver(server).locate(Target("192.0.2.9"))
    assert found == Found((Candidate("192.0.2.9", 5060, UDP),), "", MOST_GOOD_FOR)
    assert server.asked == []


async def test_what_dns_does_not_know_the_system_may() -> None:
    async with asyncio.timeout(10), name_server(ZONE) as server:
        by_hosts = Resolver(["127.0.0.1"], server.port, system=system_lookup)
        found = await by_hosts.locate(Target("localhost", 5060))
    assert found == Found((Candidate("127.0.0.1", 5060, UDP),), "", LEAST_GOOD_FOR)


async def test_a_system_without_name_servers_still_knows_its_own_names() -> None:
    async with asyncio.timeout(10):
        found = await Resolver([]).locate(Target("localhost", 5060))
    assert found.candidates == (Candidate("127.0.0.1", 5060, UDP),)
