"""Houses as YAML says them: one may extend another, and then says only what differs.

The text comes in as a `Document`: who reads the file is not this floor's business.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from callflow.document import Document
from callflow.errors import Fault, SourceError, Unknown
from callflow.etiquette.bases import Base
from callflow.etiquette.house import CARRIED, House
from callflow.suggestions import is_slip, shown

_MOST_BASES: Final = 20
"""So many houses may extend each other in a row."""
_USUAL: Final = "csr-standard"
"""What a house is taken to extend that does not say it well, so that its other faults can be told."""
_FEW: Final = 3
"""Parts that are missing in a house that is written whole; where it is more, another says the rest."""


def read(document: Document, find: Callable[[str], Document]) -> House:
    """The house in `document`, laid over those it extends; `find` gives a house's document by name.

    Raises `SourceError` with every fault. A house that extends itself is a fault too.
    """
    return read_whole(document, find)[0]


def read_whole(document: Document, find: Callable[[str], Document]) -> tuple[House, Document]:
    """The same, with the document that it was read from: its own, and what it has from others."""
    _refuse_without_base(document, find)
    document, *bases = _with_bases(document, find, ())
    house = document.read_as(House).over(*(Base.of(base.data) for base in bases))
    unknown = [
        document.fault(
            ("rules", rule), f"{rule!r} is not carried", at_key=True, unknown=Unknown(rule, CARRIED)
        )
        for rule in house.rules
        if rule not in CARRIED
    ]
    if unknown:
        raise SourceError(*unknown)
    return house, document


def _with_bases(
    document: Document, find: Callable[[str], Document], seen: tuple[Document, ...]
) -> list[Document]:
    """The document laid over those it extends, then each of those; `seen` are the houses that extend it."""
    base = document.data.get("extends") if isinstance(document.data, dict) else None
    if not isinstance(base, str):
        return [document]
    found, seen = find(base), (*seen, document)
    again = next((at for at, each in enumerate(seen) if each.file == found.file), None)
    if again is not None:
        raise SourceError(_circle(seen[again:]))
    if len(seen) > _MOST_BASES:
        what = f"more than {_MOST_BASES} houses extend each other in a row"
        raise SourceError(document.fault(("extends",), what))
    bases = _with_bases(found, find, seen)
    return [document.over(bases[0]), *bases]


def _circle(houses: Sequence[Document]) -> Fault:
    """Told in the first of them, which is the one that is checked where that is among them."""
    first, names = houses[0], [str(house.data.get("name")) for house in houses]
    steps = (f"{one} extends {other}" for one, other in pairwise([*names, names[0]]))
    what = f"{names[0]!r} extends itself: {', and '.join(steps)}; let one of them extend another house"
    return first.fault(("extends",), what)


def _refuse_without_base(document: Document, find: Callable[[str], Document]) -> None:
    """Raises `SourceError` where a house does not say well which one it extends, and so lacks the rest."""
    data = document.data
    if not isinstance(data, dict) or isinstance(base := data.get("extends"), str):
        return
    missing = [name for name, info in House.model_fields.items() if info.is_required() and name not in data]
    parts = [name for name in missing if name not in ("version", "name", "title")]
    if base is None and len(parts) <= _FEW:
        return
    raise SourceError(*sorted({*_without_base(document, parts), *_other_faults(document, find)}))


def _without_base(document: Document, parts: Sequence[str]) -> list[Fault]:
    if "extends" in document.data:
        base = document.data["extends"]
        first = base[0] if isinstance(base, list) and len(base) == 1 else None
        meant = f"; write {first}" if isinstance(first, str) else f", as {_USUAL}"
        what = f"the name of one house belongs here, not {shown(base)}{meant}"
        return [document.fault(("extends",), what)]
    if any(is_slip(key, ("extends",)) for key in document.data):
        # That key is told as an unknown one.
        return []
    what = f"{len(parts)} parts of a house are missing; name the house that has them, as extends: {_USUAL}"
    return [document.fault((), what)]


def _other_faults(document: Document, find: Callable[[str], Document]) -> Sequence[Fault]:
    """What else would be wrong."""
    usual = replace(document, data={**document.data, "extends": _USUAL})
    try:
        _with_bases(usual, find, ())[0].read_as(House)
    except SourceError as error:
        return error.faults
    return ()
