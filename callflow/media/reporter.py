"""The RTCP of all legs: what each phone tells us of our stream, and what we tell it of its own."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media import rtcp
from callflow.media.quality import Quality
from callflow.media.sender import Sender

INTERVAL: Final = 5.0
"""Seconds between two reports to a leg (RFC 3550 §6.2), a little different for each leg."""
_SPREAD: Final = 16


@dataclass(slots=True)
class _Peer:
    """What a phone has told."""

    last_report: int = 0
    reported_at: float = 0.0
    lost: int | None = None
    round_trip: float | None = None
    packets_told: int = 0


@dataclass(frozen=True, slots=True)
class ReportDue:
    """A report to be sent: `slot`'s, as it is."""

    slot: int
    datagram: bytes


class Reporter:
    """Who is told when."""

    def __init__(self, capacity: int, sender: Sender, quality: Quality) -> None:
        self._sender = sender
        self._quality = quality
        self._due = np.full(capacity, np.inf)
        self._look_at = -np.inf
        """Before this no report is due: most ticks need not look."""
        self._peers: dict[int, _Peer] = {}

    def open(self, slot: int, now: float) -> None:
        self._peers[slot] = _Peer()
        self._due[slot] = now + INTERVAL * (0.5 + slot % _SPREAD / _SPREAD)

    def close(self, slot: int) -> tuple[int | None, float | None]:
        """The leg is over: packets that it missed of ours, and the seconds to it and back, if it told."""
        self._due[slot] = np.inf
        peer = self._peers.pop(slot)
        return peer.lost, peer.round_trip

    def receive(self, slot: int, datagram: bytes, now: float) -> bool:
        """A phone's report; whether it was one."""
        told = rtcp.parse(datagram)
        if told is None:
            return False
        peer = self._peers[slot]
        if told.sent:
            peer.last_report, peer.reported_at = rtcp.middle(told.sent.ntp), now
        for block in told.blocks:
            if block.ssrc == self._sender.ssrc[slot]:
                peer.lost = block.lost
                if block.last_report:
                    away = (rtcp.middle(rtcp.ntp(now)) - block.last_report - block.delay) % 2**32
                    # What is longer than a minute is a peer that cannot count.
                    peer.round_trip = away / 65536 if away < 60 * 65536 else peer.round_trip
        return True

    def due(self, now: float) -> list[ReportDue]:
        """The reports whose time has come."""
        if now < self._look_at:
            return []
        slots = (self._due <= now).nonzero()[0]
        self._due[slots] += INTERVAL
        self._look_at = float(self._due.min(initial=now + INTERVAL / 2))
        return [ReportDue(int(slot), self._compose(int(slot), now)) for slot in slots]

    def destination(self, slot: int) -> tuple[int, int]:
        """Our port's index, and where the leg's audio goes; its RTCP goes one port higher unless muxed."""
        return int(self._sender.port[slot]), int(self._sender.destination[slot])

    def _compose(self, slot: int, now: float) -> bytes:
        peer, sender = self._peers[slot], self._sender
        delay = int((now - peer.reported_at) * 65536) & 0xFFFFFFFF if peer.last_report else 0
        packets = int(sender.packets[slot])
        report = rtcp.SenderReport(
            ssrc=int(sender.ssrc[slot]),
            ntp=rtcp.ntp(now),
            timestamp=sender.timestamp(slot, now),
            packets=packets & 0xFFFFFFFF,
            octets=int(sender.octets[slot]) & 0xFFFFFFFF,
        )
        sending, peer.packets_told = packets > peer.packets_told, packets
        return rtcp.compose(report, self._quality.block(slot, peer.last_report, delay), sending=sending)


def rtcp_rows(block: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which packets of a block are RTCP on a port of RTP."""
    kind = block[:, 1]
    rows: NDArray[np.bool_] = (kind >= 192) & (kind <= 223)
    return rows
