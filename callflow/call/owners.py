"""The owners of legs: what a leg's phone says, and what is heard of it, goes to the part that answers for it.

A leg names its side, and the side its owner. Where the owner of a leg in a caller's call fails, that call
ends; the others keep their faults to the leg.
"""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from callflow.call.leg import IN_CALL, Leg, Side
from callflow.call.news import News, Task
from callflow.call.table import CallTable
from callflow.events import Event
from callflow.sip.happenings import Told


class Owner(Protocol):
    """A part of the exchange that answers for the legs of one side."""

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        """The leg's phone, or the network behind it, has said something."""

    def heard(self, leg: Leg, event: Event, now: float) -> list[News]:
        """The plane tells of the leg: keys, what was said to its end, how its line sounds."""

    def lost(self, leg: Leg, now: float) -> list[News]:
        """Nothing comes from the leg any more, and nobody has answered for it."""


class Owners:
    """All of one controller."""

    def __init__(self, table: CallTable, owners: Mapping[Side, Owner]) -> None:
        self._table = table
        self._owners = owners

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        return self._work(leg, partial(self._owners[leg.side].told, leg, told, now))

    def heard(self, leg: Leg, event: Event, now: float) -> list[News]:
        return self._work(leg, partial(self._owners[leg.side].heard, leg, event, now))

    def lost(self, leg: Leg, now: float) -> list[News]:
        return self._owners[leg.side].lost(leg, now)

    def _work(self, leg: Leg, does: "partial[list[News]]") -> list[News]:
        """Under the guard of the leg's call."""
        return [Task(self._table[leg.call] if leg.side in IN_CALL else None, does)]
