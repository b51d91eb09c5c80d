"""A recorder's ear at a leg: what it said and what it was sent, in the order of their leaving and coming."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.messages import Recorded
from callflow.media.rtp import Block

Slots = NDArray[np.int64]

CHUNK: Final = 8000
"""Bytes of one direction that are handed out at once: a second."""


class Taps:
    """The taps of all legs that are recorded; there are few, and no other leg pays for them."""

    def __init__(self, capacity: int) -> None:
        self.on = np.zeros(capacity, np.bool_)
        self.any = False
        self._parts: dict[tuple[int, bool], list[bytes]] = {}
        self._begun: dict[tuple[int, bool], float] = {}
        self._ready: list[tuple[int, Recorded]] = []

    def open(self, slot: int) -> None:
        self.on[slot] = self.any = True

    def close(self, slot: int, law: int) -> list[tuple[int, Recorded]]:
        """The tap is taken off; what it had not handed out."""
        self.on[slot] = False
        self.any = bool(self.on.any())
        for said in (True, False):
            self._hand_out(slot, said, law)
        return self.take()

    def take(self) -> list[tuple[int, Recorded]]:
        """What is ready, by slot."""
        ready, self._ready = self._ready, []
        return ready

    def note(
        self,
        slots: Slots,
        packets: Block,
        sizes: NDArray[np.int64],
        law: NDArray[np.int64],
        now: float,
        *,
        said: bool,
    ) -> None:
        """Audio of each slot: `said` by the leg, or sent to it."""
        for row in np.flatnonzero(self.on[slots]):
            key = int(slots[row]), said
            parts = self._parts.setdefault(key, [])
            if not parts:
                self._begun[key] = now
            parts.append(packets[row, : sizes[row]].tobytes())
            if sum(map(len, parts)) >= CHUNK:
                self._hand_out(*key, int(law[row]))

    def _hand_out(self, slot: int, said: bool, law: int) -> None:
        parts = self._parts.pop((slot, said), [])
        if parts:
            self._ready.append((slot, Recorded(said, law, self._begun.pop((slot, said)), b"".join(parts))))
