"""What the SIP endpoint tells the floor above: everything but the datagrams to send."""

from dataclasses import dataclass

from callflow.sip.transaction import Send


@dataclass(frozen=True, slots=True)
class Invited:
    """A caller is there; nothing but 100 has been answered yet."""

    session: str
    caller: str
    called: str
    offer: bytes
    source: str
    """The IPv4 address that the INVITE came from."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The ACK to our 200 is here."""

    session: str


@dataclass(frozen=True, slots=True)
class Reoffered:
    """A re-INVITE of a confirmed session: answer it with `Endpoint.reanswer`."""

    session: str
    offer: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over, and not by us."""

    session: str
    reason: str
    """`bye`, `cancelled` or `no_ack`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that only the metrics care about."""

    what: str
    """`request`, `response`, `dropped` or `odd`."""
    kind: str
    """A word from a small closed set."""


Output = Send | Invited | Confirmed | Reoffered | Ended | Counted
