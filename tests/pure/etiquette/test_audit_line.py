"""The audit of bad lines knows nothing of the machines: so it is shown good and bad ledgers."""

import pytest

from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Judgement
from callflow.facts import Detail, Fact

pytestmark = pytest.mark.pure

Line = tuple[float, str, str | None, dict[str, Detail]]


def words(at: float, until: float, prompt: str, rule: str) -> list[Line]:
    said: dict[str, Detail] = {"prompt": prompt}
    return [(at, "prompt.started", rule, said), (until, "prompt.finished", rule, said)]


def judged(at: float, state: str) -> Line:
    return at, "line.judged", None, {"state": state}


def heard(at: float, what: str = "sound") -> Line:
    return at, "line.heard", None, {"heard": what}


def begun(at: float, rule: str, by: str = "line") -> Line:
    return at, "line_check.begun", rule, {"by": by}


def given(at: float, rule: str, alive: bool = False) -> Line:
    return at, "opinion.given", rule, {"alive": alive, "by": "neural"}


def late(at: float, rule: str) -> Line:
    return at, "opinion.late", rule, {}


def ended(at: float, rule: str, reason: str) -> Line:
    return at, "call.ended", rule, {"by": "callflow", "reason": reason}


START: list[Line] = [(0.0, "call.arrived", None, {}), *words(0.2, 4.0, "greeting", "csr-01")]
SPEAK_UP = [begun(5.0, "csr-06"), *words(5.0, 8.0, "speak_up", "csr-06")]
TOO_QUIET = words(13.0, 17.0, "too_quiet", "csr-06")
FAINT = [*START, judged(5.0, "faint"), *SPEAK_UP, heard(9.0), *TOO_QUIET, given(22.0, "csr-06")]
FAINT_ENDED = [*FAINT, ended(22.0, "csr-06", "faint_line")]
NOISY = [*START, begun(9.0, "csr-07"), *words(9.0, 14.0, "too_noisy", "csr-07")]
NOISY_ENDED = [*NOISY, given(19.0, "csr-07"), ended(19.0, "csr-07", "noisy_line")]


def verdict(lines: list[Line], house: House, rule: str) -> tuple[Judgement, str]:
    house = house.in_modes({rule: "enforce" for rule in house.rules if house.observes(rule)})
    facts = [Fact(at, "c", "caller", name, of, details) for at, name, of, details in lines]
    found = {each.rule: each for each in judge(facts, house)}
    return found[rule].judgement, found[rule].why


KEPT = (Judgement.KEPT, "")


def test_calls_by_the_book_keep_their_rules(house: House) -> None:
    assert verdict(FAINT_ENDED, house, "csr-06") == KEPT
    assert verdict(NOISY_ENDED, house, "csr-07") == KEPT


def test_a_second_opinion_may_take_half_a_second(house: House) -> None:
    asked = [*NOISY, given(19.4, "csr-07"), ended(19.4, "csr-07", "noisy_line")]
    assert verdict(asked, house, "csr-07") == KEPT
    slow = [*NOISY, given(19.8, "csr-07"), ended(19.8, "csr-07", "noisy_line")]
    assert verdict(slow, house, "csr-07")[1] == "too_noisy to hang_up: 5.800 s, not 5 s"


def test_ears_that_do_not_answer_have_the_last_words_said_twice(house: House) -> None:
    again = [late(19.5, "csr-07"), *words(19.5, 24.5, "too_noisy", "csr-07")]
    end = ended(30.0, "csr-07", "noisy_line")
    assert verdict([*NOISY, *again, late(30.0, "csr-07"), end], house, "csr-07") == KEPT
    assert verdict([*NOISY, *again, given(29.5, "csr-07"), end], house, "csr-07") == KEPT
    once = [*NOISY, late(19.5, "csr-07"), ended(19.5, "csr-07", "noisy_line")]
    assert "released after" in verdict(once, house, "csr-07")[1]


