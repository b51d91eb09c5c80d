"""Asks who calls to prove it, before the call is passed on at our cost (RFC 3261 §22.3).

A registration proves nothing here: anybody can write a phone's name into a From.
"""

from callflow.errors import PeerError
from callflow.sip.auth import Guard, Proof
from callflow.sip.grammar import parse_params
from callflow.sip.happenings import Output
from callflow.sip.message import Request
from callflow.sip.sessions import Sessions
from callflow.sip.transactions import Transactions
from callflow.sip.uri import Uri


class ProxyAuth:
    """Judges and challenges INVITEs that wait for our answer."""

    def __init__(self, guard: Guard, sessions: Sessions, transactions: Transactions) -> None:
        self._guard = guard
        self._sessions = sessions
        self._transactions = transactions

    def claims(self, session_id: str) -> str:
        """The user in the From of the INVITE: who it says it is, and nothing more."""
        session = self._sessions.get(session_id)
        return session.request.from_.uri.user if session else ""

    def proof(self, session_id: str, now: float) -> Proof:
        """Whether the INVITE proves that it is from whom it says."""
        session = self._sessions.get(session_id)
        if session is None:
            return Proof.NONE
        invite = session.request
        given = invite.headers.get("proxy-authorization")
        proof, user = self._guard.check(given, "INVITE", now)
        if proof is Proof.NONE or (user == invite.from_.uri.user and _is_for(invite, given or "")):
            return proof
        return Proof.WRONG

    def challenge(self, session_id: str, now: float, *, stale: bool = False) -> list[Output]:
        """407; the phone calls again with the proof. The session is over."""
        session = self._sessions.get(session_id)
        if session is None or session.transaction is None:
            return []
        fields = [("proxy-authenticate", text) for text in self._guard.challenges(now, stale=stale)]
        refusal = self._sessions.answer_to(session, 407, "Proxy Authentication Required", *fields)
        self._sessions.forget(session)
        return [*self._transactions.respond(session.transaction, refusal, now)]


def _is_for(invite: Request, authorization: str) -> bool:
    """Whether the proof was made for this number, and is counted: else who overheard it could call others."""
    given = parse_params(authorization.partition(" ")[2], ",")
    try:
        uri = Uri.parse(given.get("uri") or "")
    except PeerError:
        return False
    return bool(given.get("nc")) and uri.user == invite.requested.user
