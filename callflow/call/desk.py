"""What a seat sees of its call, and what it may do about it without its phone's keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from callflow.call.room import Room
from callflow.call.seats import SeatState
from callflow.call.switchboard import Happened, News, Switchboard
from callflow.events import AnswerAttested, Event, HoldRequested, SeatResumed, Way
from callflow.facts import Fact


class Act(StrEnum):
    """What a page can ask for."""

    HOLD = "hold"
    RESUME = "resume"
    YES = "yes"
    """The caller said yes aloud."""
    NO = "no"
    READY = "ready"
    """The last call is written up, or the seat is back."""
    AWAY = "away"


class Matter(StrEnum):
    """Where the question stands that the caller was asked."""

    NONE = ""
    ASKED = "asked"
    AGREED = "agreed"
    WAITS = "waits"
    WILL_NOT_WAIT = "will_not_wait"


_MATTERS = {
    "call.joined": Matter.NONE,
    "hold.asked": Matter.ASKED,
    "consent.given": Matter.AGREED,
    "hold.started": Matter.WAITS,
    "hold.refused": Matter.WILL_NOT_WAIT,
}


@dataclass(frozen=True, slots=True)
class View:
    """One seat at one moment. Times are seconds."""

    seat: str
    state: str
    for_seconds: float
    caller: str = field(default="", repr=False)
    called: str = field(default="", repr=False)
    matter: str = ""
    matter_seconds: float = 0.0
    """How long the matter has stood so."""
    next_word_in: float | None = None
    """Until the waiting caller is spoken to again."""


class Desk:
    """All seats' views."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    def __contains__(self, number: str) -> bool:
        return number in self._switchboard.seats

    def view(self, number: str, rooms: Iterable[Room], now: float) -> View:
        """What the seat's page shows."""
        seats = self._switchboard.seats
        seat = seats[number]
        state, since = seats.state(seat, now), round(max(now - seat.since, 0.0), 1)
        room = _room_of(number, rooms)
        if room is None:
            return View(number, state, since)
        matter, at = _matter(room.call.ledger)
        waits = matter is Matter.WAITS and room.call.deadline is not None
        return View(
            number,
            state,
            since,
            caller=room.calling.caller.uri.user,
            called=room.calling.called,
            matter=matter,
            matter_seconds=round(now - at, 1),
            next_word_in=round(max((room.call.deadline or now) - now, 0.0), 1) if waits else None,
        )

    def does(
        self, number: str, act: Act, minutes: int | None, rooms: Iterable[Room], now: float
    ) -> list[News]:
        """The seat has asked for something; what makes no sense now changes nothing."""
        match act:
            case Act.READY | Act.AWAY:
                return self._turns(number, act, now)
        room = _room_of(number, rooms)
        if room is None or room.seat is None or room.seat.seat != number:
            return []
        return [Happened(room, _asked(act, number, minutes))]

    def _turns(self, number: str, act: Act, now: float) -> list[News]:
        seat = self._switchboard.seats[number]
        if seat.state not in (SeatState.READY, SeatState.WRAP_UP, SeatState.AWAY):
            # Whoever talks or rings is not elsewhere.
            return []
        state = SeatState.READY if act is Act.READY else SeatState.AWAY
        return self._switchboard.turn(number, state, now)


def _asked(act: Act, number: str, minutes: int | None) -> Event:
    match act:
        case Act.HOLD:
            return HoldRequested(Way.PAGE, minutes)
        case Act.RESUME:
            return SeatResumed(Way.PAGE)
        case _:
            return AnswerAttested(act is Act.YES, number)


def _room_of(number: str, rooms: Iterable[Room]) -> Room | None:
    """The call that the seat serves, or that rings at it."""
    for room in rooms:
        if number in room.ringing or (room.seat is not None and room.seat.seat == number):
            return room
    return None


def _matter(ledger: Iterable[Fact]) -> tuple[Matter, float]:
    matter, at = Matter.NONE, 0.0
    for fact in ledger:
        if fact.fact in _MATTERS:
            matter, at = _MATTERS[fact.fact], fact.at
    return matter, at
