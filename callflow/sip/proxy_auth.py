"""Asks who calls to prove it, before the call is passed on at our cost (RFC 3261 §22.3).

A registration proves nothing here: anybody can write a phone's name into a From.
"""

from collections.abc import Mapping
from functools import partial

from callflow.errors import PeerError
from callflow.sip.auth import Proof
from callflow.sip.happenings import Output
from callflow.sip.message import Request
from callflow.sip.refusal import wait_for_password
from callflow.sip.registrar import Registrar
from callflow.sip.sessions import Sessions
from callflow.sip.transactions import Transactions
from callflow.sip.uri import Uri


class ProxyAuth:
    """Judges and challenges INVITEs that wait for our answer."""

    def __init__(self, registrar: Registrar, sessions: Sessions, transactions: Transactions) -> None:
        self._registrar = registrar
        self._guard = registrar.guard
        self._sessions = sessions
        self._transactions = transactions

    def claims(self, session_id: str) -> str:
        """The user in the From of the INVITE: who it says it is, and nothing more."""
        session = self._sessions.get(session_id)
        return session.request.from_.uri.name if session else ""

    def registered_there(self, session_id: str, now: float) -> str:
        """The account whose phone has registered from where the INVITE came, whatever its From says."""
        session = self._sessions.get(session_id)
        return self._registrar.registered_at(session.dialog.source, now) if session else ""

    def proof(self, session_id: str, now: float) -> Proof:
        """Whether the INVITE proves that it is from whom it says.

        Raises `Refusal(503)` where so many passwords were wrong that none is judged now.
        """
        session = self._sessions.get(session_id)
        if session is None:
            return Proof.NONE
        invite = session.request
        source, lines = session.dialog.source, invite.headers.lines("proxy-authorization")
        host, at_home = source.address[0], partial(self._registrar.is_at_home, source, now)
        proof, user = self._guard.check(lines, "INVITE", host, now, partial(_is_for, invite), at_home)
        if proof is Proof.WAIT:
            raise wait_for_password(self._guard.guesses.wait(user, host, now))
        return proof

    def challenge(self, session_id: str, now: float, *, stale: bool = False) -> list[Output]:
        """407; the phone calls again with the proof. The session is over."""
        session = self._sessions.get(session_id)
        if session is None or session.transaction is None:
            return []
        host = session.dialog.source.address[0]
        fields = [("proxy-authenticate", text) for text in self._guard.challenges(host, now, stale=stale)]
        refusal = self._sessions.answer_to(session, 407, "Proxy Authentication Required", *fields)
        self._sessions.forget(session)
        return [*self._transactions.respond(session.transaction, refusal, now)]


def _is_for(invite: Request, given: Mapping[str, str]) -> bool:
    """Whether a digest is of the phone in From and for this number: who overhears it calls no other."""
    try:
        uri = Uri.parse(given.get("uri", ""))
    except PeerError:
        return False
    return given.get("username") == invite.from_.uri.name and uri.name == invite.requested.name
