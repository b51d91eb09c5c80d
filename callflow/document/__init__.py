"""YAML that remembers where each value stands, checked against a pydantic model.

The YAML is that of version 1.2 as people expect it: `on`, `no` and `1:30` stay strings, a key
given twice is a fault, and a fault names `file:line:column`, what is wrong and what would be right.
"""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import pydantic

from callflow.document.durations import Duration, seconds
from callflow.document.kinds import Form
from callflow.document.nodes import DEEPEST, TOO_DEEP, UNREADABLE, Mapping, Node, Scalar, Sequence, compose
from callflow.document.not_yaml import TAGS, mistyped_key
from callflow.document.sentences import Path, Wrong, wrongs
from callflow.document.spaces import wide_space
from callflow.errors import Fault, SourceError, Unknown
from callflow.suggestions import did_you_mean

__all__ = ["Document", "Duration", "Form", "Path", "Place", "Shape", "did_you_mean", "parse", "seconds"]

Place = tuple[str, int, int]
"""File, line, column."""
ModelT = TypeVar("ModelT", bound=pydantic.BaseModel)


class Shape(pydantic.BaseModel):
    """The base of everything read from YAML: frozen, and an unknown key is a fault."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


_MOST: Final = 100_000
"""Values; aliases can make millions of a few lines."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML file: its plain data, and the place of every key and value."""

    file: str
    data: Any
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)

    def fault(self, path: Path, what: str, *, at_key: bool = False, unknown: Unknown | None = None) -> Fault:
        """A fault at the value (or the key) that `path` leads to, or at the nearest place above it."""
        for end in range(len(path), -1, -1):
            first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
            place = first.get(path[:end]) or second.get(path[:end])
            if place:
                return Fault(*place, what, unknown)
        return Fault(self.file, 1, 1, what, unknown)

    def read_as(self, model: type[ModelT]) -> ModelT:
        """The data as `model`; raises `SourceError` with every fault, not only the first."""
        try:
            # As JSON, since there a list may become a tuple and text a path, but nothing else than a number
            # becomes a number: `012`, `2.0` and `yes` are told, and not taken for what they may stand for.
            return model.model_validate_json(json.dumps(self.data), strict=True)
        except pydantic.ValidationError as error:
            found = wrongs(model, self.data, error.errors(include_url=False))
            faults = {
                self.fault(self._own_of(each), each.what, at_key=each.at_key, unknown=each.unknown)
                for each in found
            }
            raise SourceError(*sorted(faults)) from None

    def _own_of(self, wrong: Wrong) -> Path:
        """Where several values could be mended: the first that stands in this file and not below it."""
        ways = (wrong.path, *wrong.elsewhere)
        own = (path for path in ways if self.values.get(path, ("",))[0] == self.file)
        return next(own, wrong.path)

    def over(self, base: "Document") -> "Document":
        """This document laid over `base`: mappings are merged key by key, all else is replaced."""
        data = _merge(base.data, self.data)
        return Document(self.file, data, base.keys | self.keys, base.values | self.values)


def _merge(base: Any, child: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(child, dict)):
        return child
    return base | {key: _merge(base.get(key), value) for key, value in child.items()}


# --- nodes become plain data ---

_VALUES: Final = (
    ("null", re.compile(r"~|null|")),
    ("bool", re.compile(r"true|false")),
    ("int", re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")),
    ("float", re.compile(r"[-+]?[0-9]+\.[0-9]+")),
)
"""The core schema of YAML 1.2, but for its other ways to write a number; what fits none is text."""
_TAG: Final = "tag:yaml.org,2002:"


def parse(text: str, file: str) -> Document:
    """Parse YAML `text`; `file` is only the name in faults. Raises `SourceError`."""
    root = compose(text, file)
    if root is None:
        raise SourceError(Fault(file, 1, 1, "the file is empty"))
    building = _Building(file)
    data = building.build(root, (), 0)
    if building.faults:
        raise SourceError(*sorted(building.faults))
    return Document(file, data, building.keys, building.values)


class _Building:
    """Plain data on its way from nodes."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.faults: list[Fault] = []

    def build(self, node: Node, path: Path, depth: int) -> Any:
        place = self.values[path] = self._file, node.line, node.column
        # What aliases repeat is built each time: a circle has no end, and a few lines can be millions.
        if depth > DEEPEST:
            raise SourceError(Fault(*place, TOO_DEEP))
        if len(self.values) > _MOST:
            raise SourceError(Fault(*place, f"more than {_MOST} values"))
        match node:
            case Mapping():
                return self._mapping(node, path, depth)
            case Sequence(items=items):
                return [self.build(item, (*path, i), depth + 1) for i, item in enumerate(items)]
            case Scalar():
                return self._scalar(node)
        raise AssertionError(node)

    def _mapping(self, node: Mapping, path: Path, depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.pairs():
            place = self._file, key_node.line, key_node.column
            if not isinstance(key_node, Scalar):
                self.faults.append(Fault(*place, "a key must be plain text"))
                continue
            # Keys are names: digits pressed and numbers stay text without quotes.
            key = key_node.text
            if key_node.is_plain and (what := wide_space(key)):
                self.faults.append(Fault(*place, what))
            if key in built:
                self.faults.append(Fault(*place, f"the key {key[:40]!r} is given twice"))
            if key_node.is_plain and (found := mistyped_key(key, alone=_is_alone(node, value_node))):
                column, what = found
                self.faults.append(Fault(self._file, key_node.line, key_node.column + column, what))
            self._refuse_unreadable(key, place)
            self.keys[(*path, key)] = place
            built[key] = self.build(value_node, (*path, key), depth + 1)
        return built

    def _scalar(self, node: Scalar) -> Any:
        text, kind = node.text, ""
        self._refuse_unreadable(text, (self._file, node.line, node.column))
        if node.tag is not None:
            kind = node.tag.removeprefix(_TAG)
            form = dict(_VALUES).get(kind)
            if kind.startswith("!"):
                self.faults.append(Fault(self._file, node.line, node.column, TAGS))
                return None
            if kind != "str" and not (form and form.fullmatch(text)):
                what = (
                    f"{text[:40]!r} is not of the kind {kind[:40]}; remove the tag, or put the text in quotes"
                )
                self.faults.append(Fault(self._file, node.line, node.column, what))
                return None
        elif node.is_plain:
            kind = next((name for name, form in _VALUES if form.fullmatch(text)), "str")
        match kind:
            case "null":
                return None
            case "bool":
                return text == "true"
            case "int":
                return int(text)
            case "float":
                return float(text) if math.isfinite(float(text)) else text
        return text

    def _refuse_unreadable(self, text: str, place: Place) -> None:
        """An escape in double quotes can make signs that no name and no path may have."""
        found = UNREADABLE.search(text)
        if found:
            what = f"the text has the invisible character U+{ord(found[0]):04X}; remove it"
            self.faults.append(Fault(*place, what))


def _is_alone(node: Mapping, value: Node) -> bool:
    """Whether a key in braces has no value at all: `{do say}`."""
    return node.is_flow and isinstance(value, Scalar) and value.is_absent
