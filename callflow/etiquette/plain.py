"""Seat and caller joined without the house's manners: what is left where an admin has switched the hold off.

The seat's phone decides alone. Where the rule is only observed, what would have been asked is noted: so an
admin learns what a house would change before it changes anything.
"""

from enum import Enum, auto

from callflow.actions import Action, CancelRecall, Conclude, Note
from callflow.etiquette.gates import BOTH_HEARD, SEAT_UNHEARD
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import HoldManners
from callflow.events import (
    Event,
    HoldRequested,
    HungUp,
    Outcome,
    RecallAnswered,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRequested,
    Way,
)
from callflow.facts import Detail


class Phase(Enum):
    JOINED = auto()
    HELD = auto()
    """by the seat, and nobody was asked"""
    DONE = auto()


class PlainJoining(Machine[Phase]):
    """From the joining until the seat has left."""

    rules = ()

    def __init__(self, rule: str, *, observed: HoldManners | None = None) -> None:
        """`rule` is what would be in force; `observed`: by what it is noted where it would have spoken."""
        super().__init__(Phase.JOINED)
        self._rule = rule
        self._observed = observed
        self._held_at = 0.0

    @property
    def serves(self) -> bool:
        # Whether it holds or not: nobody is asked anything.
        return True

    @property
    def unhearing(self) -> bool:
        """As far as that is known."""
        return self.phase is Phase.HELD

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
                self._held_at = now
                return self._enter(Phase.HELD, None, *unheard, *self._would_ask(way))
            case _, TransferRequested():
                return self._enter(Phase.DONE, None, Conclude(None, Outcome.YIELDED))
            case Phase.HELD, SeatResumed():
                return self._enter(Phase.JOINED, None, BOTH_HEARD, *self._would_have_reminded(now))
        return []

    def _due(self, at: float) -> list[Action]:
        return []

    def _would_ask(self, way: Way) -> list[Action]:
        return [Note("rule.observed", self._rule, {"would": "ask", "way": way})] if self._observed else []

    def _would_have_reminded(self, now: float) -> list[Action]:
        """How many words the caller did not get who was left waiting."""
        if self._observed is None:
            return []
        seconds = now - self._held_at
        words: dict[str, Detail] = {
            "would": "remind",
            "times": int(seconds / self._observed.every),
            "seconds": round(seconds, 3),
        }
        return [Note("rule.observed", self._observed.rules.remind, words)]
