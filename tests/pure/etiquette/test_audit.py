"""The audit judges ledgers and knows nothing of the machines: so it is shown good and bad ones."""

import pytest

from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Judgement
from callflow.facts import Detail, Fact

pytestmark = pytest.mark.pure

Line = tuple[float, str, str | None, dict[str, Detail]]


def started(at: float, prompt: str, rule: str | None) -> Line:
    return at, "prompt.started", rule, {"prompt": prompt}


def finished(at: float, prompt: str, rule: str | None) -> Line:
    return at, "prompt.finished", rule, {"prompt": prompt}


SILENT: list[Line] = [
    (0.0, "call.arrived", None, {}),
    (1.0, "call.answered", "csr-01", {}),
    started(1.2, "greeting", "csr-01"),
    finished(4.0, "greeting", "csr-01"),
    started(9.0, "greeting_again", "csr-04"),
    finished(12.0, "greeting_again", "csr-04"),
    started(17.0, "no_sound", "csr-04"),
    finished(25.0, "no_sound", "csr-04"),
    (30.0, "call.ended", "csr-04", {"by": "callflow", "reason": "silent_line"}),
]


def verdicts(lines: list[Line], house: House) -> dict[str, tuple[Judgement, str]]:
    facts = [Fact(at, "c", "caller", name, rule, details) for at, name, rule, details in lines]
    return {verdict.rule: (verdict.judgement, verdict.why) for verdict in judge(facts, house)}


def changed(index: int, *lines: Line) -> list[Line]:
    return [*SILENT[:index], *lines, *SILENT[index + 1 :]]


def test_a_call_by_the_book_keeps_its_rules(house: House) -> None:
    kept = (Judgement.KEPT, "")
    assert verdicts(SILENT, house) == {"csr-01": kept, "csr-04": kept}


WAITED: list[Line] = [
    (0.0, "call.arrived", None, {}),
    (1.0, "call.answered", "csr-01", {}),
    (1.2, "queue.entered", "crs-02", {"queue": "service"}),
    started(6.2, "queue_please_wait", "crs-02"),
    finished(9.0, "queue_please_wait", "crs-02"),
]
GIVEN_UP: Line = (20.0, "call.ended", None, {"by": "caller", "reason": ""})


def answered(prompt: str) -> list[Line]:
    """A seat has picked up for a caller who waited, and both hear that first."""
    return [
        (12.0, "seat.answered", "csr-01", {"seat": "8001", "waited": 10.8}),
        started(12.1, prompt, "csr-01"),
    ]


@pytest.mark.parametrize(
    "then", [[GIVEN_UP], [*answered("greeting"), GIVEN_UP], [*answered("greeting")[:1], GIVEN_UP]]
)
def test_the_queues_words_before_the_greeting_break_no_csr_01(house: House, then: list[Line]) -> None:
    """Nor does a caller who gives up waiting, or hangs up before the greeting has begun."""
    assert verdicts([*WAITED, *then], house)["csr-01"] == (Judgement.KEPT, "")


def test_after_a_wait_the_seats_first_words_are_the_greeting_all_the_same(house: House) -> None:
    judged, why = verdicts([*WAITED, *answered("main_menu"), GIVEN_UP], house)["csr-01"]
    assert judged is Judgement.BROKEN
    assert "the first words were not greeting" in why


@pytest.mark.parametrize(
    ("lines", "rule", "why"),
    [
        (changed(1, (3.2, "call.answered", "csr-01", {})), "csr-01", "arrival to answer: 3.200 s, not 3 s"),
        (changed(2, started(1.2, "main_menu", None)), "csr-01", "the first words were not greeting"),
        (
            changed(4, started(9.2, "greeting_again", "csr-04")),
            "csr-04",
            "greeting to greeting_again: 5.200 s",
        ),
        (
            changed(4, started(8.8, "greeting_again", "csr-04")),
            "csr-04",
            "greeting to greeting_again: 4.800 s",
        ),
        (changed(8, (27.0, *SILENT[8][1:])), "csr-04", "no_sound to hang_up: 2.000 s, not 5 s"),
        (SILENT[:6] + SILENT[8:], "csr-04", "released after"),
        (changed(7, SILENT[7], (26.0, "line.heard", None, {"heard": "sound"})), "csr-04", "who was heard"),
        (changed(7, SILENT[7], (26.0, "digit.pressed", None, {"digit": "1"})), "csr-04", "who was heard"),
    ],
)
def test_a_broken_rule_is_found(lines: list[Line], rule: str, why: str, house: House) -> None:
    judgement, told = verdicts(lines, house)[rule]
    assert judgement is Judgement.BROKEN
    assert why in told


def test_a_release_without_words_of_parting_is_found(house: House) -> None:
    ended: Line = (9.0, "call.ended", "csr-36", {"by": "callflow", "reason": "caller_stayed"})
    asked = [started(5.0, "anything_else", "csr-35"), finished(7.0, "anything_else", "csr-35")]
    judgement, told = verdicts([*SILENT[:4], *asked, ended], house)["csr-36"]
    assert (judgement, told.split(";")[0]) == (Judgement.BROKEN, "released without words of parting")


def test_a_caller_who_hangs_up_breaks_no_rule(house: House) -> None:
    ended: Line = (10.0, "call.ended", None, {"by": "caller", "reason": ""})
    assert {v for v, _ in verdicts([*SILENT[:5], ended], house).values()} == {Judgement.KEPT}


def test_a_rule_that_is_off_is_not_judged(house: House) -> None:
    assert "csr-04" not in verdicts(SILENT, house.without("csr-04"))
