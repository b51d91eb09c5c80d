"""What a seat starts about its caller's line: the checks that may end the call, and the words that do not."""

from collections.abc import Callable

import pytest

from callflow.actions import Conclude, HangUp, ListenClosely, Note, Say, SetVolume, StopSaying
from callflow.etiquette.house import House
from callflow.etiquette.line_script import Script
from callflow.etiquette.no_response import NoResponse
from callflow.etiquette.seats_check import SeatsCheck
from callflow.etiquette.seats_words import SeatsWords
from callflow.events import (
    AnswerAttested,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    LineJudged,
    LineRequested,
    LineState,
    LineWish,
    OpinionGiven,
    Outcome,
    Party,
    SeatHungUp,
    SeatLost,
    TransferRequested,
    Way,
)
from tests.pure.etiquette.stage import CODE, Stage

pytestmark = pytest.mark.pure

Named = Callable[[str], House]
BOTH = (Party.CALLER, Party.SEAT)
FAINT, NOISY, SPEECH, SILENT = LineState.FAINT, LineState.NOISY, LineState.SPEECH, LineState.SILENT
SOUND = LineHeard(Heard.SOUND, 0.0)
CLEAR = LineJudged(SPEECH, 0.0)
WISHES = {FAINT: LineWish.TOO_QUIET, NOISY: LineWish.TOO_NOISY, SILENT: LineWish.SILENT}


def wanted(wish: LineWish) -> LineRequested:
    return LineRequested(wish, Way.CODE)


def begun(house: House, kind: LineState, judged: LineState | None = None, *, sounding: bool = False) -> Stage:
    """The seat has asked for that; `judged` is what the line was found to be before."""
    script = {
        FAINT: Script.of(house.faint_line, Outcome.FAINT),
        NOISY: Script.of(house.noisy_line, Outcome.NOISY),
        SILENT: Script.of_silence(house.silent_line),
    }[kind]
    known = LineJudged(judged, 0.0) if judged else None
    check = SeatsCheck(script, WISHES[kind], known)
    stage = Stage(check)
    stage.do(check.begin(0.0, sounding=sounding))
    return stage


def released(stage: Stage) -> list[tuple[float, str | None]]:
    return [(at, action.rule) for at, action in stage.done if isinstance(action, HangUp)]


def stopped(stage: Stage) -> list[object]:
    notes = [action for _, action in stage.done if isinstance(action, Note)]
    return [note.details["why"] for note in notes if note.fact == "line_check.stopped"]


def test_both_hear_the_words_and_the_second_ears_listen(house: House) -> None:
    stage = begun(house, NOISY, NOISY)
    note, ears, say = (action for _, action in stage.done)
    assert note == Note("line_check.begun", "csr-07", {"state": NOISY, "by": "seat"})
    assert (ears, say) == (ListenClosely(), Say("too_noisy", "csr-07", BOTH))


@pytest.mark.parametrize(
    ("kind", "said", "end"),
    [
        (NOISY, [(0.0, "too_noisy")], (7.0, "csr-07")),
        (FAINT, [(0.0, "speak_up"), (7.0, "too_quiet")], (14.0, "csr-06")),
        (SILENT, [(0.0, "greeting_again"), (7.0, "no_sound")], (14.0, "csr-04")),
    ],
)
def test_it_runs_with_its_pauses_to_its_end(
    house: House, kind: LineState, said: list[tuple[float, str]], end: tuple[float, str]
) -> None:
    stage = begun(house, kind, kind).wait(99)
    assert stage.said == said
    assert released(stage) == [end]


def test_gas_06_by_a_seat(house_named: Named) -> None:
    stage = begun(house_named("gas-hotline"), NOISY, NOISY).wait(99)
    assert [at for at, _ in stage.said] == [0.0, 7.0, 14.0]
    assert released(stage) == [(19.0, "gas-06")]


