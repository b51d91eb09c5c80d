"""csr-04, csr-06, csr-07, gas-05, gas-06 after the greeting: told and released, but none who is alive."""

from collections.abc import Callable

import pytest

from callflow.actions import (
    AskOpinion,
    Conclude,
    HangUp,
    ListenClosely,
    ListenNoLonger,
    Note,
    Say,
    StopSaying,
)
from callflow.errors import IllegalEvent
from callflow.etiquette.house import House
from callflow.etiquette.line_check import Phase
from callflow.etiquette.line_script import Script
from callflow.etiquette.silent_line import HEAR_OUT, JUDGED_WITHIN, SilentLine
from callflow.events import (
    ConversationOver,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    LineJudged,
    LineState,
    OpinionGiven,
    Outcome,
    Party,
    PromptFinished,
    PromptStarted,
)
from tests.pure.etiquette.stage import SECONDS, Stage

pytestmark = pytest.mark.pure

Named = Callable[[str], House]
ALIVE = Conclude("csr-04", Outcome.ALIVE)
SPEECH, SILENT, FAINT, NOISY, TONE = (
    LineState.SPEECH, LineState.SILENT, LineState.FAINT, LineState.NOISY, LineState.TONE,
)  # fmt: skip
SOUND, SILENCE = LineHeard(Heard.SOUND, 0.0), LineHeard(Heard.SILENCE, 0.0)


def of(house: House, *, watched: bool | LineState = True, at_fault: bool = False) -> Stage:
    """A caller who is being greeted; `watched`: faint and noisy lines are spoken to as well, or one kind."""
    faint, noisy = Script.of(house.faint_line, Outcome.FAINT), Script.of(house.noisy_line, Outcome.NOISY)
    machine = SilentLine(
        Script.of_silence(house.silent_line),
        "greeting",
        faint=faint if watched in (True, FAINT) else None,
        noisy=noisy if watched in (True, NOISY) else None,
        at_fault=at_fault,
    )
    return Stage(machine)


def greeted(house: House, *, watched: bool | LineState = True, at_fault: bool = False) -> Stage:
    stage = of(house, watched=watched, at_fault=at_fault)
    stage.happen(PromptStarted("greeting"), PromptFinished("greeting"))
    return stage


def released(stage: Stage) -> list[tuple[float, str, str | None]]:
    return [(at, action.reason, action.rule) for at, action in stage.done if isinstance(action, HangUp)]


def stopped(stage: Stage) -> list[tuple[float, object]]:
    """When a check that had begun was broken off, and why."""
    facts = [(at, action) for at, action in stage.done if isinstance(action, Note)]
    return [(at, fact.details["why"]) for at, fact in facts if fact.fact == "line_check.stopped"]


# --- csr-04: silent ---


@pytest.mark.parametrize("watched", [True, False])
def test_the_whole_sequence_counts_from_the_end_of_each_prompt(house: House, watched: bool) -> None:
    stage = greeted(house, watched=watched).wait(99)
    assert stage.said == [(5.0, "greeting_again"), (12.0, "no_sound")]
    assert released(stage) == [(19.0, "silent_line", "csr-04")]
    assert stage.done[-1] == (19.0, Conclude("csr-04", Outcome.SILENT))
    assert stage.facts == [
        (5.0, "line_check.begun"),
        (19.0, "opinion.given"),
        (19.0, "line_check.ended"),
    ]


def test_a_house_may_greet_twice_more(house: House) -> None:
    manners = house.silent_line.model_copy(update={"repeat_after_greeting": 2})
    stage = greeted(house.model_copy(update={"silent_line": manners})).wait(99)
    assert stage.said == [(5.0, "greeting_again"), (12.0, "greeting_again"), (19.0, "no_sound")]
    assert released(stage) == [(26.0, "silent_line", "csr-04")]


def test_gas_05_has_three_sentences_of_its_own(house_named: Named) -> None:
    stage = greeted(house_named("gas-hotline")).wait(99)
    assert stage.said == [
        (5.0, "gas_connected"),
        (12.0, "gas_connected_please_speak"),
        (19.0, "gas_cannot_hear_redial"),
    ]
    assert released(stage) == [(26.0, "silent_line", "gas-05")]


