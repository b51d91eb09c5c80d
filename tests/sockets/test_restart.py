"""callflow is killed amid calls and started again: nobody is left in silence, and phones need do nothing."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from callflow.adapters.journal_lines import load
from tests.support.loopback_phone import LoopbackPhone
from tests.support.run_service import PAGE_PASSWORD, PASSWORD, callflow_run, service_with

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]


async def test_calls_of_an_earlier_life_end_on_both_sides_and_phones_stay_registered(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    config = service_with(2, tmp_path, f"journal: {journal}")
    async with (
        callflow_run(config) as run,
        LoopbackPhone(run.sip, "caller") as caller,
        LoopbackPhone(run.sip, "p8001", PASSWORD) as seat,
    ):
        assert await seat.register() == 200
        call = await caller.call("10086")
        served = await seat.taken()
        # Both hear each other: the call has its whole place in the journal.
        await run.until(lambda: run.told("call.joined") != [])
        run.signal(signal.SIGKILL)
        await run.process.wait()
        # The disk has what the last facts said.
        assert len(load(journal).calls) == 1
        async with callflow_run(config) as again:
            await call.ended()
            await served.ended()
            await again.until(lambda: again.told("call.cut_off") != [])
            assert [line["legs"] for line in again.told("call.cut_off")] == [2]
            assert await again.metric("callflow_calls_cut_off_total") == 1
            await again.until(lambda: load(journal).calls == {})
            # It need not register again, and serves the next caller.
            second = await caller.call("10086")
            assert second.status == 200
            assert await seat.taken(lambda taken: taken is not served)
            await second.hang_up()
        async with callflow_run(config) as third:
            # What has ended is ended once.
            assert third.told("call.cut_off") == []


async def test_seats_stay_logged_in_and_away(tmp_path: Path) -> None:
    config = service_with(2, tmp_path, f"journal: {tmp_path / 'journal'}")
    async with callflow_run(config) as run, LoopbackPhone(run.sip, "p8001", PASSWORD) as seat:
        assert await seat.register() == 200
        await ask(run.http, "8001", "away", "--reason", "午休")
        await ask(run.http, "8002", "logout")
        before = [await ask(run.http, number, "show") for number in ("8001", "8002")]
        assert before[0] == "seat 8001 at p8001: away (午休)"
        run.signal(signal.SIGKILL)
        await run.process.wait()
        async with callflow_run(config) as again:
            assert [await ask(again.http, number, "show") for number in ("8001", "8002")] == before
            states = [(line["leg"], line["state"]) for line in again.told("seat.state")]
            assert sorted(states) == [("seat 8001", "away"), ("seat 8002", "offline")]


async def ask(http: tuple[str, int], seat: str, what: str, *options: str) -> str:
    """What `callflow seat` says, but for how long."""
    asking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callflow", "seat", seat, what),
        *("--at", f"http://{http[0]}:{http[1]}", *options),
        env={**os.environ, "CALLFLOW_SEAT_PASSWORD": PAGE_PASSWORD, "LANG": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await asking.communicate()
    assert asking.returncode == 0
    return told.decode().partition(" for ")[0]
