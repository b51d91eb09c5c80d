"""Session descriptions: reading an offer, writing the answer (RFC 4566, RFC 3264).

One audio stream of G.711 in either law, with telephone-event (RFC 4733) where the offer has it. Other
streams of the offer are refused by port 0 in their place.
"""

from dataclasses import dataclass, field
from enum import StrEnum
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
        turned = {Direction.SENDONLY: Direction.RECVONLY, Direction.RECVONLY: Direction.SENDONLY}
        return turned.get(self, self)


@dataclass(frozen=True, slots=True)
class Stream:
    """One m= line of an offer."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str
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

    @property
    def peer_listens(self) -> bool:
        """Whether what we send is heard; not so while the peer's side holds the call."""
        return self.direction in (Direction.SENDRECV, Direction.SENDONLY)


def agree(offer: bytes, local: Address, session: int, version: int = 1) -> Agreed:
    """Answer `offer` with our audio at `local`; `version` counts the answers of one `session` (RFC 3264 §8).

    Raises `PeerError(400)` for what is no SDP and `PeerError(488)` where there is nothing in common.
    """
    streams = parse(offer)
    chosen = next((stream for stream in streams if _usable(stream)), None)
    if chosen is None:
        raise PeerError(488, "Not Acceptable Here")
    law = next(found for format_ in chosen.formats if (found := _law(chosen, format_)))
    event_type = _event_type(chosen)
    direction = chosen.direction
    if chosen.address == "0.0.0.0":
        # The hold of RFC 2543: the peer wants to hear nothing.
        direction = Direction.SENDONLY if direction is Direction.SENDRECV else Direction.INACTIVE
    remote = (chosen.address, chosen.port)
    origin = f"o=callflow {session} {version} IN IP4 {local[0]}"
    answer = _write(streams, chosen, law, event_type, direction.mirrored, local, origin)
    return Agreed(law, event_type, remote if is_sendable(*remote) else None, direction.mirrored, answer)


def parse(body: bytes) -> list[Stream]:
    """The streams of a description, in order. Raises `PeerError(400)`."""
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[0].startswith("v="):
        raise PeerError(400, "Bad SDP")
    session_address, session_direction = "", Direction.SENDRECV
    sections: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line.strip())
    for line in sections[0]:
        session_address = _address(line) or session_address
        session_direction = _direction(line) or session_direction
    return [_stream(section, session_address, session_direction) for section in sections[1:]]


def _stream(lines: list[str], address: str, direction: Direction) -> Stream:
    words = lines[0].removeprefix("m=").split()
    port = words[1].partition("/")[0] if len(words) >= 4 else ""
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise PeerError(400, "Bad SDP")
    rtpmap = {}
    for line in lines[1:]:
        address = _address(line) or address
        direction = _direction(line) or direction
        if line.startswith("a=rtpmap:"):
            format_, _, encoding = line.removeprefix("a=rtpmap:").partition(" ")
            rtpmap[format_] = "/".join(encoding.strip().upper().split("/")[:2])
    return Stream(words[0], int(port), words[2], tuple(words[3:]), address, direction, rtpmap)


def _address(line: str) -> str:
    words = line.split() if line.startswith("c=") else []
    return words[2].partition("/")[0] if len(words) >= 3 and words[1].upper() == "IP4" else ""


def _direction(line: str) -> Direction | None:
    word = line.removeprefix("a=")
    return Direction(word) if line.startswith("a=") and word in list(Direction) else None


def _usable(stream: Stream) -> bool:
    carried = stream.kind == "audio" and stream.port > 0 and stream.protocol.upper() == "RTP/AVP"
    return carried and any(_law(stream, format_) for format_ in stream.formats)


def _law(stream: Stream, format_: str) -> Law | None:
    static = {"0": "PCMU/8000", "8": "PCMA/8000"}.get(format_, "")
    name, _, rate = stream.rtpmap.get(format_, static).partition("/")
    # A dynamic number for G.711 is legal but not worth having: all peers offer the static ones.
    known = name in list(Law) and rate == "8000" and format_ == str(Law(name).payload_type)
    return Law(name) if known else None


def _event_type(stream: Stream) -> int | None:
    for format_ in stream.formats:
        if stream.rtpmap.get(format_) == "TELEPHONE-EVENT/8000" and format_ in _DYNAMIC:
            return int(format_)
    return None


def _write(
    streams: list[Stream],
    chosen: Stream,
    law: Law,
    event_type: int | None,
    direction: Direction,
    local: Address,
    origin: str,
) -> bytes:
    lines = ["v=0", origin, "s=callflow"]
    lines += [f"c=IN IP4 {local[0]}", "t=0 0"]
    for stream in streams:
        if stream is chosen:
            lines += _audio(law, event_type, direction, local[1])
        else:
            lines.append(f"m={stream.kind} 0 {stream.protocol} {' '.join(stream.formats)}")
    return ("\r\n".join(lines) + "\r\n").encode()


def _audio(law: Law, event_type: int | None, direction: Direction, port: int) -> list[str]:
    formats = f"{law.payload_type}" if event_type is None else f"{law.payload_type} {event_type}"
    lines = [f"m=audio {port} RTP/AVP {formats}", f"a=rtpmap:{law.payload_type} {law}/8000"]
    if event_type is not None:
        lines += [f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15"]
    return [*lines, f"a=ptime:{PTIME}", f"a={direction}"]
