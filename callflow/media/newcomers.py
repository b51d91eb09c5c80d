"""Streams on trial: an unknown source may be the new one of a leg that has fallen quiet."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

PACKETS: Final = 50
"""Packets in order of one stream that it must send,"""
SECONDS: Final = 0.98
"""in no less than so many seconds from the first to the last: a second's audio."""
_MOST: Final = 64
_GONE: Final = 0.3
"""Seconds without a packet after which a trial is over."""


@dataclass(slots=True)
class Trial:
    """A source on trial for a leg."""

    slot: int
    ssrc: int
    sequence: int
    packets: int
    begun: float
    heard_at: float

    @property
    def is_proven(self) -> bool:
        return self.packets >= PACKETS and self.heard_at - self.begun >= SECONDS


class Newcomers:
    """The trials by place; no more than 64 at once, whoever sends."""

    def __init__(self) -> None:
        self._trials: dict[int, Trial] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._trials)

    def __contains__(self, place: int) -> bool:
        return place in self._trials

    def heard(self, place: int, slot: int, ssrc: int, sequence: int, now: float) -> Trial | None:
        """A packet has come from there; None where there is no room for another trial."""
        trial = self._trials.get(place)
        if trial is None and len(self._trials) >= _MOST:
            self._expire(now)
            if len(self._trials) >= _MOST:
                return None
        expected = None if trial is None else (trial.slot, trial.ssrc, (trial.sequence + 1) % 2**16)
        if trial is None or (slot, ssrc, sequence) != expected:
            trial = self._trials[place] = Trial(slot, ssrc, sequence, 1, now, now)
            return trial
        trial.sequence, trial.packets, trial.heard_at = sequence, trial.packets + 1, now
        return trial

    def end(self, slot: int) -> None:
        """The slot is not looked for any more."""
        self._trials = {place: trial for place, trial in self._trials.items() if trial.slot != slot}

    def _expire(self, now: float) -> None:
        self._trials = {place: trial for place, trial in self._trials.items() if now - trial.heard_at < _GONE}
