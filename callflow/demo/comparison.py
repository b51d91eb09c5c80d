"""What is prescribed, what our ledger says, and what the caller's own socket says, side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callflow.adapters.softphone import CallReport
from callflow.etiquette.audit import measure
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Measure
from callflow.facts import Fact

AGREEMENT = 0.05
"""Seconds by which the ledger and the caller's socket may differ."""
_NEAR = 1.0
"""Seconds around a time in the ledger within which the caller's own observation of it is looked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prescribed length of time."""

    measure: Measure
    heard: float | None
    """Seconds at the caller's socket; None where it was not observed, or there is no such socket."""
    was_observed: bool
    """Whether there was a caller's socket at all."""

    @property
    def good(self) -> bool:
        if not self.was_observed:
            return self.measure.kept
        if self.heard is None or not self.measure.kept:
            return False
        return self.measure.allows(self.heard) and abs(self.heard - self.measure.measured) <= AGREEMENT


def compare(facts: Sequence[Fact], house: House, report: CallReport | None) -> list[Row]:
    """A row for each length of time that the rules prescribed in this call."""
    return [
        Row(measured, _heard(measured, report) if report else None, report is not None)
        for measured in measure(facts, house)
    ]


def _heard(measured: Measure, report: CallReport) -> float | None:
    if measured.begins == "arrival":
        return report.answered_at - report.invited_at
    begins = nearest(report.ends, measured.begins_at)
    ends = report.bye_at if measured.ends == "hang_up" else nearest(report.starts, measured.ends_at)
    return None if begins is None or ends is None else ends - begins


def nearest(times: Iterable[float], wanted: float) -> float | None:
    """The time nearest to `wanted`, if one is near enough to be the same moment."""
    found = min(times, key=lambda at: abs(at - wanted), default=None)
    return found if found is not None and abs(found - wanted) <= _NEAR else None
