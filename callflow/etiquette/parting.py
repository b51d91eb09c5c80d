"""The last words of a call that cannot go on: told, given the pause, released.

This is the end of csr-36 alone, for a call at its limit and for a controller that must stop. Nothing
but the caller's own hang-up changes it; what should listen for signs of life is `closing`.
"""

from enum import Enum, auto

from callflow.actions import Action, HangUp, Say
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import ClosingManners
from callflow.events import ConversationOver, Ending, Event, HungUp, PromptFinished


class Phase(Enum):
    OPEN = auto()
    TELLING = auto()
    PAUSE = auto()
    DONE = auto()


class Parting(Machine[Phase]):
    """From the decision to the release."""

    rules = ("csr-36",)

    def __init__(self, manners: ClosingManners, reason: Ending) -> None:
        super().__init__(Phase.OPEN)
        self._manners = manners
        self._reason = reason

    def receive(self, event: Event, now: float) -> list[Action]:
        words = self._manners.hanging_up
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.OPEN, ConversationOver():
                return self._enter(Phase.TELLING, None, Say(words, rule="csr-36"))
            case Phase.TELLING, PromptFinished(prompt=prompt) if prompt == words:
                return self._enter(Phase.PAUSE, now + self._manners.pause)
        return []

    def _due(self, at: float) -> list[Action]:
        return self._enter(Phase.DONE, None, HangUp(self._reason, rule="csr-36"))
