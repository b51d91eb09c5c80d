"""Where the configured accounts can be reached (RFC 3261 §10.3)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from callflow.errors import PeerError
from callflow.sip.address import Hop, Transport, is_sendable
from callflow.sip.auth import USUALLY_OFFERED, Guard, Proof
from callflow.sip.dialog import hop_of
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request, Response, respond
from callflow.sip.refusal import wait_for_password
from callflow.sip.uri import Uri

LONGEST, SHORTEST, USUAL = 3600, 60, 300
"""Seconds that a registration may last."""
MOST_CONTACTS = 8
"""For one account; a phone that starts anew under another port leaves its old one behind."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where an account can be reached."""

    contact: NameAddress
    source: Hop
    """Where the REGISTER came from: what a phone behind NAT is reached at. Where that was a connection which
    has gone, where the phone takes new ones.
    """
    expires_at: float
    call_id: str
    cseq: int

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Where to try it, in this order: a connection may be dead while nobody knows (RFC 3261 §18.1.1)."""
        listens = listening(self.contact.uri, self.source)
        return (self.source,) if listens == self.source else (self.source, listens)


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

    def registered_at(self, source: Hop, now: float) -> str:
        """The account that has registered from exactly there; empty for none."""
        for user in self._bindings:
            if any(bound.source == source for bound in self.bindings(user, now)):
                return user
        return ""

    def is_at_home(self, source: Hop, now: float, user: str) -> bool:
        """Whether `user` has registered from there: from that host, or where many share it from that port."""
        is_shared = self.guard.guesses.is_shared(source.address[0])
        bound = (bound.source for bound in self.bindings(user, now))
        return any(one == source or (not is_shared and one.address[0] == source.address[0]) for one in bound)

    def disconnected(self, peer: Hop) -> None:
        """The connection with a peer is gone: who registered by it is reached at its Contact (§10.3)."""
        for user, bindings in self._bindings.items():
            for uri, bound in bindings.items():
                if bound.source == peer:
                    bindings[uri] = replace(bound, source=listening(bound.contact.uri, peer))
                    self.on_change(user)

    def receive(self, request: Request, source: Hop, now: float, to_tag: str) -> Response:
        """The answer to a REGISTER. Raises `PeerError(400)` for a malformed one."""
        host, lines = source.address[0], request.headers.lines("authorization")
        at_home = partial(self.is_at_home, source, now)
        proof, user = self.guard.check(lines, "REGISTER", host, now, is_at_home=at_home)
        if proof is Proof.WAIT:
            refusal = wait_for_password(self.guard.guesses.wait(user, host, now))
            return respond(request, refusal.status, refusal.reason, *refusal.fields, to_tag=to_tag)
        if proof is not Proof.RIGHT:
            challenges = self.guard.challenges(host, now, stale=proof is Proof.STALE)
            fields = [("www-authenticate", challenge) for challenge in challenges]
            return respond(request, 401, "Unauthorized", *fields, to_tag=to_tag)
        if request.to.uri.name != user:
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
            for known in self.bindings(user, now):
                _check_order(known, request)
            self._bindings.pop(user, None)
            self.on_change(user)
            return None
        # What has expired decides nothing: a phone that was off begins again with CSeq 1.
        bound = {str(known.contact.uri): known for known in self.bindings(user, now)}
        for text in contacts:
            contact = NameAddress.parse(text)
            lasts = _lasts(contact.params.get("expires") or asked)
            if 0 < lasts < SHORTEST:
                return 423, "Interval Too Brief"
            if before := bound.pop(str(contact.uri), None):
                _check_order(before, request)
            if lasts:
                expires_at = now + min(lasts, LONGEST)
                cseq = request.cseq.number
                bound[str(contact.uri)] = Binding(contact, source, expires_at, request.call_id, cseq)
        # The oldest make room; each REGISTER moves its contacts to the end.
        self._bindings[user] = dict([*bound.items()][-MOST_CONTACTS:])
        if contacts:
            self.on_change(user)
        return None


def listening(contact: Uri, source: Hop) -> Hop:
    """Where a phone that has registered by a connection takes new ones; `source` where no place is known."""
    if not source.transport.reliable:
        return source
    # Its transport is that by which it registers, whether or not its Contact says so.
    address, _ = hop_of(contact)
    is_by_udp = (contact.params.get("transport") or "tcp").lower() == "udp"
    hop = Hop(address, Transport.UDP if is_by_udp else source.transport)
    return hop if is_sendable(*address) else source


def _check_order(known: Binding, request: Request) -> None:
    """Raises `PeerError(400)` for a REGISTER that is older than what it would change (§10.3)."""
    if known.call_id == request.call_id and known.cseq >= request.cseq.number:
        raise PeerError(400, "Old CSeq")


def _lasts(text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return USUAL
    return min(int(text[:10]), LONGEST)