INSTANTS = [0.0, 4.999, 5.0, 5.5, 7.5, 11.999, 13.0, 14.5, 18.999]


@pytest.mark.parametrize("life", [SOUND, DigitPressed("5"), LineJudged(SPEECH, 0.0)])
@pytest.mark.parametrize("at", INSTANTS)
def test_any_sign_of_life_at_any_point_ends_it(house: House, life: Event, at: float) -> None:
    stage = greeted(house, watched=False).wait(at)
    done = stage.happen(life)
    assert done[-1] == ALIVE
    assert stage.machine.phase is Phase.DONE
    assert stage.machine.deadline is None
    stage.wait(99)
    assert released(stage) == []
    assert stage.happen(PromptFinished("no_sound")) == []


def test_in_the_middle_of_a_prompt_the_prompt_is_cut_short(house: House) -> None:
    stage = greeted(house, watched=False).wait(6)
    told = Note("line_check.stopped", "csr-04", {"why": "sound"})
    assert stage.happen(SOUND) == [StopSaying(), told, ListenNoLonger(), ALIVE]


def test_a_sound_in_the_very_instant_of_the_end_wins_if_it_is_told_first(house: House) -> None:
    stage = greeted(house, watched=False)
    stage.opinion = None
    stage.wait(19.0)
    assert stage.done[-1] == (19.0, AskOpinion())
    assert stage.happen(SOUND)[-1] == ALIVE
    assert stage.happen(OpinionGiven(alive=False)) == []


def test_a_late_tick_does_not_lengthen_what_follows(house: House) -> None:
    machine = of(house).machine
    machine.receive(PromptFinished("greeting"), 4.0)
    assert machine.tick(8.9999) == []
    assert Say("greeting_again", "csr-04") in machine.tick(9.7)


def test_silence_told_is_no_news(house: House) -> None:
    stage = greeted(house)
    assert stage.happen(SILENCE, LineJudged(SILENT, 0.0), LineJudged(TONE, 0.0)) == []
    assert stage.machine.deadline == 5.0


def test_the_caller_hangs_up(house: House) -> None:
    stage = greeted(house).wait(6)
    assert stage.happen(HungUp(Party.CALLER)) == []
    before = len(stage.done)
    assert len(stage.wait(99).done) == before
    assert stage.happen(SOUND, PromptFinished("greeting_again"), DigitPressed("1")) == []


def test_after_the_release_nothing_is_news(house: House) -> None:
    stage = greeted(house).wait(99)
    assert stage.happen(SOUND, DigitPressed("1"), LineJudged(FAINT, 0.0), OpinionGiven(alive=True)) == []
    assert stage.machine.deadline is None


def test_a_check_that_had_not_begun_leaves_no_fact_of_its_own(house: House) -> None:
    stage = greeted(house, watched=False).wait(1)
    assert stage.happen(SOUND) == [ListenNoLonger(), ALIVE]


def test_an_illegal_event_changes_nothing(house: House) -> None:
    stage = of(house)
    with pytest.raises(IllegalEvent, match="GREETING"):
        stage.happen(ConversationOver())
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.GREETING, None)


@pytest.mark.parametrize("state", [LineState.ECHO, TONE, LineState.NO_PACKETS, SILENT])
def test_what_is_no_person_is_a_silent_line(house: House, state: LineState) -> None:
    stage = greeted(house).wait(1)
    stage.judged(state)
    assert released(stage.wait(99)) == [(19.0, "silent_line", "csr-04")]


def test_where_the_fault_is_ours_nobody_is_told_to_take_another_telephone(house: House) -> None:
    stage = greeted(house, at_fault=True).wait(99)
    assert stage.said == [(5.0, "greeting_again"), (12.0, "line_trouble")]
    assert released(stage) == [(19.0, "silent_line", "csr-04")]


# --- the second pair of ears ---


