"""Callers' messages as files: 8 kHz 16-bit mono WAV, readable by their owner alone.

A thread of its own waits for the disk, so that no call has to. A file has its name only when all of it is on
the disk; what a full disk leaves behind is taken away again.
"""

import errno
import os
import queue
import threading
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

import numpy as np

from callflow.call.recorder import Message, Written
from callflow.codec import RATE
from callflow.media.g711 import LINEAR, Samples
from callflow.media.messages import Recorded

_MOST_WAITING: Final = 1_000
"""Messages that wait for the disk."""
_SLACK: Final = RATE // 10
"""Samples by which a piece may be off its place before that is a gap in the line."""


class MessageFiles:
    """Owns its folder, and the thread."""

    def __init__(self, folder: Path) -> None:
        self.on_written: Callable[[Written], object] = lambda written: None
        """Called from the thread, once for each message."""
        self._folder = folder
        self._queue: queue.Queue[Message | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="messages", daemon=True)
        self._thread.start()

    def write(self, message: Message) -> Written | None:
        """Write a message in a while; what became of it at once, where nothing can."""
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            return Written(message.number, why="disk_too_slow")
        return None

    def close(self) -> None:
        """Write what waits."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (message := self._queue.get()) is not None:
            self.on_written(self._write(message))

    def _write(self, message: Message) -> Written:
        # Calls are named by us, but a name that leads elsewhere must not be possible.
        name = f"{Path(message.call).name}-{message.number}.wav"
        beside = self._folder / f"{name}.part"
        try:
            line = line_of(message.pieces)
            with open(beside, "xb", opener=_for_the_owner) as file:
                _write_wav(file, line)
            beside.rename(self._folder / name)
        except OSError as error:
            beside.unlink(missing_ok=True)
            return Written(message.number, why=errno.errorcode.get(error.errno or 0, "failed").lower())
        return Written(message.number, name, round(line.size / RATE, 3))


def line_of(pieces: Sequence[Recorded]) -> Samples:
    """What was said as one line, silent where nothing came."""
    parts: list[Samples] = []
    end = 0
    for piece in pieces:
        place = round((piece.begun - pieces[0].begun) * RATE)
        if place - end > _SLACK:
            parts.append(np.zeros(place - end, np.int16))
            end = place
        parts.append(LINEAR[piece.law][np.frombuffer(piece.audio, np.uint8)])
        end += parts[-1].size
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write_wav(file: IO[bytes], line: Samples) -> None:
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE, line.size, "NONE", ""))
        sound.writeframes(line.astype("<i2").tobytes())
    file.flush()
    os.fsync(file.fileno())
