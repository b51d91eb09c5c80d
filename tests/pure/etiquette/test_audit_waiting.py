"""The audit of waiting, shown ledgers that are good, and each with one thing wrong."""

import pytest

from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Judgement
from callflow.facts import Detail, Fact

pytestmark = pytest.mark.pure

Line = tuple[float, str, dict[str, Detail]]


def says(at: float, prompt: str) -> Line:
    return at, "prompt.started", {"prompt": prompt}


GOOD: list[Line] = [
    (0.0, "queue.entered", {}),
    says(3.0, "queue_please_wait"),
    (10.0, "seat.answered", {"waited": 10.0}),
    says(10.1, "greeting"),
    (13.0, "call.joined", {}),
    (60.0, "hold.asked", {}),
    (66.0, "consent.given", {}),
    (69.0, "hold.started", {}),
    says(99.0, "still_working"),
    says(129.0, "still_working"),
    (140.0, "hold.resumed", {}),
    says(140.1, "sorry_to_keep_you"),
    says(142.0, "thanks_for_waiting"),
    (144.0, "call.joined", {}),
]


def verdicts(lines: list[Line], house: House) -> dict[str, tuple[Judgement, str]]:
    facts = [Fact(at, "c", "caller", name, None, details) for at, name, details in lines]
    return {verdict.rule: (verdict.judgement, verdict.why) for verdict in judge(facts, house)}


def without(*names: str) -> list[Line]:
    """The good ledger without these facts or prompts."""
    return [line for line in GOOD if line[1] not in names and line[2].get("prompt") not in names]


def test_a_hold_by_the_book(house: House) -> None:
    kept = (Judgement.KEPT, "")
    assert verdicts(GOOD, house) == {"crs-02": kept, "csr-23": kept}


@pytest.mark.parametrize(
    ("lines", "rule", "why"),
    [
        (without("consent.given"), "csr-23", "held at 69.000 s without consent"),
        (without("thanks_for_waiting"), "csr-23", "given back without thanks_for_waiting"),
        ([*GOOD[:8], *GOOD[9:]], "csr-23", "60.000 s without a word, not 30 s"),
        ([*GOOD[:8], says(99.2, "still_working"), *GOOD[9:]], "csr-23", "30.200 s without a word, not 30 s"),
        (
            [GOOD[0], says(30.2, "queue_please_wait"), (31.0, "seat.answered", {"waited": 11.0})],
            "crs-02",
            "30.200 s without a word, not 30 s",
        ),
        (
            [(20.0, "seat.answered", {"waited": 12.5}), says(20.1, "greeting")],
            "csr-16",
            "after 12.5 s the greeting was greeting",
        ),
    ],
)
def test_what_was_wrong_is_told(lines: list[Line], rule: str, why: str, house: House) -> None:
    assert verdicts(lines, house)[rule] == (Judgement.BROKEN, why)


def test_a_second_hold_needs_a_consent_of_its_own(house: House) -> None:
    again: list[Line] = [(160.0, "hold.started", {}), (170.0, "hold.ended", {})]
    broken = Judgement.BROKEN, "held at 160.000 s without consent"
    assert verdicts([*GOOD, *again], house)["csr-23"] == broken
    lasting = house.hold.model_copy(update={"consent_lasts": 120.0})
    assert verdicts([*GOOD, *again], house.model_copy(update={"hold": lasting}))["csr-23"][1] == ""


def test_no_interval_counts_while_the_callers_own_side_holds(house: House) -> None:
    held: list[Line] = [(100.0, "call.held", {}), (139.0, "call.resumed", {})]
    assert verdicts([*GOOD[:9], *held, *GOOD[10:]], house)["csr-23"] == (Judgement.KEPT, "")


def test_what_is_not_in_force_is_not_judged(house: House) -> None:
    assert verdicts(without("consent.given"), house.without("csr-23", "crs-02")) == {}
