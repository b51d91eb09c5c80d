"""Spaces to the eye that are none to YAML: it takes them for the beginning of a key."""

import re
from typing import Final

_SPACES: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""Spaces to the eye that are none to YAML."""
_WIDE_INDENT: Final = re.compile(rf"[ \t]*(?P<space>[{_SPACES}])\s*(?:- |[\w.*#+\"'-]+\s*[:：])")
_SPACE_NAMES: Final = {"\u00a0": "a no-break space", "\u3000": "a full-width space"}


def wide_indent(line: str) -> tuple[int, str] | None:
    """The column from 0, and what is wrong, where one of them indents a key or an item of a list."""
    found = _WIDE_INDENT.match(line)
    return (found.start("space"), wide_space(found["space"])) if found else None


def wide_space(text: str) -> str:
    """What is wrong where `text` begins with a space that is none to YAML; empty where it does not."""
    if not re.match(f"[{_SPACES}]", text):
        return ""
    name = _SPACE_NAMES.get(text[0], "a space")
    return f"{name} (U+{ord(text[0]):04X}) stands here, which YAML takes for a letter; write plain spaces"
