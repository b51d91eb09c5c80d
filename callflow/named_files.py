"""What kind a YAML file of ours is, and which file a name means.

A file is known by the key that it begins with, and a house by the name in it: so no file is taken for another
because of how it is called. A house of the admin's own goes before one of ours that has the same name.
"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callflow.document.nodes import top_level
from callflow.errors import Fault, SourceError

CONFIGURATION: Final = "callflow-config"
FLOW: Final = "callflow"
HOUSE: Final = "callflow-house"
PROMPTS: Final = "callflow-prompts"
KINDS: Final = {
    CONFIGURATION: "a configuration",
    FLOW: "a flow",
    HOUSE: "a house",
    PROMPTS: "a table of prompts",
}


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself."""

    kind: str = ""
    """One of `KINDS`; empty where it says none."""
    name: str = ""


def head_of(text: str) -> Head:
    """What the YAML in `text` says of itself, as far as it can be read."""
    kind = name = ""
    for key, value in top_level(text):
        kind = kind or (key if key in KINDS else "")
        name = value if key == "name" and not name else name
        if kind and name:
            break
    return Head(kind, name)


def head(path: Path) -> Head:
    """The same of a file; one that cannot be opened says nothing.

    Our keys are ASCII, so that a file in another encoding is known by them as well, and told when it is read.
    """
    if why_no_file(path):
        return Head()
    try:
        return head_of(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError):
        return Head()


def read_text(path: Path) -> str:
    """The text of a YAML file. Raises `SourceError` where it cannot be read."""
    if why := why_no_file(path):
        raise SourceError(Fault(str(path), 1, 1, f"cannot be read: {why}"))
    try:
        return path.read_text(encoding="utf-8")
    except IsADirectoryError:
        raise SourceError(Fault(str(path), 1, 1, "is a folder; name a file in it")) from None
    except OSError as error:
        raise SourceError(Fault(str(path), 1, 1, f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        what = f"not UTF-8 at byte {error.start}; save the file as UTF-8"
        raise SourceError(Fault(str(path), line, 1, what)) from None


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def why_no_file(path: Path) -> str:
    """Why nothing is read from what is there: a device or a pipe may never end, and may wait for ever."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        # Reading it will say so.
        return ""
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return ""
    return "it is a pipe, a socket or a device, and no file"


def refuse_other_kind(path: Path, wanted: str) -> None:
    """Raises `SourceError` where a file is of another kind than what it is read as."""
    found = head(path).kind
    if found not in ("", wanted):
        what = f"this is {KINDS[found]}, and {KINDS[wanted]} is wanted; it would begin with `{wanted}: 1`"
        raise SourceError(Fault(str(path), 1, 1, what))


def flows_in(folder: Path) -> list[str]:
    """The names of the files in a folder that are flows."""
    paths = sorted(path for form in ("*.yaml", "*.yml") for path in folder.glob(form))
    return [path.name for path in paths if head(path).kind == FLOW]


def unread_in(folder: Path, name: str) -> Iterator[Path]:
    """The files in a folder that may be the house `name`, for all that can be read of them."""
    for path in sorted(folder.glob("*.yaml")):
        found = head(path)
        if found == Head(HOUSE) or (path.name == f"{name}.yaml" and not found.kind) or not _opens(path):
            yield path


def _opens(path: Path) -> bool:
    if why_no_file(path):
        return False
    try:
        with path.open("rb"):
            return True
    except OSError as error:
        # A folder is no house, whatever it is called.
        return isinstance(error, IsADirectoryError)


def houses_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The houses in a folder, by the names that they have in them."""
    for path in sorted(folder.glob("*.yaml")):
        found = head(path)
        if found.kind == HOUSE and path.is_file():
            yield found.name, path
