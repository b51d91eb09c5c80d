"""What to do: the imperative that all floors share. An action is a wish; its fact comes back as an event."""

from dataclasses import dataclass

from callflow.events import Outcome


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do; the root of this file."""


@dataclass(frozen=True, slots=True)
class Ring(Action):
    """Tell the caller's side that the call has been found (180)."""


@dataclass(frozen=True, slots=True)
class Answer(Action):
    """Pick up (200)."""


@dataclass(frozen=True, slots=True)
class Say(Action):
    """Speak a prompt to the caller; what is being said is stopped first."""

    prompt: str
    rule: str | None = None
    """The etiquette rule that prescribes the words, e.g. `csr-04`."""


@dataclass(frozen=True, slots=True)
class StopSaying(Action):
    """Fall silent at once, in the middle of a word if need be."""


@dataclass(frozen=True, slots=True)
class HangUp(Action):
    """Release the caller."""

    reason: str
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Conclude(Action):
    """A rule's machine is at its end."""

    rule: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Greet(Action):
    """Begin the greeting of the house, and with it the watch for a silent line."""


@dataclass(frozen=True, slots=True)
class Close(Action):
    """Begin the closing of the house."""
