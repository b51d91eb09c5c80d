"""Sources that legs have had: for a while no other leg may take them by their host alone.

A phone or a gateway may go on sending after its call. Its stream must not be taken for the next caller's who
has the same host, as all callers behind a PBX have.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.media.sources import Sources

BARRED: Final = 30.0
"""Seconds for which a source that a leg has had is taken for no other leg by its host alone,"""
FRESH: Final = 2.0
"""unless it has sent nothing for so many seconds: then it begins anew."""
QUARANTINE: Final = 5.0
"""Seconds for which a closed leg's stream reaches no other leg, not even one that announced its source."""


@dataclass(slots=True)
class _Stream:
    """The stream of a closed leg, at one place."""

    ssrc: int
    until: float
    heard_at: float


class Departed:
    """The sources and streams that legs have had."""

    def __init__(self) -> None:
        self._sources = np.zeros(0, np.uint64)
        self._heard_at = np.zeros(0)
        self._until = np.zeros(0)
        self._ssrc = np.zeros(0, np.int64)
        """The stream that each source sent; -1 where that is not known."""
        self._streams: dict[int, list[_Stream]] = {}
        """By place."""
        self._expires_at = -np.inf

    # --- sources ---

    def bar(self, source: int, heard_at: float, now: float, ssrc: int | None = None) -> None:
        """A leg had or awaited the source until now; `ssrc` is that of its stream, where one came."""
        kept = self._until > now
        kept &= self._sources != source
        sources, heard, until = self._sources[kept], self._heard_at[kept], self._until[kept]
        streams = self._ssrc[kept]
        at = int(np.searchsorted(sources, np.uint64(source)))
        self._sources = np.insert(sources, at, np.uint64(source))
        self._heard_at = np.insert(heard, at, heard_at)
        self._until = np.insert(until, at, now + BARRED)
        self._ssrc = np.insert(streams, at, -1 if ssrc is None else ssrc)

    def free(self, source: int) -> None:
        """The source is a leg's again."""
        at = self._find(source)
        if at is not None:
            self._until[at] = -np.inf

    def is_barred(self, source: int, now: float) -> bool:
        """Whether the source is barred, as far as was heard of it."""
        at = self._find(source)
        return at is not None and bool(self._until[at] > now)

    def _find(self, source: int) -> int | None:
        """Where the source stands in the tables."""
        at = int(np.searchsorted(self._sources, np.uint64(source)))
        return at if at < len(self._sources) and self._sources[at] == source else None

    def heard(
        self, sources: Sources, now: float, ssrc: NDArray[np.uint32] | None = None
    ) -> NDArray[np.bool_]:
        """Packets of strangers have come: which of them are barred for everybody.

        Not so is another stream of a barred source: its phone may have begun a new call (`is_barred`).
        """
        if not len(self._sources):
            return np.zeros(len(sources), np.bool_)
        at = np.minimum(np.searchsorted(self._sources, sources), len(self._sources) - 1)
        known = (self._sources[at] == sources).nonzero()[0]
        barred = np.zeros(len(sources), np.bool_)
        if len(known):
            which = at[known]
            fresh = now - self._heard_at[which] >= FRESH
            self._until[which[fresh]] = -np.inf
            self._heard_at[which] = now
            barred[known] = self._until[which] > now
            # A stream that goes on is nobody's for as long as it does.
            goes_on = which[self._until[which] > now]
            self._until[goes_on] = np.maximum(self._until[goes_on], now + FRESH)
            if ssrc is not None:
                barred[known] &= (self._ssrc[which] < 0) | (self._ssrc[which] == ssrc[known])
        return barred

    # --- streams ---

    def quarantine(self, place: int, ssrc: int, heard_at: float, now: float) -> None:
        """The leg of the stream is closed now."""
        self._expire(now)
        self._streams.setdefault(place, []).append(_Stream(ssrc, now + QUARANTINE, heard_at))

    def has_streams(self, place: int, now: float) -> bool:
        """Whether any stream from there is in quarantine."""
        return any(stream.until > now for stream in self._streams.get(place, ()))

    def is_late(self, place: int, ssrc: int, now: float) -> bool:
        """Whether a packet still belongs to a closed leg's stream, whoever has announced its source since."""
        for stream in self._streams.get(place, ()):
            if stream.ssrc != ssrc or now >= stream.until:
                continue
            if now - stream.heard_at < FRESH:
                stream.heard_at = now
                return True
            # It begins anew: a phone may use one SSRC in all its calls.
            stream.until = now
        return False

    def _expire(self, now: float) -> None:
        if now < self._expires_at:
            return
        self._expires_at = now + FRESH
        for place in [*self._streams]:
            self._streams[place] = [stream for stream in self._streams[place] if stream.until > now]
            if not self._streams[place]:
                del self._streams[place]
