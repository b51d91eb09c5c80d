"""The part of the configuration that is about hearing: what a trunk's lines are like."""

from dataclasses import replace
from typing import Annotated

import pydantic

from callflow.document import Shape
from callflow.media.thresholds import Thresholds


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
