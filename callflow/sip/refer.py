"""What a REFER asks for (RFC 3515): to whom, in whose place, at whose wish, and whether news are wanted."""

from typing import NamedTuple
from urllib.parse import unquote

from callflow.errors import PeerError
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request
from callflow.sip.replaces import Replaces
from callflow.sip.uri import Uri


class Refer(NamedTuple):
    """The header fields of a REFER as values."""

    target: Uri
    """Without its headers, which are in `replaces` as far as we read them."""
    replaces: Replaces | None
    referred_by: str
    """A URI (RFC 3892); empty where there is none that can be read."""

    @classmethod
    def of(cls, request: Request) -> "Refer":
        """Raises `PeerError`: 400 for no Refer-To, two, or a malformed one; 403 for any method but INVITE."""
        targets = request.headers.all("refer-to")
        if len(targets) != 1:
            raise PeerError(400, "Bad Refer-To")
        uri = _target(targets[0])
        if (uri.params.get("method") or "INVITE").upper() != "INVITE":
            raise PeerError(403, "Only INVITE")
        return cls(uri._replace(headers=""), _replaces(uri.headers), referred_by(request))


def subscribes(refer: Request) -> bool:
    """Whether who sent it is to be told what comes of it (RFC 4488 §4)."""
    return "false" not in refer.headers.tokens("refer-sub")


def _target(text: str) -> Uri:
    # Who leaves the brackets out means the URI's parameters and headers, not the field's.
    uri = NameAddress.parse(text if "<" in text else f"<{text}>").uri
    if not _is_plain(str(uri)):
        raise PeerError(400, "Bad Refer-To")
    return uri


def _replaces(headers: str) -> Replaces | None:
    """Of the headers of a URI (RFC 3261 §19.1.1), `Replaces=a%40h%3Bto-tag%3D1%3Bfrom-tag%3D2&…`."""
    parts = [part.partition("=") for part in headers.split("&")]
    found = [value for name, _, value in parts if name.lower() == "replaces"]
    if len(found) > 1:
        raise PeerError(400, "Repeated Replaces")
    return Replaces.parse(unquote(found[0])) if found else None


def referred_by(request: Request) -> str:
    """At whose wish (RFC 3892); empty for nobody, or where it cannot be read."""
    for text in request.headers.lines("referred-by"):
        try:
            uri = str(NameAddress.parse(text).uri)
        except PeerError:
            continue
        if _is_plain(uri):
            return uri
    return ""


def _is_plain(uri: str) -> bool:
    """Whether it can stand in a message of ours: a blank or a line end would break it."""
    return uri.isprintable() and " " not in uri
