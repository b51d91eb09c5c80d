"""The part of the configuration that is about hearing: what a trunk's lines are like."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Final

import pydantic

from callflow.document import Document, Duration, Path, Shape, seconds
from callflow.errors import Fault
from callflow.media.thresholds import Thresholds
from callflow.suggestions import shown

SHORTEST_SILENCE: Final = 6.0
"""Seconds: people and phones pause, and two thirds of it must be longer than a drop-out."""


def _silence(text: object) -> object:
    # Before it is a number: the fault shows it as it is written.
    if 0 < seconds(text) < SHORTEST_SILENCE:
        told = f"must be 0s (never) or at least {SHORTEST_SILENCE:.0f}s, as people and phones pause"
        raise ValueError(f"{shown(text)} {told}")
    return text


Silence = Annotated[Duration, pydantic.Field(ge=0, le=600), pydantic.BeforeValidator(_silence)]
"""Seconds without a packet; 0 for never."""


class HearingConfig(Shape):
    """What counts as a sound, as faint, and as noise, in dBFS and dB; `callflow hear --trunk` finds them."""

    level: Annotated[float, pydantic.Field(ge=-70, le=-20)] = -56.0
    above_floor: Annotated[float, pydantic.Field(ge=3, le=30)] = 4.5
    echo_likeness: Annotated[float, pydantic.Field(ge=0.3, le=1)] = 0.8
    faint: Annotated[float, pydantic.Field(ge=-70, le=-20)] = -42.0
    noisy: Annotated[float, pydantic.Field(ge=-70, le=-20)] = -46.0
    clear: Annotated[float, pydantic.Field(ge=0, le=20)] = 6.0

    def over(self, usual: Thresholds) -> Thresholds:
        """What is said here, and the usual where nothing is."""
        return replace(usual, **self.model_dump(include=self.model_fields_set))


def hearing_faults(own: HearingConfig, over: HearingConfig, place: Path, source: Document) -> Iterator[Fault]:
    """A fault where no voice can be faint: what is below `level` is no sound at all.

    `over` is what holds where `own`, written at `place`, says nothing. Only what is written is judged: one of
    the two alone may well stand beyond the usual value of the other.
    """
    faint = own.faint if "faint" in own.model_fields_set else over.faint
    level = own.level if "level" in own.model_fields_set else over.level
    said, others = own.model_fields_set, own.model_fields_set | over.model_fields_set
    if faint < level and {"faint", "level"} <= others and said & {"faint", "level"}:
        where = "faint" if "faint" in said else "level"
        told = (
            f"no voice can be faint: {faint:g} (faint) is below {level:g} (level), where nothing is a sound"
        )
        yield source.fault((*place, where), f"{told}; faint stands above level")
