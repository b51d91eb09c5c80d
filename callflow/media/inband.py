"""Keys heard as tones in the audio (ITU-T Q.23, Q.24), for phones that send them no other way.

Only listened to while a question waits for a key and where no telephone-event was agreed: a voice can sound
like a key for an instant, and music for longer.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.framing import Framer
from callflow.media.g711 import LINEAR
from callflow.media.rtp import FRAME, Block

Slots = NDArray[np.int64]

_ROWS: Final = (697.0, 770.0, 852.0, 941.0)
_COLUMNS: Final = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYS: Final = ("123A", "456B", "789C", "*0#D")
_HOP: Final = FRAME // 2
"""Samples between two looks, each at one frame."""
_LOOKS: Final = 3
"""Looks in a row that must agree: a tone of 40 ms fills three, one of 23 ms, which is none (Q.24), two."""
_PAUSE: Final = 2
"""Looks without the key until it can be pressed again."""
_LEVEL: Final = -36.0
"""dBFS of either tone, of which quieter ones are none."""
_PURE: Final = 0.62
"""The least share of the power that the two tones have: of tones that are 1.5 % off it is 0.69."""
_TWIST: Final = (-8.0, 10.0)
"""dB by which the upper tone may be louder than the lower one."""
_LEAD: Final = 6.0
"""dB by which a tone stands out among the four of its group."""


def _waves() -> NDArray[np.float32]:
    """Cosines and sines of the eight tones, [16, FRAME]; the power of a tone comes out as its mean square."""
    samples = np.arange(FRAME) / 8000
    angles = 2 * np.pi * np.array(_ROWS + _COLUMNS)[:, None] * samples
    waves = np.concatenate([np.cos(angles), np.sin(angles)]) * np.sqrt(2) / FRAME
    return np.asarray(waves, np.float32)


_WAVES: Final = _waves()


class InBand:
    """The ears for tones of all slots; only those that listen cost anything."""

    def __init__(self, capacity: int) -> None:
        self._framer = Framer(capacity)
        self._listens = np.zeros(capacity, np.bool_)
        self._before = np.zeros((capacity, _HOP), np.float32)
        """The last half frame."""
        self._key = np.full(capacity, "", "<U1")
        self._agreeing = np.zeros(capacity, np.int64)
        self._missing = np.zeros(capacity, np.int64)
        self._pressed = np.full(capacity, "", "<U1")

    @property
    def any(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listens.any())

    def listen(self, slot: int) -> None:
        """Begin to listen; what sounded before is forgotten."""
        self._framer.open(slot)
        self._listens[slot] = True
        self._before[slot] = 0
        self._key[slot] = self._pressed[slot] = ""
        self._agreeing[slot] = self._missing[slot] = 0

    def ignore(self, slot: int) -> None:
        self._listens[slot] = False

    def received(
        self, slots: Slots, payload: Block, sizes: NDArray[np.int64], law: NDArray[np.int64]
    ) -> list[tuple[int, str]]:
        """Hear one packet of each slot (no slot twice): the keys that have been pressed."""
        rows = self._listens[slots].nonzero()[0]
        if not len(rows):
            return []
        slots, payload, sizes, law = slots[rows], payload[rows], sizes[rows], law[rows]
        return [
            pressed
            for some, frames in self._framer.cut(slots, payload, sizes)
            for pressed in self._hear(slots[some], LINEAR[law[some, None], frames])
        ]

    def _hear(self, slots: Slots, frames: NDArray[np.int16]) -> list[tuple[int, str]]:
        sound = frames.astype(np.float32) / np.float32(32768)
        half = np.concatenate([self._before[slots], sound[:, :_HOP]], axis=1, dtype=np.float32)
        self._before[slots] = sound[:, _HOP:]
        return [*self._look(slots, half), *self._look(slots, sound)]

    def _look(self, slots: Slots, sound: NDArray[np.float32]) -> list[tuple[int, str]]:
        pressed = []
        for slot, key in zip(slots.tolist(), keys(sound), strict=True):
            if self._is_press(slot, key):
                pressed.append((slot, key))
        return pressed

    def _is_press(self, slot: int, key: str) -> bool:
        """Whether the look at which `key` was found, or nothing, makes it a press."""
        self._agreeing[slot] = self._agreeing[slot] + 1 if key == self._key[slot] else 1
        self._key[slot] = key
        self._missing[slot] = 0 if key and key == self._pressed[slot] else self._missing[slot] + 1
        if self._missing[slot] >= _PAUSE:
            self._pressed[slot] = ""
        if not key or self._agreeing[slot] < _LOOKS or self._pressed[slot]:
            return False
        self._pressed[slot], self._missing[slot] = key, 0
        return True


def keys(sound: NDArray[np.float32]) -> list[str]:
    """The key that each frame (a row, full scale 1) is a tone of, or nothing."""
    whole = np.square(sound).mean(axis=1) + 1e-12
    parts = sound @ _WAVES.T
    power = np.square(parts[:, :8]) + np.square(parts[:, 8:])
    found = []
    for row in range(len(sound)):
        lower, upper = _leader(power[row, :4]), _leader(power[row, 4:])
        if lower is None or upper is None:
            found.append("")
            continue
        low, high = power[row, lower], power[row, 4 + upper]
        is_pure = low + high >= _PURE * whole[row]
        is_loud = min(low, high) >= 10 ** (_LEVEL / 10)
        is_even = 10 ** (_TWIST[0] / 10) * low <= high <= 10 ** (_TWIST[1] / 10) * low
        found.append(_KEYS[lower][upper] if is_pure and is_loud and is_even else "")
    return found


def _leader(group: NDArray[np.float32]) -> int | None:
    """The tone that stands out, if one does."""
    order = np.argsort(group)
    first, second = int(order[-1]), int(order[-2])
    return first if group[first] >= group[second] * 10 ** (_LEAD / 10) else None
