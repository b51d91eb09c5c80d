"""What ships with the program: houses, flows, prompts, the table of rules."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from callflow import document
from callflow.document import Document, did_you_mean
from callflow.errors import Fault, SourceError
from callflow.etiquette import house
from callflow.etiquette import rulebook as rulebooks
from callflow.etiquette.house import House
from callflow.etiquette.rulebook import Rulebook

_PACKAGE: Final = Path(__file__).parent
_DATA: Final = _PACKAGE / "data" if (_PACKAGE / "data").is_dir() else _PACKAGE.parent
"""An installed wheel carries flows and prompts inside; a checkout has them beside the package."""

FLOWS: Final = _DATA / "flows"
PROMPTS: Final = _DATA / "prompts" / "zh-CN"
CALLERS: Final = _DATA / "prompts" / "callers" / "zh-CN"
"""What callers say in demos and tests, in another voice than the house's."""
HOUSES: Final = _PACKAGE / "etiquette" / "houses"
RULES: Final = _PACKAGE / "etiquette" / "rules.yaml"


def read_text(path: Path) -> str:
    """The text of a YAML file. Raises `SourceError` where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SourceError(Fault(str(path), 1, 1, f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise SourceError(Fault(str(path), 1, 1, f"not UTF-8 at byte {error.start}")) from None


def read_document(path: Path) -> Document:
    """Read and parse a YAML file. Raises `SourceError`, also for a file that cannot be read."""
    return document.parse(read_text(path), str(path))


def house_names() -> list[str]:
    """The houses that ship with the program."""
    return sorted(path.stem for path in HOUSES.glob("*.yaml"))


@cache
def rulebook() -> Rulebook:
    """What every house is held to."""
    return rulebooks.read(read_document(RULES))


def read_house(path: Path) -> House:
    """A house of the admin's own, which may extend one of ours or one beside it.

    Raises `SourceError`, also for one that is weaker than its document.
    """
    source = read_document(path)
    found, whole = house.read_whole(source, _finder(source, path.parent))
    if weaker := [*rulebook().faults(found, whole)]:
        raise SourceError(*weaker)
    return found


def named_house(name: str, asked_by: Document, place: tuple[str, ...], folder: Path) -> House:
    """A house by the name that a flow or configuration uses. Raises `SourceError` at that place."""
    found = _find(name, folder)
    if found is None:
        known = did_you_mean(name, house_names())
        raise SourceError(asked_by.fault(place, f"there is no house {name!r}{known}"))
    return read_house(found)


def _finder(asked_by: Document, folder: Path) -> Callable[[str], Document]:
    def find(name: str) -> Document:
        found = _find(name, folder)
        if found is None:
            known = did_you_mean(name, house_names())
            raise SourceError(asked_by.fault(("extends",), f"there is no house {name!r}{known}"))
        return read_document(found)

    return find


def _find(name: str, folder: Path) -> Path | None:
    # A name is no path: it may not climb out of the two places where houses are.
    if not name.replace("-", "").replace("_", "").isalnum():
        return None
    candidates = [folder / f"{name}.yaml", HOUSES / f"{name}.yaml"]
    return next((path for path in candidates if path.is_file()), None)
