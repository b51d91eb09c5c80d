"""What the media plane is told and what it tells: the only way to speak to it.

Everything here is plain and small, so that it crosses between processes as it is.
"""

from dataclasses import dataclass

from callflow.codec import Law
from callflow.events import Event


@dataclass(frozen=True, slots=True)
class Command:
    """Something the plane is to do."""


@dataclass(frozen=True, slots=True)
class LoadPrompt(Command):
    """Make audio known under a name; a name that is known gets the new audio."""

    prompt: str
    ulaw: bytes
    alaw: bytes


@dataclass(frozen=True, slots=True)
class LegCommand(Command):
    leg: int


@dataclass(frozen=True, slots=True)
class OpenLeg(LegCommand):
    """A new leg: send to `remote` until its own packets show where it really is."""

    port: int
    """The index of our port, not its number."""
    law: Law
    event_type: int | None
    remote: tuple[str, int] | None
    expects: tuple[str, ...]
    """The addresses that its packets may come from."""


@dataclass(frozen=True, slots=True)
class MoveLeg(LegCommand):
    """A re-INVITE gave the leg another address, law or event type; it may latch anew."""

    law: Law
    event_type: int | None
    remote: tuple[str, int] | None
    expects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CloseLeg(LegCommand):
    """The leg is over."""


@dataclass(frozen=True, slots=True)
class Play(LegCommand):
    """Play a prompt from its start; what is playing is stopped."""

    prompt: str


@dataclass(frozen=True, slots=True)
class StopPlaying(LegCommand):
    """Silence, from the next packet on."""


@dataclass(frozen=True, slots=True)
class Latched(Event):
    """The leg's own packets have arrived: it is known where they come from."""


@dataclass(frozen=True, slots=True)
class Report:
    """An event on a leg, and when it happened in seconds of the plane's monotonic clock."""

    at: float
    leg: int
    event: Event
