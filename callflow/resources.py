"""What ships with the program: houses, flows, prompts, the table of rules."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from callflow import document
from callflow.document import Document
from callflow.errors import Fault, SourceError, Unknown
from callflow.etiquette import house_files
from callflow.etiquette import rulebook as rulebooks
from callflow.etiquette.house import House
from callflow.etiquette.rulebook import Rulebook
from callflow.named_files import HOUSE, KINDS, head, houses_in, read_text, refuse_other_kind, unread_in

_PACKAGE: Final = Path(__file__).parent
_DATA: Final = _PACKAGE / "data" if (_PACKAGE / "data").is_dir() else _PACKAGE.parent
"""An installed wheel carries flows and prompts inside; a checkout has them beside the package."""

FLOWS: Final = _DATA / "flows"
PROMPTS: Final = _DATA / "prompts" / "zh-CN"
CALLERS: Final = _DATA / "prompts" / "callers" / "zh-CN"
"""What callers say in demos and tests, in another voice than the house's."""
HOUSES: Final = _PACKAGE / "etiquette" / "houses"
RULES: Final = _PACKAGE / "etiquette" / "rules.yaml"


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


@dataclass(frozen=True, slots=True)
class ReadHouse:
    """A house, and where its parts are written: its own file and those of the houses that it extends."""

    house: House
    source: Document
    path: Path

    @property
    def replaces_ours(self) -> bool:
        """Whether it stands in the place of a house that ships with the program, by having its name."""
        return self.path.parent.resolve() != HOUSES.resolve() and self.house.name in house_names()


def read_house(path: Path) -> House:
    """A house of the admin's own, which may extend one of ours or one beside it.

    Raises `SourceError`, also for one that is weaker than its document.
    """
    return house_at(path).house


def house_at(path: Path) -> ReadHouse:
    """The same with its places."""
    refuse_other_kind(path, HOUSE)
    own = read_document(path)
    found, source = house_files.read_whole(own, _Finder(own, path.parent))
    if weaker := sorted(rulebook().faults(found, source)):
        raise SourceError(*weaker)
    return ReadHouse(found, source, path)


def named_house(name: str, asked_by: Document, place: tuple[str, ...], folder: Path) -> ReadHouse:
    """A house by the name that a flow uses. Raises `SourceError` at that place."""
    found = _house_named(name, folder)
    if found is None:
        raise _no_house(name, asked_by, place, folder)
    return house_at(found)


class _Finder:
    """Finds the house that another extends, and then the one that this extends, and so on."""

    def __init__(self, asks: Document, folder: Path) -> None:
        self._asks = asks
        self._folder = folder

    def __call__(self, name: str) -> Document:
        data = self._asks.data
        own = data.get("name") if isinstance(data, dict) else None
        # A house that has the name of one of ours may extend that one.
        found = _house_named(name, HOUSES if name == own else self._folder)
        if found is None and name == own:
            raise SourceError(self._asks.fault(("extends",), f"{name!r} extends itself"))
        if found is None:
            raise _no_house(name, self._asks, ("extends",), self._folder)
        self._asks = read_document(found)
        return self._asks


def _no_house(name: str, asked_by: Document, place: tuple[str, ...], folder: Path) -> SourceError:
    known = {*house_names(), *(each for each, _ in houses_in(folder))}
    beside = folder / f"{name}.yaml"
    what = f"there is no house {name!r}"
    # A name is no path: it may not climb out of the folder.
    if beside.parent == folder and (other := head(beside)).kind:
        said = f"the house {other.name!r}" if other.kind == HOUSE else KINDS[other.kind]
        what += f", and {beside.name} is {said}"
    fault = asked_by.fault(place, what, unknown=Unknown(name, known))
    return SourceError(fault, *(wrong for path in unread_in(folder, name) for wrong in _unread(path)))


def _unread(path: Path) -> tuple[Fault, ...]:
    """Why a file is no house that could be found by its name."""
    try:
        source = read_document(path)
    except SourceError as error:
        return error.faults
    return (source.fault((), "the key 'name' is missing here"),) if head(path).kind == HOUSE else ()


def _house_named(name: str, folder: Path) -> Path | None:
    """The house of that name in the folder, else among ours. Raises `SourceError` where there are two."""
    own = [path for each, path in houses_in(folder) if each == name]
    if len(own) > 1:
        raise SourceError(*(_namesake(path, own) for path in own))
    return next(iter(own), None) or next((path for each, path in houses_in(HOUSES) if each == name), None)


def _namesake(path: Path, paths: list[Path]) -> Fault:
    others = ", ".join(each.name for each in paths if each != path)
    try:
        source = read_document(path)
    except SourceError as error:
        return error.faults[0]
    return source.fault(("name",), f"{others} is a house of this name too; rename or remove one")
