"""Digest authentication, the server's side (RFC 7616 and RFC 8760; RFC 3261 §22).

MD5 alone unless the admin wants SHA-256 beside it or instead: many phones know nothing else, and some, such
as baresip 1.0, give up at the sight of a challenge that they do not know. No `auth-int`: proxies change
bodies.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final

from callflow.sip.grammar import parse_params
from callflow.sip.guesses import Guesses

NONCE_GOOD_FOR = 60.0
"""Seconds."""
ALGORITHMS: Final = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
"""In the order of our preference. Phones read the first that they know, or the last."""
USUALLY_OFFERED: Final = ("MD5",)
_QOPS: Final = ("", "auth")
_MOST_COUNTS: Final = 10_000
_USED_UP: Final = 1 << 32
"""Above every count (`nc` has eight hexadecimal digits): the nonce is not taken again."""
_DIGEST: Final = re.compile(r"\s*digest\s+(.*)", re.IGNORECASE | re.DOTALL)


class Proof(Enum):
    """What a request's Authorization proves."""

    NONE = auto()
    STALE = auto()
    """The nonce is too old, used, or none that this host was given: the phone may try again by itself."""
    WRONG = auto()
    RIGHT = auto()
    WAIT = auto()
    """Too many passwords were wrong before: nothing is said of this one."""


_WORTH: Final = {proof: rank for rank, proof in enumerate((Proof.NONE, Proof.WRONG, Proof.STALE))}
"""Of what falls short of `RIGHT`: what is nearest to it is told."""


class Guard:
    """Challenges and checks for one realm.

    A nonce carries its own age, signed together with the host that it was given to; of those that were used,
    the count is remembered until they are old.
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
        self.guesses = Guesses()
        self.on_wrong: Callable[[str, str], object] = lambda user, host: None
        """Told of each wrong password: for which user, and from which host, which has had our challenge."""
        self._serial = 0
        self._counts: dict[str, int] = {}

    def challenges(self, host: str, now: float, *, stale: bool = False) -> list[str]:
        """The values of our WWW-Authenticate to `host`, the one that we like best first (RFC 8760 §2.3)."""
        nonce = self._nonce(host, now)
        wanted = [algorithm for algorithm in ALGORITHMS if algorithm in self._offered]
        return [self._challenge(nonce, algorithm, stale=stale) for algorithm in wanted]

    def check(
        self,
        lines: Sequence[str],
        method: str,
        host: str,
        now: float,
        is_meant: Callable[[Mapping[str, str]], bool] = lambda given: True,
        is_at_home: Callable[[str], bool] = lambda user: False,
    ) -> tuple[Proof, str]:
        """What a request from `host` proves, and for which user.

        `lines` are the values of its Authorization or Proxy-Authorization; those for other realms are for
        others to judge (RFC 3261 §22.3). `is_meant` tells of a digest's parameters whether they were made
        for this request, `is_at_home` of a user whether it is reached where the request comes from.
        """
        best = Proof.NONE, ""
        for given in _digests_for(self.realm, lines):
            found = Proof.WRONG
            if is_meant(given):
                found = self._slowed(self._judge(given, method, host, now), given, host, now, is_at_home)
            if found in (Proof.RIGHT, Proof.WAIT):
                return found, given.get("username", "")
            best = max(best, (found, given.get("username", "")), key=lambda one: _WORTH[one[0]])
        return best

    def _judge(self, given: dict[str, str], method: str, host: str, now: float) -> Proof:
        user, nonce = given.get("username", ""), given.get("nonce", "")
        if nonce and not self._is_ours(nonce, host):
            # Of our last life, or overheard at another host. Its digest is not judged: who has not had our
            # challenge could else guess as often as it likes, and in anybody's name.
            return Proof.STALE
        password = self._password_of(user)
        if password is None or not nonce or given.get("algorithm", "MD5").upper() not in self._offered:
            return Proof.WRONG
        wanted = digest(given, user, self.realm, password, method)
        if wanted is None or not _same(wanted, given.get("response", "").lower()):
            return Proof.WRONG
        is_good = 0 <= now - _issued(nonce) <= NONCE_GOOD_FOR
        return Proof.RIGHT if is_good and self._is_new(nonce, given, now) else Proof.STALE

    def _slowed(
        self,
        found: Proof,
        given: dict[str, str],
        host: str,
        now: float,
        is_at_home: Callable[[str], bool],
    ) -> Proof:
        """What a judgement comes to after all that was wrong before; it is noted, too."""
        user = given.get("username", "")
        if not self._is_guess(given, host):
            return found
        if found is Proof.WRONG:
            self.on_wrong(user, host)
        if self.guesses.wait(user, host, now) and not (found is Proof.RIGHT and is_at_home(user)):
            return Proof.WAIT
        if found is Proof.WRONG:
            self.guesses.failed("" if self._password_of(user) is None else user, host, now)
        elif found is Proof.RIGHT:
            self.guesses.succeeded(user, host)
        return found

    def _is_guess(self, given: dict[str, str], host: str) -> bool:
        """Whether a digest answers a challenge of ours, as we have asked for it."""
        is_known = given.get("algorithm", "MD5").upper() in self._offered and given.get("qop", "") in _QOPS
        return is_known and self._is_ours(given.get("nonce", ""), host)

    def _challenge(self, nonce: str, algorithm: str, *, stale: bool) -> str:
        ending = ", stale=true" if stale else ""
        return f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{ending}'

    def _nonce(self, host: str, now: float) -> str:
        # Rounded down: a nonce from the future would be taken for a stale one. The serial number keeps
        # two phones that are challenged in the same second from using up each other's counts.
        self._serial += 1
        issued = f"{int(now)}-{self._serial}"
        return f"{issued}.{self._signature(issued, host)}"

    def _is_ours(self, nonce: str, host: str) -> bool:
        issued, _, signature = nonce.partition(".")
        return _same(self._signature(issued, host), signature)

    def _is_new(self, nonce: str, given: dict[str, str], now: float) -> bool:
        """Whether the nonce is used for the first time with this count: a replay is not (RFC 7616 §3.4)."""
        try:
            # The form of RFC 2069 has no count, and pyVoIP knows no other: its nonces are good once.
            counts = bool(given.get("qop"))
            used = int(given.get("nc", "")[:8], 16) if counts else _USED_UP
        except ValueError:
            return False
        before = self._counts.get(nonce, 0)
        if used <= before or (before and not counts):
            return False
        if len(self._counts) >= _MOST_COUNTS:
            self._counts = {n: c for n, c in self._counts.items() if now - _issued(n) <= NONCE_GOOD_FOR}
        self._counts[nonce] = used
        return True

    def _signature(self, issued: str, host: str) -> str:
        text = f"{issued} {host}".encode("utf-8", "surrogateescape")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]


def _digests_for(realm: str, lines: Sequence[str]) -> Iterator[dict[str, str]]:
    """The parameters of each digest for `realm` among the values of header lines."""
    for line in lines:
        if found := _DIGEST.fullmatch(line):
            given = {name: value or "" for name, value in parse_params(found[1], ",").items()}
            if given.get("realm") == realm:
                yield given


def digest(given: dict[str, str], user: str, realm: str, password: str, method: str) -> str | None:
    """The response of who knows the password, with or without qop (RFC 7616 §3.4.1); None for others."""
    algorithm = ALGORITHMS.get(given.get("algorithm", "MD5").upper())
    qop = given.get("qop", "")
    if algorithm is None or qop not in _QOPS:
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
