"""Seats whose caller has hung up in the middle of a transfer, or was put through, hear it and are let go of.

Their legs are in no call any more by that time, and only their own end is waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from callflow.call.leg import Effect, Leg, Side
from callflow.call.lines import Lines
from callflow.call.news import News
from callflow.errors import PeerError
from callflow.events import Event, PromptFinished
from callflow.guard import guarded, guarded_or
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
        leg.side = Side.FAREWELL
        self._leaving[leg.session] = _Leaving(leg, prompt, now + _LONGEST)
        return [Play(leg.media, prompt)]

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        """The phone says something once more."""
        return self._guarded(leg, lambda: self._told(leg, told, now), now)

    def heard(self, leg: Leg, event: Event, now: float) -> list[News]:
        """The plane tells of its leg."""
        return self._guarded(leg, lambda: self._heard(leg, event, now), now)

    def lost(self, leg: Leg, now: float) -> list[News]:
        """Nothing comes from it any more: it ends without the sentence."""
        return self.drop(leg, now)

    def _guarded(self, leg: Leg, work: Callable[[], list[News]], now: float) -> list[News]:
        """A fault here ends this leg alone."""
        return guarded_or(work, lambda: self.drop(leg, now))

    def _told(self, leg: Leg, told: Told, now: float) -> list[News]:
        match told:
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now)]
            case Referred():
                return [*self._calls.refuse_referral(leg.session, PeerError(603, "Decline"), now)]
            case Ended():
                del self._leaving[leg.session]
                return [*self._lines.close(leg)]
        return []

    def _heard(self, leg: Leg, event: Event, now: float) -> list[News]:
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
