"""What a seat sees of its call, and what it may do about it without its phone's keys."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callflow.call.destinations import Destinations
from callflow.call.news import Happened, News
from callflow.call.room import Room
from callflow.call.seats import FREE, SeatRefused, SeatState
from callflow.call.switchboard import Switchboard
from callflow.events import (
    AnswerAttested,
    CallerDescribed,
    Event,
    HoldRequested,
    LineRequested,
    LineWish,
    NuisanceCalled,
    SeatResumed,
    Way,
)
from callflow.facts import Fact


class Act(StrEnum):
    """What a page can ask for."""

    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    """Another seat shall take the call."""
    DESCRIBE = "describe"
    """Who calls, and why."""
    NUISANCE = "nuisance"
    """The caller wants nothing that the house does (csr-30)."""
    YES = "yes"
    """The caller said yes aloud."""
    NO = "no"
    READY = "ready"
    """The last call is written up, or the seat is back."""
    AWAY = "away"
    LOGIN = "login"
    """The seat sits at a phone from now on."""
    LOGOUT = "logout"
    LOUDER = "louder"
    SOFTER = "softer"
    APOLOGISE = "apologise"
    LIFT_HANDSET = "lift_handset"
    TOO_QUIET = "too_quiet"
    TOO_NOISY = "too_noisy"
    SILENT = "silent"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks for, and what it says beside."""

    act: Act
    minutes: int | None = None
    """How long the caller is to wait."""
    phone: str = ""
    """Where it logs in; empty for its own."""
    reason: str = ""
    """Why it is away."""
    target: str = ""
    """The number of the seat or queue that a call is to be transferred to."""
    own_words: bool = False
    """Whether the seat says itself what the target is to know."""
    surname: str = field(default="", repr=False)
    matter: str = ""


class Matter(StrEnum):
    """Where the question stands that the caller was asked."""

    NONE = ""
    ASKED = "asked"
    AGREED = "agreed"
    WAITS = "waits"
    WILL_NOT_WAIT = "will_not_wait"
    TRANSFER_ASKED = "transfer_asked"
    TARGET_RINGS = "target_rings"
    TARGET_ASKED = "target_asked"
    """It has picked up, and hears who comes."""
    NOT_TAKEN = "not_taken"
    LINE_CHECKED = "line_checked"
    """The caller is told that it cannot be made out, and will be released unless it is."""


_MATTERS = {
    "call.joined": Matter.NONE,
    "hold.asked": Matter.ASKED,
    "consent.given": Matter.AGREED,
    "hold.started": Matter.WAITS,
    "hold.refused": Matter.WILL_NOT_WAIT,
    "transfer.asked": Matter.TRANSFER_ASKED,
    "transfer.offered": Matter.TARGET_RINGS,
    "transfer.briefed": Matter.TARGET_ASKED,
    "transfer.declined": Matter.NOT_TAKEN,
    "transfer.failed": Matter.NOT_TAKEN,
    "line_check.begun": Matter.LINE_CHECKED,
    "line_check.stopped": Matter.NONE,
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
    phone: str = ""
    """Where it is logged in; empty for nowhere."""
    reason: str = ""
    """Why it is away."""
    surname: str = field(default="", repr=False)
    """Who calls, as far as somebody has said so."""
    about: str = ""
    """What the call is about."""
    comes_from: str = ""
    """The seat that wants to transfer it here."""


class Desk:
    """All seats' views."""

    def __init__(
        self, switchboard: Switchboard, destinations: Destinations, sayable: Mapping[str, frozenset[str]]
    ) -> None:
        """`sayable` is what there are recordings of to tell who calls and why."""
        self._switchboard = switchboard
        self._destinations = destinations
        self._sayable = sayable

    def __contains__(self, number: str) -> bool:
        return number in self._switchboard.seats

    def view(self, number: str, rooms: Iterable[Room], now: float) -> View:
        """What the seat's page shows."""
        seats = self._switchboard.seats
        seat = seats[number]
        state, since = seats.state(seat, now), round(max(now - seat.since, 0.0), 1)
        room = _room_of(number, rooms)
        if room is None:
            reason = seat.reason if state in (SeatState.AWAY, SeatState.PAUSED) else ""
            return View(number, state, since, phone=seat.phone or "", reason=reason)
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
            phone=seat.phone or "",
            surname=room.call.about.surname,
            about=room.call.about.matter,
            comes_from=room.seat.seat if room.seat and room.seat.seat != number else "",
        )

    def does(self, number: str, asked: Asked, rooms: Iterable[Room], now: float) -> list[News]:
        """The seat has asked for something; what makes no sense now changes nothing."""
        match asked.act:
            case Act.READY | Act.AWAY:
                return self._turns(number, asked, now)
            case Act.LOGIN | Act.LOGOUT:
                return self._moves(number, asked, now)
        room = _room_of(number, rooms)
        if room is None or room.seat is None or room.seat.seat != number:
            return []
        event = self._event(asked, number)
        return [Happened(room, event)] if event else []

    def _event(self, asked: Asked, number: str) -> Event | None:
        """What the call is told; None for a transfer to nobody."""
        match asked.act:
            case Act.HOLD:
                return HoldRequested(Way.PAGE, asked.minutes)
            case Act.RESUME:
                return SeatResumed(Way.PAGE)
            case Act.TRANSFER:
                return self._destinations.wish(asked.target, number, Way.PAGE, own_words=asked.own_words)
            case Act.DESCRIBE:
                known = {"surname": asked.surname, "matter": asked.matter}
                said = {name for name, value in known.items() if value in self._sayable.get(name, ())}
                return CallerDescribed(asked.surname, asked.matter, frozenset(said))
            case Act.NUISANCE:
                return NuisanceCalled()
            case Act.YES | Act.NO:
                return AnswerAttested(asked.act is Act.YES, number)
            case act:
                return LineRequested(LineWish(act), Way.PAGE)

    def _turns(self, number: str, asked: Asked, now: float) -> list[News]:
        if self._switchboard.seats[number].state not in FREE:
            # Whoever talks or rings is not elsewhere.
            return []
        state = SeatState.READY if asked.act is Act.READY else SeatState.AWAY
        return self._switchboard.turn(number, state, now, asked.reason, asked.minutes)

    def _moves(self, number: str, asked: Asked, now: float) -> list[News]:
        switchboard = self._switchboard
        phone = asked.phone or switchboard.seats[number].plan.phone or ""
        try:
            if asked.act is Act.LOGOUT:
                return switchboard.log_out(number, now)
            return switchboard.log_in(number, phone, now)
        except SeatRefused as refused:
            switchboard.refused(f"seat {number}", asked.act, refused.why, now)
            return []


def _room_of(number: str, rooms: Iterable[Room]) -> Room | None:
    """The call that the seat serves, that rings at it, or that it has made to a colleague."""
    for room in rooms:
        serves = any(leg is not None and leg.seat == number for leg in (room.seat, room.target))
        if serves or number in room.ringing or room.caller.seat == number:
            return room
    return None


def _matter(ledger: Iterable[Fact]) -> tuple[Matter, float]:
    matter, at = Matter.NONE, 0.0
    for fact in ledger:
        if fact.fact in _MATTERS:
            matter, at = _MATTERS[fact.fact], fact.at
    return matter, at
