"""A consent is written down before it is acted on; a disk that does not answer keeps nobody waiting long."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from callflow.actions import Action, Note
from callflow.events import Event

PATIENCE: Final = 0.2
"""Seconds that the disk has; then the call goes on, and the fact says that it is not durable."""
KEPT: Final = frozenset({"consent.given"})
"""The facts that are kept so."""


@dataclass(slots=True)
class Keeping:
    """One fact on its way to the disk, and all that waits for it in the call."""

    number: int
    note: Note
    until: float
    """When the call goes on in any case (seconds)."""
    actions: deque[Action]
    """What follows from the fact."""
    events: deque[Event]
    """What was still to be worked off."""
    missed: list[Event] = field(default_factory=list)
    """What has happened meanwhile."""

    def written(self, *, durable: bool) -> Note:
        """The fact as the ledger has it."""
        return Note(self.note.fact, self.note.rule, {**self.note.details, "durable": durable})