@pytest.mark.parametrize("kind", [NOISY, FAINT, SILENT])
@pytest.mark.parametrize("life", [CLEAR, DigitPressed("5")])
@pytest.mark.parametrize("after", [0.0, 1.0, 2.5, 6.5])
def test_a_clear_line_ends_it(house: House, kind: LineState, life: Event, after: float) -> None:
    stage = begun(house, kind, kind).wait(after)
    concluded = stage.happen(life)[-1]
    assert isinstance(concluded, Conclude)
    assert concluded.outcome is Outcome.ALIVE
    assert released(stage.wait(99)) == []


@pytest.mark.parametrize(
    "event",
    [wanted(LineWish.STOP), wanted(LineWish.LIFT_HANDSET), CODE, TransferRequested("8002"),
     SeatHungUp(30.0, 0.0), SeatLost()],
)  # fmt: skip
@pytest.mark.parametrize("after", [1.0, 2.5])
def test_the_seat_ends_it(house: House, event: Event, after: float) -> None:
    stage = begun(house, NOISY, NOISY).wait(after)
    done = stage.happen(event)
    assert (StopSaying() in done) is (after < 2.0)
    assert done[-1] == Conclude("csr-07", Outcome.STOPPED)
    assert released(stage.wait(99)) == []
    assert stopped(stage) == ["seat"]


def test_a_sound_is_no_silence(house: House) -> None:
    stage = begun(house, SILENT, SILENT).wait(3)
    assert stage.happen(SOUND)[-1] == Conclude("csr-04", Outcome.ALIVE)


def test_who_makes_a_sound_is_not_told_that_nothing_is_heard(house: House) -> None:
    stage = begun(house, SILENT, SILENT, sounding=True)
    assert stage.said == []
    assert stopped(stage) == ["sound"]


@pytest.mark.parametrize("state", [FAINT, NOISY])
def test_a_line_that_is_found_bad_is_not_silent(house: House, state: LineState) -> None:
    stage = begun(house, SILENT).wait(1)
    stage.judged(state)
    assert stopped(stage) == [state]


@pytest.mark.parametrize(("judged", "ends"), [(SPEECH, True), (NOISY, False), (None, False)])
def test_a_sound_on_a_line_that_is_found_good_is_a_caller(
    house: House, judged: LineState | None, ends: bool
) -> None:
    stage = begun(house, NOISY, judged).wait(3)
    stage.happen(SOUND)
    assert (stopped(stage) == ["sound"]) is ends


@pytest.mark.parametrize("judged", [SPEECH, SILENT, None])
def test_who_is_not_found_too_quiet_is_not_told_so(house: House, judged: LineState | None) -> None:
    stage = begun(house, FAINT, judged).wait(99)
    assert stage.said == [(0.0, "speak_up")]
    assert stopped(stage) == ["not_found_so"]
    assert stage.done[-1] == (7.0, Conclude("csr-06", Outcome.STOPPED))


def test_a_seat_that_asks_again_has_the_next_words_at_once(house: House) -> None:
    stage = begun(house, FAINT, SPEECH).wait(1)
    assert stage.happen(wanted(LineWish.TOO_QUIET)) == [], "not in the middle of the first"
    stage.wait(2)
    stage.happen(wanted(LineWish.TOO_QUIET))
    assert stage.said == [(0.0, "speak_up"), (3.0, "too_quiet")]
    stage.wait(3)
    assert stage.happen(wanted(LineWish.TOO_QUIET)) == [], "the pause before the end is not shortened"
    assert released(stage.wait(99)) == [(10.0, "csr-06")]


def test_whom_the_second_ears_have_heard_is_not_released(house: House) -> None:
    stage = begun(house, NOISY, NOISY)
    stage.opinion = OpinionGiven(alive=True)
    assert released(stage.wait(99)) == []
    assert stopped(stage) == ["opinion"]


def test_where_the_fault_is_ours_the_seat_s_caller_is_told_no_untruth_either(house: House) -> None:
    script = Script.of_silence(house.silent_line)
    check = SeatsCheck(script, LineWish.SILENT, None, at_fault=True)
    stage = Stage(check)
    stage.do(check.begin(0.0, sounding=False))
    assert [prompt for _, prompt in stage.wait(99).said] == ["greeting_again", "line_trouble"]


