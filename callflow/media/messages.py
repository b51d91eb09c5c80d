"""What the media plane is told and what it tells: the only way to speak to it.

Everything here is plain and small, so that it crosses between processes as it is.
"""

from dataclasses import dataclass, field

from callflow.codec import Law
from callflow.events import Event
from callflow.media.thresholds import Thresholds


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
class UnloadPrompt(Command):
    """The prompt will not be played any more: its room is free for another."""

    prompt: str


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
    rtcp_mux: bool = False
    """Whether its reports share the port of its audio (RFC 5761)."""
    thresholds: Thresholds | None = None
    """How its line is heard, where that is other than usual."""
    heard: bool = True
    """Whether anybody wants to know how its line sounds: a caller's, and not a seat's."""
    laws: tuple[Law, ...] = ()
    """The laws that may come beside `law`, which is sent (RFC 3264 §6.1, §7)."""
    event_types: tuple[int, ...] = ()
    """The payload types of keys that may come beside `event_type`, which is sent."""
    listens: bool = True
    """Whether its side wants to hear anything; else it is sent silence."""
    sends: bool = True
    """Whether its side is to send; else nobody misses its packets."""
    source: int = 0
    """Where it was heard by a plane that is gone, as in `Sources`; 0 for nowhere."""


@dataclass(frozen=True, slots=True)
class MoveLeg(LegCommand):
    """A re-INVITE gave the leg another address, law, event type or port of ours; it may latch anew."""

    law: Law
    event_type: int | None
    remote: tuple[str, int] | None
    expects: tuple[str, ...]
    port: int | None = None
    """The index of our port from now on, where it is another."""
    laws: tuple[Law, ...] = ()
    event_types: tuple[int, ...] = ()
    listens: bool = True
    sends: bool = True


@dataclass(frozen=True, slots=True)
class CloseLeg(LegCommand):
    """The leg is over."""


@dataclass(frozen=True, slots=True)
class Play(LegCommand):
    """Play a prompt from its start; what is playing is stopped."""

    prompt: str


@dataclass(frozen=True, slots=True)
class PlayMusic(LegCommand):
    """Play a prompt over and over wherever nothing else is said, until `StopMusic`; nothing is told of it."""

    prompt: str


@dataclass(frozen=True, slots=True)
class StopMusic(LegCommand):
    """Quiet where nothing is said."""


@dataclass(frozen=True, slots=True)
class StopPlaying(LegCommand):
    """Silence, from the next packet on."""


@dataclass(frozen=True, slots=True)
class PlayBoth(LegCommand):
    """Play a prompt to a joined leg and to its partner, at the same time."""

    prompt: str


@dataclass(frozen=True, slots=True)
class PlayTone(LegCommand):
    """Play a sine; what is playing is stopped."""

    hertz: float
    level: float
    """dBFS, as a full-scale square wave is 0."""
    seconds: float


@dataclass(frozen=True, slots=True)
class SendDigits(LegCommand):
    """Press keys on the leg, 100 ms each and 100 ms apart; what is playing is stopped."""

    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Join(LegCommand):
    """From now on the two hear each other, both ways; each is parted from whom it heard before."""

    other: int


@dataclass(frozen=True, slots=True)
class Confer(LegCommand):
    """From now on the leg and `others` all hear each other; `Part` takes one out, the rest go on."""

    others: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeepFrom(LegCommand):
    """What the leg says reaches all of its conference but these, until it confers anew."""

    others: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part(LegCommand):
    """The leg and its partner no longer hear each other."""


@dataclass(frozen=True, slots=True)
class ShutGate(LegCommand):
    """What the leg says no longer reaches its partner; what the partner says still reaches the leg."""


@dataclass(frozen=True, slots=True)
class OpenGate(LegCommand):
    """What the leg says reaches its partner again."""


@dataclass(frozen=True, slots=True)
class KeepKeys(LegCommand):
    """The leg's keys are told to us and no longer relayed: they are meant for us."""


@dataclass(frozen=True, slots=True)
class PassKeys(LegCommand):
    """The leg's keys are told to us and relayed, as they are from the start."""


@dataclass(frozen=True, slots=True)
class SetGain(LegCommand):
    """How loud the leg's partner hears it: decibels from -24 to 12 in steps of 3."""

    decibels: float


@dataclass(frozen=True, slots=True)
class Record(LegCommand):
    """Hand out what the leg says and what it is sent, as `Recorded`, from now on."""


