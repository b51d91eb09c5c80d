"""Each rule in a whole call, on the virtual clock. Taking a rule away makes its tests here fail."""

from collections.abc import Callable, Sequence

import pytest

from callflow import config, resources
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.call.seats import SeatPlan
from callflow.call.simulate import Act, Simulation, hangs_up, presses, speaks
from callflow.errors import CallflowError
from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Judgement
from callflow.events import DigitPressed
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.media.messages import PlayBoth
from tests.support.exchange import Exchange

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


# --- with a seat ---


Named = Callable[[str], House]


def served(
    house: House,
    wait: float = 1.0,
    talks: float = 30.0,
    *,
    seat: str | SeatPlan = "8001",
    others_wait: bool = False,
) -> Exchange:
    """A caller who speaks with seat 8001 for a while."""
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, seat)
    exchange.calls()
    if others_wait:
        exchange.another_calls()
    exchange.passes(wait)
    phone = exchange.phones["8001"]
    phone.rings()
    phone.answers()
    exchange.passes(2.5 + talks)
    assert "call.joined" in exchange.told
    return exchange


def prompts(exchange: Exchange) -> list[str]:
    return [prompt for _, prompt in exchange.said()]


@pytest.mark.rule("csr-16")
def test_csr_16_who_waited_long_hears_the_apology_for_a_greeting(house: House) -> None:
    exchange = served(house, wait=15.0)
    assert "greeting_late" in prompts(exchange)


@pytest.mark.rule("gas-02")
def test_gas_02_while_others_wait_the_greeting_is_short(house_named: Named) -> None:
    exchange = served(house_named("gas-hotline"), others_wait=True)
    assert "gas_go_ahead" in prompts(exchange)


@pytest.mark.rule("gas-03")
def test_gas_03_a_trainee_is_announced(house_named: Named) -> None:
    exchange = served(house_named("gas-hotline"), seat=SeatPlan("8001", "p8001", trainee=True))
    assert prompts(exchange)[-1] == "gas_trainee_greeting"


@pytest.mark.rule("crs-02")
def test_crs_02_who_waits_hears_a_word_within_thirty_seconds(house: House) -> None:
    exchange = served(house, wait=10.0)
    first_at, first = exchange.said()[0]
    assert first == "queue_please_wait"
    assert first_at <= 30.0


def held(exchange: Exchange, house: House) -> None:
    """The caller is asked, agrees, and waits for a minute; the seat resumes."""
    exchange.phones["8001"].holds()
    exchange.passes(2.0 * len(house.hold.question) + 2.5)
    exchange.presses(house.hold.consent.yes)
    exchange.passes(62.5)
    exchange.phones["8001"].resumes()
    exchange.passes(2.0 * len(house.recall.back) + 1.0)


def asks_first(house: House) -> None:
    exchange = served(house)
    held(exchange, house)
    words = prompts(exchange)
    for prompt in (*house.hold.question, house.hold.hint, house.hold.thanks):
        assert prompt in words
    assert [fact.rule for fact in exchange.facts if fact.fact == "consent.given"] == [house.hold.rules.ask]


def reminds(house: House) -> None:
    exchange = served(house)
    held(exchange, house)
    started = next(fact.at for fact in exchange.facts if fact.fact == "hold.started")
    reminded = [at - started for at, prompt in exchange.said() if prompt == house.hold.reminder]
    wanted = [house.hold.every * number for number in range(1, int(60.0 / house.hold.every) + 1)]
    assert reminded == pytest.approx(wanted, abs=0.01)


def gives_back(house: House) -> None:
    exchange = served(house)
    held(exchange, house)
    words = [prompt for prompt in prompts(exchange) if prompt in house.recall.back]
    assert words == [*house.recall.back]
    assert len(words) > 0


@pytest.mark.rule("csr-23")
def test_csr_23_asked_reminded_every_thirty_seconds_and_given_back(house_named: Named) -> None:
    house = house_named("csr-standard")
    asks_first(house)
    reminds(house)
    gives_back(house)