def test_it_listens_from_the_greeting_on_and_is_asked_before_the_release(house: House) -> None:
    stage = greeted(house).wait(99)
    assert stage.times(ListenClosely()) == [0.0]
    assert stage.times(AskOpinion()) == [19.0]
    order = [type(action).__name__ for _, action in stage.done[-6:]]
    assert order == ["AskOpinion", "Note", "Note", "ListenNoLonger", "HangUp", "Conclude"]


def test_whom_it_has_heard_is_not_released(house: House) -> None:
    stage = greeted(house)
    stage.opinion = OpinionGiven(alive=True)
    stage.wait(99)
    assert released(stage) == []
    assert stage.done[-1] == (19.0, ALIVE)
    assert stopped(stage) == [(19.0, "opinion")]


@pytest.mark.parametrize("opinion", [None, OpinionGiven(alive=False, by="late")])
def test_one_that_does_not_answer_has_the_last_words_said_once_more_and_no_more(
    house: House, opinion: OpinionGiven | None
) -> None:
    stage = greeted(house)
    stage.opinion = opinion
    stage.wait(99)
    wait = 0.0 if opinion else 0.5
    again = 19.0 + wait
    assert stage.said[2:] == [(again, "no_sound")]
    assert released(stage) == [(again + SECONDS + 5.0 + wait, "silent_line", "csr-04")]
    assert [fact for _, fact in stage.facts].count("opinion.late") == 2


def test_what_stands_in_for_a_late_answer_decides_the_second_time(house: House) -> None:
    stage = greeted(house)
    stage.opinion = OpinionGiven(alive=True, by="late")
    stage.wait(99)
    assert stage.said[2:] == [(19.0, "no_sound")]
    assert released(stage) == []
    assert stopped(stage) == [(26.0, "opinion")]


def test_one_that_answers_the_second_time_decides(house: House) -> None:
    stage = greeted(house)
    stage.opinion = None
    stage.wait(20)
    stage.opinion = OpinionGiven(alive=True)
    assert released(stage.wait(99)) == []
    assert stopped(stage) == [(26.5, "opinion")]


def test_an_answer_that_nobody_waits_for_is_no_news(house: House) -> None:
    stage = greeted(house).wait(1)
    assert stage.happen(OpinionGiven(alive=True), OpinionGiven(alive=False)) == []
    assert stage.machine.deadline == 5.0


# --- csr-06: too quiet ---


def faint(house: House) -> Stage:
    """A caller who says something too quiet one second after the greeting."""
    stage = greeted(house).wait(1)
    stage.happen(SOUND)
    stage.judged(FAINT)
    return stage


def test_who_is_too_quiet_is_asked_to_speak_up_listened_to_and_told(house: House) -> None:
    stage = faint(house).wait(99)
    assert stage.said == [(1.0, "speak_up"), (8.0, "too_quiet")]
    assert released(stage) == [(15.0, "faint_line", "csr-06")]
    assert stage.done[-1] == (15.0, Conclude("csr-06", Outcome.FAINT))


@pytest.mark.parametrize("life", [DigitPressed("5"), LineJudged(SPEECH, 0.0)])
@pytest.mark.parametrize("after", [0.0, 1.0, 2.5, 6.99, 7.5, 9.5, 13.99])
def test_who_can_be_made_out_is_no_more_told(house: House, life: Event, after: float) -> None:
    stage = faint(house).wait(after)
    assert stage.happen(life)[-1] == Conclude("csr-06", Outcome.ALIVE)
    assert released(stage.wait(99)) == []
    assert all(at <= 1.0 + after for at, _ in stage.said)


def test_who_goes_on_too_quiet_is_still_too_quiet(house: House) -> None:
    """Sounds alone do not tell how well they can be made out."""
    stage = faint(house).wait(4)
    stage.happen(SILENCE, SOUND)
    stage.wait(1)
    stage.happen(SILENCE)
    assert stage.wait(99).said == [(1.0, "speak_up"), (8.0, "too_quiet")]


