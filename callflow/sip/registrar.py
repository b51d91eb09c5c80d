"""Where the configured accounts can be reached (RFC 3261 §10.3)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from callflow.errors import PeerError
from callflow.sip.address import Hop
from callflow.sip.auth import USUALLY_OFFERED, Guard, Proof
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request, Response, respond

LONGEST, SHORTEST, USUAL = 3600, 60, 300
"""Seconds that a registration may last."""
MOST_CONTACTS = 8
"""For one account; a phone that starts anew under another port leaves its old one behind."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where an account can be reached."""

    contact: NameAddress
    source: Hop
    """Where the REGISTER came from: what a phone behind NAT is reached at."""
    expires_at: float
    call_id: str
    cseq: int


class Registrar:
    """Answers REGISTER for the accounts of the configuration, and nobody else."""

    def __init__(
        self,
        accounts: Mapping[str, str],
        realm: str,
        secret: bytes,
        offered: tuple[str, ...] = USUALLY_OFFERED,
    ) -> None:
        """`accounts` are user → password; `secret` signs nonces; `offered` are the digest's algorithms."""
        self._accounts = accounts
        self.guard = Guard(realm, secret, accounts.get, offered)
        self.on_change: Callable[[str], object] = lambda user: None
        """Told whose bindings have changed, or last longer now."""
        self._bindings: dict[str, dict[str, Binding]] = {}

    def restore(self, user: str, bindings: Iterable[Binding]) -> None:
        """Take up what was bound before a restart; accounts that are no more have nothing."""
        if user in self._accounts:
            self._bindings[user] = {str(bound.contact.uri): bound for bound in bindings}

    def bindings(self, user: str, now: float) -> list[Binding]:
        """Where `user` can be reached now."""
        return [bound for bound in self._bindings.get(user, {}).values() if bound.expires_at > now]

    def receive(self, request: Request, source: Hop, now: float, to_tag: str) -> Response:
        """The answer to a REGISTER. Raises `PeerError(400)` for a malformed one."""
        proof, user = self.guard.check(request.headers.get("authorization"), "REGISTER", now)
        if proof is not Proof.RIGHT:
            challenges = self.guard.challenges(now, stale=proof is Proof.STALE)
            fields = [("www-authenticate", challenge) for challenge in challenges]
            return respond(request, 401, "Unauthorized", *fields, to_tag=to_tag)
        if request.to.uri.user != user:
            return respond(request, 403, "Forbidden", to_tag=to_tag)
        refused_for = self._update(user, request, source, now)
        if refused_for is not None:
            return respond(request, *refused_for, ("min-expires", str(SHORTEST)), to_tag=to_tag)
        contacts = [
            ("contact", f"<{bound.contact.uri}>;expires={bound.expires_at - now:.0f}")
            for bound in self.bindings(user, now)
        ]
        return respond(request, 200, "OK", *contacts, to_tag=to_tag)

    def _update(self, user: str, request: Request, source: Hop, now: float) -> tuple[int, str] | None:
        """Carry the contacts over; the refusal where one wants too short a time (§10.3 step 7)."""
        contacts = request.headers.all("contact")
        asked = request.headers.get("expires")
        if contacts == ["*"]:
            if asked != "0":
                raise PeerError(400, "Bad Contact")
            self._bindings.pop(user, None)
            self.on_change(user)
            return None
        bound = dict(self._bindings.get(user, {}))
        for text in contacts:
            contact = NameAddress.parse(text)
            lasts = _lasts(contact.params.get("expires") or asked)
            if 0 < lasts < SHORTEST:
                return 423, "Interval Too Brief"
            known = bound.pop(str(contact.uri), None)
            if known and known.call_id == request.call_id and known.cseq >= request.cseq.number:
                raise PeerError(400, "Old CSeq")
            if lasts:
                expires_at = now + min(lasts, LONGEST)
                cseq = request.cseq.number
                bound[str(contact.uri)] = Binding(contact, source, expires_at, request.call_id, cseq)
        # The oldest make room; each REGISTER moves its contacts to the end.
        living = [(uri, b) for uri, b in bound.items() if b.expires_at > now]
        self._bindings[user] = dict(living[-MOST_CONTACTS:])
        if contacts:
            self.on_change(user)
        return None


def _lasts(text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return USUAL
    return min(int(text[:10]), LONGEST)
