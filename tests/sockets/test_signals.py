"""What a process manager and a person at a terminal may send: no signal ends a call before its time."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.loopback_phone import SILENCE, LoopbackPhone
from tests.support.run_service import callflow_run, service_with

pytestmark = pytest.mark.sockets


async def test_a_closed_terminal_changes_nothing(tmp_path: Path) -> None:
    async with callflow_run(service_with(1, tmp_path)) as run, LoopbackPhone(run.sip, "caller") as phone:
        call = await phone.call("10086")
        for _ in range(3):
            run.signal(signal.SIGHUP)
            await asyncio.sleep(0.1)
        await run.until(lambda: run.told("signal.ignored") != [])
        assert (await run.get("/readyz"))[0] == 200
        assert call.over_at is None
        run.signal(signal.SIGTERM)
        await run.until_ready(503)
        await call.hang_up()
        assert await run.process.wait() == 0


async def test_a_second_sigterm_has_the_last_words_said_at_once(tmp_path: Path) -> None:
    async with (
        callflow_run(service_with(1, tmp_path, drain="10m")) as run,
        LoopbackPhone(run.sip, "caller") as phone,
    ):
        call = await phone.call("10086")
        call.says = SILENCE
        run.signal(signal.SIGTERM)
        await run.until_ready(503)
        await asyncio.sleep(1.0)
        assert call.over_at is None
        run.signal(signal.SIGTERM)
        await call.ended(within=30)
        await run.until(lambda: run.told("call.ended") != [])
        [ended] = run.told("call.ended")
        assert (ended["by"], ended["reason"]) == ("callflow", "service_stops")
        async with asyncio.timeout(20):
            assert await run.process.wait() == 0
        assert [line["event"] for line in run.log][-1] == "stopped"


async def test_a_third_ends_every_call_with_a_bye(tmp_path: Path) -> None:
    async with (
        callflow_run(service_with(1, tmp_path, drain="10m")) as run,
        LoopbackPhone(run.sip, "caller") as phone,
    ):
        call = await phone.call("10086")
        for _ in range(3):
            run.signal(signal.SIGINT)
            await run.until_ready(503)
        await call.ended(within=5)
        async with asyncio.timeout(20):
            assert await run.process.wait() == 0
