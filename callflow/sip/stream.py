"""SIP messages out of a byte stream (RFC 3261 §18.3, RFC 5626 §3.5.1).

A datagram ends by itself; in a stream only Content-Length says where a message does. One that lacks it, or
has one that cannot be believed, leaves no way to find the next message: the stream is broken for good.
Linear in what comes, however small the pieces.
"""

import re
from dataclasses import dataclass
from typing import Final

from callflow.sip.refusal import LARGEST

PONG: Final = b"\r\n"
"""The answer to a ping (RFC 5626 §3.5.1)."""
_CR, _LF = b"\r\n"
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_LONGEST_BLANK: Final = 4
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_LENGTH: Final = re.compile(rb"\n(?:content-length|l)[ \t]*:([^\r\n]*)", re.IGNORECASE)
_DIGITS: Final = re.compile(rb"[0-9]{1,8}")


class StreamBroken(Exception):
    """Where the next message begins cannot be known any more; all that is left is to close the connection."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A double CRLF between messages: the peer asks whether we are there, and wants a `PONG`."""


class StreamReader:
    """One connection's incoming bytes: `feed` what comes, then `take` until there is nothing more."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        """How much of the buffer is known to hold no empty line."""
        self._size: int | None = None
        """Of the message that the buffer begins with, once its head is there."""
        self._line_ends = 0
        self._broken: StreamBroken | None = None

    def feed(self, data: bytes) -> None:
        """Bytes in the order in which they came."""
        if self._broken is None:
            self._buffer += data

    def take(self) -> bytes | Ping | None:
        """The next whole message or ping; None where more must come first.

        A message is given whole, as `sip.message.parse` takes it, and is at most `LARGEST` bytes long; what
        is wrong inside is the reader's to find and to answer. Raises `StreamBroken`, from then on always.
        """
        if self._broken is not None:
            raise self._broken
        try:
            return self._take()
        except StreamBroken as broken:
            self._broken = broken
            self._buffer.clear()
            raise

    def _take(self) -> bytes | Ping | None:
        if self._size is None:
            if self._pinged():
                return Ping()
            self._size = self._find_size()
        if self._size is None or len(self._buffer) < self._size:
            return None
        message = bytes(self._buffer[: self._size])
        self._drop(self._size)
        return message

    def _pinged(self) -> bool:
        """Pass over the line ends before a message (§7.5), up to the second CRLF in a row."""
        buffer, passed = self._buffer, 0
        while passed < len(buffer) and buffer[passed] in (_CR, _LF) and self._line_ends < 2:
            if buffer[passed : passed + 2] == b"\r\n":
                self._line_ends += 1
                passed += 2
            elif buffer[passed] == _CR and passed + 1 == len(buffer):
                # Its line feed may be the next byte to come.
                break
            else:
                self._line_ends = 0
                passed += 1
        if passed:
            self._drop(passed)
        pinged = self._line_ends == 2
        if pinged or (buffer and buffer[0] not in (_CR, _LF)):
            self._line_ends = 0
        return pinged

    def _find_size(self) -> int | None:
        blank = _BLANK.search(self._buffer, self._searched)
        if blank is None:
            if len(self._buffer) > LARGEST:
                raise StreamBroken("message too large")
            self._searched = max(0, len(self._buffer) - _LONGEST_BLANK + 1)
            return None
        size = blank.end()
        if size <= LARGEST:
            size += _body_length(bytes(self._buffer[: blank.start()]))
        if size > LARGEST:
            raise StreamBroken("message too large")
        return size

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = 0
        self._size = None


def _body_length(head: bytes) -> int:
    """What Content-Length says, in bytes; the same twice is as good as once. Raises `StreamBroken`."""
    told = {value.strip() for value in _LENGTH.findall(_FOLD.sub(b" ", head))}
    if not told:
        raise StreamBroken("no Content-Length")
    length = told.pop()
    if told or not _DIGITS.fullmatch(length):
        raise StreamBroken("bad Content-Length")
    return int(length)
