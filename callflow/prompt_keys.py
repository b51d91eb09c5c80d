"""Where houses and flows name prompts: found by the types of their fields, so that none is left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic

from callflow.document import Path


@dataclass(frozen=True, slots=True)
class NamesPrompt:
    """Marks a type whose values are keys of prompts."""

    fills: frozenset[str] = field(default_factory=frozenset)
    """The slots that a call fills when it says such a prompt; all others are the configuration's."""


def _filling(*slots: str) -> NamesPrompt:
    return NamesPrompt(frozenset(slots))


PromptKey = Annotated[str, pydantic.Field(min_length=1), _filling()]
SeatPrompt = Annotated[str, pydantic.Field(min_length=1), _filling("seat")]
"""Said with the number of a seat."""
TargetPrompt = Annotated[str, pydantic.Field(min_length=1), _filling("target")]
"""Said with the name of the target of a transfer."""
SurnamePrompt = Annotated[str, pydantic.Field(min_length=1), _filling("surname")]
MatterPrompt = Annotated[str, pydantic.Field(min_length=1), _filling("matter")]
MinutesPrompt = Annotated[str, pydantic.Field(min_length=1), _filling("minutes")]
AheadPrompt = Annotated[str, pydantic.Field(min_length=1), _filling("ahead")]
"""Said with how many callers are served before."""
NumberPrompt = Annotated[str, pydantic.Field(min_length=1), _filling("number")]
"""Reads back a telephone number."""


def fillable_slots() -> frozenset[str]:
    """All slots that calls fill."""
    kinds = (SeatPrompt, TargetPrompt, SurnamePrompt, MatterPrompt, MinutesPrompt, AheadPrompt, NumberPrompt)
    marks = (mark for kind in kinds for mark in get_args(kind)[1:] if isinstance(mark, NamesPrompt))
    return frozenset(slot for mark in marks for slot in mark.fills)


@dataclass(frozen=True, slots=True)
class PromptUse:
    """One place where a house or a flow names a prompt."""

    path: Path
    key: str
    fills: frozenset[str]
    """The slots that the call fills there."""


def prompt_uses(shape: pydantic.BaseModel, path: Path = ()) -> Iterator[PromptUse]:
    """Every prompt that `shape`, or a part of it, names."""
    for name, info in type(shape).model_fields.items():
        kind = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        yield from _uses(kind, getattr(shape, name), (*path, info.alias or name))


def _uses(kind: Any, value: object, path: Path) -> Iterator[PromptUse]:
    if isinstance(value, pydantic.BaseModel):
        yield from prompt_uses(value, path)
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        marks = [mark for mark in arguments[1:] if isinstance(mark, NamesPrompt)]
        if marks and isinstance(value, str):
            yield PromptUse(path, value, marks[0].fills)
        else:
            yield from _uses(arguments[0], value, path)
    elif origin in (Union, UnionType):
        for each in arguments:
            yield from _uses(each, value, path) if each is not NoneType else ()
    elif isinstance(value, Mapping) and len(arguments) == 2:
        for key, item in value.items():
            yield from _uses(arguments[1], item, (*path, key))
    elif isinstance(value, tuple | list) and arguments:
        for index, item in enumerate(value):
            yield from _uses(arguments[0], item, (*path, index))
