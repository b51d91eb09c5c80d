"""The manners switched off or only observed: an admin's way in, and out."""

from collections.abc import Callable

import pytest

from callflow import config, resources
from callflow.call.seats import SeatState
from callflow.etiquette.house import House, Mode
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
    assert exchange.told.count("hold.observed") == noted


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
