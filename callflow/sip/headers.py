"""The header fields that the machines read as values: Via, From/To/Contact, CSeq (RFC 3261 §20)."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from callflow.errors import PeerError
from callflow.sip.grammar import (
    NO_PARAMS,
    PLAIN_PORT,
    params_text,
    parse_params,
    quote,
    split_host_port,
    unquote,
)
from callflow.sip.uri import Uri

_PROTOCOL: Final = re.compile(r"\s*SIP\s*/\s*[0-9]{1,3}\.[0-9]{1,3}\s*/\s*([^\s/;]+)\s+", re.IGNORECASE)
_PLAIN_VIA: Final = re.compile(
    rf"SIP/2\.0/(UDP|TCP) ([a-z0-9.-]+)(?::({PLAIN_PORT}))?((?:;[a-z]+(?:=[^;\s,\"]+)?)*)"
)
"""What most phones write: no blanks within, nothing quoted."""
_PLAIN_ADDRESS: Final = re.compile(
    r'(?:"([^"\\]*)" ?|([A-Za-z0-9 ]*?) ?)'
    rf"<(sips?):(?:([^@:;?<>\s]+)@)?([a-z0-9.-]+)(?::({PLAIN_PORT}))?(?:;transport=([A-Za-z]+))?>"
    r"(?:;tag=([^;\s,\"]+))?"
)
"""What most phones write: a plain URI in brackets, a tag or nothing behind it."""
_HOLLOW: Final = re.compile(r"[;,]\s*[;,]|^\s*[;,]|,\s*$")
_ENCLOSED: Final = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|<[^>]*(?:>|\Z)', re.DOTALL)
_PLAIN_CSEQ: Final = re.compile(r"([0-9]{1,9}) ([A-Z]+)")


class Via(NamedTuple):
    """One hop of the way back (§20.42)."""

    transport: str
    host: str
    port: int | None
    params: Mapping[str, str | None] = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "Via":
        """Raises `PeerError(400)`."""
        if plain := _PLAIN_VIA.fullmatch(text):
            transport, host, digits, params = plain.groups()
            return cls(transport, host, int(digits) if digits else None, _plain_params(params))
        protocol = _PROTOCOL.match(text)
        sent_by, _, params = text[protocol.end() if protocol else 0 :].partition(";")
        host, port = split_host_port(sent_by)
        if not protocol or not host:
            raise PeerError(400, "Bad Via")
        return cls(protocol[1].upper(), host, port, parse_params(params))

    @property
    def branch(self) -> str:
        return self.params.get("branch") or ""

    def seen_from(self, address: tuple[str, int]) -> "Via":
        """The hop with what we saw of it: `received`, and `rport` where it is asked for (RFC 3581)."""
        params = dict(self.params)
        if "rport" in params:
            params["rport"] = str(address[1])
            params["received"] = address[0]
        elif self.host != address[0]:
            params["received"] = address[0]
        return Via(self.transport, self.host, self.port, params)

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        return f"SIP/2.0/{self.transport} {self.host}{port}{params_text(self.params)}"


class NameAddress(NamedTuple):
    """A From, To, Contact or Route: a URI with a display name and parameters (§20.10)."""

    uri: Uri
    display: str = ""
    params: Mapping[str, str | None] = NO_PARAMS

    @classmethod
    def parse(cls, text: str) -> "NameAddress":
        """Raises `PeerError(400)`."""
        if plain := _PLAIN_ADDRESS.fullmatch(text):
            quoted, bare, scheme, user, host, port, transport, tag = plain.groups()
            uri_params = {"transport": transport} if transport else NO_PARAMS
            plain_uri = Uri(scheme, user or "", host, int(port) if port else None, uri_params)
            return cls(plain_uri, quoted or bare or "", {"tag": tag} if tag else NO_PARAMS)
        text = text.strip()
        opening = _opening_bracket(text)
        if opening < 0:
            # Without brackets the parameters are the header's, not the URI's (§20.10).
            uri, _, params = text.partition(";")
            return cls(Uri.parse(uri), "", parse_params(params))
        closing = text.find(">", opening)
        if closing < 0:
            raise PeerError(400, "Bad Address")
        display = unquote(text[:opening].strip())
        params = text[closing + 1 :].strip().removeprefix(";")
        return cls(Uri.parse(text[opening + 1 : closing]), display, parse_params(params))

    @property
    def tag(self) -> str:
        return self.params.get("tag") or ""

    def tagged(self, tag: str) -> "NameAddress":
        return NameAddress(self.uri, self.display, {**self.params, "tag": tag})

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{params_text(self.params)}"


class CSeq(NamedTuple):
    """A request's number and method (§20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "CSeq":
        """Raises `PeerError(400)`."""
        if plain := _PLAIN_CSEQ.fullmatch(text):
            return cls(int(plain[1]), plain[2])
        number, *rest = text.split(maxsplit=1) or [""]
        method = rest[0].strip() if rest else ""
        if not (number.isascii() and number.isdigit() and len(number) <= 10 and int(number) < 2**32):
            raise PeerError(400, "Bad CSeq")
        if not method:
            raise PeerError(400, "Bad CSeq")
        return cls(int(number), method)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def check_separators(text: str) -> None:
    """Raises `PeerError(400)` where between two separators stands nothing; one at the end is borne with."""
    # What is quoted, and a URI in brackets, has separators of its own.
    if _HOLLOW.search(text) and _HOLLOW.search(_ENCLOSED.sub("x", text)):
        raise PeerError(400, "Empty Parameter")


def _plain_params(text: str) -> dict[str, str | None]:
    """Of `;branch=x;rport`, where nothing is quoted and the names are in lower case."""
    found: dict[str, str | None] = {}
    for part in text.split(";")[1:]:
        name, equals, value = part.partition("=")
        found[name] = value if equals else None
    return found


def _opening_bracket(text: str) -> int:
    """Where `<` stands outside a quoted display name; -1 where it does not."""
    if not text.startswith('"'):
        return text.find("<")
    index = 1
    while index < len(text) and text[index] != '"':
        index += 2 if text[index] == "\\" else 1
    return text.find("<", index)
