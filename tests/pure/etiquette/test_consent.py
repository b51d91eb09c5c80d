"""A caller's consent: asked, given, refused or unanswered; and silence is no consent."""

from typing import Any

import pytest

from callflow.actions import Note, Say, StopSaying
from callflow.errors import IllegalEvent
from callflow.etiquette.consent import Asking, Consent, Phase, Question
from callflow.etiquette.parameters import ConsentManners
from callflow.etiquette.words import LONGEST
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    ConversationOver,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    Party,
    PromptFinished,
)
from tests.pure.etiquette.stage import CODE, NO, PHONE, YES, Stage
from tests.support.machines import play

pytestmark = pytest.mark.pure

QUESTION = Question(("reason", "may_i"), "press_1", "csr-23")
YES_HEARD = AnswerAttested(yes=True, seat="8001")
IN_THE_WINDOW = 7.0
"""Reason, question and hint have been heard at 6 s."""


def asking(*, seat_hears: bool = False, sounding: bool = False, **changes: object) -> Stage:
    manners = {"by": ["key", "seat"], "yes": "1", "no": "2", "within": "8s", "asks": 2, **changes}
    machine = Asking(ConsentManners.model_validate(manners), QUESTION, seat_hears=seat_hears)
    stage = Stage(machine)
    stage.do(machine.begin(0.0, sounding=sounding))
    return stage


def answer(stage: Stage) -> Consent | None:
    assert isinstance(stage.machine, Asking)
    return stage.machine.consent


def told(stage: Stage) -> dict[str, Any]:
    """The one fact of the asking, with its name."""
    ((_, note),) = [(at, action) for at, action in stage.done if isinstance(action, Note)]
    assert note.rule == "csr-23"
    return {"fact": note.fact, **note.details}


def test_nobody_answers() -> None:
    stage = asking().wait(99.0)
    question = [(0.0, "reason"), (2.0, "may_i"), (4.0, "press_1")]
    assert stage.said == [*question, *((at + 14.0, prompt) for at, prompt in question)]
    assert stage.facts == [(28.0, "consent.unanswered")]
    assert told(stage) == {"fact": "consent.unanswered", "asked": 2, "why": "silence"}
    assert answer(stage) is Consent.UNANSWERED


@pytest.mark.parametrize(("key", "consent"), [(YES, Consent.GIVEN), (NO, Consent.REFUSED)])
@pytest.mark.parametrize("at", [4.0, 5.0, 6.0, 13.999, 18.0, 27.999])
def test_a_key_in_the_window_is_an_answer(key: Event, consent: Consent, at: float) -> None:
    stage = asking().wait(at)
    stage.happen(key)
    assert answer(stage) is consent
    assert told(stage) == {"fact": f"consent.{consent}", "asked": 1 if at < 14 else 2, "how": "key"}
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.DONE, None)
    assert stage.happen(YES, NO, YES_HEARD) == []


@pytest.mark.parametrize("at", [0.0, 1.9, 2.0, 3.999, 14.0, 17.999])
def test_a_key_before_the_question_was_heard_is_discarded(at: float) -> None:
    stage = asking().wait(at)
    assert stage.happen(YES) == []
    assert answer(stage) is None
    assert answer(stage.wait(99.0)) is Consent.UNANSWERED


def test_an_answer_in_the_hint_needs_no_more_hint() -> None:
    stage = asking().wait(5.0)
    assert stage.happen(YES)[-1] == StopSaying()
    assert StopSaying() not in asking().wait(IN_THE_WINDOW).happen(YES)


@pytest.mark.parametrize("digit", ["0", "3", "*", "#"])
def test_another_key_is_no_answer(digit: str) -> None:
    stage = asking().wait(IN_THE_WINDOW)
    assert stage.happen(DigitPressed(digit)) == []
    assert answer(stage.wait(99.0)) is Consent.UNANSWERED


