"""What the sender of one REFER is told of it, a NOTIFY at a time (RFC 3515 §2.4.4, RFC 6665 §4.2.2)."""

from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

LIFE: Final = 180
"""Seconds that a subscription stands: longer than any transfer asks, rings and waits."""
FINISHED: Final = "noresource"
"""Why a subscription ends when all is told (RFC 3515 §2.4.7)."""
RUN_OUT: Final = "timeout"
"""Why it ends when its time is over, or its subscriber wants no more (RFC 6665 §4.2.2)."""


class Notice(NamedTuple):
    """What a NOTIFY bears."""

    fields: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class Subscription:
    """One subscription to what becomes of a REFER; the latest news count, and the end is the last."""

    event: str
    """The value of Event."""
    until: float
    """When it runs out; seconds of the machines' clock."""
    _line: str = "SIP/2.0 100 Trying"
    _end: str = ""
    _is_news: bool = True
    _in_flight: bool = False

    @property
    def ends(self) -> bool:
        """Whether its last NOTIFY has left or will leave next."""
        return bool(self._end)

    def tell(self, status: int, reason: str, end: str = "") -> None:
        """News, which take the place of what has not left yet; after the end there are none."""
        if not self.ends:
            self._line, self._end, self._is_news = f"SIP/2.0 {status} {reason}", end, True

    def repeat(self, end: str = "") -> None:
        """The latest news once more, such as for the last time."""
        if not self.ends:
            self._end, self._is_news = end, True

    def answered(self) -> None:
        """The NOTIFY on its way is there: the next one may leave."""
        self._in_flight = False

    def next(self, now: float) -> Notice | None:
        """What leaves now, if anything: never two at a time, or the second might come first."""
        if self._in_flight or not self._is_news:
            return None
        self._in_flight, self._is_news = True, False
        fields = (
            ("event", self.event),
            ("subscription-state", self._state(now)),
            ("content-type", "message/sipfrag;version=2.0"),
        )
        return Notice(fields, f"{self._line}\r\n".encode())

    def _state(self, now: float) -> str:
        if self._end:
            return f"terminated;reason={self._end}"
        return f"active;expires={max(0, ceil(self.until - now))}"
