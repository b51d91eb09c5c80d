"""What the second pair of ears is told by its owner, and tells."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ready:
    """The first message: the model is loaded."""


@dataclass(frozen=True, slots=True)
class Alive:
    """A sign of life, a few times a second."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The next audio of a leg."""

    leg: int
    law: int
    audio: bytes = field(repr=False)
    asked: int = 0
    """The number of the question that it answers to, or 0."""


@dataclass(frozen=True, slots=True)
class Forget:
    """A leg is to be heard anew, or no more."""

    leg: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whether a person was heard, in answer to a question."""

    leg: int
    asked: int
    alive: bool
