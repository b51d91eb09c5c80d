"""The journal on disk: a line for each change, appended by a thread of its own.

Of each call, account and seat the last line counts; the file is written anew, with those alone, when it has
grown to several times their number. A consent is on the disk itself before its call is told so. A full disk
costs lines, which are counted and told; what they said is written when there is room again.
"""

import errno
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from callflow.adapters.journal_lines import Change, Earlier, beside, line_of, load, not_ours
from callflow.call.journal import CallEntry, CutOff, FactEntry, Journalled
from callflow.call.lasting import Registered, SeatEntry

_MOST_WAITING: Final = 10_000
"""Lines that wait for the disk; what is more is lost, and counted."""
_LEAST_LINES: Final = 1_000
"""A file of fewer lines is never written anew."""
_MOST_CONSENTS: Final = 1_000
"""Consents that are kept of calls which a restart cut off."""
_CLOSES_WITHIN: Final = 5.0
"""Seconds that a disk has to take what waits when the service ends."""
_TRY_AGAIN: Final = 1.0
"""Seconds between two tries to write what a disk has refused."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class JournalFile:
    """Owns its file, and a thread that waits for the disk so that no call has to."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError` where the file cannot be read or written, or is there and is no journal.

        A disk that is full may become otherwise.
        """
        if why := not_ours(path):
            raise FileExistsError(why)
        self.lost = 0
        """Changes that the disk was too slow for, or refused."""
        self.on_kept: Callable[[FactEntry], object] = lambda entry: None
        """Called from the journal's own thread."""
        self._path = path
        self.earlier = load(path)
        """The entries that the last run of the program left."""
        self._last = _last_lines(self.earlier)
        """Of each thing the line that counts."""
        self._kept: dict[str, list[str]] = {}
        """The consents of the calls that stand."""
        self._cut_off: deque[str] = deque(_consents(self.earlier), _MOST_CONSENTS)
        """Those of calls that a restart has cut off."""
        self._lines = 0
        self._is_torn = True
        """Whether the file may end in a part of a line, or lacks what the disk has refused."""
        self._try_at = 0.0
        self._queue: queue.Queue[Change | None] = queue.Queue(_MOST_WAITING)
        self._put_spoilt_aside()
        self._begin()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def write(self, change: Change) -> None:
        """Note a change, or a fact that a call waits for; returns at once."""
        try:
            self._queue.put_nowait(change)
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Write what waits; a disk that does not answer is not waited for long."""
        try:
            self._queue.put(None, timeout=_CLOSES_WITHIN)
        except queue.Full:
            self.lost += self._queue.qsize()
            return
        self._thread.join(_CLOSES_WITHIN)

    def _run(self) -> None:
        while (change := self._queue.get()) is not None:
            changes = [change, *self._waiting()]
            for each in changes:
                self._note(each)
            try:
                self._append(changes)
            except Exception as error:
                # Whatever it is, the thread goes on: the next change may find room.
                self.lost += len(changes)
                self._is_torn = True
                self._failed(error)

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
        waited_for = [change for change in changes if isinstance(change, FactEntry)]
        if not self._is_mended(durably=bool(waited_for)):
            self._add("".join(line_of(change) for change in changes), durably=bool(waited_for))
            self._lines += len(changes)
        for entry in waited_for:
            self.on_kept(entry)
        if self._lines > max(_LEAST_LINES, 4 * len(self._last)) and time.monotonic() >= self._try_at:
            self._is_rewritten()

    def _add(self, text: str, *, durably: bool) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            # After a line that was cut off the next begins on a line of its own.
            file.write(f"\n{text}" if self._is_torn else text)
            if durably:
                file.flush()
                os.fsync(file.fileno())

    def _is_mended(self, *, durably: bool) -> bool:
        """Write the whole anew where that is due: what the disk has refused is in it."""
        if not self._is_torn or time.monotonic() < self._try_at:
            return False
        self._is_torn = not self._is_rewritten(durably=durably)
        return not self._is_torn

    def _is_rewritten(self, *, durably: bool = False) -> bool:
        """Whether the file could be written anew; where not, what it had stands, and it is tried later."""
        try:
            self._rewrite(durably=durably)
        except OSError as error:
            self._try_at = time.monotonic() + _TRY_AGAIN
            self._failed(error)
            return False
        return True

    def _note(self, change: Change) -> None:
        match change:
            case FactEntry():
                self._kept.setdefault(change.call, []).append(change.as_json())
            case Journalled(call=call, entry=None):
                self._last.pop(("call", call), None)
                self._kept.pop(call, None)
            case Journalled(call=call, entry=CallEntry() as entry):
                self._last["call", call] = entry.as_json()
            case CutOff(call=call):
                self._last.pop(("call", call), None)
            case Registered(user=user):
                self._last["registered", user] = change.as_json()
                if not change.bindings:
                    del self._last["registered", user]
            case SeatEntry(seat=seat):
                self._last["sits", seat] = change.as_json()

    def _rewrite(self, *, durably: bool = False) -> None:
        new = beside(self._path)
        kept = [text for each in self._kept.values() for text in each]
        lines = [*self._last.values(), *self._cut_off, *kept]
        try:
            # Numbers of callers stand in it.
            with open(new, "w", encoding="utf-8", opener=_for_the_owner) as file:
                file.write("".join(f"{text}\n" for text in lines))
                if durably:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError:
            # A half-written file only takes room.
            new.unlink(missing_ok=True)
            raise
        new.replace(self._path)
        self._lines = len(lines)

    # --- at the start ---

    def _begin(self) -> None:
        try:
            self._rewrite()
            self._is_torn = False
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self._failed(error)

    def _put_spoilt_aside(self) -> None:
        spoilt = self.earlier.spoilt
        if not spoilt:
            return
        aside = self._path.with_name(self._path.name + ".spoilt")
        _log().error("journal.spoilt", lines=len(spoilt), kept=str(aside))
        try:
            with open(aside, "a", encoding="utf-8", opener=_for_the_owner) as file:
                file.write("".join(f"{line}\n" for line in spoilt))
        except OSError as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        why = error.strerror if isinstance(error, OSError) else repr(error)
        _log().error("journal.failed", error=why)


def read(path: Path) -> dict[str, CallEntry]:
    """The calls that stood when the file was last written. A line that was cut off is passed over."""
    return load(path).calls


def _last_lines(earlier: Earlier) -> dict[tuple[str, str], str]:
    calls = {("call", call): entry.as_json() for call, entry in earlier.calls.items()}
    registered = {("registered", user): entry.as_json() for user, entry in earlier.registered.items()}
    return calls | registered | {("sits", seat): entry.as_json() for seat, entry in earlier.seats.items()}


def _consents(earlier: Earlier) -> list[str]:
    return [entry.as_json() for kept in earlier.kept.values() for entry in kept]


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("callflow")
    return logger
