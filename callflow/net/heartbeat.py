"""How long a process of ours has told nothing, by time in which we listened ourselves."""

from typing import Final

LOOK: Final = 0.1
"""Seconds between two looks."""
HUNG: Final = 2.0
"""Seconds without a sign of life that tell a process that hangs; it gives several of them a second."""
_MOST_AT_ONCE: Final = 2 * LOOK


class Heartbeat:
    """Counts silence. Time that we overslept ourselves is not counted as silence.

    A controller that was stalled, or a machine that was stopped and goes on, finds the messages of the
    meantime unread; so a late look counts as two looks at most, and before the next one they are read.
    """

    def __init__(self, now: float) -> None:
        self.silent = 0.0
        """Seconds without a sign of life, as of the last look."""
        self._looked_at = now

    def beat(self) -> None:
        """The process has told something."""
        self.silent = 0.0

    def look(self, now: float) -> float:
        """Seconds without a sign of life; to be asked every `LOOK` seconds."""
        self.silent += min(max(now - self._looked_at, 0.0), _MOST_AT_ONCE)
        self._looked_at = now
        return self.silent
