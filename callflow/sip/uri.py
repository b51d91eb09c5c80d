"""SIP and tel URIs (RFC 3261 §19.1, RFC 3966)."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

from callflow.errors import PeerError
from callflow.sip.grammar import NO_PARAMS, PLAIN_PORT, params_text, parse_params, split_host_port

_PLAIN: Final = re.compile(
    rf"(sips?):(?:([^@:;?<>\s]+)@)?([a-z0-9.-]+)(?::({PLAIN_PORT}))?(?:;transport=([a-z]+))?",
    re.ASCII | re.IGNORECASE,
)
"""Most URIs, which are read by this alone: no headers, no parameter but the transport."""
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")


class Uri(NamedTuple):
    """`sip:user@host:port;params?headers` or `tel:number;params`."""

    scheme: str
    user: str
    host: str
    """Empty in a tel URI."""
    port: int | None = None
    params: Mapping[str, str | None] = NO_PARAMS
    headers: str = ""

    @classmethod
    def parse(cls, text: str) -> "Uri":
        """Raises `PeerError(400)` where it is no URI, `PeerError(416)` where the scheme is none of ours."""
        if plain := _PLAIN.fullmatch(text):
            scheme, user, host, port, transport = plain.groups()
            known = {"transport": transport} if transport else NO_PARAMS
            return cls(scheme.lower(), user or "", host.lower(), int(port) if port else None, known)
        scheme, colon, rest = text.strip().partition(":")
        scheme = scheme.lower()
        if not colon or not rest or not _SCHEME.fullmatch(scheme):
            raise PeerError(400, "Bad URI")
        if scheme not in ("sip", "sips", "tel"):
            raise PeerError(416, "Unsupported URI Scheme")
        if scheme == "tel":
            number, _, params = rest.partition(";")
            return cls(scheme, number, "", None, parse_params(params))
        return cls._parse_sip(scheme, rest)

    @classmethod
    def _parse_sip(cls, scheme: str, rest: str) -> "Uri":
        rest, _, headers = rest.partition("?")
        # A user part may hold `;`, so it is cut off before the parameters are.
        user, at, rest = rest.rpartition("@")
        host_port, _, params = rest.partition(";")
        host, port = split_host_port(host_port)
        if not host or (at and not user):
            raise PeerError(400, "Bad URI")
        return cls(scheme, user.partition(":")[0], host, port, parse_params(params), headers)

    @property
    def name(self) -> str:
        """The user part with its escaped characters undone: `%38001` and `8001` are one (§19.1.4).

        One that would hold a control character, or what is no UTF-8, stays as it came.
        """
        if "%" not in self.user:
            return self.user
        name = unquote(self.user, errors="surrogateescape")
        return name if name.isprintable() else self.user

    def __str__(self) -> str:
        if self.scheme == "tel":
            return f"tel:{self.user}{params_text(self.params)}"
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{self.host}{port}{params_text(self.params)}{headers}"
