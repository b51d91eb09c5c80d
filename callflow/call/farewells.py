"""Seats whose caller has hung up in the middle of a transfer, or was put through, hear it and are let go of.

Their legs are in no call any more by that time, and only their own end is waited for.
"""

from dataclasses import dataclass
from typing import Final

from callflow.call.leg import Effect, Leg
from callflow.call.lines import Lines
from callflow.call.news import News
from callflow.errors import PeerError
from callflow.events import Event, PromptFinished
from callflow.guard import guarded
from callflow.media.messages import Play
from callflow.sip.calls import Calls
from callflow.sip.happenings import Ended, Referred, Reoffered, Told

_LONGEST: Final = 6.0
"""Seconds after which the sentence has been heard, whatever the plane tells."""


@dataclass(frozen=True, slots=True)
class _Leaving:
    leg: Leg
    prompt: str
    until: float


class Farewells:
    """The legs of all seats that hear it now."""

    def __init__(self, lines: Lines, calls: Calls) -> None:
        self._lines = lines
        self._calls = calls
        self._leaving: dict[str, _Leaving] = {}
        """By their sessions."""

    def __contains__(self, leg: Leg) -> bool:
        return leg.session in self._leaving

    @property
    def deadline(self) -> float | None:
        return min((each.until for each in self._leaving.values()), default=None)

    def begin(self, leg: Leg, prompt: str, now: float) -> list[Effect]:
        """Tell a phone that has answered and hears us."""
        self._leaving[leg.session] = _Leaving(leg, prompt, now + _LONGEST)
        return [Play(leg.media, prompt)]

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        """The phone says something once more."""
        match told:
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now)]
            case Referred():
                return [*self._calls.refuse_referral(leg.session, PeerError(603, "Decline"), now)]
            case Ended():
                del self._leaving[leg.session]
                return [*self._lines.close(leg)]
        return []

    def heard(self, leg: Leg, event: Event, now: float) -> list[News]:
        """The plane tells of its leg."""
        over = event == PromptFinished(self._leaving[leg.session].prompt)
        return [*self._end(leg, now)] if over else []

    def tick(self, now: float) -> list[News]:
        due = [each.leg for each in self._leaving.values() if now >= each.until]
        return [effect for leg in due for effect in self._end_guarded(leg, now)]

    def drop(self, leg: Leg, now: float) -> list[News]:
        """We have failed with this leg: it ends without the sentence."""
        return self._end_guarded(leg, now) if leg in self else []

    def _end_guarded(self, leg: Leg, now: float) -> list[News]:
        ended = guarded(lambda: self._end(leg, now))
        self._leaving.pop(leg.session, None)
        return [*ended]

    def _end(self, leg: Leg, now: float) -> list[Effect]:
        del self._leaving[leg.session]
        return [*self._calls.hang_up(leg.session, "caller hung up", now), *self._lines.close(leg)]