def test_the_keys_are_the_houses() -> None:
    stage = asking(yes="5", no="6").wait(IN_THE_WINDOW)
    assert stage.happen(YES) == []
    stage.happen(DigitPressed("5"))
    assert answer(stage) is Consent.GIVEN


def test_speech_without_a_key_brings_the_question_once_more() -> None:
    stage = asking().wait(IN_THE_WINDOW)
    stage.speak(1.0)
    assert stage.said[3:] == [(8.0, "reason")]
    assert answer(stage) is None
    # The second time the window stays open to its end.
    stage.wait(7.0).speak(1.0)
    assert answer(stage) is None
    assert told(stage.wait(99.0)) == {"fact": "consent.unanswered", "asked": 2, "why": "speech"}


def test_silence_told_and_a_sound_that_goes_on_are_no_speech_that_ended() -> None:
    stage = asking().wait(IN_THE_WINDOW)
    stage.happen(LineHeard(Heard.SILENCE, 7.0), LineHeard(Heard.SOUND, 7.0), LineHeard(Heard.SOUND, 7.0))
    assert len(stage.said) == 3


def test_nobody_is_asked_again_in_mid_sentence() -> None:
    stage = asking().wait(13.0)
    stage.speak(4.0)
    assert stage.said[3:] == [(17.0, "reason")]


def test_though_nobody_is_heard_out_for_ever() -> None:
    stage = asking(asks=1).wait(13.0)
    stage.happen(LineHeard(Heard.SOUND, 13.0))
    stage.wait(99.0)
    assert stage.facts == [(18.0, "consent.unanswered")]


def test_each_asking_hears_the_caller_out_anew() -> None:
    stage = asking().wait(13.0)
    stage.happen(LineHeard(Heard.SOUND, 13.0))
    stage.wait(99.0)
    assert stage.said[3:] == [(18.0, "reason"), (20.0, "may_i"), (22.0, "press_1")]
    assert stage.facts == [(36.0, "consent.unanswered")]


def test_a_last_sentence_over_the_end_of_the_window_ends_with_the_sentence() -> None:
    stage = asking(asks=1).wait(13.0)
    stage.speak(4.0)
    assert stage.facts == [(17.0, "consent.unanswered")]


def test_a_sentence_begun_before_the_question_is_speech_too() -> None:
    stage = asking(sounding=True).wait(IN_THE_WINDOW)
    stage.happen(LineHeard(Heard.SILENCE, stage.now))
    assert stage.said[3:] == [(IN_THE_WINDOW, "reason")]


@pytest.mark.parametrize(("yes", "consent"), [(True, Consent.GIVEN), (False, Consent.REFUSED)])
def test_a_seat_that_hears_attests_the_spoken_answer(yes: bool, consent: Consent) -> None:
    stage = asking(seat_hears=True).wait(5.0)
    stage.speak(2.0)
    stage.wait(1.0).happen(AnswerAttested(yes, "8001"))
    assert answer(stage) is consent
    assert told(stage) == {"fact": f"consent.{consent}", "asked": 1, "how": "seat", "seat": "8001"}
    both = (Party.CALLER, Party.SEAT)
    assert {action.to for _, action in stage.done if isinstance(action, Say)} == {both}


def test_a_deaf_seat_attests_nothing() -> None:
    stage = asking().wait(IN_THE_WINDOW)
    assert stage.happen(YES_HEARD) == []
    assert answer(stage) is None


def test_a_seat_that_goes_deaf_in_between_attests_nothing_either() -> None:
    stage = asking(seat_hears=True).wait(IN_THE_WINDOW)
    stage.happen(CODE)
    assert stage.happen(PHONE, YES_HEARD) == []
    stage.wait(8.0)
    assert [action.to for _, action in stage.done if isinstance(action, Say)][-1] == (Party.CALLER,)


def test_nothing_is_attested_of_a_question_that_was_not_heard() -> None:
    stage = asking(seat_hears=True).wait(3.9)
    assert stage.happen(YES_HEARD) == []
    stage.wait(0.1).happen(YES_HEARD)
    assert answer(stage) is Consent.GIVEN


