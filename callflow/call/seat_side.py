"""The owner of seats' legs: what their phones say and do, as news for calls (answers, holds, keys, ends)."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from callflow.call.calling import heard_as
from callflow.call.destinations import UPWARDS, Destinations
from callflow.call.feature_codes import Code, PassOn
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import Happened, News, Task
from callflow.call.room import Room
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.call.transferring import Transferring
from callflow.errors import PeerError
from callflow.events import (
    LONGEST_ESTIMATE,
    AnswerAttested,
    DigitPressed,
    Event,
    HoldRequested,
    LineRequested,
    LineWish,
    NuisanceCalled,
    OfSeat,
    RecallAnswered,
    RecallFailed,
    RecallRinging,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRequested,
    Way,
)
from callflow.media.messages import SendDigits
from callflow.sip.calls import Calls
from callflow.sip.happenings import (
    Accepted,
    Answered,
    Counted,
    Declined,
    Ended,
    KeySignalled,
    Progressed,
    Reanswered,
    Referred,
    Reoffered,
    Told,
)

MENU: Final[Mapping[str, Event]] = {
    "1": LineRequested(LineWish.LOUDER, Way.CODE),
    "2": LineRequested(LineWish.SOFTER, Way.CODE),
    "3": LineRequested(LineWish.APOLOGISE, Way.CODE),
    "4": LineRequested(LineWish.LIFT_HANDSET, Way.CODE),
    "5": LineRequested(LineWish.TOO_QUIET, Way.CODE),
    "6": LineRequested(LineWish.TOO_NOISY, Way.CODE),
    "7": LineRequested(LineWish.SILENT, Way.CODE),
    "8": NuisanceCalled(),
    "0": LineRequested(LineWish.STOP, Way.CODE),
}
"""By the digit after `*4`: the seat's hand stays on its keys while it listens."""


