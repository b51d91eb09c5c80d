"""crs-02: who waits for a seat hears a word within 30 s, and again at the house's interval."""

from enum import Enum, auto

from callflow.actions import Action, Say, StopSaying
from callflow.etiquette.house import QueueManners
from callflow.etiquette.machine import Machine
from callflow.events import Event, HungUp, NobodyThere, SeatAnswered


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

    def begin(self, now: float) -> list[Action]:
        """The caller waits from now on. Who is picked up at once hears nothing of it."""
        return self._enter(Phase.WAITING, now + self._manners.first_after)

    def receive(self, event: Event, now: float) -> list[Action]:
        if self.phase is Phase.DONE:
            return []
        match event:
            case SeatAnswered() | NobodyThere():
                return self._enter(Phase.DONE, None, StopSaying())
            case HungUp():
                return self._enter(Phase.DONE, None)
        return []

    def _due(self, at: float) -> list[Action]:
        """Start to start: a long word does not put the next one off."""
        prompt, self._next = self._next, self._manners.again
        return self._enter(Phase.WAITING, at + self._manners.every, Say(prompt, "crs-02"))
