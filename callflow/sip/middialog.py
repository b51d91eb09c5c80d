"""Requests in a dialog that neither begin nor end it: INFO, UPDATE, PRACK, REFER, and the others."""

from typing import Final

from callflow.errors import PeerError
from callflow.sip import refresh
from callflow.sip.address import Hop
from callflow.sip.body import SDP, description, key
from callflow.sip.dialog import contact_of
from callflow.sip.happenings import KeySignalled, Output, Reoffered
from callflow.sip.message import Request, respond
from callflow.sip.referrals import Referrals, is_about_refer
from callflow.sip.refusal import ALLOW, OTHER_METHODS, SUPPORTED, Refusal, no_dialog
from callflow.sip.server_transaction import NonInviteServer
from callflow.sip.session import Session, Stage
from callflow.sip.sessions import Sessions
from callflow.sip.timers import SessionTimers
from callflow.sip.transactions import Transactions
from callflow.sip.uas import UserAgentServer

CAPABILITIES: Final = (
    ALLOW,
    SUPPORTED,
    ("accept", f"{SDP}, multipart/mixed"),
    ("accept-encoding", "identity"),
)
"""What the answer to OPTIONS tells (RFC 3261 §11.2)."""


class MidDialog:
    """Answers what comes within the calls that stand."""

    def __init__(
        self,
        sessions: Sessions,
        calls: UserAgentServer,
        transactions: Transactions,
        timers: SessionTimers,
        referrals: Referrals,
    ) -> None:
        self._sessions = sessions
        self._calls = calls
        self._transactions = transactions
        self._timers = timers
        self._referrals = referrals

    def receive(self, request: Request, server: NonInviteServer, source: Hop, now: float) -> list[Output]:
        """Raises `PeerError`."""
        session = self._sessions.session_of(request)
        if session is None:
            raise _refusal(request) if not request.to.tag else no_dialog()
        if not session.dialog.accepts(request.cseq.number):
            raise PeerError(500, "CSeq Out Of Order")
        if "replaces" in request.headers:
            # RFC 3891 §3.
            raise PeerError(400, "Replaces Outside INVITE")
        match request.method:
            case "INFO":
                return self._info(session, request, server, now)
            case "UPDATE":
                return self._update(session, request, server, source, now)
            case "PRACK":
                if request.body:
                    raise PeerError(488, "Not Acceptable Here")
                answered = self._calls.pracked(session, request, now)
                return [*self._ok(request, server, now), *answered]
            case "OPTIONS":
                return self._ok(request, server, now, *CAPABILITIES)
            case "REFER":
                return self._referrals.referred(session, request, server)
            case "SUBSCRIBE" if is_about_refer(request):
                return self._referrals.subscribed(session, request, server, now)
        raise _refusal(request)

    def _info(self, session: Session, request: Request, server: NonInviteServer, now: float) -> list[Output]:
        if request.headers.count("info-package"):
            # RFC 6086 §4.2.2: none was agreed.
            raise Refusal(469, "Bad Info Package", ("recv-info", ""))
        pressed = key(request) if request.body else None
        answered = self._ok(request, server, now)
        return [*answered, KeySignalled(session.id, pressed)] if pressed else answered

    def _update(
        self, session: Session, request: Request, server: NonInviteServer, source: Hop, now: float
    ) -> list[Output]:
        """RFC 3311 §5.2; without an offer it only refreshes (RFC 4028 §7.4)."""
        refresh.asked(request)
        offer = description(request)
        if offer and (session.offering or session.reoffer_sent):
            raise PeerError(491, "Request Pending")
        if offer and (session.stage is not Stage.CONFIRMED or session.in_hand):
            raise PeerError(500, "Another Request Is In Hand")
        if request.headers.count("contact"):
            session.dialog.target = contact_of(request)
            session.dialog.source = source
        if offer:
            session.update = server
            return [Reoffered(session.id, offer)]
        is_early = session.stage in (Stage.EARLY, Stage.CALLING)
        timer = () if is_early else self._timers.asked(session, request, now)
        return self._ok(request, server, now, *self._sessions.tells(source.transport), *timer)

    def _ok(
        self, request: Request, server: NonInviteServer, now: float, *fields: tuple[str, str]
    ) -> list[Output]:
        return [*self._transactions.respond(server, respond(request, 200, "OK", *fields), now)]


def _refusal(request: Request) -> PeerError:
    """Why a method is not taken here."""
    match request.method:
        case "NOTIFY":
            return PeerError(481, "Subscription Does Not Exist")
        case "SUBSCRIBE" | "PUBLISH":
            return PeerError(489, "Bad Event")
        case "REFER":
            # Without a call there is nobody whom we could send elsewhere.
            return PeerError(403, "Forbidden")
        case "INFO" | "UPDATE" | "PRACK":
            return no_dialog()
        case method if method in OTHER_METHODS:
            return Refusal(405, "Method Not Allowed", ALLOW)
    return Refusal(501, "Not Implemented", ALLOW)
