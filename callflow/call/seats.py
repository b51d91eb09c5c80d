"""The seats: who works under which number, at which phone, and what each does now."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class SeatState(StrEnum):
    OFFLINE = "offline"
    """Its phone is not registered, or nobody is logged in."""
    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"
    """Its caller waits, and has agreed to."""
    WRAP_UP = "wrap_up"
    """It writes the last call up (crs-08)."""
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """What the configuration says of one seat."""

    number: str
    """工号: what the caller is told, and what the ledger keeps."""
    phone: str
    """The account that its phone registers with."""
    skills: frozenset[str] = frozenset()
    priority: int = 0
    """The lower, the sooner it is rung where the queue goes by priority."""
    trainee: bool = False
    opaque: bool = False
    """A PBX between us and the phone keeps Hold to itself: only feature codes and the page count."""


@dataclass(slots=True)
class Seat:
    """One seat at work."""

    plan: SeatPlan
    state: SeatState = SeatState.READY
    """As if the phone were registered; see `Seats.state`."""
    since: float = 0.0
    reason: str = ""
    """Why it is away."""
    idle_since: float = 0.0
    """When its last call ended; the longest idle is rung first."""
    wrap_up_ends: float | None = None

    @property
    def number(self) -> str:
        return self.plan.number


@dataclass(frozen=True, slots=True)
class SeatChanged:
    """A seat does something else now."""

    seat: str
    before: SeatState
    after: SeatState
    seconds: float
    """How long it did what it did before."""
    reason: str = ""


@dataclass(slots=True)
class Seats:
    """The table of all seats."""

    is_registered: Callable[[str, float], bool]
    """Whether a phone's account can be reached now."""
    wrap_up: float = 15.0
    """Seconds after a call in which a seat is not rung."""
    _seats: dict[str, Seat] = field(default_factory=dict)

    def add(self, plans: Iterable[SeatPlan], now: float) -> None:
        for plan in plans:
            self._seats[plan.number] = Seat(plan, since=now, idle_since=now)

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._seats.values())

    def __getitem__(self, number: str) -> Seat:
        return self._seats[number]

    def __contains__(self, number: str) -> bool:
        return number in self._seats

    def at(self, phone: str) -> Seat | None:
        """The seat that is logged in at a phone."""
        return next((seat for seat in self if seat.plan.phone == phone), None)

    def state(self, seat: Seat, now: float) -> SeatState:
        """What a seat does. One whose phone is gone is offline, but not while it talks: that ends no call."""
        idle = seat.state in (SeatState.READY, SeatState.WRAP_UP)
        return SeatState.OFFLINE if idle and not self.is_registered(seat.plan.phone, now) else seat.state

    def ready(self, now: float) -> list[Seat]:
        """Who may be rung, the longest idle first."""
        free = [seat for seat in self if self.state(seat, now) is SeatState.READY]
        return sorted(free, key=lambda seat: seat.idle_since)

    def at_work(self, now: float) -> list[Seat]:
        """Who may become free without anybody's doing."""
        away = (SeatState.OFFLINE, SeatState.AWAY)
        return [seat for seat in self if self.state(seat, now) not in away]

    def turn(self, number: str, state: SeatState, now: float, reason: str = "") -> list[SeatChanged]:
        """The seat does something else; nothing where it does that already."""
        seat = self._seats[number]
        if seat.state is state and seat.reason == reason:
            return []
        changed = SeatChanged(number, seat.state, state, now - seat.since, reason)
        seat.wrap_up_ends = now + self.wrap_up if state is SeatState.WRAP_UP else None
        seat.state, seat.since, seat.reason = state, now, reason
        return [changed]

    def finished(self, number: str, now: float) -> list[SeatChanged]:
        """Its call is over: it writes that up, and then it is ready by itself (crs-08)."""
        self._seats[number].idle_since = now
        return self.turn(number, SeatState.WRAP_UP if self.wrap_up else SeatState.READY, now)

    @property
    def deadline(self) -> float | None:
        """When the next wrap-up is over."""
        return min((seat.wrap_up_ends for seat in self if seat.wrap_up_ends is not None), default=None)

    def tick(self, now: float) -> list[SeatChanged]:
        changed: list[SeatChanged] = []
        for seat in self:
            if seat.wrap_up_ends is not None and now >= seat.wrap_up_ends:
                changed += self.turn(seat.number, SeatState.READY, now)
        return changed
