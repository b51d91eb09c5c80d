"""Session descriptions: reading an offer, writing the answer (RFC 4566, RFC 3264).

One audio stream of G.711 in either law, with telephone-event (RFC 4733) where the offer has it. Other
streams of the offer are refused by port 0 in their place.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from callflow.codec import PTIME, Law
from callflow.errors import PeerError
from callflow.sip.address import Address, is_sendable

_DYNAMIC: Final = frozenset(map(str, range(96, 128)))
"""The payload types that are given out in SDP (RFC 3551 §6)."""


class Direction(StrEnum):
    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def mirrored(self) -> "Direction":
        """The answer that agrees to this offer."""
        return _MIRRORED.get(self, self)


EVENT_TYPE: Final = 101
UNSPECIFIED: Final = "0.0.0.0"
"""The address by which RFC 2543 put calls on hold."""
"""Ours, for telephone-event."""
_DIRECTIONS: Final = {f"a={direction}": direction for direction in Direction}
_STATIC: Final = {str(law.payload_type): law for law in Law}
_ENCODINGS: Final = {law: f"{law}/8000" for law in Law}
_MIRRORED: Final = {Direction.SENDONLY: Direction.RECVONLY, Direction.RECVONLY: Direction.SENDONLY}


@dataclass(frozen=True, slots=True)
class Stream:
    """One m= line of an offer."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str
    """For IPv4; empty where none is named, or only one for IPv6."""
    direction: Direction
    rtpmap: dict[str, str] = field(default_factory=dict)
    """Payload type → encoding name in upper case with its clock rate."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What an offer and our answer to it come to."""

    law: Law
    event_type: int | None
    """The payload type of telephone-event, where both sides have it."""
    remote: Address | None
    """Where the peer said it wants its audio; None where it named no usable place."""
    direction: Direction
    """Ours: what we may send and shall hear."""
    answer: bytes
    """The answer, as the body of a 200."""
    streams: tuple[Stream, ...] = ()
    """All that were spoken of: what is offered again must have each in its place (RFC 3264 §8)."""
    chosen: int = 0
    """The index of ours."""
    laws: tuple[Law, ...] = ()
    """All that may come, `law` first: those of offer and answer (RFC 3264 §6.1, §7)."""
    event_types: tuple[int, ...] = ()
    """The payload types by which keys may come: each side may go by its own or by the other's."""

    def again(self, local: Address, session: int, version: int) -> bytes:
        """Our own offer of the same, at `local`."""
        ours = _audio((self.law,), self.event_type, Direction.SENDRECV, local[1])
        audio = [
            ours if index == self.chosen else _refused(stream) for index, stream in enumerate(self.streams)
        ]
        return _text(_head(local[0], session, version), *audio)

    @property
    def peer_listens(self) -> bool:
        """Whether what we send is heard; not so while the peer's side holds the call."""
        return self.direction in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def peer_sends(self) -> bool:
        """Whether the peer's side is to send anything."""
        return self.direction in (Direction.SENDRECV, Direction.RECVONLY)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that was read, with what we take of it; it can be answered as often as is needed."""

    streams: list[Stream]
    chosen: Stream
    laws: tuple[Law, ...]
    """In their order; the first is that which is sent."""
    event_types: tuple[int, ...]

    @classmethod
    def read(cls, offer: bytes) -> "Offer":
        """Raises `PeerError(400)` for what is no SDP and `PeerError(488)` where nothing is in common."""
        streams = parse(offer)
        # Of a dual stack's streams those by IPv6 are not for us (RFC 5118 §4.10). One that names no address
        # that we can send to is refused: its caller would hear nothing.
        for stream in streams:
            if _carried(stream) and _is_reachable(stream):
                laws = _laws(stream)
                if laws:
                    return cls(streams, stream, laws, _event_types(stream))
        raise PeerError(488, "Not Acceptable Here")

    @property
    def law(self) -> Law:
        return self.laws[0]

    @property
    def event_type(self) -> int | None:
        return next(iter(self.event_types), None)

    @property
    def remote(self) -> Address | None:
        remote = self.chosen.address, self.chosen.port
        return remote if is_sendable(*remote) else None

    @property
    def direction(self) -> Direction:
        """Ours, as it agrees to theirs."""
        theirs = self.chosen.direction
        if self.chosen.address == UNSPECIFIED:
            # The hold of RFC 2543: the peer wants to hear nothing.
            theirs = Direction.SENDONLY if theirs is Direction.SENDRECV else Direction.INACTIVE
        return theirs.mirrored

    def answered(self, local: Address, session: int, version: int = 1) -> Agreed:
        """Our audio is at `local`; `version` counts the descriptions of one `session` (RFC 3264 §8)."""
        ours = _audio((self.law,), self.event_type, self.direction, local[1])
        audio = [ours if stream is self.chosen else _refused(stream) for stream in self.streams]
        return self.agreed(_text(_head(local[0], session, version), *audio))

    def agreed(self, answer: bytes, ours: "Offer | None" = None) -> Agreed:
        """What it comes to with that answer of ours; or as the answer to an offer of `ours`."""
        laws, event_types = self.laws, self.event_types
        if ours is not None:
            laws += tuple(law for law in ours.laws if law not in laws)
            # Keys are agreed upon by both, or not at all.
            event_types += tuple(one for one in ours.event_types if event_types and one not in event_types)
        return Agreed(
            self.law,
            self.event_type,
            self.remote,
            self.direction,
            answer,
            tuple(self.streams),
            self.streams.index(self.chosen),
            laws,
            event_types,
        )


def offered(local: Address, session: int, version: int = 1, first: Law | None = None) -> bytes:
    """Our own offer: both laws, `first` before the other, and keys."""
    laws = (Law.PCMU, Law.PCMA) if first is Law.PCMU else (Law.PCMA, Law.PCMU)
    audio = _audio(laws, EVENT_TYPE, Direction.SENDRECV, local[1])
    return _text(_head(local[0], session, version), audio)


def accept(answer: bytes, ours: bytes = b"") -> Agreed:
    """What the answer to our offer comes to; `ours` is the offer. Raises `PeerError` where it is none."""
    return Offer.read(answer).agreed(b"", Offer.read(ours) if ours else None)


def agree(offer: bytes, local: Address, session: int, version: int = 1) -> Agreed:
    """Read `offer` and answer it at once. Raises `PeerError`."""
    return Offer.read(offer).answered(local, session, version)


def parse(body: bytes) -> list[Stream]:
    """The streams of a description, in order. Raises `PeerError(400)`."""
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if not text.startswith("v="):
        raise PeerError(400, "Bad SDP")
    session, *streams = text.split("\nm=")
    direction = Direction.SENDRECV
    for line in session.split("\n"):
        direction = _DIRECTIONS.get(line.strip(), direction)
    address = _address(session.split("\n"), "")
    return [_stream(stream.split("\n"), address, direction) for stream in streams]


def _stream(lines: list[str], address: str, direction: Direction) -> Stream:
    """Of one m= line, without these two letters, and what follows it."""
    words = lines[0].split()
    port = words[1].partition("/")[0] if len(words) >= 4 else ""
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise PeerError(400, "Bad SDP")
    rtpmap = {}
    for line in lines[1:]:
        line = line.strip()
        if line.startswith("a=rtpmap:"):
            format_, _, encoding = line[9:].partition(" ")
            rtpmap[format_] = "/".join(encoding.strip().upper().split("/")[:2])
        elif line in _DIRECTIONS:
            direction = _DIRECTIONS[line]
    own = _address(lines[1:], address)
    return Stream(words[0], int(port), words[2], tuple(words[3:]), own, direction, rtpmap)


def _address(lines: list[str], inherited: str) -> str:
    """The IPv4 address in the c= lines; `inherited` where there is none, and nothing where all are IPv6."""
    connections = [line.split() for line in lines if line.startswith("c=")]
    named = {words[1].upper(): words[2].partition("/")[0] for words in connections if len(words) >= 3}
    return named.get("IP4", "" if "IP6" in named else inherited)


def _carried(stream: Stream) -> bool:
    return stream.kind == "audio" and stream.port > 0 and stream.protocol.upper() == "RTP/AVP"


def _is_reachable(stream: Stream) -> bool:
    """Whether audio can be sent there, or is not wanted there for now (RFC 2543's hold)."""
    return stream.address == UNSPECIFIED or is_sendable(stream.address, stream.port)


def _laws(stream: Stream) -> tuple[Law, ...]:
    """Those that are named, in their order."""
    # A dynamic number for G.711 is legal but not worth having: all peers offer the static ones.
    named = [(format_, _STATIC[format_]) for format_ in dict.fromkeys(stream.formats) if format_ in _STATIC]
    return tuple(law for format_, law in named if stream.rtpmap.get(format_) in (None, _ENCODINGS[law]))


def _event_types(stream: Stream) -> tuple[int, ...]:
    known = (format_ for format_ in dict.fromkeys(stream.formats) if format_ in _DYNAMIC)
    return tuple(int(one) for one in known if stream.rtpmap.get(one) == "TELEPHONE-EVENT/8000")


def _refused(stream: Stream) -> str:
    return f"m={stream.kind} 0 {stream.protocol} {' '.join(stream.formats)}"


def _head(host: str, session: int, version: int) -> str:
    origin = f"o=callflow {session} {version} IN IP4 {host}"
    return f"v=0\r\n{origin}\r\ns=callflow\r\nc=IN IP4 {host}\r\nt=0 0"


def _audio(laws: tuple[Law, ...], event_type: int | None, direction: Direction, port: int) -> str:
    formats, attributes = _formats(laws, event_type)
    return f"m=audio {port} RTP/AVP {formats}\r\n{attributes}\r\na={direction}"


@lru_cache(maxsize=256)
def _formats(laws: tuple[Law, ...], event_type: int | None) -> tuple[str, str]:
    """The payload types, and the lines that explain them: of a few laws and the 32 dynamic numbers."""
    formats = [str(law.payload_type) for law in laws]
    lines = [f"a=rtpmap:{law.payload_type} {_ENCODINGS[law]}" for law in laws]
    if event_type is not None:
        formats.append(str(event_type))
        lines += [f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15"]
    return " ".join(formats), "\r\n".join([*lines, f"a=ptime:{PTIME}"])


def _text(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()
