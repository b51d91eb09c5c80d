"""The receiving seat of a transfer: rung, listened to, joined, or let go of."""

from collections.abc import Callable
from math import ceil

from callflow.actions import Action, DropTarget, JoinTarget, Notice, RingTarget
from callflow.call.calling import heard_as
from callflow.call.destinations import Destinations
from callflow.call.elsewhere import Elsewhere, elsewhere
from callflow.call.leg import Effect, Leg
from callflow.call.lines import Lines
from callflow.call.news import Deserted, Happened, News
from callflow.call.phonebook import Place
from callflow.call.room import Room
from callflow.call.seats import FREE, Seat, SeatState
from callflow.call.switchboard import Switchboard, why_declined
from callflow.call.table import CallTable
from callflow.call.transfer_attempt import BUSY, DECLINED, TIMEOUT, UNAVAILABLE
from callflow.errors import PeerError
from callflow.events import (
    LOST_MEDIA,
    Event,
    LineJudged,
    OfTarget,
    TargetAnswered,
    TargetDeclined,
    TargetHungUp,
    TargetRinging,
    TransferRequested,
    Way,
)
from callflow.media.messages import Play
from callflow.sip.calls import Calls
from callflow.sip.happenings import (
    Accepted,
    Answered,
    Counted,
    Declined,
    Ended,
    Invited,
    Progressed,
    Reanswered,
    Referred,
    Reoffered,
    Told,
)
from callflow.sip.identity import number as number_of
from callflow.sip.replaces import Replaces
from callflow.sip.trunks import Trunks
from callflow.sip.uri import Uri

_BUSY = frozenset(
    {SeatState.RINGING, SeatState.TALKING, SeatState.HOLDING, SeatState.WRAP_UP, SeatState.PAUSED}
)


