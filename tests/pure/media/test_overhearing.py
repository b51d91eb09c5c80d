"""What a second pair of ears is given of a line: all of it, at once when asked, and nothing of our own."""

import numpy as np
import pytest

from callflow.codec import Law
from callflow.media.g711 import encode
from callflow.media.messages import (
    AskOpinion,
    CloseLeg,
    Command,
    ListenClosely,
    ListenNoLonger,
    LoadPrompt,
    Overheard,
    Play,
)
from callflow.media.overhearing import LAG
from tests.pure.media.stage import ALICE, BOB, ULAW_IDLE, Phone, Stage
from tests.support.rtp_packets import frames, noise, quiet, speech, tone

pytestmark = pytest.mark.pure


def overheard(stage: Stage) -> list[Overheard]:
    return [event for _, leg, event in stage.told if isinstance(event, Overheard) and leg == 1]


def line(stage: Stage, *payloads: bytes) -> None:
    """Alice's phone sends them, each in its time."""
    phone = Phone(stage, ALICE)
    for payload in payloads:
        phone.say(payload)
        stage.run(0.02)


def listening() -> Stage:
    stage = Stage()
    stage.open(1)
    stage.open(2, BOB)
    stage.obey(ListenClosely(1))
    return stage


def test_all_is_handed_out_in_order_and_the_rest_at_once_when_it_is_asked_for() -> None:
    stage = listening()
    sent = [bytes([n]) * 160 for n in range(130)]
    line(stage, *sent)
    pieces = overheard(stage)
    assert [len(piece.audio) for piece in pieces] == [6400, 6400]
    asked_at = stage.now
    stage.obey(AskOpinion(1))
    last = overheard(stage)[-1]
    assert (last.asked, stage.told[-1][0]) == (True, asked_at)
    assert b"".join(piece.audio for piece in overheard(stage)) == b"".join(sent)
    assert [piece.asked for piece in pieces] == [False, False]


@pytest.mark.parametrize("end", [ListenNoLonger(1), CloseLeg(1)])
def test_afterwards_nothing_is_handed_out(end: Command) -> None:
    stage = listening()
    stage.obey(end, AskOpinion(1))
    line(stage, *[ULAW_IDLE] * 100)
    stage.open(3)
    line(stage, *[ULAW_IDLE] * 100)
    assert overheard(stage) == []


def test_a_new_beginning_forgets_what_was_heard() -> None:
    stage = listening()
    line(stage, *frames(np.concatenate([quiet(0.4), speech(0.5, -20.0)])))
    stage.obey(AskOpinion(1), ListenClosely(1), AskOpinion(1))
    first, second = overheard(stage)[-2:]
    assert (first.may_live, len(second.audio), second.may_live) == (True, 0, False)


@pytest.mark.parametrize(
    ("sound", "may_live"),
    [
        (quiet(0.5), False),
        (noise(0.5, -30.0), False),
        (tone(0.5, -20.0, 450.0), False),
        (speech(0.2, -40.0), True),
    ],
)
def test_what_might_have_been_a_person_is_told_with_it(sound: np.ndarray, may_live: bool) -> None:
    stage = listening()
    line(stage, *frames(np.concatenate([quiet(0.4), sound, quiet(0.3)])))
    stage.obey(AskOpinion(1))
    assert overheard(stage)[-1].may_live is may_live


@pytest.mark.parametrize(("level", "aloud"), [(-50.0, False), (-35.0, True)])
def test_whether_it_was_as_loud_as_people_are_is_told_with_it(level: float, aloud: bool) -> None:
    stage = listening()
    line(stage, *frames(np.concatenate([quiet(0.4), speech(0.2, level), quiet(0.3)])))
    stage.obey(AskOpinion(1), ListenClosely(1), AskOpinion(1))
    first, second = overheard(stage)[-2:]
    assert (first.may_live, first.aloud, second.aloud) == (True, aloud, False)


def test_our_echo_is_left_out() -> None:
    stage = Stage()
    said = speech(3.0, -15.0, 5)
    codes = {law: encode(said, law).tobytes() for law in Law}
    stage.obey(LoadPrompt("words", codes[Law.PCMU], codes[Law.PCMA]))
    stage.open(1)
    stage.obey(ListenClosely(1))
    line(stage, *[ULAW_IDLE] * 25)
    stage.obey(Play(1, "words"))
    back = np.concatenate([quiet(0.1), (said * 0.25).astype(np.int16), quiet(1.0)])
    line(stage, *frames(back))
    stage.obey(AskOpinion(1))
    audio = b"".join(piece.audio for piece in overheard(stage))
    # What came last might be more of it.
    assert len(audio) == (25 + len(frames(back)) - LAG) * 160
    heard = np.frombuffer(audio, np.uint8) != ULAW_IDLE[0]
    assert np.count_nonzero(heard) < 0.02 * len(heard)
    assert not overheard(stage)[-1].may_live
