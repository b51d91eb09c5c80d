"""A message: words, a tone, the caller until it has spoken, and the truth about what became of it."""

import pytest

from callflow.actions import Beep, Conclude, RecordMessage, StoreMessage, TakeMessage
from callflow.etiquette.taking_message import BEEP, BEGIN, PAUSE, SETTLE, STORED, TakingMessage
from callflow.events import (
    DigitPressed,
    Heard,
    HungUp,
    LineHeard,
    MessageFailed,
    MessageStored,
    Outcome,
    Party,
)
from tests.pure.etiquette.stage import SECONDS, Stage

pytestmark = pytest.mark.pure

WANTED = TakeMessage("message_after_tone", "message_taken", "message_not_taken", at_most=60.0)
TONE_ENDS = round(SECONDS + BEEP + SETTLE, 6)
OVER = Conclude(None, Outcome.MESSAGE_OVER)


def begun() -> Stage:
    taking = TakingMessage(WANTED)
    stage = Stage(taking)
    stage.do(taking.begin(0.0))
    return stage


def recording() -> Stage:
    return begun().wait(TONE_ENDS)


def test_the_caller_speaks_after_the_tone_and_ends_by_key() -> None:
    stage = recording()
    stage.speak(3.0)
    stage.happen(DigitPressed("1"), DigitPressed("#"))
    assert stage.done[1:] == [
        (SECONDS, Beep(BEEP)), (TONE_ENDS, RecordMessage()), (TONE_ENDS + 3.0, StoreMessage()),
    ]  # fmt: skip
    stage.happen(MessageStored())
    stage.wait(SECONDS)
    assert stage.said[-1] == (TONE_ENDS + 3.0, "message_taken")
    assert stage.done[-1] == (TONE_ENDS + 3.0 + SECONDS, OVER)


def test_silence_after_speech_ends_it() -> None:
    stage = recording().wait(2.0)
    stage.speak(3.0)
    stage.wait(4.0)
    stage.speak(1.0)
    stage.wait(PAUSE - 0.01)
    assert stage.times(StoreMessage()) == []
    stage.wait(0.01)
    assert stage.times(StoreMessage()) == [TONE_ENDS + 2.0 + 3.0 + 4.0 + 1.0 + PAUSE]


def test_who_says_nothing_is_not_waited_for() -> None:
    assert recording().wait(BEGIN).times(StoreMessage()) == [TONE_ENDS + BEGIN]


@pytest.mark.parametrize("before", [0.0, SECONDS])
def test_who_speaks_is_heard_to_the_end_whenever_it_began(before: float) -> None:
    stage = begun().wait(before)
    stage.happen(LineHeard(Heard.SOUND, before))
    stage.wait(200.0)
    assert stage.times(StoreMessage()) == [TONE_ENDS + WANTED.at_most]


def test_a_caller_whose_message_was_not_kept_is_told_so() -> None:
    stage = recording()
    stage.happen(DigitPressed("#"), MessageFailed())
    assert stage.said[-1][1] == "message_not_taken"
    stage.wait(SECONDS)
    assert stage.done[-1][1] == OVER


def test_a_disk_that_does_not_answer_keeps_nobody_waiting_and_nothing_is_promised() -> None:
    stage = recording()
    stage.happen(DigitPressed("#"))
    stage.wait(STORED)
    assert stage.said[-1] == (TONE_ENDS + STORED, "message_not_taken")
    stage.happen(MessageStored())
    assert [prompt for _, prompt in stage.said] == ["message_after_tone", "message_not_taken"]


def test_keys_before_the_tone_end_nothing_and_tones_are_keys_only_after_it() -> None:
    stage = begun()
    stage.happen(DigitPressed("#"))
    assert not stage.machine.awaits_key
    stage.wait(TONE_ENDS)
    assert stage.machine.awaits_key
    assert stage.times(StoreMessage()) == []


def test_time_that_stood_still_is_no_part_of_the_message() -> None:
    stage = recording()
    stage.happen(LineHeard(Heard.SOUND, stage.now))
    stage.machine.postpone(100.0)
    stage.happen(LineHeard(Heard.SOUND, stage.now))
    stage.wait(200.0)
    assert stage.times(StoreMessage()) == [TONE_ENDS + 100.0 + WANTED.at_most]


def test_words_that_are_never_told_to_have_ended_keep_nobody_waiting() -> None:
    taking = TakingMessage(WANTED)
    taking.begin(0.0)
    assert taking.tick(30.0) == [Beep(BEEP)]


def test_after_the_caller_hung_up_nothing_is_said() -> None:
    stage = recording()
    assert stage.happen(HungUp(Party.CALLER), MessageStored(), DigitPressed("#")) == []
    assert stage.machine.deadline is None
