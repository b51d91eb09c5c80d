"""A caller's way through the hotline's flow, event by event."""

from collections.abc import Sequence

import pytest

from callflow.actions import Action, CheckLine, Close, Greet, Note, Say
from callflow.events import (
    CallArrived,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    LineJudged,
    LineState,
    Outcome,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    RuleConcluded,
)
from callflow.flow.load import load
from callflow.flow.model import Flow
from callflow.flow.run import LONGEST, MARGIN, FlowRun

pytestmark = pytest.mark.pure

Done = tuple[float, Action]
SAYS = """\
callflow: 1
name: says
title: 商店
house: csr-standard
start: greet
steps:
  greet: {do: greet, next: hours}
  hours: {do: say, say: opening_hours, next: contact}
  contact: {do: say, say: contact_details, next: close}
  close: {do: close, more: hours}
"""

ARRIVED = CallArrived("", "")
GREETED = RuleConcluded(Outcome.GREETED)
ALIVE = RuleConcluded(Outcome.ALIVE)
SOUND = LineHeard(Heard.SOUND, 0.0)
SILENCE = LineHeard(Heard.SILENCE, 0.0)

UNCHECKED = RuleConcluded(Outcome.UNCHECKED)
AT_THE_MENU: tuple[tuple[float, Event], ...] = ((0.0, ARRIVED), (5.0, GREETED), (6.0, ALIVE))


def press(key: str) -> Event:
    return DigitPressed(key)


def done(prompt: str) -> Event:
    return PromptFinished(prompt)


def follow(flow: Flow, *happenings: tuple[float, Event], end: float = 1000.0) -> list[Done]:
    """Everything the flow does, with its time: as the events come, and as its deadlines do."""
    run, told = FlowRun(flow), list[Done]()
    until: Sequence[tuple[float, Event | None]] = [*happenings, (end, None)]
    for at, event in until:
        while run.deadline is not None and run.deadline <= at:
            due = run.deadline
            assert run.tick(due - 0.001) == []
            told += [(due, action) for action in run.tick(due)]
        if event:
            told += [(at, action) for action in run.receive(event, at)]
    return told


MENU = [(0.0, Greet()), (6.0, Say("main_menu"))]


def test_a_key_leads_where_the_menu_says_and_then_to_the_closing(hotline: Flow) -> None:
    steps = follow(
        hotline, *AT_THE_MENU, (9.0, done("main_menu")), (10.0, press("1")), (15.0, done("opening_hours"))
    )
    assert steps == [*MENU, (10.0, Say("opening_hours")), (15.0, Close())]


def test_a_key_breaks_into_the_menu_and_the_menu_s_end_means_nothing_any_more(hotline: Flow) -> None:
    steps = follow(hotline, *AT_THE_MENU, (7.0, press("2")), (7.0, PromptStopped("main_menu")), (9.0, SOUND))
    assert steps == [*MENU, (7.0, Say("contact_details"))]


def test_a_wrong_key_brings_the_menu_once_more_and_then_the_closing(hotline: Flow) -> None:
    steps = follow(
        hotline,
        *AT_THE_MENU,
        (9.0, done("main_menu")),
        (10.0, press("7")),
        (12.0, done("wrong_key")),
        (15.0, done("main_menu")),
        (16.0, press("*")),
    )
    assert steps == [
        *MENU, (10.0, Say("wrong_key")), (12.0, Say("main_menu")), (16.0, Close()),
    ]  # fmt: skip


def test_no_key_brings_the_menu_once_more_and_then_the_closing(hotline: Flow) -> None:
    steps = follow(
        hotline, *AT_THE_MENU, (9.0, done("main_menu")), (17.0, done("main_menu")), (22.0, UNCHECKED)
    )
    assert steps == [*MENU, (14.0, Say("main_menu")), (22.0, CheckLine()), (22.0, Close())]


@pytest.mark.parametrize(
    "sign", [SOUND, SILENCE, LineJudged(LineState.FAINT, 0.0), LineJudged(LineState.NOISY, 0.0)]
)
def test_whoever_was_heard_at_the_menu_is_not_asked_for(hotline: Flow, sign: Event) -> None:
    heard = (20.0, sign)
    steps = follow(hotline, *AT_THE_MENU, (9.0, done("main_menu")), (17.0, done("main_menu")), heard)
    silent = sign == SILENCE
    assert steps[-1] == (22.0, CheckLine() if silent else Close())


UNANSWERED = (*AT_THE_MENU, (9.0, done("main_menu")), (17.0, done("main_menu")))


def test_whoever_is_there_after_all_has_the_menu_once_more(hotline: Flow) -> None:
    steps = follow(
        hotline, *UNANSWERED, (25.0, SOUND), (25.0, ALIVE), (26.0, SILENCE), (35.0, done("main_menu"))
    )
    assert steps[3:] == [(22.0, CheckLine()), (26.0, Say("main_menu")), (40.0, Close())]


def test_a_key_while_the_line_is_checked_is_the_menu_s(hotline: Flow) -> None:
    steps = follow(hotline, *UNANSWERED, (25.0, press("1")), (25.0, ALIVE), (30.0, done("opening_hours")))
    assert steps[3:] == [(22.0, CheckLine()), (25.0, Say("opening_hours")), (30.0, Close())]


def test_a_wrong_key_while_the_line_is_checked_is_one(hotline: Flow) -> None:
    steps = follow(hotline, *UNANSWERED, (25.0, press("7")), (25.0, ALIVE))
    assert steps[3:] == [(22.0, CheckLine()), (25.0, Close())]


