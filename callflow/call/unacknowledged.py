"""Answers that no caller's side acknowledges: the seat that has picked up is not left to listen to nothing.

Without its ACK a 200 is repeated for 32 s (RFC 3261 §13.3.1.4). A caller who waited before the answer may
have gone in the meantime, and a seat that has picked up for it hears nobody: it is told after 15 s.
"""

from functools import partial
from typing import Final

from callflow.call.news import Happened, News, Task
from callflow.call.room import Room
from callflow.events import NO_ACK, HungUp, Party
from callflow.sip.calls import Calls

PATIENCE: Final = 15.0
"""Seconds; a 200 has been sent seven times by then."""


class Unacknowledged:
    """The calls that are answered, and not acknowledged yet."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._waiting: dict[str, tuple[Room, float]] = {}
        """By the call's name, and until when its ACK is waited for (seconds)."""

    @property
    def deadline(self) -> float | None:
        return min((until for _, until in self._waiting.values()), default=None)

    def answered(self, room: Room, now: float) -> list[News]:
        """Our 200 has left."""
        self._waiting[room.name] = room, now + PATIENCE
        return []

    def over(self, room: Room) -> list[News]:
        """The ACK has come, or the call has ended."""
        self._waiting.pop(room.name, None)
        return []

    def tick(self, now: float) -> list[News]:
        """Calls without an ACK end where a seat waits for it; the others have the 32 s of the RFC."""
        due = [room for room, until in self._waiting.values() if now >= until]
        for room in due:
            del self._waiting[room.name]
        ends = [room for room in due if not room.call.ended and not room.caller.is_established and room.seat]
        return [Task(room, partial(self._end, room, now)) for room in ends]

    def _end(self, room: Room, now: float) -> list[News]:
        bye = self._calls.hang_up(room.caller.session, NO_ACK, now)
        return [*bye, Happened(room, HungUp(Party.CALLFLOW, NO_ACK))]
