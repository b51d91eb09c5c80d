"""What the caller's side says in SIP, as news for the call: answers, holds, keys, the end."""

from functools import partial

from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import Happened, News, Task
from callflow.call.room import Room
from callflow.errors import PeerError
from callflow.events import (
    CallConfirmed,
    DigitPressed,
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
    Reoffered,
    Told,
)


class CallerSide:
    """Turns what the signalling tells of callers' legs into events of their calls."""

    def __init__(self, lines: Lines, calls: Calls) -> None:
        self._lines = lines
        self._calls = calls

    def told(self, room: Room, told: Told, now: float) -> list[News]:
        """The caller's side has said something."""
        leg = room.caller
        match told:
            case Confirmed():
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
            case Ended(reason=reason):
                return [_ended(room, reason)]
        return []

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
