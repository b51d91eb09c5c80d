"""Each rule in a whole call, on the virtual clock. Taking a rule away makes its tests here fail."""

from collections.abc import Sequence

import pytest

from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.call.simulate import Act, Simulation, hangs_up, presses, speaks
from callflow.errors import CallflowError
from callflow.etiquette.audit import Judgement, judge
from callflow.etiquette.house import House
from callflow.facts import Fact
from callflow.flow.model import Flow

pytestmark = pytest.mark.conversation

SECONDS = 3.0
"""How long every prompt lasts here."""


def call(flow: Flow, house: House, *acts: Act) -> list[Fact]:
    ledger = Ledger("c")
    simulation = Simulation(Call(flow, house, ledger), lambda prompt: SECONDS, acts)
    try:
        simulation.run()
    except CallflowError:
        # Without csr-36 nobody ends the call: what was said until then is what there is.
        assert not house.enforces("csr-36")
    return list(ledger)


def said(facts: Sequence[Fact]) -> list[tuple[float, str]]:
    started = [fact for fact in facts if fact.fact == "prompt.started"]
    return [(round(fact.at, 3), str(fact.details["prompt"])) for fact in started]


def ended(facts: Sequence[Fact]) -> tuple[float, str, str]:
    last = facts[-1]
    assert last.fact == "call.ended"
    return round(last.at, 3), str(last.details["by"]), str(last.details["reason"])


def judged(facts: Sequence[Fact], house: House, rule: str) -> Judgement:
    return next(verdict.judgement for verdict in judge(facts, house) if verdict.rule == rule)


@pytest.mark.rule("csr-01")
def test_csr_01_the_first_words_are_the_greeting_within_three_seconds(hotline: Flow, house: House) -> None:
    facts = call(hotline, house, hangs_up(6.0))
    assert said(facts)[0] == (0.2, "greeting")
    assert judged(facts, house, "csr-01") is Judgement.KEPT


@pytest.mark.rule("csr-04")
def test_csr_04_a_silent_line_is_greeted_again_told_and_released(hotline: Flow, house: House) -> None:
    facts = call(hotline, house)
    assert said(facts) == [(0.2, "greeting"), (8.2, "greeting_again"), (16.2, "no_sound")]
    assert ended(facts) == (24.2, "callflow", "silent_line")
    assert judged(facts, house, "csr-04") is Judgement.KEPT


@pytest.mark.rule("csr-04")
def test_csr_04_a_caller_who_speaks_up_goes_on_to_the_menu(hotline: Flow, house: House) -> None:
    speech = speaks(2.0, mark="greeting_again", seconds=1.5)
    facts = call(hotline, house, *speech, hangs_up(1.0, mark="main_menu"))
    assert said(facts) == [(0.2, "greeting"), (8.2, "greeting_again"), (14.7, "main_menu")]
    assert ended(facts) == (18.7, "caller", "")


@pytest.mark.rule("csr-04")
def test_csr_04_a_caller_who_speaks_over_no_sound_is_not_told_to_go(hotline: Flow, house: House) -> None:
    speech = speaks(6.0, mark="greeting_again")
    facts = call(hotline, house, *speech, hangs_up(1.0, mark="main_menu"))
    assert [fact.at for fact in facts if fact.fact == "prompt.stopped"] == [pytest.approx(17.2)]
    assert ended(facts)[1] == "caller"


@pytest.mark.rule("csr-35")
def test_csr_35_a_caller_is_asked_for_anything_else_and_thanked(hotline: Flow, house: House) -> None:
    acts = [presses("1", 1.0, mark="greeting"), *speaks(1.0, mark="press_1_for_help")]
    facts = call(hotline, house, *acts)
    assert [prompt for _, prompt in said(facts)] == [
        "greeting", "opening_hours", "anything_else", "press_1_for_help", "goodbye",
    ]  # fmt: skip
    assert ended(facts) == (round(said(facts)[-1][0] + SECONDS + 5.0, 3), "callflow", "said_goodbye")
    assert judged(facts, house, "csr-35") is Judgement.KEPT


@pytest.mark.rule("csr-35")
def test_csr_35_who_wants_something_else_gets_it(hotline: Flow, house: House) -> None:
    acts = [presses("1", 1.0, mark="greeting"), presses("1", 1.0, mark="anything_else")]
    facts = call(hotline, house, *acts, hangs_up(1.0, mark="main_menu"))
    assert [prompt for _, prompt in said(facts)][-2:] == ["press_1_for_help", "main_menu"]
    assert ended(facts)[1] == "caller"


@pytest.mark.rule("csr-36")
def test_csr_36_a_caller_who_stays_is_told_given_five_seconds_and_released(
    hotline: Flow, house: House
) -> None:
    facts = call(hotline, house, presses("1", 1.0, mark="greeting"))
    (hint_at, hint), (told_at, told) = said(facts)[-2:]
    assert (hint, told) == ("press_1_for_help", "hanging_up")
    assert told_at == round(hint_at + SECONDS + 5.0, 3)
    assert ended(facts) == (round(told_at + SECONDS + 5.0, 3), "callflow", "caller_stayed")
    assert judged(facts, house, "csr-36") is Judgement.KEPT
