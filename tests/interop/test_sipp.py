"""sipp, a foreign caller: it knows nothing of ours."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.service import Service, running
from tests.support.lossy_proxy import lossy_proxy

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (Debian: sip-tester)"),
]

SCENARIOS = Path(__file__).parent
CALLS, RATE = 400, 40


def open_files() -> int:
    """Descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def complaints(folder: Path) -> str:
    """What sipp wrote down as wrong."""
    return "".join(path.read_text(errors="replace") for path in folder.glob("*_errors.log"))


async def sipp(
    scenario: str, target: tuple[str, int], folder: Path, *options: str, calls: int = 60, rate: int = 30
) -> int:
    """Run a scenario: the exit status, 0 where every call went as written."""
    process = await asyncio.create_subprocess_exec(
        "sipp", f"{target[0]}:{target[1]}", "-sf", str(SCENARIOS / scenario), "-m", str(calls),
        "-r", str(rate), "-i", "127.0.0.1", "-s", "10086", "-nostdin",
        "-trace_err", "-timeout", "90", "-d", "1000", *options,
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(100):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()


@asynccontextmanager
async def serving(setup: Setup, *, ring_for: float = 0.0) -> AsyncIterator[Service]:
    """A service that must have nothing left in hand when its callers are gone."""
    setup = on_free_ports(setup, "secret")
    media = setup.config.media.model_copy(update={"ports": (0,) * 16, "process": "inside"})
    manners = setup.house.answering.model_copy(update={"ring_for": ring_for})
    house = setup.house.model_copy(update={"answering": manners})
    config = setup.config.model_copy(update={"media": media})
    before, files = asyncio.all_tasks(), open_files()
    async with running(replace(setup, config=config, house=house)) as service:
        yield service
        async with asyncio.timeout(40):
            await service.drain()
        in_hand = service.controller.in_hand()
        assert (in_hand["calls"], in_hand["sessions"], in_hand["ports"]) == (0, 0, 0)
        assert service.media.legs == 0
    assert asyncio.all_tasks() - before == set()
    assert open_files() == files


async def test_four_hundred_calls_at_forty_a_second(setup: Setup, tmp_path: Path) -> None:
    async with serving(setup) as service:
        status = await sipp("hangs_up.xml", service.sip_address, tmp_path, calls=CALLS, rate=RATE)
        assert (status, complaints(tmp_path)) == (0, "")


async def test_the_same_over_a_line_that_loses_doubles_and_delays(setup: Setup, tmp_path: Path) -> None:
    async with serving(setup) as service, lossy_proxy(service.sip_address, seed=1) as proxy:
        # Late provisional answers are no fault; every call must still come to its end.
        lenient = ("-default_behaviors", "all,-abortunexp")
        status = await sipp("hangs_up.xml", proxy.address, tmp_path, *lenient, calls=CALLS, rate=RATE)
        assert status == 0
        assert proxy.seen > 5 * CALLS
        assert proxy.lost > proxy.seen * 0.03


async def test_a_call_may_be_taken_back_while_it_rings(setup: Setup, tmp_path: Path) -> None:
    async with serving(setup, ring_for=1.0) as service:
        status = await sipp("cancels.xml", service.sip_address, tmp_path)
        assert (status, complaints(tmp_path)) == (0, "")
