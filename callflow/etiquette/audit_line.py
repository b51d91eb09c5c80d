"""Judges how a caller was treated who could not be made out, or whom a seat found so.

- csr-04, csr-06, csr-07, gas-05, gas-06, log-04: nobody was released but after all the rule's words, after a
second
  opinion that nobody is there, and without having been heard since; nothing was said when the check was over;
  and while a seat was joined only the seat began one.
- csr-05, csr-10: what the seat had said or done for it. That they were carried out is all there is to judge.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from callflow.etiquette.house import House
from callflow.etiquette.line_script import Script
from callflow.etiquette.verdict import Judgement, Measure, Verdict
from callflow.events import LineState, Outcome
from callflow.facts import Fact

OPINION: Final = 0.5
"""Seconds by which a release may be later than its pause, because a second opinion was waited for."""
OF_THE_SEAT: Final = ("csr-05", "csr-10")
APART: Final = ("seat.left", "seat.unhearing", "hold.started", "queue.entered", "call.ended")
LET_GO: Final = (Outcome.CALLBACK_WANTED, Outcome.MESSAGE_WANTED, Outcome.CLOSING_WANTED)
"""With these the seat is let go of, and leaves no fact of its own."""


def verdicts_on_line(facts: Sequence[Fact], house: House, measures: Sequence[Measure]) -> Iterator[Verdict]:
    """A verdict for each of these rules that the call came under and that is in force."""
    for rule, scripts in _scripts(house).items():
        own = tuple(measure for measure in measures if measure.rule == rule)
        # What is observed is not begun by us, but a seat may have begun it.
        begun = any(fact.fact.startswith("line_check.") and fact.rule == rule for fact in facts)
        if house.mode(rule) == "off" or not (house.enforces(rule) or begun):
            continue
        why = _wrong(scripts, facts) or out_of_time(own)
        if own or why or any(_says_of(fact, rule) for fact in facts):
            yield Verdict(rule, Judgement.BROKEN if why else Judgement.KEPT, why, own)
    for rule in OF_THE_SEAT:
        if house.enforces(rule) and any(_says_of(fact, rule) for fact in facts):
            yield Verdict(rule, Judgement.KEPT)


def out_of_time(measures: Sequence[Measure]) -> str:
    late = [m for m in measures if not m.kept]
    return "; ".join(f"{m.begins} to {m.ends}: {m.measured:.3f} s, not {m.prescribed:g} s" for m in late)


def pause_between(before: str, after: str, house: House) -> float | None:
    """Seconds that are prescribed from the end of one prompt to another, or to `hang_up`; None: none are."""
    scripts = [script for own in _scripts(house).values() for script in own]
    goes_on = {"hang_up", *(prompt for script in scripts for prompt in _prompts(script))}
    if before == house.answering.greeting and after in _prompts(Script.of_silence(house.silent_line)):
        return house.silent_line.pause
    for script in scripts:
        # From silence one turns to who is heard at once; from all else when the pause is over.
        follows = {"hang_up", *_prompts(script)} if script.is_silent else goes_on
        for word in script.words:
            if before in (word.prompt, word.our_fault) and after in follows:
                return word.pause
    return None


def is_broken_by_sound(rule: str, house: House) -> bool:
    """Whether a sound makes a pause of this rule void: that of who is too quiet does not."""
    return all(script.is_silent for script in _scripts(house).get(rule, []))


def _scripts(house: House) -> dict[str, list[Script]]:
    """By rule: gas-06 has one for each kind of line."""
    scripts = [
        Script.of_silence(house.silent_line),
        Script.of(house.faint_line, Outcome.FAINT),
        Script.of(house.noisy_line, Outcome.NOISY),
    ]
    if house.no_response:
        scripts.append(Script.of(house.no_response, Outcome.SILENT, house.silent_line.our_fault))
    found: dict[str, list[Script]] = {}
    for script in scripts:
        found.setdefault(script.rule, []).append(script)
    return found


def _prompts(script: Script) -> set[str]:
    return {prompt for word in script.words for prompt in (word.prompt, word.our_fault) if prompt}


def _says_of(fact: Fact, rule: str) -> bool:
    return fact.rule == rule and fact.fact != "rule.observed"


def _wrong(scripts: Sequence[Script], facts: Sequence[Fact]) -> str:
    rule = scripts[0].rule
    if why := _begun_over_a_seat(rule, facts) or _said_when_over(rule, facts):
        return why
    ended = next((fact for fact in facts if fact.fact == "call.ended"), None)
    if ended is None or ended.details.get("by") != "callflow" or ended.rule != rule:
        return ""
    reasons: dict[str, Script] = {script.reason: script for script in scripts}
    script = reasons.get(str(ended.details["reason"]), scripts[0])
    check = _last_check(facts)
    return _unsaid(script, check) or _unasked(check) or _heard(script, check)


def _last_check(facts: Sequence[Fact]) -> Sequence[Fact]:
    """What has happened since the last check began, or in all of a ledger that knows no beginnings."""
    begun = [index for index, fact in enumerate(facts) if fact.fact == "line_check.begun"]
    return facts[begun[-1] :] if begun else facts


def _begun_over_a_seat(rule: str, facts: Sequence[Fact]) -> str:
    joined = False
    for fact in facts:
        if fact.fact == "call.joined":
            joined = True
        elif fact.fact in APART or fact.details.get("outcome") in LET_GO:
            joined = False
        elif fact.fact == "line_check.begun" and fact.rule == rule and joined:
            if fact.details.get("by") == "seat":
                continue
            return f"begun at {fact.at:.3f} s while a seat was joined, and not by the seat"
    return ""


def _said_when_over(rule: str, facts: Sequence[Fact]) -> str:
    over = False
    for fact in facts:
        match fact.fact:
            case "line_check.stopped" if fact.rule == rule:
                over = True
            case "line_check.begun":
                over = False
            case "prompt.started" if over and fact.rule == rule:
                return f"{fact.details['prompt']} was said at {fact.at:.3f} s, when the check was over"
    return ""


def _unsaid(script: Script, check: Sequence[Fact]) -> str:
    finished = [fact for fact in check if fact.fact == "prompt.finished" and fact.rule == script.rule]
    said = [str(fact.details["prompt"]) for fact in finished]
    *asks, last = [(word.prompt, word.our_fault or word.prompt) for word in script.words]
    # Whom another rule spoke to meanwhile hears the last words of this one again, and not the first.
    before = [*said]
    while before and before[-1] in last:
        before.pop()
    least = 2 if any(fact.fact == "opinion.late" for fact in check) else 1
    asked = len(before) >= len(asks) and all(
        word in ways for word, ways in zip(before[::-1], asks[::-1], strict=False)
    )
    if len(said) - len(before) < least or not asked:
        wanted = [*asks, *[last] * least]
        return f"released after {said}, not after {[word for word, _ in wanted]}"
    return ""


def _unasked(check: Sequence[Fact]) -> str:
    """The second pair of ears was asked before the release, and had heard nobody; or did not answer twice."""
    if check[0].fact != "line_check.begun":
        return ""
    given = [fact.details["alive"] for fact in check if fact.fact == "opinion.given"]
    late = sum(fact.fact == "opinion.late" for fact in check)
    if given:
        return "released although somebody was heard by the second pair of ears" if given[-1] else ""
    return "" if late > 1 else "released without a second opinion"


def _heard(script: Script, check: Sequence[Fact]) -> str:
    state, spoken_by = "", ""
    heard = False
    for fact in check:
        match fact.fact:
            case "prompt.started" if script.is_silent and fact.rule:
                # Who was too quiet, and then silent, is a silent line only from then on.
                heard &= fact.rule == script.rule == spoken_by
                spoken_by = fact.rule
            case "line.judged":
                state = str(fact.details["state"])
                heard |= state == LineState.SPEECH
            case "line.heard" if script.is_silent and state != LineState.NOISY:
                heard |= fact.details.get("heard") == "sound"
            case "digit.pressed":
                heard = True
    return "a caller who was heard was released" if heard else ""
