"""sipp, a foreign caller: it knows nothing of ours."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.service import running

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (Debian: sip-tester)"),
]

SCENARIOS = Path(__file__).parent
CALLS = 60


def complaints(folder: Path) -> str:
    """What sipp wrote down as wrong."""
    return "".join(path.read_text(errors="replace") for path in folder.glob("*_errors.log"))


async def sipp(scenario: str, target: tuple[str, int], folder: Path, calls: int) -> int:
    """Run a scenario: the exit status, 0 where every call went as written."""
    process = await asyncio.create_subprocess_exec(
        "sipp", f"{target[0]}:{target[1]}", "-sf", str(SCENARIOS / scenario), "-m", str(calls), "-r", "30",
        "-i", "127.0.0.1", "-s", "10086", "-nostdin", "-trace_err", "-timeout", "50",
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("scenario", ["hangs_up.xml", "cancels.xml"])
async def test_calls_go_as_written_and_leave_nothing_behind(
    setup: Setup, scenario: str, tmp_path: Path
) -> None:
    setup = on_free_ports(setup, "secret")
    config = setup.config
    # A caller that takes its call back needs a call that still rings.
    manners = setup.house.answering.model_copy(update={"ring_for": 1.0 if scenario == "cancels.xml" else 0.0})
    media = config.media.model_copy(update={"ports": (0,) * 64})
    house = setup.house.model_copy(update={"answering": manners})
    setup = replace(setup, config=config.model_copy(update={"media": media}), house=house)
    async with running(setup) as service:
        status = await sipp(scenario, service.sip_address, tmp_path, CALLS)
        assert (status, complaints(tmp_path)) == (0, "")
        async with asyncio.timeout(5):
            await service.drain()
        in_hand = service.controller.in_hand()
        assert (in_hand["calls"], in_hand["sessions"], in_hand["ports"]) == (0, 0, 0)
        assert service.media.legs == 0
