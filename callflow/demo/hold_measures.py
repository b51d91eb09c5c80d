"""What is prescribed while a caller waits, what our ledger says, and what the caller's socket says."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from callflow.adapters.softphone import CallReport
from callflow.demo.comparison import Row, nearest
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Measure
from callflow.events import Party
from callflow.facts import Fact

Span = tuple[float, float]
"""From when to when, in monotonic seconds."""

OVER = ("hold.resumed", "hold.ended", "call.ended")
ALONE = ("seat.unhearing", "hold.asked")
TOGETHER = ("call.joined", "call.ended")
REMINDER = "reminder"
"""What is measured from start to start, whatever its words are."""


def rows_of(
    facts: Sequence[Fact], house: House, report: CallReport, hung_up_at: float | None
) -> Iterator[Row]:
    """A row for every length of time; `hung_up_at` is when the seat's phone hung up, if it did."""
    yield from _reminders(facts, house, report)
    yield from _without_a_word(facts, house, report)
    yield from _after_the_seat(facts, house, report, hung_up_at)


def _reminders(facts: Sequence[Fact], house: House, report: CallReport) -> Iterator[Row]:
    """From the beginning of the wait to the first reminder, and from the start of one to the next's."""
    hold = house.hold
    since: Fact | None = None
    for fact in facts:
        if fact.fact == "hold.started":
            since = fact
        elif fact.fact in OVER:
            since = None
        elif since and fact.fact == "prompt.started" and fact.details["prompt"] == hold.reminder:
            first = since.fact == "hold.started"
            begins = since.fact if first else REMINDER
            measure = Measure(hold.rules.remind, begins, REMINDER, hold.every, since.at, fact.at)
            # The wait begins with the end of the thanks.
            places = report.ends if first else report.starts
            yield Row(measure, apart(nearest(places, since.at), nearest(report.starts, fact.at)), True)
            since = fact


def _without_a_word(facts: Sequence[Fact], house: House, report: CallReport) -> Iterator[Row]:
    """The longest silence while the seat does not hear the caller."""
    hold = house.hold
    words = [*words_of(facts)]
    for start, end in _alone(facts):
        begins, ends = longest_gap(words, start, end)
        measure = Measure(
            hold.rules.remind, "a word", "the next word", hold.every, begins, ends, at_most=True
        )
        first, last = longest_gap(report.sounds, start, end)
        yield Row(measure, last - first, True)


def _after_the_seat(
    facts: Sequence[Fact], house: House, report: CallReport, hung_up_at: float | None
) -> Iterator[Row]:
    """From the seat's hang-up to the first word of the closing."""
    left = next((fact for fact in facts if fact.fact == "seat.hung_up"), None)
    if left is None:
        return
    words = house.closing.anything_else
    for fact in facts:
        if fact.fact == "prompt.started" and fact.at > left.at and fact.details["prompt"] == words:
            manners = house.seat_closing
            measure = Measure(manners.rule, left.fact, words, manners.pause, left.at, fact.at)
            yield Row(measure, apart(hung_up_at, nearest(report.starts, fact.at)), True)
            return


def _alone(facts: Sequence[Fact]) -> Iterator[Span]:
    """When the caller could not be heard by the seat."""
    since: float | None = None
    for fact in facts:
        if since is None and fact.fact in ALONE:
            since = fact.at
        elif since is not None and fact.fact in TOGETHER:
            yield since, fact.at
            since = None


def words_of(facts: Sequence[Fact]) -> Iterator[Span]:
    """What was said to the caller."""
    began: float | None = None
    for fact in facts:
        if fact.leg == Party.TARGET:
            continue
        if fact.fact == "prompt.started":
            began = fact.at
        elif fact.fact in ("prompt.finished", "prompt.stopped") and began is not None:
            yield began, fact.at
            began = None


def longest_gap(spans: Sequence[Span], start: float, end: float) -> Span:
    """The longest time between `start` and `end` that no span covers; the spans are in order."""
    inside = [(max(a, start), min(b, end)) for a, b in spans if b > start and a < end]
    edged = [(start, start), *inside, (end, end)]
    return max(((one[1], two[0]) for one, two in pairwise(edged)), key=lambda gap: gap[1] - gap[0])


def apart(begins: float | None, ends: float | None) -> float | None:
    """Seconds between two observations, if both were made."""
    return None if begins is None or ends is None else ends - begins
