"""A house: one document's etiquette, as the parameters and words of all rules.

A house is written in YAML; it may extend another and then says only what differs. The text comes
in as a `Document`: who reads the file is not this floor's business.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import pydantic

from callflow.document import Document, Duration, Shape, did_you_mean
from callflow.errors import SourceError

CARRIED = ("csr-01", "csr-04", "csr-35", "csr-36")
"""The ids in rules.yaml that the controller carries so far, in their order there."""

Pause = Annotated[Duration, pydantic.Field(gt=0, le=60)]
PromptKey = Annotated[str, pydantic.Field(min_length=1)]


class AnsweringManners(Shape):
    """csr-01."""

    greeting: PromptKey
    ring_for: Annotated[Duration, pydantic.Field(ge=0)]
    """Seconds from the call's arrival to our answer."""
    within: Pause
    """Seconds within which an answer is good."""
    settle: Annotated[Duration, pydantic.Field(ge=0, le=2)]
    """Seconds between the confirmed answer and the first word."""

    @pydantic.model_validator(mode="after")
    def _answers_in_time(self) -> "AnsweringManners":
        if self.ring_for >= self.within:
            raise ValueError("ring_for must be shorter than within")
        return self


class SilentLineManners(Shape):
    """csr-04."""

    greeting_again: PromptKey
    no_sound: PromptKey
    pause: Pause
    repeat_after_greeting: Annotated[int, pydantic.Field(ge=1, le=5)] = 1
    """How often greeting_again is said; the answering greeting comes before it."""

    @property
    def prompts(self) -> tuple[str, ...]:
        """What is said after the greeting, in order."""
        return (self.greeting_again,) * self.repeat_after_greeting + (self.no_sound,)


class ClosingManners(Shape):
    """csr-35, csr-36."""

    anything_else: PromptKey
    hint: PromptKey
    """Which key brings help; said after anything_else."""
    goodbye: PromptKey
    hanging_up: PromptKey
    help_key: Annotated[str, pydantic.Field(pattern=r"^[0-9*#]$")]
    answer_within: Pause
    """Seconds that the caller has to answer anything_else."""
    pause: Pause
    """Seconds between the last words and the release."""
    short_sound: Pause
    """A sound shorter than this (seconds) is taken for thanks and goodbye."""
    hear_out: Pause
    """Seconds of unbroken sound after which the hint is given although the caller still speaks."""


class House(Shape):
    """One etiquette, whole."""

    version: Annotated[Literal[1], pydantic.Field(alias="callflow-house")]
    name: PromptKey
    title: str
    extends: str | None = None
    rules: dict[str, Literal["enforce", "off"]] = pydantic.Field(default_factory=dict)
    """What is switched off; a rule that is not named is enforced."""
    answering: AnsweringManners
    silent_line: SilentLineManners
    closing: ClosingManners

    def enforces(self, rule: str) -> bool:
        return self.rules.get(rule, "enforce") == "enforce"

    def without(self, *rules: str) -> "House":
        """The same house with `rules` switched off."""
        return self.model_copy(update={"rules": self.rules | dict.fromkeys(rules, "off")})

    @property
    def prompts(self) -> frozenset[str]:
        """Every prompt that the rules may say."""
        closing = self.closing
        words = {closing.anything_else, closing.hint, closing.goodbye, closing.hanging_up}
        return frozenset({self.answering.greeting, *self.silent_line.prompts, *words})


def read(document: Document, find: Callable[[str], Document]) -> House:
    """The house in `document`, laid over those it extends; `find` gives a house's document by name.

    Raises `SourceError` with every fault. A house that extends itself is a fault too.
    """
    document = _over_its_bases(document, find, ())
    house = document.read_as(House)
    unknown = [
        document.fault(("rules", rule), f"{rule!r} is not carried" + _known(rule), at_key=True)
        for rule in house.rules
        if rule not in CARRIED
    ]
    if unknown:
        raise SourceError(*unknown)
    return house


def _over_its_bases(document: Document, find: Callable[[str], Document], seen: tuple[str, ...]) -> Document:
    base = document.data.get("extends") if isinstance(document.data, dict) else None
    if base is None:
        return document
    if base in seen:
        raise SourceError(document.fault(("extends",), f"{base!r} extends itself"))
    return document.over(_over_its_bases(find(base), find, (*seen, base)))


def _known(rule: str) -> str:
    return did_you_mean(rule, list(CARRIED))