class SeatSide:
    """Turns what the signalling and the plane tell of seats' legs into events of their calls."""

    def __init__(
        self,
        table: CallTable,
        lines: Lines,
        calls: Calls,
        switchboard: Switchboard,
        destinations: Destinations,
        transferring: Transferring,
    ) -> None:
        self._table = table
        self._destinations = destinations
        self._transferring = transferring
        self._lines = lines
        self._calls = calls
        self._switchboard = switchboard

    def tick(self, room: Room, now: float) -> list[News]:
        """A key that was kept back was no code."""
        return self._coded(room, room.codes.tick(now))

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        """The seat's phone has said something."""
        room = self._table[leg.call]
        is_recall = leg is room.recall
        if isinstance(told, Referred):
            return self._transferring.referred(room, leg, told, now)
        if room.leaving and leg is room.leaving.leg:
            return self._leaves(room, leg, told, now)
        match told:
            case Progressed(status=status) if status >= 180 and not leg.rings:
                leg.rings = True
                if is_recall:
                    return [Happened(room, RecallRinging())]
                return self._switchboard.rings(room, leg)
            case Accepted(answer=answer):
                return self._seat_answered(room, leg, answer, now)
            case Declined(status=status) if is_recall:
                self._switchboard.pause(leg.seat, told, now)
                return [*room.declined(leg), Happened(room, RecallFailed(status))]
            case Declined():
                return self._switchboard.declined(room, leg, told, now)
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now), *self._seat_holds(room, leg, now)]
            case Reanswered(answer=answer) | Answered(answer=answer):
                return self._seat_reanswered(room, leg, answer, now)
            case KeySignalled(key=key) if leg.agreed and leg.agreed.event_type is None:
                return self._keyed(room, key, now)
            case Ended():
                return self._seat_ended(room, leg, told, now)
        return []

    def _seat_answered(self, room: Room, leg: Leg, answer: bytes, now: float) -> list[News]:
        try:
            opened = self._lines.accepted(leg, answer, now)
        except PeerError as error:
            bye = self._calls.hang_up(leg.session, "no usable answer", now)
            declined = Declined(leg.session, error.status, error.reason)
            return [*bye, Counted("odd", "no_answer"), *self.told(leg, declined, now)]
        # A phone may answer with its hold key pressed already, or be parked by a PBX.
        holds = Task(room, partial(self._seat_holds, room, leg, now))
        if leg is room.recall:
            return [*opened, Happened(room, RecallAnswered()), holds]
        return [*opened, *self._switchboard.picked_up(room, leg, now), holds]

    def _seat_reanswered(self, room: Room, leg: Leg, answer: bytes, now: float) -> list[News]:
        try:
            return [*self._lines.accepted(leg, answer, now), *self._seat_holds(room, leg, now)]
        except PeerError:
            return [Counted("odd", "no_answer")]

    def _seat_holds(self, room: Room, leg: Leg, now: float) -> list[News]:
        """Whether the seat's phone holds us now, or hears again."""
        if leg.agreed is None or leg is not room.seat or leg.agreed.peer_listens != leg.is_deaf:
            return []
        if leg.seat in self._switchboard.seats and self._switchboard.seats[leg.seat].plan.opaque:
            # What a PBX does to its own audio is no wish of the seat's.
            return []
        leg.is_deaf = not leg.is_deaf
        event = HoldRequested(Way.PHONE) if leg.is_deaf else SeatResumed(Way.PHONE)
        return [Happened(room, event)]

    def _seat_ended(self, room: Room, leg: Leg, ended: Ended, now: float) -> list[News]:
        if leg is room.recall:
            return [*room.declined(leg), Happened(room, RecallFailed(480))]
        talked = now - (leg.joined_at if leg.joined_at is not None else now)
        unheard = now - leg.quiet_since if leg.quiet_since is not None else 0.0
        closed = room.seat_left()
        if ended.reason == "gone":
            # Not even a re-INVITE is answered.
            lost = self._switchboard.lost(leg.seat, now)
            return [*closed, *lost, Happened(room, SeatLost(is_dead=True))]
        left = self._switchboard.hung_up(room, leg.seat, now)
        hung_up = ended.reason == "bye"
        event = SeatHungUp(talked, unheard, ended.by_fault) if hung_up else SeatLost()
        return [*closed, *left, Happened(room, event)]

    def _leaves(self, room: Room, leg: Leg, told: Told, now: float) -> list[News]:
        """A seat that has transferred its call: only its hang-up is waited for."""
        match told:
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now)]
            case Ended():
                room.leaving = None
                return [*self._lines.close(leg)]
        return []

    def heard(self, leg: Leg, event: Event, now: float) -> list[News]:
        """The seat is heard, or has been told something."""
        room, event = self._table[leg.call], heard_as(event)
        if leg is room.seat and room.call.seat_tells:
            # The seat speaks for the target alone: what it hears and presses is about that.
            return [Happened(room, OfSeat(event))]
        if isinstance(event, DigitPressed) and leg is room.seat:
            return self._keyed(room, event.digit, now)
        return []

    def lost(self, leg: Leg, now: float) -> list[News]:
        """The seat's phone has died: its caller hears an apology."""
        room = self._table[leg.call]
        if leg is not room.seat:
            # The old leg of a seat that has transferred its call, or a phone that was rung.
            return [*room.let_leave(now)] if room.leaving and leg is room.leaving.leg else []
        released = room.release_seat(now)
        lost = self._switchboard.lost(leg.seat, now)
        return [*released, *lost, Happened(room, SeatLost(is_dead=True))]

    def _keyed(self, room: Room, key: str, now: float) -> list[News]:
        done = self._coded(room, self._pressed(room, key, now))
        # A star is kept back for a while: the call wants to be woken when that is over.
        self._table.watch(room)
        return done

    def _pressed(self, room: Room, key: str, now: float) -> list[Code | PassOn]:
        """A key of the seat: an answer that it heard, the beginning of a code, or the caller's."""
        if room.call.asks and key in "12" and room.codes.deadline is None and room.seat:
            return [Code("attest", key)]
        return room.codes.press(key, now, minutes=room.call.names_minutes)

    def _coded(self, room: Room, codes: list[Code | PassOn]) -> list[News]:
        news: list[News] = []
        for code in codes:
            match code:
                case Code(key="1", number=number):
                    news.append(Happened(room, HoldRequested(Way.CODE, _minutes(number))))
                case Code(key="2"):
                    news.append(Happened(room, SeatResumed(Way.CODE)))
                case Code(key="3" | "3*" | "0") if wish := self._wish(room, code):
                    news.append(Happened(room, wish))
                case Code(key="4", number=number) if number in MENU:
                    news.append(Happened(room, MENU[number]))
                case Code(key="attest", number=number) if room.seat:
                    news.append(Happened(room, AnswerAttested(number == "1", room.seat.seat)))
                case Code(key=key):
                    news.append(Counted("odd", f"feature_code_{key}"))
                case PassOn(keys=keys) if room.seat and not room.call.keeps_keys:
                    news.append(SendDigits(room.caller.media, keys))
        return news

    def _wish(self, room: Room, code: Code) -> TransferRequested | None:
        """Whom the seat wants the call transferred to by a code; None where it may not."""
        seat = room.seat.seat if room.seat else ""
        whom = UPWARDS if code.key == "0" else code.number
        return self._destinations.wish(whom, seat, Way.CODE, own_words=code.key == "3*")


def _minutes(number: str) -> int | None:
    """What a seat keyed in after the code for hold; what makes no sense counts as nothing."""
    return int(number) if number and 1 <= int(number) <= LONGEST_ESTIMATE else None
