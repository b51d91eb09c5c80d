"""The SIP of recent calls: kept, bounded, and readable as a capture file."""

import struct

import pytest

from callflow.adapters.trace import MOST_BYTES, MOST_CALLS, MOST_MESSAGES, MOST_OF_CALL, TraceRing, pcap

pytestmark = pytest.mark.pure

PEER, OWN = ("192.0.2.1", 5070), ("198.51.100.1", 5060)


def invite(call_id: str) -> bytes:
    return f"INVITE sip:1@x SIP/2.0\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\r\n".encode()


def answer(call_id: str, status: str) -> bytes:
    return f"SIP/2.0 {status}\r\ni: {call_id}\r\nCSeq: 1 INVITE\r\n\r\n".encode()


def test_a_call_is_kept_under_both_its_names() -> None:
    ring = TraceRing(1000.0)
    ring.saw(1.0, True, PEER, invite("a@b"))
    ring.saw(1.5, False, PEER, answer("a@b", "200 OK"))
    ring.name_latest("call-1")
    assert [(m.at, m.incoming, m.title) for m in ring.messages("call-1")] == [
        (1001.0, True, "INVITE"),
        (1001.5, False, "200 OK (INVITE)"),
    ]
    assert ring.messages("a@b") == ring.messages("call-1")
    assert ring.calls() == [("call-1", "a@b", 1001.0, 2)]


@pytest.mark.parametrize(
    "data",
    [
        b"OPTIONS sip:x SIP/2.0\r\nCall-ID: o\r\n\r\n",
        b"REGISTER sip:x SIP/2.0\r\nCall-ID: r\r\n\r\n",
        b"\xff" * 99,
        answer("unknown", "200 OK"),
    ],
)
def test_what_belongs_to_no_call_is_not_kept(data: bytes) -> None:
    ring = TraceRing(0.0)
    ring.saw(0.0, True, PEER, data)
    assert ring.calls() == []


@pytest.mark.parametrize(
    "header", ["Call-ID: a@b", "call-id:a@b", "I:  a@b", "CALL-ID\t: a@b", "Call-ID:  a@b", "Call-ID: a@b "]
)
def test_a_call_is_known_however_its_header_is_written(header: str) -> None:
    ring = TraceRing(0.0)
    ring.saw(0.0, True, PEER, f"INVITE sip:1@x SIP/2.0\r\n{header}\r\nCSeq: 1 INVITE\r\n\r\n".encode())
    assert len(ring.messages("a@b")) == 1


def test_what_a_body_quotes_is_not_the_message_s_own() -> None:
    ring = TraceRing(0.0)
    ring.saw(0.0, True, PEER, invite("a"))
    ring.saw(0.0, True, PEER, invite("b"))
    quoted = b"SIP/2.0 200 OK\r\nCall-ID: a\r\n\r\n"
    ring.saw(0.0, True, PEER, b"NOTIFY sip:1@x SIP/2.0\r\ni: b\r\n\r\n" + quoted)
    assert (len(ring.messages("a")), len(ring.messages("b"))) == (1, 2)


def test_the_oldest_call_makes_room_and_no_call_grows_for_ever() -> None:
    ring = TraceRing(0.0)
    for number in range(MOST_CALLS + 5):
        ring.saw(float(number), True, PEER, invite(f"c{number}"))
        ring.name_latest(f"n{number}")
    assert len(ring.calls()) == MOST_CALLS
    assert ring.messages("n4") == []
    assert ring.messages("n5") != []
    for _ in range(MOST_MESSAGES * 2):
        ring.saw(0.0, True, PEER, invite("c9"))
    assert len(ring.messages("c9")) == MOST_MESSAGES


def test_a_capture_file_has_whole_packets_with_right_checksums() -> None:
    ring = TraceRing(0.0)
    ring.saw(12.25, True, PEER, invite("a"))
    ring.saw(12.5, False, PEER, answer("a", "100 Trying"))
    file = pcap(ring.messages("a"), OWN)
    magic, *_, link = struct.unpack("<IHHiIII", file[:24])
    assert (magic, link) == (0xA1B2C3D4, 101)
    seconds, micros, kept, whole = struct.unpack("<IIII", file[24:40])
    assert (seconds, micros, kept) == (12, 250_000, whole)
    packet = file[40 : 40 + kept]
    words = struct.unpack("!10H", packet[:20])
    total = sum(words)
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
    assert packet[12:20] == bytes([192, 0, 2, 1, 198, 51, 100, 1])
    source, target, size, _ = struct.unpack("!HHHH", packet[20:28])
    assert (source, target, size) == (5070, 5060, kept - 20)
    assert packet[28:] == invite("a")


def test_what_is_kept_is_bounded_in_bytes() -> None:
    ring = TraceRing(0.0)
    for number in range(MOST_CALLS):
        for _ in range(MOST_MESSAGES):
            ring.saw(0.0, True, PEER, invite(f"c{number}") + b"x" * 60_000)
    assert ring.size <= MOST_BYTES
    kept = [message for call in ring.calls() for message in ring.messages(call[1])]
    assert sum(len(message.data) for message in kept) <= MOST_BYTES
    assert ring.messages(f"c{MOST_CALLS - 1}")[0].title == "INVITE"


def test_one_call_takes_no_more_than_its_share() -> None:
    ring = TraceRing(0.0)
    ring.saw(0.0, True, PEER, invite("other"))
    for _ in range(MOST_MESSAGES):
        ring.saw(0.0, True, PEER, invite("large") + b"x" * 60_000)
    assert sum(len(message.data) for message in ring.messages("large")) <= MOST_OF_CALL
    assert len(ring.messages("other")) == 1


def test_a_call_is_named_by_the_message_in_hand() -> None:
    ring = TraceRing(0.0)
    ring.saw(0.0, True, PEER, invite("challenged"))
    ring.saw(0.0, True, PEER, invite("another"))
    # The same Call-ID once more, as after a challenge.
    ring.saw(0.0, True, PEER, invite("challenged"))
    ring.name_latest("call-1")
    assert len(ring.messages("call-1")) == 2
