"""Keys pressed, as RFC 4733 events."""

from dataclasses import dataclass
from typing import Final

KEYS: Final = "0123456789*#ABCD"
_STRAGGLING: Final = 1.0
"""Seconds for which older packets may still come; what is older afterwards is of a new stream."""
_FAR: Final = 100
"""Packets by which a straggler is late at most; what lies farther back begins a new count."""
_TOUCHING: Final = 160
"""Samples that may lie between two events of one press: less than between two presses."""
_REPEATED: Final = 480
"""Samples by which repeated ends may move their timestamp on: less than from a press to the next."""
_STEADY: Final = 80
"""Samples by which the beginning of a press may seem to shift, where timestamps move on with it."""
_BEGINNING: Final = 400
"""Samples that a press has lasted at most when its first packets are sent."""
_LONGEST: Final = 60_000
"""Samples from which on a press may be about to go on in another event (RFC 4733 §2.5.1.3)."""
_SEGMENT: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class _Packet:
    event: int
    ended: bool
    duration: int
    timestamp: int
    sequence: int | None
    ssrc: int
    marker: bool

    def packets_after(self, other: "_Packet") -> int | None:
        """How many packets lie from the other to this one; None where their numbers do not tell."""
        if self.sequence is None or other.sequence is None or self.sequence == other.sequence:
            return None
        return _signed(self.sequence - other.sequence, 16)

    def samples_after(self, other: "_Packet") -> int:
        return _signed(self.timestamp - other.timestamp, 32)


class KeyReader:
    """The events of one leg. Each press is told once, at its first packet that arrives.

    A press is many packets with one timestamp, its end sent three times. A press that goes on for more
    than 65,535 samples comes as several events, each beginning where the last one was (§2.5.1.3). Some
    phones move the timestamp with every packet, or with every repeated end; others give several presses
    one timestamp.
    """

    def __init__(self) -> None:
        self._last: _Packet | None = None
        self._ended = True
        self._longest = 0
        """Samples that this press has lasted, as far as was told."""
        self._moves = False
        """Whether the timestamp moves on within this press."""
        self._heard_at = 0.0

    def receive(
        self,
        payload: bytes,
        timestamp: int,
        now: float,
        *,
        sequence: int | None = None,
        ssrc: int = 0,
        marker: bool = False,
    ) -> str | None:
        """The key, where the packet is the first of a press; else None.

        `sequence` tells a packet that comes late from one of another press with the same timestamp.
        """
        if len(payload) < 4:
            return None
        duration = payload[2] << 8 | payload[3]
        packet = _Packet(payload[0], bool(payload[1] & 0x80), duration, timestamp, sequence, ssrc, marker)
        if self._is_late(packet, now):
            return None
        begins = self._last is None or self._begins(self._last, packet)
        if begins:
            self._longest, self._moves = 0, False
        # A straggler of a press that is over does not open it again.
        self._ended = packet.ended or (self._ended and not begins)
        self._longest = max(self._longest, packet.duration)
        self._last, self._heard_at = packet, now
        return KEYS[packet.event] if begins and packet.event < len(KEYS) else None

    def _is_late(self, packet: _Packet, now: float) -> bool:
        last = self._last
        if last is None or packet.ssrc != last.ssrc or now - self._heard_at > _STRAGGLING:
            return False
        after = packet.packets_after(last)
        if after is not None:
            return -_FAR <= after < 0
        return packet.samples_after(last) < 0

    def _begins(self, last: _Packet, packet: _Packet) -> bool:
        """Whether another press begins."""
        if packet.ssrc != last.ssrc or packet.event != last.event:
            return True
        if packet.timestamp == last.timestamp:
            return self._restarts(last, packet)
        if self._ended:
            return not packet.ended or not _is_repeated(last, packet)
        return not self._goes_on(last, packet)

    def _restarts(self, last: _Packet, packet: _Packet) -> bool:
        """Whether another press has the same timestamp: only what is not late can tell."""
        if packet.packets_after(last) is None:
            return False
        if self._ended:
            anew = packet.marker and not packet.ended
            return anew or packet.duration < self._longest
        return packet.duration < self._longest and packet.duration <= _BEGINNING

    def _goes_on(self, last: _Packet, packet: _Packet) -> bool:
        """Whether a press that has not ended goes on with another timestamp."""
        after = packet.samples_after(last)
        began = after - packet.duration + last.duration
        if abs(began) <= _STEADY and after > 0:
            self._moves = True
            return True
        if self._moves:
            # The duration stands still in a repeated end, whose first copy may be lost.
            return packet.ended and 0 < after <= _REPEATED
        if last.duration >= _LONGEST and abs(after - _SEGMENT) <= _REPEATED:
            return True
        return 0 < after <= last.duration + _TOUCHING


def _is_repeated(last: _Packet, packet: _Packet) -> bool:
    """Whether an end is that of the packet before it, sent again with another timestamp."""
    return 0 < packet.samples_after(last) <= _REPEATED


def _signed(number: int, bits: int) -> int:
    """A difference across the wrap of so many bits."""
    number %= 1 << bits
    return number - (1 << bits) if number >= 1 << bits - 1 else number
