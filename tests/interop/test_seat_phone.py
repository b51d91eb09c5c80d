"""linphonec as the seat: it is rung, holds by its own key, comes back, and hangs up first."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.desk import PHONE, Told, caller, desk, registered, until_registered
from tests.support.kamailio import needs
from tests.support.leftovers import nothing_left
from tests.support.phones import linphone

pytestmark = [pytest.mark.interop, needs("linphonec")]

TALK = 0.5
"""Seconds."""
EVERY = 5.0
"""Seconds between the words of the wait, in the house `brisk`."""


@dataclass(frozen=True, slots=True)
class Served:
    """What came of the call, and what the caller heard."""

    facts: Told
    pauses: list[tuple[float, float]]
    """Each silence between two sounds: from when to when."""


async def serve(folder: Path) -> Served:
    """The caller agrees to wait, is reminded once, gets the seat back, and then loses it."""
    async with (
        desk() as (service, facts),
        caller(service) as phone,
        linphone(folder, service.sip_address, PHONE, "secret", registered(service, PHONE)) as seat,
    ):
        await until_registered(service)
        await phone.call("10086")
        await facts.first("seat.ringing")
        await asyncio.sleep(TALK)
        await seat.answer()
        await facts.first("call.joined")
        await asyncio.sleep(TALK)
        await seat.hold()
        await facts.begun("press_1_to_wait")
        await phone.press("1")
        await facts.begun("still_working")
        await seat.resume()
        await facts.nth(2, "call.joined")
        await asyncio.sleep(TALK)
        await seat.hang_up()
        await facts.first("seat.left")
        await facts.begun("anything_else")
        await phone.hang_up()
        await facts.first("call.ended")
        report = await phone.report()
    return Served(facts, [*zip(report.ends, report.starts[1:], strict=False)])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    async with nothing_left():
        return await serve(tmp_path_factory.mktemp("seat"))


async def test_its_key_asks_and_the_caller_is_held_only_after_the_yes(served: Served) -> None:
    facts = served.facts
    [deaf], [asked] = facts.named("seat.unhearing"), facts.named("hold.asked")
    [given], [started] = facts.named("consent.given"), facts.named("hold.started")
    assert (asked.details["way"], given.details["how"]) == ("phone", "key")
    assert deaf.at == asked.at < given.at < started.at
    assert facts.prompts()[:4] == ["greeting", "may_i_hold", "press_1_to_wait", "hold_thanks"]


async def test_it_comes_back_to_a_caller_who_was_reminded_and_is_thanked(served: Served) -> None:
    facts = served.facts
    [started], [resumed] = facts.named("hold.started"), facts.named("hold.resumed")
    [reminded] = facts.named("hold.reminded")
    assert reminded.at - started.at == pytest.approx(EVERY, abs=0.5)
    assert resumed.details["seconds"] == pytest.approx(resumed.at - started.at, abs=0.01)
    said = facts.prompts()
    after = said.index("still_working") + 1
    assert said[after : after + 2] == ["sorry_to_keep_you", "thanks_for_waiting"]
    assert facts.named("call.joined")[1].at > resumed.at


async def test_it_hangs_up_and_the_caller_is_asked_whether_that_was_all(served: Served) -> None:
    facts = served.facts
    [left] = facts.named("seat.left")
    assert left.details["hung_up"] is True
    assert facts.prompts()[-1] == "anything_else"
    assert [dict(fact.details) for fact in facts.named("call.ended")] == [{"by": "caller", "reason": ""}]


async def test_the_caller_heard_no_silence_longer_than_the_interval(served: Served) -> None:
    """At the caller's own socket, while linphone hears nobody and nobody hears linphone."""
    facts = served.facts
    [deaf], [resumed] = facts.named("seat.unhearing"), facts.named("hold.resumed")
    silences = [start - end for end, start in served.pauses if end > deaf.at and start < resumed.at]
    # From the end of the thanks, or the hint, to the reminder; the beginning of a wait is a fact's time.
    assert max(silences) == pytest.approx(EVERY, abs=0.3)