def test_last_words_that_are_heard_again_after_another_rule_spoke_break_nothing(house: House) -> None:
    """Who was thought too quiet after the last words of csr-04, and is silent again, hears them once more."""
    silent = [
        *START,
        begun(9.0, "csr-04"),
        *words(9.0, 10.0, "greeting_again", "csr-04"),
        *words(15.0, 16.0, "no_sound", "csr-04"),
        *words(17.0, 18.0, "speak_up", "csr-06"),
        *words(23.0, 24.0, "no_sound", "csr-04"),
        given(29.0, "csr-04"),
        ended(29.0, "csr-04", "silent_line"),
    ]
    assert verdict(silent, house, "csr-04") == KEPT
    without = [line for line in silent if line[2] is None or line[3].get("prompt") != "greeting_again"]
    assert "released after" in verdict(without, house, "csr-04")[1]


@pytest.mark.parametrize(
    ("lines", "rule", "why"),
    [
        ([*NOISY, ended(19.0, "csr-07", "noisy_line")], "csr-07", "without a second opinion"),
        (
            [*NOISY, given(19.0, "csr-07", alive=True), ended(19.0, "csr-07", "noisy_line")],
            "csr-07",
            "heard by the second pair",
        ),
        (
            [*FAINT[:7], given(13.0, "csr-06"), ended(13.0, "csr-06", "faint_line")],
            "csr-06",
            "released after",
        ),
        ([*NOISY, judged(15.0, "speech"), *NOISY_ENDED[-2:]], "csr-07", "who was heard"),
        ([*NOISY, (15.0, "digit.pressed", None, {}), *NOISY_ENDED[-2:]], "csr-07", "who was heard"),
        ([*NOISY, given(17.0, "csr-07"), ended(17.0, "csr-07", "noisy_line")], "csr-07", "3.000 s, not 5 s"),
        (
            [*START, *SPEAK_UP, *words(10.0, 14.0, "too_quiet", "csr-06")],
            "csr-06",
            "speak_up to too_quiet: 2.000 s, not 5 s",
        ),
        (
            [*NOISY[:5], (9.5, "line_check.stopped", "csr-07", {}), *words(9.6, 14.0, "too_noisy", "csr-07")],
            "csr-07",
            "when the check was over",
        ),
        (
            [*START, (4.5, "call.joined", None, {}), *NOISY[3:]],
            "csr-07",
            "while a seat was joined",
        ),
    ],
)
def test_a_broken_rule_is_found(lines: list[Line], rule: str, why: str, house: House) -> None:
    judgement, told = verdict(lines, house, rule)
    assert judgement is Judgement.BROKEN
    assert why in told


def test_what_a_seat_begins_is_judged_where_the_rule_is_only_observed(house: House) -> None:
    joined: Line = (4.5, "call.joined", None, {})
    by_seat = [*START, joined, begun(9.0, "csr-07", "seat"), *NOISY_ENDED[4:]]
    facts = [Fact(at, "c", "caller", name, of, details) for at, name, of, details in by_seat]
    judgements = {each.rule: each.judgement for each in judge(facts, house)}
    assert judgements["csr-07"] is Judgement.KEPT


def test_who_was_too_quiet_and_then_silent_is_not_judged_by_the_sounds_before(house: House) -> None:
    silent = [
        *words(13.0, 16.0, "greeting_again", "csr-04"),
        *words(21.0, 25.0, "no_sound", "csr-04"),
        given(30.0, "csr-04"),
        ended(30.0, "csr-04", "silent_line"),
    ]
    assert verdict([*START, *SPEAK_UP, heard(9.0), *silent], house, "csr-04") == KEPT
    assert (
        "who was heard"
        in verdict([*START, *SPEAK_UP, *silent[:3], heard(22.0), *silent[3:]], house, "csr-04")[1]
    )


def test_our_own_fault_may_be_said_in_place_of_the_last_words(house: House) -> None:
    silent = [
        begun(9.0, "csr-04"),
        *words(9.0, 12.0, "greeting_again", "csr-04"),
        *words(17.0, 20.0, "line_trouble", "csr-04"),
        given(25.0, "csr-04"),
        ended(25.0, "csr-04", "silent_line"),
    ]
    assert verdict([*START, *silent], house, "csr-04") == KEPT


def test_a_volume_that_was_changed_is_a_rule_kept(house: House) -> None:
    changed: Line = (9.0, "volume.changed", "csr-10", {"decibels": 3})
    assert verdict([*START, changed], house, "csr-10") == KEPT
