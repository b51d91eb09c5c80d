"""What a message carries: a session description, alone or in a multipart (RFC 5621), or a key."""

import re
from collections.abc import Iterator
from typing import Final

from callflow.errors import PeerError
from callflow.sip.fields import long
from callflow.sip.grammar import parse_params
from callflow.sip.message import Message, Request
from callflow.sip.refusal import Refusal

SDP: Final = "application/sdp"
_KEYS: Final = "0123456789*#ABCD"
_NAMED_KEYS: Final = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
"""The numbers that RFC 4733 gives to keys, which some write into an INFO as well."""
_SIGNAL: Final = re.compile(r"^\s*signal\s*=\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_BLANK: Final = re.compile(rb"\r?\n\r?\n")


def description(message: Message) -> bytes:
    """The SDP in the body; nothing where there is no body, or one that may be passed over.

    Raises `Refusal(415)` for a body that we must understand and do not (RFC 3261 §8.2.3).
    """
    if not message.body or _may_be_passed_over(message.headers.get("content-disposition")):
        return b""
    check_encoding(message)
    kind = message.headers.get("content-type") or SDP
    name = media_type(kind)
    if name == SDP:
        return message.body
    if name.startswith("multipart/"):
        boundary = parse_params(kind.partition(";")[2]).get("boundary") or ""
        parts = list(_parts(message.body, boundary)) if boundary else []
        for fields, content in parts:
            if media_type(fields.get("content-type", "")) == SDP:
                return content
        if parts and all(_may_be_passed_over(fields.get("content-disposition")) for fields, _ in parts):
            return b""
    raise Refusal(415, "Unsupported Media Type", ("accept", SDP))


def described(message: Message) -> bytes:
    """The SDP in a message that nobody can refuse: a response or an ACK; nothing where it cannot be read."""
    try:
        return description(message)
    except PeerError:
        return b""


def check_encoding(message: Message) -> None:
    """We read nothing that is compressed (§8.2.3)."""
    if "content-encoding" in message.headers and message.headers.tokens("content-encoding") - {"identity"}:
        raise Refusal(415, "Unsupported Media Type", ("accept-encoding", "identity"))


def key(request: Request) -> str | None:
    """The key that an INFO tells of; None where it tells of none, such as a hook flash.

    Neither form is a standard; both are what every gateway sends that knows no RFC 4733. Raises `PeerError`.
    """
    if _may_be_passed_over(request.headers.get("content-disposition")):
        return None
    check_encoding(request)
    kind = media_type(request.headers.get("content-type") or "")
    text = request.body.decode("ascii", "replace")
    if kind == "application/dtmf-relay":
        signal = _SIGNAL.search(text)
        if signal is None:
            raise PeerError(400, "Missing Signal")
        pressed = signal[1]
    elif kind == "application/dtmf":
        pressed = text.strip()
    else:
        accept = ("accept", "application/dtmf-relay, application/dtmf")
        raise Refusal(415, "Unsupported Media Type", accept)
    pressed = _NAMED_KEYS.get(pressed, pressed.upper())
    return pressed if len(pressed) == 1 and pressed in _KEYS else None


def media_type(text: str) -> str:
    """`application/sdp` of `Application/SDP; charset=x`."""
    return text.partition(";")[0].strip().lower()


def _may_be_passed_over(disposition: str | None) -> bool:
    """Whether a body or a part of one is said to be optional (RFC 3204 §4, RFC 3261 §20.11)."""
    handling = parse_params((disposition or "").partition(";")[2]).get("handling") or ""
    return handling.lower() == "optional"


def _parts(body: bytes, boundary: str) -> Iterator[tuple[dict[str, str], bytes]]:
    """The header fields and the content of each part (RFC 2046 §5.1); parts within parts are not read."""
    mark = b"--" + boundary.encode("utf-8", "surrogateescape")
    for part in (b"\n" + body).split(b"\n" + mark)[1:]:
        blank = _BLANK.search(part)
        if blank is None:
            continue
        lines = part[: blank.start()].decode("utf-8", "replace").splitlines()
        split = (line.partition(":") for line in lines)
        yield {long(name): value.strip() for name, _, value in split}, part[blank.end() :] + b"\n"
