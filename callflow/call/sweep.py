"""Finds what a fault has left behind: a leg of no call, a seat that is busy with nobody.

Faults are kept to the call they happen in, so its other parts may not have learned of its end. A seat that
stayed `talking` would never be rung again, and a leg without a call would send silence for ever.
"""

from typing import Final

from callflow.call.calls_from_seats import CallsFromSeats
from callflow.call.farewells import Farewells
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import News
from callflow.call.seats import SeatState
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.sip.happenings import Counted

EVERY: Final = 10.0
"""Seconds between two looks. Only what two looks find is put right."""
_BUSY: Final = (SeatState.RINGING, SeatState.TALKING, SeatState.HOLDING)


class Sweep:
    """Looks through the tables of one controller whenever it is awake."""

    def __init__(
        self,
        table: CallTable,
        lines: Lines,
        switchboard: Switchboard,
        from_seats: CallsFromSeats,
        farewells: Farewells,
    ) -> None:
        self._table = table
        self._lines = lines
        self._switchboard = switchboard
        self._from_seats = from_seats
        self._farewells = farewells
        self._next = 0.0
        self._legs: frozenset[int] = frozenset()
        self._seats: frozenset[str] = frozenset()

    def look(self, now: float) -> list[News]:
        """End the legs and free the seats that nothing has known about for two looks."""
        if now < self._next:
            return []
        self._next = now + EVERY
        legs, seats = self._left_legs(), self._left_seats()
        news = [each for leg in legs if leg.media in self._legs for each in self._end(leg, now)]
        news += [each for seat in seats & self._seats for each in self._free(seat, now)]
        self._legs, self._seats = frozenset(leg.media for leg in legs), seats
        return news

    def _left_legs(self) -> list[Leg]:
        known = self._table, self._from_seats
        return [
            leg
            for leg in self._lines
            if leg not in self._farewells and not any(leg.call in table for table in known)
        ]

    def _left_seats(self) -> frozenset[str]:
        in_calls = {leg.seat for leg in self._lines}
        seats = self._switchboard.seats
        return frozenset(seat.number for seat in seats if seat.state in _BUSY) - in_calls

    def _end(self, leg: Leg, now: float) -> list[News]:
        return [Counted("fault", "leg_without_call"), *self._lines.end(leg, "fault", now)]

    def _free(self, seat: str, now: float) -> list[News]:
        return [Counted("fault", "seat_without_call"), *self._switchboard.freed(seat, now)]
