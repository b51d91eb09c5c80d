"""sipp in numbers: many calls, over UDP, over a bad line, over TCP, and over TCP in single bytes."""

from pathlib import Path

import pytest

from callflow.config import Setup
from callflow.service import Service
from callflow.sip.address import Address
from tests.support.byte_proxy import byte_proxy
from tests.support.leftovers import counted, oddities, serving
from tests.support.lossy_proxy import lossy_proxy
from tests.support.sipp import complaints, needs_sipp, sipp

pytestmark = [pytest.mark.interop, needs_sipp]

CALLS, RATE = 400, 40
CALLS_BY_TCP, RATE_BY_TCP = 200, 20


def watch_peers(service: Service, monkeypatch: pytest.MonkeyPatch) -> set[Address]:
    """The addresses that messages come from, as they come."""
    peers: set[Address] = set()
    saw = service.saw

    def spy(now: float, incoming: bool, peer: Address, data: bytes) -> None:
        peers.add(peer)
        saw(now, incoming, peer, data)

    monkeypatch.setattr(service, "saw", spy)
    return peers


async def test_four_hundred_calls_at_forty_a_second(setup: Setup, tmp_path: Path) -> None:
    async with serving(setup) as service:
        status = await sipp("hangs_up.xml", service.sip_address, tmp_path, calls=CALLS, rate=RATE)
        assert (status, complaints(tmp_path)) == (0, "")
        assert counted(service, "callflow_calls_total") == CALLS
        assert oddities(service) == {}


async def test_the_same_over_a_line_that_loses_doubles_and_delays(setup: Setup, tmp_path: Path) -> None:
    async with serving(setup) as service, lossy_proxy(service.sip_address, seed=1) as proxy:
        # Late provisional answers are no fault; every call must still come to its end.
        lenient = ("-default_behaviors", "all,-abortunexp")
        status = await sipp("hangs_up.xml", proxy.address, tmp_path, *lenient, calls=CALLS, rate=RATE)
        assert status == 0
        assert counted(service, "callflow_calls_total") == CALLS
        assert proxy.seen > 5 * CALLS
        assert proxy.lost > proxy.seen * 0.03


@pytest.mark.parametrize(("sockets", "connections"), [("t1", 1), ("tn", CALLS_BY_TCP)])
async def test_two_hundred_calls_by_tcp(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sockets: str, connections: int
) -> None:
    """`t1`: all calls share one connection. `tn`: each has its own."""
    most = ("-t", sockets, "-max_socket", str(2 * CALLS_BY_TCP))
    async with serving(setup) as service:
        peers = watch_peers(service, monkeypatch)
        status = await sipp(
            "hangs_up.xml", service.sip_address, tmp_path, *most, calls=CALLS_BY_TCP, rate=RATE_BY_TCP
        )
        assert (status, complaints(tmp_path)) == (0, "")
        assert counted(service, "callflow_calls_total") == CALLS_BY_TCP
        assert oddities(service) == {}
        assert len(peers) == connections


async def test_calls_by_tcp_in_pieces_of_one_byte(setup: Setup, tmp_path: Path) -> None:
    async with serving(setup) as service, byte_proxy(service.sip_address) as proxy:
        status = await sipp("hangs_up.xml", proxy.address, tmp_path, "-t", "t1", calls=20, rate=5)
        assert (status, complaints(tmp_path)) == (0, "")
        assert counted(service, "callflow_calls_total") == 20
        assert oddities(service) == {}
        # Five messages that sipp sends or gets a call, some hundreds of bytes each.
        assert proxy.passed > 20 * 5 * 200
