"""What the documents forbid to be said, found in a text: without punctuation, and 你 as good as 您."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_LONG: Final = 7
"""Characters. What is shorter is forbidden only as a whole clause: `不知道` may be in a decent sentence."""
_ANY: Final = "{x}"
"""Stands for any words in a forbidden utterance."""
_SLOT: Final = re.compile(r"\{\w*\}")


class Forbidden:
    """The utterances of some documents."""

    def __init__(self, utterances: Iterable[str]) -> None:
        self._patterns = {said: re.compile(_pattern(said)) for said in utterances}

    def found_in(self, text: str) -> Iterator[str]:
        """Each of them that `text` has, as its document writes it."""
        clauses = f"|{_clauses(_SLOT.sub('|', text))}|"
        return (said for said, pattern in self._patterns.items() if pattern.search(clauses))


def _clauses(text: str) -> str:
    """The words with one bar between clauses, in place of all punctuation."""
    return "|".join(re.findall(r"\w+", text.replace("您", "你")))


def _pattern(said: str) -> str:
    # 喂 before it is as it may be, but 喂，什么 is forbidden only with it.
    bare = said.removeprefix("喂，") if len(said) > len("喂，什么？") else said
    parts = [_clauses(part).replace("|", "") for part in bare.split(_ANY)]
    words = "[^|]*".join(r"\|?".join(part) for part in parts)
    return words if sum(map(len, parts)) >= _LONG else rf"\|{words}\|"
