"""Digest authentication, the server's side (RFC 7616 and RFC 8760; RFC 3261 §22).

MD5 alone unless the admin wants SHA-256 beside it or instead: many phones know nothing else, and some, such
as baresip 1.0, give up at the sight of a challenge that they do not know. No `auth-int`: proxies change
bodies.
"""

import hashlib
import hmac
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from callflow.sip.grammar import parse_params

NONCE_GOOD_FOR = 300.0
"""Seconds."""
ALGORITHMS: Final = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
"""In the order of our preference. Phones read the first that they know, or the last."""
USUALLY_OFFERED: Final = ("MD5",)
_MOST_COUNTS: Final = 10_000


class Proof(Enum):
    """What a request's Authorization proves."""

    NONE = auto()
    STALE = auto()
    """The password is right, the nonce too old: the phone may try again by itself."""
    WRONG = auto()
    RIGHT = auto()


class Guard:
    """Challenges and checks for one realm.

    Nonces carry their own age, signed; of those that were used, the count is remembered until they are old.
    """

    def __init__(
        self,
        realm: str,
        secret: bytes,
        password_of: Callable[[str], str | None],
        offered: tuple[str, ...] = USUALLY_OFFERED,
    ) -> None:
        """`offered` are keys of `ALGORITHMS`; an answer by another is worth nothing."""
        self.realm = realm
        self._offered = offered
        self._secret = secret
        self._password_of = password_of
        self._serial = 0
        self._counts: dict[str, int] = {}

    def challenges(self, now: float, *, stale: bool = False) -> list[str]:
        """The values of our WWW-Authenticate, the one that we like best first (RFC 8760 §2.3)."""
        nonce = self._nonce(now)
        wanted = [algorithm for algorithm in ALGORITHMS if algorithm in self._offered]
        return [self._challenge(nonce, algorithm, stale=stale) for algorithm in wanted]

    def check(self, authorization: str | None, method: str, now: float) -> tuple[Proof, str]:
        """What the Authorization proves, and for which user."""
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() != "digest":
            return Proof.NONE, ""
        given = {name: value or "" for name, value in parse_params(rest, ",").items()}
        user, nonce = given.get("username", ""), given.get("nonce", "")
        password = self._password_of(user)
        if password is None or given.get("realm") != self.realm or not self._is_ours(nonce):
            return Proof.WRONG, user
        if given.get("algorithm", "MD5").upper() not in self._offered:
            return Proof.WRONG, user
        wanted = digest(given, user, self.realm, password, method)
        if wanted is None or not _same(wanted, given.get("response", "").lower()):
            return Proof.WRONG, user
        fresh = 0 <= now - _issued(nonce) <= NONCE_GOOD_FOR
        return (Proof.RIGHT if fresh and self._is_new(nonce, given, now) else Proof.STALE), user

    def _challenge(self, nonce: str, algorithm: str, *, stale: bool) -> str:
        ending = ", stale=true" if stale else ""
        return f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{ending}'

    def _nonce(self, now: float) -> str:
        # Rounded down: a nonce from the future would be taken for a stale one. The serial number keeps
        # two phones that are challenged in the same second from using up each other's counts.
        self._serial += 1
        issued = f"{int(now)}-{self._serial}"
        return f"{issued}.{self._signature(issued)}"

    def _is_ours(self, nonce: str) -> bool:
        issued, _, signature = nonce.partition(".")
        return _same(self._signature(issued), signature)

    def _is_new(self, nonce: str, given: dict[str, str], now: float) -> bool:
        """Whether the nonce is used for the first time with this count: a replay is not (RFC 7616 §3.4)."""
        if not given.get("qop"):
            # The form of RFC 2069 has no count; pyVoIP uses it.
            return True
        try:
            used = int(given.get("nc", "")[:8], 16)
        except ValueError:
            return False
        if used <= self._counts.get(nonce, 0):
            return False
        if len(self._counts) >= _MOST_COUNTS:
            self._counts = {n: c for n, c in self._counts.items() if now - _issued(n) <= NONCE_GOOD_FOR}
        self._counts[nonce] = used
        return True

    def _signature(self, issued: str) -> str:
        text = issued.encode("utf-8", "surrogateescape")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]


def digest(given: dict[str, str], user: str, realm: str, password: str, method: str) -> str | None:
    """The response of who knows the password, with or without qop (RFC 7616 §3.4.1); None for others."""
    algorithm = ALGORITHMS.get(given.get("algorithm", "MD5").upper())
    qop = given.get("qop", "")
    if algorithm is None or qop not in ("", "auth"):
        return None

    def hashed(text: str) -> str:
        return algorithm(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()

    secret = hashed(f"{user}:{realm}:{password}")
    request = hashed(f"{method}:{given.get('uri', '')}")
    counted = f"{given.get('nc', '')}:{given.get('cnonce', '')}:{qop}:" if qop else ""
    return hashed(f"{secret}:{given.get('nonce', '')}:{counted}{request}")


def _issued(nonce: str) -> float:
    return float(nonce.partition("-")[0])


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogateescape"))
