"""Legs of which no packets are due, because one of the two sides holds: whether their peers are still there.

Nothing is heard of such a leg for as long as the hold lasts, so its peer is asked every 30 s (OPTIONS in the
dialog). Where that is not answered, as some phones never do, our description is offered once more: a
re-INVITE that nobody answers, or that is answered 408 or 481, ends the call (RFC 3261 §12.2.1.2).
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import News, Task
from callflow.call.table import CallTable
from callflow.sip.calls import Calls
from callflow.sip.sdp import Direction

EVERY: Final = 30.0
"""Seconds between two questions."""
TRUNK_PATIENCE: Final = 5.0
"""Seconds that a peer has to answer whose trunk is down."""
_OFFERED: Final = 40.0
"""Seconds until a re-INVITE has come to something: 64 * T1, and a little more."""
NO_SUCH_CALL: Final = 481
NO_ANSWER: Final = 408
"""The status that stands for no answer at all (RFC 3261 §8.1.3.1)."""


@dataclass(slots=True)
class _Held:
    """One leg on hold."""

    leg: Leg
    next_at: float
    """When something is done about it, in seconds."""
    asked: bool = False
    """Whether a question is not answered yet."""


class HeldLegs:
    """The legs on hold of one controller."""

    def __init__(self, table: CallTable, lines: Lines, calls: Calls) -> None:
        self._table = table
        self._lines = lines
        self._calls = calls
        self._held: dict[int, _Held] = {}
        """By the leg's number in the plane."""

    @property
    def deadline(self) -> float | None:
        return min((each.next_at for each in self._held.values()), default=None)

    def agreed(self, leg: Leg, now: float) -> None:
        """Something was agreed upon with the leg: it is on hold, or no longer."""
        room = self._table.get(leg.call)
        # Of an emergency, or a call between colleagues, nobody is asked anything.
        if not is_held(leg) or room is None or room.is_plain:
            self._held.pop(leg.media, None)
        elif leg.media not in self._held:
            self._held[leg.media] = _Held(leg, now + EVERY)

    def replied(self, leg: Leg, status: int, now: float) -> list[News]:
        """The peer has answered our question, or has not (408)."""
        held = self._held.get(leg.media)
        if held is None or status == NO_ANSWER:
            return []
        if status == NO_SUCH_CALL:
            # Some answer so to every OPTIONS in a dialog: a re-INVITE decides.
            held.asked, held.next_at = False, now + _OFFERED
            return [*self._lines.offer_again(leg, now)]
        held.asked, held.next_at = False, now + EVERY
        return []

    def trunk_down(self, trunk: str, now: float) -> list[News]:
        """A trunk answers no more: the peers of its calls are asked at once."""
        held = [each for each in self._held.values() if each.leg.trunk == trunk and not each.asked]
        return [news for each in held for news in self._ask(each, now + TRUNK_PATIENCE, now)]

    def tick(self, now: float) -> list[News]:
        """Peers are asked, each under the guard of its call."""
        due = [each for each in self._held.values() if now >= each.next_at]
        for held in due:
            held.next_at = now + EVERY
        return [Task(self._table.get(held.leg.call), partial(self._look, held, now)) for held in due]

    def _look(self, held: _Held, now: float) -> list[News]:
        """Ask, and once more by a re-INVITE where that was not answered."""
        if self._lines.heard(held.leg.media) is not held.leg:
            self._held.pop(held.leg.media, None)
            return []
        if held.asked:
            held.asked, held.next_at = False, now + _OFFERED
            return [*self._lines.offer_again(held.leg, now)]
        return self._ask(held, now + EVERY, now)

    def _ask(self, held: _Held, until: float, now: float) -> list[News]:
        held.asked, held.next_at = True, until
        ledger = self._table.ledger_of(held.leg.call)
        if ledger is not None:
            ledger.write_of(held.leg.name, now, "leg.asked", None, held=True)
        return [*self._calls.ask(held.leg.session, "OPTIONS", now=now)]


def is_held(leg: Leg) -> bool:
    """Whether no packets are due from an answered leg, as its side or ours holds."""
    sendrecv = leg.agreed is not None and leg.agreed.direction is Direction.SENDRECV
    return leg.is_open and leg.is_established and not sendrecv