def test_who_falls_silent_is_a_silent_line(house: House) -> None:
    stage = faint(house).wait(0.5)
    stage.happen(SILENCE)
    stage.judged(SILENT)
    stage.wait(99)
    assert stage.said == [(1.0, "speak_up"), (8.0, "greeting_again"), (15.0, "no_sound")]
    assert released(stage) == [(22.0, "silent_line", "csr-04")]


def test_who_was_too_quiet_in_the_pause_is_told_though_silent_at_its_end(house: House) -> None:
    stage = faint(house).wait(2.5)
    stage.judged(SILENT)
    stage.wait(1)
    stage.judged(FAINT)
    stage.wait(1)
    stage.judged(SILENT)
    assert stage.wait(99).said == [(1.0, "speak_up"), (8.0, "too_quiet")]


def test_a_sound_in_the_pause_that_is_too_short_to_be_judged_is_still_too_quiet(house: House) -> None:
    stage = faint(house).wait(2.5)
    stage.happen(SILENCE)
    stage.judged(SILENT)
    stage.happen(SOUND, SILENCE)
    assert stage.wait(99).said == [(1.0, "speak_up"), (8.0, "too_quiet")]


def test_a_sound_in_a_pause_after_noise_has_ceased_is_a_caller(house_named: Named) -> None:
    stage = greeted(house_named("gas-hotline"))
    stage.judged(NOISY)
    stage.wait(8)
    stage.judged(SILENT)
    stage.happen(SOUND, SILENCE)
    stage.wait(99)
    assert [prompt for _, prompt in stage.said] == ["gas_please_speak"]
    assert stopped(stage) == [(12.0, "sound")]


def test_who_is_too_quiet_again_later_goes_on_where_it_was_left(house: House) -> None:
    stage = faint(house)
    stage.judged(SILENT)
    stage.happen(SILENCE)
    stage.wait(10)
    assert stage.said[-1] == (8.0, "greeting_again")
    stage.judged(FAINT)
    stage.wait(99)
    assert stage.said[2:] == [(11.0, "too_quiet")]
    assert released(stage) == [(18.0, "faint_line", "csr-06")]


def test_after_the_last_words_silence_does_not_begin_anew(house: House) -> None:
    stage = faint(house).wait(10)
    stage.happen(SILENCE)
    stage.judged(SILENT)
    assert released(stage.wait(99)) == [(15.0, "faint_line", "csr-06")]


def test_only_what_is_said_after_the_last_words_keeps_the_call(house: House) -> None:
    stage = faint(house).wait(99)
    assert stage.times(ListenClosely()) == [0.0, 10.0]
    assert stage.times(ListenNoLonger()) == [10.0, 15.0]


@pytest.mark.parametrize("heard", [True, False])
def test_words_that_were_cut_short_are_said_again_before_the_last_ones(house: House, heard: bool) -> None:
    """csr-04: nobody is released who has heard half a sentence, were it for a caller thought too quiet."""
    stage = greeted(house).wait(5.5)
    if heard:
        stage.happen(LineHeard(Heard.SOUND, 5.4), LineHeard(Heard.SILENCE, 5.5))
    stage.happen(LineJudged(FAINT, 5.5), LineJudged(SILENT, 5.6))
    assert [prompt for _, prompt in stage.wait(99).said] == [
        "greeting_again", "speak_up", "greeting_again", "no_sound",
    ]  # fmt: skip
    assert [reason for _, reason, _ in released(stage)] == ["silent_line"]


def test_too_quiet_in_the_middle_of_a_prompt_cuts_it_short(house: House) -> None:
    stage = greeted(house).wait(6)
    assert stage.judged(FAINT)[:2] == [StopSaying(), Say("speak_up", "csr-06")]


def test_too_quiet_over_the_greeting_waits_for_its_end(house: House) -> None:
    stage = of(house)
    assert stage.happen(SOUND, LineJudged(FAINT, 0.0)) == []
    stage.wait(1)
    stage.happen(PromptFinished("greeting"))
    assert stage.said == [(1.0, "speak_up")]


