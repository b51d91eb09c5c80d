"""Explains why an SDP offer is not acceptable, for the Warning header and the log (RFC 3261 §20.43)."""

import re
from collections.abc import Iterable
from typing import Final

from callflow.sip.address import is_sendable

AUDIO: Final = "RTP/AVP"
"""The only profile that we accept."""
_OURS: Final = f"this side has {AUDIO} with PCMA or PCMU, and IPv4"
_STATIC: Final = {
    "0": "PCMU", "3": "GSM", "4": "G723", "5": "DVI4", "7": "LPC", "8": "PCMA", "9": "G722", "10": "L16",
    "11": "L16", "12": "QCELP", "13": "CN", "15": "G728", "18": "G729",
}  # fmt: skip
"""Payload types that need no rtpmap (RFC 3551 §6)."""
_BESIDE: Final = ("telephone-event", "cn", "red")
"""Encodings that carry no speech."""
_WORD: Final = re.compile(r"[A-Za-z0-9./+-]{1,24}")
_MOST: Final = 8
"""Names told of each kind."""
_OTHER_PROTOCOL, _OTHER_ADDRESS, _NO_AUDIO, _OTHER_CODECS = 302, 301, 304, 305


class _Stream:
    def __init__(self, line: str, rest: list[str], session: Iterable[str]) -> None:
        words = line.split()
        self.kind, self.port, self.protocol = ([*words, "", "", ""])[:3]
        named = (line[9:].split() for line in rest if line.lower().startswith("a=rtpmap:"))
        names = _STATIC | {words[0]: words[1].partition("/")[0] for words in named if len(words) > 1}
        self.addresses = _addresses(rest) or _addresses(session)
        """Of its c= lines, or the session's: the type and the address."""
        self.codecs = [names.get(number, number) for number in words[3:]]

    @property
    def is_audio(self) -> bool:
        return self.kind == "audio" and self.port.partition("/")[0].strip("0") != ""


def why_not(offer: bytes) -> tuple[int, str]:
    """The warn-code, and the reason in plain words: what came, and what this side has."""
    lines = [line.strip() for line in offer.decode("utf-8", "replace").splitlines()]
    begins = [at for at, line in enumerate(lines) if line.startswith("m=")]
    ends = [*begins[1:], len(lines)]
    session = lines[: begins[0]] if begins else lines
    streams = [
        _Stream(lines[at][2:], lines[at + 1 : end], session) for at, end in zip(begins, ends, strict=False)
    ]
    audio = [stream for stream in streams if stream.is_audio]
    if not audio:
        return _NO_AUDIO, f"{_without_audio(streams)}: {_OURS}"
    plain = [stream for stream in audio if stream.protocol.upper() == AUDIO]
    if not plain:
        return _OTHER_PROTOCOL, _of_profiles([stream.protocol for stream in audio])
    codecs = [codec for stream in plain for codec in stream.codecs if codec.lower() not in _BESIDE]
    if not any(codec.upper() in ("PCMA", "PCMU") for codec in codecs):
        return _OTHER_CODECS, f"codecs {_names(codecs) or 'none'}: this side has PCMA, PCMU"
    if not any(is_sendable(address, 1) for stream in plain for _, address in stream.addresses):
        return _OTHER_ADDRESS, _of_addresses([pair for stream in plain for pair in stream.addresses])
    return _OTHER_ADDRESS, f"no address or format that can be used: {_OURS}"


def _without_audio(streams: list[_Stream]) -> str:
    if any(stream.kind == "audio" for stream in streams):
        return "the audio stream has port 0, so it is refused by who offers it"
    came = _names(stream.kind for stream in streams)
    return f"no audio, only {came}" if came else "no audio"


def _addresses(lines: Iterable[str]) -> list[tuple[str, str]]:
    words = (line.split() for line in lines if line.startswith("c="))
    return [(words[1].upper(), words[2].partition("/")[0]) for words in words if len(words) >= 3]


def _of_addresses(found: list[tuple[str, str]]) -> str:
    if not found:
        return "no c= line: this side has IPv4, and needs to know where audio is to go"
    if all(kind == "IP6" for kind, _ in found):
        return "IPv6 only: this side has IPv4"
    named = _names(address for kind, address in found if kind != "IP6")
    return f"audio cannot be sent to {named or 'that address'}: this side needs the IPv4 address of one host"


def _of_profiles(protocols: list[str]) -> str:
    if all("SAVP" in protocol.upper() for protocol in protocols):
        return f"SRTP only: not offered here; this side has {AUDIO}"
    return f"profile {_names(protocols) or 'unknown'}: this side has {AUDIO}"


def _names(words: Iterable[str]) -> str:
    """Each name once, in order; only names that are safe in a header field and in the log."""
    known = dict.fromkeys(word for word in words if _WORD.fullmatch(word))
    return ", ".join([*known][:_MOST]) + (" and others" if len(known) > _MOST else "")
