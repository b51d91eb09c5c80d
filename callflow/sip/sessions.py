"""All calls that are not over, whoever began them: what they wait for, and how each of them may end."""

from collections import deque
from collections.abc import Callable
from typing import Final

from callflow.agenda import Agenda
from callflow.errors import PeerError
from callflow.guard import Broke, guarded
from callflow.sip.address import Address, Hop, Transport
from callflow.sip.client_transaction import InviteClient
from callflow.sip.dialog import Dialog, DialogId
from callflow.sip.happenings import Counted, Ended, Output
from callflow.sip.message import Request, Response, respond
from callflow.sip.refusal import ALLOW, SUPPORTED, no_dialog
from callflow.sip.refused import fields_of
from callflow.sip.registrar import listening
from callflow.sip.replaces import Replaces
from callflow.sip.session import Fields, Session, Wait
from callflow.sip.transaction import T1, Send
from callflow.sip.transactions import Asker, Transactions

PeerKey = tuple[str, str]
"""Call-ID and the peer's tag: what the other side calls its call."""
Waited = Callable[[Session, float], list[Output]]
"""What is to be done because a session has waited long enough."""

_WAITS: Final = tuple(Wait)
_UNWRITTEN: Final = 100
"""Requests that may have left in a dialog since it was written down."""
_REMEMBERED: Final = 256
"""Dialogs that have ended: who wants to replace one of them is told so, and not that there never was one."""


