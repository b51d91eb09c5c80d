"""What happened: the past tense that all floors share.

Times are not in the events: whoever hands one over says `now` beside it, in seconds of a monotonic clock.
Personal data is not in their `repr`, because that is what a traceback in a log shows.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Party(StrEnum):
    """Who does a thing in a call."""

    CALLER = "caller"
    SEAT = "seat"
    CALLFLOW = "callflow"


class Heard(StrEnum):
    """What the caller's line sounds like."""

    SOUND = "sound"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; the root of this file."""


@dataclass(frozen=True, slots=True)
class CallArrived(Event):
    caller: str = field(repr=False)
    """The caller's number or name as signalled; personal data."""
    called: str = field(repr=False)
    """The number that was dialled."""


@dataclass(frozen=True, slots=True)
class CallAnswered(Event):
    """Our 200 OK has left."""


@dataclass(frozen=True, slots=True)
class CallConfirmed(Event):
    """The caller's ACK is here: both sides may speak."""


@dataclass(frozen=True, slots=True)
class PromptStarted(Event):
    prompt: str


@dataclass(frozen=True, slots=True)
class PromptFinished(Event):
    """The prompt was heard to its end; every pause counts from here."""

    prompt: str


@dataclass(frozen=True, slots=True)
class PromptStopped(Event):
    """The prompt was cut short by the controller."""

    prompt: str


@dataclass(frozen=True, slots=True)
class DigitPressed(Event):
    digit: str = field(repr=False)
    """One of 0-9, *, #, A-D; personal data."""

    def __post_init__(self) -> None:
        if len(self.digit) != 1 or self.digit not in "0123456789*#ABCD":
            raise ValueError(f"{self.digit!r} is not a telephone key")


@dataclass(frozen=True, slots=True)
class LineHeard(Event):
    """The line changed to another sound."""

    heard: Heard
    since: float
    """When the line truly began to sound so, in seconds of the same clock; a little before the event."""


@dataclass(frozen=True, slots=True)
class HeldByCaller(Event):
    """The caller's side holds the call: nobody there hears us."""


@dataclass(frozen=True, slots=True)
class ResumedByCaller(Event):
    """The caller is back."""


@dataclass(frozen=True, slots=True)
class ConversationOver(Event):
    """What the caller came for is done: the closing may begin."""


@dataclass(frozen=True, slots=True)
class HungUp(Event):
    by: Party
    reason: str = ""
    """A word for machines, such as `cancelled` or `no_ack`; empty for an ordinary BYE."""


@dataclass(frozen=True, slots=True)
class RuleConcluded(Event):
    """A rule's machine has come to its end and says how; the flow goes on from there."""

    outcome: "Outcome"


class Outcome(StrEnum):
    """How a rule's machine ended."""

    GREETED = "greeted"
    ALIVE = "alive"
    """The caller was heard or pressed a key."""
    SILENT = "silent"
    HELP_WANTED = "help_wanted"
    RELEASED = "released"
