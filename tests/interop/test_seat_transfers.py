"""sipp as the transferor: REFER is a question to the caller, and its phone hears the true outcome."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.desk import Told, caller, desk, seat_by_sipp
from tests.support.leftovers import nothing_left
from tests.support.sipp import needs_sipp

pytestmark = [pytest.mark.interop, needs_sipp]

TALK = ("-d", "8700")
"""Milliseconds from the seat's answer to its REFER: the greeting of 7.7 s is over by then."""


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
