"""SIP messages: bytes to values and back (RFC 3261 §7).

Tolerant where the RFC is: compact names, folded lines, bare line feeds, any case, latin-1. Linear in
its input and capped: what is larger than a datagram can be, or has more header fields than any phone
sends, is no SIP to us. Header values stay text until somebody asks for them.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from callflow.errors import PeerError
from callflow.sip.fields import LONG, Headers, long, text_of, written
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
_METHOD: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")
_ECHOED: Final = {name: written(name) for name in ("via", "from", "to", "call-id", "cseq", "record-route")}
"""What a response takes over from its request (§8.2.6.2)."""


class NotSip(Exception):
    """So little of it is SIP that there is nobody to answer."""


@dataclass
class Message:
    """What requests and responses have in common. A header is read when asked for, and once.

    Nobody changes one; it is not frozen because that alone would cost a tenth of its parsing.
    """

    headers: Headers
    body: bytes

    @once
    def via(self) -> Via:
        """The topmost Via; raises `PeerError(400)`."""
        text = self.headers.need("via")
        return Via.parse(next(iter(split_list(text)), "") if "," in text else text)

    @once
    def from_(self) -> NameAddress:
        return NameAddress.parse(self.headers.need("from"))

    @once
    def to(self) -> NameAddress:
        text = self.headers.need("to")
        return NameAddress.parse(text) if ";" in text else _called(text)

    @once
    def cseq(self) -> CSeq:
        return CSeq.parse(self.headers.need("cseq"))

    @property
    def call_id(self) -> str:
        return self.headers.need("call-id")

    def _after(self, start_line: str) -> bytes:
        head = f"{start_line}\r\n{self.headers.text()}Content-Length: {len(self.body)}\r\n\r\n"
        return head.encode("utf-8", "surrogateescape") + self.body


@dataclass
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
        return _requested(self.uri)

    @once
    def frame(self) -> tuple[str, ...]:
        """The lines that every response begins with (§8.2.6.2), cut where a To lacks its tag.

        The topmost Via says where the request was seen to come from (§18.2.1).
        """
        pieces, text = [], ""
        unseen = self.source
        for name, value in self.headers:
            label = _ECHOED.get(name)
            if label is None:
                continue
            if name == "via" and unseen is not None:
                value, unseen = self._seen_via(value, unseen), None
            text += f"{label}: {value}"
            if name == "to" and not (";" in value and _TAGGED.search(value)):
                pieces.append(text)
                text = ""
            text += "\r\n"
        return (*pieces, text)

    def _seen_via(self, text: str, source: tuple[str, int]) -> str:
        """The Via's lines with what we saw of its topmost hop."""
        host, port = source
        before, asked, after = text.partition(";rport")
        is_plain = asked and after[:1] in ("", ";") and ";rport" not in after
        if is_plain and "," not in text and "received" not in text:
            return f"{before};rport={port};received={host}{after}"
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
        return Request(Headers([via, *self.headers], named=True), self.body, self.method, self.uri)

    def also(self, *fields: tuple[str, str]) -> "Request":
        """The same request with more header fields at its end."""
        if not fields:
            return self
        return Request(Headers([*self.headers, *fields]), self.body, self.method, self.uri)


@dataclass
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
    text = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    start, *lines = text.split("\n")
    if len(lines) >= MOST_FIELDS:
        raise NotSip("too many lines")
    first, _, rest = start.rstrip().partition(" ")
    is_folded = "\n " in text or "\n\t" in text
    length, fields = _fields(_unfolded(lines) if is_folded else lines)
    whole = True
    if length is not None and length != str(len(body)):
        whole = _DIGITS.fullmatch(length) is not None and int(length) <= len(body)
        body = body[: int(length)] if whole else body
    if first.upper() == VERSION:
        status, _, reason = rest.partition(" ")
        return Response(Headers(fields, named=True), body, _status(status), reason)
    uri, _, version = rest.rpartition(" ")
    if not _ANY_VERSION.fullmatch(version) or not first or not _METHOD.issuperset(first):
        raise NotSip("no start line")
    return Request(Headers(fields, named=True), body, first, uri, source, version.upper(), whole)


def respond(
    request: Request, status: int, reason: str, *fields: tuple[str, str], to_tag: str = "", body: bytes = b""
) -> Response:
    """A response: Via, From, To, Call-ID and CSeq of the request (§8.2.6.2), then `fields` and `body`.

    `to_tag` is put on the To where it has none.
    """
    tag = f";tag={to_tag}" if to_tag else ""
    text = tag.join(request.frame) + text_of(fields)
    return Response(Headers.of_text(text), body, status, reason)


# A hotline is called by few names, again and again.
_called: Final = lru_cache(maxsize=256)(NameAddress.parse)
_requested: Final = lru_cache(maxsize=256)(Uri.parse)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Head and body, at the first empty line, whichever line ends the peer uses."""
    # Two plain searches are several times as fast as one for a pattern.
    with_return, bare = data.find(b"\n\r\n"), data.find(b"\n\n")
    if with_return < 0 or 0 <= bare < with_return:
        return (data[:bare].removesuffix(b"\r"), data[bare + 2 :]) if bare >= 0 else (data, b"")
    return data[:with_return].removesuffix(b"\r"), data[with_return + 3 :]


def _fields(lines: list[str]) -> tuple[str | None, list[tuple[str, str]]]:
    """Content-Length, and the other fields: from here on the body itself says how long it is."""
    fields: list[tuple[str, str]] = []
    length = None
    for line in lines:
        written, colon, value = line.partition(":")
        name = LONG.get(written) or long(written)
        if not colon or not name:
            continue
        if name == "content-length":
            value = value.strip()
            # Two that differ are as good as none that can be believed.
            length = value if length in (None, value) else "?"
        else:
            fields.append((name, value.strip()))
    return length, fields


def _unfolded(lines: list[str]) -> list[str]:
    """The header fields, one a line: what begins with a blank goes on (§7.3.1)."""
    unfolded: list[str] = []
    for line in lines:
        if line[:1] not in (" ", "\t"):
            unfolded.append(line)
        elif unfolded:
            unfolded[-1] += f" {line.strip()}"
    return unfolded


def _status(text: str) -> int:
    if not (len(text) == 3 and text.isascii() and text.isdigit() and "100" <= text <= "699"):
        raise NotSip("no status")
    return int(text)
