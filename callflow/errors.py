"""What can go wrong, by whose fault it is.

`IllegalEvent` is ours: a bug, loud. `PeerError` is theirs: a fact, answered and counted.
`SourceError` is the flow designer's: told with the place and with what would be right.
"""

from dataclasses import dataclass


class CallflowError(Exception):
    """The root of everything that callflow raises on purpose."""


class IllegalEvent(CallflowError):
    """An event came in a phase that has no meaning for it; nothing was changed."""

    def __init__(self, event: object, phase: object) -> None:
        super().__init__(f"{event!r} in {phase}")
        self.event = event
        self.phase = phase


class PeerError(CallflowError):
    """The other side broke its protocol; `status` is the SIP answer it deserves."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a YAML file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    what: str
    """What is wrong and what would be right."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


class SourceError(CallflowError):
    """A YAML file is wrong; `faults` has every fault that was found, in order."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
