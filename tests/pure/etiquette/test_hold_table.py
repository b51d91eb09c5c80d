"""Every event in every state of a hold has an outcome that somebody decided: the whole product, as tables."""

from collections.abc import Callable
from copy import deepcopy
from enum import Enum
from typing import Any

import pytest

from callflow.errors import IllegalEvent
from callflow.etiquette import consent, hold, recall, seat_closing, waiting
from callflow.etiquette.hold import Hold
from callflow.etiquette.house import House
from callflow.etiquette.machine import Machine
from callflow.etiquette.seat_closing import SeatClosing
from callflow.etiquette.words import Words
from callflow.events import (
    AnswerAttested,
    AnswerRecognised,
    CallAnswered,
    ConversationOver,
    DigitPressed,
    Event,
    Heard,
    HoldRequested,
    HungUp,
    LineHeard,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    RecallAnswered,
    RecallFailed,
    RecallRinging,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRefused,
    TransferRequested,
    Way,
)
from tests.pure.etiquette.stage import CODE, NO, PHONE, YES, Stage

pytestmark = pytest.mark.pure

DONE = SeatHungUp(talked=60.0, unheard=0.0)
LOST = SeatHungUp(talked=60.0, unheard=3.0)
EVENTS: dict[str, Event] = {
    "CallAnswered": CallAnswered(),
    "PromptStarted": PromptStarted("may_i_hold"),
    "PromptStopped": PromptStopped("may_i_hold"),
    "PromptFinished": PromptFinished("another"),
    "LineHeard": LineHeard(Heard.SOUND, 0.0),
    "DigitPressed 1": YES,
    "DigitPressed 2": NO,
    "DigitPressed 3": DigitPressed("3"),
    "AnswerAttested": AnswerAttested(yes=True, seat="8001"),
    "AnswerRecognised": AnswerRecognised(yes=True),
    "HoldRequested phone": PHONE,
    "HoldRequested code": CODE,
    "SeatResumed phone": SeatResumed(Way.PHONE),
    "SeatResumed code": SeatResumed(Way.CODE),
    "SeatHungUp": DONE,
    "SeatLost": SeatLost(),
    "RecallRinging": RecallRinging(),
    "RecallAnswered": RecallAnswered(),
    "RecallFailed": RecallFailed(486),
    "TransferRequested": TransferRequested(),
    "TransferRefused deaf": TransferRefused(unhearing=True),
    "TransferRefused": TransferRefused(unhearing=False),
    "HungUp": HungUp(Party.CALLER),
}


def held(stage: Stage, request: HoldRequested) -> Stage:
    stage.happen(request)
    stage.wait(5.0).happen(YES)
    return stage.wait(2.5)


def refused(stage: Stage) -> Stage:
    stage.happen(PHONE)
    stage.wait(5.0).happen(NO)
    return stage


State = Callable[[Stage], object]
HOLD: dict[str, State] = {
    "joined": lambda stage: None,
    "question": lambda stage: stage.happen(PHONE),
    "question, seat hears": lambda stage: stage.happen(CODE),
    "hint": lambda stage: (stage.happen(PHONE), stage.wait(3.0)),
    "waiting for an answer": lambda stage: (stage.happen(PHONE), stage.wait(5.0)),
    "the same, seat hears": lambda stage: (stage.happen(CODE), stage.wait(5.0)),
    "thanking": lambda stage: (stage.happen(PHONE), stage.wait(5.0), stage.happen(YES)),
    "held": lambda stage: held(stage, PHONE),
    "held, seat hears": lambda stage: held(stage, CODE),
    "held, rung anew": lambda stage: (held(stage, PHONE), stage.wait(181.0)),
    "called back": refused,
    "not reached": lambda stage: (refused(stage), stage.wait(21.0)),
    "returning": lambda stage: (held(stage, PHONE), stage.happen(SeatResumed(Way.PHONE))),
    "leaving": lambda stage: (held(stage, PHONE), stage.happen(SeatLost())),
    "done": lambda stage: stage.happen(HungUp(Party.CALLER)),
}
CLOSING: dict[str, State] = {
    "joined": lambda stage: None,
    "pausing": lambda stage: stage.happen(DONE),
    "closing": lambda stage: (stage.happen(DONE), stage.wait(1.0)),
    "called back": lambda stage: stage.happen(LOST),
    "returning": lambda stage: (stage.happen(LOST), stage.happen(RecallAnswered())),
    "done": lambda stage: stage.happen(HungUp(Party.CALLER)),
}

