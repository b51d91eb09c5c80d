"""The user agent server: callers' INVITE sessions from arrival to BYE (RFC 3261 §8.2, §13.3, §15.1.2)."""

from callflow.errors import PeerError
from callflow.sip import refresh
from callflow.sip.address import Address
from callflow.sip.body import SDP, description
from callflow.sip.dialog import Dialog, contact_of
from callflow.sip.happenings import Answered, Confirmed, Counted, Ended, Invited, Output, Reoffered
from callflow.sip.headers import NameAddress
from callflow.sip.identity import identity, number
from callflow.sip.message import Request, respond
from callflow.sip.refusal import check_extensions, draining, no_dialog
from callflow.sip.reliable import FIRST, Reliable
from callflow.sip.session import Session, Stage, Wait
from callflow.sip.sessions import Sessions
from callflow.sip.transaction import InviteServer, NonInviteServer, State


class UserAgentServer(Sessions):
    """What the callers' sides ask, and what the floor above decides about it."""

    # --- what the caller's side asks ---

    def receive_invite(
        self, request: Request, source: Address, destination: Address, now: float
    ) -> list[Output]:
        """An INVITE that belongs to no transaction yet. Raises `PeerError`."""
        if request.to.tag:
            return self._receive_reinvite(request, source, destination, now)
        dialog = Dialog.of(request, self._new_id(), source)
        caller = identity(request)
        if self.draining:
            raise draining()
        check_extensions(request)
        offer = description(request)
        refresh.asked(request)
        if (dialog.call_id, dialog.remote.tag) in self._by_peer:
            # The same INVITE has come to us by another way (§8.2.2.2).
            raise PeerError(482, "Loop Detected")
        transaction = self._transactions.open_invite(request, destination)
        session = Session(self._new_id(), transaction, dialog)
        self._sessions[session.id] = session
        self._by_peer[dialog.call_id, dialog.remote.tag] = session
        self._watch(session, Wait.ANSWER, _expiry(request, now))
        trying = self._transactions.respond(transaction, respond(request, 100, "Trying"), now)
        whom = number(NameAddress(request.requested))
        told = (caller.display, caller.private, caller.diverted_from)
        return [*trying, Invited(session.id, caller.number, whom, offer, source[0], *told)]

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
        self._watch(session, Wait.ACK, None)
        if session.bye_wanted is not None:
            return [*odd, *self._bye(session, session.bye_wanted, now)]
        if session.offering:
            session.offering = False
            odd.append(Answered(session.id, _answer_in(request)))
        return [*odd, Confirmed(session.id)] if is_new else odd

    def receive_cancel(self, request: Request, server: NonInviteServer, now: float) -> list[Output]:
        """§9.2. Raises `PeerError`."""
        invite = self._transactions.server(request, "INVITE")
        if not isinstance(invite, InviteServer):
            raise no_dialog()
        session = self._by_peer.get((request.call_id, request.from_.tag))
        to_tag = session.dialog.local.tag if session else self._new_id()
        outputs: list[Output] = [
            *self._transactions.respond(server, respond(request, 200, "OK", to_tag=to_tag), now)
        ]
        if invite.state is not State.PROCEEDING or session is None:
            # The 200 was faster: the caller's side will acknowledge it and say BYE (§9.1).
            return outputs
        outputs += self._terminate(session, now)
        if session.established:
            return outputs
        self._forget(session)
        return [*outputs, Ended(session.id, "cancelled")]

    def receive_bye(self, request: Request, server: NonInviteServer, now: float) -> list[Output]:
        """§15.1.2. Raises `PeerError`."""
        session = self.session_of(request)
        if session is None:
            raise no_dialog()
        if not session.dialog.accepts(request.cseq.number):
            raise PeerError(500, "CSeq Out Of Order")
        outputs: list[Output] = [*self._transactions.respond(server, respond(request, 200, "OK"), now)]
        outputs += self._terminate(session, now)
        self._forget(session)
        return [*outputs, Ended(session.id, "bye")]

    def pracked(self, session: Session, prack: Request) -> None:
        """The PRACK of our 180 is here, maybe after our 200. Raises `PeerError(481)` for another's."""
        if session.reliable is None or not session.reliable.is_meant_by(prack):
            raise no_dialog()
        session.reliable = None
        self._watch(session, Wait.PRACK, None)

    # --- what the floor above decides; a session that is over by then is no error ---

    def ring(self, session_id: str, now: float) -> list[Output]:
        """180 to a caller who is not answered yet."""
        session = self._sessions.get(session_id)
        if session is None or session.stage is not Stage.EARLY:
            return []
        if "100rel" in session.request.headers.tokens("require"):
            return self._ring_reliably(session, now)
        return [*self._transactions.respond(session.transaction, self._answer(session, 180, "Ringing"), now)]

    def answer(self, session_id: str, sdp: bytes, now: float) -> list[Output]:
        """200 to the INVITE, re-INVITE or UPDATE in hand; an INVITE's is repeated until its ACK is here."""
        session = self._sessions.get(session_id)
        if session is None:
            return []
        carried = ("content-type", SDP)
        if session.update is not None:
            server, session.update = session.update, None
            fields = (*self.tells, *self.refreshed(session, server.request, now), carried)
            ok = respond(server.request, 200, "OK", *fields, body=sdp)
            return [*self._transactions.respond(server, ok, now)]
        if session.transaction.state is not State.PROCEEDING:
            return []
        timer = self.refreshed(session, session.request, now)
        ok = self._answer(session, 200, "OK", *timer, carried, body=sdp)
        outputs = self._transactions.respond(session.transaction, ok, now)
        session.answered(session.transaction.last, now)
        session.offering = not session.request.body
        self._watch(session, Wait.ANSWER, None)
        self._watch(session, Wait.PRACK, None)
        self._watch(session, Wait.ACK, session.deadline)
        return [*outputs]

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

    # --- the rooms behind ---

    def _receive_reinvite(
        self, request: Request, source: Address, destination: Address, now: float
    ) -> list[Output]:
        session = self.session_of(request)
        if session is None:
            raise no_dialog()
        if (
            self.in_hand(session)
            or session.stage is not Stage.CONFIRMED
            or not session.dialog.accepts(request.cseq.number)
        ):
            raise PeerError(500, "Another Request Is In Hand")
        check_extensions(request)
        offer = description(request)
        refresh.asked(request)
        session.dialog.target = contact_of(request)
        session.dialog.source = source
        session.transaction = self._transactions.open_invite(request, destination)
        trying = self._transactions.respond(session.transaction, respond(request, 100, "Trying"), now)
        return [*trying, Reoffered(session.id, offer)]

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

    def _ring_reliably(self, session: Session, now: float) -> list[Output]:
        if session.reliable is not None or not session.request.body:
            # Without their offer, ours must be in the first reliable response (RFC 3262 §5): the 200.
            return []
        fields = ("require", "100rel"), ("rseq", str(FIRST))
        ringing = self._answer(session, 180, "Ringing", *fields)
        outputs = self._transactions.respond(session.transaction, ringing, now)
        session.reliable = Reliable.sent(session.request, session.transaction.last, now)
        self._watch(session, Wait.PRACK, session.reliable.deadline)
        return [*outputs]


def _answer_in(ack: Request) -> bytes:
    try:
        return description(ack)
    except PeerError:
        return b""


def _expiry(invite: Request, now: float) -> float | None:
    """When the caller's side no longer wants an answer (§13.3.1)."""
    text = invite.headers.get("expires") or ""
    return now + int(text[:9]) if text.isascii() and text.isdigit() else None
