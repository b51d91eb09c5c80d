"""What a model finds wrong with a document, in words of ours: what stands there, and what would be right."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pydantic
from pydantic_core import ErrorDetails

from callflow.document.kinds import TAG, Kind, key_kind_at, kind_at
from callflow.document.not_yaml import full_width, mistyped_colon
from callflow.errors import Unknown, UnknownName, WrongAt
from callflow.suggestions import as_typed, shown

Path = tuple[str | int, ...]

OTHERWISE: Final = "does not belong here"
"""How a sentence ends that was made for no kind of error; tests see to it that none is needed."""
_TRUE: Final = {"true", "yes", "on", "1", "y", "是", "开"}
_FALSE: Final = {"false", "no", "off", "0", "n", "否", "关"}
_ITEM: Final = re.compile(r"(?:^|\s)-[^\S \t\n]*(?=[^\s\d-]|\d+[^\d\s])")
"""A hyphen that was to begin an item of a list; -5 is a number."""
_KEYS_BELONG: Final = "keys with values belong here"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong, and where."""

    path: Path
    what: str
    at_key: bool = False
    unknown: Unknown | None = None
    elsewhere: tuple[Path, ...] = ()
    """Other values that could be mended as well."""


def wrongs(model: type[pydantic.BaseModel], data: Any, errors: list[ErrorDetails]) -> list[Wrong]:
    """What pydantic's `errors` about `data` stand for; of a union's several complaints the one that fits."""
    located = _without_consequences([_Located.of(details, data) for details in errors])
    deep = {each.fork for each in located if each.fork is not None and len(each.path) > len(each.fork)}
    found: list[Wrong] = []
    forks: dict[Path, list[_Located]] = {}
    for each in located:
        if each.fork is None or len(each.path) > len(each.fork):
            found.append(_Sentence(model, data, each).wrong())
        elif each.fork not in deep:
            forks.setdefault(each.fork, []).append(each)
    return [*found, *(_of_fork(model, data, several) for several in forks.values())]


def _without_consequences(located: list["_Located"]) -> list["_Located"]:
    """Those that stand for themselves: a list is not too short only because what is in it is wrong."""
    above = {each.path[:end] for each in located for end in range(len(each.path))}
    return [each for each in located if each.details["type"] != "too_short" or each.path not in above]


def _of_fork(model: type[pydantic.BaseModel], data: Any, several: list["_Located"]) -> Wrong:
    """What is wrong where several types could stand and none does."""
    maps = [each for each in several if each.details["type"] in _MAPPING]
    others = [each for each in several if each not in maps and each.details.get("ctx") != {"expected": "''"}]
    first = (others or several)[0]
    value, expected = first.details["input"], first.details.get("ctx", {}).get("expected")
    if maps and expected and not isinstance(value, str):
        return Wrong(first.path, f"{expected}, or keys with values, belong here, not {shown(value)}")
    return _Sentence(model, data, first).wrong()


@dataclass(frozen=True, slots=True)
class _Located:
    """An error of pydantic's at its place in the document."""

    details: ErrorDetails
    path: Path
    fork: Path | None
    """Where the document has a value that could be of several types."""

    @classmethod
    def of(cls, details: ErrorDetails, data: Any) -> "_Located":
        # pydantic puts tags of unions, names of types and `[key]` into `loc`; the rest is the document's.
        path: Path = ()
        fork: Path | None = None
        tagged: Path | None = None
        loc = details["loc"][:-1] if details["type"] == "missing" else details["loc"]
        for part in loc:
            if isinstance(data, dict) and data.get(TAG) == part and tagged != path:
                # The tag, which may well be spelled like one of the keys: `do: say` beside `say:`.
                tagged = path
            elif _is_in(data, part):
                path, data = (*path, part), data[part]
            elif part != "[key]":
                fork = path if fork is None else fork
        return cls(details, path, fork)


def _is_in(data: Any, part: str | int) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


