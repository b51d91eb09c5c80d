"""A supervisor who listens to a call, whispers to its seat, or joins it: from its phone, by `*54` to `*56`.

Only a seat that is a supervisor may; each time is a fact in the call's ledger, and so is each change by the
keys 1 (listen), 2 (whisper) and 3 (join). Nothing of it changes the house's manners: who waits hears what it
would hear anyhow, and the supervisor hears what the two say to each other.
"""

from collections.abc import Callable
from typing import Final

from callflow.call.dial_plan import Attendance
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.room import Room
from callflow.call.switchboard import News, Switchboard
from callflow.errors import PeerError
from callflow.events import DigitPressed, Event, PromptFinished
from callflow.media.messages import Play
from callflow.sip.calls import Calls
from callflow.sip.happenings import Confirmed, Ended, KeySignalled, Reoffered, Told

SAYS: Final = {
    Attendance.LISTEN: "supervising_listen",
    Attendance.WHISPER: "supervising_whisper",
    Attendance.BARGE: "supervising_barge",
}
"""What the supervisor hears before it hears the call, and when it changes."""
KEYS: Final = {"1": Attendance.LISTEN, "2": Attendance.WHISPER, "3": Attendance.BARGE}
_SETTLE: Final = 0.2
"""Seconds from the ACK until the phone surely hears us."""
_LONGEST: Final = 5.0
"""Seconds after which the words have been heard, whatever the plane tells."""


class Supervising:
    """One supervisor's call, from its INVITE to its end or the end of the call that it attends."""

    def __init__(
        self,
        phone: Leg,
        mode: Attendance,
        room: Room,
        lines: Lines,
        calls: Calls,
        switchboard: Switchboard,
        is_there: Callable[[str], bool],
    ) -> None:
        """`is_there` tells whether a call still goes on."""
        self.is_over = False
        self.deadline: float | None = None
        self._phone = phone
        self._mode = mode
        self._room = room
        self._lines = lines
        self._calls = calls
        self._switchboard = switchboard
        self._is_there = is_there
        self._said = self._attends = False

    def begin(self, now: float) -> list[News]:
        """200."""
        phone = self._phone
        assert phone.agreed is not None
        if phone.seat:
            self._switchboard.calls(phone.seat, now)
        return [phone.go_by(phone.agreed), *self._calls.answer(phone.session, phone.description, now)]

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        match told:
            case Confirmed():
                self.deadline = now + _SETTLE
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now)]
            case KeySignalled(key=key):
                return self._pressed(key, now)
            case Ended():
                return self._over(now)
        return []

    def heard(self, event: Event, now: float) -> list[News]:
        match event:
            case PromptFinished() if not self._attends:
                return self._attend(now)
            case DigitPressed(digit=key):
                return self._pressed(key, now)
        return []

    def tick(self, now: float) -> list[News]:
        if self.deadline is None or now < self.deadline:
            return []
        if self._said:
            return self._attend(now)
        self._said, self.deadline = True, now + _LONGEST
        return [Play(self._phone.media, SAYS[self._mode])]

    def stop(self, now: float) -> list[News]:
        """Hang up: the call that is attended is over, or the service ends."""
        return [*self._calls.hang_up(self._phone.session, "", now), *self._over(now)]

    def attends(self, room: Room) -> bool:
        """Whether it is that call."""
        return self._room is room

    def _attend(self, now: float) -> list[News]:
        """From now on the call is heard."""
        self.deadline = None
        if self._attends or self.is_over:
            return []
        if not self._is_there(self._room.name):
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
        self.is_over, self.deadline = True, None
        left: list[News] = []
        if self._attends:
            self._note("supervision.ended", now)
            left = [*self._room.attend_no_longer(now)]
        freed = self._switchboard.put_down(self._phone.seat, now)
        return [*left, *self._lines.close(self._phone), *freed]

    def _note(self, fact: str, now: float) -> None:
        self._room.call.ledger.write_of(self._phone.name, now, fact, None, mode=self._mode)


def attendable(room: Room | None) -> Room:
    """The call that a seat serves. Raises `PeerError` where it serves none, or is attended already."""
    if room is None or room.is_plain or room.seat is None:
        raise PeerError(480, "Temporarily Unavailable")
    if room.supervisor is not None:
        raise PeerError(486, "Busy Here")
    return room
