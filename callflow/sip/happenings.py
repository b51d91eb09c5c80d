"""What the SIP endpoint tells the floor above: everything but the datagrams to send."""

from dataclasses import dataclass, field

from callflow.sip.transaction import Send


@dataclass(frozen=True, slots=True)
class Invited:
    """A caller is there; nothing but 100 has been answered yet."""

    session: str
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


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The ACK to our 200 is here."""

    session: str


@dataclass(frozen=True, slots=True)
class Reoffered:
    """A re-INVITE or UPDATE of a session: `answer` or `refuse` it."""

    session: str
    offer: bytes
    """Empty where it is we who are to offer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The ACK has brought the answer to our offer, or nothing where it should have."""

    session: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class KeySignalled:
    """An INFO tells of a key."""

    session: str
    key: str = field(repr=False)
    """Personal data."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over, and not by us."""

    session: str
    reason: str
    """`bye`, `cancelled`, `expired`, `no_ack`, `no_prack` or `no_refresh`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that only the metrics care about."""

    what: str
    """`request`, `response`, `dropped` or `odd`."""
    kind: str
    """A word from a small closed set."""


Output = Send | Invited | Confirmed | Reoffered | Answered | KeySignalled | Ended | Counted
