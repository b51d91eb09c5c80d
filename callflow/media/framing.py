"""Packets of any length cut into frames of 20 ms: what listens counts in frames."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from callflow.media.rtp import FRAME, Block

Slots = NDArray[np.int64]


class Framer:
    """For each slot the samples that do not make a frame yet."""

    def __init__(self, capacity: int) -> None:
        self._pending = np.zeros((capacity, FRAME), np.uint8)
        self._fill = np.zeros(capacity, np.int64)

    def open(self, slot: int) -> None:
        self._fill[slot] = 0

    def cut(
        self, slots: Slots, payload: Block, sizes: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.intp], Block]]:
        """The frames that one packet of each slot completes: rows and a frame for each, again and again."""
        if bool((sizes == FRAME).all()) and not self._fill[slots].any():
            yield np.arange(len(slots)), payload[:, :FRAME]
            return
        queues = [self._add(slot, payload[row, : sizes[row]]) for row, slot in enumerate(slots.tolist())]
        for turn in range(max(map(len, queues))):
            rows = [row for row, frames in enumerate(queues) if len(frames) > turn]
            yield np.array(rows, np.intp), np.array([queues[row][turn] for row in rows], np.uint8)

    def _add(self, slot: int, samples: NDArray[np.uint8]) -> Block:
        waiting = np.concatenate([self._pending[slot, : self._fill[slot]], samples])
        whole = len(waiting) // FRAME * FRAME
        rest = waiting[whole:]
        self._fill[slot] = len(rest)
        self._pending[slot, : len(rest)] = rest
        return waiting[:whole].reshape(-1, FRAME)
