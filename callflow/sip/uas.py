"""The user agent server: callers' INVITE sessions from arrival to BYE (RFC 3261 §8.2, §13.3, §15.1.2)."""

from collections.abc import Callable
from typing import Final

from callflow.agenda import Agenda
from callflow.errors import PeerError
from callflow.sip.address import Address
from callflow.sip.dialog import Dialog, contact_of
from callflow.sip.grammar import displayable
from callflow.sip.happenings import Confirmed, Counted, Ended, Invited, Output, Reoffered
from callflow.sip.message import Request, Response, respond, with_fields
from callflow.sip.session import Session, Stage
from callflow.sip.transaction import InviteServer, NonInviteServer, Send, State
from callflow.sip.transactions import COOKIE, Transactions
from callflow.sip.uri import Uri

METHODS: Final = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER")
ALLOW: Final = ("allow", ", ".join(METHODS))
NO_DIALOG: Final = PeerError(481, "Call/Transaction Does Not Exist")
PeerKey = tuple[str, str]
"""Call-ID and From tag: what the caller's side calls its call."""


class UserAgentServer:
    """Every call that came to us and is not over."""

    def __init__(self, transactions: Transactions, contact: Address, new_id: Callable[[], str]) -> None:
        self.draining = False
        """Refuse new calls with 503; those that stand go on."""
        self._transactions = transactions
        self._contact = contact
        self._new_id = new_id
        self._sessions: dict[str, Session] = {}
        self._by_peer: dict[PeerKey, Session] = {}
        self._agenda: Agenda[str] = Agenda()

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    # --- what the caller's side asks ---

    def receive_invite(
        self, request: Request, source: Address, destination: Address, now: float
    ) -> list[Output]:
        """An INVITE that belongs to no transaction yet. Raises `PeerError`."""
        if request.to.tag:
            return self._receive_reinvite(request, source, destination, now)
        dialog = Dialog.of(request, self._new_id(), source)
        called, caller = Uri.parse(request.uri), request.from_.uri
        transaction = self._transactions.open_invite(request, destination)
        refusal = self._refusal(request)
        if refusal is not None:
            return [*self._transactions.respond(transaction, refusal, now)]
        session = Session(self._new_id(), transaction, dialog)
        self._sessions[session.id] = session
        self._by_peer[dialog.call_id, dialog.remote.tag] = session
        trying = self._transactions.respond(transaction, respond(request, 100, "Trying"), now)
        who, whom = displayable(caller.user or caller.host), displayable(called.user or called.host)
        return [*trying, Invited(session.id, who, whom, request.body, source[0])]

    def receive_ack(self, request: Request, source: Address, now: float) -> list[Output]:
        """The ACK to our 200, or to a refusal. Raises `PeerError`."""
        refused = self._transactions.server(request, "INVITE")
        if isinstance(refused, InviteServer) and refused.state is State.COMPLETED:
            self._transactions.acknowledge(refused, now)
            return []
        session, odd = self._acknowledged(request, source)
        if session is None or session.stage is not Stage.ANSWERED:
            return odd
        if session.request.cseq.number != request.cseq.number:
            # A late one, of the INVITE before the re-INVITE in hand.
            return odd
        is_new = not session.established
        session.confirmed()
        self._agenda.put(session.id, None)
        if session.bye_wanted is not None:
            return [*odd, *self._bye(session, session.bye_wanted, now)]
        return [*odd, Confirmed(session.id)] if is_new else odd

    def receive_cancel(self, request: Request, server: NonInviteServer, now: float) -> list[Output]:
        """§9.2. Raises `PeerError`."""
        invite = self._transactions.server(request, "INVITE")
        if not isinstance(invite, InviteServer):
            raise NO_DIALOG
        session = self._by_peer.get((request.call_id, request.from_.tag))
        to_tag = session.dialog.local.tag if session else self._new_id()
        outputs: list[Output] = [
            *self._transactions.respond(server, respond(request, 200, "OK", to_tag=to_tag), now)
        ]
        if invite.state is not State.PROCEEDING or session is None:
            # The 200 was faster: the caller's side will acknowledge it and say BYE (§9.1).
            return outputs
        outputs += self._terminate_invite(session, now)
        if session.established:
            return outputs
        self._forget(session)
        return [*outputs, Ended(session.id, "cancelled")]

    def receive_bye(self, request: Request, server: NonInviteServer, now: float) -> list[Output]:
        """§15.1.2. Raises `PeerError`."""
        session = self.session_of(request)
        if session is None:
            raise NO_DIALOG
        if not session.dialog.accepts(request.cseq.number):
            raise PeerError(500, "CSeq Out Of Order")
        outputs: list[Output] = [*self._transactions.respond(server, respond(request, 200, "OK"), now)]
        if session.transaction.state is State.PROCEEDING:
            outputs += self._terminate_invite(session, now)
        self._forget(session)
        return [*outputs, Ended(session.id, "bye")]

    def session_of(self, request: Request) -> Session | None:
        """The session whose dialog `request` is in (§12.2.2)."""
        session = self._by_peer.get((request.call_id, request.from_.tag))
        return session if session and session.dialog.local.tag == request.to.tag else None

    # --- what the floor above decides; a session that is over by then is no error ---

    def ring(self, session_id: str, now: float) -> list[Output]:
        """180 to a caller who is not answered yet."""
        session = self._sessions.get(session_id)
        if session is None or session.stage is not Stage.EARLY:
            return []
        return [*self._transactions.respond(session.transaction, self._answer(session, 180, "Ringing"), now)]

    def answer(self, session_id: str, sdp: bytes, now: float) -> list[Output]:
        """200 to the INVITE or re-INVITE in hand, repeated until its ACK is here."""
        session = self._sessions.get(session_id)
        if session is None or session.transaction.state is not State.PROCEEDING:
            return []
        ok = with_fields(self._answer(session, 200, "OK"), ("content-type", "application/sdp"), body=sdp)
        outputs = self._transactions.respond(session.transaction, ok, now)
        session.answered(Send(ok.to_bytes(), session.transaction.destination), now)
        self._agenda.put(session.id, session.deadline)
        return [*outputs]

    def refuse(self, session_id: str, error: PeerError, now: float) -> list[Output]:
        """The final answer to an INVITE or re-INVITE that is not taken."""
        session = self._sessions.get(session_id)
        if session is None or session.transaction.state is not State.PROCEEDING:
            return []
        if not session.established:
            self._forget(session)
        refusal = self._answer(session, error.status, error.reason)
        return [*self._transactions.respond(session.transaction, refusal, now)]

    def hang_up(self, session_id: str, reason: str, now: float) -> list[Output]:
        """End a session: BYE, after the ACK if that is still to come, or a refusal if not answered."""
        session = self._sessions.get(session_id)
        if session is None:
            return []
        match session.stage:
            case Stage.EARLY:
                return self.refuse(session_id, PeerError(480, "Temporarily Unavailable"), now)
            case Stage.ANSWERED:
                session.bye_wanted = reason
                return []
            case _:
                return self._bye(session, reason, now)

    def tick(self, now: float) -> list[Output]:
        """Repeat the 200s whose ACK is not here, and give up those whose ACK never will be."""
        outputs: list[Output] = []
        for session_id in self._agenda.take_due(now):
            session = self._sessions[session_id]
            again = session.repeat_ok(now)
            if again is None:
                outputs += [*self._bye(session, "no ACK", now), Counted("odd", "no_ack")]
                outputs.append(Ended(session_id, "no_ack"))
            else:
                self._agenda.put(session_id, session.deadline)
                outputs.append(again)
        return outputs

    # --- the rooms behind ---

    def _receive_reinvite(
        self, request: Request, source: Address, destination: Address, now: float
    ) -> list[Output]:
        session = self.session_of(request)
        if session is None:
            raise NO_DIALOG
        in_hand = session.stage is not Stage.CONFIRMED or session.transaction.state is State.PROCEEDING
        if in_hand or not session.dialog.accepts(request.cseq.number):
            raise PeerError(500, "Another Request Is In Hand")
        session.dialog.target = contact_of(request)
        session.dialog.source = source
        session.transaction = self._transactions.open_invite(request, destination)
        trying = self._transactions.respond(session.transaction, respond(request, 100, "Trying"), now)
        return [*trying, Reoffered(session.id, request.body)]

    def _refusal(self, request: Request) -> Response | None:
        """Why an INVITE is refused before anybody looks at what it wants (§8.2)."""
        to_tag = self._new_id()
        if self.draining:
            refused = respond(request, 503, "Service Unavailable", to_tag=to_tag)
            return with_fields(refused, ("retry-after", "30"))
        if required := request.headers.all("require"):
            refused = respond(request, 420, "Bad Extension", to_tag=to_tag)
            return with_fields(refused, ("unsupported", ", ".join(required)))
        kind = request.headers.get("content-type") or "application/sdp"
        if kind.partition(";")[0].strip().lower() != "application/sdp":
            refused = respond(request, 415, "Unsupported Media Type", to_tag=to_tag)
            return with_fields(refused, ("accept", "application/sdp"))
        if (request.call_id, request.from_.tag) in self._by_peer:
            # The same INVITE has come to us by another way (§8.2.2.2).
            return respond(request, 482, "Loop Detected", to_tag=to_tag)
        return None

    def _acknowledged(self, request: Request, source: Address) -> tuple[Session | None, list[Output]]:
        """The session whose 200 is acknowledged, and what is odd about the ACK.

        pyVoIP, and it is not alone, puts a To tag of its own making on its ACK. Call-ID, From tag, CSeq
        and source are proof enough that the ACK belongs to this dialog.
        """
        session = self.session_of(request)
        if session is not None:
            return session, []
        session = self._by_peer.get((request.call_id, request.from_.tag))
        if session is None or session.dialog.source != source:
            return None, [Counted("odd", "stray_ack")]
        if session.request.cseq.number != request.cseq.number:
            return None, [Counted("odd", "stray_ack")]
        return session, [Counted("odd", "ack_with_wrong_to_tag")]

    def _terminate_invite(self, session: Session, now: float) -> list[Output]:
        ended = self._answer(session, 487, "Request Terminated")
        return [*self._transactions.respond(session.transaction, ended, now)]

    def _answer(self, session: Session, status: int, reason: str) -> Response:
        response = respond(session.request, status, reason, to_tag=session.dialog.local.tag)
        if 100 < status < 300:
            host, port = self._contact
            return with_fields(response, ("contact", f"<sip:{host}:{port}>"), ALLOW)
        return response

    def _bye(self, session: Session, reason: str, now: float) -> list[Output]:
        branch = COOKIE + self._new_id()
        host, port = self._contact
        via = f"SIP/2.0/UDP {host}:{port};branch={branch};rport"
        fields = [("reason", f'SIP;cause=200;text="{reason}"')] if reason else []
        bye = session.dialog.request("BYE", via, *fields)
        # A re-INVITE that nobody has answered yet would wait for ever.
        asked = session.transaction.state is State.PROCEEDING
        ended = self._terminate_invite(session, now) if asked else []
        self._forget(session)
        return [*ended, *self._transactions.open_client(bye, branch, session.dialog.destination, now)]

    def _forget(self, session: Session) -> None:
        session.over()
        self._agenda.put(session.id, None)
        self._sessions.pop(session.id, None)
        self._by_peer.pop((session.dialog.call_id, session.dialog.remote.tag), None)
