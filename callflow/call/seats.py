"""The seats: who works under which number, at which phone, and what each does now."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from callflow.errors import CallflowError

MOST_FORWARDS: Final = 5
"""How often a call for an away seat is passed on to another that is away too."""


class SeatState(StrEnum):
    OFFLINE = "offline"
    """Its phone is not registered, or it is logged in at none."""
    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"
    """Its caller waits, and has agreed to."""
    WRAP_UP = "wrap_up"
    """It writes the last call up (crs-08)."""
    AWAY = "away"
    PAUSED = "paused"
    """It has just declined a call, was busy, or could not be rung: it is not rung again at once."""
    UNREACHABLE = "unreachable"
    """Its phone has died in a call, until it registers or answers again."""


class Trouble(StrEnum):
    """Why a phone that was rung did not take the call."""

    DECLINED = "declined"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pauses:
    """For how many seconds a seat is not rung again."""

    declined: float = 30.0
    busy: float = 10.0
    failed: float = 10.0
    """Doubled with each failure in a row."""
    longest: float = 120.0
    """What that doubling ends at."""

    def after(self, trouble: Trouble, failures: int) -> float:
        """`failures` in a row have come before."""
        match trouble:
            case Trouble.DECLINED:
                return self.declined
            case Trouble.BUSY:
                return self.busy
        doubled = self.failed * 2.0 ** min(failures, 16)
        return min(doubled, max(self.longest, self.failed))


USUAL_PAUSES: Final = Pauses()
ASK_AGAIN: Final = 15.0
"""Seconds between two questions whether an unreachable phone is back."""


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """What the configuration says of one seat."""

    number: str
    """工号: what the caller is told, and what the ledger keeps."""
    phone: str | None = None
    """The account of the phone that it sits at from the start; None for one that logs in somewhere."""
    skills: frozenset[str] = frozenset()
    priority: int = 0
    """The lower, the sooner it is rung where the queue goes by priority."""
    trainee: bool = False
    opaque: bool = False
    """A PBX between us and the phone keeps Hold to itself: only feature codes and the page count."""
    caller_id: str = field(default="", repr=False)
    """What its calls out show, where it is another number than the house's."""
    pin: str | None = field(default=None, repr=False)
    """What it must dial to log in by key, where it must."""
    forward: str = ""
    """The seat that has its calls while it is away; empty for none."""
    forward_after: float = 0.0
    """Seconds that it must have been away for that (crs-09)."""


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
    paused_until: float | None = None
    rested_at: float = float("-inf")
    """When its last pause ended."""
    failures: int = 0
    """How often in a row it could not be rung."""
    ask_at: float | None = None
    """When its unreachable phone is asked whether it is back."""
    phone: str | None = None
    """Where it is logged in now."""
    back_at: float | None = None
    """When it will be back who is away, as far as it has said so."""
    left_for_call: tuple[SeatState, str] | None = None
    """What it did, and why, before it made the call that it is in; None where it did not make it."""

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


class SeatRefused(CallflowError):
    """A seat cannot have what it wants; nothing was changed."""

    def __init__(self, why: str) -> None:
        """`why` is a word for machines: `busy`, `no_such_phone`, `no_such_seat`, `wrong_pin` …"""
        super().__init__(why)
        self.why = why


FREE: Final = (
    SeatState.READY, SeatState.WRAP_UP, SeatState.AWAY, SeatState.PAUSED, SeatState.UNREACHABLE,
)  # fmt: skip
"""Nobody speaks with the seat, or rings it."""
_PASSING: Final = (SeatState.READY, SeatState.WRAP_UP, SeatState.PAUSED, SeatState.UNREACHABLE)
"""What a seat without a registered phone does not do: it is offline."""


