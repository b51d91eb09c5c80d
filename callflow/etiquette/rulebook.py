"""What the documents demand of every house, as rules.yaml says it: limits, ends, and what is not given.

A house may be stricter than its document and never weaker. What the document does not give (`assumed`) limits
nobody. The text comes in as a `Document`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, get_args, get_type_hints

import pydantic

from callflow.document import Document, Shape
from callflow.errors import Fault
from callflow.etiquette.house import House
from callflow.etiquette.limit import Limit
from callflow.etiquette.parameters import RuleId

Selector = str
"""The part of a house that names a rule, or stands under one always: `silent_line`, `hold.rules.ask`."""
_OF_HOLD = "hold.rules."
"""Three rules share the hold: what each limits is a parameter of the hold itself."""


class Bounds(Shape):
    """What of one rule a program can hold a house and a call to."""

    order: tuple[str, ...] = ()
    """Its steps, by the names of what a house says for them; one in braces is no word of a house's."""
    may_end: str | None = None
    """The document's words that let it end a call, or `assumed`; None: nobody is hung up on by this rule."""
    governs: dict[Selector, dict[str, Limit]] = pydantic.Field(default_factory=dict)
    """Which parts of a house stand under it, with the limits of their parameters."""
    also: dict[str, Limit] = pydantic.Field(default_factory=dict)
    """Limits of what is no parameter of a house."""

    @property
    def told(self) -> Iterator[str]:
        """What limits, a line each: `silent_line.pause at least 5s`, `may end a call`."""
        for selector, limits in self.governs.items():
            yield from (f"{selector}.{name} {limit}" for name, limit in limits.items() if limit.source)
        yield from (f"{name} {limit}" for name, limit in self.also.items() if limit.source)
        if self.may_end:
            yield "may end a call"


class Rule(Shape):
    """One rule of one document."""

    id: RuleId
    house: str
    by: Literal["line", "seat", "cue", "flow", "lint", "desk"]
    when: str
    do: str = ""
    steps: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    note: str = ""


class Origin(Shape):
    """The document of one house."""

    source: str
    title: str
    note: str = ""


class Rulebook(Shape):
    """rules.yaml, whole."""

    houses: dict[str, Origin]
    forbidden: dict[str, tuple[str, ...]]
    limits: dict[RuleId, Bounds]
    rules: tuple[Rule, ...]

    def may_end(self, rule: str) -> bool:
        """Whether a rule may end the call of somebody who may still be there."""
        bounds = self.limits.get(rule)
        return bounds is not None and bounds.may_end is not None

    def faults(self, house: House, document: Document) -> Iterator[Fault]:
        """Where a house is weaker than its document, or names a rule that is about something else."""
        for selector, (path, rule) in _named(house).items():
            about = [each for each, bounds in self.limits.items() if selector in bounds.governs]
            if rule not in about:
                what = f"{rule} is no rule of {selector}; one of {', '.join(about)} stands here"
                yield document.fault(path, what)
        for path, rule, limit in self._limits(house):
            why = limit.weakened_by(_at(house, path))
            if why:
                yield document.fault(path, f"weaker than {rule}, which wants {limit}: {why}")

    def strictest(self, house: House) -> House:
        """The house with each weaker number replaced by its document's."""
        for path, _, limit in self._limits(house):
            if limit.number is not None and limit.weakened_by(_at(house, path)):
                house = _with(house, path, limit.number)
        return house

    def _limits(self, house: House) -> Iterator[tuple[tuple[str, ...], str, Limit]]:
        """The path of each parameter, the rule that limits it in this house, and its limit."""
        named = {selector: rule for selector, (_, rule) in _named(house).items()}
        for rule, bounds in self.limits.items():
            for selector, limits in bounds.governs.items():
                if named.get(selector, rule if _is_always_under(selector) else "") == rule:
                    part = "hold" if selector.startswith(_OF_HOLD) else selector
                    yield from (((*part.split("."), name), rule, limit) for name, limit in limits.items())


def read(document: Document) -> Rulebook:
    """Raises `SourceError`."""
    return document.read_as(Rulebook)


def _named(house: House) -> dict[Selector, tuple[tuple[str, ...], str]]:
    """Each place in a house that names a rule: its path, and the rule."""
    return {
        ".".join(path[:-1] if path[-1] == "rule" else path): (path, rule) for path, rule in _walk(house, ())
    }


def _walk(model: pydantic.BaseModel, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name in type(model).model_fields:
        value: Any = getattr(model, name)
        if isinstance(value, pydantic.BaseModel):
            yield from _walk(value, (*path, name))
        elif value is not None and name in _rule_fields(type(model)):
            yield (*path, name), value


@cache
def _rule_fields(model: type[pydantic.BaseModel]) -> frozenset[str]:
    """The fields of a part of a house that name a rule; its class is read once, as every call's end asks."""
    hints = get_type_hints(model, include_extras=True)
    return frozenset(
        name for name in model.model_fields if hints[name] == RuleId or RuleId in get_args(hints[name])
    )


def _is_always_under(selector: Selector) -> bool:
    """Whether this part of a house names no rule, as it has always the same."""
    field = House.model_fields.get(selector)
    model = field.annotation if field else None
    return isinstance(model, type) and issubclass(model, Shape) and "rule" not in model.model_fields


def _at(house: House, path: tuple[str, ...]) -> Any:
    value: Any = house
    for name in path:
        value = getattr(value, name)
    return value


def _with(model: Any, path: tuple[str, ...], value: object) -> Any:
    name, *rest = path
    inner = _with(getattr(model, name), tuple(rest), value) if rest else value
    return model.model_copy(update={name: inner})
