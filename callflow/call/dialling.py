"""A seat's own call until it is answered: to a colleague, or outside by one trunk after the other.

What the far side tells on the way, its early media too, is passed on to the phone; what the phone gives up is
given up there. With the answer the two share a room like any seat and caller.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from callflow.call.call import Call
from callflow.call.calling import Calling
from callflow.call.leg import Leg, Side
from callflow.call.lines import Lines
from callflow.call.news import Connected, News
from callflow.call.phonebook import Place
from callflow.call.room import Room
from callflow.call.seats import SeatState
from callflow.call.switchboard import Switchboard
from callflow.call.ways_out import Outside, Way, WaysOut
from callflow.errors import PeerError
from callflow.events import Ending, Event, HungUp, Party, ending_of
from callflow.media.messages import Join
from callflow.sip.calls import Calls
from callflow.sip.happenings import Accepted, Counted, Declined, Ended, Progressed, Reoffered, Told
from callflow.sip.outgoing import Plan
from callflow.sip.refusal import NO_TRUNK

_PHRASES: Final = {180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued"}
_ANOTHER_WAY: Final = (408, 500, 502, 503, 504)
"""What says more of the trunk than of whom is called."""
_REASONS: Final[dict[int, Ending]] = {
    404: "no_such_number", 408: "no_answer", 480: "declined", 484: "no_such_number",
    486: "busy", 600: "busy", 603: "declined",
}  # fmt: skip
"""What the ledger says of a call that came to nothing; `failed` for the rest."""


@dataclass(slots=True)
class Errand:
    """Who calls whom."""

    call: Call
    phone: Leg
    """Of who calls; its `seat` is empty where the call is the phone's alone."""
    seat: str
    """The number of who calls; empty for a phone that nobody sits at."""
    number: str = field(repr=False)
    to: Way | Outside | None
    """The colleague's phone, or a number outside; None where the colleague cannot be rung."""
    calling: Calling
    """What the seat's phone shows when it is rung anew in this call."""
    colleague: str = ""
    """The seat that is called, where it is one."""
    is_plain: bool = False
    failure: PeerError = field(default_factory=lambda: PeerError(503, NO_TRUNK))
    """Why there is no way, where there is none."""
    tried: int = 0
    """Ways that came to nothing, or are being tried."""


