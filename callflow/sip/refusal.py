"""What a request is refused for before anybody looks at what it wants (RFC 3261 §8.2)."""

import math
from typing import Final

from callflow.errors import PeerError
from callflow.sip.headers import check_separators
from callflow.sip.message import VERSION, Request

METHODS: Final = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "INFO", "PRACK", "UPDATE", "REFER")
OTHER_METHODS: Final = ("NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH")
"""Known, and not taken, but for a SUBSCRIBE to what a REFER has subscribed to."""
ALLOW: Final = ("allow", ", ".join(METHODS))
SUPPORTED: Final = ("supported", "100rel, replaces, timer")
LARGEST_BODY: Final = 16_384
LARGEST: Final = 32_768
"""Bytes; a phone's largest INVITE has about 3,000."""
FULL: Final = "Call Limit Reached"
WAIT: Final = "Too Many Wrong Passwords"
TOO_FAST: Final = "Too Many Calls At Once"
NO_TRUNK: Final = "No Trunk"
"""A seat's call has no trunk to go out by, or none whose address is known."""
_ONCE: Final = ("from", "to", "call-id", "cseq", "max-forwards")
_EXTENSIONS: Final = {
    "INVITE": {"100rel", "replaces", "timer"},
    "UPDATE": {"timer"},
    "REFER": {"norefersub", "replaces"},
}


class Refusal(PeerError):
    """A refusal that tells in header fields what would be right."""

    def __init__(self, status: int, reason: str, *fields: tuple[str, str]) -> None:
        super().__init__(status, reason)
        self.fields = fields


# Made anew each time: an exception that is raised again keeps the frames of all raisings before.
def no_dialog() -> PeerError:
    return PeerError(481, "Call/Transaction Does Not Exist")


def draining() -> Refusal:
    return Refusal(503, "Service Unavailable", ("retry-after", "30"))


def full() -> Refusal:
    """The call limit is reached."""
    return Refusal(503, FULL, ("retry-after", "10"))


def too_fast(wait: float) -> Refusal:
    """A source has begun too many calls; `wait` seconds until the next."""
    return Refusal(503, TOO_FAST, ("retry-after", str(math.ceil(wait))))


def wait_for_password(wait: float) -> Refusal:
    """Too many passwords were wrong; the next is judged in `wait` seconds."""
    return Refusal(503, WAIT, ("retry-after", str(max(1, math.ceil(wait)))))


def paused() -> Refusal:
    return Refusal(503, "Service Unavailable", ("retry-after", "5"))


def check(request: Request, size: int) -> None:
    """What every request must have and be (§8.1.1). Raises `PeerError`."""
    if request.version != VERSION:
        raise PeerError(505, "Version Not Supported")
    if request.headers.repeats(_ONCE):
        raise PeerError(400, "Repeated Header Field")
    if not request.whole:
        raise PeerError(400, "Bad Content-Length")
    request.requested  # noqa: B018  # reading it finds a malformed one
    cseq = request.cseq
    if cseq.method != request.method:
        raise PeerError(400, "CSeq Method Mismatch")
    request.to  # noqa: B018
    if not request.from_.tag and request.method != "REGISTER":
        raise PeerError(400, "Missing From Tag")
    request.headers.need("call-id")
    for text in (*request.headers.lines("via"), *request.headers.lines("contact")):
        check_separators(text)
    # Nought is no reason to refuse: only who passes a request on counts down (§16.3).
    hops = request.headers.get("max-forwards")
    if hops is not None and not (hops.isascii() and hops.isdigit() and len(hops) <= 9 and int(hops) <= 255):
        raise PeerError(400, "Bad Max-Forwards")
    if size > LARGEST:
        raise PeerError(513, "Message Too Large")
    if len(request.body) > LARGEST_BODY:
        raise PeerError(413, "Request Entity Too Large")


def hops_left(request: Request) -> int:
    """How often a request that `check` let pass may still be passed on (§8.1.1.6)."""
    return int(request.headers.get("max-forwards") or 70)


def check_extensions(request: Request) -> None:
    """Whether we understand what the request requires (§8.2.2.3). Raises `Refusal(420)`."""
    # A BYE is obeyed whatever it requires: a call that its caller has left must not go on.
    if "require" not in request.headers or request.method in ("ACK", "CANCEL", "BYE"):
        return
    known = _EXTENSIONS.get(request.method, set())
    strange = [name for name in request.headers.all("require") if name.lower() not in known]
    if strange:
        raise Refusal(420, "Bad Extension", ("unsupported", ", ".join(strange)))
