"""Whether the state of a call is plain values: it is written down, and taken up elsewhere.

Closures, bound methods, iterators and generators cannot be written down. Services that calls share, and what
is the configuration's, are named in a snapshot and not copied: they are passed over.
"""

from collections.abc import Iterator
from enum import Enum
from functools import partial
from types import BuiltinMethodType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any, Final

from pydantic import BaseModel

from callflow.call.lines import Lines
from callflow.etiquette.modes import Modes
from callflow.sip.calls import Calls

_NOT_PLAIN: Final = (FunctionType, MethodType, BuiltinMethodType, GeneratorType, partial, Iterator)
_SHARED: Final = (
    Lines,
    Calls,
    Modes,
    BaseModel,
    type,
    ModuleType,
    Enum,
    str,
    bytes,
    int,
    float,
    bool,
    type(None),
)
"""Services, configuration, and what is plain by itself."""
_SERVICES: Final = frozenset({"_sink", "spell"})
"""Fields by which a call reaches what all calls share."""


def not_plain(value: object, path: str = "") -> list[str]:
    """The paths of what is no plain value; empty where all is."""
    found: list[str] = []
    seen: set[int] = set()
    ahead: list[tuple[str, object]] = [(path, value)]
    while ahead:
        where, one = ahead.pop()
        if isinstance(one, _SHARED) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, _NOT_PLAIN):
            found.append(f"{where}: {one!r}")
            continue
        ahead += [(f"{where}.{name}", part) for name, part in _parts(one)]
    return found


def _parts(one: Any) -> Iterator[tuple[str, object]]:
    if isinstance(one, dict):
        for key, value in one.items():
            yield repr(key), value
        return
    if isinstance(one, list | tuple | set | frozenset) or type(one).__name__ in ("deque", "dict_keys"):
        yield from ((str(index), part) for index, part in enumerate(one))
        return
    names = {*getattr(one, "__dict__", ()), *(name for cls in type(one).__mro__ for name in _slots(cls))}
    for name in sorted(names - _SERVICES):
        if hasattr(one, name):
            yield name, getattr(one, name)


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
