"""Judges a call's ledger against the rules, knowing nothing of how the machines work.

The audit looks only at facts, so it can judge a call of last year, or find that a machine is wrong.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from callflow.etiquette.audit_line import (
    OPINION,
    is_broken_by_sound,
    out_of_time,
    pause_between,
    verdicts_on_line,
)
from callflow.etiquette.audit_waiting import verdicts_on_waiting
from callflow.etiquette.house import House
from callflow.etiquette.rulebook import Rulebook
from callflow.etiquette.verdict import Judgement, Measure, Verdict
from callflow.facts import Fact

_BREAK: Final = (
    "digit.pressed",
    "call.held",
    "call.joined",
    "line_check.hastened",
    "line_check.stopped",
)
"""After these a pause has no prescribed length any more, whatever comes then."""


def judge(facts: Sequence[Fact], house: House, rulebook: Rulebook | None = None) -> list[Verdict]:
    """A verdict for each rule that the call came under: of beginning and end, of the line, of all waiting.

    With a `rulebook` no house is judged by less than its document demands, and a rule that the document does
    not let end a call may not.
    """
    if rulebook is None:
        return _judged(facts, house)
    verdicts = _judged(facts, rulebook.strictest(house))
    ended = next((fact for fact in facts if fact.fact == "call.ended"), None)
    rule = ended.rule if ended and ended.details.get("by") == "callflow" else None
    if rule is None or rulebook.may_end(rule):
        return verdicts
    why = "ended the call, which its document does not say"
    return [*(each for each in verdicts if each.rule != rule), Verdict(rule, Judgement.BROKEN, why)]


def _judged(facts: Sequence[Fact], house: House) -> list[Verdict]:
    measures = [*measure(facts, house)]
    verdicts = []
    for rule in ("csr-01", "csr-35", "csr-36"):
        if not house.enforces(rule):
            continue
        own = tuple(m for m in measures if m.rule == rule)
        why = _wrong(rule, facts, house) or out_of_time(own)
        if own or why or any(fact.rule == rule for fact in facts):
            verdicts.append(Verdict(rule, Judgement.BROKEN if why else Judgement.KEPT, why, own))
    return [*verdicts, *verdicts_on_line(facts, house, measures), *verdicts_on_waiting(facts, house)]


def measure(facts: Sequence[Fact], house: House) -> Iterator[Measure]:
    """Every length of time in the ledger that a rule prescribes."""
    arrived = _first(facts, "call.arrived")
    # Who waits before the answer has been received by the first provisional response.
    answered = _first(facts, "call.progressed") or _first(facts, "call.answered")
    if arrived and answered:
        within = house.answering.within
        yield Measure("csr-01", "arrival", "answer", within, arrived.at, answered.at, at_most=True)
    finished: Fact | None = None
    sounded = asked = False
    for fact in facts:
        match fact.fact:
            case "prompt.finished":
                finished, sounded, asked = fact, False, False
            case "prompt.started" | "call.ended" if finished is not None:
                by_us = fact.rule and fact.details.get("by", "callflow") == "callflow"
                # A pause that the caller broke has no prescribed length any more.
                if by_us and not (sounded and is_broken_by_sound(str(fact.rule), house)):
                    yield from _pause(finished, fact, house, OPINION if asked else 0.0)
                finished = None
            case "line.heard":
                sounded = True
            case "opinion.given" | "opinion.late":
                asked = True
            case _ if fact.fact in _BREAK:
                finished = None


def _pause(finished: Fact, then: Fact, house: House, slack: float) -> Iterator[Measure]:
    before = str(finished.details["prompt"])
    after = str(then.details.get("prompt", "hang_up"))
    prescribed = _prescribed(before, after, house)
    if prescribed is not None:
        yield Measure(str(then.rule), before, after, prescribed, finished.at, then.at, slack=slack)


def _prescribed(before: str, after: str, house: House) -> float | None:
    closing = house.closing
    between = pause_between(before, after, house)
    if between is not None:
        return between
    if after == closing.hanging_up and before in (closing.anything_else, closing.hint):
        return closing.answer_within
    if after == "hang_up":
        return closing.pause
    return None


def _wrong(rule: str, facts: Sequence[Fact], house: House) -> str:
    ended = _first(facts, "call.ended")
    if rule == "csr-01" and _first(facts, "call.answered"):
        why = _greeted_wrongly(facts, house, ended)
        if why:
            return why
    if ended is None or ended.details.get("by") != "callflow" or ended.rule != rule:
        return ""
    said = [str(fact.details["prompt"]) for fact in facts if fact.fact == "prompt.finished"]
    if not said or said[-1] not in (house.closing.goodbye, house.closing.hanging_up):
        return "released without words of parting"
    return ""


def _greeted_wrongly(facts: Sequence[Fact], house: House, ended: Fact | None) -> str:
    """The first words are the greeting; after a wait in a queue those that begin when a seat answers."""
    first, queued = _first(facts, "prompt.started"), _first(facts, "queue.entered")
    wanted = {house.answering.greeting}
    if queued is not None and (first is None or queued.at <= first.at):
        answered = next((at for at, fact in enumerate(facts) if fact.fact == "seat.answered"), None)
        if answered is None:
            # Who gives up waiting, or finds nobody there, has spoken with nobody.
            return ""
        first, joining = _first(facts[answered:], "prompt.started"), house.joining
        others = (other.prompt for other in (joining.trainee, joining.overflow) if other is not None)
        wanted = {joining.greeting, joining.late, *others}
        if first is None:
            # One of the two has left before the first word.
            return ""
    stayed = ended is None or ended.details.get("by") == "callflow"
    if (first and first.details["prompt"] not in wanted) or (first is None and stayed):
        return f"the first words were not {' or '.join(sorted(wanted))}"
    return ""


def _first(facts: Sequence[Fact], name: str) -> Fact | None:
    return next((fact for fact in facts if fact.fact == name), None)
