"""Judges how a caller was kept waiting: in a queue, for a hold, and on the way back.

- csr-23 and its like: nobody was held who had not agreed.
- The same, or gas-10: who was held was never left without a word for longer than the house's interval.
- gas-11, log-03, crs-14: who was given back heard the words of return.
- crs-02: who waited for a seat heard a word in time; csr-16: and the apology, if it took long.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from callflow.etiquette.house import House
from callflow.etiquette.verdict import TOLERANCE, Judgement, Measure, Verdict
from callflow.etiquette.words import LONGEST
from callflow.facts import Fact

FIRST_WORD = 30.0
"""Seconds within which who waits in a queue hears a greeting (crs-02)."""
SERVED = ("seat.answered", "queue.left", "call.ended")
GIVEN_BACK = ("hold.resumed", "hold.ended", "call.ended")
STILL = ("call.held", "call.resumed")
"""Nobody on the caller's side hears us between the two: no interval counts."""


def verdicts_on_waiting(facts: Sequence[Fact], house: House) -> Iterator[Verdict]:
    """A verdict for each of these rules that the call came under and that is in force."""
    rules = house.hold.rules
    under: list[tuple[str, Callable[[Sequence[Fact], House], str | None]]] = [
        ("crs-02", _queued),
        ("csr-16", _picked_up_late),
        (rules.ask, _held_on_consent),
        (rules.remind, _reminded),
        (rules.back, _thanked),
    ]
    found: dict[str, list[str]] = {}
    for rule, look in under:
        why = look(facts, house) if house.enforces(rule) else None
        if why is not None:
            found.setdefault(rule, []).append(why)
    for rule, reasons in found.items():
        why = "; ".join(reason for reason in reasons if reason)
        yield Verdict(rule, Judgement.BROKEN if why else Judgement.KEPT, why)


def longest_silence(facts: Sequence[Fact], begins: str, ends: Sequence[str]) -> Iterator[Measure]:
    """The times without the start of a word, from each fact `begins` to the first of `ends`."""
    for index, fact in enumerate(facts):
        if fact.fact == begins:
            yield from _silences(facts[index:], begins, ends)


def _silences(facts: Sequence[Fact], begins: str, ends: Sequence[str]) -> Iterator[Measure]:
    marks = [facts[0]]
    for fact in facts[1:]:
        if fact.fact in (*ends, *STILL, "prompt.started"):
            marks.append(fact)
        if fact.fact in ends:
            break
    for before, after in pairwise(marks):
        if not {before.fact, after.fact} & {*STILL}:
            yield Measure("", before.fact, after.fact, 0.0, before.at, after.at, at_most=True)


def _queued(facts: Sequence[Fact], house: House) -> str | None:
    if not _any(facts, "queue.entered"):
        return None
    allowed = max(FIRST_WORD, house.queue.every)
    return _too_long(longest_silence(facts, "queue.entered", SERVED), allowed)


def _picked_up_late(facts: Sequence[Fact], house: House) -> str | None:
    late = house.joining.late_after
    for index, fact in enumerate(facts):
        if fact.fact == "seat.answered" and float(str(fact.details["waited"])) > late:
            said = next((f for f in facts[index:] if f.fact == "prompt.started"), None)
            if said is not None and said.details["prompt"] != house.joining.late:
                return f"after {fact.details['waited']} s the greeting was {said.details['prompt']}"
            return ""
    return None


def _held_on_consent(facts: Sequence[Fact], house: House) -> str | None:
    """Each hold needs a consent of its own, or one that was still good when its thanks began."""
    good_until = 0.0
    fresh = held = False
    for fact in facts:
        match fact.fact:
            case "consent.given":
                fresh, good_until = True, fact.at + house.hold.consent_lasts + LONGEST
            case "hold.asked" | "consent.refused" | "consent.unanswered":
                fresh = False
            case "hold.started":
                held = True
                lasting = house.hold.consent_lasts > 0 and fact.at <= good_until
                if not (fresh or lasting):
                    return f"held at {fact.at:.3f} s without consent"
                fresh = False
    return "" if held or _any(facts, "hold.asked") else None


def _reminded(facts: Sequence[Fact], house: House) -> str | None:
    if not _any(facts, "hold.started"):
        return None
    return _too_long(longest_silence(facts, "hold.started", GIVEN_BACK), house.hold.every)


def _thanked(facts: Sequence[Fact], house: House) -> str | None:
    for index, fact in enumerate(facts):
        if fact.fact == "hold.resumed":
            after = [f for f in facts[index:] if f.fact in ("prompt.started", "call.joined")]
            said = [str(f.details.get("prompt", "")) for f in after]
            joined = next((i for i, f in enumerate(after) if f.fact == "call.joined"), None)
            if joined is None:
                # The caller, or the seat, has left in the middle of the words.
                return ""
            missing = [prompt for prompt in house.recall.back if prompt not in said[:joined]]
            return f"given back without {', '.join(missing)}" if missing else ""
    return None


def _too_long(silences: Iterator[Measure], allowed: float) -> str:
    worst = max(silences, key=lambda silence: silence.measured, default=None)
    if worst is None or worst.measured <= allowed + TOLERANCE:
        return ""
    return f"{worst.measured:.3f} s without a word, not {allowed:g} s"


def _any(facts: Sequence[Fact], name: str) -> bool:
    return any(fact.fact == name for fact in facts)
