"""Many deadlines, of which the next one is always at hand."""

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)


class Agenda(Generic[KeyT]):
    """Who wants to be woken when; each key has one deadline or none."""

    def __init__(self) -> None:
        self._deadlines: dict[KeyT, float] = {}
        self._heap: list[tuple[float, int, KeyT]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._deadlines)

    def put(self, key: KeyT, deadline: float | None) -> None:
        """Let `key` be woken at `deadline`, and at no other time; None for never."""
        if deadline is None:
            self._deadlines.pop(key, None)
        elif self._deadlines.get(key) != deadline:
            self._deadlines[key] = deadline
            self._count += 1
            heapq.heappush(self._heap, (deadline, self._count, key))
            self._tidy()

    def _tidy(self) -> None:
        # Deadlines that were taken back far ahead of their time must not pile up until it comes.
        if len(self._heap) > 64 + 4 * len(self._deadlines):
            self._heap = [entry for entry in self._heap if self._deadlines.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)

    @property
    def next(self) -> float | None:
        """The earliest deadline, or None."""
        while self._heap and self._deadlines.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> list[KeyT]:
        """The keys whose deadline has come, in order; they have no deadline any more."""
        due = []
        while (deadline := self.next) is not None and deadline <= now:
            key = heapq.heappop(self._heap)[2]
            del self._deadlines[key]
            due.append(key)
        return due
