"""The user agent server: callers' INVITE sessions from arrival to BYE (RFC 3261 §8.2, §13.3, §15.1.2)."""

from collections.abc import Callable

from callflow.errors import PeerError
from callflow.sip import refresh, replacement
from callflow.sip.address import Hop
from callflow.sip.body import SDP, described, description
from callflow.sip.dialog import Dialog, contact_of
from callflow.sip.happenings import Answered, Confirmed, Counted, Ended, Invited, Output, Reoffered
from callflow.sip.identity import identity, number
from callflow.sip.message import Request, respond
from callflow.sip.reason import tells_of_fault
from callflow.sip.refer import referred_by
from callflow.sip.refusal import check_extensions, draining, hops_left, no_dialog, paused
from callflow.sip.reliable import Reliable
from callflow.sip.reoffers import Reoffers
from callflow.sip.server_transaction import InviteServer, NonInviteServer
from callflow.sip.session import Session, Stage, Wait
from callflow.sip.sessions import Sessions
from callflow.sip.timers import SessionTimers
from callflow.sip.transaction import State
from callflow.sip.transactions import Transactions


class UserAgentServer:
    """What the callers' sides ask, and what the floor above decides about it."""

    def __init__(
        self,
        sessions: Sessions,
        transactions: Transactions,
        timers: SessionTimers,
        reoffers: Reoffers,
        new_id: Callable[[], str],
    ) -> None:
        self._sessions = sessions
        self._transactions = transactions
        self._timers = timers
        self._reoffers = reoffers
        self._new_id = new_id
        sessions.on(Wait.ACK, self._ack_is_due)
        sessions.on(Wait.PRACK, self._prack_is_due)
        sessions.on(Wait.ANSWER, self._expired)

    # --- what the caller's side asks ---

    def receive_invite(self, request: Request, source: Hop, hop: Hop, now: float) -> list[Output]:
        """An INVITE that belongs to no transaction yet; answers go to `hop`. Raises `PeerError`."""
        if request.to.tag:
            return self._receive_reinvite(request, source, hop, now)
        dialog = Dialog.of(request, self._new_id(), source)
        caller = identity(request)
        if self._sessions.draining:
            raise draining()
        if self._sessions.paused:
            raise paused()
        check_extensions(request)
        offer = description(request)
        refresh.asked(request)
        if self._sessions.knows(request):
            # The same INVITE has come to us by another way (§8.2.2.2).
            raise PeerError(482, "Loop Detected")
        replaces = replacement.asked(self._sessions, request)
        transaction = self._transactions.open_invite(request, hop)
        peer_allow = request.headers.lines("allow")
        session = Session(self._new_id(), dialog, transaction, peer_allow=peer_allow)
        self._sessions.adopt(session)
        if "expires" in request.headers:
            self._sessions.watch(session, Wait.ANSWER, _expiry(request, now))
        trying = self._transactions.respond(transaction, respond(request, 100, "Trying"), now)
        whom = number(request.requested)
        told = (caller.display, caller.private, caller.diverted_from, hops_left(request), replaces)
        wanted_by = referred_by(request) if replaces else ""
        return [*trying, Invited(session.id, caller.number, whom, offer, source.address[0], *told, wanted_by)]

    def receive_ack(self, request: Request, source: Hop, now: float) -> list[Output]:
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
        return [*odd, *self._confirmed(session, request, now)]

    def receive_cancel(self, request: Request, server: NonInviteServer, now: float) -> list[Output]:
        """§9.2. Raises `PeerError`."""
        invite = self._transactions.server(request, "INVITE")
        if not isinstance(invite, InviteServer):
            raise no_dialog()
        session = self._sessions.of_peer(request)
        to_tag = session.dialog.local.tag if session else self._new_id()
        outputs: list[Output] = [
            *self._transactions.respond(server, respond(request, 200, "OK", to_tag=to_tag), now)
        ]
        if invite.state is not State.PROCEEDING or session is None:
            # The 200 was faster: the caller's side will acknowledge it and say BYE (§9.1).
            return outputs
        outputs += self._sessions.withdraw(session, now)
        if session.established:
            return [*outputs, *self._reoffers.go_on(session, now)]
        self._sessions.forget(session)
        return [*outputs, Ended(session.id, "cancelled")]

    def receive_bye(self, request: Request, server: NonInviteServer, now: float) -> list[Output]:
        """§15.1.2. Raises `PeerError`."""
        session = self._sessions.session_of(request)
        if session is None or session.stage is Stage.CALLING:
            raise no_dialog()
        if not session.dialog.accepts(request.cseq.number):
            raise PeerError(500, "CSeq Out Of Order")
        outputs: list[Output] = [*self._transactions.respond(server, respond(request, 200, "OK"), now)]
        outputs += self._sessions.terminate(session, now)
        self._sessions.forget(session)
        return [*outputs, Ended(session.id, "bye", tells_of_fault(request.headers.all("reason")))]

    def pracked(self, session: Session, prack: Request, now: float) -> list[Output]:
        """The PRACK of our 180 or 183 is here, maybe after our 200. Raises `PeerError(481)` for another's."""
        if session.reliable is None or not session.reliable.is_meant_by(prack):
            raise no_dialog()
        session.reliable = None
        self._sessions.watch(session, Wait.PRACK, None)
        wanted, session.answer_wanted = session.answer_wanted, None
        return self.answer(session.id, wanted, now) if wanted is not None else []

    # --- what the floor above decides; a session that is over by then is no error ---

    def ring(self, session_id: str, now: float, status: int, reason: str, sdp: bytes) -> list[Output]:
        """A provisional response to a caller who is not answered yet."""
        session = self._sessions.get(session_id)
        if session is None or session.transaction is None or session.stage is not Stage.EARLY:
            return []
        fields = (("content-type", SDP),) if sdp else ()
        if "100rel" in session.request.headers.tokens("require"):
            return self._ring_reliably(session, session.transaction, now, (status, reason, sdp))
        ringing = self._sessions.answer_to(session, status, reason, *fields, body=sdp)
        return [*self._transactions.respond(session.transaction, ringing, now)]

    def answer(self, session_id: str, sdp: bytes, now: float) -> list[Output]:
        """200 to the INVITE, re-INVITE or UPDATE in hand; an INVITE's is repeated until its ACK is here."""
        session = self._sessions.get(session_id)
        if session is None or not session.in_hand:
            return []
        if session.reliable is not None and session.reliable.describes:
            # The audio was agreed in it: the 200 must not overtake that (RFC 3262 §3).
            session.answer_wanted = sdp
            return []
        session.description = sdp
        if session.update is not None:
            return self._answer_update(session, session.update, sdp, now)
        assert session.transaction is not None
        timer = self._timers.asked(session, session.request, now)
        ok = self._sessions.answer_to(session, 200, "OK", *timer, ("content-type", SDP), body=sdp)
        outputs = self._transactions.respond(session.transaction, ok, now)
        session.answered(session.transaction.last, now)
        session.offering = not session.request.body
        self._sessions.watch(session, Wait.ANSWER, None)
        if session.reliable is not None:
            self._sessions.watch(session, Wait.PRACK, None)
        self._sessions.watch(session, Wait.ACK, session.deadline)
        return [*outputs]

    # --- the rooms behind ---

    def _receive_reinvite(self, request: Request, source: Hop, hop: Hop, now: float) -> list[Output]:
        session = self._sessions.session_of(request)
        if session is None:
            raise no_dialog()
        if session.reoffer_sent:
            # Ours and theirs have crossed: both give way for a while (§14.2).
            raise PeerError(491, "Request Pending")
        in_hand = session.in_hand or session.stage is not Stage.CONFIRMED
        if in_hand or not session.dialog.accepts(request.cseq.number):
            raise PeerError(500, "Another Request Is In Hand")
        check_extensions(request)
        offer = description(request)
        refresh.asked(request)
        session.dialog.target = contact_of(request)
        session.dialog.source = source
        session.transaction = self._transactions.open_invite(request, hop)
        trying = self._transactions.respond(session.transaction, respond(request, 100, "Trying"), now)
        return [*trying, Reoffered(session.id, offer)]

    def _answer_update(
        self, session: Session, server: NonInviteServer, sdp: bytes, now: float
    ) -> list[Output]:
        session.update = None
        tells = self._sessions.tells(session.dialog.source.transport)
        fields = (*tells, *self._timers.asked(session, server.request, now), ("content-type", SDP))
        ok = self._transactions.respond(server, respond(server.request, 200, "OK", *fields, body=sdp), now)
        return [*ok, *self._reoffers.go_on(session, now)]

    def _confirmed(self, session: Session, ack: Request, now: float) -> list[Output]:
        is_new = not session.established
        session.confirmed()
        self._sessions.watch(session, Wait.ACK, None)
        if session.bye_wanted is not None:
            return self._sessions.bye(session, session.bye_wanted, now)
        outputs: list[Output] = []
        if session.offering:
            session.offering = False
            outputs.append(Answered(session.id, described(ack)))
        if is_new:
            outputs.append(Confirmed(session.id))
        return [*outputs, *self._reoffers.go_on(session, now)]

    def _acknowledged(self, request: Request, source: Hop) -> tuple[Session | None, list[Output]]:
        """The session whose 200 is acknowledged, and what is odd about the ACK.

        pyVoIP, and it is not alone, puts a To tag of its own making on its ACK. Call-ID, From tag, CSeq
        and source are proof enough that the ACK belongs to this dialog.
        """
        session = self._sessions.session_of(request)
        if session is not None and session.transaction is not None:
            return session, []
        session = self._sessions.of_peer(request)
        if session is None or session.transaction is None or session.dialog.source != source:
            return None, [Counted("odd", "stray_ack")]
        if session.request.cseq.number != request.cseq.number:
            return None, [Counted("odd", "stray_ack")]
        return session, [Counted("odd", "ack_with_wrong_to_tag")]

    def _ring_reliably(
        self, session: Session, transaction: InviteServer, now: float, ringing: tuple[int, str, bytes]
    ) -> list[Output]:
        status, reason, sdp = ringing
        if session.reliable is not None or not session.request.body:
            # One at a time; and without their offer, ours must be in the first (RFC 3262 §5): the 200.
            return []
        session.rseq += 1
        fields = [("require", "100rel"), ("rseq", str(session.rseq))]
        if sdp:
            fields.append(("content-type", SDP))
        response = self._sessions.answer_to(session, status, reason, *fields, body=sdp)
        outputs = self._transactions.respond(transaction, response, now)
        session.reliable = Reliable.sent(
            session.request, session.rseq, transaction.last, now, describes=bool(sdp)
        )
        self._sessions.watch(session, Wait.PRACK, session.reliable.deadline)
        return [*outputs]

    def _ack_is_due(self, session: Session, now: float) -> list[Output]:
        again = session.repeat_ok(now)
        self._sessions.watch(session, Wait.ACK, session.deadline)
        return [again] if again else self._sessions.give_up(session, "no_ack", "no ACK", now)

    def _prack_is_due(self, session: Session, now: float) -> list[Output]:
        if session.reliable is None:
            return []
        again = session.reliable.repeat(now)
        self._sessions.watch(session, Wait.PRACK, session.reliable.deadline)
        return [again] if again else self._drop(session, PeerError(504, "No PRACK"), "no_prack", now)

    def _expired(self, session: Session, now: float) -> list[Output]:
        return self._drop(session, PeerError(487, "Request Terminated"), "expired", now)

    def _drop(self, session: Session, error: PeerError, reason: str, now: float) -> list[Output]:
        return [*self._sessions.refuse(session.id, error, now), Ended(session.id, reason)]


def _expiry(invite: Request, now: float) -> float | None:
    """When the caller's side no longer wants an answer (§13.3.1)."""
    text = invite.headers.get("expires") or ""
    return now + int(text[:9]) if text.isascii() and text.isdigit() else None
