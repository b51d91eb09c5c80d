"""All calls that came to us and are not over: what they wait for, and how each of them may end."""

from collections.abc import Callable

from callflow.agenda import Agenda
from callflow.errors import PeerError
from callflow.sip import refresh
from callflow.sip.address import Address
from callflow.sip.happenings import Counted, Ended, Output
from callflow.sip.message import COOKIE, Request, Response, respond
from callflow.sip.refusal import ALLOW, SUPPORTED, no_dialog
from callflow.sip.session import Session, Wait
from callflow.sip.transaction import State
from callflow.sip.transactions import Transactions

PeerKey = tuple[str, str]
"""Call-ID and From tag: what the caller's side calls its call."""


class Sessions:
    """The table of sessions, with one deadline for all that they wait for."""

    def __init__(self, transactions: Transactions, contact: Address, new_id: Callable[[], str]) -> None:
        self.draining = False
        """Refuse new calls with 503; those that stand go on."""
        self._transactions = transactions
        self._contact = contact
        self.tells = ("contact", f"<sip:{contact[0]}:{contact[1]}>"), ALLOW, SUPPORTED
        """What every answer in a dialog says of us."""
        self._new_id = new_id
        self._sessions: dict[str, Session] = {}
        self._by_peer: dict[PeerKey, Session] = {}
        self._agenda: Agenda[tuple[str, Wait]] = Agenda()

    def __len__(self) -> int:
        return len(self._sessions)

    def ids(self) -> list[str]:
        """The sessions that are not over."""
        return [*self._sessions]

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    def session_of(self, request: Request) -> Session | None:
        """The session whose dialog `request` is in (§12.2.2)."""
        session = self._by_peer.get((request.call_id, request.from_.tag))
        return session if session and session.dialog.local.tag == request.to.tag else None

    def in_hand(self, session: Session) -> bool:
        """Whether an INVITE, re-INVITE or UPDATE with an offer still waits for our answer."""
        return session.update is not None or session.transaction.state is State.PROCEEDING

    def refuse(self, session_id: str, error: PeerError, now: float) -> list[Output]:
        """The final answer to an INVITE, re-INVITE or UPDATE that is not taken."""
        session = self._sessions.get(session_id)
        if session is None:
            return []
        if session.update is not None:
            server, session.update = session.update, None
            return [
                *self._transactions.respond(server, respond(server.request, error.status, error.reason), now)
            ]
        if session.transaction.state is not State.PROCEEDING:
            return []
        if not session.established:
            self._forget(session)
        refusal = self._answer(session, error.status, error.reason)
        return [*self._transactions.respond(session.transaction, refusal, now)]

    def refreshed(self, session: Session, request: Request, now: float) -> tuple[tuple[str, str], ...]:
        """A 2xx begins the session interval anew, or ends the timer; what it says of it (RFC 4028 §9)."""
        session.interval = refresh.asked(request)
        due = None if session.interval is None else now + refresh.gives_up_after(session.interval)
        self._watch(session, Wait.REFRESH, due)
        return refresh.fields(session.interval)

    def tick(self, now: float) -> list[Output]:
        """Repeat what was not acknowledged, and give up what never will be."""
        outputs: list[Output] = []
        for session_id, wait in self._agenda.take_due(now):
            session = self._sessions.get(session_id)
            if session is not None:
                outputs += self._waited(session, wait, now)
        return outputs

    # --- the rooms behind ---

    def _waited(self, session: Session, wait: Wait, now: float) -> list[Output]:
        match wait:
            case Wait.ACK:
                again = session.repeat_ok(now)
                self._watch(session, wait, session.deadline)
                return [again] if again else self._give_up(session, "no_ack", "no ACK", now)
            case Wait.PRACK if session.reliable is not None:
                again = session.reliable.repeat(now)
                self._watch(session, wait, session.reliable.deadline)
                return [again] if again else self._drop(session, PeerError(504, "No PRACK"), "no_prack", now)
            case Wait.ANSWER:
                return self._drop(session, PeerError(487, "Request Terminated"), "expired", now)
            case Wait.REFRESH:
                return self._give_up(session, "no_refresh", "session timer", now)
        return []

    def _give_up(self, session: Session, kind: str, reason: str, now: float) -> list[Output]:
        return [*self._bye(session, reason, now), Counted("odd", kind), Ended(session.id, kind)]

    def _drop(self, session: Session, error: PeerError, reason: str, now: float) -> list[Output]:
        return [*self.refuse(session.id, error, now), Ended(session.id, reason)]

    def _terminate(self, session: Session, now: float) -> list[Output]:
        """Answer what is in hand: it would wait for ever."""
        outputs: list[Output] = []
        if session.update is not None:
            outputs += self.refuse(session.id, no_dialog(), now)
        if session.transaction.state is State.PROCEEDING:
            ended = self._answer(session, 487, "Request Terminated")
            outputs += self._transactions.respond(session.transaction, ended, now)
        return outputs

    def _answer(
        self, session: Session, status: int, reason: str, *fields: tuple[str, str], body: bytes = b""
    ) -> Response:
        if 100 < status < 300:
            fields = (*self.tells, *fields)
        to_tag = session.dialog.local.tag
        return respond(session.request, status, reason, *fields, to_tag=to_tag, body=body)

    def _bye(self, session: Session, reason: str, now: float) -> list[Output]:
        branch = COOKIE + self._new_id()
        host, port = self._contact
        via = f"SIP/2.0/UDP {host}:{port};branch={branch};rport"
        fields = [("reason", f'SIP;cause=200;text="{reason}"')] if reason else []
        bye = session.dialog.request("BYE", via, *fields)
        ended = self._terminate(session, now)
        self._forget(session)
        return [*ended, *self._transactions.open_client(bye, branch, session.dialog.destination, now)]

    def _watch(self, session: Session, wait: Wait, deadline: float | None) -> None:
        self._agenda.put((session.id, wait), deadline)

    def _forget(self, session: Session) -> None:
        session.over()
        for wait in Wait:
            self._watch(session, wait, None)
        self._sessions.pop(session.id, None)
        self._by_peer.pop((session.dialog.call_id, session.dialog.remote.tag), None)
