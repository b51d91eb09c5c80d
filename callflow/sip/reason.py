"""Why a call was ended, as the Reason header field tells (RFC 3326)."""

import re
from collections.abc import Iterable
from typing import Final

_CAUSE: Final = re.compile(
    r"^\s*(?P<protocol>SIP|Q\.850)\s*;(?:[^\"]|\"[^\"]*\")*?\bcause\s*=\s*(?P<cause>\d{1,3})",
    re.IGNORECASE,
)
_Q850_FAULTS: Final = frozenset({20, 27, 38, *range(41, 48), *range(81, 103), 111, 127})
"""Subscriber absent, out of order, temporary failure, no resource, invalid message, timer expired."""


def tells_of_fault(reasons: Iterable[str]) -> bool:
    """Whether any of the values says that something failed, rather than that somebody hung up."""
    return any(_is_fault(value) for value in reasons)


def _is_fault(value: str) -> bool:
    found = _CAUSE.match(value)
    if found is None:
        return False
    cause = int(found["cause"])
    if found["protocol"].upper() == "SIP":
        return cause in (408, 481) or 500 <= cause < 600
    return cause in _Q850_FAULTS
