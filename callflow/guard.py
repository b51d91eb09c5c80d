"""A fault of ours in one call, transaction or timer is reported, and costs the others nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

RESULT = TypeVar("RESULT")
REST: Final = 1.0
"""Seconds until a timer that has failed is tried again: it must not keep the loop busy."""


@dataclass(frozen=True, slots=True)
class Broke:
    """A fault of ours, kept from everything but where it happened."""

    error: Exception


def guarded(work: Callable[[], Iterable[RESULT]]) -> list[RESULT | Broke]:
    """What `work` gives; where it raises, the fault in its place."""
    try:
        return [*work()]
    except Exception as error:
        return [Broke(error)]


def guarded_or(
    work: Callable[[], Iterable[RESULT]], on_fault: Callable[[], Iterable[RESULT]]
) -> list[RESULT | Broke]:
    """What `work` gives; where it raises, the fault, and then what `on_fault` gives."""
    done = guarded(work)
    return [*done, *on_fault()] if any(isinstance(each, Broke) for each in done) else done


class Timed(Protocol):
    """A part that wants to be woken."""

    @property
    def deadline(self) -> float | None: ...


class GuardedTimer(Generic[RESULT]):
    """The timer of a part that serves many calls: a tick that fails is reported, and tried again later."""

    def __init__(self, part: Timed, tick: Callable[[float], Iterable[RESULT]]) -> None:
        """`tick` is what is done when the part's deadline has come."""
        self._part = part
        self._tick = tick
        self._rests_until: float | None = None

    @property
    def deadline(self) -> float | None:
        """When the part wants to be woken, in seconds."""
        wanted, rests = self._part.deadline, self._rests_until
        if rests is None:
            return wanted
        return rests if wanted is None else max(wanted, rests)

    def tick(self, now: float) -> list[RESULT | Broke]:
        """What follows because time has passed; nothing while the part rests."""
        if self._rests_until is not None and now < self._rests_until:
            return []
        self._rests_until = None
        try:
            return [*self._tick(now)]
        except Exception as error:
            self._rests_until = now + REST
            return [Broke(error)]
