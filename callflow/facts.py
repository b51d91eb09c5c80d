"""A fact: one thing that is known to have happened in a call, kept for ever and in order.

Facts are what metrics, logs, reports and the audit are made from, and what proves a rule.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

Detail = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a call's ledger."""

    at: float
    """Seconds on the controller's monotonic clock."""
    call: str
    leg: str
    """`caller`, or who else of the call it is about."""
    fact: str
    """Its name, such as `prompt.finished`."""
    rule: str | None = None
    """The etiquette rule that it belongs to."""
    details: Mapping[str, Detail] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Detail]:
        """The fact as one flat JSON object; details never hide the fixed names."""
        fixed: dict[str, Detail] = {"at": round(self.at, 6), "call": self.call, "leg": self.leg}
        return {**self.details, **fixed, "fact": self.fact, "rule": self.rule}

    def as_json(self) -> str:
        return json.dumps(self.as_dict(), ensure_ascii=False)
