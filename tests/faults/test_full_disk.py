"""The journal's disk is full: calls go on, it is told, and written when there is room again."""

from pathlib import Path

import pytest

from callflow.adapters.journal_lines import load
from tests.faults.office import Size, forms, office
from tests.support.small_disk import fill, small_disk

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]


@forms("seconds", 3.0, 40.0)
async def test_a_full_disk_under_the_journal(tmp_path: Path, seconds: float, size: Size) -> None:
    with small_disk(tmp_path) as disk:
        journal = disk / "journal"
        async with office(tmp_path, f"journal: {journal}", size=size) as at_work:
            filler = fill(disk)
            caller, _ = at_work.joined[0]
            await caller.hang_up()
            await at_work.go_on(seconds)
            assert await at_work.run.get("/readyz") == (200, "ready\n")
            at_work.nobody_was_cut_off()
            at_work.nobody_is_in_silence()
            assert await at_work.run.metric("callflow_journal_lost_total") > 0
            failed = at_work.run.told("journal.failed")
            assert 1 <= len(failed) <= seconds + 10
            assert {line["error"] for line in failed} == {"No space left on device"}
            filler.unlink()
            # The waiting caller who was joined meanwhile stands in it, as soon as something changes.
            await at_work.waits()
            await at_work.run.until(lambda: len(load(journal).calls) == len(at_work.calls_that_stand()))
