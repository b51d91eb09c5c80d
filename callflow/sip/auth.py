"""Digest authentication, the server's side (RFC 2617 as SIP uses it, RFC 3261 §22)."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from callflow.sip.grammar import parse_params

NONCE_GOOD_FOR = 300.0
"""Seconds."""


class Proof(Enum):
    """What a request's Authorization proves."""

    NONE = auto()
    STALE = auto()
    """The password is right, the nonce too old: the phone may try again by itself."""
    WRONG = auto()
    RIGHT = auto()


@dataclass(frozen=True, slots=True)
class Guard:
    """Challenges and checks for one realm. Nonces carry their own age, signed, so none is stored."""

    realm: str
    secret: bytes
    password_of: Callable[[str], str | None]

    def challenge(self, now: float, *, stale: bool = False) -> str:
        """The value of a WWW-Authenticate."""
        ending = ", stale=true" if stale else ""
        return f'Digest realm="{self.realm}", nonce="{self._nonce(now)}", algorithm=MD5, qop="auth"{ending}'

    def check(self, authorization: str | None, method: str, now: float) -> tuple[Proof, str]:
        """What the Authorization proves, and for which user."""
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() != "digest":
            return Proof.NONE, ""
        given = {name: value or "" for name, value in parse_params(rest, ",").items()}
        user = given.get("username", "")
        password = self.password_of(user)
        if password is None or given.get("realm") != self.realm or not self._is_ours(given.get("nonce", "")):
            return Proof.WRONG, user
        wanted = digest(given, user, self.realm, password, method)
        if not _same(wanted, given.get("response", "").lower()):
            return Proof.WRONG, user
        issued = float(given["nonce"].partition(".")[0])
        return (Proof.RIGHT if 0 <= now - issued <= NONCE_GOOD_FOR else Proof.STALE), user

    def _nonce(self, now: float) -> str:
        # Rounded down: a nonce from the future would be taken for a stale one.
        issued = f"{int(now)}"
        return f"{issued}.{self._signature(issued)}"

    def _is_ours(self, nonce: str) -> bool:
        issued, _, signature = nonce.partition(".")
        return _same(self._signature(issued), signature)

    def _signature(self, issued: str) -> str:
        return hmac.new(self.secret, issued.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[
            :32
        ]


def digest(given: dict[str, str], user: str, realm: str, password: str, method: str) -> str:
    """The response that the right password gives to the challenge, with or without qop (§3.2.2.1)."""
    secret = _md5(f"{user}:{realm}:{password}")
    request = _md5(f"{method}:{given.get('uri', '')}")
    if not given.get("qop"):
        return _md5(f"{secret}:{given.get('nonce', '')}:{request}")
    counted = f"{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
    return _md5(f"{secret}:{given.get('nonce', '')}:{counted}:{request}")


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogateescape"))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
