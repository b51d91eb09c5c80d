"""The walk through a call's state finds what cannot be written down."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from tests.support.plain_state import not_plain

pytestmark = pytest.mark.pure


@dataclass(slots=True)
class Inner:
    value: Any

    def half(self) -> float:
        return float(self.value) / 2


class Outer:
    def __init__(self, value: object) -> None:
        self._inner = [{"one": (Inner(value),)}]
        self._again = self


@dataclass(slots=True)
class Derived(Inner):
    more: list[Any] = field(default_factory=list)


@pytest.mark.parametrize(
    "value", [lambda: 1, iter([1]), (x for x in [1]), [].append, partial(int), Inner(1).half]
)
def test_what_cannot_be_written_down_is_found_wherever_it_is(value: object) -> None:
    assert len(not_plain(Outer(value))) == 1
    assert len(not_plain(Derived(value))) == 1
    assert len(not_plain(Derived(1, [deque([value])]))) == 1


@pytest.mark.parametrize(
    "value", [None, 1, 2.5, "x", b"x", [1], {"a": {1}}, (1,), deque([1]), Inner(Inner(3))]
)
def test_what_is_plain_is_not(value: object) -> None:
    assert not_plain(Outer(value)) == []
