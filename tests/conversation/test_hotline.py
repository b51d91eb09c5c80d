"""Whole calls of the hotline on a virtual clock, every word and its time compared whole."""

import math
from collections.abc import Iterable

import pytest

from callflow.actions import Action, Answer, HangUp, ListenNoLonger, Ring, Say, StopSaying
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.call.simulate import Act, Simulation, hangs_up, presses, speaks
from callflow.demo.scenarios import (
    DEMOS,
    ECHO,
    NOISY,
    QUIET,
    QUIET_SPEAKS_UP,
    SILENT,
    SPEAKER,
    STAYER,
    Scenario,
)
from callflow.etiquette.house import House
from callflow.events import (
    CallAnswered,
    CallArrived,
    CallConfirmed,
    DigitPressed,
    Heard,
    HungUp,
    LineHeard,
    Party,
    PromptFinished,
    PromptStarted,
)
from callflow.facts import Fact
from callflow.flow.model import Flow

pytestmark = pytest.mark.conversation

LASTS = {
    "greeting": 6.0,
    "greeting_again": 3.0,
    "no_sound": 7.0,
    "speak_up": 2.0,
    "too_quiet": 3.5,
    "too_noisy": 5.0,
    "main_menu": 8.0,
    "opening_hours": 5.0,
    "contact_details": 4.0,
    "wrong_key": 2.5,
    "anything_else": 2.0,
    "press_1_for_help": 1.5,
    "hanging_up": 1.75,
    "goodbye": 4.25,
}
"""Seconds."""

SPEECH = 1.5
"""Seconds for which a caller speaks."""

Line = tuple[float, str, str]
"""When, which fact, and of it what matters."""


def transcript(facts: Iterable[Fact]) -> list[Line]:
    return [(round(fact.at, 3), fact.fact, _word(fact)) for fact in facts]


def _word(fact: Fact) -> str:
    if fact.fact == "call.ended":
        return f"{fact.details['by']} {fact.details['reason']}".strip()
    named = (fact.details.get(name) for name in ("prompt", "heard", "digit", "outcome", "state"))
    return next((str(word) for word in named if word is not None), "")


def call(flow: Flow, house: House, *acts: Act) -> list[Line]:
    ledger = Ledger("c")
    Simulation(Call(flow, house, ledger), LASTS.__getitem__, acts).run()
    return transcript(ledger)


ANSWERED = [
    (0.0, "call.arrived", ""),
    (0.0, "call.answered", ""),
    (0.2, "prompt.started", "greeting"),
]
GREETED = [
    *ANSWERED,
    (6.2, "prompt.finished", "greeting"),
    (6.2, "rule.concluded", "greeted"),
]
SILENT_TO_THE_END = [
    *GREETED,
    (11.2, "line_check.begun", ""),
    (11.2, "prompt.started", "greeting_again"),
    (14.2, "prompt.finished", "greeting_again"),
    (19.2, "prompt.started", "no_sound"),
    (26.2, "prompt.finished", "no_sound"),
    (31.2, "opinion.given", ""),
    (31.2, "line_check.ended", ""),
    (31.2, "call.ended", "callflow silent_line"),
]

