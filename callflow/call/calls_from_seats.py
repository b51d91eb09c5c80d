"""Calls that come from seats' phones: proven, read by the dial plan, and led to whom they are for.

Whoever can make us call out can make us pay, so nothing happens before the phone has proven its password.
After that an emergency call is never refused: not to a phone that nobody sits at, and not because we have
calls enough.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from callflow.agenda import Agenda
from callflow.call.call import Call
from callflow.call.calling import Calling
from callflow.call.destinations import SUPERVISOR
from callflow.call.dial_plan import (
    Attend,
    CallsOut,
    DialPlan,
    Emergency,
    Meaning,
    Out,
    Refused,
    Service,
    ToSeat,
)
from callflow.call.dialling import Dialling, Errand
from callflow.call.leg import Leg, Side
from callflow.call.lines import Lines
from callflow.call.news import News
from callflow.call.phonebook import Place
from callflow.call.room import Room
from callflow.call.seats import FREE, Seat, SeatState
from callflow.call.service_call import REFUSED, ServiceCall, ServiceDesk
from callflow.call.supervising import Supervising, attendable
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.call.ways_out import Outside, Way, WaysOut
from callflow.errors import PeerError
from callflow.events import LOST_MEDIA, Event, Party
from callflow.guard import guarded, guarded_or
from callflow.sip.auth import Proof
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import Counted, Ended, Invited, Referred, Told
from callflow.sip.headers import NameAddress
from callflow.sip.refusal import full as at_limit
from callflow.sip.uri import Uri

UnderWay = ServiceCall | Dialling | Supervising
NewCall = Callable[[str, str, bool], Call]
"""Makes a call of that name, whose caller would go back to that queue; True for one without manners."""
_UNAVAILABLE: Final = (SeatState.AWAY, SeatState.OFFLINE, SeatState.UNREACHABLE)


class CallsFromSeats:
    """All of them that are not answered by whom they are for."""

    def __init__(
        self,
        plan: DialPlan,
        calls_out: CallsOut,
        endpoint: Endpoint,
        lines: Lines,
        switchboard: Switchboard,
        new_call: NewCall,
        host: str,
        replaces: Callable[[Invited, Seat | None, float], list[News]],
        table: CallTable,
    ) -> None:
        """`host` stands in the addresses of seats; `replaces` takes a seat's call in another's place."""
        self._replaces = replaces
        self._table = table
        self._plan = plan
        self._calls_out = calls_out
        self._proxy_auth = endpoint.proxy_auth
        self._ways_out = WaysOut(endpoint.trunks, calls_out.trunks)
        self._calls = endpoint.calls
        self._lines = lines
        self._switchboard = switchboard
        self._desk = ServiceDesk(switchboard)
        self._new_call = new_call
        self._host = host
        self._under_way: dict[str, UnderWay] = {}
        self._agenda: Agenda[str] = Agenda()

    def __contains__(self, call: str) -> bool:
        return call in self._under_way

    def __len__(self) -> int:
        return len(self._under_way)

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    def is_one(self, invited: Invited, now: float) -> bool:
        """Whether the INVITE says that it is a seat's phone's, or calls for help from any phone of ours."""
        claims = self._proxy_auth.claims(invited.session)
        return claims in self._switchboard.seats.phones or bool(self._calls_for_help(invited, now))

    def invited(self, name: str, invited: Invited, now: float, *, full: bool) -> list[News]:
        """A phone calls; `full`: we have as many calls as we may have."""
        session, in_need = invited.session, self._calls_for_help(invited, now)
        proof = Proof.RIGHT if in_need else self._proxy_auth.proof(session, now)
        if proof is not Proof.RIGHT:
            asked = self._proxy_auth.challenge(session, now, stale=proof is Proof.STALE)
            return [*asked, Counted("rejected", "407")]
        phone, meaning = in_need or self._proxy_auth.claims(session), self._plan.read(invited.called)
        try:
            if invited.replaces and not in_need:
                return self._replaces(invited, self._switchboard.seats.at(phone), now)
            if full and not isinstance(meaning, Emergency):
                raise at_limit()
            if not invited.offer:
                raise PeerError(488, "Offer Needed")
            return self._lead(name, phone, meaning, invited, now)
        except PeerError as error:
            return [*self._calls.refuse(session, error, now), Counted("rejected", str(error.status))]

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        """The phone, or whom it calls, has said something."""
        if isinstance(told, Referred):
            # Only a seat that serves a caller may pass the caller on.
            return [*self._calls.refuse_referral(leg.session, PeerError(403, "Forbidden"), now)]
        return self._guarded(leg.call, lambda one: one.told(leg, told, now), now)

    def hand_over(self, call: str, now: float) -> tuple[Leg, Place | None, list[News]] | None:
        """See `Dialling.hand_over`; None where the call is none that rings at a colleague."""
        one = self._under_way.get(call)
        handed = one.hand_over(now) if isinstance(one, Dialling) else None
        if one is not None and handed is not None:
            self._watch(call, one, [])
        return handed

    def heard(self, leg: Leg, event: Event, now: float) -> list[News]:
        """The plane tells of a leg."""
        return self._guarded(leg.call, lambda one: one.heard(event, now), now)

    def lost(self, leg: Leg, now: float) -> list[News]:
        """Nothing comes from the leg any more."""
        ended = self._calls.hang_up(leg.session, LOST_MEDIA, now)
        return [*ended, *self.told(leg, Ended(leg.session, LOST_MEDIA), now)]

    def tick(self, now: float) -> list[News]:
        news: list[News] = []
        for name in self._agenda.take_due(now):
            news += self._guarded(name, lambda one: one.tick(now), now)
        return news

    def drop(self, name: str, now: float) -> list[News]:
        """We have failed in this call: it ends, as far as it can be ended."""
        one = self._under_way.pop(name, None)
        self._agenda.put(name, None)
        if one is None:
            return []
        stopped = guarded(lambda: one.stop(now))
        legs = [leg for leg in self._lines if leg.call == name]
        ends = [partial(self._lines.end, leg, "fault", now) for leg in legs]
        return [*stopped, *(news for end in ends for news in guarded(end))]

    def ended(self, room: Room, now: float) -> list[News]:
        """A call is over, and so is whatever attends it."""
        news: list[News] = []
        for name, one in [*self._under_way.items()]:
            if isinstance(one, Supervising) and one.attends(room):
                news += self._watch(name, one, one.stop(now))
        return news

    def part(self, now: float) -> list[News]:
        """The service ends: whoever is not answered yet is refused."""
        ended: list[News] = []
        for name, one in [*self._under_way.items()]:
            ended += self._watch(name, one, one.stop(now))
        return ended

    # --- the rooms behind ---

    def _guarded(self, name: str, work: Callable[[UnderWay], list[News]], now: float) -> list[News]:
        """A fault here ends this call alone."""
        return guarded_or(lambda: self._worked(name, work), lambda: self.drop(name, now))

    def _worked(self, name: str, work: Callable[[UnderWay], list[News]]) -> list[News]:
        one = self._under_way[name]
        return self._watch(name, one, work(one))

    def _calls_for_help(self, invited: Invited, now: float) -> str:
        """The phone that calls an emergency number from where it has registered; empty for no such call.

        It is asked for no proof: a phone whose password has just been changed must reach the police.
        """
        is_emergency = isinstance(self._plan.read(invited.called), Emergency)
        return self._proxy_auth.registered_there(invited.session, now) if is_emergency else ""

    def _watch(self, name: str, one: UnderWay, news: list[News]) -> list[News]:
        if one.is_over:
            self._under_way.pop(name, None)
        self._agenda.put(name, None if one.is_over else one.deadline)
        return news

    def _lead(self, name: str, phone: str, meaning: Meaning, invited: Invited, now: float) -> list[News]:
        """Raises `PeerError`."""
        seat = self._switchboard.seats.at(phone)
        match meaning:
            case Service() | Refused(why="no_service"):
                return self._serve(name, phone, meaning, invited, now)
            case Emergency(number=number):
                return self._call_out(name, seat, number, invited, now, is_plain=True)
            case Refused(why=why):
                self._switchboard.refused(
                    f"seat {seat.number}" if seat else f"phone {phone}", "call", why, now
                )
                raise PeerError(403, "Forbidden")
            case _ if seat is None:
                self._switchboard.refused(f"phone {phone}", "call", "nobody_here", now)
                raise PeerError(403, "Log In First")
            case Attend():
                return self._attend(name, seat, meaning, invited, now)
            case ToSeat(seat=called):
                return self._call_colleague(name, seat, called, invited, now)
            case Out(number=number):
                return self._call_out(name, seat, number, invited, now)

    def _serve(
        self, name: str, phone: str, service: Service | Refused, invited: Invited, now: float
    ) -> list[News]:
        leg = self._leg(name, invited, Party.SEAT, None, now)
        prompt, done = REFUSED, list[News]()
        if isinstance(service, Service):
            prompt, done = self._desk.carry_out(service, phone, now)
        else:
            self._switchboard.refused(f"phone {phone}", "service", service.why, now)
        return [*done, *self._begin(name, ServiceCall(leg, prompt, self._lines, self._calls), now)]

    def _attend(self, name: str, seat: Seat, attend: Attend, invited: Invited, now: float) -> list[News]:
        """Raises `PeerError`."""
        if SUPERVISOR not in seat.plan.skills or attend.seat == seat.number:
            self._switchboard.refused(f"seat {seat.number}", attend.mode, "not_allowed", now)
            raise PeerError(403, "Forbidden")
        room = attendable(self._table.served_by(attend.seat))
        leg = self._leg(name, invited, Party.SEAT, seat, now)
        one = Supervising(leg, attend, room, self._lines, self._calls, self._switchboard, self._table)
        return self._begin(name, one, now)

    def _call_colleague(self, name: str, seat: Seat, called: str, invited: Invited, now: float) -> list[News]:
        leg = self._leg(name, invited, Party.CALLER, seat, now)
        colleague = self._switchboard.serving(called, now, name)
        seats = self._switchboard.seats
        state, place = seats.state(seats[colleague], now), self._switchboard.place_of(colleague, now)
        way: Way | None = None
        failure = PeerError(480, "Temporarily Unavailable")
        if state is SeatState.READY and colleague != seat.number and place is not None:
            way = Way(place.target, self._address(seat.number), place.hops, place=place)
        elif state not in _UNAVAILABLE:
            failure = PeerError(486, "Busy Here")
        calling = Calling(self._address(seat.number), called, invited.hops_left)
        call = self._new_call(name, "", True)
        errand = Errand(call, leg, seat.number, called, way, calling, colleague, True, failure)
        return self._dial(name, errand, now)

    def _call_out(
        self,
        name: str,
        seat: Seat | None,
        number: str,
        invited: Invited,
        now: float,
        *,
        is_plain: bool = False,
    ) -> list[News]:
        own = seat.number if seat else ""
        caller_id = (seat.plan.caller_id if seat else "") or self._calls_out.caller_id
        leg = self._leg(name, invited, Party.SEAT, seat, now)
        call = self._new_call(name, self._switchboard.queue_of(own), is_plain)
        calling = Calling(self._address(number), "", invited.hops_left)
        outside = Outside(number, caller_id, own, is_urgent=is_plain)
        return self._dial(name, Errand(call, leg, own, number, outside, calling, is_plain=is_plain), now)

    def _leg(self, name: str, invited: Invited, party: Party, seat: Seat | None, now: float) -> Leg:
        """The phone's. A seat that is in another call goes on with that: then this is the phone's alone."""
        leg = self._lines.answer(name, invited, now)
        leg.party, leg.side = party, Side.FROM_SEAT
        leg.seat = seat.number if seat and seat.state in FREE else ""
        return leg

    def _dial(self, name: str, errand: Errand, now: float) -> list[News]:
        return self._begin(
            name, Dialling(errand, self._ways_out, self._lines, self._calls, self._switchboard), now
        )

    def _begin(self, name: str, one: UnderWay, now: float) -> list[News]:
        self._under_way[name] = one
        return self._watch(name, one, one.begin(now))

    def _address(self, number: str) -> NameAddress:
        return NameAddress(Uri("sip", number, self._host))