@pytest.mark.rule("csr-25")
def test_csr_25_who_cannot_be_served_is_asked_for_a_number_and_called_back(house: House) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house)
    exchange.calls()
    exchange.passes(5.0)
    assert prompts(exchange)[0] == "leave_number"
    for key in "13812345678#1":
        exchange.presses(key)
    exchange.passes(1.0)
    assert prompts(exchange)[-1] == "will_call_back"
    opened = [fact for fact in exchange.facts if fact.fact == "ticket.opened"]
    assert [(fact.rule, fact.details["kind"]) for fact in opened] == [("csr-25", "callback")]


@pytest.mark.rule("gas-09")
def test_gas_09_asked_before_the_hold(house_named: Named) -> None:
    asks_first(house_named("gas-hotline"))


@pytest.mark.rule("gas-10")
def test_gas_10_reminded_every_fifteen_seconds(house_named: Named) -> None:
    house = house_named("gas-hotline")
    assert house.hold.every == 15.0
    reminds(house)


@pytest.mark.rule("gas-11")
def test_gas_11_thanked_on_return(house_named: Named) -> None:
    gives_back(house_named("gas-hotline"))


@pytest.mark.rule("log-02")
def test_log_02_the_caller_chooses_between_waiting_and_a_call_back(house_named: Named) -> None:
    house = house_named("logistics")
    asks_first(house)
    exchange = served(house)
    exchange.phones["8001"].holds()
    exchange.passes(5.0)
    exchange.presses(house.hold.consent.no)
    refused = next(fact for fact in exchange.facts if fact.fact == "hold.refused")
    assert refused.details["callback"] is True


@pytest.mark.rule("log-03")
def test_log_03_an_apology_on_return(house_named: Named) -> None:
    gives_back(house_named("logistics"))


@pytest.mark.rule("crs-03")
def test_crs_03_asked_whether_to_wait_or_be_called(house_named: Named) -> None:
    asks_first(house_named("service-course"))


@pytest.mark.rule("crs-04")
def test_crs_04_a_wait_is_announced_in_minutes(house_named: Named) -> None:
    exchange = served(house_named("service-course"))
    exchange.phones["8001"].holds()
    exchange.passes(1.0)
    estimated = [fact for fact in exchange.facts if fact.fact == "hold.estimated"]
    assert [(fact.rule, fact.details["minutes"]) for fact in estimated] == [("crs-04", 3)]


@pytest.mark.rule("crs-04")
def test_crs_04_the_seat_names_the_minutes_by_key(house_named: Named) -> None:
    exchange = served(house_named("service-course"))
    exchange.commands.clear()
    for key in "*112#":
        exchange.tells(2, DigitPressed(key))
    exchange.passes(1.0)
    assert PlayBoth(1, "crs_minutes_or_callback?minutes=12") in exchange.commands


@pytest.mark.rule("crs-14")
def test_crs_14_an_apology_on_return(house_named: Named) -> None:
    gives_back(house_named("service-course"))


@pytest.mark.rule("hst-02")
def test_hst_02_asked_and_thanked(house_named: Named) -> None:
    house = house_named("handset-hotline")
    asks_first(house)
    gives_back(house)


def is_not_dropped(house: House) -> None:
    """The seat hangs up; the caller is asked, told and given time."""
    exchange = served(house)
    exchange.phones["8001"].hangs_up()
    exchange.passes(1.0)
    assert prompts(exchange)[-1] == house.closing.anything_else
    exchange.passes(60.0)
    assert prompts(exchange)[-1] == house.closing.hanging_up
    assert exchange.hears[-1] == "BYE"


@pytest.mark.rule("gas-04")
def test_gas_04_the_caller_hangs_up_first(house_named: Named) -> None:
    is_not_dropped(house_named("gas-hotline"))


@pytest.mark.rule("hst-08")
def test_hst_08_the_caller_hangs_up_first(house_named: Named) -> None:
    is_not_dropped(house_named("handset-hotline"))
