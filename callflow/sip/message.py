"""SIP messages: bytes to values and back (RFC 3261 §7).

Tolerant where the RFC is: compact names, folded lines, bare line feeds, any case, latin-1. Linear in
its input and capped: what is larger than a datagram can be, or has more header fields than any phone
sends, is no SIP to us. Header values stay text until somebody asks for them.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from callflow.errors import PeerError
from callflow.sip.fields import Headers
from callflow.sip.grammar import split_list
from callflow.sip.headers import CSeq, NameAddress, Via
from callflow.sip.once import once
from callflow.sip.uri import Uri

MOST_FIELDS: Final = 256
COOKIE: Final = "z9hG4bK"
"""What the branch of every peer of this century begins with (§8.1.1.7)."""
VERSION: Final = "SIP/2.0"
_ANY_VERSION: Final = re.compile(r"SIP/[0-9]{1,3}\.[0-9]{1,3}", re.IGNORECASE)
_DIGITS: Final = re.compile(r"[0-9]{1,8}")
_TAGGED: Final = re.compile(r";\s*tag\s*=", re.IGNORECASE)
_ASKED_PORT: Final = re.compile(r";rport(?=;|$)")
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_METHOD: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")
_ECHOED: Final = frozenset(("via", "from", "to", "call-id", "cseq", "record-route"))
"""What a response takes over from its request (§8.2.6.2)."""


class NotSip(Exception):
    """So little of it is SIP that there is nobody to answer."""


@dataclass(frozen=True)
class Message:
    """What requests and responses have in common. A header is read when asked for, and once."""

    headers: Headers
    body: bytes

    @once
    def via(self) -> Via:
        """The topmost Via; raises `PeerError(400)`."""
        hops = split_list(self.headers.need("via"))
        if not hops:
            raise PeerError(400, "Bad Via")
        return Via.parse(hops[0])

    @once
    def from_(self) -> NameAddress:
        return NameAddress.parse(self.headers.need("from"))

    @once
    def to(self) -> NameAddress:
        return NameAddress.parse(self.headers.need("to"))

    @once
    def cseq(self) -> CSeq:
        return CSeq.parse(self.headers.need("cseq"))

    @property
    def call_id(self) -> str:
        return self.headers.need("call-id")

    @property
    def allowed(self) -> frozenset[str]:
        """The methods that its sender says it takes (§20.5)."""
        return frozenset(name.upper() for name in self.headers.tokens("allow"))

    def _after(self, start_line: str) -> bytes:
        head = f"{start_line}\r\n{self.headers.text()}Content-Length: {len(self.body)}\r\n\r\n"
        return head.encode("utf-8", "surrogateescape") + self.body


@dataclass(frozen=True)
class Request(Message):
    method: str
    uri: str
    source: tuple[str, int] | None = field(default=None, compare=False)
    """Where it came from, if it came by a socket."""
    version: str = VERSION
    whole: bool = True
    """Whether the body is as long as was said (§18.3)."""

    @once
    def requested(self) -> Uri:
        """The Request-URI; raises `PeerError(400)` or `PeerError(416)`."""
        if self.uri.split() != [self.uri]:
            raise PeerError(400, "Bad Request-URI")
        return Uri.parse(self.uri)

    @once
    def frame(self) -> list[tuple[str, str]]:
        """The header fields that every response begins with (§8.2.6.2).

        The topmost Via says where the request was seen to come from (§18.2.1).
        """
        frame = [(name, value) for name, value in self.headers if name in _ECHOED]
        if self.source is not None:
            index = next(i for i, (name, _) in enumerate(frame) if name == "via")
            frame[index] = ("via", self._seen_via(frame[index][1], self.source))
        return frame

    def _seen_via(self, text: str, source: tuple[str, int]) -> str:
        """The Via's lines with what we saw of its topmost hop."""
        host, port = source
        seen, number = _ASKED_PORT.subn(f";rport={port};received={host}", text)
        if number == 1 and "," not in text and "received" not in text:
            return seen
        # Several hops in one line, or what another has seen before us.
        hops = split_list(text)
        return ", ".join([str(self.via.seen_from(source)), *hops[1:]])

    @once
    def key(self) -> tuple[str, str, int]:
        """Branch, sent-by and CSeq number: what its retransmissions have in common (§17.2.3).

        The branch alone should do, but pyVoIP sends its INVITE anew under the same one after a 401. ACK
        and CANCEL bear the number of their INVITE.
        """
        via = self.via
        branch = via.branch
        if len(branch) <= len(COOKIE) or not branch.startswith(COOKIE):
            branch = f"{self.call_id}|{self.from_.tag}"
        return branch, f"{via.host}:{via.port}", self.cseq.number

    def to_bytes(self) -> bytes:
        return self._after(f"{self.method} {self.uri} SIP/2.0")

    def under(self, via: tuple[str, str]) -> "Request":
        """The same request with a Via on top."""
        return Request(Headers([via, *self.headers]), self.body, self.method, self.uri)

    def also(self, *fields: tuple[str, str]) -> "Request":
        """The same request with more header fields at its end."""
        return (
            Request(Headers([*self.headers, *fields]), self.body, self.method, self.uri) if fields else self
        )


