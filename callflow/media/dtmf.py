"""Keys pressed, as RFC 4733 events."""

from typing import Final

KEYS: Final = "0123456789*#ABCD"
_STRAGGLING: Final = 1.0
"""Seconds for which older packets may still come; what is older afterwards is of a new stream."""
_GAP: Final = 400
"""Samples that may lie between two packets of one press: less than between two presses."""


class KeyReader:
    """The events of one leg. Each press is told once, at its first packet that arrives.

    A press is many packets with one timestamp, its end sent three times. A press that goes on for more
    than 65,535 samples comes as several events, each beginning where the last one was (§2.5.1.3); so do
    the presses of phones that move the timestamp with every packet.
    """

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._event = -1
        self._ended = True
        self._duration = 0
        self._heard_at = 0.0

    def receive(self, payload: bytes, timestamp: int, now: float) -> str | None:
        """The key, where the packet is the first of a press; else None."""
        if len(payload) < 4:
            return None
        event, ended = payload[0], bool(payload[1] & 0x80)
        duration = payload[2] << 8 | payload[3]
        if self._is_late(timestamp, now):
            return None
        is_new = not self._goes_on(event, ended, timestamp)
        # A straggler of a press that is over does not open it again.
        self._ended = ended or (self._ended and timestamp == self._timestamp)
        self._timestamp, self._event, self._duration, self._heard_at = timestamp, event, duration, now
        return KEYS[event] if is_new and event < len(KEYS) else None

    def _is_late(self, timestamp: int, now: float) -> bool:
        if self._timestamp is None or now - self._heard_at > _STRAGGLING:
            return False
        return _before(timestamp, self._timestamp)

    def _goes_on(self, event: int, ended: bool, timestamp: int) -> bool:
        if timestamp == self._timestamp:
            return True
        if self._timestamp is None or event != self._event or (self._ended and not ended):
            return False
        return (timestamp - self._timestamp) % 2**32 <= self._duration + _GAP


def _before(one: int, other: int) -> bool:
    """Whether timestamp `one` is older than `other`, across the wrap."""
    return one != other and (other - one) % 2**32 < 2**31
