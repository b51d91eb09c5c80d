"""The lines of the journal: what was written by an earlier life of the program."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from callflow.call.journal import CallEntry, CutOff, FactEntry, Journalled
from callflow.call.lasting import Registered, SeatEntry

_HEADS: Final = (
    *('{"call":"', '{"over": "', '{"cut_off": "'),
    *('{"kept":{"call":"', '{"registered":{"user":"', '{"sits":{"seat":"'),
)
"""The beginnings of journal lines."""
_NO_LINE: Final = (ValueError, TypeError, RecursionError)
"""Errors raised by a line that is no journal line."""

Change = Journalled | CutOff | FactEntry | Registered | SeatEntry


@dataclass(slots=True)
class Earlier:
    """The contents of a journal: of each thing, the last line counts."""

    calls: dict[str, CallEntry] = field(default_factory=dict)
    """Those that have not ended."""
    kept: dict[str, list[FactEntry]] = field(default_factory=dict)
    """Facts that were to be on disk, such as consents, by their calls."""
    registered: dict[str, Registered] = field(default_factory=dict)
    seats: dict[str, SeatEntry] = field(default_factory=dict)
    spoilt: list[str] = field(default_factory=list)
    """Lines that are none, as the last one is where the disk was full or the machine went down."""


def load(path: Path) -> Earlier:
    """Raises `OSError` where the file is there and cannot be read."""
    earlier = Earlier()
    if not path.exists():
        return earlier
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        if line.strip("\0 \r"):
            try:
                _take(earlier, line)
            except _NO_LINE:
                earlier.spoilt.append(line)
    return earlier


def beside(path: Path) -> Path:
    """Where a journal is written anew before it takes the old one's place."""
    return path.with_name(path.name + ".new")


def not_ours(path: Path) -> str:
    """Why a journal at `path` would cost somebody a file; empty where it would not.

    Raises `OSError` where a file is there and cannot be read.
    """
    for each in (path, beside(path)):
        if each.exists() and not each.is_file():
            return f"{str(each)!r} is no file; the journal is one"
        if not _is_journal(each):
            return f"{str(each)!r} is there and is no journal; name a file of the journal's own"
    return ""


def _is_journal(path: Path) -> bool:
    """Whether the file is a journal, a harmed one too; one that is empty, or not there, may become one."""
    if not path.exists():
        return True
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        all_begin_so = True
        for line in file:
            bare = line.strip("\0 \r\n")
            if bare and _is_line(bare):
                return True
            all_begin_so = all_begin_so and _begins_like_ours(bare)
    # A single line may be torn, and those of another release may have other fields.
    return all_begin_so


def _is_line(line: str) -> bool:
    try:
        _take(Earlier(), line)
    except _NO_LINE:
        return False
    return True


def _begins_like_ours(line: str) -> bool:
    return any(line.startswith(head) or head.startswith(line) for head in _HEADS)


def line_of(change: Change) -> str:
    """A change as it is written."""
    if not isinstance(change, Journalled):
        return change.as_json() + "\n"
    if change.entry is None:
        return json.dumps({"over": change.call}) + "\n"
    return change.entry.as_json() + "\n"


def _take(earlier: Earlier, line: str) -> None:
    told = json.loads(line)
    match told:
        case {"over": str(call)}:
            earlier.calls.pop(call, None)
            earlier.kept.pop(call, None)
        case {"cut_off": str(call)}:
            earlier.calls.pop(call, None)
        case {"kept": {"call": str(call)} as kept}:
            earlier.kept.setdefault(call, []).append(_fact(kept))
        case {"registered": dict(registered)}:
            entry = Registered.read(registered)
            earlier.registered[entry.user] = entry
            if not entry.bindings:
                del earlier.registered[entry.user]
        case {"sits": dict(sits)}:
            seat = SeatEntry.read(sits)
            earlier.seats[seat.seat] = seat
        case _:
            call_entry = CallEntry.from_json(line)
            earlier.calls[call_entry.call] = call_entry


def _fact(told: Mapping[str, Any]) -> FactEntry:
    try:
        return FactEntry(**told)
    except TypeError as error:
        raise ValueError(f"no fact: {error}") from None
