"""The session timers of RFC 4028 at work: what was promised is done, and who breaks a promise is gone."""

from collections.abc import Callable

from callflow.sip import refresh
from callflow.sip.happenings import Ended, Output
from callflow.sip.message import Request, Response
from callflow.sip.refresh import Timer
from callflow.sip.session import Session, Wait
from callflow.sip.sessions import Sessions

RETRY = 30.0
"""Seconds after a refresh of ours that was refused; only who says that there is no call ends it (§10)."""


class SessionTimers:
    """Watches over all sessions that have a timer."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.reinvite: Callable[[Session, float], list[Output]] | None = None
        """How a peer that knows no UPDATE is refreshed."""
        sessions.on(Wait.REFRESH, self._due)

    def asked(self, session: Session, request: Request, now: float) -> tuple[tuple[str, str], ...]:
        """A 2xx of ours begins the interval anew, or ends the timer; what it says of it (§9)."""
        timer = refresh.asked(request)
        self.begin(session, timer, now)
        return refresh.fields(timer)

    def begin(self, session: Session, timer: Timer | None, now: float) -> None:
        """The interval begins now; without a timer nobody is missed."""
        if timer is None and session.timer is None:
            return
        session.timer = timer
        self._sessions.watch(session, Wait.REFRESH, None if timer is None else now + timer.due_after)

    def _due(self, session: Session, now: float) -> list[Output]:
        if session.timer is None or not session.timer.ours:
            return self._sessions.give_up(session, "no_refresh", "session timer", now)
        self._sessions.watch(session, Wait.REFRESH, now + RETRY)
        if not session.peer_takes("UPDATE") and self.reinvite is not None:
            return self.reinvite(session, now)
        asker = _Refresh(self, self._sessions, session)
        return self._sessions.ask(session, asker, "UPDATE", *offered(session), now=now)


def offered(session: Session) -> tuple[tuple[str, str], ...]:
    """What an UPDATE or re-INVITE of ours says of the timer (§7.4): who refreshed goes on to."""
    if session.timer is None:
        return ()
    refresher = "uac" if session.timer.ours else "uas"
    return (("session-expires", f"{session.timer.interval};refresher={refresher}"),)


class _Refresh:
    """Our UPDATE without an offer (RFC 3311, RFC 4028 §7.4)."""

    def __init__(self, timers: SessionTimers, sessions: Sessions, session: Session) -> None:
        self._timers = timers
        self._sessions = sessions
        self._session = session

    def replied(self, response: Response, now: float) -> list[Output]:
        session = self._session
        if response.status < 200 or self._sessions.get(session.id) is None:
            return []
        if response.status in (408, 481):
            return [*self._sessions.bye(session, "session timer", now), Ended(session.id, "gone")]
        if response.status < 300:
            self._timers.begin(session, refresh.granted(response), now)
        return []

    def unanswered(self, now: float) -> list[Output]:
        if self._sessions.get(self._session.id) is None:
            return []
        return self._sessions.give_up(self._session, "gone", "session timer", now)
