"""Which session a Replaces is about, and whether another may take its place (RFC 3891 §3)."""

from callflow.errors import PeerError
from callflow.sip.message import Request
from callflow.sip.refusal import no_dialog
from callflow.sip.replaces import Replaces
from callflow.sip.session import Session, Stage
from callflow.sip.sessions import Sessions


def asked(sessions: Sessions, invite: Request) -> str:
    """The id of the session that an INVITE is to take the place of; empty for an ordinary one.

    Raises `PeerError`, as for two Replaces.
    """
    if "replaces" not in invite.headers:
        return ""
    values = invite.headers.lines("replaces")
    if len(values) > 1:
        raise PeerError(400, "Repeated Replaces")
    return replaceable(sessions, Replaces.parse(values[0])).id


def replaceable(sessions: Sessions, replaces: Replaces) -> Session:
    """The session that an INVITE may take the place of.

    Raises `PeerError`: 481 where there is none, or where we are called in it and have not answered; 603
    where it is over; 486 where it is answered and only an early one is meant.
    """
    session = sessions.named(replaces)
    if session is None:
        raise _declined() if sessions.has_ended(replaces) else no_dialog()
    match session.stage:
        case Stage.CALLING:
            return session
        case Stage.EARLY:
            raise no_dialog()
    if session.bye_wanted is not None:
        # It only waits for its ACK, to be ended.
        raise _declined()
    if replaces.early_only:
        raise PeerError(486, "Busy Here")
    return session


def replaced(sessions: Sessions, replaces: Replaces) -> str | None:
    """The id of that session; None where there is none, or none that may be replaced."""
    try:
        return replaceable(sessions, replaces).id
    except PeerError:
        return None


def unanswered(sessions: Sessions, replaces: Replaces) -> str | None:
    """The id of the session in which we are called and have not answered yet.

    No INVITE may replace it, but a REFER may be about it: the phone asks for a transfer while its second
    call still rings.
    """
    session = sessions.named(replaces)
    return session.id if session and session.stage is Stage.EARLY else None


def _declined() -> PeerError:
    return PeerError(603, "Decline")
