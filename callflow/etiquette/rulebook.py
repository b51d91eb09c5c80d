"""What the documents demand of every house, as rules.yaml says it: limits, ends, and what is not given.

A house may be stricter than its document and never weaker, nor weaker than the house that it extends,
whichever rules it names. What the document does not give (`assumed`) limits nobody, but for the pauses of a
rule that may end a call: those are never shorter than is safe. The text comes in as a `Document`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
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
_ALWAYS = "always"
"""In place of a rule's id: this part of every house stands under the same one."""


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


@dataclass(frozen=True, slots=True)
class Demand:
    """One limit that a house is held to."""

    path: tuple[str, ...]
    """Of the parameter that it limits."""
    rule: str
    limit: Limit
    is_safety: bool = False
    """Whether it is ours, as the document gives none."""

    def told(self, why: str) -> str:
        """What is wrong; `why` says so of the value."""
        if not self.is_safety:
            return f"weaker than {self.rule}, which wants {self.limit}: {why}"
        return f"{self.rule} may end a call: {self.limit} is safe here, and {why}; {self.limit.source}"


class Rulebook(Shape):
    """rules.yaml, whole."""

    houses: dict[str, Origin]
    forbidden: dict[str, tuple[str, ...]]
    safe: dict[str, Limit]
    """By the parameter: what holds of a rule that may end a call where its document gives nothing."""
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
        weaker = [
            (demand, why)
            for demand in self._demands(house)
            if (why := demand.limit.weakened_by(_at(house, demand.path)))
        ]
        # What a document wants is more than what is safe.
        by_document = {demand.path for demand, _ in weaker if not demand.is_safety}
        for demand, why in weaker:
            if not (demand.is_safety and demand.path in by_document):
                yield document.fault(demand.path, demand.told(why))

    def strictest(self, house: House) -> House:
        """The house with each weaker number replaced by what it is held to."""
        for demand in self._demands(house):
            number = demand.limit.number
            if number is not None and demand.limit.weakened_by(_at(house, demand.path)):
                house = _with(house, demand.path, number)
        return house

    def forbidden_in(self, house: House) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What the documents of a house and of those that it extends forbid to be said, by the document."""
        names = dict.fromkeys((house.name, *(base.name for base in house.bases)))
        return ((name, self.forbidden[name]) for name in names if name in self.forbidden)

    def is_in(self, rule: str, house: House) -> bool:
        """Whether a part of the house stands under the rule, or it is about no part of a house."""
        governed = self.limits[rule].governs if rule in self.limits else {}
        return not governed or any(_rule_at(house, each) in (rule, _ALWAYS) for each in governed)

    def in_place_of(self, rule: str, house: House) -> list[str]:
        """What the house has where it could have the rule; empty where it has the rule, or nothing there."""
        if self.is_in(rule, house):
            return []
        found = (_rule_at(house, selector) for selector in self.limits[rule].governs)
        return sorted({each for each in found if each})

    def _demands(self, house: House) -> Iterator[Demand]:
        """What a house is held to: by the rules that it names, and by those of the houses that it extends."""
        named = {selector: rule for selector, (_, rule) in _named(house).items()}
        for rule, bounds in self.limits.items():
            for selector, limits in bounds.governs.items():
                part = ("hold",) if selector.startswith(_OF_HOLD) else tuple(selector.split("."))
                under = _is_always_under(selector) or rule in self._under(
                    selector, named.get(selector), house
                )
                if under and _at(house, part) is not None:
                    yield from (self._demand((*part, name), rule, limit) for name, limit in limits.items())

    def _demand(self, path: tuple[str, ...], rule: str, limit: Limit) -> Demand:
        safe = self.safe.get(path[-1]) if limit.assumed is not None and self.may_end(rule) else None
        return Demand(path, rule, safe or limit, is_safety=safe is not None)

    def _under(self, selector: Selector, rule: str | None, house: House) -> Iterator[str]:
        """Each rule that a part of a house stands under: its own, then those of the houses it extends.

        The house of a document takes that document's rule in place of others; nobody else can.
        """
        names = ((base.name, base.rules.get(selector)) for base in house.bases)
        for name, each in ((house.name, rule), *names):
            if each is not None:
                yield each
                if self._house_of.get(each) == name:
                    return

    @cached_property
    def _house_of(self) -> dict[str, str]:
        return {rule.id: rule.house for rule in self.rules}


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


def _rule_at(house: House, selector: Selector) -> str:
    """The rule that a part of a house names; `_ALWAYS` where it names none, empty where there is no part."""
    found = _named(house).get(selector)
    return found[1] if found else _ALWAYS if _is_always_under(selector) else ""


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