def test_where_csr_06_is_not_in_force_who_is_too_quiet_is_alive(house: House) -> None:
    stage = greeted(house, watched=False).wait(1)
    assert stage.judged(FAINT)[-1] == ALIVE


# --- a sound, before it is known what it is ---


def test_a_sound_that_is_not_found_bad_is_a_caller(house: House) -> None:
    stage = greeted(house).wait(1)
    assert stage.happen(SOUND) == []
    stage.wait(0.4)
    assert stage.happen(SILENCE) == []
    stage.wait(99)
    assert stage.done[-1] == (2.6, ALIVE)
    assert stage.said == []


def test_a_sound_may_be_over_before_it_is_found_too_quiet(house: House) -> None:
    stage = greeted(house).wait(1)
    stage.happen(SOUND)
    stage.wait(0.4)
    stage.happen(SILENCE)
    stage.wait(1)
    stage.judged(FAINT)
    assert stage.said == [(2.4, "speak_up")]


def test_the_first_look_at_a_voice_may_be_too_soon(house: House) -> None:
    stage = greeted(house).wait(1)
    stage.happen(SOUND)
    stage.wait(0.3)
    assert stage.judged(SPEECH) == []
    stage.wait(1)
    stage.judged(FAINT)
    assert stage.said == [(2.3, "speak_up")]


def test_a_voice_that_stays_clear_is_a_caller_before_it_falls_silent(house: House) -> None:
    stage = greeted(house).wait(1)
    stage.happen(SOUND)
    stage.judged(SPEECH)
    stage.wait(99)
    assert stage.done[-1] == (2.2, ALIVE)


def test_sounds_that_come_and_go_are_a_caller_after_five_seconds(house: House) -> None:
    stage = greeted(house).wait(1)
    for _ in range(9):
        stage.happen(SOUND)
        stage.wait(0.4)
        stage.happen(SILENCE)
        stage.wait(0.4)
    assert stage.done[-1] == (1.0 + HEAR_OUT, ALIVE)


def test_a_sound_that_goes_on_is_a_caller(house: House) -> None:
    stage = greeted(house).wait(1)
    stage.happen(SOUND)
    stage.wait(99)
    assert stage.done[-1] == (1.0 + HEAR_OUT, ALIVE)
    assert stage.said == []


def test_a_sound_over_the_words_silences_them(house: House) -> None:
    stage = greeted(house).wait(6)
    assert stage.happen(SOUND) == [StopSaying()]
    assert stage.judged(SPEECH)[-1] == ALIVE


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_sound_over_the_greeting_is_a_caller(house: House, goes_on: bool) -> None:
    stage = of(house)
    assert stage.happen(SOUND) == []
    stage.happen(*(() if goes_on else (SILENCE,)))
    stage.happen(PromptFinished("greeting"))
    stage.wait(HEAR_OUT)
    assert stage.done[-1] == (HEAR_OUT if goes_on else JUDGED_WITHIN, ALIVE)


# --- csr-07: noise ---


def noisy(house: House) -> Stage:
    stage = greeted(house).wait(1)
    stage.judged(NOISY)
    return stage


def test_noise_is_told_of_after_the_pause_and_ended(house: House) -> None:
    stage = noisy(house).wait(99)
    assert stage.said == [(5.0, "too_noisy")]
    assert released(stage) == [(12.0, "noisy_line", "csr-07")]


@pytest.mark.parametrize("life", [DigitPressed("5"), LineJudged(SPEECH, 0.0)])
@pytest.mark.parametrize("after", [0.0, 3.99, 4.0, 5.0, 6.5, 10.99])
def test_who_is_made_out_in_the_noise_is_not_ended(house: House, life: Event, after: float) -> None:
    stage = noisy(house).wait(after)
    assert isinstance(stage.happen(life)[-1], Conclude)
    assert released(stage.wait(99)) == []


def test_the_noise_itself_is_no_caller(house: House) -> None:
    stage = noisy(house)
    stage.happen(SOUND)
    stage.wait(3)
    stage.happen(SILENCE)
    assert released(stage.wait(99)) == [(12.0, "noisy_line", "csr-07")]


