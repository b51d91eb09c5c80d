"""The table of calls: every call that is not over, with its legs, and the one deadline of each."""

from callflow.agenda import Agenda
from callflow.call.ledger import Ledger
from callflow.call.room import Room


class CallTable(dict[str, Room]):
    """The calls by their names. A call that a seat makes is in here from its answer on.

    Calls come and go by `add` and `remove` alone, which keep their deadlines too.
    """

    def __init__(self, agenda: Agenda[str]) -> None:
        """`agenda` keeps when each call wants to be woken."""
        super().__init__()
        self._agenda = agenda

    def now_standing(self) -> list[Room]:
        """All calls as they are now; they may begin and end meanwhile."""
        return [*self.values()]

    def served_by(self, seat: str) -> Room | None:
        """The call that a seat serves."""
        return next((room for room in self.values() if room.seat and room.seat.seat == seat), None)

    def ledger_of(self, name: str) -> Ledger | None:
        """The ledger of a call; None where it is over."""
        room = self.get(name)
        return room.call.ledger if room else None

    def add(self, room: Room) -> None:
        self[room.name] = room

    def remove(self, room: Room) -> bool:
        """The call is over. Whether it stood in the table."""
        self._agenda.put(room.name, None)
        return self.pop(room.name, None) is not None

    # --- deadlines ---

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    def watch(self, room: Room) -> None:
        """Wake the call at its deadline, if it is not over."""
        if room.name in self:
            self._agenda.put(room.name, room.deadline)

    def take_due(self, now: float) -> list[Room]:
        """The calls whose deadline has come; they have none until they are watched again."""
        return [self[name] for name in self._agenda.take_due(now)]
