"""Seat and caller joined without the house's manners: what is left where an admin has switched the hold off.

The seat's phone decides alone. Where the rule is only observed, what would have been asked is noted: so an
admin learns what a house would change before it changes anything.
"""

from enum import Enum, auto

from callflow.actions import Action, CancelRecall, Conclude, Note
from callflow.etiquette.gates import BOTH_HEARD, SEAT_UNHEARD
from callflow.etiquette.machine import Machine
from callflow.events import (
    Event,
    HoldRequested,
    HungUp,
    Outcome,
    RecallAnswered,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    Way,
)


class Phase(Enum):
    JOINED = auto()
    HELD = auto()
    """by the seat, and nobody was asked"""
    DONE = auto()


class PlainJoining(Machine[Phase]):
    """From the joining until the seat has left."""

    rules = ()

    def __init__(self, rule: str, *, observes: bool) -> None:
        """`rule` is what would be in force; `observes` whether it is noted where it would have spoken."""
        super().__init__(Phase.JOINED)
        self._rule = rule
        self._observes = observes

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, RecallAnswered():
                return [CancelRecall()]
            case Phase.DONE, _:
                return []
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case _, SeatHungUp() | SeatLost():
                return self._enter(Phase.DONE, None, Conclude(self._rule, Outcome.SEAT_LEFT))
            case Phase.JOINED, HoldRequested(way=way):
                # Only a phone that holds plays music of its own; whoever asks by code still speaks.
                unheard = [SEAT_UNHEARD] if way is Way.PHONE else []
                return self._enter(Phase.HELD, None, *unheard, *self._observed(way))
            case Phase.HELD, SeatResumed():
                return self._enter(Phase.JOINED, None, BOTH_HEARD)
        return []

    def _due(self, at: float) -> list[Action]:
        return []

    def _observed(self, way: Way) -> list[Action]:
        return [Note("hold.observed", self._rule, {"way": way})] if self._observes else []
