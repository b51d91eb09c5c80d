"""Finds legs from which nothing comes any more, proves them alive, or ends them.

Packets are due while neither side holds the call. Where none has come for two thirds of the timeout the
peer is asked (OPTIONS in the dialog), and at the timeout it is judged. 481 says at once that there is no
such call; of a caller's side a re-INVITE must say the same. A caller whose side answers is alive, and never
ended for silence; without an answer the silence of the audio alone decides, since some phones never answer
OPTIONS. A seat or a target that sends nothing is given up even if its phone answers: its caller hears
nobody. RTCP is a sign of life of both, and comfort noise says that packets may stay away (DTX): a caller
that has sent it is ended by that only.

A caller to whom the flow itself speaks is left to the flow's rules, which have words and pauses for a
silent line. It is judged when a seat would be rung for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from callflow.call.held_legs import NO_ANSWER, NO_SUCH_CALL, is_held
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.lost_legs import LostLegs
from callflow.call.news import News, Task
from callflow.call.table import CallTable
from callflow.events import Party
from callflow.sip.calls import Calls
from callflow.sip.happenings import Counted

USUAL: Final = 15.0
"""Seconds without a packet until a leg is judged."""
NO_OTHERS: Final[Mapping[str, float]] = MappingProxyType({})
_ASK_AFTER: Final = 2 / 3
"""Of the timeout."""
_COMFORT_LIMIT: Final = 4.0
"""Timeouts after which a seat whose phone has sent comfort noise, and does not answer, is dead."""
_LOOK_AGAIN: Final = 1.0
"""Seconds between two looks at a leg that cannot be judged yet."""


@dataclass(slots=True)
class _Silence:
    """What is known of one silent leg. Times are seconds."""

    leg: Leg
    since: float
    """When its last packet came, or when packets became due again."""
    next_at: float
    """When it is looked at."""
    ask_at: float
    ends_at: float
    """When it is judged."""
    comfort: bool = False
    """Whether its last packet was comfort noise: it has said that it may send nothing."""
    is_quiet: bool = True
    """Whether packets are missing; a leg of a trunk that is down is asked while they still come."""
    asked: bool = False
    answered: bool = False


class Liveness:
    """The silent legs of one controller."""

    def __init__(
        self,
        table: CallTable,
        lines: Lines,
        calls: Calls,
        lost: LostLegs,
        timeout: float = USUAL,
        timeouts: Mapping[str, float] = NO_OTHERS,
    ) -> None:
        """`timeout` are seconds, 0 for never; `timeouts` are those of trunks that have another."""
        self._table = table
        self._lines = lines
        self._calls = calls
        self._lost = lost
        self._timeout = timeout
        self._timeouts = timeouts
        self._silent: dict[int, _Silence] = {}
        """By the leg's number in the plane."""

    @property
    def deadline(self) -> float | None:
        return min((each.next_at for each in self._silent.values()), default=None)

    # --- what is known of legs ---

    def stopped(self, leg: Leg, since: float, now: float, *, comfort: bool = False) -> None:
        """No packet has come from the leg since then; `comfort`: its last one was comfort noise."""
        known = self._silent.get(leg.media)
        if known is not None and known.asked:
            known.is_quiet, known.comfort = True, comfort
            known.since = min(known.since, since)
        elif self._timeout_of(leg.trunk):
            times = self._times(leg, since)
            self._silent[leg.media] = _Silence(leg, since, now, *times, comfort=comfort)

    def reported(self, leg: Leg, now: float) -> list[News]:
        """RTCP has come from the silent leg: its peer is there, and has nothing to say (DTX)."""
        known = self._silent.get(leg.media)
        if known is None:
            return []
        self._count_anew(known, now)
        known.since = now
        return self._lost.trust(leg, now)

    def resumed(self, leg: Leg, now: float) -> list[News]:
        """Packets come from the leg."""
        return self._lost.trust(leg, now) if self._silent.pop(leg.media, None) else []

    def replied(self, leg: Leg, status: int, now: float) -> list[News]:
        """The peer has answered our question, or has not (408)."""
        known = self._silent.get(leg.media)
        if known is None or status == NO_ANSWER:
            return []
        if status == NO_SUCH_CALL and not known.is_quiet:
            # It is heard: whatever its signalling says, somebody is there.
            return []
        if status == NO_SUCH_CALL and leg.party is Party.CALLER:
            # Some answer so to every OPTIONS in a dialog: only a re-INVITE that is answered so ends the call.
            return [*self._lines.offer_again(leg, now)]
        if status == NO_SUCH_CALL:
            return self._end(known, now)
        known.answered = True
        return self._lost.trust(leg, now)

    def trunk_down(self, trunk: str, now: float) -> list[News]:
        """A trunk answers no more: the peers of its calls are asked at once."""
        news: list[News] = []
        for leg in self._lines:
            if leg.trunk != trunk or not _is_due(leg) or not self._timeout_of(trunk):
                continue
            known = self._silent.get(leg.media)
            if known is None:
                known = self._silent[leg.media] = _Silence(leg, now, now, now, now, is_quiet=False)
            if not known.asked:
                known.ends_at = now + self._timeout_of(trunk) * (1 - _ASK_AFTER)
                news += self._ask(known, now)
        return news

    def tick(self, now: float) -> list[News]:
        """Silent legs are asked, and judged: each under the guard of its call."""
        due = [each for each in self._silent.values() if now >= each.next_at]
        for known in due:
            known.next_at = now + _LOOK_AGAIN
        return [Task(self._table.get(known.leg.call), partial(self._look, known, now)) for known in due]

    def agreed(self, leg: Leg) -> None:
        """Something was agreed upon with the leg: what was known of its packets is of the past."""
        known = self._silent.get(leg.media)
        if known is not None and known.is_quiet and is_held(leg):
            self._silent.pop(leg.media, None)

    # --- one leg ---

    def _look(self, known: _Silence, now: float) -> list[News]:
        leg = known.leg
        if self._lines.heard(leg.media) is not leg:
            self._silent.pop(leg.media, None)
            return []
        if not _is_due(leg):
            known.since, known.asked, known.next_at = now, False, now + _LOOK_AGAIN
            known.ask_at, known.ends_at = self._times(leg, now)
            return []
        if not known.asked and now < known.ask_at:
            known.next_at = known.ask_at
            return []
        if not known.asked:
            return self._ask(known, now)
        if now < known.ends_at:
            known.next_at = known.ends_at
            return []
        return self._judge(known, now)

    def _times(self, leg: Leg, since: float) -> tuple[float, float]:
        """When the peer of a leg that is silent since then is asked, and when it is judged."""
        timeout = self._timeout_of(leg.trunk)
        return since + timeout * _ASK_AFTER, since + timeout

    def _ask(self, known: _Silence, now: float) -> list[News]:
        leg = known.leg
        known.asked, known.answered, known.next_at = True, False, known.ends_at
        self._note(leg, now, "leg.asked", known)
        held = self._lost.doubt(leg, now) if known.is_quiet and not known.comfort else []
        return [Counted("media", "leg_asked"), *held, *self._calls.ask(leg.session, "OPTIONS", now=now)]

    def _judge(self, known: _Silence, now: float) -> list[News]:
        leg, timeout = known.leg, self._timeout_of(known.leg.trunk)
        if not known.is_quiet:
            self._silent.pop(leg.media, None)
            return []
        if self._lost.is_plain(leg):
            # An emergency, or colleagues: nobody but the two ends their call.
            self._count_anew(known, now)
            return []
        silent = now - known.since
        if known.answered:
            if leg.party is not Party.CALLER and not known.comfort:
                # Its signalling lives; but its caller hears nobody, and must not be left so.
                return self._end(known, now)
            self._count_anew(known, now)
            return []
        if known.comfort and (leg.party is Party.CALLER or silent < timeout * _COMFORT_LIMIT):
            self._count_anew(known, now)
            return []
        if leg.party is Party.CALLER and self._lost.is_left_to_rules(leg):
            known.next_at = now + _LOOK_AGAIN
            return []
        return self._end(known, now)

    def _count_anew(self, known: _Silence, now: float) -> None:
        """The peer is asked again when as much time has passed as before the first question."""
        known.asked = False
        known.ask_at, known.ends_at = self._times(known.leg, now)
        known.next_at = known.ask_at

    def _end(self, known: _Silence, now: float) -> list[News]:
        self._silent.pop(known.leg.media, None)
        self._note(known.leg, now, "leg.lost", known)
        return [Counted("media", "leg_lost"), *self._lost.end(known.leg, now)]

    def _timeout_of(self, trunk: str) -> float:
        return self._timeouts.get(trunk, self._timeout)

    def _note(self, leg: Leg, now: float, fact: str, known: _Silence) -> None:
        ledger = self._table.ledger_of(leg.call)
        if ledger is not None:
            ledger.write_of(leg.name, now, fact, None, silent=round(now - known.since, 3))


def _is_due(leg: Leg) -> bool:
    """Whether packets are to come from the leg: it is answered, and nobody holds it."""
    return leg.is_open and leg.is_established and not is_held(leg) and not leg.is_deaf
