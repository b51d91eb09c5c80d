"""prompts.yaml: what each key says, and which recordings say it.

A text may have slots, as `工号{seat}`: then the words around them are recorded one by one and the
value is spoken from a list of recordings (`slots: {seat: digits}`), because no engine runs in a call.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

import pydantic

from callflow import document
from callflow.document import Document, Duration, Form, Shape
from callflow.errors import Fault, SourceError, Unknown

NAME: Final = "prompts.yaml"

_SLOT: Final = re.compile(r"\{(\w+)\}")
_SPOKEN: Final = re.compile(r"\w")


def _lists(named: object) -> object:
    if isinstance(named, str):
        return (named,)
    return tuple(named) if isinstance(named, list) else named


def _inside(file: str) -> str:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or path.suffix != ".wav":
        raise ValueError(f"{file!r} must be a .wav below the directory of {NAME}, as greeting.wav")
    return file


def _lower(digits: object) -> object:
    """Windows prints them in capitals."""
    return digits.lower() if isinstance(digits, str) else digits


File = Annotated[str, pydantic.AfterValidator(_inside)]
Lists = Annotated[tuple[str, ...], pydantic.BeforeValidator(_lists), pydantic.Field(min_length=1)]
"""One list, or several that are one together."""
Sha256 = Annotated[
    str,
    pydantic.BeforeValidator(_lower),
    pydantic.Field(pattern=r"^([0-9a-f]{64})?$"),
    Form("a SHA-256 of 64 hexadecimal digits"),
]


class Recording(Shape):
    """A sound file; both are empty until `callflow prompts build` has made it."""

    file: File | None = None
    sha256: Sha256 = ""


class Item(Recording):
    """One entry of a list, as the digit 1 and how it is read."""

    text: Annotated[str, pydantic.Field(min_length=1)]


class Prompt(Recording):
    """A text with one recording, or with slots and a recording for each piece between them."""

    text: Annotated[str, pydantic.Field(min_length=1)]
    slots: Mapping[str, Lists] = pydantic.Field(default_factory=dict)
    """From the slot's name to the lists that speak its value."""
    parts: tuple[Recording, ...] = ()


class Pace(Shape):
    """How `build` speaks."""

    speed: Annotated[float, pydantic.Field(ge=0.5, le=2)]
    """The engine's factor for texts; 1 is its own pace, less is slower."""
    items: Annotated[float, pydantic.Field(ge=0.5, le=2)]
    """The same for the entries of lists."""
    comma: Duration
    """Seconds of silence at least where the voice pauses inside a sentence."""
    stop: Duration
    """Seconds of silence between two sentences."""
    at_most: Annotated[float, pydantic.Field(gt=0)]
    """Characters a minute; `callflow prompts check` finds fault with a text spoken faster."""


class Manifest(Shape):
    """The whole of prompts.yaml."""

    version: Literal[1] = pydantic.Field(alias="callflow-prompts")
    locale: str
    voice: str
    pace: Pace | None = None
    """Absent where every recording is the house's own."""
    prompts: Mapping[str, Prompt] = pydantic.Field(default_factory=dict)
    lists: Mapping[str, Mapping[str, Item]] = pydantic.Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text: words to record, or the name of a slot."""

    text: str
    is_slot: bool
    after_mark: bool
    """Whether punctuation parts it from what comes before."""


def pieces(text: str) -> tuple[Piece, ...]:
    """The pieces of `text` in order; punctuation alone is no piece but a pause."""
    found: list[Piece] = []
    mark = False
    for index, part in enumerate(_SLOT.split(text)):
        spoken = _SPOKEN.search(part)
        if index % 2:
            found.append(Piece(part, is_slot=True, after_mark=mark))
            mark = False
        elif spoken:
            mark = mark or spoken.start() > 0
            found.append(Piece(part[spoken.start() :], is_slot=False, after_mark=mark))
            mark = not _SPOKEN.match(part[-1])
        else:
            mark = mark or bool(part)
    return tuple(found)


def characters(text: str) -> int:
    """How many characters of `text` are spoken: Hanzi and digits, no punctuation, no slots."""
    return len(_SPOKEN.findall(_SLOT.sub("", text)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A recording that a manifest wants: where it is declared, under which name, and its words."""

    path: document.Path
    name: str
    text: str
    recording: Recording
    is_item: bool = False


