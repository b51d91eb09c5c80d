"""Text of peers for a terminal: nothing in it may move the cursor, colour or reorder what is shown."""

import json
import unicodedata
from typing import Final

_UNSAFE: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Control and formatting characters (escape sequences, changes of direction), surrogates, unassigned ones,
separators of lines and paragraphs."""


def plain(text: str, *, keep: str = "") -> str:
    """The text with unsafe characters written as `\\x1b` or `\\u202e`; those in `keep` stay."""
    if text.isprintable():
        return text
    return "".join(one if one in keep or not _is_unsafe(one) else _escaped(one) for one in text)


def plain_json(text: str) -> str:
    """JSON with unsafe characters written as JSON's own escapes: the same value, and fit for a terminal."""
    if text.isprintable():
        return text
    return "".join(json.dumps(one)[1:-1] if _is_unsafe(one) else one for one in text)


def _is_unsafe(one: str) -> bool:
    return unicodedata.category(one) in _UNSAFE


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
