"""A bounded queue and one thread that writes the log, so that no call waits for a reader of the log.

A pipe whose reader has stopped, a full disk or a closed terminal costs lines of the log, never a packet or
a deadline. Lines that found no room are counted, and told in a line of their own when writing goes on.
"""

import contextlib
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from typing import Final

MOST_LINES: Final = 10_000
MOST_BYTES: Final = 4 << 20
"""Of the lines that wait together."""
LONGEST_LINE: Final = 64 << 10
"""Bytes; a longer line is cut."""
_LOOK: Final = 1.0
"""Seconds between two calls of `on_look`."""


def _dropped_line(lines: int) -> str:
    return f"log.dropped lines={lines}\n"


class LogWriter:
    """Owns a thread, and not the descriptor."""

    def __init__(
        self,
        descriptor: int,
        *,
        dropped_line: Callable[[int], str] = _dropped_line,
        lines: int = MOST_LINES,
        size: int = MOST_BYTES,
    ) -> None:
        """Room for so many `lines`, of `size` bytes together; `dropped_line` tells how many were lost."""
        self.dropped = 0
        """Lines that found no room, or that the descriptor refused; since the start."""
        self.on_look: Callable[[], object] = lambda: None
        """Called about once a second by the writer's thread, while writing goes on."""
        self._descriptor = descriptor
        self._dropped_line = dropped_line
        self._room = size
        self._queue: queue.Queue[bytes | None] = queue.Queue(lines)
        self._lock = threading.Lock()
        self._untold = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Take whole lines; returns at once."""
        data = text.encode("utf-8", "backslashreplace")
        if len(data) > LONGEST_LINE:
            data = data[: LONGEST_LINE - 1] + b"\n"
        with self._lock:
            try:
                if len(data) > self._room:
                    raise queue.Full
                self._queue.put_nowait(data)
                self._room -= len(data)
            except queue.Full:
                self.dropped += 1
                self._untold += 1

    def close(self, within: float = 2.0) -> None:
        """Write what waits, for `within` seconds at most; what a blocked reader leaves is given up."""
        self._closing.set()
        with contextlib.suppress(queue.Full):
            # Where there is no room the thread is at work, and looks whether it is to end.
            self._queue.put_nowait(None)
        self._thread.join(within)

    def _run(self) -> None:
        look_at = time.monotonic() + _LOOK
        while not (self._closing.is_set() and self._queue.empty()):
            with contextlib.suppress(queue.Empty):
                data = self._queue.get(timeout=_LOOK)
                if data is not None:
                    self._take(data)
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _LOOK
                self._look()

    def _look(self) -> None:
        try:
            self.on_look()
        except Exception:
            # What it had to tell is lost; the lines of all others must still be written.
            with self._lock:
                self.dropped += 1
                self._untold += 1

    def _take(self, data: bytes) -> None:
        with self._lock:
            self._room += len(data)
        if not self._put(data):
            with self._lock:
                self.dropped += 1
                self._untold += 1
            return
        with self._lock:
            lines, self._untold = self._untold, 0
        if lines and not self._put(self._dropped_line(lines).encode()):
            with self._lock:
                self._untold += lines

    def _put(self, data: bytes) -> bool:
        """Whether the descriptor has taken all of it."""
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                self._await_room()
            except OSError:
                # Its reader is gone, or its disk is full.
                return False
        return True

    def _await_room(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        poll.poll(_LOOK * 1000)
