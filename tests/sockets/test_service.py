"""The assembled service at real sockets: what it refuses, what it counts, how it stops."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from callflow.adapters.softphone import CallFailed, Line, NotRegistered, Softphone
from callflow.cli import main
from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.facts import Fact
from callflow.service import Service, running
from callflow.sinks import FactSink

pytestmark = pytest.mark.sockets


class Facts(FactSink):
    """A sink that keeps."""

    def __init__(self) -> None:
        self.all: list[Fact] = []
        self.news = asyncio.Event()

    def fact(self, fact: Fact) -> None:
        self.all.append(fact)
        self.news.set()

    async def first(self, name: str) -> Fact:
        return await self._first(lambda fact: fact.fact == name)

    async def said(self, prompt: str) -> Fact:
        """The prompt has been heard to its end."""
        return await self._first(
            lambda fact: fact.fact == "prompt.finished" and fact.details["prompt"] == prompt
        )

    async def _first(self, is_it: Callable[[Fact], bool]) -> Fact:
        while True:
            for fact in self.all:
                if is_it(fact):
                    return fact
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def serving(setup: Setup, **sip: object) -> AsyncIterator[tuple[Service, Facts]]:
    setup = on_free_ports(setup, "secret")
    config = setup.config
    config = config.model_copy(update={"sip": config.sip.model_copy(update=sip), "drain": 0.5})
    facts = Facts()
    async with asyncio.timeout(60), running(replace(setup, config=config), [facts]) as service:
        yield service, facts


def line(service: Service, password: str = "secret") -> Line:
    return Line(*service.sip_address, "caller", password)


async def scraped(service: Service) -> str:
    host, port = service.http.address
    async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/metrics") as answer:
        return await answer.text()


@pytest.fixture
def probe() -> Iterator[socket.socket]:
    """A bare socket on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bare:
        bare.bind(("127.0.0.1", 0))
        bare.setblocking(False)
        yield bare


