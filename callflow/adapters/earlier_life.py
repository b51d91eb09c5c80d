"""Reads what the last run of the program left in the journal, and writes what this one leaves for the next.

Phones need not register again and seats need not log in again after a restart. Calls that were cut off end
on both sides, as nobody has their audio any more.
"""

import time
from collections.abc import Callable, Iterator

import structlog

from callflow.adapters.journal import JournalFile
from callflow.call.journal import CallEntry, CutOff
from callflow.call.lasting import Registered, SeatEntry, restore_seats
from callflow.call.seats import SeatChanged, Seats
from callflow.facts import Detail, Fact
from callflow.sinks import FactSink
from callflow.sip.registrar import Registrar

_OF_SEATS = ("seat.state", "seat.logged_in")


class EarlierLife(FactSink):
    """Reads and writes one controller's registrations and seats; all times come from the clocks here."""

    def __init__(
        self, journal: JournalFile, registrar: Registrar, seats: Seats, tell: Callable[[Fact], object]
    ) -> None:
        """`tell` is given the facts of seats that are restored."""
        self._journal = journal
        self._registrar = registrar
        self._seats = seats
        self._tell = tell
        self._written: dict[str, SeatEntry] = dict(journal.earlier.seats)

    async def start(self) -> None:
        """Take up registrations and seats; from now on their changes are written."""
        now, wall = time.monotonic(), time.time()
        for registered in self._journal.earlier.registered.values():
            try:
                self._registrar.restore(registered.user, registered.living(now, wall))
            except ValueError as error:
                _log().error("journal.spoilt", user=registered.user, error=str(error))
        for changed in restore_seats(self._seats, self._journal.earlier.seats.values(), now, wall):
            self._tell(_fact_of(changed, now))
        self._registrar.on_change = self._registered

    def end_calls(self, end: Callable[[CallEntry], object]) -> Iterator[tuple[CallEntry, list[str]]]:
        """End the calls that were cut off; each with the names of the facts that are kept of it."""
        earlier = self._journal.earlier
        for entry in earlier.calls.values():
            end(entry)
            self._journal.write(CutOff(entry.call))
            yield entry, [kept.fact for kept in earlier.kept.get(entry.call, ())]

    def fact(self, fact: Fact) -> None:
        """A seat may sit elsewhere, or be away."""
        if fact.fact not in _OF_SEATS:
            return
        now, wall = time.monotonic(), time.time()
        number = fact.leg.removeprefix("seat ")
        if number in self._seats:
            entry = SeatEntry.of(self._seats[number], now, wall)
            if _what_counts(entry) != _what_counts(self._written.get(number)):
                self._written[number] = entry
                self._journal.write(entry)

    def _registered(self, user: str) -> None:
        now, wall = time.monotonic(), time.time()
        self._journal.write(Registered.of(user, self._registrar.bindings(user, now), now, wall))


def _what_counts(entry: SeatEntry | None) -> tuple[object, ...] | None:
    """Without the times: a seat that rings and is ready again sits as before."""
    return None if entry is None else (entry.planned, entry.phone, entry.state, entry.reason, entry.back)


def _fact_of(changed: SeatChanged, now: float) -> Fact:
    details: dict[str, Detail] = {"state": changed.after, "before": changed.before, "seconds": 0.0}
    if changed.reason:
        details["reason"] = changed.reason
    return Fact(now, "", f"seat {changed.seat}", "seat.state", None, details)


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("callflow")
    return logger
