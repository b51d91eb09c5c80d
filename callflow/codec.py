"""The one codec that callflow speaks, by its names (G.711, RFC 3551 §4.5.14)."""

from enum import StrEnum

RATE = 8000
"""Samples a second."""
PTIME = 20
"""Milliseconds of audio in each packet that we send."""


class Law(StrEnum):
    """The two companding laws of G.711, by their names in SDP."""

    PCMU = "PCMU"
    PCMA = "PCMA"

    @property
    def payload_type(self) -> int:
        return 8 if self is Law.PCMA else 0

    @property
    def row(self) -> int:
        """The law's row in tables that have one for each."""
        return 1 if self is Law.PCMA else 0
