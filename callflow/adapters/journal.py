"""The journal on disk: a line for each change of a call, appended by a thread of its own.

What matters is the last line of each call; the file is written anew, with those alone, when it has grown to
several times their number. A consent is on the disk itself before its call is told so.
"""

import json
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from callflow.call.journal import CallEntry, FactEntry, Journalled

Change = Journalled | FactEntry

_MOST_WAITING: Final = 10_000
"""Lines that wait for the disk; what is more is lost, and counted."""
_LEAST_LINES: Final = 1_000
"""A file of fewer lines is never written anew."""


class JournalFile:
    """Owns its file, and a thread that waits for the disk so that no call has to."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError` where the file cannot be written."""
        self.lost = 0
        """Changes that the disk was too slow for, or refused."""
        self._path = path
        self._living: dict[str, str] = {call: entry.as_json() for call, entry in read(path).items()}
        self._lines = len(self._living)
        self._kept: dict[str, list[str]] = {}
        """The consents of the calls that stand."""
        self.on_kept: Callable[[FactEntry], object] = lambda entry: None
        """Called from the journal's own thread."""
        self._queue: queue.Queue[Change | None] = queue.Queue(_MOST_WAITING)
        self._rewrite()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def write(self, change: Change) -> None:
        """Note a change, or a fact that a call waits for; returns at once."""
        try:
            self._queue.put_nowait(change)
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Write what waits."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (change := self._queue.get()) is not None:
            changes = [change, *self._waiting()]
            try:
                self._append(changes)
            except OSError as error:
                self.lost += len(changes)
                structlog.get_logger("callflow").error("journal.failed", error=error.strerror)

    def _waiting(self) -> list[Change]:
        """What else is there: one write for all."""
        found: list[Change] = []
        while not self._queue.empty():
            change = self._queue.get()
            if change is None:
                self._queue.put(None)
                break
            found.append(change)
        return found

    def _append(self, changes: list[Change]) -> None:
        for change in changes:
            self._note(change)
        waited_for = [change for change in changes if isinstance(change, FactEntry)]
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(_line(change) for change in changes)
            if waited_for:
                file.flush()
                os.fsync(file.fileno())
        for entry in waited_for:
            self.on_kept(entry)
        self._lines += len(changes)
        if self._lines > max(_LEAST_LINES, 4 * len(self._living)):
            self._rewrite()

    def _note(self, change: Change) -> None:
        if isinstance(change, FactEntry):
            self._kept.setdefault(change.call, []).append(change.as_json())
        elif change.entry is None:
            self._living.pop(change.call, None)
            self._kept.pop(change.call, None)
        else:
            self._living[change.call] = change.entry.as_json()

    def _rewrite(self) -> None:
        beside = self._path.with_name(self._path.name + ".new")
        lines = [*self._living.values(), *(text for kept in self._kept.values() for text in kept)]
        beside.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
        # Numbers of callers stand in it.
        beside.chmod(0o600)
        beside.replace(self._path)
        self._lines = len(lines)


def read(path: Path) -> dict[str, CallEntry]:
    """The calls that stood when the file was last written. A line that was cut off is passed over."""
    living: dict[str, CallEntry] = {}
    if not path.exists():
        return living
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if over := json.loads(line).get("over"):
                living.pop(over, None)
                continue
            entry = CallEntry.from_json(line)
        except (ValueError, AttributeError):
            continue
        living[entry.call] = entry
    return living


def _line(change: Change) -> str:
    if isinstance(change, FactEntry):
        return change.as_json() + "\n"
    if change.entry is None:
        return json.dumps({"over": change.call}) + "\n"
    return change.entry.as_json() + "\n"
