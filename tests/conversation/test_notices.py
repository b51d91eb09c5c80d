"""What a seat's phone shows while its caller is asked and waits, and what is heard between the words."""

import pytest

from callflow import config, resources
from callflow.etiquette.house import House
from callflow.media.messages import PlayMusic, StopMusic
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation


def served(house: House, allows: str = "") -> Exchange:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, "8001")
    exchange.phones["8001"].allows = allows
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(25.0)
    return exchange


def shown(request: Request) -> str:
    """The name on the display, by what a request asserts."""
    return NameAddress.parse(request.headers.need("p-asserted-identity")).display


def holds_and_resumes(exchange: Exchange) -> None:
    exchange.phones["8001"].holds()
    exchange.passes(5.0)
    exchange.presses("1")
    exchange.passes(70.0)
    exchange.phones["8001"].resumes()
    exchange.passes(5.0)


def test_the_display_says_where_the_matter_stands(house: House) -> None:
    exchange = served(house, "INVITE, ACK, BYE, CANCEL, UPDATE, MESSAGE")
    holds_and_resumes(exchange)
    phone = exchange.phones["8001"]
    updates = [request for request in phone.requests if request.method == "UPDATE"]
    assert [shown(update) for update in updates] == [
        "正在询问客户是否等候",
        "客户同意等候",
        "客户等候已久",
        "",
    ]
    assert "1001" in updates[-1].headers.need("p-asserted-identity")
    assert "MESSAGE" not in phone.asked
    assert not any(update.body for update in updates)


def test_a_phone_that_takes_no_update_gets_messages(house: House) -> None:
    exchange = served(house, "INVITE, ACK, BYE, CANCEL, MESSAGE")
    holds_and_resumes(exchange)
    told = [
        request.body.decode() for request in exchange.phones["8001"].requests if request.method == "MESSAGE"
    ]
    assert told == ["正在询问客户是否等候", "客户同意等候", "客户等候已久"]


def test_a_phone_that_takes_neither_is_left_alone(house: House) -> None:
    exchange = served(house)
    holds_and_resumes(exchange)
    assert not {"UPDATE", "MESSAGE"} & set(exchange.phones["8001"].asked)


def test_the_phone_that_is_rung_anew_shows_why(house: House) -> None:
    exchange = served(house, "UPDATE")
    phone = exchange.phones["8001"]
    phone.holds()
    exchange.passes(5.0)
    exchange.presses("2")
    assert len(phone.invites) == 2
    assert shown(phone.invites[-1]) == "客户不愿等候"
    assert NameAddress.parse(phone.invites[-1].headers.need("from")).display == "客户不愿等候"
    assert "1001" in phone.invites[-1].headers.need("from")


@pytest.mark.parametrize(("music", "heard"), [("opening_hours", True), (None, False)])
def test_between_the_words_there_is_music_or_quiet(house: House, music: str | None, heard: bool) -> None:
    hold = house.hold.model_copy(update={"music": music})
    exchange = served(house.model_copy(update={"hold": hold}))
    holds_and_resumes(exchange)
    played = [command for command in exchange.commands if isinstance(command, PlayMusic | StopMusic)]
    assert played == [*([PlayMusic(1, "opening_hours")] if heard else []), StopMusic(1)]
