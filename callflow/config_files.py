"""Files and folders that a configuration wants written: whether they can be, and cost nobody a file."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from callflow.adapters.control import SYSTEM
from callflow.adapters.journal_lines import not_ours
from callflow.document import Document
from callflow.errors import Fault


def journal_faults(journal: Path, source: Document) -> Iterator[Fault]:
    """A fault where the journal cannot be written."""
    place = ("journal",)
    if _is_folder(journal):
        yield source.fault(place, f"{str(journal)!r} is a folder; the journal is a file")
    elif not _is_folder(journal.parent):
        yield source.fault(place, f"there is no folder {str(journal.parent)!r}")
    elif why := _stranger(journal):
        yield source.fault(place, why)
    elif why := _refuses(journal) or _refuses_new(journal.parent):
        yield source.fault(place, f"{str(journal)!r} cannot be written: {why}")


def _stranger(journal: Path) -> str:
    """Why what is there must not be written over."""
    try:
        return not_ours(journal)
    except OSError as error:
        how = "read" if error.errno == errno.EACCES else "written"
        return f"{str(journal)!r} cannot be {how}: {error.strerror}"


def recordings_faults(folder: Path, source: Document) -> Iterator[Fault]:
    """A fault where callers' messages cannot be put."""
    place = ("recordings",)
    if not _is_folder(folder):
        yield source.fault(place, f"there is no folder {str(folder)!r}")
    elif why := _refuses_new(folder):
        yield source.fault(place, f"the folder {str(folder)!r} cannot be written to: {why}")


def control_faults(path: Path, source: Document) -> Iterator[Fault]:
    """A fault where no control socket can be made."""
    if why := _no_socket(path):
        yield source.fault(("http", "control"), why)


def _no_socket(path: Path) -> str:
    shown = repr(str(path))
    if _is_folder(path):
        return f"{shown} is a folder; name a socket in it, as {str(path / 'control.sock')!r}"
    if os.path.lexists(path) and not _is_socket(path):
        return f"{shown} is there and is no socket; name one that may be made"
    if path.parent == SYSTEM:
        # systemd makes it when the service starts, and for the service's user alone.
        return ""
    if not _is_folder(path.parent):
        return f"there is no folder {str(path.parent)!r}"
    why = _refuses_new(path.parent)
    return f"no socket can be made in {str(path.parent)!r}: {why}" if why else ""


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # A name that no file can have.
        return False


def _refuses(file: Path) -> str:
    """Why nothing can be added to a file; empty where it can, and where there is none yet."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        return ""
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)


def _refuses_new(folder: Path) -> str:
    """Why no file can be made in a folder; empty where one can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        # A full disk may have room again when calls come.
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return "" if full and os.access(folder, os.W_OK | os.X_OK) else error.strerror or str(error)
