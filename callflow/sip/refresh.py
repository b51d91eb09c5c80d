"""Session timers (RFC 4028): a peer that promised to refresh and does not is gone, and what we promise we do.

We never ask for a timer: one that we asked for could only end a living call. There is one where the peer
asks for it, and a peer that merely knows timers is never missed.
"""

from dataclasses import dataclass
from typing import Final

from callflow.sip.grammar import parse_params
from callflow.sip.message import Message, Request, Response
from callflow.sip.refusal import Refusal

LEAST: Final = 90
"""Seconds: our Min-SE, and the RFC's (§5)."""
USUAL: Final = 1800
LONGEST: Final = 7200


@dataclass(frozen=True, slots=True)
class Timer:
    """What was agreed: who refreshes, and within how many seconds."""

    interval: int
    ours: bool
    """Whether it is we who refresh."""

    @property
    def due_after(self) -> float:
        """Seconds after a refresh: our next one at half time (§10), the end of our patience with theirs.

        That comes a third of the interval before its end, but at most 32 s.
        """
        return self.interval / 2 if self.ours else self.interval - min(32.0, self.interval / 3)


def asked(request: Request) -> Timer | None:
    """What an INVITE or UPDATE of the peer's leads to; None for no timer. Raises `Refusal(422)`."""
    if request.headers.get("session-expires") is None:
        return None
    known = request.headers.tokens("supported") | request.headers.tokens("require")
    if "timer" not in known:
        # We may ask for a timer of who only knows them, and gain a way to hang up on a living caller.
        return None
    interval, refresher = _read(request)
    if interval < LEAST:
        raise Refusal(422, "Session Interval Too Small", ("min-se", str(LEAST)))
    return Timer(max(min(interval, LONGEST), _least(request)), ours=refresher == "uas")


def granted(response: Response) -> Timer | None:
    """What a 2xx to an INVITE or UPDATE of ours says: None for no timer (§7.2)."""
    if response.headers.get("session-expires") is None:
        return None
    interval, refresher = _read(response)
    return Timer(max(interval, LEAST), ours=refresher == "uac")


def fields(timer: Timer | None) -> tuple[tuple[str, str], ...]:
    """What our 200 says about it (§9)."""
    if timer is None:
        return ()
    if timer.ours:
        return (("session-expires", f"{timer.interval};refresher=uas"),)
    return ("require", "timer"), ("session-expires", f"{timer.interval};refresher=uac")


def _read(message: Message) -> tuple[int, str]:
    text, _, params = (message.headers.get("session-expires") or "").partition(";")
    text = text.strip()
    interval = int(text[:9]) if text.isascii() and text.isdigit() else USUAL
    return interval, (parse_params(params).get("refresher") or "uac").lower()


def _least(request: Request) -> int:
    text = (request.headers.get("min-se") or "").partition(";")[0].strip()
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
