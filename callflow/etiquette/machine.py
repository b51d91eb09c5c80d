"""The shape that all rules share.

A machine is a phase, a deadline and two ways in: `receive` when something happened, `tick` when time
has passed. Both return what is to be done. Everything that changes the phase or the deadline goes
through `_enter`. An event that has no meaning in a phase raises `IllegalEvent` and changes nothing.
"""

from abc import ABC, abstractmethod
from enum import Enum
from typing import ClassVar, Generic, TypeVar

from callflow.actions import Action
from callflow.events import Event

PhaseT = TypeVar("PhaseT", bound=Enum)


class Machine(ABC, Generic[PhaseT]):
    """One rule at work in one call."""

    rules: ClassVar[tuple[str, ...]]
    """The ids in rules.yaml that this machine carries."""

    def __init__(self, phase: PhaseT) -> None:
        self.phase = phase
        self.deadline: float | None = None
        """When `tick` wants to be called next (seconds, monotonic), or None."""

    @property
    def awaits_key(self) -> bool:
        """Whether a question has been asked to its end, and a key is the answer."""
        return False

    @property
    def follows_line(self) -> bool:
        """Whether it wants to be told what the line is found to be."""
        return False

    # --- what others may know of it ---

    @property
    def serves(self) -> bool:
        """Whether seat and caller speak with each other, and nothing is asked of the caller."""
        return False

    @property
    def asks_caller(self) -> bool:
        """Whether the caller is being asked something that a seat may hear the answer to."""
        return False

    @property
    def target_awaits_key(self) -> bool:
        """Whether the target of a transfer has been asked, and a key of its phone is the answer."""
        return False

    @property
    def seat_tells(self) -> bool:
        """Whether the seat speaks for the target alone, and its keys are about that."""
        return False

    @property
    def transfers(self) -> bool:
        """Whether it is a transfer."""
        return False

    @property
    def target(self) -> str:
        """The seat or queue that is to take the call; empty where nobody is."""
        return ""

    @property
    def unhearing(self) -> bool:
        """Whether the seat's phone is on its own hold, and hears nobody."""
        return False

    @property
    def begins_serving(self) -> bool:
        """Whether a seat is being joined: what its phone does is for the rule that comes next."""
        return False

    @property
    def keeps_caller(self) -> bool:
        """Whether a seat that leaves now leaves its caller to this rule, and not to the closing."""
        return False

    @property
    def only_watches(self) -> bool:
        """Whether nothing is heard of it: its rules are only observed."""
        return False

    @abstractmethod
    def receive(self, event: Event, now: float) -> list[Action]:
        """What to do because `event` happened at `now`; raises `IllegalEvent`."""

    def tick(self, now: float) -> list[Action]:
        """What to do because time has passed; nothing before the deadline."""
        if self.deadline is None or now < self.deadline:
            return []
        # Late wake-ups must not add up, so the machine goes on from when it was due.
        return self._due(self.deadline)

    def postpone(self, seconds: float) -> None:
        """Time stood still for so long: a pause that nobody could break is no pause."""
        if self.deadline is not None:
            self.deadline += seconds

    @abstractmethod
    def _due(self, at: float) -> list[Action]:
        """The deadline `at` has come."""

    def _enter(self, phase: PhaseT, deadline: float | None, *actions: Action) -> list[Action]:
        self.phase = phase
        self.deadline = deadline
        return list(actions)
