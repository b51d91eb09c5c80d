"""YAML that remembers where each value stands, checked against a pydantic model.

The YAML is that of version 1.2 as people expect it: `on`, `no` and `1:30` stay strings, a key
given twice is a fault, and a fault names `file:line:column`, what is wrong and what would be right.
"""

import difflib
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar

import pydantic
import yaml
from pydantic_core import ErrorDetails

from callflow.errors import Fault, SourceError

Path = tuple[str | int, ...]
Place = tuple[str, int, int]
"""File, line, column."""
ModelT = TypeVar("ModelT", bound=pydantic.BaseModel)


class Shape(pydantic.BaseModel):
    """The base of everything read from YAML: frozen, and an unknown key is a fault."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


_KIND: Final = "do"
"""The key that says which of several models a mapping is; the same in every file of ours."""
_DEEPEST: Final = 60
_TOO_DEEP: Final = f"nested deeper than {_DEEPEST} levels"
_MOST: Final = 100_000

_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")


def seconds(text: object) -> float:
    """The seconds in `5s`, `2m`, `1m30s` or `300ms`; a bare number has no unit and is refused."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or not text:
        raise ValueError(f"{text!r} is not a duration; write it with its unit, as 5s, 300ms or 2m")
    hours, minutes, secs, millis = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + secs + millis / 1000


Duration = Annotated[float, pydantic.BeforeValidator(seconds)]
"""Seconds, written in YAML with a unit."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML file: its plain data, and the place of every key and value."""

    file: str
    data: Any
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)

    def fault(self, path: Path, what: str, *, at_key: bool = False) -> Fault:
        """A fault at the value (or the key) that `path` leads to, or at the nearest place above it."""
        for end in range(len(path), -1, -1):
            first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
            place = first.get(path[:end]) or second.get(path[:end])
            if place:
                return Fault(*place, what)
        return Fault(self.file, 1, 1, what)

    def read_as(self, model: type[ModelT]) -> ModelT:
        """The data as `model`; raises `SourceError` with every fault, not only the first."""
        try:
            return model.model_validate(self.data)
        except pydantic.ValidationError as error:
            faults = {self._translate(details) for details in error.errors(include_url=False)}
            raise SourceError(*sorted(faults)) from None

    def over(self, base: "Document") -> "Document":
        """This document laid over `base`: mappings are merged key by key, all else is replaced."""
        data = _merge(base.data, self.data)
        return Document(self.file, data, base.keys | self.keys, base.values | self.values)

    def _translate(self, details: ErrorDetails) -> Fault:
        # pydantic puts the tags of unions into `loc`; only what stands in the document is a place.
        path = self._in_document(details["loc"])
        match details["type"]:
            case "extra_forbidden":
                return self.fault(path, f"unknown key {path[-1]!r}", at_key=True)
            case "missing":
                return self.fault(path, f"the key {details['loc'][-1]!r} is missing here", at_key=True)
            case "union_tag_not_found":
                return self.fault(path, f"the key {_KIND!r} is missing here", at_key=True)
            case "model_type" | "model_attributes_type" | "dict_type":
                return self.fault(path, f"keys with values belong here, not {details['input']!r}")
            case "value_error":
                return self.fault(path, str(details["ctx"]["error"]))
            case "union_tag_invalid":
                ctx = details["ctx"]
                return self.fault((*path, _KIND), f"{ctx['tag']!r} is none of {ctx['expected_tags']}")
            case _:
                of_key = details["loc"][-1:] == ("[key]",)
                return self.fault(path, f"{details['msg']}, not {details['input']!r}", at_key=of_key)

    def _in_document(self, loc: Path) -> Path:
        path: Path = ()
        here = self.data
        tagged: Path | None = None
        for part in loc:
            if isinstance(here, dict) and here.get(_KIND) == part and tagged != path:
                # The tag, which may well be spelled like one of the keys: `do: say` beside `say:`.
                tagged = path
            elif (*path, part) in self.values:
                path = (*path, part)
                here = here[part]
        return path


def _merge(base: Any, child: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(child, dict)):
        return child
    return base | {key: _merge(base.get(key), value) for key, value in child.items()}


def did_you_mean(word: str, known: Iterator[str] | list[str]) -> str:
    """`; did you mean 'x'?` where something known is near, else what is known."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known are {', '.join(known)}" if known else ""


class _TooDeep(yaml.MarkedYAMLError):
    """Of the right form, but nested deeper than anybody writes."""


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with the resolvers of YAML 1.2's core schema instead of 1.1's."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        # PyYAML composes by recursion, so depth must be limited here, before Python's own limit is met.
        self.depth += 1
        if self.depth > _DEEPEST + 1:
            raise _TooDeep(problem=_TOO_DEEP, problem_mark=self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:null", r"~|null|", "~n"),
    ("tag:yaml.org,2002:bool", r"true|false", "tf"),
    ("tag:yaml.org,2002:int", r"[-+]?(?:0|[1-9][0-9]{0,17})", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), [*_first])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\Z"), [""])


def parse(text: str, file: str) -> Document:
    """Parse YAML `text`; `file` is only the name in faults. Raises `SourceError`."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = str(error.problem) if isinstance(error, _TooDeep) else f"not YAML: {error.problem}"
        raise SourceError(Fault(file, line, column, what)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SourceError(Fault(file, line, 1, f"not YAML: {error.reason}")) from None
    if root is None:
        raise SourceError(Fault(file, 1, 1, "the file is empty"))
    document = Document(file, None)
    faults: list[Fault] = []
    data = _build(root, (), document, faults, depth=0)
    if faults:
        raise SourceError(*sorted(faults))
    return Document(file, data, document.keys, document.values)


def _build(node: yaml.Node, path: Path, document: Document, faults: list[Fault], depth: int) -> Any:
    document.values[path] = _place(node, document.file)
    # What aliases repeat is built each time: a circle is deep without end, and a few lines can be millions.
    if depth > _DEEPEST:
        raise SourceError(Fault(*_place(node, document.file), _TOO_DEEP))
    if len(document.values) > _MOST:
        raise SourceError(Fault(*_place(node, document.file), f"more than {_MOST} values"))
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, path, document, faults, depth)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, i), document, faults, depth + 1) for i, item in enumerate(node.value)]
    try:
        return _scalar(node)
    except ValueError:
        what = f"{node.value[:40]!r} is not of the kind {node.tag.rpartition(':')[2]}"
        faults.append(Fault(*_place(node, document.file), what))
        return None


def _build_mapping(
    node: yaml.MappingNode, path: Path, document: Document, faults: list[Fault], depth: int
) -> dict[Hashable, Any]:
    built: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(Fault(*_place(key_node, document.file), "a key must be plain text"))
            continue
        # Keys are names: digits pressed and numbers stay text without quotes.
        key = key_node.value
        if key in built:
            faults.append(Fault(*_place(key_node, document.file), f"the key {key!r} is given twice"))
        document.keys[(*path, key)] = _place(key_node, document.file)
        built[key] = _build(value_node, (*path, key), document, faults, depth + 1)
    return built


def _scalar(node: yaml.Node) -> Any:
    """The value; raises `ValueError` where an explicit tag, as `!!int`, does not fit it."""
    match node.tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return node.value == "true"
        case "int":
            return int(node.value)
        case "float":
            return float(node.value)
        case _:
            return node.value


def _place(node: yaml.Node, file: str) -> Place:
    return file, node.start_mark.line + 1, node.start_mark.column + 1