class Transferring:
    """What targets' phones say and do, as news for the calls; and what the calls want done with them."""

    def __init__(
        self,
        lines: Lines,
        calls: Calls,
        switchboard: Switchboard,
        destinations: Destinations,
        table: CallTable,
        trunks: Trunks,
        hand_over: Callable[[str, float], tuple[Leg, Place | None, list[News]] | None],
    ) -> None:
        """`hand_over` gives the phone that rings for a call of a seat's own."""
        self._hand_over = hand_over
        self._trunks = trunks
        self._destinations = destinations
        self._table = table
        self._lines = lines
        self._calls = calls
        self._switchboard = switchboard

    def performed(self, room: Room, action: Action, now: float) -> list[News]:
        """Do what a call wants of a target."""
        match action:
            case RingTarget() if room.target is not None and not room.target.is_open:
                # It rings already: the seat has called it, and transfers before it has picked up.
                room.transfer.is_agreed, room.transfer.status = True, TIMEOUT
                return []
            case RingTarget() if room.target is None and room.transfer.outside is not None:
                return self._ring_elsewhere(room, room.transfer.outside, now)
            case RingTarget(target=queue, queue=True) if room.target is None:
                room.transfer.status = UNAVAILABLE
                return self._switchboard.seek(room, queue, now)
            case RingTarget(target=target):
                return self._ring(room, target, now)
            case DropTarget(why=why):
                return self._let_go(room, why, now)
            case JoinTarget() if room.target:
                return self._join(room, now)
        return []

    def referred(self, room: Room, leg: Leg, refer: Referred, now: float) -> list[News]:
        """A seat's phone wants the call transferred (RFC 3515): to a seat of ours, and nowhere else."""
        number = number_of(refer.target)
        if leg is not room.seat or room.transfer.referral is not None or room.call.transfers:
            return [*self._calls.refuse_referral(leg.session, PeerError(603, "Decline"), now)]
        if refer.replaces is not None:
            return self._attended(room, leg, refer, refer.replaces, now)
        wish = self._destinations.wish(number, leg.seat, Way.PHONE)
        if wish is None:
            return [*self._calls.refuse_referral(leg.session, PeerError(403, "Forbidden"), now)]
        room.transfer.referral = leg
        return [*self._calls.accept_referral(leg.session, now), Happened(room, wish)]

    def called(self, invited: Invited, seat: Seat | None, now: float) -> list[News]:
        """A seat's phone wants to take the place of another's (RFC 3891), because that one has asked it to.

        It is put through like any target: it waits until the caller has agreed, and agrees itself.
        Raises `PeerError`: 481 where nobody is served there, 403 without the word of the seat that serves
        (RFC 3892), 486 for a seat that is in a call, 603 where somebody is called already.
        """
        served = self._lines.get(invited.replaces)
        room = self._table.get(served.call) if served else None
        if served is None or room is None or room.is_plain or room.seat is not served:
            raise PeerError(481, "Call/Transaction Does Not Exist")
        if seat is None or seat.number == served.seat or not self._is_asked(invited, served):
            raise PeerError(403, "Forbidden")
        if seat.state not in FREE:
            raise PeerError(486, "Busy Here")
        if room.call.transfers:
            raise PeerError(603, "Decline")
        return self._take_in(room, invited, seat, now)

    def shown(self, room: Room, notice: Notice, now: float) -> list[News]:
        """What a seat is shown, its phone is told as the answer of the call that it asked for."""
        told: list[Effect]
        match notice:
            case Notice.TARGET_RINGS:
                return [*self._tell(room, 180, "Ringing", now)]
            case Notice.CALLER_STAYS | Notice.TOO_OFTEN:
                told = self._tell(room, 603, "Decline", now, over=True)
            case Notice.TAKEN_BACK:
                told = self._tell(room, 487, "Request Terminated", now, over=True)
            case Notice.TARGET_NOT_THERE:
                told = self._tell(room, *room.transfer.status, now, over=True)
            case _:
                return []
        return [*told, *self._let_go(room, notice, now)]

    def tick(self, room: Room, now: float) -> list[News]:
        """A phone that was told of its transfer, and did not hang up, is hung up for."""
        is_due = room.leaving is not None and now >= room.leaving.until
        return [*room.let_leave(now)] if is_due else []

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        """A target's phone has said something."""
        room = self._table[leg.call]
        match told:
            case Referred():
                # Who does not serve the caller passes nobody on.
                return self.referred(room, leg, told, now)
            case Progressed(status=status) if status >= 180 and not leg.rings:
                leg.rings = True
                return [Happened(room, OfTarget(TargetRinging()))]
            case Accepted(answer=answer):
                return self._answered(room, leg, answer, now)
            case Declined() if leg is not room.target:
                return self._switchboard.declined(room, leg, told, now)
            case Declined(status=status, reason=reason):
                room.transfer.status = status, reason
                gone = self._gone(room, TargetDeclined(why_declined(status)), now)
                self._switchboard.pause(leg.seat, told, now)
                return gone
            case Ended():
                return self._gone(room, TargetHungUp(), now)
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now)]
            case Answered(answer=answer) | Reanswered(answer=answer):
                return self._reanswered(leg, answer, now)
        return []

    def lost(self, leg: Leg, now: float) -> list[News]:
        """The target's phone has died: it is hung up, and the call told so."""
        room = self._table[leg.call]
        ended = self._calls.hang_up(leg.session, LOST_MEDIA, now)
        if leg is not room.target:
            return [*ended, *room.declined(leg)]
        gone = self._gone(room, TargetHungUp(), now)
        return [*ended, *gone, *self._switchboard.lost(leg.seat, now)]

    def heard(self, leg: Leg, event: Event, now: float) -> list[News]:
        """The plane tells of a target's leg; how its line sounds is no rule's business."""
        if isinstance(event, LineJudged):
            return []
        return [Happened(self._table[leg.call], OfTarget(heard_as(event)))]

    # --- the rooms behind ---

    def _attended(self, room: Room, leg: Leg, refer: Referred, replaces: Replaces, now: float) -> list[News]:
        """The seat has spoken with the target already: that leg comes over, and nobody is rung."""
        room.transfer.referral = leg
        accepted = self._calls.accept_referral(leg.session, now)
        session = self._calls.replaced(replaces) or self._calls.unanswered(replaces)
        consult = self._lines.get(session) if session else None
        room.transfer.outside = elsewhere(self._trunks, refer) if consult is None else None
        if room.transfer.outside is not None:
            return [*accepted, Happened(room, room.transfer.outside.wish)]
        handed = self._hand_over(consult.call, now) if consult else None
        if handed is not None:
            rings, place, ended = handed
            room.adopt_ringing(rings, place)
            return [*accepted, *ended, Happened(room, TransferRequested(rings.seat, Way.PHONE))]
        other = self._table.get(consult.call) if consult else None
        target = other.seat if other and other.is_plain and other.caller is consult else None
        if other is None or target is None or target.seat not in self._switchboard.seats:
            # Not a call between two seats of ours.
            return [*accepted, *self._tell(room, 481, "Call/Transaction Does Not Exist", now, over=True)]
        moved = room.adopt_target(other, target)
        wish = TransferRequested(target.seat, Way.PHONE)
        return [*accepted, Deserted(other), *moved, Happened(room, wish)]

    def _is_asked(self, invited: Invited, served: Leg) -> bool:
        """Whether the seat that serves the caller is named as who wants it so."""
        try:
            wants = number_of(Uri.parse(invited.referred_by))
        except PeerError:
            return False
        return wants in (served.seat, self._switchboard.seats[served.seat].phone)

    def _take_in(self, room: Room, invited: Invited, seat: Seat, now: float) -> list[News]:
        """Raises `PeerError`."""
        leg = self._lines.answer(room.name, invited, now)
        if leg.agreed is None:
            self._lines.close(leg)
            raise PeerError(488, "Offer Needed")
        leg.seat = seat.number
        room.adopt_ringing(leg, self._switchboard.place_of(seat.number, now))
        answered = self._calls.answer(leg.session, leg.description, now)
        opened = [leg.go_by(leg.agreed), *answered, Play(leg.media, room.call.please_wait)]
        talks = self._switchboard.turn(seat.number, SeatState.TALKING, now)
        return [*opened, *talks, Happened(room, TransferRequested(seat.number, Way.PHONE))]

    def _let_go(self, room: Room, why: str, now: float) -> list[News]:
        """The target is not wanted, or no longer."""
        room.transfer.outside = None
        sought = self._switchboard.seek_no_longer(room, now)
        if room.target is None:
            return sought
        seat = room.transfer.seat
        return [*sought, *room.drop_target(why, now), *self._switchboard.put_down(seat, now)]

    def _ring(self, room: Room, target: str, now: float) -> list[News]:
        if room.target is not None:
            return self._listens(room, now)
        board = self._switchboard
        number = board.serving(target, now, room.name)
        state = board.seats.state(board.seats[number], now)
        place = board.place_of(number, now)
        room.transfer.status = TIMEOUT
        if place is None or state is not SeatState.READY:
            declined = self._unavailable(board.seats[number], state, now)
            is_busy = declined.why == "busy"
            room.transfer.status = BUSY if is_busy else UNAVAILABLE
            return [Happened(room, OfTarget(declined))]
        try:
            rung = room.ring_target(number, place, now)
        except PeerError:
            return [Happened(room, OfTarget(TargetDeclined("failed")))]
        return [*rung, *board.turn(number, SeatState.RINGING, now)]

    def _ring_elsewhere(self, room: Room, there: Elsewhere, now: float) -> list[News]:
        room.transfer.status = TIMEOUT
        try:
            return [*room.ring_elsewhere(there, now)]
        except PeerError:
            return [Happened(room, OfTarget(TargetDeclined("failed")))]

    def _unavailable(self, seat: Seat, state: SeatState, now: float) -> TargetDeclined:
        """Why a seat is not even rung; of who is away also when it is back (crs-06)."""
        if state is SeatState.AWAY:
            minutes = max(ceil((seat.back_at - now) / 60), 1) if seat.back_at is not None else None
            return TargetDeclined("away", minutes)
        return TargetDeclined("busy" if state in _BUSY else "failed")

    def _answered(self, room: Room, leg: Leg, answer: bytes, now: float) -> list[News]:
        try:
            opened = self._lines.accepted(leg, answer, now)
        except PeerError:
            bye = self._calls.hang_up(leg.session, "no usable answer", now)
            declined = Declined(leg.session, 502, "Bad Gateway")
            return [*bye, Counted("odd", "no_answer"), *self.told(leg, declined, now)]
        if leg.agreed is not None and not leg.agreed.peer_listens:
            # A phone that answers on hold would hear neither the brief nor the caller.
            bye = self._calls.hang_up(leg.session, "on hold", now)
            declined = Declined(leg.session, 480, "Temporarily Unavailable")
            return [*opened, *bye, Counted("odd", "answered_on_hold"), *self.told(leg, declined, now)]
        others = self._switchboard.found(room, leg, now) if leg is not room.target else []
        talks = self._switchboard.turn(leg.seat, SeatState.TALKING, now)
        if room.transfer.is_adopted and not room.transfer.is_agreed:
            # The caller has not been heard yet.
            return [*opened, *talks, Play(leg.media, room.call.please_wait)]
        return [*opened, *others, *talks, *self._listens(room, now)]

    def _listens(self, room: Room, now: float) -> list[News]:
        """The target is there; it has not agreed."""
        # Not 200: a phone that hears of an answer takes itself for done, and hangs up.
        known = self._tell(room, 183, "Session Progress", now)
        room.transfer.status = DECLINED
        return [*known, Happened(room, OfTarget(TargetAnswered()))]

    def _reanswered(self, leg: Leg, answer: bytes, now: float) -> list[News]:
        try:
            return [*self._lines.accepted(leg, answer, now)]
        except PeerError:
            return [Counted("odd", "no_answer")]

    def _gone(self, room: Room, event: Event, now: float) -> list[News]:
        closed = room.target_left()
        put_down = self._switchboard.put_down(room.transfer.seat, now)
        return [*closed, *put_down, Happened(room, OfTarget(event))]

    def _join(self, room: Room, now: float) -> list[News]:
        before = room.seat.seat if room.seat else ""
        room.transfer.outside = None
        joined = room.join_target(now)
        known = self._tell(room, 200, "OK", now, over=True)
        rest = self._switchboard.hung_up(room, before, now) if before else []
        return [*joined, *known, *rest]

    def _tell(self, room: Room, status: int, reason: str, now: float, *, over: bool = False) -> list[Effect]:
        referral = room.transfer.referral
        if referral is None:
            return []
        if over:
            room.transfer.referral = None
        return [*self._calls.tell_referral(referral.session, status, reason, now, over=over)]
