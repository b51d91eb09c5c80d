"""Reports of senders and receivers: RTCP's SR, RR and SDES (RFC 3550 §6)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from callflow.media.quality import ReportBlock

SR: Final = 200
RR: Final = 201
_SDES: Final = 202
_CNAME: Final = 1
_BLOCK: Final = 24
_LONGEST: Final = 1500


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What a sender says of its own stream."""

    ssrc: int
    ntp: int
    """64 bits, seconds in the upper half; here, of the plane's monotonic clock (RFC 3550 §6.4.1)."""
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Told:
    """What one datagram of a peer said."""

    sent: SenderReport | None
    blocks: tuple[ReportBlock, ...]


def parse(datagram: bytes) -> Told | None:
    """The reports in a compound packet; None for what is none (RFC 3550 A.2)."""
    if len(datagram) > _LONGEST:
        return None
    sent: SenderReport | None = None
    blocks: list[ReportBlock] = []
    at = 0
    while at < len(datagram):
        if len(datagram) - at < 8 or datagram[at] >> 6 != 2:
            return None
        count, kind = datagram[at] & 31, datagram[at + 1]
        end = at + 4 * (1 + int.from_bytes(datagram[at + 2 : at + 4], "big"))
        if end > len(datagram) or (at == 0 and kind not in (SR, RR)):
            return None
        body = datagram[at + 4 : end]
        if kind == SR and len(body) >= 24:
            sent = SenderReport(*struct.unpack("!IQIII", body[:24]))
        if kind in (SR, RR):
            blocks += _blocks(body[24 if kind == SR else 4 :], count)
        at = end
    return Told(sent, tuple(blocks))


def compose(sent: SenderReport, block: ReportBlock | None, *, sending: bool) -> bytes:
    """A compound packet: SR where we have sent since the last, else RR; and the name that SDES must bear."""
    received = _pack(block) if block else b""
    count = 1 if block else 0
    if sending:
        info = struct.pack("!IQIII", sent.ssrc, sent.ntp, sent.timestamp, sent.packets, sent.octets)
        report = _packet(SR, count, info + received)
    else:
        report = _packet(RR, count, struct.pack("!I", sent.ssrc) + received)
    name = f"{sent.ssrc:08x}".encode()
    item = bytes([_CNAME, len(name)]) + name
    return report + _packet(_SDES, 1, struct.pack("!I", sent.ssrc) + item + bytes(4 - len(item) % 4))


def ntp(now: float) -> int:
    """Seconds as an NTP timestamp of 64 bits."""
    return int(now * 2**32) & 0xFFFFFFFFFFFFFFFF


def middle(ntp_time: int) -> int:
    """The middle 32 bits, which receivers give back."""
    return ntp_time >> 16 & 0xFFFFFFFF


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def _pack(block: ReportBlock) -> bytes:
    lost = struct.pack("!i", block.lost)[1:]
    tail = (block.highest, block.jitter & 0xFFFFFFFF, block.last_report, block.delay)
    return struct.pack("!IB", block.ssrc, block.fraction_lost) + lost + struct.pack("!IIII", *tail)


def _blocks(body: bytes, count: int) -> Iterator[ReportBlock]:
    for at in range(0, min(count * _BLOCK, len(body) // _BLOCK * _BLOCK), _BLOCK):
        ssrc, fraction = struct.unpack("!IB", body[at : at + 5])
        lost = int.from_bytes(body[at + 5 : at + 8], "big", signed=True)
        yield ReportBlock(ssrc, fraction, lost, *struct.unpack("!IIII", body[at + 8 : at + _BLOCK]))