def test_what_is_for_others_is_no_news(house: House) -> None:
    stage = begun(house, NOISY, NOISY).wait(3)
    assert stage.happen(AnswerAttested(True, "8001"), LineHeard(Heard.SILENCE, 0.0)) == []
    assert stage.happen(HungUp(Party.CALLER)) == []
    assert stage.machine.deadline is None


# --- log-04 ---


@pytest.fixture
def unanswered(house_named: Named) -> Stage:
    """A caller in the middle of a call who has answered nothing."""
    manners = house_named("logistics").no_response
    assert manners is not None
    check = NoResponse.of(Script.of(manners, Outcome.SILENT, "line_trouble"))
    stage = Stage(check)
    stage.do(check.begin(0.0))
    return stage


def test_who_does_not_answer_is_told_and_released(unanswered: Stage) -> None:
    unanswered.wait(99)
    assert unanswered.said == [(0.0, "log_cannot_hear")]
    assert released(unanswered) == [(7.0, "log-04")]


@pytest.mark.parametrize(
    "life",
    [SOUND, DigitPressed("1"), CLEAR, LineJudged(FAINT, 0.0), LineJudged(NOISY, 0.0)],
)
@pytest.mark.parametrize("after", [0.0, 2.0, 6.99])
def test_whoever_answers_after_all_goes_on(unanswered: Stage, life: Event, after: float) -> None:
    unanswered.wait(after)
    assert unanswered.happen(life)[-1] == Conclude("log-04", Outcome.ALIVE)
    assert released(unanswered.wait(99)) == []


def test_silence_is_no_answer(unanswered: Stage) -> None:
    unanswered.wait(3)
    assert unanswered.happen(LineHeard(Heard.SILENCE, 0.0), LineJudged(SILENT, 0.0)) == []


# --- csr-05, csr-10 ---


def test_csr_05_is_words_only(house: House) -> None:
    words = SeatsWords(house.seats_words)
    assert words.receive(wanted(LineWish.LIFT_HANDSET), 0.0) == [Say("lift_handset", "csr-05", BOTH)]
    assert words.deadline is None


def test_csr_10_goes_up_in_steps_to_the_limit_and_back_to_where_it_began(house: House) -> None:
    words = SeatsWords(house.seats_words)

    def volumes(*wishes: LineWish) -> list[int]:
        done = [action for wish in wishes for action in words.receive(wanted(wish), 0.0)]
        return [action.decibels for action in done if isinstance(action, SetVolume)]

    assert volumes(*[LineWish.LOUDER] * 6) == [3, 6, 9, 12]
    assert volumes(*[LineWish.SOFTER] * 6) == [9, 6, 3, 0]


def test_csr_10_is_noted_and_its_words_are_another_wish(house: House) -> None:
    words = SeatsWords(house.seats_words, volume=6)
    assert words.receive(wanted(LineWish.LOUDER), 0.0) == [
        SetVolume(9),
        Note("volume.changed", "csr-10", {"decibels": 9}),
    ]
    apology = Say("sorry_how_can_i_help", "csr-10", BOTH)
    assert words.receive(wanted(LineWish.APOLOGISE), 0.0) == [apology]


@pytest.mark.parametrize("over", [HungUp(Party.CALLER), SeatHungUp(9.0, 0.0), SeatLost()])
def test_without_the_seat_there_are_no_words_of_the_seat(house: House, over: Event) -> None:
    words = SeatsWords(house.seats_words)
    assert words.receive(over, 0.0) == []
    assert words.receive(wanted(LineWish.LIFT_HANDSET), 0.0) == []


def test_what_is_switched_off_is_not_done(house: House) -> None:
    words = SeatsWords(house.seats_words, lift=False, louder=False)
    for wish in LineWish:
        assert words.receive(wanted(wish), 0.0) == []
