"""What a seat's wish to transfer its caller has come to so far, as phones and trunks know it."""

from dataclasses import dataclass

from callflow.call.elsewhere import Elsewhere
from callflow.call.leg import Leg

UNAVAILABLE = 480, "Temporarily Unavailable"
BUSY = 486, "Busy Here"
TIMEOUT = 408, "Request Timeout"
DECLINED = 603, "Decline"
"""What a transferor's phone is told of a target that did not take the call."""


@dataclass(slots=True)
class TransferAttempt:
    """The latest one of a call; the target's leg itself is among the call's legs."""

    seat: str = ""
    """The number of the target; empty where it is none of our seats."""
    status: tuple[int, str] = UNAVAILABLE
    """What the target's phone said that did not take the call."""
    outside: Elsewhere | None = None
    """Whom the seat has called past us, and wants the caller transferred to."""
    is_adopted: bool = False
    """Whether the target was called before the caller was asked."""
    is_agreed: bool = False
    """Whether the caller has agreed to such a target."""
    seeks: bool = False
    """Whether the phones that ring are to take the call from the seat that has it."""
    referral: Leg | None = None
    """The leg whose phone asked for the transfer by REFER, and is told what comes of it."""

    def without_target(self) -> None:
        """The target is gone, or has the call."""
        self.is_adopted = self.is_agreed = False


@dataclass(frozen=True, slots=True)
class Leaving:
    """A seat that has transferred its call: its phone may hang up by itself."""

    leg: Leg
    until: float
    """When it is hung up for it (seconds)."""
