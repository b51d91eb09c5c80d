"""Whether a trunk lets nothing of its callers through: a fault of the path, and not of their telephones.

Not one packet has come from a trunk's callers in several calls in a row. From then on, until one comes,
nobody who calls by it is told to take another telephone: that would be untrue, and of no help.
"""

from typing import Final

from callflow.call.ledger import Sink
from callflow.call.leg import Leg
from callflow.facts import Fact

IN_A_ROW: Final = 3
"""Calls without a packet that make a trunk suspect."""


class TrunkHealth:
    """The table of trunks from which nothing is heard."""

    def __init__(self, tell: Sink, in_a_row: int = IN_A_ROW) -> None:
        """`tell` is told when a trunk falls silent, and when it is heard again."""
        self._tell = tell
        self._in_a_row = in_a_row
        self._unheard: dict[str, int] = {}
        """By trunk, how many calls have ended since its last packet without one."""

    def heard(self, leg: Leg, now: float) -> None:
        """A packet has come from a caller's leg."""
        leg.was_heard = True
        calls = self._unheard.pop(leg.trunk, 0)
        if calls >= self._in_a_row:
            self._tell(Fact(now, "", f"trunk {leg.trunk}", "trunk.heard_again", None, {"calls": calls}))

    def ended(self, leg: Leg, now: float) -> None:
        """A caller's leg is over."""
        if not leg.trunk or not _is_unheard(leg):
            return
        calls = self._unheard[leg.trunk] = self._unheard.get(leg.trunk, 0) + 1
        if calls == self._in_a_row:
            self._tell(Fact(now, "", f"trunk {leg.trunk}", "trunk.one_way", None, {"calls": calls}))

    def is_suspect(self, trunk: str) -> bool:
        """Whether one call more without a packet would be the trunk's fault."""
        return self._unheard.get(trunk, 0) + 1 >= self._in_a_row

    def at_fault(self, leg: Leg) -> bool:
        """Whether it is not this caller's telephone: nothing has come, nor did in the calls before."""
        return bool(leg.trunk) and _is_unheard(leg) and self.is_suspect(leg.trunk)


def _is_unheard(leg: Leg) -> bool:
    """Whether it was connected and waited for in vain; a call that was over at once tells nothing."""
    return leg.is_confirmed and leg.is_missed and not leg.was_heard
