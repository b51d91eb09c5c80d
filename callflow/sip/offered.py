"""Explains why an SDP offer is not acceptable, for the Warning header and the log (RFC 3261 §20.43)."""

import re
from collections.abc import Iterable
from typing import Final

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
    def __init__(self, line: str, rest: list[str]) -> None:
        words = line.split()
        self.kind, self.port, self.protocol = ([*words, "", "", ""])[:3]
        named = (line[9:].split() for line in rest if line.lower().startswith("a=rtpmap:"))
        names = _STATIC | {words[0]: words[1].partition("/")[0] for words in named if len(words) > 1}
        self.codecs = [names.get(number, number) for number in words[3:]]

    @property
    def is_audio(self) -> bool:
        return self.kind == "audio" and self.port.partition("/")[0].strip("0") != ""


def why_not(offer: bytes) -> tuple[int, str]:
    """The warn-code, and the reason in plain words: what came, and what this side has."""
    lines = [line.strip() for line in offer.decode("utf-8", "replace").splitlines()]
    begins = [at for at, line in enumerate(lines) if line.startswith("m=")]
    ends = [*begins[1:], len(lines)]
    streams = [_Stream(lines[at][2:], lines[at + 1 : end]) for at, end in zip(begins, ends, strict=False)]
    audio = [stream for stream in streams if stream.is_audio]
    if not audio:
        came = _names(stream.kind for stream in streams)
        return _NO_AUDIO, f"no audio, only {came}: {_OURS}" if came else f"no audio: {_OURS}"
    plain = [stream for stream in audio if stream.protocol.upper() == AUDIO]
    if not plain:
        return _OTHER_PROTOCOL, _of_profiles([stream.protocol for stream in audio])
    codecs = [codec for stream in plain for codec in stream.codecs if codec.lower() not in _BESIDE]
    if not any(codec.upper() in ("PCMA", "PCMU") for codec in codecs):
        return _OTHER_CODECS, f"codecs {_names(codecs) or 'none'}: this side has PCMA, PCMU"
    return _OTHER_ADDRESS, f"no address or format that can be used: {_OURS}"


def _of_profiles(protocols: list[str]) -> str:
    if all("SAVP" in protocol.upper() for protocol in protocols):
        return f"SRTP only: not offered here; this side has {AUDIO}"
    return f"profile {_names(protocols) or 'unknown'}: this side has {AUDIO}"


def _names(words: Iterable[str]) -> str:
    """Each name once, in order; only names that are safe in a header field and in the log."""
    known = dict.fromkeys(word for word in words if _WORD.fullmatch(word))
    return ", ".join([*known][:_MOST]) + (" and others" if len(known) > _MOST else "")
