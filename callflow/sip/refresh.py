"""Session timers, the called side (RFC 4028): a peer that promised to refresh and does not is gone.

We never ask for a timer and never refresh ourselves: there is one only where the peer asks for it and
will refresh. A peer that merely knows timers is never missed.
"""

from typing import Final

from callflow.sip.grammar import parse_params
from callflow.sip.message import Request
from callflow.sip.refusal import Refusal

LEAST: Final = 90
"""Seconds: our Min-SE, and the RFC's (§5)."""
USUAL: Final = 1800
LONGEST: Final = 7200


def asked(request: Request) -> int | None:
    """The session interval that an INVITE or UPDATE leads to; None for no timer. Raises `Refusal(422)`."""
    asked_for = request.headers.get("session-expires")
    known = request.headers.tokens("supported") | request.headers.tokens("require")
    if asked_for is None or "timer" not in known:
        # We may ask for a timer of who only knows them, and gain a way to hang up on a living caller.
        return None
    text, _, params = asked_for.partition(";")
    text = text.strip()
    interval = int(text[:9]) if text.isascii() and text.isdigit() else USUAL
    if interval < LEAST:
        raise Refusal(422, "Session Interval Too Small", ("min-se", str(LEAST)))
    if (parse_params(params).get("refresher") or "uac").lower() != "uac":
        return None
    return max(min(interval, LONGEST), _least(request))


def fields(interval: int | None) -> tuple[tuple[str, str], ...]:
    """What the 200 says about it (§9)."""
    if interval is None:
        return ()
    return ("require", "timer"), ("session-expires", f"{interval};refresher=uac")


def gives_up_after(interval: int) -> float:
    """Seconds after a refresh: a third of the interval before its end, at most 32 (§10)."""
    return interval - min(32.0, interval / 3)


def _least(request: Request) -> int:
    text = (request.headers.get("min-se") or "").partition(";")[0].strip()
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
