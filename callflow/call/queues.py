"""The queues: which waiting caller is offered to which seat, and when nobody can be found."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from callflow.call.seats import Seat, Seats

_BREATH: Final = 2.0
"""Seconds between two rounds in which nobody picked up: phones must be able to fall silent."""


class Strategy(StrEnum):
    LONGEST_IDLE = "longest_idle"
    ALL = "all"
    """Every free seat rings; the first to pick up has the call."""
    PRIORITY = "priority"
    """The seats' own order; among equals the longest idle."""


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """What the configuration says of one queue."""

    name: str
    skills: frozenset[str] = frozenset()
    """All of which a seat must have."""
    strategy: Strategy = Strategy.LONGEST_IDLE
    ring_for: float = 20.0
    """Seconds until the next seat is tried."""
    longest_wait: float = 300.0
    """Seconds until it counts as nobody there."""
    number: str = ""
    """What seats dial to transfer a call to it; empty where they may not."""
    spoken: str = ""
    """How a caller is told of it; empty for the number."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Ring these seats for the call."""

    call: str
    seats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Ring this seat for the call no longer."""

    call: str
    seat: str


@dataclass(frozen=True, slots=True)
class Nobody:
    """No seat can be found for the call, which waits no longer."""

    call: str
    why: str
    """`no_seats`: nobody with these skills is at work; `waited`: it took too long."""


Step = Offer | Withdraw | Nobody


@dataclass(slots=True)
class _Waiting:
    call: str
    plan: QueuePlan
    head: bool
    gives_up_at: float
    ringing: set[str] = field(default_factory=set)
    tried: dict[str, float] = field(default_factory=dict)
    """The seats of this round, and when each was rung."""
    wake_at: float | None = None
    """When the seats that ring are given up, or the next round begins."""


class Queues:
    """All callers who wait, the first first."""

    def __init__(self, plans: Iterable[QueuePlan], seats: Seats) -> None:
        self._plans = {plan.name: plan for plan in plans}
        self._seats = seats
        self._waiting: list[_Waiting] = []
        self._held_back: set[str] = set()

    def __contains__(self, call: str) -> bool:
        """Whether a caller waits."""
        return self._find(call) is not None

    def __len__(self) -> int:
        """Callers who wait."""
        return len(self._waiting)

    @property
    def deadline(self) -> float | None:
        known = [at for each in self._waiting for at in (each.gives_up_at, each.wake_at) if at is not None]
        return min(known, default=None)

    def position(self, call: str) -> int | None:
        """1 for who is next in the queue."""
        mine = self._find(call)
        if mine is None:
            return None
        return 1 + [each.call for each in self._waiting if each.plan is mine.plan].index(call)

    def enter(self, call: str, queue: str, now: float, *, head: bool = False) -> list[Step]:
        """A caller waits; `head` for one who has been served and was lost: before all who wait."""
        plan = self._plans[queue]
        waiting = _Waiting(call, plan, head, now + plan.longest_wait)
        after = sum(each.head for each in self._waiting) if head else len(self._waiting)
        self._waiting.insert(after, waiting)
        return self.tick(now)

    def leave(self, call: str) -> list[Step]:
        """The caller waits no longer: answered, or gone."""
        self._held_back.discard(call)
        waiting = self._find(call)
        if waiting is None:
            return []
        self._waiting.remove(waiting)
        return [Withdraw(call, seat) for seat in sorted(waiting.ringing)]

    def answered(self, call: str, seat: str) -> list[Step]:
        """A seat has picked up: the others fall silent."""
        return [step for step in self.leave(call) if step != Withdraw(call, seat)]

    def declined(self, call: str, seat: str, now: float) -> list[Step]:
        """A seat is busy, does not want the call, or cannot be reached."""
        waiting = self._find(call)
        if waiting is None or seat not in waiting.ringing:
            return []
        waiting.ringing.discard(seat)
        if not waiting.ringing:
            waiting.wake_at = None
        return self.tick(now)

    def postpone(self, call: str, seat: str, now: float) -> None:
        """The seat could not be rung for want of something of ours: it is tried again a little later."""
        waiting = self._find(call)
        if waiting is None or seat not in waiting.ringing:
            return
        waiting.ringing.discard(seat)
        waiting.tried.pop(seat, None)
        if not waiting.ringing:
            waiting.wake_at = now + _BREATH

    def hold_back(self, call: str) -> None:
        """Nobody is rung for the call for now: its caller may not be there."""
        self._held_back.add(call)

    def let_go_on(self, call: str, now: float) -> list[Step]:
        """The caller is there: seats are rung for it again."""
        if call not in self._held_back:
            return []
        self._held_back.discard(call)
        return self.tick(now)

    def tick(self, now: float) -> list[Step]:
        """Time has passed, or a seat has become free."""
        steps: list[Step] = []
        for waiting in [*self._waiting]:
            steps += self._step(waiting, now)
        return steps

    # --- the rooms behind ---

    def _find(self, call: str) -> _Waiting | None:
        return next((each for each in self._waiting if each.call == call), None)

    def _step(self, waiting: _Waiting, now: float) -> list[Step]:
        if now >= waiting.gives_up_at:
            return [*self.leave(waiting.call), Nobody(waiting.call, "waited")]
        if waiting.wake_at is not None and now < waiting.wake_at:
            return []
        given_up = [Withdraw(waiting.call, seat) for seat in sorted(waiting.ringing)]
        waiting.ringing.clear()
        waiting.wake_at = None
        if not self._fitting(self._seats.at_work(now), waiting):
            return [*given_up, *self.leave(waiting.call), Nobody(waiting.call, "no_seats")]
        return [*given_up, *(self._offer(waiting, now) if waiting.call not in self._held_back else [])]

    def _offer(self, waiting: _Waiting, now: float) -> list[Step]:
        taken = {seat for each in self._waiting for seat in each.ringing}
        free = [seat for seat in self._fitting(self._seats.ready(now), waiting) if seat.number not in taken]
        fresh = [seat for seat in free if _is_fresh(seat, waiting)]
        if free and not fresh:
            waiting.tried.clear()
            waiting.wake_at = now + _BREATH
        chosen = self._chosen(fresh, waiting.plan.strategy)
        if not chosen:
            # Who only waits for a seat to become free is woken by that.
            return []
        waiting.ringing = {seat.number for seat in chosen}
        waiting.tried |= dict.fromkeys(waiting.ringing, now)
        waiting.wake_at = now + waiting.plan.ring_for
        return [Offer(waiting.call, tuple(seat.number for seat in chosen))]

    def _fitting(self, seats: list[Seat], waiting: _Waiting) -> list[Seat]:
        return [seat for seat in seats if waiting.plan.skills <= seat.plan.skills]

    def _chosen(self, fresh: list[Seat], strategy: Strategy) -> list[Seat]:
        match strategy:
            case Strategy.ALL:
                return fresh
            case Strategy.PRIORITY:
                return sorted(fresh, key=lambda seat: seat.plan.priority)[:1]
        return fresh[:1]


def _is_fresh(seat: Seat, waiting: _Waiting) -> bool:
    """Whether the seat has not been rung in this round, or has had a pause since."""
    return seat.rested_at > waiting.tried.get(seat.number, float("inf")) or seat.number not in waiting.tried