def wanted(manifest: Manifest) -> Iterator[Wanted]:
    """Every recording, in the order of the file; a piece of `greeting` is named `greeting.1`."""
    for key, prompt in manifest.prompts.items():
        here: document.Path = ("prompts", key)
        found = pieces(prompt.text)
        if not any(piece.is_slot for piece in found):
            yield Wanted(here, key, prompt.text, prompt)
            continue
        words = [piece.text for piece in found if not piece.is_slot]
        for index, text in enumerate(words):
            part = prompt.parts[index] if index < len(prompt.parts) else Recording()
            yield Wanted((*here, "parts", index), f"{key}.{index + 1}", text, part)
    for name, items in manifest.lists.items():
        for value, item in items.items():
            yield Wanted(("lists", name, value), f"{name}/{value}", item.text, item, is_item=True)


def read(directory: Path) -> tuple[Document, Manifest]:
    """The manifest of `directory`; raises `SourceError` for what is wrong in its shape."""
    path = directory / NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SourceError(Fault(str(path), 1, 1, f"cannot be read: {reason}")) from None
    source = document.parse(text, str(path))
    return source, source.read_as(Manifest)


def mismatches(source: Document, manifest: Manifest, lists: set[str]) -> Iterator[Fault]:
    """Where texts, slots and parts do not fit together; `lists` are the known names of lists."""
    for key, prompt in manifest.prompts.items():
        here: document.Path = ("prompts", key)
        found = pieces(prompt.text)
        named = {piece.text for piece in found if piece.is_slot}
        if not found:
            yield source.fault((*here, "text"), "the text has no words to speak")
        for slot in sorted(named - prompt.slots.keys()):
            what = f"the slot {{{slot}}} has no list; write slots: {{{slot}: digits}}"
            yield source.fault((*here, "text"), what)
        for slot, names in prompt.slots.items():
            if slot not in named:
                yield source.fault((*here, "slots", slot), f"the text has no slot {{{slot}}}", at_key=True)
            for name in names:
                if name not in lists:
                    what = f"there is no list {name!r}"
                    yield source.fault((*here, "slots", slot), what, unknown=Unknown(name, lists))
        words = sum(not piece.is_slot for piece in found) if named else 0
        if len(prompt.parts) != words:
            what = f"the text has {words} pieces around its slots, but {len(prompt.parts)} parts are given"
            yield source.fault((*here, "parts"), what)
        if named and prompt.file:
            yield source.fault((*here, "file"), "a text with slots has parts, not one file", at_key=True)


def with_recordings(text: str, source: Document, made: Mapping[document.Path, tuple[str, str]]) -> str:
    """The YAML `text` with the file and sha256 of each path in `made`; all else stays as it is written.

    Where a prompt with slots has no `parts` yet, `made` must have all of them.
    """
    edits: list[tuple[int, int, str]] = []
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def offset(path: document.Path) -> int:
        _, line, column = source.values[path]
        return starts[line - 1] + column - 1

    new_parts: dict[document.Path, list[str]] = {}
    for path, (file, sha256) in made.items():
        if path not in source.values:
            new_parts.setdefault(path[:2], []).append(f"{{file: {file}, sha256: {sha256}}}")
            continue
        for name, value in (("sha256", sha256), ("file", file)):
            if (*path, name) in source.values:
                at = offset((*path, name))
                edits.append((at, at + len(_scalar_at(text, at)), value))
            else:
                edits.append(_insertion(text, offset(path), f"{name}: {value}"))
    for path, parts in new_parts.items():
        edits.append(_insertion(text, offset(path), f"parts: [{', '.join(parts)}]"))
    for start, end, value in sorted(edits, key=lambda edit: edit[0], reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _scalar_at(text: str, at: int) -> str:
    match = re.compile(r'"[^"]*"|\'[^\']*\'|[^\s,}\]]*').match(text, at)
    return match[0] if match else ""


def _insertion(text: str, at: int, entry: str) -> tuple[int, int, str]:
    """`entry` made the first one of the mapping that begins at `at`."""
    if text[at] == "{":
        return at + 1, at + 1, f"{entry}, "
    indent = at - text.rfind("\n", 0, at) - 1
    return at, at, f"{entry}\n{' ' * indent}"
