"""What nobody knows before the call is said in recordings that are there: one after the other, as one prompt.

The names under which the plane has them begin with the prompt's, as those of all recordings do: so no ledger
tells which they were, and a number that is read back to its caller stands in none.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from callflow.events import Event, PromptFinished, PromptStarted

Spell = Callable[[str, Mapping[str, str]], Iterable[str]]
"""A prompt and what its slots are filled with → the plane's names of the recordings that say it."""


class Spelling:
    """The recordings of one prompt on their way to one leg."""

    def __init__(self) -> None:
        self._left: deque[str] = deque()
        self._saying = ""
        self._is_first = True

    def begin(self, recordings: Iterable[str]) -> str:
        """The first one; the rest comes by `go_on`."""
        self._left = deque(recordings)
        self._saying, self._is_first = self._left.popleft(), True
        return self._saying

    def stop(self) -> None:
        """Something else is said, or nothing."""
        self._left.clear()

    def go_on(self, event: Event) -> str | None:
        """What to play now because of what the plane tells; None where nothing is between two recordings.

        An empty name stands for the beginning of a later recording: that is no beginning of the prompt.
        """
        match event:
            case PromptFinished(prompt=prompt) if self._left and prompt == self._saying:
                self._saying, self._is_first = self._left.popleft(), False
                return self._saying
            case PromptStarted(prompt=prompt) if prompt == self._saying and not self._is_first:
                return ""
        return None
