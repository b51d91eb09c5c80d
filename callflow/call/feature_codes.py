"""What a seat says with its phone's keys: a star and a digit is for us, everything else for the caller."""

from dataclasses import dataclass, field
from typing import Final

_WITHHELD: Final = 2.0
"""Seconds for which a star is kept back: no code came, so it was meant for the caller."""


@dataclass(frozen=True, slots=True)
class Code:
    """A whole code."""

    key: str
    """`1` hold, `2` resume, `3` transfer, `4` the menu of the line and its words, `0` the supervisor.

    `3*` is a transfer of which the seat says itself what it is about.
    """
    number: str = field(default="", repr=False)
    """What was dialled after it, up to `#`: where to, or how many minutes; of the menu, the one digit."""


@dataclass(frozen=True, slots=True)
class PassOn:
    """Keys that were no code: the caller's side gets them after all."""

    keys: str = field(repr=False)


class FeatureCodes:
    """The keys of one seat."""

    CODES: Final = "01234"
    WITH_NUMBER: Final = {"3": 16}
    """How many digits may follow."""
    WITH_MINUTES: Final = {"1": 2}
    """The same, where the house wants a wait announced in minutes; they may be left out."""
    MENU: Final = "4"
    """One digit follows: 1 the caller hears the seat louder, 2 softer, 3 an apology first; 4 the caller lifts
    the handset, 5 is too quiet, 6 hidden by noise, 7 silent; 0 what was begun by the last three stops.
    """

    def __init__(self) -> None:
        self.deadline: float | None = None
        self._kept = ""

    def press(self, key: str, now: float, *, minutes: bool = False) -> list[Code | PassOn]:
        """A key was pressed; `minutes`: whether the code for hold may name some."""
        kept = self._kept + key
        if kept == "*":
            return self._wait(kept, now)
        longest = {**self.WITH_NUMBER, **(self.WITH_MINUTES if minutes else {})}
        if len(kept) == 2 and key in self.CODES:
            goes_on = key in longest or key == self.MENU
            return self._wait(kept, now) if goes_on else self._done(Code(key))
        if len(kept) == 3 and kept[1] == self.MENU and key.isdigit():
            return self._done(Code(self.MENU, key))
        if len(kept) > 2 and kept[1] in longest:
            if key == "#":
                return self._done(Code(kept[1], kept[2:-1]))
            if key == "*" and kept[1] == "3" and len(kept) > 3:
                return self._done(Code("3*", kept[2:-1]))
            if key.isdigit() and len(kept) - 2 <= longest[kept[1]]:
                return self._wait(kept, now)
        return self._done(PassOn(kept))

    def tick(self, now: float) -> list[Code | PassOn]:
        """Time has passed: what was begun is no code, or one whose number was left out or not ended."""
        if self.deadline is None or now < self.deadline:
            return []
        kept = self._kept
        whole = len(kept) > 1 and kept[1] in self.WITH_MINUTES
        return self._done(Code(kept[1], kept[2:]) if whole else PassOn(kept))

    def _wait(self, kept: str, now: float) -> list[Code | PassOn]:
        self._kept, self.deadline = kept, now + _WITHHELD
        return []

    def _done(self, what: Code | PassOn) -> list[Code | PassOn]:
        self._kept, self.deadline = "", None
        return [what]
