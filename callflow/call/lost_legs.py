"""What a dead leg is to its call: looked after by the rules, doubted, trusted, or ended by its owner."""

from callflow.call.leg import IN_CALL, Leg
from callflow.call.lines import Lines
from callflow.call.news import News
from callflow.call.owners import Owners
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.events import LOST_MEDIA, Party


class LostLegs:
    """Doubts and ends dead legs."""

    def __init__(self, table: CallTable, lines: Lines, switchboard: Switchboard, owners: Owners) -> None:
        self._table = table
        self._lines = lines
        self._switchboard = switchboard
        self._owners = owners

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
        if leg.side in IN_CALL and leg.call not in self._table:
            return [*self._lines.end(leg, LOST_MEDIA, now)]
        return self._owners.lost(leg, now)
