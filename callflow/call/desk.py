"""What a seat sees of its call, and what it may do about it without its phone's keys."""

from collections.abc import Iterable, Mapping
from typing import TypedDict

from callflow.call.desk_refusals import why_not
from callflow.call.desk_view import Act, Asked, Matter, View
from callflow.call.destinations import Destinations
from callflow.call.news import Happened, News
from callflow.call.room import Room
from callflow.call.seats import FREE, SeatRefused, SeatState
from callflow.call.switchboard import Switchboard
from callflow.events import (
    AnswerAttested,
    CallerDescribed,
    DigitPressed,
    Event,
    HoldRequested,
    LineRequested,
    LineWish,
    NuisanceCalled,
    OfTarget,
    SeatResumed,
    TargetDeclined,
    Way,
)

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


class Desk:
    """All seats' views."""

    def __init__(
        self,
        switchboard: Switchboard,
        destinations: Destinations,
        sayable: Mapping[str, frozenset[str]],
        answers: tuple[str, str] = ("1", "2"),
    ) -> None:
        """`sayable` is what there are recordings of to tell who calls and why.

        `answers`: the keys by which the receiving seat of a transfer takes or declines the caller.
        """
        self._answers = answers
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
        matter, at = _matter(room)
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
            comes_from=_comes_from(room, number),
            **_standing(room, number, state),
        )

    def why_not(self, number: str, asked: Asked, rooms: Iterable[Room], now: float) -> str:
        """Why a seat cannot have what it asks for, as a word for machines; empty where it can."""
        if asked.act is Act.LOGIN and asked.phone and asked.phone not in self._switchboard.seats.phones:
            return "no_such_phone"
        why = why_not(asked.act, self.view(number, rooms, now))
        if why or asked.act is not Act.TRANSFER:
            return why
        if asked.target == number:
            return "own_number"
        return "" if self._destinations.wish(asked.target, number, Way.PAGE) else "no_such_target"

    def does(self, number: str, asked: Asked, rooms: Iterable[Room], now: float) -> list[News]:
        """The seat has asked for something; what makes no sense now changes nothing."""
        match asked.act:
            case Act.READY | Act.AWAY:
                return self._turns(number, asked, now)
            case Act.LOGIN | Act.LOGOUT:
                return self._moves(number, asked, now)
        room = _room_of(number, rooms)
        if room is not None and asked.act in (Act.ACCEPT, Act.DECLINE):
            return self._answers_transfer(number, asked.act, room)
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

    def _answers_transfer(self, number: str, act: Act, room: Room) -> list[News]:
        """The receiving seat takes the caller or does not, by the same events as its phone's keys."""
        if room.target is None or room.target.seat != number:
            return []
        if not room.target.is_open:
            rings = act is Act.DECLINE
            return [Happened(room, OfTarget(TargetDeclined("declined")))] if rings else []
        take, decline = self._answers
        return [Happened(room, OfTarget(DigitPressed(take if act is Act.ACCEPT else decline)))]

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


def _matter(room: Room) -> tuple[Matter, float]:
    matter, at = Matter.NONE, 0.0
    for fact in room.call.ledger:
        if fact.fact in _MATTERS:
            matter, at = _MATTERS[fact.fact], fact.at
    if matter in (Matter.ASKED, Matter.TRANSFER_ASKED) and not room.call.asks:
        # The seat came back before the caller had answered.
        return Matter.NONE, at
    return matter, at


def _comes_from(room: Room, number: str) -> str:
    """The other seat that the caller spoke with, also when that one has hung up meanwhile."""
    if room.seat is not None:
        return room.seat.seat if room.seat.seat != number else ""
    joined = [str(fact.details["seat"]) for fact in room.call.ledger if fact.fact == "call.joined"]
    return joined[-1] if joined and joined[-1] != number else ""


class _Standing(TypedDict):
    unheard: bool
    deaf: bool
    target: bool
    asked: bool


def _standing(room: Room, number: str, state: SeatState) -> _Standing:
    """Who hears the seat, and what is wanted of it."""
    target = room.target is not None and room.target.seat == number
    seat = room.seat if room.seat is not None and room.seat.seat == number else None
    talks = state is SeatState.TALKING
    return {
        "unheard": talks and (target or (seat is not None and seat.joined_at is None)),
        "deaf": seat is not None and seat.is_deaf,
        "target": target,
        "asked": target and room.call.target_awaits_key,
    }