def test_a_right_key_during_the_words_about_a_wrong_one_counts(hotline: Flow) -> None:
    steps = follow(hotline, *AT_THE_MENU, (7.0, press("7")), (8.0, press("1")))
    assert steps == [*MENU, (7.0, Say("wrong_key")), (8.0, Say("opening_hours"))]


def test_hearing_the_menu_again_by_its_key_forgets_the_wrong_keys(hotline: Flow) -> None:
    again = ((12.0, done("wrong_key")), (13.0, press("9")), (14.0, press("7")), (15.0, done("wrong_key")))
    steps = follow(hotline, *AT_THE_MENU, (10.0, press("7")), *again)
    assert [action for _, action in steps[2:]] == [
        Say("wrong_key"), Say("main_menu"), Say("main_menu"), Say("wrong_key"), Say("main_menu"),
    ]  # fmt: skip


def test_a_key_pressed_ahead_in_the_greeting_spares_the_menu(hotline: Flow) -> None:
    assert follow(hotline, (0.0, ARRIVED), (1.0, press("1")), (1.0, GREETED), (1.0, ALIVE)) == [
        (0.0, Greet()), (1.0, Say("opening_hours")),
    ]  # fmt: skip


def test_a_key_pressed_ahead_that_the_menu_has_not_brings_the_menu(hotline: Flow) -> None:
    steps = follow(hotline, (0.0, ARRIVED), (1.0, press("7")), (1.0, GREETED), (2.0, press("1")))
    assert steps == [(0.0, Greet()), (1.0, Say("main_menu")), (2.0, Say("opening_hours"))]


def test_a_caller_who_speaks_is_heard_out_before_the_menu(hotline: Flow) -> None:
    steps = follow(hotline, (0.0, ARRIVED), (5.0, GREETED), (6.0, SOUND), (6.0, ALIVE), (8.5, SILENCE))
    assert steps == [(0.0, Greet()), (8.5, Say("main_menu"))]


def test_a_caller_who_does_not_stop_speaking_gets_the_menu_after_five_seconds(hotline: Flow) -> None:
    steps = follow(hotline, (0.0, ARRIVED), (5.0, GREETED), (6.0, SOUND), (6.0, ALIVE), (20.0, SILENCE))
    assert steps == [(0.0, Greet()), (11.0, Say("main_menu"))]


def test_a_caller_who_speaks_over_the_greeting_hears_it_to_its_end(hotline: Flow) -> None:
    assert follow(hotline, (0.0, ARRIVED), (1.0, SOUND), (1.0, ALIVE), (2.0, SILENCE), (5.0, GREETED)) == [
        (0.0, Greet()), (5.0, Say("main_menu")),
    ]  # fmt: skip


def test_who_was_greeted_and_not_heard_waits_for_the_house(hotline: Flow) -> None:
    assert follow(hotline, (0.0, ARRIVED), (5.0, GREETED), (6.0, SILENCE)) == [(0.0, Greet())]


def test_who_wants_more_comes_back_to_the_menu_and_who_is_released_does_not(hotline: Flow) -> None:
    to_close = (*AT_THE_MENU, (7.0, press("2")), (9.0, done("contact_details")))
    more = follow(hotline, *to_close, (12.0, RuleConcluded(Outcome.HELP_WANTED)))
    assert more[-2:] == [(9.0, Close()), (12.0, Say("main_menu"))]
    assert follow(hotline, *to_close, (12.0, RuleConcluded(Outcome.RELEASED)))[-1] == (9.0, Close())


@pytest.mark.parametrize("steps", range(1, 6))
def test_after_the_caller_hung_up_nothing_is_waited_for_and_nothing_done(hotline: Flow, steps: int) -> None:
    way = (*AT_THE_MENU, (9.0, done("main_menu")), (10.0, press("7")))[:steps]
    run = FlowRun(hotline)
    for at, event in way:
        run.receive(event, at)
    assert run.receive(HungUp(Party.CALLER), 11.0) == []
    assert run.step is None
    assert run.deadline is None
    assert [run.receive(event, 12.0) for event in (press("1"), done("wrong_key"), SOUND, ALIVE)] == [[]] * 4
    assert run.tick(99.0) == []


def test_a_say_step_has_a_latest_end_by_its_prompt_s_length() -> None:
    flow, _ = load(SAYS, "says.yaml")
    run = FlowRun(flow, {"opening_hours": 12.0})
    assert run.receive(ARRIVED, 0.0) == [Greet()]
    run.receive(GREETED, 1.0)
    assert run.receive(ALIVE, 2.0) == [Say("opening_hours")]
    assert run.deadline == 2.0 + 12.0 + MARGIN
    # From its beginning, where that is told; and later by as long as time stood still.
    assert run.receive(PromptStarted("opening_hours"), 3.0) == []
    assert run.deadline == 3.0 + 12.0 + MARGIN
    run.postpone(100.0)
    assert run.tick(119.0) == []
    overdue = Note("prompt.overdue", None, {"prompt": "opening_hours"})
    assert run.tick(120.0) == [overdue, Say("contact_details")]
    # Of a prompt whose length nobody knows it is assumed.
    assert run.deadline == 120.0 + LONGEST + MARGIN
    assert run.receive(PromptFinished("contact_details"), 130.0) == [Close()]
    assert run.deadline is None
