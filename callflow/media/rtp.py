"""RTP headers of many packets at once (RFC 3550 §5.1)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import PTIME, RATE

HEADER: Final = 12
FRAME: Final = RATE * PTIME // 1000
"""Samples, and so bytes of G.711, in each packet that we send."""
SLOT: Final = 1728
"""Bytes kept of each received packet: 200 ms of G.711 (RFC 3551 §4.2), a header with all contributing
sources and an extension of 52 bytes fit. No power of two: all rows would share a few lines of a cache."""

Block = NDArray[np.uint8]
"""Packets, one a row."""


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers of a block say, one element a packet."""

    good: NDArray[np.bool_]
    """Whether it is RTP at all; where not, the rest means nothing."""
    payload_type: NDArray[np.uint8]
    marker: NDArray[np.bool_]
    sequence: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]
    ssrc: NDArray[np.uint32]
    start: NDArray[np.int64]
    """Where the payload begins."""
    size: NDArray[np.int64]
    """Bytes of payload."""


def read(block: Block, lengths: NDArray[np.int64]) -> Headers:
    """The headers of `block`, whose packets are `lengths` bytes long."""
    # A copy of the headers by themselves: each column of the block would cost a walk through all of it.
    heads = np.ascontiguousarray(block[:, :HEADER])
    words = heads.view(">u4").astype(np.uint32)
    first, second = heads[:, 0], heads[:, 1]
    start = HEADER + 4 * (first & 15).astype(np.int64)
    size = lengths - start
    odd = (first & 0x30).nonzero()[0]
    for index in odd:
        start[index], size[index] = _odd_payload(block[index], int(lengths[index]), int(start[index]))
    good = (first >> 6 == 2) & (lengths >= HEADER) & (lengths <= SLOT) & (size > 0)
    return Headers(
        good=good,
        payload_type=second & np.uint8(0x7F),
        marker=second >= 0x80,
        sequence=words[:, 0].astype(np.uint16),
        timestamp=words[:, 1],
        ssrc=words[:, 2],
        start=start,
        size=size,
    )


def _odd_payload(packet: NDArray[np.uint8], length: int, start: int) -> tuple[int, int]:
    """Start and size of the payload of a packet with a header extension or padding (§5.1, §5.3.1)."""
    if length > len(packet):
        return start, 0
    if packet[0] & 0x10:
        if start + 4 > length:
            return start, 0
        start += 4 + 4 * (int(packet[start + 2]) << 8 | int(packet[start + 3]))
    padding = int(packet[length - 1]) if packet[0] & 0x20 and length else 0
    return start, length - start - padding


def payloads(block: Block, headers: Headers, wanted: NDArray[np.bool_] | None = None) -> Block:
    """The payloads, each from its row's first column on; what follows a payload's end means nothing.

    As wide as the longest of them: nothing need be copied beyond it. Of rows that are not `wanted` nothing is
    to be had; without it, of those that are no RTP.
    """
    wanted = headers.good if wanted is None else wanted
    width = int(headers.size.max(initial=0, where=wanted))
    payload = block[:, HEADER : HEADER + width]
    odd = (wanted & (headers.start != HEADER)).nonzero()[0]
    if not len(odd):
        return payload
    moved = payload.copy()
    for row in odd.tolist():
        start, size = int(headers.start[row]), int(headers.size[row])
        moved[row, :size] = block[row, start : start + size]
    return moved


def write(
    out: Block,
    payload_type: NDArray[np.uint8],
    marker: NDArray[np.bool_],
    sequence: NDArray[np.uint16],
    timestamp: NDArray[np.uint32],
    ssrc: NDArray[np.uint32],
) -> None:
    """Write a header into each row of `out`."""
    words = np.empty((len(out), HEADER // 4), ">u4")
    words[:, 0] = 0x80000000 | marker << np.uint32(23) | payload_type << np.uint32(16) | sequence
    words[:, 1], words[:, 2] = timestamp, ssrc
    out[:, :HEADER] = words.view(np.uint8)
