"""What the SIP endpoint tells the floor above: everything but the messages to send."""

from dataclasses import dataclass, field

from callflow.guard import Broke
from callflow.sip.replaces import Replaces
from callflow.sip.transaction import Send
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Told:
    """What concerns one session."""

    session: str


@dataclass(frozen=True, slots=True)
class Invited(Told):
    """A caller is there; nothing but 100 has been answered yet."""

    caller: str
    called: str
    offer: bytes
    """Empty where the caller's side wants ours in the 200, and answers it in the ACK."""
    source: str
    """The IPv4 address that the INVITE came from."""
    display: str = ""
    private: bool = False
    """The caller wants the number shown to nobody."""
    diverted_from: str = ""
    hops_left: int = 70
    """Max-Forwards: how often the call may still be passed on."""
    replaces: str = ""
    """The session that this one wants to take the place of (RFC 3891)."""
    referred_by: str = field(default="", repr=False)
    """The URI of who wants it so (RFC 3892); empty for nobody."""


@dataclass(frozen=True, slots=True)
class Confirmed(Told):
    """The ACK to our 200 is here."""


@dataclass(frozen=True, slots=True)
class Reoffered(Told):
    """A re-INVITE or UPDATE of a session: `answer` or `refuse` it."""

    offer: bytes
    """Empty where it is we who are to offer."""


@dataclass(frozen=True, slots=True)
class Answered(Told):
    """The ACK has brought the answer to our offer, or nothing where it should have."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Progressed(Told):
    """Whom we call has not answered yet, but is on the way to (a provisional response)."""

    status: int
    answer: bytes
    """Where early media comes from and goes to; empty without."""


@dataclass(frozen=True, slots=True)
class Accepted(Told):
    """Whom we called has answered; the ACK has left."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Declined(Told):
    """Our call came to nothing. The session is over."""

    status: int
    """The final response's; 408 where none came, 503 where nobody could be reached."""
    reason: str
    retry_after: int | None = None
    """Seconds, where the other side named them."""


@dataclass(frozen=True, slots=True)
class Reanswered(Told):
    """The other side has taken our re-INVITE."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class ReofferDeclined(Told):
    """The other side has not taken our re-INVITE: what was agreed before stands."""

    status: int


@dataclass(frozen=True, slots=True)
class Replied(Told):
    """The final response to a request of ours in a dialog."""

    method: str
    status: int
    """408 where none came."""


@dataclass(frozen=True, slots=True)
class KeySignalled(Told):
    """An INFO tells of a key."""

    key: str = field(repr=False)
    """Personal data."""


@dataclass(frozen=True, slots=True)
class Referred(Told):
    """A REFER: somebody else is to be called. `accept_referral` or `refuse_referral`."""

    target: Uri = field(repr=False)
    """Whom; personal data."""
    replaces: Replaces | None
    """The dialog that the new call takes the place of: an attended transfer."""
    referred_by: str = field(repr=False)
    """A URI; empty where it is not said. Personal data."""
    subscribes: bool
    """Whether news are wanted; else `tell_referral` says nothing."""


@dataclass(frozen=True, slots=True)
class ReferralForgotten(Told):
    """Who sent the REFER hears no more of it: the subscription has run out, or nobody knows it there."""


@dataclass(frozen=True, slots=True)
class Ended(Told):
    """The session is over, and not by us."""

    reason: str
    """`bye`, `cancelled`, `expired`, `no_ack`, `no_prack`, `no_refresh`, `gone` or `fault`."""
    by_fault: bool = False
    """Whether a BYE's Reason tells that something failed on the other side (RFC 3326)."""


@dataclass(frozen=True, slots=True)
class Probed:
    """A phone was asked outside of any call whether it is there."""

    name: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """An account has just told where it is reached."""

    account: str


@dataclass(frozen=True, slots=True)
class TrunkChanged:
    """A trunk lives, or does not."""

    trunk: str
    state: str
    """`unknown`, `up`, `draining` or `down`."""
    round_trip: float | None
    """Seconds from our OPTIONS to its answer, of the nearest address."""


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """Whether a trunk knows where we are."""

    trunk: str
    state: str
    """`trying`, `registered`, `failed`, `stopping` or `stopped`."""
    refused_with: int
    """The status that time alone does not mend; 0 for none."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that only the metrics care about."""

    what: str
    """`request`, `response`, `rejected`, `dropped` or `odd`."""
    kind: str
    """A word from a small closed set."""


@dataclass(frozen=True, slots=True)
class Refused(Counted):
    """Counted, and a person should know of it: a request that we have refused."""

    refusal: str = ""
    """A word of `callflow.sip.refused.KINDS`."""
    source: str = ""
    """The IPv4 address that it came from."""
    method: str = ""
    status: int = 0
    reason: str = ""
    came: str = ""
    """What came and is not taken, where that can be said; peers' text."""


Noticed = TrunkChanged | RegistrationChanged
"""What concerns no session, but whoever runs the service."""

Output = Send | Told | Noticed | Probed | Registered | Counted | Broke
