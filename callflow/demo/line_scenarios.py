"""The call in which a seat has its caller's line checked, and is heard louder before that."""

from collections.abc import Callable

from callflow.demo.seated import Act, SeatedScenario, Verb, When
from callflow.etiquette.house import House
from callflow.events import Party

CALLER, SEAT = Party.CALLER, Party.SEAT


def by_seat(house: House) -> SeatedScenario:
    """The seat is heard at its usual level, and 6 dB louder; then its caller says nothing any more."""
    tone = Act(SEAT, Verb.TONE, When("call.joined"), heard_by=(CALLER,))
    louder = Act(SEAT, Verb.TONE, When("volume.changed", nth=2), heard_by=(CALLER,))
    noisy = house.noisy_line
    return SeatedScenario(
        "by-seat",
        "a seat that dials *41 twice is heard louder; one that dials *46 has its caller told of the noise",
        (),
        Party.CALLFLOW,
        "noisy_line",
        (house.joining.greeting, *((noisy.prompts[-1],) if not noisy.asks else noisy.asks[:1])),
        acts=(
            tone,
            Act(SEAT, Verb.PRESS, When("call.joined", after=4.0), "*41"),
            Act(SEAT, Verb.PRESS, When("call.joined", after=6.0), "*41"),
            louder,
            Act(SEAT, Verb.PRESS, When("volume.changed", nth=2, after=5.0), "*46"),
        ),
        must_tell=("call.joined", "volume.changed", "volume.changed", "line_check.begun", "line_check.ended"),
        phone_tells=("ringing", "answered", "ended"),
    )


LINES: dict[str, Callable[[House], SeatedScenario]] = {"noisy-line-by-seat": by_seat}
"""Demo → its call under a house."""
