"""csr-35 and csr-36: asked for anything else, told, given 5 s, released; the caller hangs up first."""

import pytest

from callflow.actions import Action, Conclude, HangUp, Say, StopSaying
from callflow.errors import IllegalEvent
from callflow.etiquette.closing import Closing, Phase
from callflow.etiquette.house import House
from callflow.etiquette.parting import Parting
from callflow.etiquette.plain_closing import closing_of
from callflow.events import (
    CallArrived,
    ConversationOver,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    Outcome,
    Party,
    PromptFinished,
)
from tests.support.machines import Done, play, sound

pytestmark = pytest.mark.pure

ASK, HINT = Say("anything_else", rule="csr-35"), Say("press_1_for_help", rule="csr-35")
GOODBYE, TELL = Say("goodbye", rule="csr-35"), Say("hanging_up", rule="csr-36")
HELP = Conclude("csr-35", Outcome.HELP_WANTED)
RELEASED = Conclude("csr-35", Outcome.RELEASED)
ASKED: list[tuple[float, Event]] = [
    (0.0, ConversationOver()),
    (2.0, PromptFinished("anything_else")),
    (4.0, PromptFinished("press_1_for_help")),
]
TOLD = (11.0, PromptFinished("hanging_up"))


def closing(house: House) -> Closing:
    return Closing(house.closing, ask=house.enforces("csr-35"), release=house.enforces("csr-36"))


def without_rules(done: list[Done]) -> list[tuple[float, Action]]:
    return [(at, action) for at, action in done if not isinstance(action, Conclude)]


def test_silence_is_asked_told_and_released(house: House) -> None:
    assert play(closing(house), *ASKED, TOLD, end=99.0) == [
        (0.0, ASK),
        (2.0, HINT),
        (9.0, TELL),
        (16.0, HangUp("caller_stayed", rule="csr-36")),
        (16.0, RELEASED),
    ]


def test_a_short_sound_is_taken_for_no_thanks(house: House) -> None:
    done = play(closing(house), *ASKED, *sound(5.0, 1.4), (9.0, PromptFinished("goodbye")), end=99.0)
    assert without_rules(done)[2:] == [
        (6.8, GOODBYE),
        (14.0, HangUp("said_goodbye", rule="csr-35")),
    ]


def test_longer_speech_brings_the_hint_once_more_and_then_help(house: House) -> None:
    spoken = [*sound(5.0, 1.6), (9.0, PromptFinished("press_1_for_help")), *sound(10.0, 3.0)]
    assert play(closing(house), *ASKED, *spoken, end=99.0)[2:] == [
        (7.0, HINT),
        (13.4, HELP),
    ]


@pytest.mark.parametrize("at", [1.0, 3.0, 5.0, 8.999, 10.0, 15.999])
def test_the_help_key_helps_until_the_very_end(house: House, at: float) -> None:
    happenings = sorted([*ASKED, TOLD, (at, DigitPressed("1"))], key=lambda entry: entry[0])
    done = play(closing(house), *[h for h in happenings if h[0] <= at], end=99.0)
    assert done[-2:] == [(at, StopSaying()), (at, HELP)]
    assert not any(isinstance(action, HangUp) for _, action in done)


def test_nobody_is_cut_off_in_mid_sentence(house: House) -> None:
    begins = (15.9, LineHeard(Heard.SOUND, 15.9))
    machine = closing(house)
    done = play(machine, *ASKED, TOLD, begins, end=25.8)
    assert done[-1] == (9.0, TELL)
    # Whoever speaks on and on is told once more which key brings help.
    assert play(machine, end=26.0) == [(25.9, HINT)]


def test_an_answer_to_the_farewell_begins_the_pause_anew(house: House) -> None:
    done = play(closing(house), *ASKED, TOLD, *sound(15.0, 0.8), end=99.0)
    assert without_rules(done)[-1] == (21.2, HangUp("caller_stayed", rule="csr-36"))


def test_another_key_brings_the_hint(house: House) -> None:
    done = play(closing(house), *ASKED, (6.0, DigitPressed("7")), end=10.0)
    assert done[-1] == (6.0, HINT)


def test_speech_over_the_end_of_a_prompt_is_heard_out(house: House) -> None:
    begins, ends = sound(3.5, 2.0)
    happenings = sorted([*ASKED, begins, ends], key=lambda entry: entry[0])
    assert play(closing(house), *happenings, end=7.0)[-1] == (5.9, HINT)


def test_the_caller_hangs_up_first(house: House) -> None:
    machine = closing(house)
    assert play(machine, *ASKED, (6.0, HungUp(Party.CALLER)), end=99.0)[2:] == []
    assert machine.phase is Phase.DONE


def test_without_csr_36_only_the_caller_ends_the_call(house: House) -> None:
    machine = closing(house.without("csr-36"))
    done = play(machine, *ASKED, *sound(50.0, 1.0), (55.0, PromptFinished("goodbye")), end=9999.0)
    assert not any(isinstance(action, HangUp) for _, action in done)


def test_without_csr_36_the_caller_is_asked_again_and_not_left_in_silence(house: House) -> None:
    question = "anything_else", "press_1_for_help"
    ends = [
        (at, PromptFinished(prompt)) for at, prompt in zip((2.0, 3.0, 30.0, 31.0), question * 2, strict=True)
    ]
    done = play(closing(house.without("csr-36")), (0.0, ConversationOver()), *ends, end=57.0)
    # The question, 5 s for the answer, 20 s.
    times = [at for at, action in done if isinstance(action, Say) and action.prompt == "anything_else"]
    assert times == [0.0, 28.0, 56.0]


def test_without_both_the_call_ends_after_silence_and_nobody_is_cut_off(house: House) -> None:
    plain = closing_of(house.without("csr-35", "csr-36"))
    assert play(plain, (0.0, ConversationOver()), end=99.0) == [(20.0, HangUp("flow_over"))]
    speaks = closing_of(house.without("csr-35", "csr-36"))
    done = play(speaks, (0.0, ConversationOver()), *sound(19.0, 40.0), end=99.0)
    assert done == [(79.0, HangUp("flow_over"))]
    leaves = closing_of(house.without("csr-35", "csr-36"))
    assert play(leaves, (0.0, ConversationOver()), (3.0, HungUp(Party.CALLER)), end=99.0) == []
    for rule in ("csr-35", "csr-36"):
        assert isinstance(closing_of(house.without(rule)), Closing)


def test_without_csr_35_nothing_is_asked(house: House) -> None:
    done = play(closing(house.without("csr-35")), (0.0, ConversationOver()), end=6.0)
    assert done == [(5.0, TELL)]


def test_an_illegal_event_changes_nothing(house: House) -> None:
    machine = closing(house)
    with pytest.raises(IllegalEvent, match="OPEN"):
        machine.receive(CallArrived("1", "2"), 0.0)
    assert (machine.phase, machine.deadline) == (Phase.OPEN, None)


def test_the_last_words_of_a_call_that_cannot_go_on(house: House) -> None:
    machine = Parting(house.closing, "call_limit")
    heard = (1.5, LineHeard(Heard.SOUND, 1.5))
    happenings = [(0.0, ConversationOver()), heard, (2.0, PromptFinished("hanging_up"))]
    assert play(machine, *happenings, end=99.0) == [
        (0.0, TELL),
        (7.0, HangUp("call_limit", rule="csr-36")),
    ]
