"""What is prescribed while a transfer's target is looked for, our ledger, and the caller's socket."""

from collections.abc import Iterator, Sequence

from callflow.adapters.softphone import CallReport
from callflow.demo.comparison import Row, nearest
from callflow.demo.hold_measures import Span, apart, longest_gap, words_of
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Measure
from callflow.events import Party
from callflow.facts import Fact

LOOKED_FOR = "transfer.offered"
OVER = ("transfer.accepted", "transfer.declined", "transfer.failed", "call.ended")


def rows_of(facts: Sequence[Fact], house: House, report: CallReport) -> Iterator[Row]:
    """A row for every length of time that the house's transfer prescribes."""
    for start, end, last in _waits(facts):
        yield _without_a_word(facts, (start, end), house, report)
        if last.details.get("why") == "no_answer":
            yield from _rung_in_vain(facts, (start, end), house, report)


def _waits(facts: Sequence[Fact]) -> Iterator[tuple[float, float, Fact]]:
    """From when to when a target was looked for and asked, and the fact that ended it."""
    since: float | None = None
    for fact in facts:
        if fact.fact == LOOKED_FOR:
            since = fact.at
        elif since is not None and fact.fact in OVER:
            yield since, fact.at, fact
            since = None


def _without_a_word(facts: Sequence[Fact], wait: Span, house: House, report: CallReport) -> Row:
    """The longest silence that the caller heard meanwhile."""
    manners = house.transfer
    begins, ends = longest_gap([*words_of(facts)], *wait)
    measure = Measure(manners.rule, "a word", "the next word", manners.every, begins, ends, at_most=True)
    first, last = longest_gap(report.sounds, *wait)
    return Row(measure, last - first, True)


def _rung_in_vain(facts: Sequence[Fact], wait: Span, house: House, report: CallReport) -> Iterator[Row]:
    """From the word that the caller is being transferred to the word that nobody is there."""
    manners = house.transfer
    begins = _said(facts, manners.waiting, wait[0])
    ends = _said(facts, manners.not_taken, wait[1])
    if begins is not None and ends is not None:
        measure = Measure(manners.rule, manners.waiting, manners.not_taken, manners.ring_for, begins, ends)
        yield Row(measure, apart(nearest(report.starts, begins), nearest(report.starts, ends)), True)


def _said(facts: Sequence[Fact], prompt: str, since: float) -> float | None:
    """When it was first said to the caller, from then on."""
    said = (f for f in facts if f.fact == "prompt.started" and f.leg != Party.TARGET and f.at >= since)
    return next((fact.at for fact in said if fact.details["prompt"] == prompt), None)