def test_a_sound_that_is_found_to_be_noise_is_told_so(house: House) -> None:
    stage = greeted(house).wait(1)
    stage.happen(SOUND)
    stage.wait(2)
    stage.judged(NOISY)
    assert stage.said == [(3.0, "too_noisy")]


def test_noise_that_ceases_before_the_pause_is_over_leaves_a_silent_line(house: House) -> None:
    stage = noisy(house).wait(2)
    stage.judged(SILENT)
    assert released(stage.wait(99)) == [(19.0, "silent_line", "csr-04")]


def test_noise_from_the_greeting_on_has_its_pause_too(house: House) -> None:
    stage = of(house)
    stage.happen(SOUND, LineJudged(NOISY, 0.0))
    stage.happen(PromptFinished("greeting"))
    assert stage.wait(99).said == [(5.0, "too_noisy")]


def test_noise_while_the_opinion_is_waited_for_is_not_silence(house: House) -> None:
    stage = greeted(house)
    stage.opinion = None
    stage.wait(19.0)
    assert stage.judged(NOISY)[0] == Say("too_noisy", "csr-07")


def test_where_csr_07_is_not_in_force_somebody_may_be_in_the_noise(house: House) -> None:
    stage = greeted(house, watched=False).wait(1)
    assert stage.judged(NOISY)[-1] == ALIVE


# --- one of them in force, and not the other ---


@pytest.mark.parametrize(("watched", "state"), [(FAINT, NOISY), (NOISY, FAINT)])
def test_a_line_of_the_other_kind_is_a_caller(house: House, watched: LineState, state: LineState) -> None:
    stage = greeted(house, watched=watched).wait(1)
    assert stage.happen(SOUND) == [], "it is not known yet which kind it is"
    assert stage.judged(state)[-1] == ALIVE
    assert stage.wait(99).said == []


def test_a_quiet_caller_who_is_lost_in_noise_is_no_silent_line(house: House) -> None:
    stage = greeted(house, watched=FAINT).wait(1)
    stage.judged(FAINT)
    stage.wait(4)
    stage.judged(NOISY)
    stage.wait(99)
    assert [prompt for _, prompt in stage.said] == ["speak_up"]
    assert stopped(stage) == [(8.0, NOISY)]


def test_a_quiet_caller_who_comes_out_of_the_noise_is_one(house_named: Named) -> None:
    stage = greeted(house_named("gas-hotline"), watched=NOISY)
    stage.judged(NOISY)
    stage.wait(8)
    stage.judged(FAINT)
    stage.wait(99)
    assert [prompt for _, prompt in stage.said] == ["gas_please_speak"]
    assert stopped(stage) == [(12.0, FAINT)]


def test_how_long_a_sound_is_waited_for() -> None:
    assert (HEAR_OUT, JUDGED_WITHIN) == (5.0, 1.2)


# --- gas-06: either ---


@pytest.mark.parametrize(
    ("state", "reason", "first"), [(FAINT, "faint_line", 1.0), (NOISY, "noisy_line", 5.0)]
)
def test_gas_06_asks_twice_and_waits_three_seconds(
    house_named: Named, state: LineState, reason: str, first: float
) -> None:
    stage = greeted(house_named("gas-hotline")).wait(1)
    stage.judged(state)
    stage.wait(99)
    assert stage.said == [
        (first, "gas_please_speak"),
        (first + 7, "gas_please_speak"),
        (first + 14, "gas_cannot_make_out_redial"),
    ]
    assert released(stage) == [(first + 19, reason, "gas-06")]


def test_gas_06_is_one_sequence_whether_faint_or_noisy(house_named: Named) -> None:
    stage = greeted(house_named("gas-hotline")).wait(1)
    stage.judged(FAINT)
    stage.wait(4)
    stage.judged(NOISY)
    stage.wait(7)
    stage.judged(FAINT)
    stage.wait(99)
    assert [prompt for _, prompt in stage.said] == [
        "gas_please_speak",
        "gas_please_speak",
        "gas_cannot_make_out_redial",
    ]
    assert len(released(stage)) == 1
