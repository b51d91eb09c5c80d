"""The owner of callers' legs: what their sides say and what is heard of them, as news for their calls."""

from functools import partial

from callflow.call.calling import heard_as
from callflow.call.calls_from_seats import CallsFromSeats
from callflow.call.farewells import Farewells
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import Happened, News, Task
from callflow.call.room import Room
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.call.unacknowledged import Unacknowledged
from callflow.errors import PeerError
from callflow.events import (
    CallConfirmed,
    CallerLost,
    DigitPressed,
    Event,
    HeldByCaller,
    HungUp,
    Party,
    ResumedByCaller,
    ending_of,
)
from callflow.sip.calls import Calls
from callflow.sip.happenings import (
    Answered,
    Confirmed,
    Counted,
    Ended,
    KeySignalled,
    Reanswered,
    Referred,
    Reoffered,
    Told,
)


class CallerSide:
    """Turns what the signalling tells of callers' legs into events of their calls."""

    def __init__(
        self,
        table: CallTable,
        lines: Lines,
        calls: Calls,
        switchboard: Switchboard,
        from_seats: CallsFromSeats,
        farewells: Farewells,
        unacknowledged: Unacknowledged,
    ) -> None:
        self._table = table
        self._lines = lines
        self._calls = calls
        self._switchboard = switchboard
        self._from_seats = from_seats
        self._farewells = farewells
        self._unacknowledged = unacknowledged

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        """The caller's side has said something."""
        room = self._table[leg.call]
        match told:
            case Confirmed():
                self._unacknowledged.over(room)
                leg.is_confirmed = True
                # A caller's side that was parked when it called us hears nobody yet.
                holds = Task(room, partial(_holds, room, leg))
                return [Happened(room, CallConfirmed()), holds]
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now), *_holds(room, leg)]
            case Answered(answer=answer):
                return self._answered(room, answer, now)
            case Reanswered(answer=answer):
                return self._reanswered(room, answer, now)
            case KeySignalled(key=key):
                return _signalled(room, key)
            case Referred():
                # Only a seat that serves a caller may pass the caller on.
                return [*self._calls.refuse_referral(leg.session, PeerError(403, "Forbidden"), now)]
            case Ended(reason=reason):
                return [_ended(room, reason)]
        return []

    def heard(self, leg: Leg, event: Event, now: float) -> list[News]:
        """The caller is heard, or has been told something."""
        room = self._table[leg.call]
        between = room.go_on(event)
        return [Happened(room, heard_as(event))] if between is None else [*between]

    def lost(self, leg: Leg, now: float) -> list[News]:
        """The seat is told and released at once; the caller, who may hear us yet, has the last words."""
        room = self._table[leg.call]
        left = [*self._switchboard.left(room, now), *self._from_seats.ended(room, now)]
        for other in room.listening():
            left += self._farewells.begin(other, room.call.caller_gone, now)
        return [*left, *room.let_others_go(now), Happened(room, CallerLost())]

    def _answered(self, room: Room, answer: bytes, now: float) -> list[News]:
        """The ACK should have brought the answer to our offer (RFC 3264 §5)."""
        if room.caller.is_open:
            # It was a re-INVITE without an offer: what was agreed before stands.
            return self._reanswered(room, answer, now)
        try:
            opened = self._lines.accepted(room.caller, answer, now)
            return [*opened, *room.opened(now), *_holds(room, room.caller)]
        except PeerError:
            bye = self._calls.hang_up(room.caller.session, "no usable answer", now)
            return [*bye, Counted("odd", "no_answer"), _ended(room, "no_answer")]

    def _reanswered(self, room: Room, answer: bytes, now: float) -> list[News]:
        """Our re-INVITE was taken; where its answer cannot be read, what was agreed before stands."""
        try:
            return [*self._lines.accepted(room.caller, answer, now), *_holds(room, room.caller)]
        except PeerError:
            return [Counted("odd", "no_answer")]


def _signalled(room: Room, key: str) -> list[News]:
    """A key by INFO counts only where it cannot come as telephone-event too: it must not count twice."""
    agreed = room.caller.agreed
    if agreed is None or agreed.event_type is not None:
        return [Counted("odd", "info_key_beside_telephone_event")]
    return [Happened(room, DigitPressed(key))]


def _holds(room: Room, leg: Leg) -> list[News]:
    """Whether the caller's side holds the call now, or has come back."""
    if leg.agreed is None or leg.agreed.peer_listens != room.call.held_by_caller:
        return []
    return [Happened(room, ResumedByCaller() if leg.agreed.peer_listens else HeldByCaller())]


def _ended(room: Room, reason: str) -> Happened:
    by = Party.CALLER if reason in ("bye", "cancelled", "expired") else Party.CALLFLOW
    return Happened(room, HungUp(by, ending_of(reason)))
