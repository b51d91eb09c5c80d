"""Finds the leg that a packet of an unknown source belongs to; most belong to none.

Most unknown sources are nobody's: scanners, streams of calls that are over, a PBX's other calls. They are
told from the few that may be somebody's by tables, all of a block at once.
"""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.claims import Claim, Claims
from callflow.media.departed import Departed
from callflow.media.newcomers import SECONDS, Newcomers
from callflow.media.sources import SOURCE, Cache, Sources, port_of
from callflow.media.streams import Streams

QUIET: Final = 5.0
"""Seconds without a packet from a leg's announced source after which another source may be taken for it."""
_TRIED: Final = QUIET - SECONDS - 0.1
"""The same, after which other sources are tried."""
_PAUSE: Final = 0.1
"""Seconds without a packet after which they are tried for a leg whose announced source has never sent."""
_NOBODY: Final = 0.1
"""Seconds for which a verdict about strangers holds where nothing changes."""
_UNDECIDED: Final = 0.2
"""Seconds for which a source may be that of two legs before one of them is offered another port."""
_LASTS: Final = 0.5
"""Seconds without such a packet after which it begins anew."""
_MOST_UNDECIDED: Final = 64


class Strangers:
    """Finds the legs of unknown sources."""

    def __init__(
        self,
        claims: Claims,
        departed: Departed,
        streams: Streams,
        heard_at: NDArray[np.float64],
        counts: Counter[str],
    ) -> None:
        """`heard_at` has when each slot was heard last."""
        self._claims, self._departed, self._streams = claims, departed, streams
        self._heard_at, self._counts = heard_at, counts
        self._newcomers = Newcomers()
        self._nobodies, self._shut = Cache(), Cache()
        """Places, and whole hosts at ports, that are nobody's for the moment."""
        self._shut_until: dict[int, float] = {}
        """The latter once more, for the rest of a block."""
        self._quiet: dict[int, tuple[int, float]] = {}
        """By host at a port, the only leg that has fallen quiet, and until when that is taken for true."""
        self._undecided: dict[int, tuple[float, float]] = {}
        """Since when, and when last, packets from a host at a port could be those of two legs."""
        self._former: dict[int, tuple[int, int]] = {}
        """By place, the slot and the SSRC of a stream that was taken for over."""
        self._crowded: list[int] = []

    def changed(self) -> None:
        """A claim has changed: no true caller may be locked out by what was known before."""
        self._nobodies.clear()
        self._shut.clear()
        self._shut_until.clear()
        self._quiet.clear()

    def take_crowded(self) -> list[int]:
        """The slots that cannot be told from others at their port."""
        crowded, self._crowded = self._crowded, []
        return crowded

    def settled(self, slot: int) -> None:
        """It is known where the slot is heard: neither former nor other streams are looked at for it."""
        self._newcomers.end(slot)
        if self._former:
            self._former = {place: one for place, one in self._former.items() if one[0] != slot}

    def possible(
        self,
        places: Sources,
        strangers: NDArray[np.intp],
        now: float,
        ssrc: NDArray[np.uint32] | None = None,
    ) -> NDArray[np.intp]:
        """Those rows in `strangers` that might be somebody's; the others are nobody's for sure."""
        places = places[strangers]
        hosts = places >> np.uint64(16)
        streams = None if ssrc is None else ssrc[strangers]
        barred = self._departed.heard(places & np.uint64(SOURCE), now, streams)
        possible = self._claims.have_legs(hosts)
        if possible.any():
            possible &= ~(barred | self._shut.holds(hosts, now) | self._nobodies.holds(places, now))
        possible |= self._claims.are_announced(places)
        known = [*self._former, *self._newcomers]
        if known:
            possible |= np.isin(places, np.array(known, np.uint64))
        rows: NDArray[np.intp] = strangers[possible]
        return rows

    def whose(self, place: int, stream: tuple[int, int] | None, now: float) -> tuple[Claim | None, bool]:
        """The claim of the leg that a packet belongs to, None for no leg; and whether that is final.

        It is not final where the next packets of the same place decide.
        """
        announcing, source, host = self._claims.announcing(place), place & SOURCE, place >> 16
        if announcing:
            claim = announcing[-1]
            if stream is None or not self._departed.is_late(place, stream[0], now):
                return claim, True
            self._counts["quarantined"] += 1
            return None, False
        using = self._claims.using(source)
        if using:
            moving = [claim for claim in using if _moves_here(claim, place)]
            return (moving[0], True) if moving else self._nobody(place, now)
        if place in self._former:
            return self._returned(place, stream)
        if place not in self._newcomers and now < self._shut_until.get(host, now):
            return None, True
        waiting = self._claims.waiting(host, now)
        if self._departed.is_barred(source, now) and not (len(waiting) == 1 and waiting[0].is_behind_nat):
            return self._nobody(place, now)
        if len(waiting) == 1 and self._is_heard_elsewhere(waiting[0]):
            return self._nobody(place, now)
        if len(waiting) == 1:
            return waiting[0], True
        if waiting:
            self._cannot_decide(host, waiting, now)
            return self._nobody_there(host, now)
        return self._another_source(place, stream, now)

    def _is_heard_elsewhere(self, claim: Claim) -> bool:
        """Whether the announced source of the leg sends: to another port of ours, or for another leg."""
        announced = claim.announced
        users = [] if announced is None else self._claims.using(announced)
        return any(one.owned is not None and one.owned & SOURCE == announced for one in users)

    def _nobody(self, place: int, now: float) -> tuple[None, bool]:
        """The place alone is nobody's for the moment."""
        self._nobodies.add(place, now + _NOBODY)
        return None, True

    def _nobody_there(self, host: int, now: float) -> tuple[None, bool]:
        """Every unknown source of a host at a port is nobody's for the moment."""
        self._shut.add(host, now + _NOBODY)
        self._shut_until[host] = now + _NOBODY
        return None, True

    def _returned(self, place: int, stream: tuple[int, int] | None) -> tuple[Claim | None, bool]:
        """A stream that was taken for over goes on: it had only paused."""
        slot, ssrc = self._former[place]
        goes_on = stream is not None and stream[0] == ssrc
        return self._claims.get(slot) if goes_on else None, goes_on

    def _cannot_decide(self, host: int, waiting: list[Claim], now: float) -> None:
        """Better mute than in the wrong call; where it lasts the latest leg needs another port."""
        self._counts["ambiguous_source"] += 1
        if len(self._undecided) >= _MOST_UNDECIDED:
            self._undecided.clear()
        here = [claim for claim in waiting if claim.port == port_of(host << 16)]
        unsure = [claim for claim in here if claim.may_be_elsewhere]
        since, last = self._undecided.get(host, (now, now))
        since = since if now - last < _LASTS else now
        self._undecided[host] = since, now
        if now - since >= _UNDECIDED and len(here) > 1 and unsure:
            del self._undecided[host]
            self._crowded.append(unsure[0].slot)

    def _another_source(
        self, place: int, stream: tuple[int, int] | None, now: float
    ) -> tuple[Claim | None, bool]:
        """A leg that has fallen quiet, if this is the only one that the steady stream can be."""
        host = place >> 16
        slot = self._quiet_leg(host, now)
        if slot is None or stream is None:
            return self._nobody_there(host, now)
        trial = self._newcomers.heard(place, slot, *stream, now)
        if trial is None:
            return self._nobody_there(host, now)
        claim, heard_at = self._claims[slot], float(self._heard_at[slot])
        is_over = heard_at < trial.begun and (not claim.was_announced or now - heard_at >= QUIET)
        if not (trial.is_proven and is_over):
            return None, False
        former, ssrc = claim.owned, self._streams.of(slot)
        self._counts["latched_anew"] += 1
        self.settled(slot)
        if former is not None and ssrc is not None:
            self._former[former] = slot, ssrc
        return claim, True

    def _quiet_leg(self, host: int, now: float) -> int | None:
        """The only leg of a host at a port that might have another source now."""
        slot, until = self._quiet.get(host, (-1, -np.inf))
        if now >= until:
            quiet = [
                claim.slot
                for claim in self._claims.latched(host)
                if now - self._heard_at[claim.slot] >= (_TRIED if claim.was_announced else _PAUSE)
            ]
            slot = quiet[0] if len(quiet) == 1 else -1
            self._quiet[host] = slot, now + _NOBODY
        return None if slot < 0 else slot


def _moves_here(claim: Claim, place: int) -> bool:
    """Whether a leg that is heard at another port of ours was told to send to this one."""
    has_source = claim.owned is not None and claim.owned & SOURCE == place & SOURCE
    return claim.waits and has_source and claim.port == port_of(place)
