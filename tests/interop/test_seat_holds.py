"""sipp as the seat: every way of holding is answered as the RFCs want it, and is a question to the caller."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.adapters.softphone import Softphone
from tests.support.desk import Told, caller, desk, seat_by_sipp
from tests.support.leftovers import nothing_left
from tests.support.sipp import needs_sipp

pytestmark = [pytest.mark.interop, needs_sipp]

TALK = ("-d", "12000")
"""Milliseconds from the seat's answer to its hold: the greeting of 7.7 s is over by then."""
Part = Callable[[Softphone, Told], Awaitable[None]]
"""What the caller does once the call is answered."""


@dataclass(frozen=True, slots=True)
class Hold:
    """How the seat holds, and what the answer must say; None in `attribute` is the hold of RFC 2543."""

    scenario: str
    attribute: str | None
    answered: str
    caller: Part
    calls: int = 1

    @property
    def keys(self) -> tuple[str, ...]:
        """As sipp's scenarios know them."""
        address = "0.0.0.0" if self.attribute is None else "127.0.0.1"
        line = "a=ptime:20" if self.attribute is None else f"a={self.attribute}"
        words = {"hold_address": address, "hold_attribute": line, "hold_answered": self.answered}
        return tuple(part for name, value in words.items() for part in ("-key", name, value))


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one call."""

    facts: Told
    outcome: tuple[int, str]
    """sipp's exit status, and what it complained of."""


async def talks_on(phone: Softphone, facts: Told) -> None:
    """Hang up a moment after the seat has come back."""
    await facts.nth(2, "call.joined")
    await asyncio.sleep(0.3)
    await phone.hang_up()


async def hears_the_apology(phone: Softphone, facts: Told) -> None:
    await facts.said("seat_gone")
    await facts.nth(2, "queue.entered")
    await phone.hang_up()


async def will_not_wait(phone: Softphone, facts: Told) -> None:
    """Press 2, and speak with the seat that has come back for it."""
    await facts.begun("press_1_to_wait")
    await phone.press("2")
    await talks_on(phone, facts)


HOLDS = {
    "sendonly": Hold("seat_holds_and_resumes.xml", "sendonly", "recvonly", talks_on),
    "inactive": Hold("seat_holds_and_resumes.xml", "inactive", "inactive", talks_on),
    "of RFC 2543": Hold("seat_holds_and_resumes.xml", None, "recvonly", talks_on),
    "by UPDATE": Hold("seat_updates.xml", "sendonly", "recvonly", talks_on),
    "and hung up": Hold("seat_holds_and_leaves.xml", "sendonly", "recvonly", hears_the_apology),
    "refused": Hold("seat_is_called_back.xml", "sendonly", "recvonly", will_not_wait, calls=2),
}


async def play(hold: Hold, folder: Path) -> Played:
    async with (
        desk() as (service, facts),
        caller(service) as phone,
        seat_by_sipp(service, hold.scenario, folder, *TALK, *hold.keys, calls=hold.calls) as seat,
    ):
        await phone.call("10086")
        await hold.caller(phone, facts)
        await facts.first("call.ended")
        return Played(facts, await seat)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """All of them, at the same time."""
    folders = [tmp_path_factory.mktemp("seat") for _ in HOLDS]
    async with nothing_left():
        played = await asyncio.gather(*map(play, HOLDS.values(), folders))
    return dict(zip(HOLDS, played, strict=True))


@pytest.mark.parametrize("how", HOLDS)
async def test_it_is_answered_as_it_must_be(holds: dict[str, Played], how: str) -> None:
    assert holds[how].outcome == (0, "")


@pytest.mark.parametrize("how", HOLDS)
async def test_the_seat_is_deaf_at_once_and_the_caller_is_asked(holds: dict[str, Played], how: str) -> None:
    facts = holds[how].facts
    [deaf], [asked] = facts.named("seat.unhearing"), facts.named("hold.asked")
    assert (asked.details["way"], asked.rule, asked.at) == ("phone", "csr-23", deaf.at)
    assert facts.prompts()[1] == "may_i_hold"
    # Nobody has agreed, so nobody is held.
    assert "hold.started" not in facts.names
    assert [dict(fact.details) for fact in facts.named("call.ended")] == [{"by": "caller", "reason": ""}]


@pytest.mark.parametrize("how", ["sendonly", "inactive", "of RFC 2543", "by UPDATE"])
async def test_who_resumes_is_joined_at_once_and_no_answer_is_waited_for(
    holds: dict[str, Played], how: str
) -> None:
    facts = holds[how].facts
    [unanswered] = facts.named("consent.unanswered")
    [_, again] = facts.named("call.joined")
    assert unanswered.details["why"] == "cut_short"
    assert again.at == unanswered.at
    assert "recall.failed" not in facts.names


async def test_who_holds_and_hangs_up_leaves_the_caller_with_an_apology_and_in_the_queue(
    holds: dict[str, Played],
) -> None:
    facts = holds["and hung up"].facts
    [lost] = facts.named("seat.lost")
    assert lost.details["hung_up"] is True
    assert facts.prompts()[-1] == "seat_gone"
    assert len(facts.named("queue.entered")) == 2


async def test_a_caller_who_will_not_wait_has_the_seat_called_back(holds: dict[str, Played]) -> None:
    facts = holds["refused"].facts
    [refused] = facts.named("consent.refused")
    assert refused.details["how"] == "key"
    [before, again] = facts.named("call.joined")
    assert before.at < refused.at < again.at
    assert facts.prompts()[-2:] == ["sorry_to_keep_you", "thanks_for_waiting"]
    assert "seat.left" not in facts.names
