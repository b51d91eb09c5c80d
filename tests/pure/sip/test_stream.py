"""Messages out of a byte stream (RFC 3261 §18.3), cut anywhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.sip import stream
from callflow.sip.message import Request, parse
from callflow.sip.refusal import LARGEST
from callflow.sip.stream import Ping, StreamBroken, StreamReader

pytestmark = pytest.mark.pure


def message(body: bytes = b"", length: str | None = None, filler: int = 0) -> bytes:
    said = f"Content-Length: {len(body)}\r\n" if length is None else length
    filled = f"Subject: {'x' * filler}\r\n" if filler else ""
    return f"MESSAGE sip:a@b SIP/2.0\r\n{filled}{said}Call-ID: 1\r\n\r\n".encode() + body


def read(*pieces: bytes) -> list[bytes | Ping | str]:
    """Everything that comes out, with the reason at the end where the stream broke."""
    reader, got = StreamReader(), list[bytes | Ping | str]()
    for piece in pieces:
        reader.feed(piece)
        try:
            while (item := reader.take()) is not None:
                got.append(item)
        except StreamBroken as broken:
            return [*got, str(broken)]
    return got


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


ONE, TWO = message(b"v=0\r\n\r\nhello"), message()


def test_two_messages_in_one_piece_are_two() -> None:
    assert read(ONE + TWO) == [ONE, TWO]


def test_a_message_may_come_byte_by_byte() -> None:
    assert read(*single_bytes(ONE + TWO + ONE)) == [ONE, TWO, ONE]


def test_an_empty_line_in_the_body_ends_nothing() -> None:
    assert read(message(b"\r\n\r\n\r\n") + TWO) == [message(b"\r\n\r\n\r\n"), TWO]


@pytest.mark.parametrize(
    "length",
    [
        "l: 5\r\n",
        "L:5\r\n",
        "CONTENT-length : 5\r\n",
        "l:\r\n 5\r\n",
        "l:\n\t5\n",
        "l: 5\r\nContent-Length: 5 \r\n",
    ],
)
def test_content_length_is_read_however_it_is_written(length: str) -> None:
    whole = message(b"12345", length)
    assert read(whole + TWO) == [whole, TWO]


def test_bare_line_feeds_end_lines_too() -> None:
    whole = b"MESSAGE sip:a@b SIP/2.0\nl: 2\n\nhi"
    assert read(whole + whole) == [whole, whole]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (message(length=""), "no Content-Length"),
        (b"l: 3\r\nCall-ID: 1\r\n\r\n", "no Content-Length"),
        (message(length="Subject: a\r\n l: 0\r\n"), "no Content-Length"),
        (message(length="l: -1\r\n"), "bad Content-Length"),
        (message(length="l: 1 2\r\n"), "bad Content-Length"),
        (message(length="l: 999999999\r\n"), "bad Content-Length"),
        (message(length="l: 1\r\nl: 2\r\n"), "bad Content-Length"),
        (message(length="l:\r\n"), "bad Content-Length"),
        (message(length="l: \u0663\r\n"), "bad Content-Length"),
        (message(length="l: 32768\r\n"), "message too large"),
        (message(length="l: 99999999\r\n"), "message too large"),
        (b"x" * (LARGEST + 1), "message too large"),
        (message(length="", filler=LARGEST), "message too large"),
    ],
)
def test_what_cannot_be_followed_breaks_the_stream(data: bytes, reason: str) -> None:
    assert read(ONE + data + ONE) == [ONE, reason]
    assert read(*single_bytes(data)) == [reason]


def test_a_broken_stream_stays_broken_and_keeps_nothing() -> None:
    reader = StreamReader()
    for _ in range(3):
        reader.feed(message(length=""))
        with pytest.raises(StreamBroken, match="no Content-Length"):
            reader.take()
    assert not reader._buffer


def test_the_largest_message_goes_through_and_no_larger_one() -> None:
    room = LARGEST - len(message(b"x" * 10_000, filler=1))
    largest = message(b"x" * 10_000, filler=room + 1)
    assert len(largest) == LARGEST
    assert read(largest) == [largest]
    assert read(message(b"x" * 10_000, filler=room + 2)) == ["message too large"]


@pytest.mark.parametrize(
    ("before", "pings"),
    [
        (b"", 0),
        (b"\r\n", 0),
        (b"\r\n\r\n", 1),
        (b"\r\n\r\n\r\n", 1),
        (b"\r\n\r\n\r\n\r\n", 2),
        (b"\n\n\n\n", 0),
        (b"\r\n\n\r\n", 0),
        (b"\r\r\n", 0),
    ],
)
def test_line_ends_before_a_message_are_passed_over_and_two_are_a_ping(before: bytes, pings: int) -> None:
    wanted = [*[Ping()] * pings, ONE]
    assert read(before + ONE) == wanted
    assert read(*single_bytes(before + ONE)) == wanted


def test_one_line_end_before_each_message_is_never_a_ping() -> None:
    assert read(*[b"\r\n" + ONE] * 4) == [ONE] * 4


def test_a_ping_is_told_before_anything_follows_it() -> None:
    assert read(ONE, b"\r", b"\n\r", b"\n") == [ONE, Ping()]


@given(
    st.lists(
        st.one_of(
            st.builds(message, st.binary(max_size=60)),
            st.sampled_from([b"\r\n", b"\r\n\r\n", b"\n", message(length=""), message(length="l: 7\r\n")]),
        ),
        max_size=6,
    ),
    st.data(),
)
def test_it_does_not_matter_where_the_stream_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=12)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert read(*pieces) == read(whole) == read(*single_bytes(whole))


@given(st.lists(st.builds(message, st.binary(max_size=200)), max_size=5))
def test_what_comes_out_is_what_parse_reads(parts: list[bytes]) -> None:
    taken = read(b"\r\n".join(parts))
    assert taken == parts
    for raw in parts:
        read_back = parse(raw)
        assert isinstance(read_back, Request)
        assert read_back.whole
        assert raw.endswith(read_back.body)


def test_no_byte_is_looked_at_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 MB byte by byte: the search for the end of the head looks at each byte a few times at most."""
    looked_at = 0
    data = message(b"x" * 12_000, filler=20_000) * 32
    assert len(data) > 1_000_000

    class Counting:
        def search(self, buffer: bytearray, start: int) -> re.Match[bytes] | None:
            nonlocal looked_at
            looked_at += len(buffer) - start
            assert looked_at <= 5 * len(data)
            return re.compile(rb"\r?\n\r?\n").search(buffer, start)

    monkeypatch.setattr(stream, "_BLANK", Counting())
    assert len(read(*single_bytes(data))) == 32
    assert looked_at > 0
