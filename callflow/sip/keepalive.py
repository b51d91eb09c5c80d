"""Whether one address of a peer is alive, found out by OPTIONS (RFC 3261 §11).

Whoever answers lives, whatever the answer: many peers refuse OPTIONS and take calls. Two are different: 408
is a proxy's word for silence, and 503 means that calls are to go elsewhere.
"""

from dataclasses import dataclass
from enum import Enum, auto

from callflow.errors import IllegalEvent
from callflow.sip.message import Response
from callflow.sip.retry import retry_after


class State(Enum):
    """What is known of a peer."""

    UNKNOWN = auto()
    UP = auto()
    DRAINING = auto()
    """It answered 503 with Retry-After: alive, and wants no calls until then."""
    DOWN = auto()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often is asked. Times are seconds."""

    up: float = 30.0
    down: float = 5.0
    """Also after each answer that was missed."""
    misses: int = 2
    """In a row, until it counts as down."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The state is another than before."""

    at: float
    before: State
    after: State


class Keepalive:
    """The machine of one address. At most one OPTIONS is in hand."""

    def __init__(self, rhythm: Rhythm, now: float) -> None:
        """The first question is due at once."""
        self.state = State.UNKNOWN
        self.round_trip: float | None = None
        """Seconds from the newest answered OPTIONS to its answer; None before the first."""
        self.deadline: float | None = now
        """When the next question is due; None while one is in hand."""
        self._rhythm = rhythm
        self._missed = 0
        self._asked_at = now

    def tick(self, now: float) -> bool:
        """Whether an OPTIONS is to be sent now."""
        if self.deadline is None or now < self.deadline:
            return False
        self._asked_at = now
        self.deadline = None
        return True

    def replied(self, response: Response, now: float) -> Changed | None:
        """The final response. Raises `IllegalEvent` where nothing was asked."""
        self._settle(response)
        away = retry_after(response)
        if response.status == 503 and away:
            self._missed = 0
            self.round_trip = now - self._asked_at
            return self._enter(State.DRAINING, now, max(away, self._rhythm.down))
        if response.status in (408, 503):
            return self._miss(now)
        self.round_trip = now - self._asked_at
        self._missed = 0
        return self._enter(State.UP, now, self._rhythm.up)

    def unanswered(self, now: float) -> Changed | None:
        """Timed out, or could not be sent. Raises `IllegalEvent` where nothing was asked."""
        self._settle("no answer")
        return self._miss(now)

    def missed(self, now: float) -> Changed | None:
        """An INVITE came to nothing there. A question in hand is still waited for."""
        self._missed += 1
        after = State.DOWN if self._missed >= self._rhythm.misses else self.state
        before, self.state = self.state, after
        if self.deadline is not None:
            self.deadline = min(self.deadline, now + self._rhythm.down)
        return Changed(now, before, after) if before is not after else None

    def _settle(self, outcome: Response | str) -> None:
        if self.deadline is not None:
            raise IllegalEvent(outcome, self.state)

    def _miss(self, now: float) -> Changed | None:
        self._missed += 1
        after = State.DOWN if self._missed >= self._rhythm.misses else self.state
        return self._enter(after, now, self._rhythm.down)

    def _enter(self, after: State, now: float, pause: float) -> Changed | None:
        before, self.state = self.state, after
        self.deadline = now + pause
        return Changed(now, before, after) if before is not after else None
