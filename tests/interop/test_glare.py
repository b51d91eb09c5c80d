"""Re-INVITEs that cross: 491 to each, and ours comes again after the time of its role (RFC 3261 §14.1)."""

import asyncio
from pathlib import Path

import pytest

from callflow.sip.happenings import Accepted, Confirmed, Ended, Invited, Reanswered
from callflow.sip.message import Response
from callflow.sip.sdp import offered
from tests.support.leftovers import nothing_left
from tests.support.sipp import complaints, needs_sipp, seat, sipp
from tests.support.socket_endpoint import AUDIO, SocketEndpoint, socket_endpoint

pytestmark = [pytest.mark.interop, needs_sipp]

BEFORE_OURS = 0.3
"""Seconds of talk before our re-INVITE."""
LATE = 0.3
"""Seconds that a busy machine may add to what the RFC asks."""


async def clash(ours: SocketEndpoint, session: str) -> None:
    """Send the re-INVITE that the peer's own will cross, until it is taken."""
    await asyncio.sleep(BEFORE_OURS)
    ours.do(ours.calls.reoffer(session, offered(AUDIO, 1, version=2), ours.now()))
    reanswered = await ours.heard(Reanswered)
    assert reanswered.session == session
    assert b"m=audio" in reanswered.answer


def waited_after_491(ours: SocketEndpoint) -> float:
    """Seconds from the peer's 491 to our re-INVITE's next try, which has the next CSeq."""
    first, second = ours.requests("INVITE")[-2:]
    assert second.message.cseq.number == first.message.cseq.number + 1
    [clashed] = [
        passed.at
        for passed in ours.passed
        if passed.incoming and isinstance(passed.message, Response) and passed.message.status == 491
    ]
    return second.at - clashed


async def test_whom_the_call_id_is_not_of_comes_again_within_two_seconds(tmp_path: Path) -> None:
    async with nothing_left(), socket_endpoint() as ours:
        calling = asyncio.create_task(sipp("clashes_as_caller.xml", ours.address, tmp_path, calls=1))
        invited = await ours.heard(Invited)
        ours.answer(invited)
        await ours.heard(Confirmed)
        await clash(ours, invited.session)
        assert (await ours.heard(Ended)).session == invited.session
        assert (await calling, complaints(tmp_path)) == (0, "")
        assert 0.0 <= waited_after_491(ours) <= 2.0 + LATE
        assert await ours.leftovers() == ([], {})


async def test_the_owner_of_the_call_id_comes_again_after_two_to_four_seconds(tmp_path: Path) -> None:
    async with nothing_left(), socket_endpoint() as ours, seat("clashes_as_callee.xml", tmp_path) as peer:
        session = ours.call(peer.address)
        await ours.heard(Accepted)
        await clash(ours, session)
        ours.hang_up(session)
        assert await peer.outcome() == (0, "")
        assert 2.1 <= waited_after_491(ours) <= 4.0 + LATE
        assert await ours.leftovers() == ([], {})
