"""Who calls, as far as the signalling says (RFC 3325, 3323, 5806).

Whose packets are read at all is trusted to assert an identity: that is what the allow-list is for.
"""

from dataclasses import dataclass, field

from callflow.errors import PeerError
from callflow.sip.grammar import displayable
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller of an INVITE."""

    number: str = field(repr=False)
    display: str = field(default="", repr=False)
    private: bool = False
    """The caller wants it shown to nobody."""
    diverted_from: str = field(default="", repr=False)
    """The number that was dialled before somebody's forwarding led the call to us."""


def identity(invite: Request) -> Identity:
    """Asserted before preferred before claimed; what cannot be read is passed over, save From."""
    told = _first(invite, "p-asserted-identity", "p-preferred-identity") or invite.from_
    diverted = _first(invite, "diversion")
    return Identity(
        number(told.uri),
        displayable(told.display),
        _is_private(invite),
        number(diverted.uri) if diverted else "",
    )


def number(uri: Uri) -> str:
    """Its user part without parameters and escapes, or its host where there is none."""
    return displayable(uri._replace(user=uri.user.partition(";")[0]).name or uri.host)


def _is_private(invite: Request) -> bool:
    """`Privacy: id` or stronger; `none` is the wish not to be hidden (RFC 3323 §4.2)."""
    if "privacy" not in invite.headers:
        return False
    wishes = {wish.strip().lower() for text in invite.headers.all("privacy") for wish in text.split(";")}
    return bool(wishes & {"id", "user", "header"})


def _first(invite: Request, *names: str) -> NameAddress | None:
    """The first that can be read of the header fields of these names, in their order."""
    for text in [text for name in names if name in invite.headers for text in invite.headers.all(name)]:
        try:
            return NameAddress.parse(text)
        except PeerError:
            continue
    return None
