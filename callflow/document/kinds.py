"""What belongs at a place of a document: the type that the model has there, its limits and its known keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic
from pydantic.fields import FieldInfo

from callflow.document.durations import duration_text, seconds

_VALIDATORS = (pydantic.BeforeValidator, pydantic.AfterValidator)
TAG = "do"
"""The key that says which of several models a mapping is; the same in every file of ours."""


@dataclass(frozen=True, slots=True)
class Form:
    """Says in a type's metadata what its pattern asks for."""

    what: str
    """As `a key of a telephone: 0 to 9, * or #`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type without its `Annotated`, and what that said of it."""

    type: Any
    marks: tuple[Any, ...] = ()

    @property
    def form(self) -> str:
        """What its pattern asks for; empty where that is not said."""
        return next((mark.what for arm in _arms(self) for mark in arm.marks if isinstance(mark, Form)), "")

    @property
    def is_duration(self) -> bool:
        validators = (mark for arm in _arms(self) for mark in arm.marks)
        return any(isinstance(mark, pydantic.BeforeValidator) and mark.func is seconds for mark in validators)

    def takes(self, text: str) -> bool:
        """Whether its validators, if it has any, take a text."""
        validators = [mark for arm in _arms(self) for mark in arm.marks if isinstance(mark, _VALIDATORS)]
        try:
            return bool(text and validators) and all(_validate(each, text) for each in validators)
        except ValueError:
            return False

    @property
    def range(self) -> str:
        """`from 1 to 5`, `more than 0s and at most 2m`; empty where there are no limits."""
        tell = duration_text if self.is_duration else _number
        limits = {name: tell(value) for name in ("ge", "gt", "le", "lt") for value in self._limits(name)}
        if "ge" in limits and "le" in limits:
            return f"from {limits['ge']} to {limits['le']}"
        words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        return " and ".join(f"{words[name]} {limits[name]}" for name in limits)

    def _limits(self, name: str) -> list[float]:
        """What its marks say is the limit of that name, as pydantic names limits."""
        found = (getattr(mark, name, None) for arm in _arms(self) for mark in arm.marks)
        return [limit for limit in found if isinstance(limit, int | float)]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that are known there; none where any are."""
        models = [arm.type for arm in _arms(self) if _is_model(arm.type)]
        return tuple(key for model in models for key in _fields(model))

    @property
    def is_secret(self) -> bool:
        """Whether a password may stand there, which nobody is to be shown."""
        return "password" in self.keys


def kind_at(model: type[pydantic.BaseModel], path: tuple[str | int, ...], data: Any) -> Kind:
    """What belongs at `path` of `data`, which need not be there."""
    kind = Kind(model)
    for part in path:
        kind = _chosen(kind, data)
        kind = _below(kind, part)
        inside = isinstance(data, dict) and part in data
        inside = inside or (isinstance(data, list) and isinstance(part, int) and part < len(data))
        data = data[part] if inside else None
    return _chosen(kind, data)


def key_kind_at(model: type[pydantic.BaseModel], path: tuple[str | int, ...], data: Any) -> Kind:
    """What the keys are that belong in the mapping at `path`."""
    arguments = [get_args(arm.type) for arm in _arms(kind_at(model, path, data))]
    return next((_kind(each[0]) for each in arguments if len(each) == 2), Kind(Any))


def _kind(annotation: Any, marks: tuple[Any, ...] = ()) -> Kind:
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        marks = (*(each for mark in more for each in _spread(mark)), *marks)
    return Kind(annotation, marks)


def _spread(mark: Any) -> list[Any]:
    return [*mark.metadata] if isinstance(mark, FieldInfo) else [mark]


def _arms(kind: Kind) -> Iterator[Kind]:
    """The types that `kind` may be; itself where it is one."""
    if get_origin(kind.type) in (Union, UnionType):
        for arm in get_args(kind.type):
            if arm is not NoneType:
                yield from _arms(_kind(arm, kind.marks))
    else:
        yield kind


def _chosen(kind: Kind, data: Any) -> Kind:
    """Of several types the one that `data` is, as far as that can be told."""
    arms = [*_arms(kind)]
    if len(arms) == 1:
        return arms[0]
    if isinstance(data, dict):
        tagged = [arm for arm in arms if _is_model(arm.type) and _tag_of(arm.type) == data.get(TAG)]
        arms = tagged or [arm for arm in arms if _is_model(arm.type) or _is_mapping(arm.type)] or arms
    return arms[0] if len(arms) == 1 else kind


def _below(kind: Kind, part: str | int) -> Kind:
    if _is_model(kind.type):
        info = _fields(kind.type).get(str(part))
        return _kind(info.annotation, tuple(info.metadata)) if info else Kind(Any)
    arguments = get_args(kind.type)
    if _is_mapping(kind.type) and len(arguments) == 2:
        return _kind(arguments[1])
    return _kind(arguments[0]) if isinstance(part, int) and arguments else Kind(Any)


@lru_cache(maxsize=256)
def _fields(model: type[pydantic.BaseModel]) -> Mapping[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _tag_of(model: type[pydantic.BaseModel]) -> object:
    info = _fields(model).get(TAG)
    values = get_args(info.annotation) if info and get_origin(info.annotation) is Literal else ()
    return values[0] if values else None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _validate(validator: Any, text: str) -> bool:
    """Raises `ValueError` where the validator does."""
    validator.func(text)
    return True


def _number(value: Any) -> str:
    return f"{value:g}"
