"""What a response says in seconds: Retry-After, Min-Expires (RFC 3261 §20.33, §20.23)."""

from typing import Final

from callflow.sip.message import Response

LONGEST_RETRY_AFTER: Final = 3600
"""Seconds that we stay away at most, whatever a peer wishes."""
LONGEST_EXPIRES: Final = 86_400


def retry_after(response: Response) -> int:
    """Seconds to stay away; 0 where nothing is said of it."""
    return _seconds(response.headers.get("retry-after"), LONGEST_RETRY_AFTER)


def min_expires(response: Response) -> int:
    """Seconds that a registration must last at least; 0 where nothing is said of it."""
    return _seconds(response.headers.get("min-expires"), LONGEST_EXPIRES)


def number(text: str) -> int | None:
    """A count of seconds; None for what is none."""
    # A digit may be of any script for `isdigit`, and a number of any length for `int`.
    return int(text[:10]) if text.isascii() and text.isdigit() else None


def _seconds(value: str | None, most: int) -> int:
    """The number alone: a comment or parameters may follow it."""
    text = (value or "").partition(";")[0].partition("(")[0].strip()
    return min(number(text) or 0, most)
