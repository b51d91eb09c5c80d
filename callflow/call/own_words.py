"""What a seat says for the target of a transfer, on its way from the plane's ear to the plane's tape.

It is played once, in one call, and then forgotten: it is on no disk, and the tape's room is free again.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from callflow.call.leg import Effect
from callflow.call.news import Happened, News, Task
from callflow.call.room import TONE_DB, TONE_HZ, Room
from callflow.codec import RATE, Law
from callflow.etiquette.own_words import TONE
from callflow.events import WordsKept
from callflow.media.g711 import LINEAR, encode
from callflow.media.messages import (
    LoadPrompt,
    PlayTone,
    Record,
    Recorded,
    StopRecording,
    UnloadPrompt,
)

REST: Final = 0.3
"""Seconds that the plane has to hand out the rest."""
LEAST: Final = 0.4
"""Seconds of sound without which nothing was said."""
_LOUD: Final = 10 ** (-45 / 20) * 32768


@dataclass(slots=True)
class _Speaking:
    room: Room
    pieces: list[Recorded] = field(default_factory=list)
    due: float | None = None
    """When the rest is here, once the seat has said it."""


class OwnWords:
    """The words of all seats that speak for a target now."""

    def __init__(self) -> None:
        self._speaking: dict[int, _Speaking] = {}
        """By the leg's number in the plane."""

    @property
    def deadline(self) -> float | None:
        return min((each.due for each in self._speaking.values() if each.due is not None), default=None)

    def begin(self, room: Room) -> list[Effect]:
        """A tone, and then keep what the call's seat says."""
        if room.seat is None:
            return []
        self._speaking[room.seat.media] = _Speaking(room)
        return [PlayTone(room.seat.media, TONE_HZ, TONE_DB, TONE), Record(room.seat.media)]

    def heard(self, media: int, piece: Recorded) -> None:
        """A piece has come; what was sent to the seat is not its word."""
        if piece.said and media in self._speaking:
            self._speaking[media].pieces.append(piece)

    def finish(self, room: Room, now: float) -> list[Effect]:
        """The seat has said it."""
        for media, speaking in self._speaking.items():
            if speaking.room is room and speaking.due is None:
                speaking.due = now + REST
                return [StopRecording(media)]
        return []

    def tick(self, now: float) -> list[News]:
        """Words that are whole are made known to the plane, and their calls are told."""
        whole: list[News] = []
        for media, speaking in [*self._speaking.items()]:
            if speaking.due is not None and now >= speaking.due:
                del self._speaking[media]
                whole.append(Task(speaking.room, partial(_kept, speaking)))
        return whole

    def forget(self, room: Room) -> list[Effect]:
        """The call's target has heard them, or never will."""
        stopped: list[Effect] = []
        for media in [media for media, each in self._speaking.items() if each.room is room]:
            del self._speaking[media]
            stopped.append(StopRecording(media))
        name, room.own_words = room.own_words, ""
        return [*stopped, UnloadPrompt(name)] if name else stopped


def _kept(speaking: _Speaking) -> list[News]:
    room = speaking.room
    samples = _samples(speaking.pieces)
    loud = np.count_nonzero(np.abs(samples.astype(np.int32)) > _LOUD)
    if loud < LEAST * RATE / 10:
        # Speech is loud for more than a tenth of its time; a breath is not.
        return [Happened(room, WordsKept(0.0))]
    room.own_words = f"own_words?call={room.name}"
    ulaw, alaw = (encode(samples, law).tobytes() for law in (Law.PCMU, Law.PCMA))
    loaded = LoadPrompt(room.own_words, ulaw, alaw)
    return [loaded, Happened(room, WordsKept(len(samples) / RATE))]


def _samples(pieces: list[Recorded]) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    decoded = [LINEAR[piece.law][np.frombuffer(piece.audio, np.uint8)] for piece in pieces]
    return np.concatenate(decoded).astype(np.int16) if decoded else np.zeros(0, np.int16)
