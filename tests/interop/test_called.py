"""Calls of ours, answered or not by sipp: rung, early audio, refused, sent elsewhere, given up, forked."""

import asyncio
from pathlib import Path

import pytest

from callflow.sip.happenings import Accepted, Declined, Ended, Progressed
from tests.support.forker import forker
from tests.support.leftovers import nothing_left
from tests.support.sipp import needs_sipp, seat
from tests.support.socket_endpoint import socket_endpoint

pytestmark = [pytest.mark.interop, needs_sipp]

TALK = 0.3
"""Seconds."""


async def test_early_audio_is_acknowledged_before_the_answer(tmp_path: Path) -> None:
    async with nothing_left(), socket_endpoint() as ours, seat("answers_when_pracked.xml", tmp_path) as peer:
        session = ours.call(peer.address)
        ringing, early = await ours.heard(Progressed), await ours.heard(Progressed)
        assert [(ringing.status, ringing.answer), early.status] == [(180, b""), 183]
        assert b"m=audio" in early.answer
        accepted = await ours.heard(Accepted)
        assert accepted.session == session
        await asyncio.sleep(TALK)
        ours.hang_up(session)
        assert await peer.outcome() == (0, "")
        assert ours.sent("PRACK") == ours.sent("ACK") == ours.sent("BYE") == 1
        assert await ours.leftovers() == ([], {})


async def test_whom_we_call_may_hang_up(tmp_path: Path) -> None:
    brief = ("-d", "200")
    async with nothing_left(), socket_endpoint() as ours:
        async with seat("answers_and_hangs_up.xml", tmp_path, *brief) as peer:
            session = ours.call(peer.address)
            await ours.heard(Accepted)
            ended = await ours.heard(Ended)
            assert (ended.session, ended.reason) == (session, "bye")
            assert await peer.outcome() == (0, "")
        assert await ours.leftovers() == ([], {})


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """One for each of two phones."""
    quick, slow = tmp_path / "quick", tmp_path / "slow"
    quick.mkdir()
    slow.mkdir()
    return quick, slow


@pytest.mark.parametrize(
    ("scenario", "status", "reason"),
    [("is_busy.xml", 486, "Busy Here"), ("has_moved.xml", 302, "Moved Temporarily")],
)
async def test_a_refusal_is_acknowledged_and_told(
    tmp_path: Path, scenario: str, status: int, reason: str
) -> None:
    async with nothing_left(), socket_endpoint() as ours, seat(scenario, tmp_path) as peer:
        session = ours.call(peer.address)
        declined = await ours.heard(Declined)
        assert (declined.session, declined.status, declined.reason) == (session, status, reason)
        assert await peer.outcome() == (0, "")
        assert await ours.leftovers() == ([], {})


async def test_who_rings_too_long_is_not_rung_any_longer(tmp_path: Path) -> None:
    async with nothing_left(), socket_endpoint() as ours, seat("rings_on.xml", tmp_path) as peer:
        session = ours.call(peer.address)
        await ours.heard(Progressed)
        await asyncio.sleep(TALK)
        ours.hang_up(session)
        assert await peer.outcome() == (0, "")
        assert ours.sent("CANCEL") == ours.sent("ACK") == 1
        assert await ours.leftovers() == ([], {})


async def test_the_second_of_two_phones_that_answer_is_acknowledged_and_ended(
    folders: tuple[Path, Path],
) -> None:
    async with (
        nothing_left(),
        socket_endpoint() as ours,
        seat("answers.xml", folders[0], "-d", "100") as quick,
        seat("answers.xml", folders[1], "-d", "400") as slow,
        forker(quick.address, slow.address) as both,
    ):
        session = ours.call(both)
        await ours.heard(Accepted)
        # The slow one is told to hang up while the talk with the quick one goes on.
        assert await slow.outcome() == (0, "")
        assert ours.sent("BYE") == 1
        ours.hang_up(session)
        assert await quick.outcome() == (0, "")
        assert (ours.sent("ACK"), ours.sent("BYE")) == (2, 2)
        assert await ours.leftovers() == (["late_answer"], {})
