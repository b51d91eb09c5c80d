"""One limit of one parameter: a number and its direction."""

from typing import Any

import pydantic

from callflow.document import Shape, seconds


class Limit(Shape):
    """What a document demands of one parameter: exactly one of the directions is given."""

    at_least: float | None = None
    """Seconds, or a count."""
    at_most: float | None = None
    exactly: float | str | None = None
    present: bool | None = None
    """Whether there must be something at all."""
    assumed: float | None = None
    """The document gives nothing: ours, which limits nobody."""
    unit: str = ""
    """`s` of seconds; empty of a count."""
    source: str = ""
    """The words of the document that say so."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _reads_units(cls, said: Any) -> Any:
        """A text with a unit is a length of time, `callback` a word, and a bare number a count."""
        if not isinstance(said, dict):
            return said
        read: dict[str, Any] = dict(said)
        for direction in ("at_least", "at_most", "exactly", "assumed"):
            value = said.get(direction)
            if isinstance(value, str) and value[:1].isdigit():
                read |= {direction: seconds(value), "unit": "s"}
        return read

    @pydantic.model_validator(mode="after")
    def _has_one_direction(self) -> "Limit":
        given = [self.at_least, self.at_most, self.exactly, self.present, self.assumed]
        if sum(one is not None for one in given) != 1:
            raise ValueError("one of at_least, at_most, exactly, present and assumed belongs here")
        if (self.assumed is None) != bool(self.source):
            raise ValueError("what the document gives needs its words as source; what is assumed has none")
        return self

    @property
    def number(self) -> float | None:
        """Seconds or a count, where there is one that a weaker one can be replaced by."""
        one = next((each for each in (self.at_least, self.at_most) if each is not None), self.exactly)
        return one if isinstance(one, float) else None

    def weakened_by(self, value: object) -> str:
        """What is wrong with a house's value; empty where it is as strict, or stricter."""
        if value is None:
            return "there is none" if self.assumed is None else ""
        measured = len(value) if isinstance(value, tuple) else value
        if isinstance(measured, int | float):
            allowed = self._allows(float(measured))
        else:
            allowed = not isinstance(self.exactly, str) or measured == self.exactly
        return "" if allowed else f"{_text(measured, self.unit)} is not"

    def _allows(self, number: float) -> bool:
        return (
            (self.at_least is None or number >= self.at_least)
            and (self.at_most is None or number <= self.at_most)
            and (not isinstance(self.exactly, float) or number == self.exactly)
        )

    def __str__(self) -> str:
        for name in ("at_least", "at_most", "exactly"):
            value = getattr(self, name)
            if value is not None:
                return f"{name.replace('_', ' ')} {_text(value, self.unit)}"
        return "one to be there" if self.present else f"nothing ({_text(self.assumed, self.unit)} is assumed)"


def _text(value: object, unit: str) -> str:
    return f"{value:g}{unit}" if isinstance(value, int | float) else repr(value)
