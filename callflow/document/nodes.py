"""YAML text as nodes that know where they stand: read by libyaml's parser where PyYAML has it.

Nodes are put together here and not by PyYAML: its composer calls itself for each level, and knows no limit.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from callflow.document.not_yaml import diagnosed
from callflow.errors import Fault, SourceError

DEEPEST: Final = 60
TOO_DEEP: Final = f"nested deeper than {DEEPEST} levels"
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNREADABLE: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Control characters, and what stands for none (YAML 1.2.2, 5.1)."""


@dataclass(slots=True)
class Node:
    """A value with its place; lines and columns count from 1."""

    line: int
    column: int
    tag: str | None = None
    """As written, `!!int`; None where it is not said."""


@dataclass(slots=True)
class Scalar(Node):
    text: str = ""
    is_plain: bool = True
    """Whether it stands without quotes, so that it may be a number."""
    is_absent: bool = False
    """Whether nothing is written there at all."""


@dataclass(slots=True)
class Sequence(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping(Node):
    items: list[Node] = field(default_factory=list)
    """Keys and values by turns."""
    is_flow: bool = False
    """Whether it is written in braces."""

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        return zip(self.items[::2], self.items[1::2], strict=True)


def compose(text: str, file: str) -> Node | None:
    """The one document in `text`; None where there is none. Raises `SourceError`."""
    text = text.removeprefix("\ufeff")
    _refuse_unreadable(text, file)
    composing = _Composing(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composing.take(event)
    except yaml.MarkedYAMLError as error:
        raise SourceError(diagnosed(text, file, error)) from None
    return composing.root


def _refuse_unreadable(text: str, file: str) -> None:
    found = UNREADABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        what = f"the invisible character U+{ord(found[0]):04X} stands here; remove it"
        raise SourceError(Fault(file, line, column, what))


def top_level(text: str) -> Iterator[tuple[str, str]]:
    """The keys of the outermost mapping in turn, each with its text; empty where that is none.

    No more is read than is asked for, and what is no YAML only ends it: so the kind of a file that is broken
    further down can be told, and the kind of a long one soon.
    """
    depth, key = 0, None
    try:
        for event in yaml.parse(text.removeprefix("\ufeff"), Loader=_LOADER):
            opens = isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent)
            closes = isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent)
            depth += opens - closes
            if depth == 1 and isinstance(event, yaml.ScalarEvent) and key is None:
                key = str(event.value)
            elif key is not None and depth == 1:
                yield key, str(event.value) if isinstance(event, yaml.ScalarEvent) else ""
                key = None
            elif depth == 0 and (closes or isinstance(event, yaml.ScalarEvent)):
                return
    except yaml.YAMLError:
        return


class _Composing:
    """The nodes of one document on their way from the parser's events."""

    def __init__(self, file: str) -> None:
        self.root: Node | None = None
        self._file = file
        self._open: list[Sequence | Mapping] = []
        self._named: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                self._add(self._scalar(event), event)
            case yaml.SequenceStartEvent():
                self._begin(Sequence(*_place(event), event.tag), event)
            case yaml.MappingStartEvent():
                self._begin(Mapping(*_place(event), event.tag, is_flow=bool(event.flow_style)), event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._open.pop()
            case yaml.AliasEvent():
                if event.anchor not in self._named:
                    what = f"there is no &{event.anchor} above; text that begins with * belongs in quotes"
                    raise SourceError(Fault(self._file, *_place(event), what))
                self._add(self._named[event.anchor])
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    what = "a second document begins here; a file has one: remove this line"
                    raise SourceError(Fault(self._file, *_place(event), what))

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        plain = event.style in (None, "")
        return Scalar(*_place(event), event.tag, event.value, plain, plain and not event.value)

    def _begin(self, node: Sequence | Mapping, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) > DEEPEST:
            raise SourceError(Fault(self._file, *_place(event), TOO_DEEP))
        self._add(node, event)
        self._open.append(node)

    def _add(self, node: Node, event: yaml.NodeEvent | None = None) -> None:
        if event is not None and event.anchor:
            self._named[event.anchor] = node
        if self._open:
            self._open[-1].items.append(node)
        else:
            self.root = node


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
