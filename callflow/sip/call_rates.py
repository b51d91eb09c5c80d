"""Limits the new calls of each source, so that one faulty phone cannot use up the capacity of all."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_SOURCES: Final = 10_000
"""Sources that are remembered; the one that has been quiet longest is forgotten first."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class CallRates:
    """A bucket of tokens for each source (IPv4 address): a new call takes one, time brings them back."""

    def __init__(
        self,
        per_second: float,
        burst: int,
        is_exempt: Callable[[str], bool] = lambda source: False,
        never: frozenset[str] = frozenset(),
    ) -> None:
        """`is_exempt` tells of sources without a limit; calls to the numbers in `never` are not limited."""
        self._per_second = per_second
        self._burst = burst
        self._is_exempt = is_exempt
        self._never = never
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, source: str, number: str, now: float) -> float:
        """Seconds until `source` may call `number`; 0 where it may, and has then begun a call."""
        if number in self._never or self._is_exempt(source):
            return 0.0
        bucket = self._buckets.pop(source, None) or _Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, now - bucket.at) * self._per_second)
        bucket.at = now
        self._buckets[source] = bucket
        while len(self._buckets) > MOST_SOURCES:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1.0:
            return (1.0 - bucket.tokens) / self._per_second
        bucket.tokens -= 1.0
        return 0.0
