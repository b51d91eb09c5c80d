"""One trunk: a peer PBX or provider at one address or several, and which of them calls go to.

Each address is asked by itself, so that one that is silent for the length of a transaction keeps nobody from
learning that another is back.
"""

from collections.abc import Callable, Sequence
from typing import Final

from callflow.sip.keepalive import Changed, Keepalive, Rhythm, State
from callflow.sip.locate import Candidate
from callflow.sip.message import Request, Response
from callflow.sip.options import options
from callflow.sip.uri import Uri

_BEST_FIRST: Final = (State.UP, State.UNKNOWN, State.DRAINING, State.DOWN)
"""A trunk is as good as its best address."""
_WILLING: Final = {State.UP: 0, State.UNKNOWN: 0, State.DRAINING: 1, State.DOWN: 2}


class Trunk:
    """The keepalives of all addresses of a trunk, in the order in which its configuration or DNS has them."""

    def __init__(
        self,
        target: Uri,
        ours: Uri,
        candidates: Sequence[Candidate],
        new_id: Callable[[], str],
        now: float,
        rhythm: Rhythm | None = None,
    ) -> None:
        """`target` is the Request-URI, `ours` stands in From and Contact.

        The first questions are due at once.
        """
        self._target = target
        self._ours = ours
        self._new_id = new_id
        self._rhythm = rhythm or Rhythm()
        self._cseq = 0
        self._kept = {candidate: Keepalive(self._rhythm, now) for candidate in candidates}

    @property
    def state(self) -> State:
        """That of the best address; `DOWN` where there is none."""
        states = {kept.state for kept in self._kept.values()}
        return next((state for state in _BEST_FIRST if state in states), State.DOWN)

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called; None while every address owes an answer."""
        return min((kept.deadline for kept in self._kept.values() if kept.deadline is not None), default=None)

    @property
    def states(self) -> dict[Candidate, State]:
        return {candidate: kept.state for candidate, kept in self._kept.items()}

    @property
    def round_trips(self) -> dict[Candidate, float]:
        """Seconds, of those that have answered."""
        return {c: kept.round_trip for c, kept in self._kept.items() if kept.round_trip is not None}

    def relocate(self, candidates: Sequence[Candidate], now: float) -> None:
        """The addresses as DNS has them now; what is known of those that stay is kept."""
        known = self._kept
        self._kept = {c: known.get(c) or Keepalive(self._rhythm, now) for c in candidates}

    def usable(self) -> list[Candidate]:
        """Where the next call is to go, in the order to try.

        Those that want no calls come after the others, and those known to be down last: when nothing else is
        left, what is known may be old.
        """
        return sorted(self._kept, key=lambda candidate: _WILLING[self._kept[candidate].state])

    def tick(self, now: float) -> list[tuple[Candidate, Request]]:
        """The OPTIONS to send now, and where to."""
        return [(candidate, self._options()) for candidate, kept in self._kept.items() if kept.tick(now)]

    def replied(self, candidate: Candidate, response: Response, now: float) -> Changed | None:
        """The final response of `candidate`; says when the trunk's own state changed.

        Nothing comes of what an address answers that has left meanwhile, even if it is back.
        """
        return self._told(candidate, now, lambda kept: kept.replied(response, now))

    def unanswered(self, candidate: Candidate, now: float) -> Changed | None:
        """The OPTIONS to `candidate` timed out, or could not be sent; otherwise as `replied`."""
        return self._told(candidate, now, lambda kept: kept.unanswered(now))

    def missed(self, candidate: Candidate, now: float) -> Changed | None:
        """`candidate` has not answered an INVITE."""
        before = self.state
        kept = self._kept.get(candidate)
        if kept is not None:
            kept.missed(now)
        return Changed(now, before, self.state) if before is not self.state else None

    def _told(
        self, candidate: Candidate, now: float, tell: Callable[[Keepalive], Changed | None]
    ) -> Changed | None:
        before = self.state
        kept = self._kept.get(candidate)
        if kept is not None and kept.deadline is None:
            tell(kept)
        return Changed(now, before, self.state) if before is not self.state else None

    def _options(self) -> Request:
        self._cseq += 1
        return options(self._target, self._ours, self._new_id, self._cseq)
