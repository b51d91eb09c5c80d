"""REFER within a call, and the news of what comes of it (RFC 3515): the floor above decides, we tell."""

from callflow.errors import PeerError
from callflow.sip.grammar import parse_params
from callflow.sip.happenings import Output, ReferralForgotten, Referred
from callflow.sip.message import Request, Response, respond
from callflow.sip.refer import Refer, subscribes
from callflow.sip.server_transaction import NonInviteServer
from callflow.sip.session import Session, Stage, Wait
from callflow.sip.sessions import Sessions
from callflow.sip.subscription import FINISHED, LIFE, RUN_OUT, Subscription
from callflow.sip.transactions import Transactions


class Referrals:
    """The referrals of all sessions: one at a time in each."""

    def __init__(self, sessions: Sessions, transactions: Transactions) -> None:
        self._sessions = sessions
        self._transactions = transactions
        sessions.on(Wait.REFERRAL, self._run_out)

    # --- what the other side asks ---

    def referred(self, session: Session, request: Request, server: NonInviteServer) -> list[Output]:
        """A REFER in the session's dialog; it is not answered yet. Raises `PeerError`."""
        if session.stage not in (Stage.ANSWERED, Stage.CONFIRMED):
            raise PeerError(403, "Not Answered Yet")
        if session.first_refer is None:
            session.first_refer = request.cseq.number
        if session.refer is not None or session.referral is not None:
            raise PeerError(603, "Decline")
        refer = Refer.of(request)
        session.refer = server
        return [Referred(session.id, *refer, subscribes(request))]

    def subscribed(
        self, session: Session, request: Request, server: NonInviteServer, now: float
    ) -> list[Output]:
        """A SUBSCRIBE to what a REFER has subscribed to: for longer, or for no longer. Raises `PeerError`."""
        subscription = session.referral
        if subscription is None or subscription.ends or not _is_meant(subscription, request):
            # Only a REFER begins such a subscription (RFC 3515 §2.4.4).
            raise PeerError(403, "No Such Subscription")
        life = _wanted_life(request)
        tells = self._sessions.tells(session.dialog.source.transport)
        ok = respond(request, 200, "OK", *tells, ("expires", str(life)))
        answered = [*self._transactions.respond(server, ok, now)]
        if not life:
            return [*answered, *self._run_out(session, now)]
        subscription.until = now + life
        self._sessions.watch(session, Wait.REFERRAL, subscription.until)
        subscription.repeat()
        return [*answered, *self._go_on(session, subscription, now)]

    # --- what the floor above decides; a session or referral that is over by then is no error ---

    def accept(self, session_id: str, now: float) -> list[Output]:
        """202 to the REFER in hand, and where news are wanted the first."""
        session = self._sessions.get(session_id)
        if session is None or session.refer is None:
            return []
        server, session.refer = session.refer, None
        fields = self._sessions.tells(session.dialog.source.transport)
        wanted = subscribes(server.request)
        if not wanted:
            fields = (*fields, ("refer-sub", "false"))
        accepted = respond(server.request, 202, "Accepted", *fields)
        outputs: list[Output] = [*self._transactions.respond(server, accepted, now)]
        return [*outputs, *self._subscribe(session, server.request, now)] if wanted else outputs

    def refuse(self, session_id: str, error: PeerError, now: float) -> list[Output]:
        """The refusal of the REFER in hand."""
        session = self._sessions.get(session_id)
        if session is None or session.refer is None:
            return []
        server, session.refer = session.refer, None
        refused = respond(server.request, error.status, error.reason)
        return [*self._transactions.respond(server, refused, now)]

    def tell(self, session_id: str, status: int, reason: str, now: float, *, over: bool) -> list[Output]:
        """News of the referral that was accepted; with `over` they are the last."""
        session = self._sessions.get(session_id)
        if session is None or session.referral is None:
            return []
        session.referral.tell(status, reason, FINISHED if over else "")
        return self._go_on(session, session.referral, now)

    # --- the rooms behind ---

    def notified(self, session: Session, subscription: Subscription, status: int, now: float) -> list[Output]:
        """A NOTIFY has its final answer; 408 where none came."""
        subscription.answered()
        if status not in (408, 481):
            # A phone may dislike one NOTIFY and yet wait for the last.
            return self._go_on(session, subscription, now)
        known = subscription.ends
        self._leave(session, subscription)
        return [] if known else [ReferralForgotten(session.id)]

    def _subscribe(self, session: Session, refer: Request, now: float) -> list[Output]:
        number = refer.cseq.number
        # The first of a dialog needs no id, and no phone expects one (RFC 3515 §2.4.6).
        event = "refer" if number == session.first_refer else f"refer;id={number}"
        session.referral = Subscription(event, now + LIFE)
        self._sessions.watch(session, Wait.REFERRAL, session.referral.until)
        return self._go_on(session, session.referral, now)

    def _go_on(self, session: Session, subscription: Subscription, now: float) -> list[Output]:
        notice = subscription.next(now)
        if notice is None:
            return []
        if subscription.ends:
            self._leave(session, subscription)
        asker = _Notify(self, session, subscription)
        return self._sessions.ask(session, asker, "NOTIFY", *notice.fields, now=now, body=notice.body)

    def _run_out(self, session: Session, now: float) -> list[Output]:
        subscription = session.referral
        if subscription is None or subscription.ends:
            return []
        subscription.repeat(RUN_OUT)
        return [*self._go_on(session, subscription, now), ReferralForgotten(session.id)]

    def _leave(self, session: Session, subscription: Subscription) -> None:
        if session.referral is subscription:
            session.referral = None
            self._sessions.watch(session, Wait.REFERRAL, None)


class _Notify:
    """One NOTIFY on its way. After the session's end nobody cares what becomes of it."""

    def __init__(self, referrals: Referrals, session: Session, subscription: Subscription) -> None:
        self._referrals = referrals
        self._session = session
        self._subscription = subscription

    def replied(self, response: Response, now: float) -> list[Output]:
        return [] if response.status < 200 else self._final(response.status, now)

    def unanswered(self, now: float) -> list[Output]:
        return self._final(408, now)

    def _final(self, status: int, now: float) -> list[Output]:
        if self._session.stage is Stage.OVER:
            return []
        return self._referrals.notified(self._session, self._subscription, status, now)


def is_about_refer(request: Request) -> bool:
    """Whether a SUBSCRIBE is for what a REFER has subscribed to."""
    return (request.headers.get("event") or "").partition(";")[0].strip().lower() == "refer"


def _is_meant(subscription: Subscription, subscribe: Request) -> bool:
    """Whether the id of its Event, if there is one, is that of the subscription (RFC 6665 §4.5.2)."""
    params = parse_params((subscribe.headers.get("event") or "").partition(";")[2])
    return "id" not in params or subscription.event == f"refer;id={params['id']}"


def _wanted_life(subscribe: Request) -> int:
    """Seconds. Raises `PeerError(400)`."""
    text = subscribe.headers.get("expires")
    if text is None:
        return LIFE
    if not (text.isascii() and text.isdigit()):
        raise PeerError(400, "Bad Expires")
    return min(int(text[:9]), LIFE)