@dataclass(slots=True)
class Seats:
    """The table of all seats."""

    is_registered: Callable[[str, float], bool]
    """Whether a phone's account can be reached now."""
    wrap_up: float = 15.0
    """Seconds after a call in which a seat is not rung."""
    phones: frozenset[str] = frozenset()
    """Free desks: where seats may log in beside the phones of the plans."""
    pauses: Pauses = USUAL_PAUSES
    _seats: dict[str, Seat] = field(default_factory=dict)

    def add(self, plans: Iterable[SeatPlan], now: float) -> None:
        for plan in plans:
            state = SeatState.READY if plan.phone else SeatState.OFFLINE
            self._seats[plan.number] = Seat(plan, state, since=now, idle_since=now, phone=plan.phone)
            self.phones |= {plan.phone} if plan.phone else set()

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._seats.values())

    def __getitem__(self, number: str) -> Seat:
        return self._seats[number]

    def __contains__(self, number: object) -> bool:
        return number in self._seats

    def at(self, phone: str) -> Seat | None:
        """The seat that is logged in at a phone."""
        return next((seat for seat in self if seat.phone == phone), None)

    def state(self, seat: Seat, now: float) -> SeatState:
        """What a seat does. One whose phone is gone is offline, but not while it talks: that ends no call."""
        if seat.state not in _PASSING:
            return seat.state
        is_there = seat.phone is not None and self.is_registered(seat.phone, now)
        return seat.state if is_there else SeatState.OFFLINE

    def ready(self, now: float) -> list[Seat]:
        """Who may be rung, the longest idle first."""
        free = [seat for seat in self if self.state(seat, now) is SeatState.READY]
        return sorted(free, key=lambda seat: seat.idle_since)

    def at_work(self, now: float) -> list[Seat]:
        """Who may become free without anybody's doing."""
        away = (SeatState.OFFLINE, SeatState.AWAY, SeatState.UNREACHABLE)
        return [seat for seat in self if self.state(seat, now) not in away]

    def serving(self, number: str, now: float) -> str:
        """Which seat has the calls for a seat: another while it has been away for long (crs-09)."""
        passed = [number]
        while (seat := self._seats.get(passed[-1])) and self._is_forwarded(seat, now):
            if seat.plan.forward in passed or len(passed) > MOST_FORWARDS:
                break
            passed.append(seat.plan.forward)
        return passed[-1]

    def _is_forwarded(self, seat: Seat, now: float) -> bool:
        away = seat.state is SeatState.AWAY and now - seat.since >= seat.plan.forward_after
        return bool(seat.plan.forward) and away

    # --- who sits where ---

    def log_in(self, number: str, phone: str, now: float) -> list[SeatChanged]:
        """The seat sits at that phone from now on, and is ready; who sat there is logged out.

        Raises `SeatRefused` where there is no such seat or phone, and while one of the two is in a call.
        """
        seat = self._at_rest(number)
        if phone not in self.phones:
            raise SeatRefused("no_such_phone")
        before = self.at(phone)
        left = self.log_out(before.number, now, "phone_taken") if before and before is not seat else []
        seat.phone, seat.idle_since = phone, now
        return [*left, *self.turn(number, SeatState.READY, now)]

    def log_out(self, number: str, now: float, reason: str = "logged_out") -> list[SeatChanged]:
        """The seat sits nowhere. Raises `SeatRefused` where it does already, and while it is in a call."""
        seat = self._at_rest(number)
        if seat.phone is None:
            raise SeatRefused("not_logged_in")
        seat.phone = None
        return self.turn(number, SeatState.OFFLINE, now, reason)

    def _at_rest(self, number: str) -> Seat:
        seat = self._seats.get(number)
        if seat is None:
            raise SeatRefused("no_such_seat")
        if seat.state not in (*FREE, SeatState.OFFLINE):
            raise SeatRefused("busy")
        return seat

    # --- what they do ---

    def turn(
        self, number: str, state: SeatState, now: float, reason: str = "", minutes: int | None = None
    ) -> list[SeatChanged]:
        """The seat does something else; nothing where it does that already.

        `minutes` is for how long it is away, where it says so.
        """
        seat = self._seats[number]
        back_at = now + minutes * 60 if minutes and state is SeatState.AWAY else None
        if seat.state is state and seat.reason == reason:
            seat.back_at = back_at or seat.back_at
            return []
        changed = SeatChanged(number, seat.state, state, now - seat.since, reason)
        seat.wrap_up_ends = now + self.wrap_up if state is SeatState.WRAP_UP else None
        seat.paused_until = None
        seat.ask_at = now + ASK_AGAIN if state is SeatState.UNREACHABLE else None
        seat.state, seat.since, seat.reason = state, now, reason
        seat.back_at = back_at
        return [changed]

    def pause(
        self, number: str, trouble: Trouble, now: float, retry_after: float | None = None
    ) -> list[SeatChanged]:
        """Its phone was rung and did not take the call: it is not rung again at once.

        `retry_after` are the seconds that the phone itself named. A seat that has a call has no pause.
        """
        seat = self._seats[number]
        if seat.state not in (*FREE, SeatState.RINGING) or seat.state is SeatState.AWAY:
            return []
        pause = max(self.pauses.after(trouble, seat.failures), retry_after or 0.0)
        seat.failures = seat.failures + 1 if trouble is Trouble.FAILED else 0
        changed = self.turn(number, SeatState.PAUSED, now, trouble)
        seat.paused_until = now + pause
        return changed

    def answered(self, number: str) -> None:
        """Its phone has answered a call: failures before that count no more."""
        self._seats[number].failures = 0

    def lose(self, number: str, now: float) -> list[SeatChanged]:
        """Its phone has died in a call."""
        return self.turn(number, SeatState.UNREACHABLE, now)

    def is_back(self, number: str, now: float) -> list[SeatChanged]:
        """Its phone has registered, or answered a question: it can be rung again."""
        seat = self._seats[number]
        seat.failures = 0
        failed = seat.state is SeatState.PAUSED and seat.reason == Trouble.FAILED
        if seat.state is not SeatState.UNREACHABLE and not failed:
            return []
        return self.turn(number, SeatState.READY, now)

    def to_ask(self, now: float) -> list[Seat]:
        """The unreachable seats whose phones are to be asked now whether they are back."""
        due = [seat for seat in self if seat.ask_at is not None and now >= seat.ask_at]
        for seat in due:
            seat.ask_at = now + ASK_AGAIN
        return due

    def calls(self, number: str, now: float) -> list[SeatChanged]:
        """The seat calls somebody by itself."""
        seat = self._seats[number]
        seat.left_for_call = seat.state, seat.reason
        return self.turn(number, SeatState.TALKING, now)

    def put_down(self, number: str, now: float) -> list[SeatChanged]:
        """A call that served nobody is over: the seat does what it did before."""
        seat = self._seats[number]
        before, seat.left_for_call = seat.left_for_call or (SeatState.READY, ""), None
        if before[0] in (SeatState.PAUSED, SeatState.UNREACHABLE):
            # A phone that has called in the meantime can be rung.
            before = SeatState.READY, ""
        return self.turn(number, before[0], now, before[1])

    def finished(self, number: str, now: float) -> list[SeatChanged]:
        """Its call is over: it writes that up, and then it is ready by itself (crs-08).

        Who was away and called somebody is away again.
        """
        seat = self._seats[number]
        seat.idle_since = now
        before, seat.left_for_call = seat.left_for_call, None
        if before and before[0] is SeatState.AWAY:
            return self.turn(number, before[0], now, before[1])
        return self.turn(number, SeatState.WRAP_UP if self.wrap_up else SeatState.READY, now)

    @property
    def deadline(self) -> float | None:
        """When the next wrap-up or pause is over, or an unreachable phone is to be asked again."""
        known = (at for seat in self for at in (seat.wrap_up_ends, seat.paused_until, seat.ask_at))
        return min((at for at in known if at is not None), default=None)

    def tick(self, now: float) -> list[SeatChanged]:
        changed: list[SeatChanged] = []
        for seat in self:
            over = (at for at in (seat.wrap_up_ends, seat.paused_until) if at is not None)
            if any(now >= at for at in over):
                seat.rested_at = now if seat.paused_until is not None else seat.rested_at
                changed += self.turn(seat.number, SeatState.READY, now)
        return changed
