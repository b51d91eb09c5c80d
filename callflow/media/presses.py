"""Keys that we send, as RFC 4733 events."""

import struct
from typing import Final

from callflow.media.dtmf import KEYS
from callflow.media.rtp import FRAME

_UPDATES: Final = 4
"""Packets before the end: with the end's own frame a press lasts 100 ms."""
_ENDS: Final = 3
"""How often the end is sent, for it may be lost (RFC 4733 §2.5.1.4)."""
_PAUSE: Final = 3
"""Frames of silence after the ends: 100 ms lie between two presses."""
_DURATION: Final = (_UPDATES + 1) * FRAME
_VOLUME: Final = 10
"""-10 dBm0."""


class KeyWriter:
    """The keys to be sent to one leg, a packet every 20 ms."""

    def __init__(self, digits: str) -> None:
        self.sent = ""
        """The keys whose end has been sent."""
        self._waiting = digits
        self._frame = 0
        self._timestamp = 0

    @property
    def done(self) -> bool:
        return not self._waiting

    def add(self, digits: str) -> None:
        self._waiting += digits

    def next(self, timestamp: int) -> tuple[bytes, int, bool] | None:
        """The packet of this frame: payload, timestamp, and whether a press begins; None for a pause."""
        frame, self._frame = self._frame, self._frame + 1
        if self.done:
            return None
        if frame == 0:
            self._timestamp = timestamp
        if frame >= _UPDATES + _ENDS:
            self._end_pause(frame)
            return None
        ends = frame >= _UPDATES
        if frame == _UPDATES:
            self.sent += self._waiting[0]
        duration = _DURATION if ends else (frame + 1) * FRAME
        payload = struct.pack("!BBH", KEYS.index(self._waiting[0]), ends << 7 | _VOLUME, duration)
        return payload, self._timestamp, frame == 0

    def _end_pause(self, frame: int) -> None:
        if frame + 1 == _UPDATES + _ENDS + _PAUSE:
            self._waiting, self._frame = self._waiting[1:], 0
