"""A seat has hung up the call that it had made: the called party hears goodbye, and after the pause it ends.

Nobody has called us here, so nobody is asked for more, rung for, or put into a queue; an answering machine is
got rid of by hanging up. Where csr-36 is not in force the call ends at once.
"""

from enum import Enum, auto
from typing import Final

from callflow.actions import Action, HangUp, Say
from callflow.etiquette.house import House
from callflow.etiquette.machine import Machine
from callflow.etiquette.words import LONGEST
from callflow.events import ConversationOver, Event, HungUp, PromptFinished

_REASON: Final = "seat_hung_up"


class Phase(Enum):
    JOINED = auto()
    SAYING = auto()
    PAUSE = auto()
    DONE = auto()


class Leaving(Machine[Phase]):
    """From the seat's hang-up to ours."""

    rules = ("csr-36",)

    def __init__(self, house: House) -> None:
        super().__init__(Phase.JOINED)
        self._words = house.closing.goodbye if house.enforces("csr-36") else ""
        self._pause = house.closing.pause

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.JOINED, ConversationOver():
                return self._begin(now)
            case Phase.SAYING, PromptFinished(prompt=prompt) if prompt == self._words:
                return self._enter(Phase.PAUSE, now + self._pause)
        return []

    def _due(self, at: float) -> list[Action]:
        # Words that were never told to have ended keep nobody.
        return self._hang_up()

    def _begin(self, now: float) -> list[Action]:
        if not self._words:
            return self._hang_up()
        return self._enter(Phase.SAYING, now + LONGEST, Say(self._words, "csr-36"))

    def _hang_up(self) -> list[Action]:
        return self._enter(Phase.DONE, None, HangUp(_REASON, "csr-36"))
