"""Callers who leave a number, in whole calls: instead of waiting, or because nobody is there."""

import pytest

from callflow import config, resources
from callflow.actions import Say
from callflow.adapters.logs import mask_personal_data
from callflow.etiquette.house import House
from callflow.events import PromptFinished
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.media.messages import HearTones, IgnoreTones, Play
from tests.support.exchange import PROMPT, Exchange
from tests.support.sip_phone import OFFER, THEM

pytestmark = pytest.mark.conversation

WITHOUT_KEYS = OFFER.replace(b" 101", b"").replace(b"a=rtpmap:101 telephone-event/8000\r\n", b"")


@pytest.fixture
def service() -> tuple[Flow, House]:
    return config.read_flow(resources.FLOWS / "service.yaml")


def asked(
    service: tuple[Flow, House], offer: bytes = OFFER, caller: bytes = b"1001", *fields: str
) -> Exchange:
    """Nobody is there, and a caller has heard the question for its number to the end."""
    exchange = Exchange(*service)
    invite = exchange.caller.request("INVITE", *fields, body=offer)
    exchange.receives(invite.replace(b"sip:1001@", b"sip:" + caller + b"@"), THEM)
    exchange.passes(0.001)
    exchange.says("ACK")
    exchange.passes(0.3 + 2 * PROMPT)
    assert [prompt for _, prompt in exchange.said()] == ["leave_number", "enter_number"]
    return exchange


def keys(exchange: Exchange, pressed: str) -> None:
    for key in pressed:
        exchange.presses(key)


def tickets(exchange: Exchange) -> list[Fact]:
    return [fact for fact in exchange.facts if fact.fact == "ticket.opened"]


def test_the_number_is_read_back_recording_by_recording(service: tuple[Flow, House]) -> None:
    exchange = asked(service)
    exchange.commands.clear()
    keys(exchange, "13800#")
    exchange.passes(7 * PROMPT)
    played = [command.prompt for command in exchange.commands if isinstance(command, Play)]
    assert played == [f"number_is?{piece}" for piece in ("words", *"13800", "more words")]
    begun = [fact.at for fact in exchange.facts if fact.details.get("prompt") == "number_is"]
    # For the call it is one prompt, that begins once and ends once.
    assert [round(after - begun[0], 3) for after in begun] == [0.0, 7 * PROMPT]
    keys(exchange, "1")
    assert [(t.rule, dict(t.details)) for t in tickets(exchange)] == [
        ("csr-25", {"kind": "callback", "number": "13800", "queue": "service"})
    ]
    exchange.passes(PROMPT)
    assert [prompt for _, prompt in exchange.said()[-2:]] == ["will_call_back", "anything_else"]


def test_what_was_read_back_stands_in_no_fact_and_its_number_is_masked(service: tuple[Flow, House]) -> None:
    exchange = asked(service)
    keys(exchange, "13812345678#")
    exchange.passes(5 * PROMPT)
    keys(exchange, "1")
    told = [str(fact.details) for fact in exchange.facts if fact.fact != "digit.pressed"]
    assert [details for details in told if "13812345678" in details] == [str(tickets(exchange)[0].details)]
    assert not [details for details in told if "number_is?" in details]
    assert mask_personal_data(None, "", dict(tickets(exchange)[0].details))["number"] == "138****5678"


def test_keys_cut_the_number_short_and_the_rest_is_not_said(service: tuple[Flow, House]) -> None:
    exchange = asked(service)
    keys(exchange, "13800#")
    exchange.passes(2.5 * PROMPT)
    keys(exchange, "2")
    exchange.commands.clear()
    exchange.passes(5.0)
    assert not [command for command in exchange.commands if isinstance(command, Play)]
    assert exchange.said()[-1][1] == "enter_number"


def test_a_recording_that_ended_in_the_same_instant_does_not_talk_over_the_question(
    service: tuple[Flow, House],
) -> None:
    exchange = asked(service)
    keys(exchange, "13800#")
    exchange.passes(1.0)
    keys(exchange, "2")
    exchange.commands.clear()
    exchange.tells(1, PromptFinished("number_is?words"))
    assert not [command for command in exchange.commands if isinstance(command, Play)]


def test_a_number_that_the_caller_held_over_is_said_again_from_its_beginning(
    service: tuple[Flow, House],
) -> None:
    exchange = asked(service)
    keys(exchange, "13800#")
    exchange.passes(2.5 * PROMPT)
    exchange.says("INVITE", OFFER + b"a=sendonly\r\n", cseq=2)
    exchange.says("ACK", cseq=2)
    exchange.passes(10.0)
    exchange.commands.clear()
    exchange.says("INVITE", OFFER, cseq=3)
    exchange.passes(7 * PROMPT)
    played = [command.prompt for command in exchange.commands if isinstance(command, Play)]
    assert len(played) == 7
    keys(exchange, "1")
    assert len(tickets(exchange)) == 1


@pytest.mark.parametrize(
    ("fields", "number"), [((), "13812345678"), (("Privacy: id",), None)], ids=["shown", "withheld"]
)
def test_the_number_that_called_is_used_unless_it_is_withheld(
    service: tuple[Flow, House], fields: tuple[str, ...], number: str | None
) -> None:
    exchange = asked(service, OFFER, b"13812345678", *fields)
    keys(exchange, "#")
    exchange.passes(1.0)
    keys(exchange, "1")
    assert [t.details["number"] for t in tickets(exchange)] == ([number] if number else [])


def test_tones_are_heard_only_while_keys_are_asked_for(service: tuple[Flow, House]) -> None:
    exchange = asked(service, WITHOUT_KEYS)
    keys(exchange, "12345#")
    exchange.passes(7 * PROMPT + 1.0)
    keys(exchange, "1")
    tones = [type(command) for command in exchange.commands if isinstance(command, HearTones | IgnoreTones)]
    assert tones == [HearTones, IgnoreTones, HearTones, IgnoreTones]


def test_who_gives_no_number_is_told_that_nobody_is_there(service: tuple[Flow, House]) -> None:
    exchange = asked(service)
    exchange.passes(120.0)
    words = [prompt for _, prompt in exchange.said()]
    assert words[words.index("nobody_there") :][:2] == ["nobody_there", "anything_else"]
    assert tickets(exchange) == []


@pytest.mark.parametrize(("key", "offered"), [("3", "press_3_for_callback"), ("4", "press_4_for_message")])
def test_who_would_rather_not_wait_for_the_seat_leaves_a_number(
    service: tuple[Flow, House], key: str, offered: str
) -> None:
    exchange = Exchange(*service, "8001")
    exchange.calls()
    exchange.passes(1.0)
    phone = exchange.phones["8001"]
    phone.answers()
    exchange.passes(32.5)
    phone.holds()
    exchange.passes(5.0)
    exchange.presses("2")
    exchange.passes(5.0 if key == "3" else 24.0)
    assert offered in [prompt for _, prompt in exchange.said()]
    exchange.presses(key)
    assert exchange.said()[-1][1] == "leave_number_for_callback"
    assert phone.asked[-1] == "ACK" or "BYE" in phone.asked
    exchange.passes(PROMPT + 0.5)
    keys(exchange, "13812345678#")
    exchange.passes(1.0)
    keys(exchange, "1")
    ticket = tickets(exchange)[0]
    assert (ticket.rule, ticket.details["queue"]) == (None, "service")


def test_the_words_are_not_shown_with_their_number() -> None:
    assert "13812345678" not in repr(Say("number_is", secret={"number": "13812345678"}))
