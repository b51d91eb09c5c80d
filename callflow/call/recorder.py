"""Callers' messages on their way from the plane to a file; they outlive their calls.

The plane hands out what a leg says in pieces, the last of them a little after it was told to stop, also where
the caller has hung up. Then the message leaves whole, and whoever writes it tells what came of it.
"""

from dataclasses import dataclass, field
from typing import Final

from callflow.call.ledger import Ledger
from callflow.codec import RATE
from callflow.events import (
    Event,
    Heard,
    LineHeard,
    LineJudged,
    LineState,
    MessageFailed,
    MessageStored,
)
from callflow.media.messages import Command, Record, Recorded, StopRecording

REST: Final = 0.5
"""Seconds that the plane has to hand out the rest."""
LEAST: Final = 1.0
"""Seconds of audio without which nothing was said: a key pressed, a receiver put down."""
EMPTY: Final = "empty"


def may_be_voice(event: Event | None) -> bool:
    """Whether what the ears tell of a line is a person, or leaves room for one."""
    match event:
        case LineHeard(heard=heard):
            return heard is Heard.SOUND
        case LineJudged(state=state):
            return state in (LineState.SPEECH, LineState.FAINT, LineState.NOISY)
    return False


@dataclass(frozen=True, slots=True)
class Message:
    """What a caller has said, whole: to be written to a file."""

    call: str
    number: int
    """Counts the messages of this controller."""
    pieces: tuple[Recorded, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a message."""

    number: int
    file: str = ""
    """The file's name; empty where there is none."""
    seconds: float = 0.0
    why: str = ""
    """Why there is none: a word for machines."""


@dataclass(slots=True)
class _Taking:
    """One message while it is spoken, and until it is written."""

    number: int
    ledger: Ledger
    queue: str
    whom: str
    voiced: bool = False
    """Whether the ears have made out a person, or a line in which there may be one."""
    pieces: list[Recorded] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(len(piece.audio) for piece in self.pieces) / RATE


class Recorder:
    """All messages of one controller that are not on disk."""

    def __init__(self) -> None:
        self._last = 0
        self._spoken: dict[int, _Taking] = {}
        """By the leg's number in the plane."""
        self._due: dict[int, float] = {}
        """When the rest of a message is here, by the same."""
        self._writing: dict[int, _Taking] = {}

    def __len__(self) -> int:
        return len(self._spoken) + len(self._writing)

    @property
    def deadline(self) -> float | None:
        return min(self._due.values(), default=None)

    def begin(
        self, media: int, ledger: Ledger, queue: str, whom: str = "", *, voiced: bool = False
    ) -> list[Command]:
        """Keep what the leg says; `queue` is where its caller waited, `whom` the seat that it is for.

        `voiced`: a person is heard already.
        """
        self._last += 1
        self._spoken[media] = _Taking(self._last, ledger, queue, whom, voiced)
        return [Record(media)]

    def judged(self, media: int, event: Event) -> None:
        """What the ears make of a leg: silence, a busy tone and our own echo are no message."""
        taking = self._spoken.get(media)
        if taking is not None and may_be_voice(event):
            taking.voiced = True

    def heard(self, media: int, piece: Recorded) -> None:
        """A piece has come; what was sent to the leg is no message."""
        if piece.said and media in self._spoken:
            self._spoken[media].pieces.append(piece)

    def finish(self, media: int, now: float) -> list[Command]:
        """The message is spoken. Nothing where none is, or that is known."""
        if media not in self._spoken or media in self._due:
            return []
        self._due[media] = now + REST
        return [StopRecording(media)]

    def tick(self, now: float) -> list[Message]:
        """The messages that are whole."""
        whole = []
        for media in [media for media, at in self._due.items() if now >= at]:
            del self._due[media]
            taking = self._spoken.pop(media)
            self._writing[taking.number] = taking
            pieces = tuple(taking.pieces) if taking.seconds >= LEAST and taking.voiced else ()
            whole.append(Message(taking.ledger.call, taking.number, pieces))
        return whole

    def written(self, written: Written, now: float) -> tuple[str, Event] | None:
        """The call that a message is of, and what to tell it; None for a message that is not known."""
        taking = self._writing.pop(written.number, None)
        if taking is None:
            return None
        write, details = taking.ledger.write, {"kind": "message", "queue": taking.queue}
        details |= {"for": taking.whom} if taking.whom else {}
        if not written.file:
            write(now, "ticket.failed", None, **details, why=written.why)
            return taking.ledger.call, MessageFailed()
        write(now, "ticket.opened", None, **details, file=written.file, seconds=written.seconds)
        return taking.ledger.call, MessageStored()
