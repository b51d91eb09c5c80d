"""What ops see of refusals: a line with what would help, a count from nought, and no flood of either."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
import structlog
from structlog.testing import capture_logs

from callflow.adapters import refusals
from callflow.adapters.log_repeats import Repeats
from callflow.adapters.refusal_help import HELP
from callflow.config import Setup
from callflow.config_limits import LimitsConfig
from callflow.demo.stage import on_free_ports
from callflow.service import Service, running
from callflow.sip.refused import KINDS
from tests.support.bare_caller import caller_at

pytestmark = pytest.mark.sockets

PBX, PHONE = "127.0.0.1", "127.0.0.2"


@asynccontextmanager
async def serving(
    setup: Setup, allow: tuple[str, ...] = ("127.0.0.1/32", "127.0.0.0/8"), **limits: object
) -> AsyncIterator[Service]:
    setup = on_free_ports(setup, "secret")
    sip = setup.config.sip.model_copy(update={"allow": allow})
    wanted = LimitsConfig.model_validate(limits)
    config = setup.config.model_copy(update={"sip": sip, "limits": wanted, "drain": 0.2})
    async with asyncio.timeout(60), running(replace(setup, config=config)) as service:
        yield service


async def counts(service: Service) -> dict[str, float]:
    """The refusals by their kinds."""
    host, port = service.http.address
    async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/metrics") as answer:
        text = await answer.text()
    lines = [line for line in text.splitlines() if line.startswith("callflow_refusals_total{")]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


def told(lines: list[Any], kind: str) -> list[Any]:
    return [line for line in lines if line["event"] == "refused" and line["kind"] == kind]


async def test_every_kind_exists_at_zero_and_has_help(setup: Setup) -> None:
    assert {*KINDS} <= {*HELP}
    async with serving(setup) as service:
        assert await counts(service) == dict.fromkeys(HELP, 0.0)


@pytest.mark.parametrize(
    ("media", "code", "why"),
    [
        ("RTP/SAVP 0 8", 302, "SRTP only: not offered here; this side has RTP/AVP"),
        ("RTP/AVP 9 111\r\na=rtpmap:111 opus/48000/2", 305, "codecs G722, opus: this side has PCMA, PCMU"),
    ],
)
async def test_a_488_says_in_warning_and_log_what_came(setup: Setup, media: str, code: int, why: str) -> None:
    async with serving(setup) as service, caller_at(service.sip_address, PHONE) as phone:
        with capture_logs() as lines:
            answer = await phone.invites(media)
        assert answer.startswith("SIP/2.0 488 ")
        assert f'Warning: {code} callflow "{why}"\r\n' in answer
        (line,) = told(lines, "media")
        assert (line["log_level"], line["source"], line["came"]) == ("warning", PHONE, why)
        assert (line["reason"], line["help"]) == ("488 Not Acceptable Here", HELP["media"])
        assert (await counts(service))["media"] == 1


async def test_503_at_the_call_limit_has_retry_after(setup: Setup) -> None:
    async with serving(setup, calls=1) as service, caller_at(service.sip_address, PHONE) as phone:
        assert (await phone.invites()).startswith("SIP/2.0 200 ")
        with capture_logs() as lines:
            answer = await phone.invites()
        assert answer.startswith("SIP/2.0 503 ")
        assert "\r\nRetry-After: 10\r\n" in answer
        (line,) = told(lines, "call_limit")
        assert "limits.calls" in line["help"]


async def test_new_calls_of_one_source_are_limited_and_the_pbx_is_exempt(setup: Setup) -> None:
    limits = {"calls_per_second": 0.1, "burst": 2}
    async with (
        serving(setup, per_source=limits) as service,
        caller_at(service.sip_address, PHONE) as wild,
        caller_at(service.sip_address, PBX) as pbx,
        caller_at(service.sip_address, "127.0.0.3") as other,
    ):
        answers = [await wild.invites() for _ in range(30)]
        assert [answer.split()[1] for answer in answers] == ["200"] * 2 + ["503"] * 28
        assert all("\r\nRetry-After: " in answer for answer in answers[2:])
        assert [(await pbx.invites()).split()[1] for _ in range(5)] == ["200"] * 5
        assert (await other.invites()).split()[1] == "200"
        assert (await counts(service))["call_rate"] == 28


async def test_connections_of_one_source_are_limited_and_the_pbx_is_exempt(setup: Setup) -> None:
    async with serving(setup, per_source={"connections": 3}) as service:
        writers: list[asyncio.StreamWriter] = []

        async def open_from(host: str) -> bool:
            """Whether the connection stays: a ping is answered."""
            try:
                reader, writer = await asyncio.open_connection(*service.sip_address, local_addr=(host, 0))
                writers.append(writer)
                writer.write(b"\r\n\r\n")
                return await asyncio.wait_for(reader.read(2), 5) == b"\r\n"
            except OSError:
                return False

        try:
            with capture_logs() as lines:
                assert [await open_from(PHONE) for _ in range(6)] == [True] * 3 + [False] * 3
            assert len(told(lines, "connections_of_source")) == 3
            assert [await open_from(PBX) for _ in range(6)] == [True] * 6
            assert await open_from("127.0.0.3")
            assert (await counts(service))["connections_of_source"] == 3
            # One that ends makes room.
            writers[0].transport.abort()
            async with asyncio.timeout(5):
                while True:
                    if await open_from(PHONE):
                        break
                    await asyncio.sleep(0.05)
        finally:
            for writer in writers:
                writer.transport.abort()


async def test_a_source_that_is_not_allowed_is_one_line_a_minute_with_its_count(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "EVERY", 1.0)
    async with (
        serving(setup, allow=("127.0.0.1/32",)) as service,
        caller_at(service.sip_address, PHONE) as phone,
    ):
        with capture_logs() as lines:
            for _ in range(40):
                await phone.sends(b"x")
            async with asyncio.timeout(10):
                while True:
                    if sum(line["packets"] for line in told(lines, "not_allowed")) == 40:
                        break
                    await asyncio.sleep(0.05)
        first, *others = told(lines, "not_allowed")
        assert (first["source"], first["packets"]) == (PHONE, 1)
        # One for each time that is over, whatever came in it.
        assert 1 <= len(others) <= 10
        assert (first["log_level"], "sip.allow" in first["help"]) == ("warning", True)
        assert (await counts(service))["not_allowed"] == 40
        reader, writer = await asyncio.open_connection(*service.sip_address, local_addr=(PHONE, 0))
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        assert (await counts(service))["not_allowed"] == 41


async def test_a_flood_of_sources_is_bounded_in_lines_and_memory(setup: Setup) -> None:
    async with serving(setup) as service:
        with capture_logs() as lines:
            for number in range(50_000):
                service.metrics.refusals.stranger(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        assert len(told(lines, "not_allowed")) == refusals.MOST_SOURCES + 1
        assert len(service.metrics.refusals._strangers) == refusals.MOST_SOURCES + 1


async def test_a_flood_of_refusals_is_a_line_a_second_of_each_kind_and_source(setup: Setup) -> None:
    now, lines = [0.0], list[Any]()
    repeats = Repeats(lambda: now[0])

    def keep(logger: object, name: str, event: Any) -> Any:
        lines.append({**event, "log_level": name})
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.processors.add_log_level, repeats, keep])
    try:
        async with serving(setup) as service:
            for _ in range(1000):
                service.metrics.refusals.page(PHONE, 403, "no")
                service.metrics.refusals.page("127.0.0.3", 403, "no")
            assert len(told(lines, "page_forbidden")) == 2
            now[0] = 1.5
            service.metrics.refusals.page(PHONE, 403, "no")
            assert told(lines, "page_forbidden")[-1]["repeated"] == 999
    finally:
        structlog.reset_defaults()


async def test_refused_page_requests_are_logged(setup: Setup) -> None:
    async with serving(setup) as service:
        host, port = service.http.address
        asked = [
            ("GET", "/nowhere", {}, "page_missing"),
            ("GET", "/seat", {"Host": "evil.example.com"}, "page_forbidden"),
            ("POST", "/seat/login", {}, "page_malformed"),
            ("PUT", "/seat", {}, "page_method"),
        ]
        async with aiohttp.ClientSession(f"http://{host}:{port}") as client:
            for method, path, headers, kind in asked:
                with capture_logs() as lines:
                    async with client.request(method, path, headers=headers) as answer:
                        assert answer.status >= 400
                (line,) = told(lines, kind)
                assert (line["source"], line["help"]) == (PBX, HELP[kind])
                assert line["reason"].startswith(str(answer.status))
            with capture_logs() as lines:
                async with client.get("/seat/me") as answer:
                    assert answer.status == 401
            assert lines == []
