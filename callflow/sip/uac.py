"""The user agent client: the calls that we make, until they are answered (RFC 3261 §13.2)."""

from collections.abc import Callable
from functools import partial
from typing import Final

from callflow.agenda import Agenda
from callflow.guard import guarded
from callflow.sip import refresh
from callflow.sip.body import described
from callflow.sip.client_transaction import InviteClient
from callflow.sip.dialog import Dialog
from callflow.sip.happenings import Accepted, Counted, Declined, Output, Progressed
from callflow.sip.message import Response
from callflow.sip.outgoing import Outgoing, Plan
from callflow.sip.retry import retry_after
from callflow.sip.session import Session, Stage
from callflow.sip.sessions import Sessions
from callflow.sip.timers import SessionTimers
from callflow.sip.transaction import T1, Send
from callflow.sip.transactions import Transactions
from callflow.sip.trunks import Trunks

MOST_FORKS: Final = 8
"""Early dialogs of one call; those of a proxy that rings more phones are not followed."""
_SILENCE: Final = 5.0
"""Seconds without even 100 after which the next address or trunk is tried, where there is one."""
_PATIENCE: Final = 300.0
"""Seconds that a call may ring. Who rings phones hangs up much earlier; this is for who forgot it."""


class UserAgentClient:
    """All calls of ours that are not answered."""

    def __init__(
        self,
        sessions: Sessions,
        transactions: Transactions,
        timers: SessionTimers,
        new_id: Callable[[], str],
        trunks: Trunks,
    ) -> None:
        """`trunks` learn from our INVITEs which of their addresses are silent, or want no calls."""
        self._trunks = trunks
        self._sessions = sessions
        self._transactions = transactions
        self._timers = timers
        self._new_id = new_id
        self._calls: dict[str, Outgoing] = {}
        self._agenda: Agenda[str] = Agenda()

    def __len__(self) -> int:
        return len(self._calls)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._calls

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    def tick(self, now: float) -> list[Output]:
        """Calls have rung long enough, or were not even given up by the other side."""
        outputs: list[Output] = []
        for session_id in self._agenda.take_due(now):
            call = self._calls.get(session_id)
            outputs += guarded(partial(self._too_long, call, now)) if call else []
        return outputs

    # --- what the floor above decides ---

    def invite(self, plan: Plan, now: float) -> tuple[str, list[Output]]:
        """Call somebody: the session's id, and what leaves."""
        session_id = self._new_id()
        if plan.max_forwards < 1:
            # Whoever passes calls on in a circle is stopped here (§16.3).
            return session_id, [Declined(session_id, 483, "Too Many Hops")]
        if not plan.hops:
            return session_id, [Declined(session_id, 503, "Service Unavailable")]
        call = Outgoing(session_id, plan, self._new_id(), self._new_id())
        self._calls[session_id] = call
        return session_id, self._send(call, now)

    def is_known(self, session_id: str) -> bool:
        """Whether the other side has told that it has our INVITE."""
        call = self._calls.get(session_id)
        return call is None or call.has_progress

    def cancel(self, session_id: str, reason: str, now: float) -> list[Output]:
        """Ring no longer (§9.1); an answer that crosses this is acknowledged and ended."""
        call = self._calls[session_id]
        call.is_over, call.cancelled = True, reason
        return self._cancel(call, now)

    # --- what the other side says ---

    def progressed(self, call: Outgoing, response: Response, now: float) -> list[Output]:
        if not call.has_progress:
            call.has_progress = True
            self._agenda.put(call.session, now + _PATIENCE)
        if call.is_over:
            return self._cancel(call, now)
        if response.status == 100:
            return []
        told = Progressed(call.session, response.status, described(response))
        return [*self._early(call, response, now), told]

    def accepted(self, call: Outgoing, response: Response, now: float) -> list[Output]:
        """A 2xx, of one fork or another, for the first time or again."""
        tag = response.to.tag
        if tag in call.acks:
            return [call.acks[tag]]
        session = call.earlies.get(tag) or self._new_session(call, response)
        session.dialog.answered_by(response)
        session.peer_allow = response.headers.lines("allow")
        ack = call.acks[tag] = self._ack(call, session)
        is_late = call.is_over
        self._leave(call)
        if is_late:
            # Cancelled too late, or another phone was faster: it is answered, so it must be ended.
            return [ack, Counted("odd", "late_answer"), *self._sessions.say_bye(session, "too late", now)]
        if session.prover is not None:
            session.prover.accepted()
        self._sessions.adopt(session)
        session.confirmed()
        self._timers.begin(session, refresh.granted(response), now)
        return [ack, Accepted(session.id, described(response) or session.early_answer)]

    def declined(self, call: Outgoing, response: Response, now: float) -> list[Output]:
        """A final refusal: another proof, another way, or the end."""
        status = response.status
        if not call.is_over and (
            (status in (401, 407) and call.can_prove(response))
            or (status == 503 and self._goes_on(call, response, now))
        ):
            return self._send(call, now)
        return self._over(call, Declined(call.session, status, response.reason, response.retry_after))

    def unanswered(self, call: Outgoing, now: float) -> list[Output]:
        """Nothing came at all, or nothing could be sent there."""
        missed = self._trunks.missed(call.hop, now)
        if not call.is_over and call.next_hop():
            return [*missed, *self._send(call, now)]
        return [*missed, *self._over(call, Declined(call.session, 408, "Request Timeout"))]

    # --- the rooms behind ---

    def _send(self, call: Outgoing, now: float) -> list[Output]:
        call.has_progress = False
        invite = call.invite(self._sessions.tells(call.hop.transport))
        client, sent = self._transactions.ask(invite, call.hop, _Invite(self, call), now)
        assert isinstance(client, InviteClient)
        call.client = client
        self._agenda.put(call.session, now + (_SILENCE if call.has_another else _PATIENCE))
        return sent

    def _goes_on(self, call: Outgoing, response: Response, now: float) -> bool:
        """A hop answers 503: whether there is another. It is left alone for as long as it says (§21.5.4)."""
        self._trunks.pause(call.hop, retry_after(response), now)
        return call.next_hop()

    def _cancel(self, call: Outgoing, now: float) -> list[Output]:
        if call.is_cancelling or not call.has_progress or call.client is None or not call.client.fails:
            return []
        call.is_cancelling = True
        # Who does not even answer a CANCEL is not waited for (§9.1).
        self._agenda.put(call.session, now + 64 * T1)
        fields = [("reason", f'SIP;cause=200;text="{call.cancelled}"')] if call.cancelled else []
        return self._transactions.cancel(call.client, _Cancel(), now, *fields)

    def _early(self, call: Outgoing, response: Response, now: float) -> list[Output]:
        """Remember who rings: in an early dialog requests may come, and a PRACK goes (RFC 3262 §4)."""
        tag = response.to.tag
        if not tag or (tag not in call.earlies and len(call.earlies) >= MOST_FORKS):
            return []
        session = call.earlies.get(tag)
        if session is None:
            session = call.earlies[tag] = self._new_session(call, response)
            self._sessions.know(session)
        session.early_answer = session.early_answer or described(response)
        rseq = response.headers.get("rseq") or ""
        is_reliable = "100rel" in response.headers.tokens("require") and rseq.isascii() and rseq.isdigit()
        if not is_reliable or (session.rseq and int(rseq[:10]) != session.rseq + 1):
            return []
        session.rseq = int(rseq[:10])
        rack = "rack", f"{session.rseq} {response.cseq.number} INVITE"
        return self._sessions.ask(session, _Cancel(), "PRACK", rack, now=now)

    def _new_session(self, call: Outgoing, response: Response) -> Session:
        assert call.client is not None
        dialog = Dialog.made_by(call.client.request, response, call.client.hop)
        plan = call.plan
        return Session(call.session, dialog, stage=Stage.CALLING, description=plan.offer, prover=plan.prover)

    def _ack(self, call: Outgoing, session: Session) -> Send:
        dialog = session.dialog
        ack = dialog.ack(call.cseq, *call.proof).under(self._transactions.via(dialog.hop))
        return Send(ack.to_bytes(), *dialog.hop)

    def _too_long(self, call: Outgoing, now: float) -> list[Output]:
        if call.is_cancelling or call.client is None:
            return self._abandon(call)
        if not call.has_progress and not call.is_over:
            # Nothing is rung there: no CANCEL may go before a provisional response (§9.1).
            self._transactions.end(call.client)
            return self.unanswered(call, now)
        told = [] if call.is_over else [Declined(call.session, 408, "Request Timeout")]
        call.is_over = True
        return [*told, *(self._cancel(call, now) or self._abandon(call))]

    def _abandon(self, call: Outgoing) -> list[Output]:
        if call.client is not None:
            self._transactions.end(call.client)
        self._leave(call)
        return []

    def _over(self, call: Outgoing, told: Declined) -> list[Output]:
        knows = call.is_over
        self._leave(call)
        return [] if knows else [told]

    def _leave(self, call: Outgoing) -> None:
        """It is answered or over; its INVITE's transaction still takes care of late forks."""
        call.is_over = True
        if self._calls.pop(call.session, None) is None:
            return
        self._agenda.put(call.session, None)
        for early in call.earlies.values():
            self._sessions.unknow(early)


class _Invite:
    """One INVITE on its way."""

    def __init__(self, client: UserAgentClient, call: Outgoing) -> None:
        self._client = client
        self._call = call

    def replied(self, response: Response, now: float) -> list[Output]:
        if response.status < 200:
            return self._client.progressed(self._call, response, now)
        if response.status < 300:
            return self._client.accepted(self._call, response, now)
        return self._client.declined(self._call, response, now)

    def unanswered(self, now: float) -> list[Output]:
        return self._client.unanswered(self._call, now)


class _Cancel:
    """What becomes of a CANCEL or a PRACK, the INVITE's own responses tell."""

    def replied(self, response: Response, now: float) -> list[Output]:
        return []

    def unanswered(self, now: float) -> list[Output]:
        return []
