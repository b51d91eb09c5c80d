"""Phones are unplugged in the middle of calls: a seat's, and all callers' of one trunk at once.

The same on a virtual clock is in tests/conversation: test_dead_legs, test_trunk_dies.
"""

import asyncio
from pathlib import Path

import pytest

from tests.faults.office import LONGEST_SILENCE, Size, office

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]

long = pytest.mark.faults


@long
async def test_a_seats_phone_dies_in_mid_talk(tmp_path: Path) -> None:
    """Its caller hears words, and is the next to be served; nobody else notices."""
    async with office(tmp_path, size=Size(joined=2, waiting=1)) as at_work:
        caller, seat = at_work.joined.pop(0)
        died_at = asyncio.get_running_loop().time()
        seat.phone.dies()
        number = next(number for number, phone in at_work.phones.items() if phone is seat.phone)
        await at_work.go_on(LONGEST_SILENCE)
        assert caller.longest_silence(died_at) <= LONGEST_SILENCE
        assert caller.over_at is None
        at_work.nobody_was_cut_off()
        at_work.nobody_is_in_silence()
        [lost] = at_work.run.told("leg.lost")
        assert lost["leg"] == f"seat {number}"
        assert lost["silent"] == pytest.approx(15.0, abs=1.0)
        assert at_work.run.told("seat.state")[-1]["state"] != "talking"
        assert await at_work.run.metric('callflow_seats{state="unreachable"}') == 1
        assert await at_work.run.metric('callflow_media_events_total{kind="leg_lost"}') == 1
        # It is at the head of the queue when it has heard the apology.
        await at_work.run.until(lambda: len(at_work.run.told("queue.entered")) == 4)
        at_work.waiting.insert(0, caller)


@long
@pytest.mark.parametrize("size", [Size(3, 2), Size(joined=20, waiting=10)])
async def test_all_callers_of_a_trunk_die_at_once(tmp_path: Path, size: Size) -> None:
    """The seats hear of it and are let go of; nobody is rung for those who waited; new callers are served."""
    async with office(tmp_path, size=size) as at_work:
        pairs, waited = [*at_work.joined], [*at_work.waiting]
        for call in [*(caller for caller, _ in pairs), *waited]:
            call.phone.dies()
        died_at = asyncio.get_running_loop().time()
        await asyncio.gather(*(seat.ended(within=LONGEST_SILENCE + 5) for _, seat in pairs))
        for _, seat in pairs:
            assert seat.sounds[-1] > died_at + 10, "it was told that its caller is gone"
            assert seat.longest_silence(died_at) <= LONGEST_SILENCE
        taken = sum(len(phone.calls) for phone in at_work.phones.values())
        await at_work.go_on(5.0)
        assert sum(len(phone.calls) for phone in at_work.phones.values()) == taken, (
            "nobody rings for the dead"
        )
        # The callers may hear us yet: each has the last words, and the pause.
        await at_work.run.until(lambda: len(at_work.run.told("call.ended")) == sum(size), within=20)
        ends = [end["reason"] for end in at_work.run.told("call.ended")]
        assert ends == ["media_lost"] * sum(size)
        at_work.joined.clear()
        at_work.waiting.clear()
        await at_work.are_served(1)
