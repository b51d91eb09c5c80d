"""What becomes of a call when one of its legs is dead: the others are served, or told and let go of."""

from callflow.call.calls_from_seats import CallsFromSeats
from callflow.call.farewells import Farewells
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import Happened, News
from callflow.call.room import Room
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.call.transferring import Transferring
from callflow.events import LOST_MEDIA, CallerLost, Party, SeatLost
from callflow.sip.calls import Calls
from callflow.sip.happenings import Ended


class LostLegs:
    """Ends dead legs, by what they are to their calls."""

    def __init__(
        self,
        table: CallTable,
        lines: Lines,
        calls: Calls,
        switchboard: Switchboard,
        transferring: Transferring,
        from_seats: CallsFromSeats,
        farewells: Farewells,
    ) -> None:
        self._table = table
        self._lines = lines
        self._calls = calls
        self._switchboard = switchboard
        self._transferring = transferring
        self._from_seats = from_seats
        self._farewells = farewells

    def is_left_to_rules(self, leg: Leg) -> bool:
        """Whether the rules about silent lines look after the leg's caller: no seat does, or is sought."""
        room = self._table.get(leg.call)
        if room is None or not room.call.watches_line:
            return False
        others = (room.seat, room.recall, room.target)
        return not any(others) and room.name not in self._switchboard.queues

    def is_plain(self, leg: Leg) -> bool:
        """Whether the leg's call is an emergency, or one between colleagues."""
        room = self._table.get(leg.call)
        return room is not None and room.is_plain

    def doubt(self, leg: Leg, now: float) -> list[News]:
        """The leg's peer may not be there: no seat is rung for such a caller."""
        if leg.party is Party.CALLER:
            self._switchboard.queues.hold_back(leg.call)
        return []

    def trust(self, leg: Leg, now: float) -> list[News]:
        """The leg's peer is there: seats are rung again for its caller."""
        return self._switchboard.let_go_on(leg.call, now) if leg.party is Party.CALLER else []

    def end(self, leg: Leg, now: float) -> list[News]:
        """Nothing comes from the leg any more, and nobody has answered for it."""
        if leg in self._farewells:
            return self._farewells.drop(leg, now)
        if leg.call in self._from_seats:
            told = self._from_seats.told(leg, Ended(leg.session, LOST_MEDIA), now)
            return [*self._calls.hang_up(leg.session, LOST_MEDIA, now), *told]
        room = self._table.get(leg.call)
        if room is None:
            return [*self._lines.end(leg, LOST_MEDIA, now)]
        match leg.party:
            case Party.SEAT:
                return self._seat(room, leg, now)
            case Party.TARGET:
                ended = self._calls.hang_up(leg.session, LOST_MEDIA, now)
                return [*ended, *self._transferring.lost(room, leg, now)]
        return self._caller(room, now)

    def _caller(self, room: Room, now: float) -> list[News]:
        """The seat is told and released at once; the caller, who may hear us yet, has the last words."""
        left = [*self._switchboard.left(room, now), *self._from_seats.ended(room, now)]
        for leg in room.listening():
            left += self._farewells.begin(leg, room.call.caller_gone, now)
        return [*left, *room.let_others_go(now), Happened(room, CallerLost())]

    def _seat(self, room: Room, leg: Leg, now: float) -> list[News]:
        if leg is not room.seat:
            # The old leg of a seat that has transferred its call, or a phone that was rung.
            return [*room.let_leave(now)] if leg is room.leaving else []
        released = room.release_seat(now)
        lost = self._switchboard.lost(leg.seat, now)
        return [*released, *lost, Happened(room, SeatLost(is_dead=True))]
