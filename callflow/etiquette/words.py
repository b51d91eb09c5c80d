"""Prompts said one after the other: the next begins when the one before has been heard to its end."""

from collections import deque
from typing import Final

from callflow.actions import Action, Say, StopSaying

LONGEST: Final = 30.0
"""Seconds after which a prompt counts as over although nobody told so: no caller waits for a lost message."""


class Words:
    """What is being said to a caller by one rule, and what comes after it."""

    def __init__(self) -> None:
        self._saying: Say | None = None
        self._left: deque[Say] = deque()

    @property
    def speaking(self) -> bool:
        return self._saying is not None

    def say(self, *prompts: Say) -> list[Action]:
        """Begin with the first of `prompts`; what was to be said before is forgotten."""
        self._left = deque(prompts)
        return self.go_on()

    def go_on(self) -> list[Action]:
        """The next prompt, or nothing when all has been said."""
        self._saying = self._left.popleft() if self._left else None
        return [self._saying] if self._saying else []

    def is_saying(self, prompt: str) -> bool:
        return self._saying is not None and self._saying.prompt == prompt

    def stop(self) -> list[Action]:
        """Fall silent, if anything is being said."""
        speaking, self._saying = self.speaking, None
        self._left.clear()
        return [StopSaying()] if speaking else []
