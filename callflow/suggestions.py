"""What faults show: a value as it is written, and what somebody may have meant by it."""

import difflib
import unicodedata
from collections.abc import Collection
from typing import Any, Final

_SHORT: Final = 12
"""So many names are listed; more would hide what is wrong."""
_SIGNS: Final = str.maketrans("“”„«»「」『』‘’‚–—−~。", '"' * 9 + "'" * 3 + "-" * 4 + ".")
"""Quotation marks, dashes and full stops that NFKC leaves as they are."""


def did_you_mean(word: str, known: Collection[str], *, lists: bool = False) -> str:
    """`; did you mean 'x'?` where something known is near, else what is known, where that is short.

    `lists`: what is known is named also where something is near.
    """
    names = sorted(set(known))
    if not names:
        return ""
    near, short = _nearest(word, names), len(names) <= _SHORT
    if near is None:
        told = f"known are {', '.join(names)}" if short else f"none of the {len(names)} known ones is like it"
        return f"; {told}"
    return f"; did you mean {near!r}?" + (f" Known are {', '.join(names)}" if lists and short else "")


def _nearest(word: str, names: list[str]) -> str | None:
    """The name that is most like `word`, if any is much like it."""
    narrow = as_typed(word)
    if narrow in names:
        return narrow
    near = difflib.get_close_matches(narrow[:100], names, n=1)
    return near[0] if near else None


def as_typed(text: str) -> str:
    """`text` with narrow signs in place of the full-width ones, and without quotation marks."""
    return unicodedata.normalize("NFKC", text).translate(_SIGNS).strip().strip("\"'").strip()


def shown(value: Any) -> str:
    """A value as people write it in YAML."""
    match value:
        case None:
            return "an empty value"
        case bool():
            return str(value).lower()
        case str():
            return repr(value[:40])
        case dict():
            return "keys with values"
        case list():
            return "a list"
    return str(value)[:40]
