"""YAML as people break it: characters, lines, values and keys changed at random, but repeatably."""

import random
import re
from collections.abc import Callable, Sequence
from typing import Final

SIGNS: Final = (
    "：", "，", "、", "；", "“", "”", "５", "（", "【", "｛", "\u3000", "\xa0", "\u200b", "\ufeff",
    "\x00", "\x1b", "\t", "\n", "\r", " ", ":", "-", "?", ",", "[", "]", "{", "}", "#", "&", "*", "!",
    "|", ">", "'", '"', "%", "@", "`", "\\", "~", "=", "<<", "---", "...", "é", "龍", "😀", "\u2028",
    "\x85", "0", "9", "_", ".",
)  # fmt: skip
VALUES: Final = (
    "", "~", "null", "true", "yes", "on", "012", "2.0", "1_000", "-1", "0", "5", "5s", "５s", "5 s",
    "-5s", "1e3", "0x1F", ".inf", ".nan", "9" * 25, "[]", "{}", "[a]", "{a: b}", "[[]]", "x", "''",
    '""', '"\\0"', '"\\u2028"', "!!int x", "!!float nan", "!!binary aGk=", "!own x", "!!str 5", "&a x",
    "*a", "*seat", "&a [*a]", "|", ">-", "2026-01-02", "../../etc/passwd", "/proc/self/mem", "x" * 300,
    "127.0.0.1:5060", "0.0.0.0:1", "::1", "[" * 100, "csr-standard", "greeting", "queue_place",
    "close", "serve", "8001", '"8001"', "“8001”", "1: 2", "a b: c",
)  # fmt: skip

Change = Callable[[str, random.Random], str]


def mutated(text: str, chance: random.Random) -> str:
    """`text` with one to three changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        text = chance.choice(CHANGES)(text, chance)
    return text


def _at(text: str, chance: random.Random) -> int:
    return chance.randrange(len(text) + 1)


def _insert(text: str, chance: random.Random) -> str:
    at = _at(text, chance)
    return text[:at] + chance.choice(SIGNS) + text[at:]


def _delete(text: str, chance: random.Random) -> str:
    at = _at(text, chance)
    return text[:at] + text[at + chance.choice((1, 1, 2, 5)) :]


def _replace(text: str, chance: random.Random) -> str:
    at = _at(text, chance)
    return text[:at] + chance.choice(SIGNS) + text[at + 1 :]


def _swap(text: str, chance: random.Random) -> str:
    at = _at(text, chance)
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def _cut(text: str, chance: random.Random) -> str:
    return text[: _at(text, chance)]


def _lines(change: Callable[[list[str], int, random.Random], Sequence[str]]) -> Change:
    def apply(text: str, chance: random.Random) -> str:
        lines = text.split("\n")
        return "\n".join(change(lines, chance.randrange(len(lines)), chance))

    return apply


def _without(lines: list[str], at: int, chance: random.Random) -> list[str]:
    return lines[:at] + lines[at + 1 :]


def _twice(lines: list[str], at: int, chance: random.Random) -> list[str]:
    return lines[: at + 1] + lines[at:]


def _moved(lines: list[str], at: int, chance: random.Random) -> list[str]:
    to = chance.randrange(len(lines))
    rest = lines[:at] + lines[at + 1 :]
    return [*rest[:to], lines[at], *rest[to:]]


def _indented(lines: list[str], at: int, chance: random.Random) -> list[str]:
    line = lines[at]
    shifted = chance.choice((" " + line, "  " + line, "\t" + line, line.lstrip(), line[1:]))
    return [*lines[:at], shifted, *lines[at + 1 :]]


def _widened(lines: list[str], at: int, chance: random.Random) -> list[str]:
    """A colon, a comma or quotation marks as an input method for Chinese types them."""
    line = lines[at]
    for narrow, wide in chance.sample(((": ", "："), (":", "："), (", ", "，"), ('"', "“"), ("s", "ｓ")), 2):
        line = line.replace(narrow, wide, 1)
    return [*lines[:at], line, *lines[at + 1 :]]


def _value(text: str, chance: random.Random) -> str:
    """Another value where one stands."""
    found = [*re.finditer(r"(?<=: )[^\s,\]}#][^,\]}#\n]*", text)]
    if not found:
        return _insert(text, chance)
    place = chance.choice(found)
    return text[: place.start()] + chance.choice(VALUES) + text[place.end() :]


def _word(text: str, chance: random.Random) -> str:
    """A word, which may be a key or a name, with a letter too few, too many, or changed."""
    found = [*re.finditer(r"[a-z_]{3,}", text)]
    if not found:
        return _insert(text, chance)
    place = chance.choice(found)
    word, at = place[0], chance.randrange(len(place[0]))
    typed = chance.choice(
        (word[:at] + word[at + 1 :], word[:at] + "e" + word[at:], word[:at] + "q" + word[at + 1 :])
    )
    return text[: place.start()] + typed + text[place.end() :]


CHANGES: Final[tuple[Change, ...]] = (
    _insert, _delete, _replace, _swap, _cut, _value, _value, _value, _word, _word,
    _lines(_without), _lines(_twice), _lines(_moved), _lines(_indented), _lines(_widened),
)  # fmt: skip
