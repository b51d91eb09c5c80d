"""SIP messages: bytes to values and back (RFC 3261 §7).

Tolerant where the RFC is: compact names, folded lines, bare line feeds, any case, latin-1. Linear in
its input and capped: what is larger than a datagram can be, or has more header fields than any phone
sends, is no SIP to us. Header values stay text until somebody asks for them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from callflow.errors import PeerError
from callflow.sip.grammar import split_list
from callflow.sip.headers import CSeq, NameAddress, Via

MOST_FIELDS: Final = 256
_COMPACT: Final = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "o": "event", "r": "refer-to", "s": "subject", "t": "to",
    "u": "allow-events", "v": "via", "x": "session-expires",
}  # fmt: skip
_WRITTEN: Final = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}
_TAGGED: Final = re.compile(r";\s*tag\s*=", re.IGNORECASE)
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_METHOD: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")


class NotSip(Exception):
    """So little of it is SIP that there is nobody to answer."""


class Headers:
    """The header fields of a message, in order. Names are matched in any case and compact or long."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = [(_long(name), value) for name, value in fields]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    def get(self, name: str) -> str | None:
        """The first value of `name` (long, lower case)."""
        return next((value for field, value in self._fields if field == name), None)

    def all(self, name: str) -> list[str]:
        """Every value of a field that may be a list, whether in one line or in several."""
        return [part for field, value in self._fields if field == name for part in split_list(value)]

    def need(self, name: str) -> str:
        """The first value of `name`; raises `PeerError(400)` where it is missing."""
        value = self.get(name)
        if not value:
            raise PeerError(400, f"Missing {_written(name)}")
        return value

    def text(self) -> str:
        return "".join(f"{_written(name)}: {value}\r\n" for name, value in self._fields)


@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses have in common."""

    headers: Headers
    body: bytes

    @property
    def via(self) -> Via:
        """The topmost Via; raises `PeerError(400)`."""
        hops = split_list(self.headers.need("via"))
        if not hops:
            raise PeerError(400, "Bad Via")
        return Via.parse(hops[0])

    @property
    def from_(self) -> NameAddress:
        return NameAddress.parse(self.headers.need("from"))

    @property
    def to(self) -> NameAddress:
        return NameAddress.parse(self.headers.need("to"))

    @property
    def cseq(self) -> CSeq:
        return CSeq.parse(self.headers.need("cseq"))

    @property
    def call_id(self) -> str:
        return self.headers.need("call-id")

    def _after(self, start_line: str) -> bytes:
        head = f"{start_line}\r\n{self.headers.text()}Content-Length: {len(self.body)}\r\n\r\n"
        return head.encode("utf-8", "surrogateescape") + self.body


@dataclass(frozen=True, slots=True)
class Request(Message):
    method: str
    uri: str

    def seen_from(self, source: tuple[str, int]) -> "Request":
        """The request with its topmost Via saying where it was seen to come from (§18.2.1)."""
        fields = [*self.headers]
        index = next(i for i, (name, _) in enumerate(fields) if name == "via")
        top, *rest = split_list(fields[index][1])
        fields[index] = ("via", ", ".join([str(Via.parse(top).seen_from(source)), *rest]))
        return Request(Headers(fields), self.body, self.method, self.uri)

    def to_bytes(self) -> bytes:
        return self._after(f"{self.method} {self.uri} SIP/2.0")


@dataclass(frozen=True, slots=True)
class Response(Message):
    status: int
    reason: str

    def to_bytes(self) -> bytes:
        return self._after(f"SIP/2.0 {self.status} {self.reason}")


def parse(data: bytes) -> Request | Response:
    """One datagram as a message.

    Raises `NotSip` where nobody could be answered. What is wrong inside a header field is found when the
    field is read, as `PeerError`.
    """
    head, body = _split(data)
    # Bytes that are no UTF-8 go through unharmed and come out as they came in.
    lines = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    first = lines[0].split(" ", 2)
    if len(first) == 2 and first[0].upper() == "SIP/2.0":
        # A reason phrase may be empty, and some forget the space before it.
        first.append("")
    if len(first) != 3 or len(lines) > MOST_FIELDS:
        raise NotSip("no start line" if len(first) != 3 else "too many lines")
    fields = Headers(_fields(lines[1:]))
    body = _cut(body, fields)
    # The body itself says from here on how long it is.
    headers = Headers(field for field in fields if field[0] != "content-length")
    if first[0].upper() == "SIP/2.0":
        return Response(headers, body, _status(first[1]), first[2])
    if first[2].strip().upper() != "SIP/2.0" or not first[0] or not _METHOD.issuperset(first[0]):
        raise NotSip("no SIP version")
    return Request(headers, body, first[0], first[1])


def respond(request: Request, status: int, reason: str, *, to_tag: str = "") -> Response:
    """The frame of a response: Via, From, To, Call-ID and CSeq of the request (§8.2.6.2).

    `to_tag` is put on the To where it has none.
    """
    kept: list[tuple[str, str]] = []
    for name, value in request.headers:
        if name in ("via", "from", "call-id", "cseq", "record-route"):
            kept.append((name, value))
        elif name == "to":
            tagged = to_tag and not _TAGGED.search(value)
            kept.append((name, f"{value};tag={to_tag}" if tagged else value))
    return Response(Headers(kept), b"", status, reason)


def with_fields(response: Response, *fields: tuple[str, str], body: bytes = b"") -> Response:
    """The response with more header fields, and a body."""
    return Response(Headers([*response.headers, *fields]), body, response.status, response.reason)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Head and body, at the first empty line, whichever line ends the peer uses."""
    blank = _BLANK.search(data)
    return (data[: blank.start()], data[blank.end() :]) if blank else (data, b"")


def _fields(lines: list[str]) -> Iterator[tuple[str, str]]:
    name, value = "", ""
    for line in lines:
        if line[:1] in (" ", "\t"):
            value = f"{value} {line.strip()}"
            continue
        if name:
            yield name, value
        name, colon, value = line.partition(":")
        name, value = (name.strip(), value.strip()) if colon else ("", "")
    if name:
        yield name, value


def _cut(body: bytes, headers: Headers) -> bytes:
    length = headers.get("content-length")
    if length is None or not (length.isascii() and length.isdigit() and len(length) < 8):
        return body
    return body[: int(length)]


def _status(text: str) -> int:
    if not (len(text) == 3 and text.isascii() and text.isdigit() and "100" <= text <= "699"):
        raise NotSip("no status")
    return int(text)


def _long(name: str) -> str:
    lower = name.lower()
    return _COMPACT.get(lower, lower)


def _written(name: str) -> str:
    return _WRITTEN.get(name) or name.title()
