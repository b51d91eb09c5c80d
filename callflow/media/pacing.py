"""Long packets heard in their own time: what listens to a line looks at it every 20 ms.

A packet of 200 ms brings ten frames at once. A short word in it would be over before anything looked.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.framing import Framer
from callflow.media.rtp import FRAME, Block

Slots = NDArray[np.int64]

LONG: Final = 3 * FRAME
"""Samples of the longest packet that is heard at once."""
_MOST: Final = 20
"""Frames that wait at most: what is older is heard at once."""
_FRAME_SECONDS: Final = 0.02
_HAIR: Final = 1e-6


class Pacer:
    """The frames of long packets that are not heard yet; few lines have such packets."""

    def __init__(self, framer: Framer, capacity: int) -> None:
        self._framer = framer
        self._frames: dict[int, deque[NDArray[np.uint8]]] = {}
        self._due: dict[int, float] = {}
        """When the next frame of each line is heard."""
        self._waits = np.zeros(capacity, np.bool_)

    def forget(self, slot: int) -> None:
        self._frames.pop(slot, None)
        self._due.pop(slot, None)
        self._waits[slot] = False

    def are_paced(self, slots: Slots, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which packets are to be heard bit by bit: the long ones, and what comes after them."""
        paced: NDArray[np.bool_] = (sizes > LONG) | self._waits[slots]
        return paced

    def add(self, slots: Slots, payload: Block, sizes: NDArray[np.int64], now: float) -> None:
        """One packet of each slot."""
        for rows, frames in self._framer.cut(slots, payload, sizes):
            for slot, frame in zip(slots[rows].tolist(), frames, strict=True):
                if slot not in self._frames:
                    self._frames[slot], self._due[slot] = deque(), now
                    self._waits[slot] = True
                self._frames[slot].append(frame.copy())

    def take(self, now: float) -> Iterator[tuple[Slots, Block]]:
        """The frames whose time has come: one of each slot at a time, in their order."""
        while due := [slot for slot in self._frames if self._is_due(slot, now)]:
            frames = [self._frames[slot].popleft() for slot in due]
            for slot in due:
                self._due[slot] += _FRAME_SECONDS
                if not self._frames[slot]:
                    self.forget(slot)
            yield np.array(due, np.int64), np.array(frames, np.uint8)

    def _is_due(self, slot: int, now: float) -> bool:
        return now >= self._due[slot] - _HAIR or len(self._frames[slot]) > _MOST
