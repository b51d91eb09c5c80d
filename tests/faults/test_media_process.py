"""The audio's process dies again and again, and hangs: callers hear words again, and no call ends."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.faults.office import LONG, Office, Size, forms, office

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]

long = pytest.mark.faults


async def another_than(at_work: Office, dead: int) -> int:
    """The process that has taken its place, once it works."""
    async with asyncio.timeout(20):
        while True:
            status, _ = await at_work.run.get("/readyz")
            living = at_work.run.children()
            if status == 200 and living and living[0] != dead:
                return living[0]
            await asyncio.sleep(0.05)


@forms("kills", 2, 8)
async def test_a_media_process_that_is_killed_again_and_again(tmp_path: Path, kills: int, size: Size) -> None:
    async with office(tmp_path, size=size) as at_work:
        for _ in range(kills):
            [pid] = at_work.run.children()
            os.kill(pid, signal.SIGKILL)
            await another_than(at_work, pid)
            await at_work.all_hear()
            await at_work.go_on(3.0)
        at_work.nobody_was_cut_off()
        at_work.nobody_is_in_silence()
        assert await at_work.run.metric('callflow_faults_total{kind="media_process_died"') == kills
        assert await at_work.run.metric("callflow_media_up") == 1
        assert len(at_work.run.told("fault")) >= kills / 2
        await at_work.go_on_serving()


@forms("seconds", 4.0, 10.0)
async def test_a_media_process_that_is_stopped(tmp_path: Path, seconds: float, size: Size) -> None:
    async with office(tmp_path, size=size) as at_work:
        [pid] = at_work.run.children()
        os.kill(pid, signal.SIGSTOP)
        begun = asyncio.get_running_loop().time()
        await at_work.run.until_ready(503, within=4)
        await another_than(at_work, pid)
        await at_work.all_hear()
        # It was found well before anybody would have set it going again.
        assert asyncio.get_running_loop().time() - begun < 10
        await at_work.go_on(seconds)
        at_work.nobody_was_cut_off()
        at_work.nobody_is_in_silence()
        assert await at_work.run.metric('callflow_faults_total{kind="media_process_hung"') == 1
        await at_work.go_on_serving()


@long
async def test_a_controller_that_is_stopped_and_goes_on_keeps_its_media_process(tmp_path: Path) -> None:
    async with office(tmp_path, size=LONG) as at_work:
        before = at_work.run.children()
        at_work.run.signal(signal.SIGSTOP)
        await asyncio.sleep(10)
        at_work.run.signal(signal.SIGCONT)
        await at_work.go_on(5)
        assert at_work.run.children() == before
        at_work.nobody_was_cut_off()
        at_work.nobody_is_in_silence()
