"""csr-04, csr-06, csr-07, gas-05, gas-06, log-04 as a seat starts them that speaks with the caller.

While a seat is joined nothing but the seat begins a check of the line. Both hear its words, and hear each
other in its pauses. It ends when the caller is made out, when the seat takes it back or wants something else,
or by the release that the rule prescribes.

The seat's ears are better than ours, and ours are better than a clock: a caller whom the seat finds too quiet
is told to ring from another phone only if the line is found so after the first words too, or if the seat asks
for the same again, which then is said at once.
"""

from typing import Final

from callflow.actions import Action, Note
from callflow.etiquette.line_check import LineCheck, Phase
from callflow.etiquette.line_script import Script
from callflow.events import (
    Event,
    Heard,
    HoldRequested,
    LineJudged,
    LineRequested,
    LineState,
    LineWish,
    Outcome,
    Party,
    SeatHungUp,
    SeatLost,
    TransferRequested,
)

BOTH: Final = (Party.CALLER, Party.SEAT)
BAD: Final = (LineState.FAINT, LineState.NOISY)
ANOTHER_WISH: Final = (HoldRequested, TransferRequested, SeatHungUp, SeatLost)


class SeatsCheck(LineCheck):
    """From the seat's wish to the release, or to the caller's answer."""

    rules = ("csr-04", "csr-06", "csr-07", "gas-05", "gas-06", "log-04")

    def __init__(
        self,
        script: Script,
        wish: LineWish,
        judged: LineJudged | None,
        at_fault: bool = False,
    ) -> None:
        """`judged` is what the line was found to be last; `at_fault` as everywhere."""
        super().__init__(script, Phase.LISTENING, to=BOTH, by="seat", at_fault=at_fault)
        self._wish = wish
        self._state = judged.state if judged else None

    def begin(self, now: float, *, sounding: bool) -> list[Action]:
        """Nothing is said of silence to a caller who makes a sound."""
        if sounding and self._script.is_silent:
            return [*self._begin(), *self._alive("sound")]
        return self._say(now)

    def _heard(self, heard: Heard, now: float) -> list[Action]:
        clear = self._script.is_silent or self._state is LineState.SPEECH
        return self._alive("sound") if clear and heard is Heard.SOUND else []

    def _judged(self, state: LineState, now: float) -> list[Action]:
        alive = state is LineState.SPEECH or (self._script.is_silent and state in BAD)
        return self._alive(state) if alive else []

    def _go_on(self, at: float) -> list[Action]:
        if self._script.is_silent or self._state in BAD:
            return self._say(at)
        return self._stop("not_found_so", Outcome.STOPPED)

    def _otherwise(self, event: Event, now: float) -> list[Action]:
        match event:
            case LineRequested(wish=self._wish) if self.phase is Phase.LISTENING and not self._all_said:
                return [Note("line_check.hastened", self._script.rule), *self._say(now)]
            case LineRequested(wish=self._wish):
                return []
            case LineRequested():
                return self._stop("seat", Outcome.STOPPED)
            case _ if isinstance(event, ANOTHER_WISH):
                return self._stop("seat", Outcome.STOPPED)
        # All else is for the rule that it stands beside.
        return []
