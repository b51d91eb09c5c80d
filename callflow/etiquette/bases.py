"""Which rules the houses that a house extends stand under: their limits hold for it too."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_RULE: Final = re.compile(r"[a-z]+-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Base:
    """One house that another extends, as far as it names rules."""

    name: str
    rules: Mapping[str, str]
    """By the part of the house that stands under a rule: `silent_line`, `hold.rules.ask`.

    Whatever looks like a rule is here, as a prompt might; who asks knows which parts stand under rules.
    """

    @classmethod
    def of(cls, data: Any) -> "Base":
        """Of what its YAML says, which may be wrong in all else."""
        name = data.get("name") if isinstance(data, dict) else None
        return cls(str(name), dict(_named(data, ())))


def _named(data: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _named(value, (*path, key))
    elif isinstance(data, str) and _RULE.fullmatch(data):
        yield ".".join(path[:-1] if path[-1:] == ("rule",) else path), data
