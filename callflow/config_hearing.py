"""The part of the configuration that is about hearing: what a trunk's lines are like."""

from dataclasses import replace
from typing import Annotated, Final

import pydantic

from callflow.document import Duration, Shape
from callflow.media.thresholds import Thresholds

SHORTEST_SILENCE: Final = 6.0
"""Seconds: people and phones pause, and two thirds of it must be longer than a drop-out."""


def _silence(value: float) -> float:
    if 0 < value < SHORTEST_SILENCE:
        raise ValueError(f"must be 0s (never) or at least {SHORTEST_SILENCE:.0f}s: people and phones pause")
    return value


Silence = Annotated[Duration, pydantic.Field(ge=0, le=600), pydantic.AfterValidator(_silence)]
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
