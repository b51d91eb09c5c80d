"""Our own re-INVITEs (RFC 3261 §14.1): one at a time, never across the peer's, again after a clash."""

from collections.abc import Callable
from typing import Final

from callflow.sip import refresh
from callflow.sip.body import SDP, described
from callflow.sip.dialog import target_in
from callflow.sip.happenings import Ended, Output, Reanswered, ReofferDeclined
from callflow.sip.message import Response
from callflow.sip.session import Session, Stage, Wait
from callflow.sip.sessions import Sessions
from callflow.sip.timers import SessionTimers, offered
from callflow.sip.transaction import Send
from callflow.sip.transactions import Transactions

_MOST_TRIES: Final = 5
"""Of one re-INVITE that clashes with the peer's."""
_LONGEST_WAIT: Final = 10.0
"""Seconds that a Retry-After may put one off."""


class Reoffers:
    """Sends and repeats the re-INVITEs of all sessions."""

    def __init__(
        self,
        sessions: Sessions,
        transactions: Transactions,
        timers: SessionTimers,
        chance: Callable[[], float],
    ) -> None:
        """`chance` gives numbers from 0 to 1, so that two sides that clashed do not clash again."""
        self._sessions = sessions
        self._transactions = transactions
        self._timers = timers
        self._chance = chance
        sessions.on(Wait.REOFFER, self._send)
        timers.reinvite = lambda session, now: self.reoffer(session.id, session.description, now)

    def reoffer(self, session_id: str, description: bytes, now: float) -> list[Output]:
        """Offer something else in a session, as soon as it is possible; the latest wish counts."""
        session = self._sessions.get(session_id)
        if session is None:
            return []
        session.reoffer, session.reoffers_tried = description, 0
        return self.go_on(session, now)

    def go_on(self, session: Session, now: float) -> list[Output]:
        """What stood in the way of a re-INVITE may be over."""
        return self._send(session, now) if now >= session.reoffer_not_before else []

    def _send(self, session: Session, now: float) -> list[Output]:
        free = session.stage is Stage.CONFIRMED and not session.in_hand and not session.reoffer_sent
        if session.reoffer is None or not free:
            return []
        session.reoffer_sent, session.description = True, session.reoffer
        asker = _Reinvite(self, session, session.reoffer)
        session.reoffer = None
        fields = (*offered(session), ("content-type", SDP))
        return self._sessions.ask(session, asker, "INVITE", *fields, now=now, body=asker.description)

    def accepted(self, session: Session, response: Response, now: float) -> list[Output]:
        session.reoffer_sent = False
        session.dialog.target = target_in(response) or session.dialog.target
        self._timers.begin(session, refresh.granted(response), now)
        return [Reanswered(session.id, described(response)), *self.go_on(session, now)]

    def declined(self, session: Session, description: bytes, response: Response, now: float) -> list[Output]:
        session.reoffer_sent = False
        if response.status in (408, 481):
            return [*self._sessions.bye(session, "", now), Ended(session.id, "gone")]
        wait = self._wait_after(session, response)
        if wait is None or session.reoffers_tried >= _MOST_TRIES:
            return [ReofferDeclined(session.id, response.status), *self.go_on(session, now)]
        session.reoffers_tried += 1
        if session.reoffer is None:
            # Else something newer is wanted by now, and waits like this one.
            session.reoffer = description
        session.reoffer_not_before = now + wait
        self._sessions.watch(session, Wait.REOFFER, now + wait)
        return []

    def unanswered(self, session: Session, now: float, *, is_there: bool) -> list[Output]:
        """No final response came. Whoever has shown himself is there, and his call goes on as it was."""
        if self._sessions.get(session.id) is None:
            return []
        if not is_there:
            return self._sessions.give_up(session, "gone", "no answer", now)
        session.reoffer_sent = False
        return [ReofferDeclined(session.id, 408), *self.go_on(session, now)]

    def acknowledge(self, session: Session, cseq: int) -> Send:
        dialog = session.dialog
        ack = dialog.ack(cseq).under(self._transactions.via(dialog.hop))
        return Send(ack.to_bytes(), *dialog.hop)

    def _wait_after(self, session: Session, response: Response) -> float | None:
        """Seconds until it is worth another try; None where it never will be."""
        if response.status == 491:
            # In units of 10 ms: 2.1 to 4 s for who owns the Call-ID, 0 to 2 s for the other (§14.1).
            return (
                210 + round(self._chance() * 190) if session.dialog.ours else round(self._chance() * 200)
            ) / 100
        if response.status in (500, 503) and response.retry_after is not None:
            return min(float(response.retry_after), _LONGEST_WAIT)
        return None


class _Reinvite:
    """One re-INVITE on its way."""

    def __init__(self, reoffers: Reoffers, session: Session, description: bytes) -> None:
        self.description = description
        self._reoffers = reoffers
        self._session = session
        self._ack: Send | None = None
        self._has_progress = False

    def replied(self, response: Response, now: float) -> list[Output]:
        if response.status < 200:
            self._has_progress = True
            return []
        session = self._session
        if response.status >= 300:
            over = session.stage is Stage.OVER
            return [] if over else self._reoffers.declined(session, self.description, response, now)
        if self._ack is not None:
            return [self._ack]
        # A 2xx is acknowledged even when the call is over by now, or it would be repeated for 32 s.
        self._ack = self._reoffers.acknowledge(session, response.cseq.number)
        over = session.stage is Stage.OVER
        return [self._ack] if over else [self._ack, *self._reoffers.accepted(session, response, now)]

    def unanswered(self, now: float) -> list[Output]:
        return self._reoffers.unanswered(self._session, now, is_there=self._has_progress)
