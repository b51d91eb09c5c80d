"""RTP headers of packets that are well formed, odd or cut short."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.media import rtp
from tests.support.rtp_packets import block_of, packet

pytestmark = pytest.mark.pure


def read(*packets: bytes) -> list[bytes | None]:
    """The payload of each packet; None where it is no RTP."""
    block, lengths = block_of(packets)
    headers = rtp.read(block, lengths)
    payloads = rtp.payloads(block, headers)
    return [
        payloads[row, : headers.size[row]].tobytes() if headers.good[row] else None
        for row in range(len(packets))
    ]


def test_every_field_is_read_where_it_stands() -> None:
    data = packet(b"abc", kind=101, sequence=65535, timestamp=2**32 - 1, marker=True)
    headers = rtp.read(*block_of([data, packet(b"d", kind=8)]))
    assert headers.good.tolist() == [True, True]
    assert headers.payload_type.tolist() == [101, 8]
    assert headers.marker.tolist() == [True, False]
    assert headers.sequence.tolist() == [65535, 0]
    assert headers.timestamp.tolist() == [2**32 - 1, 0]
    assert (headers.start.tolist(), headers.size.tolist()) == ([12, 12], [3, 1])


def test_what_stands_between_header_and_payload_is_stepped_over() -> None:
    plain = packet(b"payload")
    csrc = bytes([0x82]) + plain[1:12] + b"one.two.payload"
    extension = bytes([0x90]) + plain[1:12] + struct.pack("!HH", 1, 2) + b"extended" + b"payload"
    padding = bytes([0xA0]) + plain[1:12] + b"payload" + b"\0\0\3"
    everything = bytes([0xB1]) + plain[1:12] + b"csrc" + struct.pack("!HH", 0, 0) + b"payload" + b"\1"
    assert read(csrc, plain, extension, padding, everything) == [b"payload"] * 5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        packet(b""),
        packet(b"abc")[:11],
        bytes([0x40]) + packet(b"abc")[1:],
        bytes([0xC0]) + packet(b"abc")[1:],
        bytes([0x8F]) + packet(b"abc")[1:],
        bytes([0x90]) + packet(b"abc")[1:],
        bytes([0x90]) + packet(struct.pack("!HH", 0, 65535))[1:],
        bytes([0xA0]) + packet(b"ab\x04")[1:],
        bytes([0xA0]) + packet(b"ab\x03")[1:],
        b"OPTIONS sip:a SIP/2.0\r\n\r\n",
    ],
)
def test_what_is_no_rtp_is_told_and_does_no_harm_to_its_neighbours(data: bytes) -> None:
    assert read(packet(b"before"), data, packet(b"after")) == [b"before", None, b"after"]


def test_a_packet_longer_than_its_row_is_no_good() -> None:
    full = packet(bytes(rtp.SLOT - 12))
    assert read(full) == [full[12:]]
    over = packet(bytes(rtp.SLOT - 11))
    for first in (0x80, 0x8F, 0x90, 0xA0, 0xBF):
        assert read(bytes([first]) + over[1:], packet(b"x")) == [None, b"x"]


@given(st.lists(st.binary(max_size=600), min_size=1, max_size=5))
def test_no_bytes_raise(packets: list[bytes]) -> None:
    for data, payload in zip(packets, read(*packets), strict=True):
        assert payload is None or payload in data


def test_headers_are_written_as_they_are_read() -> None:
    out = np.zeros((2, rtp.HEADER + 1), np.uint8)
    rtp.write(
        out,
        np.array([0, 8], np.uint8),
        np.array([True, False]),
        np.array([65535, 1], np.uint16),
        np.array([2**32 - 1, 160], np.uint32),
        np.array([0xDEADBEEF, 1], np.uint32),
    )
    assert out[0].tobytes() == packet(
        b"\0", sequence=65535, timestamp=2**32 - 1, marker=True, ssrc=0xDEADBEEF
    )
    assert out[1].tobytes() == packet(b"\0", kind=8, sequence=1, timestamp=160, ssrc=1)