class _Sentence:
    """One error, put into words."""

    def __init__(self, model: type[pydantic.BaseModel], data: Any, located: _Located) -> None:
        self._model, self._data = model, data
        self._path = located.path
        self._details = located.details
        self._type = located.details["type"]
        self._input: Any = located.details["input"]
        self._of_key = located.details["loc"][-1:] == ("[key]",)

    def wrong(self) -> Wrong:
        unknown: Unknown | None = None
        match self._type:
            case "extra_forbidden":
                kind = kind_at(self._model, self._path[:-1], self._data)
                what, key = f"unknown key {self._path[-1]!r}", str(self._path[-1])
                return Wrong(self._path, what, True, Unknown(key, kind.keys, lists=True))
            case "missing":
                return Wrong(self._path, f"the key {self._details['loc'][-1]!r} is missing here", True)
            case "union_tag_not_found":
                return Wrong(self._path, f"the key {TAG!r} is missing here", True)
            case "union_tag_invalid":
                tags = re.findall(r"'([^']*)'", str(self._details["ctx"]["expected_tags"]))
                tag = str(self._details["ctx"]["tag"])
                what, path = f"{tag[:40]!r} is not known here", (*self._path, TAG)
                return Wrong(path, what, unknown=Unknown(tag, tags, lists=True))
            case "literal_error" | "enum":
                what, unknown = self._none_of()
            case "value_error" if isinstance(self._details["ctx"]["error"], WrongAt):
                error = self._details["ctx"]["error"]
                path, *others = ((*self._path, *each) for each in error.paths)
                return Wrong(path, str(error), elsewhere=tuple(others))
            case "value_error" if isinstance(self._details["ctx"]["error"], UnknownName):
                what, unknown = self._own(), self._details["ctx"]["error"].unknown
            case _:
                what = self._what()
        return Wrong(self._path, what, self._of_key, unknown)

    @property
    def _kind(self) -> Kind:
        if self._of_key:
            return key_kind_at(self._model, self._path[:-1], self._data)
        return kind_at(self._model, self._path, self._data)

    @property
    def _shown(self) -> str:
        return "this" if self._kind.is_secret else shown(self._input)

    def _what(self) -> str:
        if self._type in _MAPPING:
            return self._no_mapping()
        if self._type == "value_error":
            return self._own()
        if self._type in _PLAIN:
            return _PLAIN[self._type](self._input)
        if self._type == "string_pattern_mismatch":
            return self._other_form()
        if self._type in _OUT_OF_RANGE:
            return f"{self._shown} is out of range; {self._kind.range} is right here"
        return self._number() if self._type in _NUMBERS else f"{self._shown} {OTHERWISE}"

    def _own(self) -> str:
        """A sentence of a validator of ours; a duration's has its limits."""
        kind, what = self._kind, str(self._details["ctx"]["error"])
        if kind.is_duration:
            return f"{what}; {kind.range} is right here" if kind.range else what
        meant = as_typed(self._input) if isinstance(self._input, str) else ""
        return f"{what}; write {meant}" if meant != self._input and kind.takes(meant) else what

    def _no_mapping(self) -> str:
        if isinstance(self._input, str) and (why := mistyped_colon(self._input)):
            return f"{_KEYS_BELONG}: {why}"
        if self._input is None:
            return f"{_KEYS_BELONG}, and there are none"
        return (
            f"{_KEYS_BELONG}, not a password alone"
            if self._kind.is_secret
            else f"{_KEYS_BELONG}, not {self._shown}"
        )

    def _other_form(self) -> str:
        text, pattern = str(self._input), str(self._details["ctx"]["pattern"])
        meant = as_typed(text)
        if meant != text and re.search(pattern, meant):
            return f"{self._shown} is typed in full-width signs or quotation marks; write {meant}"
        wide = next((f"; {full_width(sign)}" for sign in text if sign in "，、；"), "")
        return f"{self._shown} is not {self._kind.form or 'of the right form'}{wide}"

    def _none_of(self) -> tuple[str, Unknown | None]:
        expected = str(self._details["ctx"]["expected"])
        known = re.findall(r"'([^']*)'", expected)
        if len(known) < 2:
            return f"{expected} is right here, not {self._shown}", None
        what = f"{self._shown} is not known here"
        return what, Unknown(str(self._input), [each for each in known if each], lists=True)

    def _number(self) -> str:
        whole = self._type.startswith("int")
        name = "a whole number" if whole else "a number"
        if isinstance(self._input, dict | list) or self._input is None:
            return f"{name} belongs here, not {self._shown}"
        meant = _number_meant(self._input, whole=whole)
        right = f"write {meant}" if meant else f"{self._kind.range or 'digits alone'} is right here"
        if meant and meant == self._input:
            right += " without quotes"
        return f"{self._shown} is not {name}; {right}"


def _number_meant(value: Any, *, whole: bool) -> str:
    """The number that `value` was meant for; empty where it was meant for none."""
    if isinstance(value, bool):
        return ""
    text = as_typed(str(value)).replace("_", "").replace(" ", "").removeprefix("+")
    if re.fullmatch(r"-?\d+(?:\.0+)?", text, re.ASCII):
        return str(int(text.partition(".")[0])) if len(text) < 19 else ""
    decimal = re.fullmatch(r"-?\d{1,12}[.,]\d{1,12}", text, re.ASCII)
    return "" if whole or decimal is None else text.replace(",", ".")


def _text_belongs(value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        return f"text belongs here, not {shown(value)}"
    what = "no text" if isinstance(value, bool) else "a number and no text"
    return f"{shown(value)} is {what}; put it in quotes"


def _true_or_false(value: Any) -> str:
    word = as_typed(str(value)).lower()
    meant = "true" if word in _TRUE else "false" if word in _FALSE else ""
    return f"{shown(value)} is neither true nor false" + (f"; write {meant}" if meant else "")


def _list_belongs(value: Any) -> str:
    if isinstance(value, str) and _ITEM.match(value):
        meant = ", ".join(_ITEM.split(value)[1:])[:40]
        return f"a list belongs here, and '-' begins an item only with a space after it; write [{meant}]"
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return f"a list belongs here; write [{str(value)[:40]}]"
    return f"a list belongs here, as [a, b], not {shown(value)}"


_MAPPING: Final = {"model_type", "model_attributes_type", "dict_type", "mapping_type", "dataclass_type"}
_OUT_OF_RANGE: Final = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"}
_NUMBERS: Final = {
    "int_type", "int_parsing", "int_parsing_size", "int_from_float",
    "float_type", "float_parsing",
}  # fmt: skip
_PLAIN: Final[dict[str, Callable[[Any], str]]] = {
    "string_type": _text_belongs,
    "path_type": _text_belongs,
    "bool_type": _true_or_false,
    "bool_parsing": _true_or_false,
    "list_type": _list_belongs,
    "tuple_type": _list_belongs,
    "too_short": lambda value: "at least one belongs here, and there is none",
    "string_too_short": lambda value: "this must not be empty",
}
