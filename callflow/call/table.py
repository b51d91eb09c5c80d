"""The table of calls: every call that is not over, with its legs, and the one deadline of each."""

from collections.abc import Iterator, Mapping

from callflow.agenda import Agenda
from callflow.call.ledger import Ledger
from callflow.call.room import Room


class CallTable(Mapping[str, Room]):
    """The calls by their names. A call that a seat makes is in here from its answer on."""

    def __init__(self, agenda: Agenda[str]) -> None:
        """`agenda` keeps when each call wants to be woken."""
        self._rooms: dict[str, Room] = {}
        self._agenda = agenda

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rooms)

    def __contains__(self, name: object) -> bool:
        return name in self._rooms

    def __getitem__(self, name: str) -> Room:
        return self._rooms[name]

    def now_standing(self) -> list[Room]:
        """All calls as they are now; they may begin and end meanwhile."""
        return [*self._rooms.values()]

    def served_by(self, seat: str) -> Room | None:
        """The call that a seat serves."""
        return next((room for room in self._rooms.values() if room.seat and room.seat.seat == seat), None)

    def ledger_of(self, name: str) -> Ledger | None:
        """The ledger of a call; None where it is over."""
        room = self._rooms.get(name)
        return room.call.ledger if room else None

    def add(self, room: Room) -> None:
        self._rooms[room.name] = room

    def remove(self, room: Room) -> bool:
        """The call is over. Whether it stood in the table."""
        self._agenda.put(room.name, None)
        return self._rooms.pop(room.name, None) is not None

    # --- deadlines ---

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    def watch(self, room: Room) -> None:
        """Wake the call at its deadline, if it is not over."""
        if room.name in self._rooms:
            self._agenda.put(room.name, room.deadline)

    def take_due(self, now: float) -> list[Room]:
        """The calls whose deadline has come; they have none until they are watched again."""
        return [self._rooms[name] for name in self._agenda.take_due(now)]
