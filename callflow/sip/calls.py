"""What the floor above decides about sessions, whoever began them. One that is over by then is no error."""

from callflow.errors import PeerError
from callflow.sip import replacement
from callflow.sip.dialog import Dialog
from callflow.sip.happenings import Output, Replied
from callflow.sip.message import Response
from callflow.sip.outgoing import Plan
from callflow.sip.referrals import Referrals
from callflow.sip.reoffers import Reoffers
from callflow.sip.replaces import Replaces
from callflow.sip.session import Session, Stage
from callflow.sip.sessions import Sessions
from callflow.sip.uac import UserAgentClient
from callflow.sip.uas import UserAgentServer


class Calls:
    """All calls that the endpoint has a part in."""

    def __init__(
        self,
        sessions: Sessions,
        server: UserAgentServer,
        client: UserAgentClient,
        reoffers: Reoffers,
        referrals: Referrals,
    ) -> None:
        self._sessions = sessions
        self._server = server
        self._client = client
        self._reoffers = reoffers
        self._referrals = referrals

    def __len__(self) -> int:
        return len(self._sessions) + len(self._client)

    @property
    def draining(self) -> bool:
        """Whether new calls are refused with 503; those that stand go on."""
        return self._sessions.draining

    @draining.setter
    def draining(self, wanted: bool) -> None:
        self._sessions.draining = wanted

    @property
    def paused(self) -> bool:
        """Whether new calls are refused with 503 for a moment; those that stand go on."""
        return self._sessions.paused

    @paused.setter
    def paused(self, wanted: bool) -> None:
        self._sessions.paused = wanted

    def ids(self) -> list[str]:
        """The answered sessions and those that wait for our answer."""
        return self._sessions.ids()

    def dialog(self, session_id: str) -> Dialog | None:
        """The dialog of a session that stands."""
        session = self._sessions.get(session_id)
        return session.dialog if session else None

    def allows(self, session_id: str, method: str) -> bool:
        """Whether the other side has said that it takes such requests (RFC 3261 §20.5)."""
        session = self._sessions.get(session_id)
        return session is not None and session.peer_takes(method)

    def replaced(self, replaces: Replaces) -> str | None:
        """The session that a Replaces names; None where it names none that may be replaced (RFC 3891 §3)."""
        return replacement.replaced(self._sessions, replaces)

    def unanswered(self, replaces: Replaces) -> str | None:
        """The session that a Replaces names where we are called and have not answered yet."""
        return replacement.unanswered(self._sessions, replaces)

    def ring(
        self, session_id: str, now: float, status: int = 180, reason: str = "Ringing", sdp: bytes = b""
    ) -> list[Output]:
        """A provisional response to a caller who is not answered yet; with `sdp` the audio begins early."""
        return self._server.ring(session_id, now, status, reason, sdp)

    def answer(self, session_id: str, sdp: bytes, now: float) -> list[Output]:
        """200 to the INVITE, re-INVITE or UPDATE in hand."""
        return self._server.answer(session_id, sdp, now)

    def refuse(self, session_id: str, error: PeerError, now: float) -> list[Output]:
        """The final answer to an INVITE, re-INVITE or UPDATE that is not taken."""
        session = self._sessions.get(session_id)
        refused = self._sessions.refuse(session_id, error, now)
        return [*refused, *self._reoffers.go_on(session, now)] if session and refused else refused

    def invite(self, plan: Plan, now: float) -> tuple[str, list[Output]]:
        """Call somebody: the session's id, and what leaves."""
        return self._client.invite(plan, now)

    def is_known(self, session_id: str) -> bool:
        """Whether anything has been answered to our INVITE, 100 at least."""
        return self._client.is_known(session_id)

    def reoffer(self, session_id: str, description: bytes, now: float) -> list[Output]:
        """A re-INVITE, as soon as it is possible."""
        return self._reoffers.reoffer(session_id, description, now)

    def ask(
        self, session_id: str, method: str, *fields: tuple[str, str], now: float, body: bytes = b""
    ) -> list[Output]:
        """An INFO, NOTIFY, MESSAGE or UPDATE in the session's dialog; the answer is told as `Replied`."""
        session = self._sessions.get(session_id)
        if session is None:
            return []
        return self._sessions.ask(session, _Asked(session, method), method, *fields, now=now, body=body)

    def accept_referral(self, session_id: str, now: float) -> list[Output]:
        """202 to the REFER in hand, and a first NOTIFY to who wants news of it."""
        return self._referrals.accept(session_id, now)

    def refuse_referral(self, session_id: str, error: PeerError, now: float) -> list[Output]:
        """The final answer to a REFER that is not taken."""
        return self._referrals.refuse(session_id, error, now)

    def tell_referral(
        self, session_id: str, status: int, reason: str, now: float, *, over: bool
    ) -> list[Output]:
        """How far the call that was asked for has come, as it would answer an INVITE; `over` for the last."""
        return self._referrals.tell(session_id, status, reason, now, over=over)

    def end_earlier(self, dialog: Dialog, reason: str, now: float) -> list[Output]:
        """End a dialog of an earlier life of the program."""
        return self._sessions.end_earlier(dialog, reason, now)

    def hang_up(self, session_id: str, reason: str, now: float) -> list[Output]:
        """End a session: CANCEL what rings, BYE (after the ACK if that is still to come), or a refusal."""
        if session_id in self._client:
            return self._client.cancel(session_id, reason, now)
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
                return self._sessions.bye(session, reason, now)


class _Asked:
    """A request of the floor above in a dialog."""

    def __init__(self, session: Session, method: str) -> None:
        self._session = session
        self._method = method

    def replied(self, response: Response, now: float) -> list[Output]:
        over = self._session.stage is Stage.OVER
        if response.status < 200 or over:
            return []
        return [Replied(self._session.id, self._method, response.status)]

    def unanswered(self, now: float) -> list[Output]:
        over = self._session.stage is Stage.OVER
        return [] if over else [Replied(self._session.id, self._method, 408)]
