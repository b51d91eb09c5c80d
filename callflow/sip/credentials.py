"""Digest authentication, the client's side (RFC 7616, RFC 8760; RFC 3261 §22).

Of each realm's challenges the strongest is answered that we know: SHA-256 before MD5, `qop=auth` or none.
What was accepted is used for the next request as well, counted. Passed over are `auth-int`, `-sess` and
`nextnonce`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from callflow.sip.auth import ALGORITHMS, digest
from callflow.sip.grammar import parse_params, quote, split_list
from callflow.sip.message import Response

MOST_TRIES: Final = 4
"""Challenges answered in a row without one that was accepted: a peer that always has a new one is left."""
_ANSWERED_BY: Final = {"www-authenticate": "authorization", "proxy-authenticate": "proxy-authorization"}
_SCHEME: Final = re.compile(r"([!#-+\--~]+)[ \t]+([^=,]+=.*)", re.DOTALL)
_PREFERENCE: Final = {algorithm: rank for rank, algorithm in enumerate(ALGORITHMS)}


@dataclass(slots=True)
class _Held:
    """A challenge, and how often it was answered."""

    challenge: dict[str, str]
    count: int = 0
    accepted: bool = False
    was_stale: bool = False
    """It came because the one before it was too old."""


class Credentials:
    """One user's at one server: what it was challenged with last, for each realm.

    For requests that go out one after the other: `challenged` judges the answer to the newest.
    """

    def __init__(self, user: str, password: str, new_cnonce: Callable[[], str]) -> None:
        self._user = user
        self._password = password
        self._new_cnonce = new_cnonce
        self._held: dict[tuple[str, str], _Held] = {}
        self._tries = 0

    def fields(self, method: str, uri: str) -> list[tuple[str, str]]:
        """The header fields that a request to `uri` (its Request-URI) is to bear; none before a challenge.

        Each call is a use of the nonces, so it is made once for each request.
        """
        return [(field, self._answer(held, method, uri)) for (field, _), held in self._held.items()]

    def challenged(self, response: Response) -> bool:
        """A 401 or 407 has come: whether the same request is worth sending again, with new `fields`.

        It is not where we know none of the algorithms, or where the password is wrong: the server has seen
        an answer to this very nonce, or to one that it had just given, and did not call it stale.
        """
        challenges = _strongest(response)
        self._tries += 1
        if not challenges or self._tries > MOST_TRIES:
            return False
        if not all(self._is_news(key, challenge) for key, challenge in challenges.items()):
            return False
        for key, challenge in challenges.items():
            was_stale = key in self._held and _is_stale(challenge)
            self._held[key] = _Held(challenge, was_stale=was_stale)
        return True

    def accepted(self) -> None:
        """Another final answer than 401 or 407 has come: what the request bore was right."""
        self._tries = 0
        for held in self._held.values():
            held.accepted = True
            held.was_stale = False

    def forget(self) -> None:
        """Begin anew without a challenge, as when a wrong password may have been put right."""
        self._tries = 0
        self._held.clear()

    def _is_news(self, key: tuple[str, str], challenge: dict[str, str]) -> bool:
        held = self._held.get(key)
        if held is None:
            return True
        if held.challenge["nonce"] == challenge["nonce"]:
            return False
        # A nonce that served before may have been forgotten meanwhile, as when the server began anew.
        return held.accepted or (_is_stale(challenge) and not held.was_stale)

    def _answer(self, held: _Held, method: str, uri: str) -> str:
        challenge = held.challenge
        held.count += 1
        given = {name: challenge[name] for name in ("algorithm", "nonce") if name in challenge} | {"uri": uri}
        if challenge.get("qop"):
            given |= {"qop": "auth", "nc": f"{held.count:08x}", "cnonce": self._new_cnonce()}
        realm = challenge["realm"]
        response = digest(given, self._user, realm, self._password, method)
        assert response is not None, "only what we know is held"
        return _written({"username": self._user, "realm": realm, **given, "response": response}, challenge)


def _written(given: dict[str, str], challenge: dict[str, str]) -> str:
    """The value of an Authorization; the algorithm, qop and nc are tokens (RFC 7616 §3.4)."""
    if "opaque" in challenge:
        given["opaque"] = challenge["opaque"]
    plain = ("algorithm", "qop", "nc")
    return "Digest " + ", ".join(
        f"{name}={value if name in plain else quote(value)}" for name, value in given.items()
    )


def _strongest(response: Response) -> dict[tuple[str, str], dict[str, str]]:
    """For each realm, the challenge that is answered, under the name of the field that answers it."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for name, value in response.headers:
        if name not in _ANSWERED_BY:
            continue
        for challenge in _challenges(value):
            key = _ANSWERED_BY[name], challenge["realm"]
            if key not in found or _rank(challenge) < _rank(found[key]):
                found[key] = challenge
    return found


def _challenges(value: str) -> Iterator[dict[str, str]]:
    """Those of one line that we know how to answer; several may stand in it (RFC 7235 §4.1)."""
    scheme, params = "", list[str]()
    for part in [*split_list(value), "end x="]:
        if begins := _SCHEME.fullmatch(part):
            challenge = {name: text or "" for name, text in parse_params(",".join(params), ",").items()}
            if scheme == "digest" and _is_known(challenge):
                yield challenge
            scheme, params = begins[1].lower(), [begins[2]]
        else:
            params.append(part)


def _is_known(challenge: dict[str, str]) -> bool:
    qops = [qop.strip().lower() for qop in challenge.get("qop", "auth").split(",")]
    return (
        "nonce" in challenge
        and "realm" in challenge
        and "auth" in qops
        and _algorithm(challenge) in ALGORITHMS
    )


def _rank(challenge: dict[str, str]) -> int:
    return _PREFERENCE[_algorithm(challenge)]


def _algorithm(challenge: dict[str, str]) -> str:
    return challenge.get("algorithm", "MD5").upper()


def _is_stale(challenge: dict[str, str]) -> bool:
    return challenge.get("stale", "").lower() == "true"
