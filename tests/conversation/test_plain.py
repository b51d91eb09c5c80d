"""The manners switched off or only observed: an admin's way in, and out."""

from collections.abc import Callable
from typing import Literal

import pytest

from callflow import config, resources
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.call.seats import SeatState
from callflow.call.simulate import Act, Simulation, hangs_up, presses
from callflow.etiquette.house import House, Mode
from callflow.etiquette.modes import Modes
from callflow.facts import Fact
from callflow.flow.model import Flow
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation


def joined(house: House) -> Exchange:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, "8001")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(33.0)
    exchange.sound()
    return exchange


@pytest.mark.parametrize(("mode", "noted"), [("observe", 1), ("off", 0)])
def test_nobody_is_asked_where_the_rule_is_not_in_force(
    house_named: Callable[[str], House], mode: Mode, noted: int
) -> None:
    exchange = joined(house_named("csr-standard").in_mode(mode))
    phone = exchange.phones["8001"]
    phone.holds()
    assert exchange.sound() == ["OpenGate 1", "ShutGate 2"]
    exchange.passes(60.0)
    phone.resumes()
    assert exchange.sound() == ["OpenGate 1", "OpenGate 2"]
    assert "may_i_hold" not in [prompt for _, prompt in exchange.said()]
    observed = [fact.details for fact in exchange.facts if fact.fact == "rule.observed"]
    assert observed.count({"would": "ask", "way": "phone"}) == noted
    assert observed.count({"would": "remind", "times": 2, "seconds": 60.0}) == noted


@pytest.mark.rule("csr-01")
@pytest.mark.parametrize(("mode", "noted"), [("observe", ["greeting"]), ("off", []), ("enforce", [])])
def test_no_greeting_keeps_seat_and_caller_apart_where_it_is_not_in_force(
    house_named: Callable[[str], House], mode: Mode, noted: list[str]
) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house_named("csr-standard").in_mode(mode), "8001")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    assert ("call.joined" in exchange.told) is (mode != "enforce")
    assert (exchange.sound()[-2:] == ["OpenGate 1", "OpenGate 2"]) is (mode != "enforce")
    exchange.passes(10.0)
    assert "call.joined" in exchange.told
    said = [fact.details["prompt"] for fact in exchange.facts if fact.fact == "rule.observed"]
    assert said == noted
    assert [prompt for _, prompt in exchange.said()] == (["greeting"] if mode == "enforce" else [])


@pytest.mark.rule("csr-16")
def test_the_apology_alone_may_be_in_force(house_named: Callable[[str], House]) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    house = house_named("csr-standard").in_mode("off").in_modes({"csr-16": "enforce"})
    exchange = Exchange(flow, house, "8001")
    exchange.calls()
    exchange.passes(20.0)
    exchange.phones["8001"].answers()
    exchange.passes(10.0)
    assert [prompt for _, prompt in exchange.said()] == ["greeting_late"]
    assert "call.joined" in exchange.told


def test_the_seat_hangs_up_and_that_is_all(house_named: Callable[[str], House]) -> None:
    exchange = joined(house_named("csr-standard").in_mode("off"))
    exchange.phones["8001"].hangs_up()
    assert exchange.hears[-1] == "BYE"
    exchange.passes(60.0)
    assert exchange.controller.in_hand() == dict.fromkeys(exchange.controller.in_hand(), 0)
    seats = exchange.controller.switchboard.seats
    assert seats.state(seats["8001"], exchange.now) is SeatState.READY


