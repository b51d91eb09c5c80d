"""What can go wrong, by whose fault it is.

`IllegalEvent` is ours: a bug, loud. `PeerError` is theirs: a fact, answered and counted.
`SourceError` is the flow designer's: told with the place and with what would be right.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from callflow.suggestions import did_you_mean

MOST_TOLD: Final = 50
"""So many faults of a file are told one by one; nobody reads more at once."""


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


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that is not known, and those that are."""

    name: str
    known: Collection[str]
    lists: bool = False
    """Whether the known ones are named also where one of them is near."""


class UnknownName(ValueError):
    """A value is a name that is not known; what a validator raises."""

    def __init__(self, what: str, unknown: Unknown) -> None:
        super().__init__(what)
        self.unknown = unknown


class WrongAt(ValueError):
    """What a validator raises that knows better where the fault is than at all that it was given."""

    def __init__(self, what: str, *paths: tuple[str | int, ...]) -> None:
        """`paths` lead from there to each value that could be mended; of equally good ones the best first."""
        super().__init__(what)
        self.paths = paths


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a YAML file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    what: str
    """What is wrong and what would be right."""
    unknown: Unknown | None = field(default=None, compare=False, repr=False)
    """What a suggestion is to be made from; only for faults that are told, as making one takes long."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.told.what}"

    @property
    def told(self) -> "Fault":
        """The fault with its suggestion."""
        if self.unknown is None:
            return self
        name, known, lists = self.unknown.name, self.unknown.known, self.unknown.lists
        return replace(self, what=self.what + did_you_mean(name, known, lists=lists), unknown=None)


class SourceError(CallflowError):
    """A YAML file is wrong; `faults` has what was found, in order, and how many more there are."""

    def __init__(self, *faults: Fault) -> None:
        told = [fault.told for fault in faults[:MOST_TOLD]]
        if len(faults) > MOST_TOLD:
            more = len(faults) - MOST_TOLD
            what = f"{more} more {'faults are' if more > 1 else 'fault is'} not told"
            told.append(replace(faults[MOST_TOLD], what=what, unknown=None))
        super().__init__("\n".join(map(str, told)))
        self.faults = tuple(told)