OPTIONS = (
    "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{branch};rport\r\n"
    "From: <sip:p@x>;tag=1\r\nTo: <sip:x>\r\nCall-ID: {branch}\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


async def ask(probe: socket.socket, service: Service, branch: str, wait: float = 2.0) -> bytes:
    """The answer to an OPTIONS, or nothing."""
    loop = asyncio.get_running_loop()
    request = OPTIONS.format(port=probe.getsockname()[1], branch=branch)
    await loop.sock_sendto(probe, request.encode(), service.sip_address)
    try:
        async with asyncio.timeout(wait):
            data, _ = await loop.sock_recvfrom(probe, 65535)
    except TimeoutError:
        return b""
    return data


async def test_one_bad_datagram_costs_nobody_the_socket(setup: Setup, probe: socket.socket) -> None:
    bad = OPTIONS.format(port=99999999, branch="bad").encode()
    async with serving(setup) as (service, _):
        loop = asyncio.get_running_loop()
        for data in (bad, bad.replace(b"99999999", b"0"), b"\xff" * 3000, b"\r\n\r\n", b""):
            await loop.sock_sendto(probe, data, service.sip_address)
        assert (await ask(probe, service, "good")).startswith(b"SIP/2.0 200 OK")
        assert 'callflow_sip_dropped_total{cause="bad_via"} 2.0' in await scraped(service)


async def test_who_is_not_allowed_hears_nothing(setup: Setup, probe: socket.socket) -> None:
    async with serving(setup, allow=("192.0.2.0/24",)) as (service, _):
        assert await ask(probe, service, "x", wait=0.3) == b""
        assert 'callflow_sip_dropped_total{cause="not_allowed"} 1.0' in await scraped(service)
        call = OPTIONS.replace("OPTIONS", "INVITE").format(port=5, branch="evil").encode()
        await asyncio.get_running_loop().sock_sendto(probe, call, service.sip_address)
        assert await ask(probe, service, "y", wait=0.3) == b""
        assert 'callflow_sip_dropped_total{cause="not_allowed"} 3.0' in await scraped(service)
        assert service.trace.calls() == []


async def test_a_wrong_password_registers_nobody(setup: Setup) -> None:
    async with serving(setup) as (service, _):
        with pytest.raises(NotRegistered):
            async with Softphone.open(line(service, "wrong")):
                pass


async def test_a_call_leaves_nothing_behind_but_its_metrics(setup: Setup) -> None:
    async with serving(setup) as (service, facts):
        async with Softphone.open(line(service)) as phone:
            await phone.call("10086")
            await facts.first("prompt.started")
            await phone.hang_up()
            ended = await facts.first("call.ended")
        assert ended.details == {"by": "caller", "reason": ""}
        in_hand = service.controller.in_hand()
        assert (in_hand["calls"], in_hand["sessions"], in_hand["ports"]) == (0, 0, 0)
        assert service.media.legs == 0
        metrics = await scraped(service)
        assert 'callflow_calls_total{flow="hotline",outcome="caller_hung_up"} 1.0' in metrics
        assert 'callflow_calls_active{flow="hotline"} 0.0' in metrics
        assert 'callflow_rule_outcomes_total{outcome="kept",rule="csr-01"} 1.0' in metrics
        assert 'callflow_rule_outcomes_total{outcome="broken",rule="csr-01"} 0.0' in metrics
        assert set(re.findall(r"callflow_faults_total{.*} (.*)", metrics)) == {"0.0"}


async def test_a_service_that_stops_says_so_first(setup: Setup, probe: socket.socket) -> None:
    async with serving(setup) as (service, facts), Softphone.open(line(service)) as phone:
        await phone.call("10086")
        await facts.first("prompt.started")
        draining = asyncio.create_task(service.drain())
        await asyncio.sleep(0)
        assert (await ask(probe, service, "drained")).startswith(b"SIP/2.0 503 ")
        async with Softphone.open(line(service)) as late:
            with pytest.raises(CallFailed, match="503"):
                await late.call("10086")
        ended = await phone.ended()
        await draining
        last = [fact.details.get("prompt") for fact in facts.all if fact.fact == "prompt.finished"][-1]
        assert (ended.by, last) == ("far", "hanging_up")
        finished = [fact.at for fact in facts.all if fact.fact == "prompt.finished"][-1]
        assert ended.at - finished == pytest.approx(5.0, abs=0.1)


async def test_the_sip_of_a_call_can_be_read_afterwards(setup: Setup, tmp_path: Path) -> None:
    async with serving(setup) as (service, facts):
        async with Softphone.open(line(service)) as phone:
            await phone.call("10086")
            await facts.first("prompt.started")
            await phone.hang_up()
            ended = await facts.first("call.ended")
        host, port = service.http.address
        server = ["--server", f"http://{host}:{port}"]
        listed = await asyncio.to_thread(CliRunner().invoke, main, ["trace", *server])
        assert ended.call in listed.output
        ladder = await asyncio.to_thread(CliRunner().invoke, main, ["trace", ended.call, *server])
        assert ladder.exit_code == 0
        titles = re.findall(r"[<|] ?-* ?([A-Z]+|\d{3} [A-Z][A-Za-z ]+\([A-Z]+\))", ladder.output)
        assert titles[:4] == ["INVITE", "100 Trying (INVITE)", "180 Ringing (INVITE)", "200 OK (INVITE)"]
        assert titles[-2:] == ["BYE", "200 OK (BYE)"]
        capture = tmp_path / "call.pcap"
        written = ["trace", ended.call, *server, "--pcap", str(capture)]
        assert (await asyncio.to_thread(CliRunner().invoke, main, written)).exit_code == 0
        assert capture.read_bytes().count(b"SIP/2.0 180 Ringing") == 1
        unknown = await asyncio.to_thread(CliRunner().invoke, main, ["trace", "nobody", *server])
        assert unknown.exit_code == 1
