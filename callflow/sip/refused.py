"""Selects the refusals that a person should know about, and describes what was refused.

Normal events are left out: challenges, busy and unanswered seats, requests that cross, and the final answers
of trunks that we pass on.
"""

from typing import Final

from callflow.errors import PeerError
from callflow.sip.address import Address
from callflow.sip.body import described
from callflow.sip.happenings import Counted, Refused
from callflow.sip.message import Request, Response
from callflow.sip.offered import why_not
from callflow.sip.refusal import FULL, NO_TRUNK, TOO_FAST, WAIT, Refusal

_KINDS: Final = {
    400: "malformed", 403: "forbidden", 405: "method", 413: "too_large", 415: "body_type", 416: "uri_scheme",
    420: "extension", 469: "package", 483: "too_many_hops", 488: "media", 489: "event", 500: "fault",
    501: "method", 502: "trunk_failed", 503: "unavailable", 504: "unanswered", 505: "version",
    513: "too_large",
}  # fmt: skip
KINDS: Final = (*dict.fromkeys(_KINDS.values()), "call_limit", "call_rate", "password_wait")
"""Every word that `Refused.refusal` may be."""
_CROSSED: Final = ("Another Request Is In Hand", "CSeq Out Of Order")
"""Reasons of 500s after which both sides go on by themselves."""
_BY_REASON: Final = {
    FULL: "call_limit", TOO_FAST: "call_rate", WAIT: "password_wait", NO_TRUNK: "trunk_failed",
}  # fmt: skip
_LONGEST: Final = 200
"""Characters of what a peer has written."""


def fields_of(error: PeerError, request: Request) -> tuple[tuple[str, str], ...]:
    """The header fields of a refusal: what would be right, or for a 488 the Warning with what came."""
    if isinstance(error, Refusal):
        return error.fields
    offer = described(request) if error.status == 488 else b""
    if not offer:
        return ()
    code, text = why_not(offer)
    return (("warning", f'{code} callflow "{text}"'),)


def refused(counted: Counted, request: Request, response: Response, peer: Address) -> Counted:
    """`counted` with the details of the refusal; unchanged where no person needs to know of it."""
    kind = _BY_REASON.get(response.reason) or _KINDS.get(response.status)
    if kind is None or response.reason in _CROSSED:
        return counted
    return Refused(
        counted.what,
        counted.kind,
        kind,
        peer[0],
        request.method[:_LONGEST],
        response.status,
        response.reason,
        _what_came(request, response)[:_LONGEST],
    )


def _what_came(request: Request, response: Response) -> str:
    """The detail that the reason does not tell; empty for none."""
    match response.status:
        case 415:
            return request.headers.get("content-encoding") or request.headers.get("content-type") or ""
        case 420:
            return response.headers.get("unsupported") or ""
        case 489:
            return request.headers.get("event") or ""
    warning = response.headers.get("warning") or ""
    return warning.partition('"')[2].rpartition('"')[0]
