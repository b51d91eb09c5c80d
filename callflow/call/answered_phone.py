"""A phone that has dialled us, and not a person: answered, and after a moment told something."""

from abc import ABC, abstractmethod
from typing import Final

from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import News
from callflow.events import Event
from callflow.media.messages import Play
from callflow.sip.calls import Calls
from callflow.sip.happenings import Confirmed, Ended, Reoffered, Told

_SETTLE: Final = 0.2
"""Seconds from the ACK until the phone surely hears us."""
_LONGEST: Final = 8.0
"""Seconds after which a word has been heard, whatever the plane tells."""


class AnsweredPhone(ABC):
    """From its INVITE to the end of its call."""

    def __init__(self, phone: Leg, prompt: str, lines: Lines, calls: Calls) -> None:
        """`prompt` is what it is told first."""
        self.is_over = False
        self.deadline: float | None = None
        self._phone = phone
        self._prompt = prompt
        self._lines = lines
        self._calls = calls
        self._said = False

    def begin(self, now: float) -> list[News]:
        """200."""
        phone = self._phone
        assert phone.agreed is not None
        return [phone.go_by(phone.agreed), *self._calls.answer(phone.session, phone.description, now)]

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        match told:
            case Confirmed():
                self.deadline = now + _SETTLE
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now)]
            case Ended():
                return self._over(now)
        return []

    @abstractmethod
    def heard(self, event: Event, now: float) -> list[News]:
        """The plane tells of its leg."""

    def tick(self, now: float) -> list[News]:
        """The phone hears us by now, or has heard everything."""
        if self.deadline is None or now < self.deadline:
            return []
        if self._said:
            return self._go_on(now)
        self._said, self.deadline = True, now + _LONGEST
        return [Play(self._phone.media, self._prompt)]

    def stop(self, now: float) -> list[News]:
        """Hang up."""
        return [*self._calls.hang_up(self._phone.session, "", now), *self._over(now)]

    @abstractmethod
    def _go_on(self, now: float) -> list[News]:
        """It has been told."""

    def _over(self, now: float) -> list[News]:
        self.is_over, self.deadline = True, None
        return [*self._lines.close(self._phone)]
