"""How long the media plane has been away: when it is too long, the calls end."""

import asyncio
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 20.0
"""Seconds without the plane after which the calls that stand end: nobody is in silence for longer."""
SETTLED: Final = 1.0
"""Seconds that it must have been back: one that dies as soon as it is there lets nobody hear a sentence."""


class Absence:
    """Counts from the first of several deaths in a row."""

    def __init__(self, too_long: Callable[[], object], patience: float = PATIENCE) -> None:
        self._too_long = too_long
        self._patience = patience
        self._ends: asyncio.TimerHandle | None = None
        self._settles: asyncio.TimerHandle | None = None

    def gone(self, silent: float) -> None:
        """The plane is gone, and has done nothing for `silent` seconds."""
        self._stop_settling()
        if self._ends is None:
            wait = max(self._patience - silent, 0.0)
            self._ends = asyncio.get_running_loop().call_later(wait, self._lost)

    def back(self) -> None:
        """It is there again; for how long will be seen."""
        if self._ends is not None and self._settles is None:
            self._settles = asyncio.get_running_loop().call_later(SETTLED, self.close)

    def close(self) -> None:
        """Count no more."""
        self._stop_settling()
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None

    def _stop_settling(self) -> None:
        if self._settles is not None:
            self._settles.cancel()
            self._settles = None

    def _lost(self) -> None:
        self._ends = None
        self._too_long()