@pytest.mark.parametrize(
    ("by", "event"),
    [
        (["key", "seat"], AnswerRecognised(yes=True)),
        (["key"], YES_HEARD),
        (["seat"], YES),
        (["seat", "voice"], NO),
    ],
)
def test_only_the_ways_that_the_house_allows(by: list[str], event: Event) -> None:
    stage = asking(seat_hears=True, by=by).wait(IN_THE_WINDOW)
    assert stage.happen(event) == []
    assert answer(stage) is None


def test_a_recogniser_where_the_house_allows_it() -> None:
    stage = asking(by=["voice"]).wait(4.5)
    # There is no key to hint at.
    assert stage.said == [(0.0, "reason"), (2.0, "may_i")]
    stage.happen(AnswerRecognised(yes=False))
    assert told(stage) == {"fact": "consent.refused", "asked": 1, "how": "voice"}


def test_a_question_that_is_cut_short_is_unanswered() -> None:
    stage = asking().wait(1.0)
    assert isinstance(stage.machine, Asking)
    stage.do(stage.machine.cut_short())
    assert told(stage) == {"fact": "consent.unanswered", "asked": 1, "why": "cut_short"}
    assert stage.done[-1] == (1.0, StopSaying())
    assert answer(stage) is Consent.UNANSWERED


def test_the_caller_hangs_up() -> None:
    stage = asking().wait(1.0)
    assert stage.happen(HungUp(Party.CALLER)) == []
    assert stage.machine.phase is Phase.DONE
    assert stage.wait(99.0).facts == []
    assert answer(stage) is None


def test_a_question_whose_end_is_never_told_is_no_consent() -> None:
    machine = asking().machine
    done = play(machine, (5.0, YES), end=LONGEST)
    assert [action for _, action in done if isinstance(action, Say)] == [Say("reason", "csr-23")]
    assert machine.deadline == 2 * LONGEST


def test_a_hint_whose_end_is_never_told_does_not_stop_the_clock() -> None:
    machine = asking().machine
    heard: list[tuple[float, Event]] = [(2.0, PromptFinished("reason")), (4.0, PromptFinished("may_i"))]
    play(machine, *heard, end=4.0 + LONGEST)
    assert (machine.phase, machine.deadline) == (Phase.WAITING, 4.0 + LONGEST + 8.0)


def test_the_end_of_another_prompt_opens_no_window() -> None:
    machine = asking().machine
    play(machine, (1.0, PromptFinished("may_i")), (1.0, PromptFinished("greeting")), end=1.0)
    assert machine.phase is Phase.QUESTION


def test_an_illegal_event_changes_nothing() -> None:
    machine = asking().machine
    with pytest.raises(IllegalEvent, match="QUESTION"):
        machine.receive(ConversationOver(), 1.0)
    assert isinstance(machine, Asking)
    with pytest.raises(IllegalEvent, match="begin"):
        machine.begin(1.0, sounding=False)
    assert (machine.phase, machine.deadline) == (Phase.QUESTION, LONGEST)


def test_yes_and_no_are_different_keys() -> None:
    with pytest.raises(ValueError, match="different keys"):
        asking(no="1")


def test_only_the_question_has_slots_that_the_call_fills() -> None:
    """A recording is named by what fills its slots: a hint under such a name is never heard."""
    manners = ConsentManners.model_validate({"by": ["key"], "yes": "1", "no": "2", "within": "8s", "asks": 1})
    question = Question(("minutes",), "press_1", "crs-03", {"minutes": "5"})
    stage = Stage(Asking(manners, question, seat_hears=False))
    stage.do(stage.machine.begin(0.0, sounding=False))  # type: ignore[attr-defined]
    stage.wait(3.0)
    said = [action for _, action in stage.done if isinstance(action, Say)]
    assert [dict(say.fields) for say in said] == [{"minutes": "5"}, {}]