def test_one_switch_turns_everything(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("plain") / "callflow.yaml"
    path.write_text("callflow-config: 1\nmanners: observe\n", encoding="utf-8")
    house = config.read(path).house
    assert {house.mode(rule) for rule in ("csr-01", "csr-04", "csr-23", "csr-36")} == {"observe"}


# --- what is only observed ---


def observed(facts: list[Fact]) -> list[tuple[str | None, str, str]]:
    """The rule, what it would have done, and the prompt or the reason."""
    noted = [fact for fact in facts if fact.fact == "rule.observed"]
    return [
        (fact.rule, str(fact.details["would"]), str(fact.details.get("prompt", fact.details.get("reason"))))
        for fact in noted
    ]


def alone(flow: Flow, house: House, *acts: Act) -> list[Fact]:
    """A call without seats, prompts of 3 s."""
    ledger = Ledger("c")
    Simulation(Call(flow, house, ledger), lambda prompt: 3.0, acts).run()
    return list(ledger)


def test_a_silent_line_that_is_only_watched_is_not_ended(hotline: Flow, house: House) -> None:
    facts = alone(hotline, house.in_modes({"csr-04": "observe"}), hangs_up(40.0))
    assert observed(facts) == [
        ("csr-04", "say", "greeting_again"),
        ("csr-04", "say", "no_sound"),
        ("csr-04", "hang_up", "silent_line"),
    ]
    assert facts[-1].details["reason"] != "silent_line"
    assert "no_sound" not in [fact.details.get("prompt") for fact in facts if fact.fact == "prompt.started"]


def test_a_line_that_sounds_would_not_have_been_ended(hotline: Flow, house: House) -> None:
    acts = presses("2", 2.0, mark="main_menu"), hangs_up(40.0)
    facts = alone(hotline, house.in_modes({"csr-04": "observe"}), *acts)
    assert ("csr-04", "hang_up", "silent_line") not in observed(facts)


@pytest.mark.parametrize("mode", ["observe", "off"])
def test_a_flow_that_is_over_leaves_nobody_in_silence(
    mode: Literal["observe", "off"], hotline: Flow, house: House
) -> None:
    """Neither question nor farewell is in force: the call ends as a PBX would end it."""
    facts = alone(hotline, house.in_mode(mode), presses("1", 1.0, mark="main_menu"))
    assert facts[-1].details == {"by": "callflow", "reason": "flow_over"}
    last_word = max(fact.at for fact in facts if fact.fact == "prompt.finished")
    assert facts[-1].at == pytest.approx(last_word + 20.0)
    assert (("csr-36", "hang_up", "caller_stayed") in observed(facts)) is (mode == "observe")


def test_all_rules_observed_say_what_they_would_have_said(hotline: Flow, house: House) -> None:
    facts = alone(hotline, house.in_mode("observe"), presses("1", 1.0, mark="main_menu"), hangs_up(60.0))
    assert observed(facts)[0] == ("csr-01", "say", "greeting")
    assert ("csr-35", "say", "anything_else") in observed(facts)
    assert ("csr-36", "hang_up", "caller_stayed") in observed(facts)
    said = [fact.details.get("prompt") for fact in facts if fact.fact == "prompt.started"]
    assert said[:2] == ["main_menu", "opening_hours"]
    assert not {"greeting", "anything_else", "hanging_up"} & set(said)


def test_waiting_and_the_late_greeting_observed(house_named: Callable[[str], House]) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    house = house_named("csr-standard").in_modes({"crs-02": "observe", "csr-16": "observe"})
    exchange = Exchange(flow, house, "8001")
    exchange.calls()
    exchange.passes(15.0)
    exchange.phones["8001"].answers()
    exchange.passes(3.0)
    assert observed(exchange.facts) == [
        ("crs-02", "say", "queue_please_wait"),
        ("csr-16", "say", "greeting_late"),
    ]
    assert [prompt for _, prompt in exchange.said()] == ["greeting"]


# --- where rules are in force ---


def asked_before_hold(exchange: Exchange) -> bool:
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(5.0)
    exchange.phones["8001"].holds()
    return "hold.asked" in exchange.told


@pytest.mark.parametrize(
    ("modes", "asked"),
    [
        (Modes(), True),
        (Modes(queues={"service": "observe"}), False),
        (Modes(queues={"service": {"csr-23": "off"}}), False),
        (Modes(queues={"service": {"csr-16": "off"}}), True),
        (Modes(queues={"another": "off"}), True),
        (Modes(trunks={"provider": "off"}), False),
        (Modes(trunks={"another": "off"}), True),
        (Modes(trunks={"provider": "off"}, queues={"service": {"csr-23": "enforce"}}), True),
    ],
)
def test_a_rule_is_in_force_for_some_queues_and_trunks(
    house_named: Callable[[str], House], modes: Modes, asked: bool
) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house_named("csr-standard"), "8001", modes=modes, trunk="provider")
    assert asked_before_hold(exchange) is asked