TRANSCRIPTS: dict[Scenario, list[Line]] = {
    SILENT: SILENT_TO_THE_END,
    # On the ideal line of the virtual clock a phone's echo is not heard.
    ECHO: SILENT_TO_THE_END,
    SPEAKER: [
        *SILENT_TO_THE_END[:8],
        (16.2, "line.heard", "sound"),
        (16.2, "line_check.stopped", ""),
        (16.2, "rule.concluded", "alive"),
        (17.7, "line.heard", "silence"),
        (17.7, "prompt.started", "main_menu"),
        (25.7, "prompt.finished", "main_menu"),
        (26.7, "call.ended", "caller"),
    ],
    QUIET: [
        *GREETED,
        (7.2, "line.heard", "sound"),
        (7.7, "line.judged", "faint"),
        (7.7, "line_check.begun", "faint"),
        (7.7, "prompt.started", "speak_up"),
        (9.7, "prompt.finished", "speak_up"),
        (13.2, "line.heard", "silence"),
        (14.7, "prompt.started", "too_quiet"),
        (15.2, "line.judged", "silent"),
        (18.2, "prompt.finished", "too_quiet"),
        (23.2, "opinion.given", ""),
        (23.2, "line_check.ended", "silent"),
        (23.2, "call.ended", "callflow faint_line"),
    ],
    QUIET_SPEAKS_UP: [
        *GREETED,
        (7.2, "line.heard", "sound"),
        (7.7, "line.judged", "faint"),
        (7.7, "line_check.begun", "faint"),
        (7.7, "prompt.started", "speak_up"),
        (8.7, "line.heard", "silence"),
        (9.7, "prompt.finished", "speak_up"),
        (10.7, "line.judged", "silent"),
        (10.7, "line.heard", "sound"),
        (11.2, "line.judged", "speech"),
        (11.2, "line_check.stopped", ""),
        (11.2, "rule.concluded", "alive"),
        (12.2, "line.heard", "silence"),
        (12.2, "prompt.started", "main_menu"),
        (14.2, "line.judged", "silent"),
        (20.2, "prompt.finished", "main_menu"),
        (21.2, "call.ended", "caller"),
    ],
    NOISY: [
        *ANSWERED,
        (2.0, "line.judged", "noisy"),
        (6.2, "prompt.finished", "greeting"),
        (6.2, "rule.concluded", "greeted"),
        (11.2, "line_check.begun", "noisy"),
        (11.2, "prompt.started", "too_noisy"),
        (16.2, "prompt.finished", "too_noisy"),
        (21.2, "opinion.given", ""),
        (21.2, "line_check.ended", "noisy"),
        (21.2, "call.ended", "callflow noisy_line"),
    ],
    STAYER: [
        *GREETED,
        (7.2, "digit.pressed", "1"),
        (7.2, "rule.concluded", "alive"),
        (7.2, "prompt.started", "opening_hours"),
        (12.2, "prompt.finished", "opening_hours"),
        (12.2, "prompt.started", "anything_else"),
        (14.2, "prompt.finished", "anything_else"),
        (14.2, "prompt.started", "press_1_for_help"),
        (15.7, "prompt.finished", "press_1_for_help"),
        (20.7, "prompt.started", "hanging_up"),
        (22.45, "prompt.finished", "hanging_up"),
        (27.45, "call.ended", "callflow caller_stayed"),
    ],
}


@pytest.mark.parametrize(
    "scenario", [each for demo in DEMOS.values() for each in demo], ids=lambda scenario: scenario.name
)
def test_a_demo_s_call_is_this_and_nothing_else(hotline: Flow, house: House, scenario: Scenario) -> None:
    ledger = Ledger("c")
    manners = scenario.manners(house)
    Simulation(Call(hotline, manners, ledger), LASTS.__getitem__, scenario.simulated(SPEECH)).run()
    assert transcript(ledger) == TRANSCRIPTS[scenario]
    assert list(scenario.faults(list(ledger))) == []


def test_a_caller_who_tries_keys_is_helped_twice_and_thanked(hotline: Flow, house: House) -> None:
    acts = [
        *speaks(1.0, mark="greeting", seconds=2.0),
        presses("7", 1.0, mark="main_menu"),
        presses("2", 0.5, mark="wrong_key"),
        presses("1", 1.0, mark="press_1_for_help"),
    ]
    told = call(hotline, house, *acts, *speaks(30.0, mark="contact_details", seconds=1.0))
    assert told == [
        *GREETED,
        (7.2, "line.heard", "sound"),
        (7.2, "rule.concluded", "alive"),
        (9.2, "line.heard", "silence"),
        (9.2, "prompt.started", "main_menu"),
        (17.2, "prompt.finished", "main_menu"),
        (18.2, "digit.pressed", "7"),
        (18.2, "prompt.started", "wrong_key"),
        (20.7, "prompt.finished", "wrong_key"),
        (20.7, "prompt.started", "main_menu"),
        (21.2, "digit.pressed", "2"),
        (21.2, "prompt.stopped", "main_menu"),
        (21.2, "prompt.started", "contact_details"),
        (25.2, "prompt.finished", "contact_details"),
        (25.2, "prompt.started", "anything_else"),
        (27.2, "prompt.finished", "anything_else"),
        (27.2, "prompt.started", "press_1_for_help"),
        (28.7, "prompt.finished", "press_1_for_help"),
        (29.7, "digit.pressed", "1"),
        (29.7, "rule.concluded", "help_wanted"),
        (29.7, "prompt.started", "main_menu"),
        (37.7, "prompt.finished", "main_menu"),
        (42.7, "prompt.started", "main_menu"),
        (50.7, "prompt.finished", "main_menu"),
        (55.2, "line.heard", "sound"),
        (55.7, "prompt.started", "anything_else"),
        (56.2, "line.heard", "silence"),
        (57.7, "prompt.finished", "anything_else"),
        (57.7, "prompt.started", "press_1_for_help"),
        (59.2, "prompt.finished", "press_1_for_help"),
        (64.2, "prompt.started", "hanging_up"),
        (65.95, "prompt.finished", "hanging_up"),
        (70.95, "call.ended", "callflow caller_stayed"),
    ]


