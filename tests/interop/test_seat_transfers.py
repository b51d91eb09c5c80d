"""sipp as the transferor: REFER is a question to the caller, and its phone hears the true outcome."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.adapters.seat_phone import SeatPhone
from callflow.adapters.softphone import Line
from callflow.service import Service
from tests.support.desk import Told, caller, desk, seat_by_sipp
from tests.support.leftovers import nothing_left
from tests.support.sipp import needs_sipp

pytestmark = [pytest.mark.interop, needs_sipp]

TALK = ("-d", "12000")
"""Milliseconds from the seat's answer to its REFER: the greeting of 7.7 s is over by then, under load too."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller presses, and how the transfer ends in the phone's NOTIFY."""

    key: str
    outcome: str
    words: str
    """What the caller hears then."""


WISHES = {
    "the caller stays": Wish("2", "603", "no_need_to_transfer"),
    "nobody is at the target": Wish("1", "480", "target_not_there"),
}


async def play(wish: Wish, folder: Path) -> tuple[Told, tuple[int, str]]:
    """One call: its facts, sipp's exit status, and what it complained of."""
    keys = (*TALK, "-key", "outcome", wish.outcome)
    async with (
        desk(colleague=True) as (service, facts),
        caller(service) as phone,
        seat_by_sipp(service, "seat_refers.xml", folder, *keys) as seat,
    ):
        await phone.call("10086")
        await facts.begun("press_1_to_be_transferred")
        await phone.press(wish.key)
        await facts.begun(wish.words)
        await asyncio.sleep(0.5)
        await phone.hang_up()
        await facts.first("call.ended")
        return facts, await seat


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wishes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Told, tuple[int, str]]]:
    """All of them, at the same time."""
    folders = [tmp_path_factory.mktemp("seat") for _ in WISHES]
    async with nothing_left():
        played = await asyncio.gather(*map(play, WISHES.values(), folders))
    return dict(zip(WISHES, played, strict=True))


@pytest.mark.parametrize("which", WISHES)
async def test_the_phone_is_told_100_refused_a_second_refer_and_told_the_end(
    wishes: dict[str, tuple[Told, tuple[int, str]]], which: str
) -> None:
    facts, outcome = wishes[which]
    assert outcome == (0, "")
    [asked] = facts.named("transfer.asked")
    assert (asked.rule, asked.details["target"], asked.details["way"]) == ("csr-24", "8002", "phone")
    assert "may_i_transfer" in facts.prompts()
    # Nobody has lost the caller, who hung up by itself.
    assert [fact.details["by"] for fact in facts.named("call.ended")] == ["caller"]
    assert "transfer.completed" not in facts.names


# --- holds first; takes it back; names a dialog that is not ours ---


def invites_to_caller(service: Service, call: str) -> int:
    """How often the caller's side was offered something else."""
    [first, *_] = service.trace.messages(call)
    sent = [each for each in service.trace.messages(call) if not each.incoming and each.peer == first.peer]
    return sum(each.title.startswith("INVITE") for each in sent)


async def transfer(
    scenario: str, folder: Path, after: Callable[[Told, SeatPhone], Awaitable[None]], key: str = ""
) -> tuple[Told, tuple[int, str], int]:
    """One call whose target is at a real phone: the caller agrees where there is a key for it."""
    async with (
        desk(colleague=True) as (service, facts),
        caller(service) as phone,
        SeatPhone.open(Line(*service.sip_address, "seat2", "secret"), answers=(1.0,)) as target,
        seat_by_sipp(service, scenario, folder, *TALK) as seat,
    ):
        await phone.call("10086")
        await facts.first("transfer.asked") if key else None
        if key:
            await facts.begun("press_1_to_be_transferred")
            await phone.press(key)
        await after(facts, target)
        offered = invites_to_caller(service, facts.all[0].call)
        await phone.hang_up()
        await facts.first("call.ended")
        return facts, await seat, offered


async def test_a_phone_that_holds_first_hears_of_each_step_and_hangs_up_by_itself(tmp_path: Path) -> None:
    async def target_agrees(facts: Told, target: SeatPhone) -> None:
        await facts.begun("press_1_to_take")
        await target.press("1")
        await facts.first("transfer.completed")
        await asyncio.sleep(0.5)

    scenario = "seat_holds_refers_and_hangs_up.xml"
    facts, outcome, offered = await transfer(scenario, tmp_path, target_agrees, key="1")
    assert outcome == (0, "")
    assert offered == 0, "the caller's leg sees nothing of it"
    told = [name for name in facts.names if name.startswith("transfer.")]
    assert told == [
        "transfer.asked",
        "transfer.offered",
        "transfer.briefed",
        "transfer.accepted",
        "transfer.completed",
    ]


async def test_a_phone_that_takes_the_caller_back_is_told_that_it_is_over(tmp_path: Path) -> None:
    async def is_taken_back(facts: Told, target: SeatPhone) -> None:
        await facts.first("transfer.failed")
        await asyncio.sleep(0.5)

    facts, outcome, offered = await transfer("seat_takes_its_refer_back.xml", tmp_path, is_taken_back)
    assert outcome == (0, "")
    assert offered == 0
    assert [fact.details["why"] for fact in facts.named("transfer.failed")] == ["taken_back"]
    assert "transfer.offered" not in facts.names


async def test_a_dialog_that_is_not_ours_replaces_nobody(tmp_path: Path) -> None:
    async def waits(facts: Told, target: SeatPhone) -> None:
        await facts.first("call.joined")
        await asyncio.sleep(6.0)

    facts, outcome, offered = await transfer("seat_refers_to_a_strangers_dialog.xml", tmp_path, waits)
    assert outcome == (0, "")
    assert offered == 0
    assert "transfer.asked" not in facts.names
