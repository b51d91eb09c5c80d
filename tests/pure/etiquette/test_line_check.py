"""csr-04: a silent line is greeted again, told, and released; a living one never."""

import pytest

from callflow.actions import Conclude, HangUp, Say, StopSaying
from callflow.errors import IllegalEvent
from callflow.etiquette.line_check import Phase, SilentLine
from callflow.etiquette.parameters import SilentLineManners
from callflow.events import (
    ConversationOver,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    Outcome,
    Party,
    PromptFinished,
    PromptStarted,
)
from tests.support.machines import play

pytestmark = pytest.mark.pure

ALIVE = Conclude("csr-04", Outcome.ALIVE)
AGAIN, NO_SOUND = Say("greeting_again", rule="csr-04"), Say("no_sound", rule="csr-04")


def silent_line(repeats: int = 1) -> SilentLine:
    manners = SilentLineManners.model_validate(
        {
            "greeting_again": "greeting_again",
            "no_sound": "no_sound",
            "pause": "5s",
            "repeat_after_greeting": repeats,
        }
    )
    return SilentLine(manners, "greeting")


SAID: list[tuple[float, Event]] = [
    (4.0, PromptFinished("greeting")),
    (12.0, PromptFinished("greeting_again")),
    (25.0, PromptFinished("no_sound")),
]


def test_the_whole_sequence_counts_from_the_end_of_each_prompt() -> None:
    assert play(silent_line(), *SAID, end=99.0) == [
        (9.0, AGAIN),
        (17.0, NO_SOUND),
        (30.0, HangUp("silent_line", rule="csr-04")),
        (30.0, Conclude("csr-04", Outcome.SILENT)),
    ]


def test_a_house_may_greet_twice_more() -> None:
    machine = silent_line(repeats=2)
    said = [*SAID[:2], (20.0, PromptFinished("greeting_again")), (30.0, PromptFinished("no_sound"))]
    done = play(machine, *said, end=99.0)
    assert [(at, action) for at, action in done if isinstance(action, Say)] == [
        (9.0, AGAIN),
        (17.0, AGAIN),
        (25.0, NO_SOUND),
    ]
    assert done[-2] == (35.0, HangUp("silent_line", rule="csr-04"))


@pytest.mark.parametrize("life", [LineHeard(Heard.SOUND, 0.0), DigitPressed("5")])
@pytest.mark.parametrize("at", [1.0, 4.0, 8.999, 9.5, 12.5, 16.999, 18.0, 25.5, 29.999])
def test_any_sign_of_life_at_any_point_ends_it(life: Event, at: float) -> None:
    machine = silent_line()
    happenings = sorted([*SAID, (at, life)], key=lambda entry: entry[0])
    done = play(machine, *[h for h in happenings if h[0] <= at], end=at)
    assert done[-1] == (at, ALIVE)
    assert machine.phase is Phase.DONE
    assert machine.deadline is None
    assert not any(isinstance(action, HangUp) for _, action in done)
    assert play(machine, (at + 1, PromptFinished("no_sound")), end=99.0) == []


def test_in_the_middle_of_a_prompt_the_prompt_is_cut_short() -> None:
    machine = silent_line()
    done = play(machine, SAID[0], (10.0, LineHeard(Heard.SOUND, 10.0)), end=99.0)
    assert done == [(9.0, AGAIN), (10.0, StopSaying()), (10.0, ALIVE)]


def test_a_sound_in_the_very_instant_of_the_hang_up_wins_if_it_is_told_first() -> None:
    machine = silent_line()
    done = play(machine, *SAID, end=29.0)
    assert machine.receive(LineHeard(Heard.SOUND, 30.0), 30.0) == [ALIVE]
    assert machine.tick(30.0) == []
    assert not any(isinstance(action, HangUp) for _, action in done)


def test_a_late_tick_does_not_lengthen_what_follows() -> None:
    machine = silent_line()
    machine.receive(SAID[0][1], 4.0)
    assert machine.tick(8.9999) == []
    assert machine.tick(9.7) == [AGAIN]


def test_silence_told_is_no_news() -> None:
    machine = silent_line()
    machine.receive(SAID[0][1], 4.0)
    assert machine.receive(LineHeard(Heard.SILENCE, 4.0), 5.0) == []
    assert machine.deadline == 9.0


def test_the_caller_hangs_up() -> None:
    machine = silent_line()
    assert play(machine, SAID[0], (6.0, HungUp(Party.CALLER)), end=99.0) == []


def test_an_illegal_event_changes_nothing() -> None:
    machine = silent_line()
    machine.receive(PromptStarted("greeting"), 0.0)
    with pytest.raises(IllegalEvent, match="GREETING"):
        machine.receive(ConversationOver(), 1.0)
    assert (machine.phase, machine.deadline) == (Phase.GREETING, None)
