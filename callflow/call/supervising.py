"""A supervisor who listens to a call, whispers to its seat, or joins it: from its phone, by `*54` to `*56`.

Only a seat that is a supervisor may; each time is a fact in the call's ledger, and so is each change by the
keys 1 (listen), 2 (whisper) and 3 (join). Nothing of it changes the house's manners: who waits hears what it
would hear anyhow, and the supervisor hears what the two say to each other.
"""

from typing import Final

from callflow.call.answered_phone import AnsweredPhone
from callflow.call.dial_plan import Attend, Attendance
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import News
from callflow.call.room import Room
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.errors import PeerError
from callflow.events import DigitPressed, Event, PromptFinished
from callflow.media.messages import Play
from callflow.sip.calls import Calls
from callflow.sip.happenings import KeySignalled, Told

SAYS: Final = {
    Attendance.LISTEN: "supervising_listen",
    Attendance.WHISPER: "supervising_whisper",
    Attendance.BARGE: "supervising_barge",
}
"""What the supervisor hears before it hears the call, and when it changes."""
KEYS: Final = {"1": Attendance.LISTEN, "2": Attendance.WHISPER, "3": Attendance.BARGE}


class Supervising(AnsweredPhone):
    """One supervisor's call, from its INVITE to its end or the end of the call that it attends."""

    def __init__(
        self,
        phone: Leg,
        attend: Attend,
        room: Room,
        lines: Lines,
        calls: Calls,
        switchboard: Switchboard,
        table: CallTable,
    ) -> None:
        super().__init__(phone, SAYS[attend.mode], lines, calls)
        self._mode = attend.mode
        self._attended_seat = attend.seat
        self._room = room
        self._switchboard = switchboard
        self._table = table
        self._attends = False

    def begin(self, now: float) -> list[News]:
        if self._phone.seat:
            self._switchboard.calls(self._phone.seat, now)
        return super().begin(now)

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        if isinstance(told, KeySignalled):
            return self._pressed(told.key, now)
        return super().told(leg, told, now)

    def heard(self, event: Event, now: float) -> list[News]:
        match event:
            case PromptFinished() if not self._attends:
                return self._go_on(now)
            case DigitPressed(digit=key):
                return self._pressed(key, now)
        return []

    def attends(self, room: Room) -> bool:
        """Whether it is that call."""
        return self._room is room

    def _go_on(self, now: float) -> list[News]:
        """From now on the call is heard."""
        self.deadline = None
        if self._attends or self.is_over:
            return []
        if self._table.served_by(self._attended_seat) is not self._room:
            return self.stop(now)
        self._attends = True
        self._note("supervision.started", now)
        return [*self._room.attend(self._phone, self._mode, now)]

    def _pressed(self, key: str, now: float) -> list[News]:
        mode = KEYS.get(key)
        if mode is None or mode is self._mode or not self._attends:
            return []
        self._mode = mode
        self._note("supervision.changed", now)
        return [*self._room.attend(self._phone, mode, now), Play(self._phone.media, SAYS[mode])]

    def _over(self, now: float) -> list[News]:
        left: list[News] = []
        if self._attends:
            self._note("supervision.ended", now)
            left = [*self._room.attend_no_longer(now)]
        return [*left, *super()._over(now), *self._switchboard.put_down(self._phone.seat, now)]

    def _note(self, fact: str, now: float) -> None:
        self._room.call.ledger.write_of(self._phone.name, now, fact, None, mode=self._mode)


def attendable(room: Room | None) -> Room:
    """The call that a seat serves. Raises `PeerError` where it serves none, or is attended already."""
    if room is None or room.is_plain or room.seat is None:
        raise PeerError(480, "Temporarily Unavailable")
    if room.supervisor is not None:
        raise PeerError(486, "Busy Here")
    return room
