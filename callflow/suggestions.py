"""What faults show: a value as it is written, and what somebody may have meant by it."""

import difflib
import re
import unicodedata
from collections.abc import Collection
from typing import Any, Final

_SHORT: Final = 12
"""So many names are listed; more would hide what is wrong."""
_LONGEST: Final = 100
"""Characters; what is longer is nobody's name."""
_SLIP: Final = 0.85
"""How like a known name a misspelt one is, by difflib's ratio; `main_menu` and `mein_menu` are 0.89."""
_ID: Final = re.compile(r"([a-z]+)-(\d{2})")
"""The ids of rules. One digit makes another rule of it, so that 03 is not like 36."""
_NEARLY_ID: Final = re.compile(r"([a-z]+)[-_ ]*(\d{1,4})", re.IGNORECASE)
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


def is_slip(word: str, known: Collection[str]) -> bool:
    """Whether `word` differs from something known by no more than a slip of a key or two."""
    return bool(difflib.get_close_matches(word[:_LONGEST], known, n=1, cutoff=_SLIP))


def _nearest(word: str, names: list[str]) -> str | None:
    """The name that is most like `word`, if any is much like it."""
    narrow = as_typed(word)
    if narrow in names:
        return narrow
    ids = [name for name in names if _ID.fullmatch(name)]
    if ids and (found := _NEARLY_ID.fullmatch(narrow)):
        return _nearest_id(found[1].lower(), found[2], ids)
    near = difflib.get_close_matches(narrow[:_LONGEST], names, n=1)
    return near[0] if near else None


def _nearest_id(letters: str, digits: str, ids: list[str]) -> str | None:
    """Of ids as `csr-04` the one of the same number, or one with a digit more or less."""
    same = [name for name in ids if int(name[-2:]) == int(digits)]
    exact = [name for name in same if name[:-3] == letters]
    longer = [name for name in ids if name[:-3] == letters and len(digits) != 2]
    word = f"{letters}-{digits}"
    # Where the letters are those of some, they are not what is misspelt.
    others = [] if any(name[:-3] == letters for name in ids) else same
    near = exact or difflib.get_close_matches(word, longer or others, n=1)
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