GRID = [step * 0.25 for step in range(1, 4 * 32)]


@pytest.mark.parametrize("scenario", [SILENT, SPEAKER, STAYER], ids=lambda scenario: scenario.name)
def test_a_caller_who_hangs_up_at_any_instant_is_told_nothing_more(
    hotline: Flow, house: House, scenario: Scenario
) -> None:
    whole = TRANSCRIPTS[scenario]
    for at in (each for each in GRID if each < whole[-1][0]):
        acts = [act for cue in scenario.cues for act in cue.simulated(SPEECH)]
        ledger = Ledger("c")
        hotline_call = Call(hotline, house, ledger)
        Simulation(hotline_call, LASTS.__getitem__, [*acts, hangs_up(at)]).run()
        told = transcript(ledger)
        assert told == [*(line for line in whole if line[0] < at), (at, "call.ended", "caller")]
        assert hotline_call.deadline is None
        later = (
            PromptFinished("greeting"),
            DigitPressed("1"),
            LineHeard(Heard.SOUND, at),
            HungUp(Party.CALLER),
        )
        assert [hotline_call.receive(event, at) for event in later] == [[]] * 4
        assert hotline_call.tick(math.inf) == []
        assert hotline_call.part("service_stops", at) == []
        assert transcript(ledger) == told


def answered(flow: Flow, house: House) -> Call:
    """A call in the middle of its greeting."""
    standing = Call(flow, house, Ledger("c"))
    assert standing.receive(CallArrived("a", "b"), 0.0) == [Ring()]
    assert standing.tick(0.0) == [Answer()]
    for event in (CallAnswered(), CallConfirmed()):
        assert standing.receive(event, 0.0) == []
    assert standing.deadline == 0.2
    assert standing.tick(0.2) == [Say("greeting", "csr-01")]
    assert standing.receive(PromptStarted("greeting"), 0.2) == []
    return standing


def _part(call: Call, now: float) -> list[Action]:
    return call.part("service_stops", now)


def test_a_service_that_stops_says_so_and_gives_five_seconds(hotline: Flow, house: House) -> None:
    standing = answered(hotline, house)
    assert _part(standing, 3.0) == [Say("hanging_up", "csr-36")]
    assert standing.receive(PromptStarted("hanging_up"), 3.0) == []
    for event in (DigitPressed("1"), LineHeard(Heard.SOUND, 4.0)):
        # Nobody can be helped any more; nobody is cut short either.
        assert standing.receive(event, 4.0) == []
    assert standing.receive(PromptFinished("hanging_up"), 5.0) == []
    assert standing.deadline == 10.0
    assert standing.tick(9.999) == []
    assert standing.tick(10.0) == [HangUp("service_stops", "csr-36")]
    assert standing.ended
    assert transcript(standing.ledger)[-2:] == [
        (5.0, "prompt.finished", "hanging_up"),
        (10.0, "call.ended", "callflow service_stops"),
    ]


def test_the_limit_of_a_call_ends_it_in_the_same_way_in_the_middle_of_a_prompt(
    hotline: Flow, house: House
) -> None:
    """A caller who asks for the menu again and again is told at 30 min 0 s."""
    limit = hotline.limits.call
    acts = [presses("9", each * 7.0) for each in range(1, 258)]
    told = call(hotline, house, *acts)
    assert told[-5:] == [
        (1799.0, "prompt.started", "main_menu"),
        (limit, "prompt.stopped", "main_menu"),
        (limit, "prompt.started", "hanging_up"),
        (limit + 1.75, "prompt.finished", "hanging_up"),
        (limit + 6.75, "call.ended", "callflow call_limit"),
    ]


def test_what_is_being_said_is_stopped_before_the_help_that_a_key_asks_for(
    hotline: Flow, house: House
) -> None:
    standing = answered(hotline, house)
    standing.receive(PromptFinished("greeting"), 6.2)
    assert standing.deadline == 11.2
    assert standing.tick(11.2) == [Say("greeting_again", "csr-04")]
    standing.receive(PromptStarted("greeting_again"), 11.2)
    stopped = [StopSaying(), ListenNoLonger(), Say("contact_details")]
    assert standing.receive(DigitPressed("2"), 12.0) == stopped


def test_a_service_that_stops_refuses_what_still_rings(hotline: Flow, house: House) -> None:
    manners = house.answering.model_copy(update={"ring_for": 2.0})
    ringing = Call(hotline, house.model_copy(update={"answering": manners}), Ledger("c"))
    assert ringing.receive(CallArrived("1", "2"), 0.0) == [Ring()]
    assert ringing.part("service_stops", 1.0) == [HangUp("service_stops")]
    assert (ringing.ended, ringing.deadline) == (True, None)