class Sessions:
    """The table of sessions, with one deadline for all that they wait for."""

    def __init__(self, transactions: Transactions, contact: Address) -> None:
        """`contact` is where peers reach us."""
        self.draining = False
        self.paused = False
        """Refuse new calls with 503; those that stand go on."""
        self._transactions = transactions
        host, port = contact
        self._tells = {
            Transport.UDP: (("contact", f"<sip:{host}:{port}>"), ALLOW, SUPPORTED),
            Transport.TCP: (("contact", f"<sip:{host}:{port};transport=tcp>"), ALLOW, SUPPORTED),
        }
        self._sessions: dict[str, Session] = {}
        self._by_peer: dict[PeerKey, Session] = {}
        self._agenda: Agenda[tuple[str, Wait]] = Agenda()
        self._waited: dict[Wait, Waited] = {}
        self._ended: deque[DialogId] = deque(maxlen=_REMEMBERED)

    def __len__(self) -> int:
        return len(self._sessions)

    def ids(self) -> list[str]:
        """The sessions that are not over."""
        return [*self._sessions]

    def get(self, session_id: str) -> Session | None:
        """The session of that id; None where it is over."""
        return self._sessions.get(session_id)

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    def session_of(self, request: Request) -> Session | None:
        """The session whose dialog `request` is in (§12.2.2)."""
        session = self.of_peer(request)
        return session if session and session.dialog.local.tag == request.to.tag else None

    def of_peer(self, request: Request) -> Session | None:
        """The session of who sent `request`, whatever To tag it bears."""
        return self._by_peer.get((request.call_id, request.from_.tag))

    def knows(self, request: Request) -> bool:
        """Whether a call of this Call-ID and From tag is in hand."""
        return (request.call_id, request.from_.tag) in self._by_peer

    def named(self, replaces: Replaces) -> Session | None:
        """The session whose dialog a Replaces names, early ones too."""
        session = self._by_peer.get((replaces.call_id, replaces.from_tag))
        return session if session and session.dialog.local.tag == replaces.to_tag else None

    def has_ended(self, replaces: Replaces) -> bool:
        """Whether a Replaces names the dialog of a call that has lately ended."""
        return (replaces.call_id, replaces.to_tag, replaces.from_tag) in self._ended

    def tells(self, transport: Transport) -> tuple[tuple[str, str], ...]:
        """What every message in a dialog says of us."""
        return self._tells[transport]

    def disconnected(self, peer: Hop) -> None:
        """The connection with a peer is gone: its dialogs go on where its Contact takes new ones."""
        for session in self._sessions.values():
            dialog = session.dialog
            if dialog.source == peer:
                dialog.source = listening(dialog.target, peer)

    # --- for the rooms that lead sessions ---

    def on(self, wait: Wait, waited: Waited) -> None:
        """Let `waited` decide what becomes of a session whose `wait` is over."""
        self._waited[wait] = waited

    def watch(self, session: Session, wait: Wait, deadline: float | None) -> None:
        """Let the session wait until `deadline`; None for no longer."""
        self._agenda.put((session.id, wait), deadline)

    def adopt(self, session: Session) -> None:
        """Let a session stand in the table: its dialog's requests find it."""
        self._sessions[session.id] = session
        self.know(session)

    def know(self, session: Session) -> None:
        """Let requests in the session's dialog find it, though it may be one of several of its call."""
        self._by_peer[session.dialog.call_id, session.dialog.remote.tag] = session

    def unknow(self, session: Session) -> None:
        """Let no request find it any more."""
        self._by_peer.pop((session.dialog.call_id, session.dialog.remote.tag), None)

    def ask(
        self,
        session: Session,
        asker: Asker,
        method: str,
        *fields: tuple[str, str],
        now: float,
        body: bytes = b"",
    ) -> list[Output]:
        """Send a request in the session's dialog; a challenge is answered where we can."""
        dialog = session.dialog
        if method in ("INVITE", "UPDATE", "NOTIFY"):
            # A target refresh says anew where we are reached (§12.2.1.1, RFC 6665 §4.3).
            fields = (*self.tells(dialog.source.transport), *fields)
        if session.prover is not None:
            asker = _Proving(self, session, asker, (method, fields, body))
        return self.ask_again(session, asker, method, fields, body, now)

    def ask_again(
        self, session: Session, asker: Asker, method: str, fields: Fields, body: bytes, now: float
    ) -> list[Output]:
        """The request as it is, such as once more with the proof that was asked for."""
        dialog = session.dialog
        return self._ask(dialog.request(method, *fields, body=body), dialog, asker, now)

    def _ask(self, request: Request, dialog: Dialog, asker: Asker, now: float) -> list[Output]:
        client, sent = self._transactions.ask(request, dialog.hop, asker, now, dialog.proper_hop)
        if isinstance(client, InviteClient):
            # Nobody is rung up by a re-INVITE: it is answered at once, or something is wrong.
            client.patience = 64 * T1
        return sent

    def give_up(self, session: Session, kind: str, reason: str, now: float) -> list[Output]:
        """End a session whose other side does not do what it must."""
        return [*self.bye(session, reason, now), Counted("odd", kind), Ended(session.id, kind)]

    def bye(self, session: Session, reason: str, now: float) -> list[Output]:
        """End an answered session (§15.1.1)."""
        ended = self.terminate(session, now)
        self.forget(session)
        return [*ended, *self.say_bye(session, reason, now)]

    def say_bye(self, session: Session, reason: str, now: float) -> list[Output]:
        """BYE in a dialog that does not stand in the table."""
        fields = [("reason", f'SIP;cause=200;text="{reason}"')] if reason else []
        return self.ask(session, _Bye(), "BYE", *fields, now=now)

    def end_earlier(self, dialog: Dialog, reason: str, now: float) -> list[Output]:
        """BYE in a dialog of an earlier life of the program, as it was last written down.

        Requests may have left since then: a gap in the numbers is allowed, a number twice is not (§12.2.2).
        """
        dialog.local_cseq += _UNWRITTEN
        fields = ("reason", f'SIP;cause=200;text="{reason}"')
        return self._ask(dialog.request("BYE", fields), dialog, _Bye(), now)

    def end_unknown(self, response: Response, source: Hop, now: float) -> list[Output]:
        """A phone that was rung by an earlier life of the program has answered: ACK, and BYE.

        Without the ACK it would wait in silence for 32 s (§13.3.1.4). Raises `PeerError(400)`.
        """
        if (response.call_id, response.to.tag) in self._by_peer or not response.to.tag:
            return []
        dialog = Dialog.unknown(response, source)
        ack = dialog.ack(response.cseq.number).under(self._transactions.via(dialog.hop))
        return [Send(ack.to_bytes(), *dialog.hop), *self.end_earlier(dialog, "restarted", now)]

    def terminate(self, session: Session, now: float) -> list[Output]:
        """Answer all that is in hand: it would wait for ever."""
        outputs = self.withdraw(session, now)
        if session.refer is not None:
            server, session.refer = session.refer, None
            gone = no_dialog()
            refused = respond(server.request, gone.status, gone.reason)
            outputs += self._transactions.respond(server, refused, now)
        return outputs

    def withdraw(self, session: Session, now: float) -> list[Output]:
        """Answer the INVITE, re-INVITE or UPDATE in hand, which is taken back."""
        outputs: list[Output] = []
        if session.update is not None:
            outputs += self.refuse(session.id, no_dialog(), now)
        if session.transaction is not None and session.is_asked:
            ended = self.answer_to(session, 487, "Request Terminated")
            outputs += self._transactions.respond(session.transaction, ended, now)
        return outputs

    def answer_to(
        self, session: Session, status: int, reason: str, *fields: tuple[str, str], body: bytes = b""
    ) -> Response:
        """The response to the INVITE or re-INVITE in hand."""
        if 100 < status < 300:
            fields = (*self.tells(session.dialog.source.transport), *fields)
        to_tag = session.dialog.local.tag
        return respond(session.request, status, reason, *fields, to_tag=to_tag, body=body)

    def forget(self, session: Session) -> None:
        """The session is over: nothing in its dialog is known any more."""
        if session.established:
            self._ended.append(session.dialog.id)
        session.over()
        for wait in _WAITS:
            self.watch(session, wait, None)
        self._sessions.pop(session.id, None)
        self.unknow(session)

    # --- for the floor above ---

    def refuse(self, session_id: str, error: PeerError, now: float) -> list[Output]:
        """The final answer to an INVITE, re-INVITE or UPDATE that is not taken."""
        session = self.get(session_id)
        if session is None:
            return []
        if session.update is not None:
            server, session.update = session.update, None
            fields = fields_of(error, server.request)
            refused = respond(server.request, error.status, error.reason, *fields)
            return [*self._transactions.respond(server, refused, now)]
        if session.transaction is None or not session.is_asked:
            return []
        if not session.established:
            self.forget(session)
        fields = fields_of(error, session.transaction.request)
        refusal = self.answer_to(session, error.status, error.reason, *fields)
        return [*self._transactions.respond(session.transaction, refusal, now)]

    def tick(self, now: float) -> list[Output]:
        """Repeat what was not acknowledged, and give up what never will be."""
        outputs: list[Output] = []
        for session_id, wait in self._agenda.take_due(now):
            session = self.get(session_id)
            if session is not None:
                outputs += self._wait_over(session, wait, now)
        return outputs

    def _wait_over(self, session: Session, wait: Wait, now: float) -> list[Output]:
        """What follows from it. A session whose timer fails would wait for ever: it ends."""
        outputs = guarded(lambda: self._waited[wait](session, now))
        if any(isinstance(output, Broke) for output in outputs) and self.get(session.id) is not None:
            outputs += guarded(lambda: self.give_up(session, "fault", "fault", now))
            self.forget(session)
        return outputs


class _Proving:
    """Asks once more, with proof, where the first time is challenged (§22.2)."""

    def __init__(
        self, sessions: Sessions, session: Session, asker: Asker, request: tuple[str, Fields, bytes]
    ) -> None:
        self._sessions = sessions
        self._session = session
        self._asker = asker
        self._request = request

    def replied(self, response: Response, now: float) -> list[Output]:
        session, (method, fields, body) = self._session, self._request
        if response.status in (401, 407) and session.prover is not None:
            proof = session.prover.prove(response, method, str(session.dialog.target))
            if proof:
                session.prover.accepted()
                return self._sessions.ask_again(session, self._asker, method, (*fields, *proof), body, now)
        return self._asker.replied(response, now)

    def unanswered(self, now: float) -> list[Output]:
        return self._asker.unanswered(now)


class _Bye:
    """Whatever is answered to a BYE, the call is over."""

    def replied(self, response: Response, now: float) -> list[Output]:
        return []

    def unanswered(self, now: float) -> list[Output]:
        return [Counted("odd", "bye_unanswered")]
