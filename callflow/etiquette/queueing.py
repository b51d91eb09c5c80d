"""crs-02: who waits for a seat hears a word within 30 s, and again at the house's interval.

Where the house wants that, the later words say how many are served before.
"""

from enum import Enum, auto

from callflow.actions import Action, Say, StopSaying
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import QueueManners
from callflow.events import MOST_AHEAD, Event, HungUp, NobodyThere, QueueMoved, SeatAnswered


class Phase(Enum):
    WAITING = auto()
    DONE = auto()


class Queueing(Machine[Phase]):
    """From the first moment in the queue to the seat's answer, at which the words stop at once."""

    rules = ("crs-02",)

    def __init__(self, manners: QueueManners) -> None:
        super().__init__(Phase.WAITING)
        self._manners = manners
        self._next = manners.first
        self._ahead = 0

    def begin(self, now: float) -> list[Action]:
        """The caller waits from now on. Who is picked up at once hears nothing of it."""
        return self._enter(Phase.WAITING, now + self._manners.first_after)

    def receive(self, event: Event, now: float) -> list[Action]:
        if self.phase is Phase.DONE:
            return []
        match event:
            case QueueMoved(ahead=ahead):
                self._ahead = ahead
            case SeatAnswered() | NobodyThere():
                return self._enter(Phase.DONE, None, StopSaying())
            case HungUp():
                return self._enter(Phase.DONE, None)
        return []

    def _due(self, at: float) -> list[Action]:
        """Start to start: a long word does not put the next one off."""
        prompt, self._next = self._next, self._manners.again
        say = Say(prompt, "crs-02")
        if prompt == self._manners.again and self._manners.place and 1 <= self._ahead <= MOST_AHEAD:
            say = Say(self._manners.place, "crs-02", fields={"ahead": str(self._ahead)})
        return self._enter(Phase.WAITING, at + self._manners.every, say)
