"""A caller who waits before the answer is told every minute that the call goes on, and answered for somebody.

Until then the wait costs the caller nothing, and the words of the queue are early media. A proxy gives a call
up that it has heard nothing of for three minutes, so the provisional response is repeated every minute
(RFC 3261 §13.3.1.1, §16.7). Whom the caller waited for is heard only when its side has confirmed the answer.
"""

from enum import Enum, auto
from typing import Final

from callflow.actions import Action, Answer, Conclude, Progress
from callflow.etiquette.machine import Machine
from callflow.events import CallConfirmed, Event, HungUp, Outcome

EVERY: Final = 60.0
"""Seconds from one provisional response to the next."""


class Phase(Enum):
    WAITING = auto()
    PICKING_UP = auto()
    SETTLING = auto()
    """The audio path settles: phones lose what is sent in the same instant as the answer."""
    DONE = auto()


class LateAnswer(Machine[Phase]):
    """From the first provisional response to the moment in which both sides may speak."""

    rules = ()

    def __init__(self, settle: float) -> None:
        """`settle`: seconds between the confirmed answer and the first word."""
        super().__init__(Phase.WAITING)
        self._settle = settle

    @property
    def is_at_work(self) -> bool:
        return self.phase is not Phase.DONE

    def begin(self, now: float) -> list[Action]:
        return self._enter(Phase.WAITING, now + EVERY, Progress())

    def answer(self) -> list[Action]:
        """Somebody is there, or nobody will be; it is answered once."""
        return self._enter(Phase.PICKING_UP, None, Answer()) if self.phase is Phase.WAITING else []

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.PICKING_UP, CallConfirmed():
                return self._enter(Phase.SETTLING, now + self._settle)
        return []

    def _due(self, at: float) -> list[Action]:
        if self.phase is Phase.WAITING:
            return self._enter(Phase.WAITING, at + EVERY, Progress())
        return self._enter(Phase.DONE, None, Conclude("csr-01", Outcome.PICKED_UP))
