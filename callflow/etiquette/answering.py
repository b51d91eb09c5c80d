"""csr-01: an incoming call is answered within 3 s and greeted with the seat's number.

The greeting begins when the caller's side has confirmed the call, plus a moment in which the
audio path settles: phones and gateways lose what is sent in the same instant as the answer.
"""

from enum import Enum, auto

from callflow.actions import Action, Answer, Conclude, Ring, Say
from callflow.errors import IllegalEvent
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import AnsweringManners
from callflow.events import (
    CallAnswered,
    CallArrived,
    CallConfirmed,
    DigitPressed,
    Event,
    HungUp,
    LineHeard,
    Outcome,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)


class Phase(Enum):
    WAITING = auto()
    RINGING = auto()
    PICKING_UP = auto()
    SETTLING = auto()
    GREETING = auto()
    DONE = auto()


class Answering(Machine[Phase]):
    """From the call's arrival to the end of the greeting."""

    rules = ("csr-01",)

    def __init__(self, manners: AnsweringManners, *, greet: bool = True) -> None:
        """`greet` says whether csr-01 is in force; the call is answered in any case."""
        super().__init__(Phase.WAITING)
        self._manners = manners
        self._greet = greet

    def receive(self, event: Event, now: float) -> list[Action]:
        manners = self._manners
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.DONE, _:
                return []
            case Phase.WAITING, CallArrived():
                return self._enter(Phase.RINGING, now + manners.ring_for, Ring())
            case Phase.PICKING_UP, CallAnswered():
                return []
            case Phase.PICKING_UP, CallConfirmed():
                return self._enter(Phase.SETTLING, now + manners.settle)
            case _, LineHeard() | PromptStarted():
                return []
            case Phase.GREETING, PromptFinished(prompt=manners.greeting):
                return self._conclude()
            case Phase.SETTLING | Phase.GREETING, DigitPressed() | PromptStopped():
                # Who presses a key has heard enough of the greeting.
                return self._conclude()
            case Phase.PICKING_UP, DigitPressed():
                return []
        raise IllegalEvent(event, self.phase)

    def _due(self, at: float) -> list[Action]:
        if self.phase is Phase.RINGING:
            return self._enter(Phase.PICKING_UP, None, Answer())
        if not self._greet:
            return self._conclude()
        return self._enter(Phase.GREETING, None, Say(self._manners.greeting, rule="csr-01"))

    def _conclude(self) -> list[Action]:
        return self._enter(Phase.DONE, None, Conclude("csr-01", Outcome.GREETED))
