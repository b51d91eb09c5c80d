"""sipp as the caller and as the seat: the queue before the answer."""

from pathlib import Path

import pytest

from tests.support.desk import CONFIGURATION, desk, seat_by_sipp
from tests.support.leftovers import nothing_left
from tests.support.sipp import complaints, needs_sipp, sipp

pytestmark = [pytest.mark.interop, needs_sipp]

RINGS = 4.0
"""Seconds that the seat lets its phone ring: the first word of the queue comes after three."""


async def test_the_answer_comes_with_the_seat_and_the_words_of_the_queue_before_it(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("caller", "seat")]
    for folder in folders:
        folder.mkdir()
    rings = ("-d", str(round(RINGS * 1000)))
    async with (
        nothing_left(),
        desk(CONFIGURATION.with_name("early.yaml")) as (service, facts),
        seat_by_sipp(service, "answers.xml", folders[1], *rings) as seat,
    ):
        # Long enough to hear the greeting that follows the answer.
        talk = ("-d", "1500")
        status = await sipp("waits_before_the_answer.xml", service.sip_address, folders[0], *talk, calls=1)
        assert (status, complaints(folders[0])) == (0, "")
        assert await seat == (0, "")
    assert facts.prompts() == ["queue_please_wait", "greeting"]
    waited, answered, greeted = (
        facts.named(name)[0].at for name in ("queue.entered", "call.answered", "seat.answered")
    )
    assert waited + RINGS <= answered < greeted
    assert [dict(fact.details) for fact in facts.named("call.ended")] == [{"by": "caller", "reason": ""}]
