"""Processes that hang, die again and again or cannot be started: another comes, and the service says so."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from callflow.adapters.second_opinion import SecondOpinion
from callflow.adapters.softphone import CallFailed, Line, Softphone
from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.media.thresholds import Thresholds
from callflow.net import absence, driver
from callflow.net.absence import Absence
from callflow.net.kept_process import KeptProcess
from callflow.net.media_process import MediaProcess
from callflow.net.mmsg import bound_sockets
from callflow.service import Service, running
from tests.sockets.test_second_opinion import installed
from tests.sockets.test_service import Facts
from tests.support.descriptors import few_descriptors
from tests.support.leftovers import open_files
from tests.support.udp_phone import until

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]


@asynccontextmanager
async def plane() -> AsyncIterator[MediaProcess]:
    """A plane that works."""
    plane = MediaProcess(bound_sockets("127.0.0.1", [0]), capacity=4, thresholds=Thresholds())
    try:
        await plane.start()
        yield plane
    finally:
        await plane.close()


def stall(seconds: float) -> None:
    """Nothing else of this process runs meanwhile: that is what is tried."""
    signal.sigtimedwait([], seconds)


def told_of(process: KeptProcess) -> list[str]:
    """What befalls it, from now on."""
    told: list[str] = []
    process.on_death = lambda: told.append("died")
    process.on_hung = lambda: told.append("hung")
    process.on_failed = lambda error: told.append(f"failed {type(error).__name__}")
    return told


def refuse(seconds: float) -> None:
    raise ValueError(seconds)


def send(process: KeptProcess | MediaProcess | SecondOpinion, number: int) -> int:
    assert process.pid is not None
    os.kill(process.pid, number)
    return process.pid


async def test_a_plane_that_hangs_is_replaced() -> None:
    async with plane() as one:
        told = told_of(one.process)
        first = send(one, signal.SIGSTOP)
        await until(lambda: not one.is_up)
        await until(lambda: one.is_up)
        assert (told, one.pid == first) == (["hung", "died"], False)
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)


async def test_a_controller_that_was_stalled_keeps_its_plane() -> None:
    async with plane() as one:
        told, first = told_of(one.process), one.pid
        for _ in range(2):
            stall(3.0)
            await asyncio.sleep(0.5)
        assert (told, one.pid) == ([], first)


async def test_one_that_dies_again_and_again_comes_back_every_time() -> None:
    async with plane() as one:
        told, pids = told_of(one.process), {one.pid}
        for _ in range(7):
            pids.add(send(one, signal.SIGKILL))
            await until(lambda: not one.is_up)
            await until(lambda: one.is_up)
        assert told == ["died"] * 7
        assert len(pids) == 7


async def test_where_no_descriptor_is_left_it_is_tried_until_there_is_one() -> None:
    async with plane() as one:
        told, before = told_of(one.process), open_files()
        with few_descriptors(0):
            send(one, signal.SIGKILL)
            await until(lambda: "failed OSError" in told)
            await until(lambda: told.count("failed OSError") >= 3)
        await until(lambda: one.is_up)
        assert one.process.is_up
        await until(lambda: open_files() == before)


async def test_what_a_process_writes_to_its_standard_error_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process, words = KeptProcess("callflow.no_such_module"), list[str]()
    process.on_words = words.append
    process.start()
    try:
        await until(lambda: "No module named callflow.no_such_module" in "".join(words))
    finally:
        await process.close()


async def test_a_message_that_breaks_us_costs_one_message() -> None:
    async with plane() as one:
        told, broken = told_of(one.process), list[Exception]()
        one.process.on_broke = broken.append
        one.on_lateness = refuse
        await until(lambda: len(broken) >= 2)
        assert told == []
        assert one.is_up


@installed
async def test_the_voice_detector_is_replaced_for_ever_too() -> None:
    opinion = SecondOpinion()
    await opinion.start()
    try:
        async with asyncio.timeout(120):
            for _ in range(7):
                await opinion.ready()
                send(opinion, signal.SIGKILL)
                await until(lambda: not opinion.is_up)
            await opinion.ready()
            told = told_of(opinion.process)
            send(opinion, signal.SIGSTOP)
            await until(lambda: "hung" in told)
            await opinion.ready()
    finally:
        await opinion.close()


# --- what the service says and does meanwhile ---


async def asked(service: Service, path: str) -> tuple[int, str]:
    host, port = service.http.address
    async with aiohttp.ClientSession() as client, client.get(f"http://{host}:{port}{path}") as got:
        return got.status, await got.text()


def without_a_plane(service: Service) -> None:
    """The plane dies, and no other can be started."""
    assert isinstance(service.media, MediaProcess)
    service.media.process._module = "callflow.no_such_module"
    send(service.media, signal.SIGKILL)


async def test_without_a_plane_no_call_is_taken_and_those_that_stand_end(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "Absence", lambda too_long: Absence(too_long, patience=4.0))
    setup, facts = on_free_ports(setup, "secret"), Facts()
    async with asyncio.timeout(60), running(setup, [facts]) as service:
        assert "callflow_media_up 1.0" in (await asked(service, "/metrics"))[1]
        line = Line(*service.sip_address, "caller", "secret")
        async with Softphone.open(line) as phone, Softphone.open(line) as late:
            await phone.call("10086")
            await facts.first("prompt.started")
            without_a_plane(service)
            await until(lambda: not service.has_media)
            assert await asked(service, "/readyz") == (503, "no_media\n")
            assert "callflow_media_up 0.0" in (await asked(service, "/metrics"))[1]
            with pytest.raises(CallFailed, match="503"):
                await late.call("10086")
            assert (await phone.ended()).by == "far"
        assert (await facts.first("call.ended")).details == {"by": "callflow", "reason": "no_media"}
        assert service.media.legs == 0
        assert isinstance(service.media, MediaProcess)
        service.media.process._module = "callflow.net.media_child"
        await until(lambda: service.has_media)
        assert await asked(service, "/readyz") == (200, "ready\n")
        async with Softphone.open(line) as again:
            await again.call("10086")
            await again.hang_up()


@pytest.mark.parametrize(
    ("happens", "ends"),
    [
        (["gone 0.0"], True),
        (["gone 0.2", "back", "settled"], False),
        (["gone 0.0", "back", "gone 0.0", "back", "gone 0.0"], True),
        (["gone 0.0", "back", "settled", "gone 0.0", "back", "settled"], False),
        (["back"], False),
    ],
)
async def test_a_plane_that_comes_back_only_to_die_is_away_all_the_while(
    happens: list[str], ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absence, "SETTLED", 0.1)
    too_long: list[float] = []
    loop = asyncio.get_running_loop()
    begun = loop.time()
    counting = Absence(lambda: too_long.append(loop.time() - begun), patience=0.6)
    for each in happens:
        match each.split():
            case ["gone", silent]:
                counting.gone(float(silent))
            case ["back"]:
                counting.back()
            case ["settled"]:
                await asyncio.sleep(0.15)
    await asyncio.sleep(0.8)
    assert bool(too_long) is ends
    assert len(too_long) <= 1