# x: something is done; n: only remembered; .: ignored on purpose; !: another machine's, and refused here.
# The columns are the states above, in their order.
HOLD_TABLE = """
CallAnswered           ! ! ! ! ! ! ! ! ! ! ! ! ! ! .
PromptStarted          . . . . . . . . . . . . . . .
PromptStopped          . . . . . . . . . . . . . . .
PromptFinished         . . . . . . . . . . . . . . .
LineHeard              n n n n n n n n n n n n n n .
DigitPressed 1         . . . x x x . . . . . . . . .
DigitPressed 2         . . . x x x . . . . . . . . .
DigitPressed 3         . . . . . . . . . . x x . . .
AnswerAttested         . . . . . x . . . . . . . . .
AnswerRecognised       . . . . . . . . . . . . . . .
HoldRequested phone    x . x . . x . . x . . . x . .
HoldRequested code     x . . . . . . . . . . . x . .
SeatResumed phone      . x x x x x x x x x x x . . .
SeatResumed code       . x x x x x x x x x x x . . .
SeatHungUp             x x x x x x x x x x n x x . .
SeatLost               x x x x x x x x x x n x x . .
RecallRinging          . . . . . . . . . . . . . . .
RecallAnswered         x x x x x x x x x x x x x x x
RecallFailed           . . . . . . . . . x x . . . .
TransferRequested      x x x x x x x x x x x x x x .
TransferRefused deaf   x ! ! ! ! ! ! ! ! ! ! ! ! ! .
TransferRefused        . ! ! ! ! ! ! ! ! ! ! ! ! ! .
HungUp                 n x x x x x x x x x x x x n .
"""
CLOSING_TABLE = """
CallAnswered           ! ! ! ! ! .
PromptStarted          . . . . . .
PromptStopped          . . . . . .
PromptFinished         . . . . . .
LineHeard              n n n . . .
DigitPressed 1         . . x . . .
DigitPressed 2         . . . . . .
DigitPressed 3         . . . . . .
AnswerAttested         . . . . . .
AnswerRecognised       . . . . . .
HoldRequested phone    . . . . x .
HoldRequested code     . . . . x .
SeatResumed phone      . . . . . .
SeatResumed code       . . . . . .
SeatHungUp             x . . . x .
SeatLost               x . . . x .
RecallRinging          . . . . . .
RecallAnswered         x x x x x x
RecallFailed           . . . x . .
TransferRequested      . . . . x .
TransferRefused deaf   ! ! ! ! ! .
TransferRefused        ! ! ! ! ! .
HungUp                 n n n x x .
"""


def snapshot(value: object) -> object:
    """All that a machine knows, its parts included, as something that can be compared."""
    if isinstance(value, (Machine, Words)):
        return type(value), {name: snapshot(part) for name, part in vars(value).items()}
    return repr(value)


def outcome(machine: Machine[Any], event: Event, now: float) -> str:
    before = snapshot(machine)
    try:
        done = machine.receive(event, now)
    except IllegalEvent:
        assert snapshot(machine) == before, f"{event} was refused and changed something"
        return "!"
    return "x" if done else "n" if snapshot(machine) != before else "."


def table(make: Callable[[], Machine[Any]], states: dict[str, State]) -> str:
    """What really happens, in the form of the tables above."""
    stages = [Stage(make()) for _ in states]
    for reach, stage in zip(states.values(), stages, strict=True):
        reach(stage)
    rows = []
    for name, event in EVENTS.items():
        outcomes = [outcome(deepcopy(stage.machine), event, stage.now) for stage in stages]
        rows.append(f"{name:22} {' '.join(outcomes)}")
    return "\n" + "\n".join(rows) + "\n"


def test_every_event_in_every_state_of_a_hold_is_decided(house: House) -> None:
    assert table(lambda: Hold(house.hold, house.recall), HOLD) == HOLD_TABLE


def test_every_event_in_every_state_of_a_seat_that_hangs_up_first_is_decided(house: House) -> None:
    assert table(lambda: SeatClosing(house), CLOSING) == CLOSING_TABLE


def test_what_a_machine_knows_has_a_row() -> None:
    # Any other event is like CallAnswered: another machine's, and refused.
    rooms = (hold, seat_closing, waiting, recall, consent)
    known = {kind for room in rooms for kind in vars(room).values() if isinstance(kind, type)}
    known = {kind for kind in known if issubclass(kind, Event)} - {Event, ConversationOver}
    assert {type(event) for event in EVENTS.values()} == known | {CallAnswered}


def phases(machine: Machine[Any]) -> set[Enum]:
    """The phase of the machine and of those at work within it."""
    parts = [part for part in vars(machine).values() if isinstance(part, Machine)]
    return {machine.phase}.union(*(phases(part) for part in parts))


def test_a_new_phase_needs_a_column(house: House) -> None:
    reached: set[Enum] = set()
    for make, states in (
        (lambda: Hold(house.hold, house.recall), HOLD),
        (lambda: SeatClosing(house), CLOSING),
    ):
        for reach in states.values():
            stage = Stage(make())
            reach(stage)
            reached |= phases(stage.machine)
    rooms = (hold, seat_closing, waiting, recall, consent)
    # A part that has not begun or has ended is no state of its own: its owner says what happens then.
    elsewhere = {phase for room in (consent, waiting, recall) for phase in (room.Phase.IDLE, room.Phase.DONE)}
    assert {phase for room in rooms for phase in room.Phase} - elsewhere <= reached
