"""The end of a flow where neither csr-35 nor csr-36 is in force: nothing is said, and the call ends.

That is what a PBX does at the end of its dialplan. The caller has some seconds to hang up first, and is not
cut off in mid-sentence; but nobody is left in silence until the limit of all calls.
"""

from enum import Enum, auto
from typing import Final

from callflow.actions import Action, HangUp
from callflow.etiquette.closing import Closing
from callflow.etiquette.house import House
from callflow.etiquette.machine import Machine
from callflow.events import ConversationOver, Event, Heard, HungUp, LineHeard

QUIET: Final = 20.0
"""Seconds of silence after which the call ends: longer than the closing that is not in force."""


class Phase(Enum):
    OPEN = auto()
    WAITING = auto()
    HEARING = auto()
    """the caller speaks"""
    DONE = auto()


class PlainClosing(Machine[Phase]):
    """From the end of the conversation to the end of the call."""

    rules = ()

    def __init__(self) -> None:
        super().__init__(Phase.OPEN)

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, _:
                return []
            case _, HungUp():
                return self._enter(Phase.DONE, None)
            case Phase.OPEN, ConversationOver():
                return self._enter(Phase.WAITING, now + QUIET)
            case Phase.WAITING, LineHeard(heard=Heard.SOUND):
                return self._enter(Phase.HEARING, None)
            case Phase.HEARING, LineHeard(heard=Heard.SILENCE, since=since):
                return self._enter(Phase.WAITING, since + QUIET)
        return []

    def _due(self, at: float) -> list[Action]:
        return self._enter(Phase.DONE, None, HangUp("flow_over"))


def closing_of(house: House) -> Closing | PlainClosing:
    """The closing that is in force."""
    ask, release = house.enforces("csr-35"), house.enforces("csr-36")
    return Closing(house.closing, ask=ask, release=release) if ask or release else PlainClosing()
