"""What an audit says of one rule in one call, and the lengths of time that it goes by."""

from dataclasses import dataclass
from enum import StrEnum

TOLERANCE = 0.1
"""Seconds by which a pause may differ from the prescribed one."""


class Judgement(StrEnum):
    KEPT = "kept"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Measure:
    """One prescribed length of time, and what it was."""

    rule: str
    begins: str
    """What the time counts from: `arrival`, or the prompt whose end it is."""
    ends: str
    """What it counts to: `answer`, the next prompt, or `hang_up`."""
    prescribed: float
    """Seconds."""
    begins_at: float
    ends_at: float
    at_most: bool = False
    """Whether less than prescribed is good too."""
    slack: float = 0.0
    """Seconds by which more than prescribed is good."""

    @property
    def measured(self) -> float:
        """Seconds."""
        return self.ends_at - self.begins_at

    @property
    def kept(self) -> bool:
        return self.allows(self.measured)

    def allows(self, seconds: float) -> bool:
        """Whether the rule is content with this length."""
        over = seconds - self.prescribed
        return over <= TOLERANCE + self.slack and (self.at_most or over >= -TOLERANCE)


@dataclass(frozen=True, slots=True)
class Verdict:
    rule: str
    judgement: Judgement
    why: str = ""
    measures: tuple[Measure, ...] = ()