@dataclass(frozen=True)
class Response(Message):
    status: int
    reason: str

    @property
    def retry_after(self) -> int | None:
        """Seconds (§20.33); None where it does not say, or not in a way that can be read."""
        text = re.split(r"[;( ]", self.headers.get("retry-after") or "", maxsplit=1)[0]
        return int(text) if _DIGITS.fullmatch(text) else None

    def to_bytes(self) -> bytes:
        return self._after(f"SIP/2.0 {self.status} {self.reason}")


def parse(data: bytes, source: tuple[str, int] | None = None) -> Request | Response:
    """One datagram as a message.

    Raises `NotSip` where nobody could be answered. What is wrong inside a header field is found when the
    field is read, as `PeerError`.
    """
    head, body = _split(data)
    # Bytes that are no UTF-8 go through unharmed and come out as they came in.
    lines = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    if len(lines) > MOST_FIELDS:
        raise NotSip("too many lines")
    first, _, rest = lines[0].rstrip().partition(" ")
    length, fields = _fields(lines)
    whole = length is None or (_DIGITS.fullmatch(length) is not None and int(length) <= len(body))
    if length is not None and whole:
        body = body[: int(length)]
    if first.upper() == VERSION:
        status, _, reason = rest.partition(" ")
        return Response(Headers(fields), body, _status(status), reason)
    uri, _, version = rest.rpartition(" ")
    if not _ANY_VERSION.fullmatch(version) or not first or not _METHOD.issuperset(first):
        raise NotSip("no start line")
    return Request(Headers(fields), body, first, uri, source, version.upper(), whole)


def respond(
    request: Request, status: int, reason: str, *fields: tuple[str, str], to_tag: str = "", body: bytes = b""
) -> Response:
    """A response: Via, From, To, Call-ID and CSeq of the request (§8.2.6.2), then `fields` and `body`.

    `to_tag` is put on the To where it has none.
    """
    frame = request.frame
    if to_tag:
        frame = [
            (name, f"{value};tag={to_tag}") if name == "to" and not _TAGGED.search(value) else (name, value)
            for name, value in frame
        ]
    return Response(Headers([*frame, *fields]), body, status, reason)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Head and body, at the first empty line, whichever line ends the peer uses."""
    blank = _BLANK.search(data)
    return (data[: blank.start()], data[blank.end() :]) if blank else (data, b"")


def _fields(lines: list[str]) -> tuple[str | None, list[tuple[str, str]]]:
    """Content-Length, and the other fields: from here on the body itself says how long it is."""
    fields: list[tuple[str, str]] = []
    length = None
    for line in _unfolded(lines):
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon or not name:
            continue
        if name.lower() in ("content-length", "l"):
            value = value.strip()
            # Two that differ are as good as none that can be believed.
            length = value if length in (None, value) else "?"
        else:
            fields.append((name, value.strip()))
    return length, fields


def _unfolded(lines: list[str]) -> list[str]:
    """The header fields, one a line: what begins with a blank goes on (§7.3.1)."""
    if not any(line[:1] in (" ", "\t") for line in lines[1:]):
        return lines[1:]
    unfolded: list[str] = []
    for line in lines[1:]:
        if line[:1] not in (" ", "\t"):
            unfolded.append(line)
        elif unfolded:
            unfolded[-1] += f" {line.strip()}"
    return unfolded


def _status(text: str) -> int:
    if not (len(text) == 3 and text.isascii() and text.isdigit() and "100" <= text <= "699"):
        raise NotSip("no status")
    return int(text)
