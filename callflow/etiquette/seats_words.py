"""csr-05, csr-10: what a seat has said for it with one key, and how loud the caller hears it.

csr-05: a caller on a loudspeaker is asked to lift the handset. csr-10: a caller who finds the seat too quiet
hears an apology, by the seat's own voice or by these words, and the seat louder in steps of 3 dB.
"""

from enum import Enum, auto
from typing import Final

from callflow.actions import Action, Note, Say, SetVolume
from callflow.etiquette.machine import Machine
from callflow.etiquette.parameters import SeatsWordsManners
from callflow.events import Event, HungUp, LineRequested, LineWish, Party, SeatHungUp, SeatLost

BOTH: Final = (Party.CALLER, Party.SEAT)
STEP: Final = 3
"""Decibels by which one key changes the volume."""


class Phase(Enum):
    JOINED = auto()
    DONE = auto()


class SeatsWords(Machine[Phase]):
    """While a seat speaks with the caller."""

    rules = ("csr-05", "csr-10")

    def __init__(
        self, manners: SeatsWordsManners, volume: int = 0, *, lift: bool = True, louder: bool = True
    ) -> None:
        """`volume` is by how many decibels the seat is heard louder already.

        `lift` and `louder` say whether csr-05 and csr-10 are in force.
        """
        super().__init__(Phase.JOINED)
        self._manners = manners
        self._lift = lift
        self._louder = louder
        self.volume = volume

    def receive(self, event: Event, now: float) -> list[Action]:
        match self.phase, event:
            case Phase.DONE, _:
                return []
            case _, HungUp() | SeatHungUp() | SeatLost():
                return self._enter(Phase.DONE, None)
            case _, LineRequested(wish=LineWish.LIFT_HANDSET) if self._lift:
                return [Say(self._manners.lift_handset, "csr-05", BOTH)]
            case _, LineRequested(wish=LineWish.APOLOGISE) if self._louder:
                return [Say(self._manners.apology, "csr-10", BOTH)]
            case _, LineRequested(wish=LineWish.LOUDER) if self._louder:
                return self._turn_to(self.volume + STEP)
            case _, LineRequested(wish=LineWish.SOFTER) if self._louder:
                return self._turn_to(self.volume - STEP)
        return []

    def _due(self, at: float) -> list[Action]:
        return []

    def _turn_to(self, decibels: int) -> list[Action]:
        """Never softer than its phone sends, and never louder than the house allows."""
        decibels = min(max(decibels, 0), self._manners.most // STEP * STEP)
        changed, self.volume = decibels != self.volume, decibels
        if not changed:
            return []
        return [SetVolume(decibels), Note("volume.changed", "csr-10", {"decibels": decibels})]