class Dialling:
    """From the phone's INVITE to the answer, or to the end of all ways."""

    def __init__(
        self, errand: Errand, ways_out: WaysOut, lines: Lines, calls: Calls, switchboard: Switchboard
    ) -> None:
        self.is_over = False
        self.deadline: float | None = None
        self._errand = errand
        self._ways_out = ways_out
        self._lines = lines
        self._calls = calls
        self._switchboard = switchboard
        self._far: Leg | None = None
        self._place: Place | None = None
        self._began = 0.0

    def begin(self, now: float) -> list[News]:
        errand, self._began = self._errand, now
        details = {"seat": errand.seat, "called": errand.number}
        errand.call.ledger.write_of(errand.phone.name, now, "call.dialled", None, **details)
        if errand.phone.seat:
            self._switchboard.calls(errand.phone.seat, now)
        return self._go_on(errand.failure, now)

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        """Either side has said something."""
        match told:
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now)]
            case Ended(reason=reason) if leg is self._errand.phone:
                return self._given_up(Party.SEAT, ending_of(reason), now)
            case Progressed(status=status, answer=answer):
                return self._progressed(leg, status, answer, now)
            case Accepted(answer=answer):
                return self._answered(leg, answer, now)
            case Declined(status=status, reason=reason):
                return self._declined(leg, PeerError(status, reason), now)
        return []

    def heard(self, event: Event, now: float) -> list[News]:
        """What sounds before the answer is nobody's words."""
        return []

    def tick(self, now: float) -> list[News]:
        return []

    def hand_over(self, now: float) -> tuple[Leg, Place | None, list[News]] | None:
        """Who calls wants a caller transferred to whom it calls: that phone rings on for the transfer.

        Gives the leg that rings, where it is, and what ends the call of the phone. None where nobody rings.
        """
        errand, far = self._errand, self._far
        if far is None or not errand.colleague:
            return None
        self.is_over, self._far = True, None
        ended = self._calls.refuse(errand.phone.session, PeerError(487, "Request Terminated"), now)
        errand.call.receive(HungUp(Party.SEAT, "transferred"), now)
        freed = self._switchboard.put_down(errand.phone.seat, now) if errand.phone.seat else []
        return far, self._place, [*ended, *self._lines.close(errand.phone), *freed]

    def stop(self, now: float) -> list[News]:
        """The service ends."""
        refused = self._calls.refuse(self._errand.phone.session, PeerError(503, "Service Unavailable"), now)
        return [*refused, *self._given_up(Party.CALLFLOW, "service_stops", now)]

    # --- one way after the other ---

    def _go_on(self, failure: PeerError, now: float) -> list[News]:
        """Try the next way; when there is none, the phone is told how the last one failed."""
        while (way := self._next_way(now)) is not None:
            try:
                return self._try(way, now)
            except PeerError as error:
                failure = error
        return self._came_to_nothing(failure, now)

    def _next_way(self, now: float) -> Way | None:
        errand = self._errand
        tried, errand.tried = errand.tried, errand.tried + 1
        if isinstance(errand.to, Outside):
            return self._ways_out.nth(tried, errand.to, now)
        return errand.to if not tried else None

    def _try(self, way: Way, now: float) -> list[News]:
        """Raises `PeerError`."""
        errand, colleague = self._errand, self._errand.colleague
        if not way.hops:
            raise PeerError(503, NO_TRUNK)
        law = errand.phone.agreed.law if errand.phone.agreed else None
        party = Party.SEAT if colleague else Party.CALLER
        name, host = errand.call.ledger.call, way.hops[0].address[0]
        leg = self._lines.prepare(name, colleague, host, law, now, party)
        leg.side, leg.trunk = Side.FROM_SEAT, way.trunk
        hops_left = max(errand.calling.hops_left - 1, 0)
        plan = Plan(
            way.target,
            way.caller,
            leg.description,
            way.hops,
            way.fields,
            max_forwards=hops_left,
            prover=way.prover,
            has_other_ways=not way.is_last,
        )
        session, sent = self._calls.invite(plan, now)
        for output in sent:
            if isinstance(output, Declined):
                self._lines.close(leg)
                raise PeerError(output.status, output.reason)
        self._lines.begun(leg, session)
        self._far, self._place = leg, way.place
        rings = self._switchboard.turn(colleague, SeatState.RINGING, now) if colleague else []
        return [*sent, *rings]

    # --- what the far side says ---

    def _progressed(self, far: Leg, status: int, answer: bytes, now: float) -> list[News]:
        phone = self._errand.phone
        early = self._begin_early(far, answer, now)
        if status == 180 and not far.rings:
            far.rings = True
            self._errand.call.ledger.write_of(far.name, now, "call.ringing")
        phrase = _PHRASES.get(status, "Session Progress")
        sdp = phone.description if far.is_open else b""
        return [*early, *self._calls.ring(phone.session, now, status, phrase, sdp)]

    def _begin_early(self, far: Leg, answer: bytes, now: float) -> list[News]:
        """The far side's tones and announcements are heard before it answers."""
        if not answer or far.is_open:
            return []
        try:
            opened = self._lines.accepted(far, answer, now)
        except PeerError:
            return [Counted("odd", "no_answer")]
        return [*opened, *self._open_phone(), Join(far.media, self._errand.phone.media)]

    def _open_phone(self) -> list[News]:
        phone = self._errand.phone
        return [] if phone.is_open or phone.agreed is None else [phone.go_by(phone.agreed)]

    def _answered(self, far: Leg, answer: bytes, now: float) -> list[News]:
        phone, opened = self._errand.phone, list[News]()
        try:
            if answer or far.agreed is None:
                opened += self._lines.accepted(far, answer, now)
        except PeerError:
            bye = self._calls.hang_up(far.session, "no usable answer", now)
            failed = self._came_to_nothing(PeerError(502, "Bad Gateway"), now)
            return [*bye, Counted("odd", "no_answer"), *failed]
        opened += self._open_phone()
        ok = self._calls.answer(phone.session, phone.description, now)
        return [*opened, *ok, *self._connect(far, now)]

    def _connect(self, far: Leg, now: float) -> list[News]:
        self.is_over = True
        errand = self._errand
        waited = round(now - self._began, 3)
        errand.call.ledger.write_of(far.name, now, "call.picked_up", waited=waited)
        caller, seat = (errand.phone, far) if errand.colleague else (far, errand.phone)
        caller.takes_part(Party.CALLER)
        seat.takes_part(Party.SEAT)
        room = Room(
            errand.call, errand.calling, self._calls, self._lines, caller=caller, is_plain=errand.is_plain
        )
        room.queue = self._switchboard.queue_of(errand.seat)
        if errand.colleague:
            talks = self._switchboard.turn(errand.colleague, SeatState.TALKING, now)
        else:
            self._place, talks = self._switchboard.place_of(errand.phone.seat, now), []
        joined = room.connected(seat, self._place, now)
        return [*talks, *joined, Connected(room, errand.colleague or errand.seat)]

    def _declined(self, far: Leg, failure: PeerError, now: float) -> list[News]:
        self._far = None
        closed = self._lines.close(far)
        if failure.status in _ANOTHER_WAY and not far.rings:
            return [*closed, *self._go_on(failure, now)]
        return [*closed, *self._came_to_nothing(failure, now)]

    # --- how it can end ---

    def _came_to_nothing(self, failure: PeerError, now: float) -> list[News]:
        refused = self._calls.refuse(self._errand.phone.session, passed_back(failure), now)
        why: Ending = _REASONS.get(failure.status, "failed")
        return [*refused, *self._over(HungUp(Party.CALLFLOW, why), now)]

    def _given_up(self, by: Party, reason: Ending | Literal[""], now: float) -> list[News]:
        far = self._far
        cancelled = self._calls.hang_up(far.session, "", now) if far else []
        return [*cancelled, *self._over(HungUp(by, reason), now)]

    def _over(self, ended: HungUp, now: float) -> list[News]:
        self.is_over = True
        errand = self._errand
        errand.call.receive(ended, now)
        legs = [leg for leg in (self._far, errand.phone) if leg is not None]
        closed = [effect for leg in legs for effect in self._lines.close(leg)]
        rang = errand.colleague if self._place is not None else ""
        freed = [self._switchboard.put_down(seat, now) for seat in (errand.phone.seat, rang)]
        return [*closed, *freed[0], *freed[1]]


def passed_back(failure: PeerError) -> PeerError:
    """What the phone is told of it: a challenge to us and a redirection are none of its business."""
    match failure.status:
        case 401 | 407:
            return PeerError(502, "Bad Gateway")
        case status if status < 400:
            return PeerError(502, "Bad Gateway")
        case 408 | 487:
            return PeerError(480, "Temporarily Unavailable")
    return PeerError(failure.status, failure.reason or "Failed")