@dataclass(frozen=True, slots=True)
class StopRecording(LegCommand):
    """Hand out the rest, and no more."""


@dataclass(frozen=True, slots=True)
class HearTones(LegCommand):
    """Take tones in its audio for keys; only while a key is asked for that can come in no other way."""


@dataclass(frozen=True, slots=True)
class IgnoreTones(LegCommand):
    """Tones in its audio are no keys any more."""


@dataclass(frozen=True, slots=True)
class ListenClosely(LegCommand):
    """Hand out what the leg says as `Overheard`, for a second pair of ears, until `ListenNoLonger`."""


@dataclass(frozen=True, slots=True)
class AskOpinion(LegCommand):
    """Hand out at once what has not been handed out yet: `OpinionGiven` is wanted now, within 0.5 s."""


@dataclass(frozen=True, slots=True)
class ListenNoLonger(LegCommand):
    """The second pair of ears is needed no more; what it has heard is forgotten."""


@dataclass(frozen=True, slots=True)
class MediaEvent(Event):
    """What the plane tells that is no rule's business."""


@dataclass(frozen=True, slots=True)
class PromptUnknown(MediaEvent):
    """The leg was to hear a prompt that was never loaded: it hears nothing, and no end of it will be told."""

    prompt: str
    is_music: bool = False
    """Whether it was to play between the words, and nobody waits for its end."""


@dataclass(frozen=True, slots=True)
class ToneFinished(MediaEvent):
    """The tone's last frame has left."""


@dataclass(frozen=True, slots=True)
class Recorded(MediaEvent):
    """About a second of one direction of a leg; gaps are not filled in, `begun` tells of them."""

    said: bool
    """Whether the leg said it; else it was sent to the leg."""
    law: int
    """0 for µ-law, 1 for A-law."""
    begun: float
    """When its first packet came or left."""
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Overheard(MediaEvent):
    """A piece of what a leg says while it is listened to closely, without our echo and machines' tones."""

    law: int
    """0 for µ-law, 1 for A-law."""
    audio: bytes = field(repr=False)
    """Whole frames of 20 ms, idle codes where something is left out; empty where nothing has come since."""
    may_live: bool = True
    """Whether anything since `ListenClosely` might have been a person, by the strictest reckoning."""
    aloud: bool = False
    """Whether any of that was no fainter than people speak."""
    asked: bool = False
    """Whether it answers `AskOpinion`: the opinion is wanted now."""


@dataclass(frozen=True, slots=True)
class DigitsSent(MediaEvent):
    """The keys that were sent to their end, once the last is or something else was to be said."""

    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Latched(MediaEvent):
    """The leg's own packets have arrived: it is known where they come from."""

    source: int = field(default=0, compare=False)
    """As in `Sources`."""


@dataclass(frozen=True, slots=True)
class Unlatched(MediaEvent):
    """The source that was taken for the leg's is another's, who has announced it: it waits for its own."""


@dataclass(frozen=True, slots=True)
class SourceTaken(MediaEvent):
    """The leg's packets cannot be told from those of another leg of its port: it needs another port."""


@dataclass(frozen=True, slots=True)
class NoPackets(MediaEvent):
    """Two seconds after it was known where its audio goes, none has come from the leg."""


@dataclass(frozen=True, slots=True)
class PacketsStopped(MediaEvent):
    """The leg's packets came, and have not for two seconds; told again when they came back and stop again."""


@dataclass(frozen=True, slots=True)
class PacketsPaused(MediaEvent):
    """The leg has sent comfort noise, and nothing for two seconds after it: it need not send (RFC 3389)."""


@dataclass(frozen=True, slots=True)
class ReportCame(MediaEvent):
    """An RTCP report has come from a leg that sends no packets: it is there."""


@dataclass(frozen=True, slots=True)
class PacketsResumed(MediaEvent):
    """The leg's packets come again."""


@dataclass(frozen=True, slots=True)
class LegQuality(MediaEvent):
    """How well the leg's packets came, told at its end."""

    packets: int
    lost: int
    jitter: float
    """Milliseconds, as RFC 3550 smooths it."""
    reordered: int
    duplicates: int
    missed: int | None = None
    """Packets of ours that the phone says it missed, by RTCP."""
    round_trip: float | None = None
    """Seconds to the phone and back, by RTCP."""


@dataclass(frozen=True, slots=True)
class Report:
    """An event on a leg, and when it happened in seconds of the plane's monotonic clock."""

    at: float
    leg: int
    event: Event
