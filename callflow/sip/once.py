"""A property that is read once and then kept: `functools.cached_property` without its lock."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

ValueT = TypeVar("ValueT")


class once(Generic[ValueT]):
    """Keeps its value in the object's `__dict__`, where the next access finds it. What raises is not kept."""

    def __init__(self, read: Callable[[Any], ValueT]) -> None:
        self._read = read
        self._name = read.__name__
        self.__doc__ = read.__doc__

    def __get__(self, holder: Any, owner: type[Any]) -> ValueT:
        value: ValueT = self._read(holder)
        holder.__dict__[self._name] = value
        return value
