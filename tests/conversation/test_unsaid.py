"""A prompt that the plane does not have, or never ends: the call goes on, and words are heard."""

import itertools

import pytest

from callflow import config, resources
from callflow.call.controller import Settings
from callflow.errors import CallflowError
from callflow.etiquette.house import House
from callflow.events import Outcome
from callflow.flow.load import load
from callflow.flow.model import Flow
from callflow.flow.run import LONGEST, MARGIN
from callflow.media.messages import Play
from callflow.sip.happenings import Counted
from tests.support.exchange import PROMPT, Exchange

pytestmark = pytest.mark.conversation

FAULT = Counted("fault", "prompt_unknown")
NEUTRAL = "log_please_wait"
FLOW = """\
callflow: 1
name: shop
title: 商店
house: csr-standard
start: greet
steps:
  greet: {do: greet, next: hours}
  hours: {do: say, say: opening_hours, next: contact}
  contact: {do: say, say: contact_details, next: close}
  close: {do: close, more: hours}
"""


@pytest.fixture
def shop() -> tuple[Flow, House]:
    house = resources.read_house(resources.HOUSES / "csr-standard.yaml")
    return load(FLOW, "shop.yaml")[0], house


@pytest.fixture
def service() -> tuple[Flow, House]:
    return config.read_flow(resources.FLOWS / "service.yaml")


def reached(exchange: Exchange) -> Exchange:
    """A caller who has been greeted and goes on by a key."""
    exchange.calls()
    exchange.passes(1.0)
    exchange.presses("1")
    return exchange


def unknown(exchange: Exchange) -> list[str]:
    return [str(fact.details["prompt"]) for fact in exchange.facts if fact.fact == "prompt.unknown"]


def words(exchange: Exchange) -> list[str]:
    return [prompt for _, prompt in exchange.said()]


def test_what_cannot_be_said_is_over_at_once_and_the_next_is_said(shop: tuple[Flow, House]) -> None:
    exchange = Exchange(*shop)
    exchange.unknown = {"opening_hours"}
    reached(exchange)
    exchange.passes(0.1)
    assert words(exchange)[1:] == [NEUTRAL, "contact_details"]
    assert exchange.counted.count(FAULT) == 1
    assert unknown(exchange) == ["opening_hours"]
    exchange.passes(PROMPT)
    assert words(exchange)[-1] == "anything_else"


def test_a_greeting_that_cannot_be_said_is_neutral_words_and_the_line_is_watched(
    shop: tuple[Flow, House],
) -> None:
    exchange = Exchange(*shop)
    exchange.unknown = {"greeting"}
    exchange.calls()
    exchange.passes(3.0)
    assert words(exchange) == [NEUTRAL]
    exchange.passes(40.0)
    assert words(exchange)[1:] == ["greeting_again", "no_sound"]
    assert exchange.hears[-1] == "BYE"


def test_a_reminder_that_cannot_be_said_is_neutral_words_each_time(service: tuple[Flow, House]) -> None:
    exchange = Exchange(*service, "8001")
    exchange.unknown = {"queue_please_wait", "queue_still_waiting"}
    exchange.calls()
    exchange.passes(290.0)
    heard = words(exchange)
    assert heard == [NEUTRAL] * len(heard)
    assert len(heard) >= 9
    # So many one after the other end no call: each of the neutral words was heard to its end.
    assert "BYE" not in exchange.hears
    assert exchange.counted.count(FAULT) == len(heard)


def test_a_call_without_any_words_is_ended_and_goes_round_no_longer(service: tuple[Flow, House]) -> None:
    exchange = Exchange(*service, "8001")
    exchange.unknown = {key for key in config.default().prompts.keys}
    exchange.calls()
    exchange.passes(120.0)
    assert exchange.hears[-1] == "BYE"
    assert words(exchange) == []
    assert exchange.counted.count(FAULT) < 20
    assert not exchange.controller.in_hand()["calls"]


@pytest.mark.parametrize("key", sorted(config.default().said))
def test_whatever_prompt_of_the_hotline_is_unknown_no_caller_is_left_in_silence(
    key: str, hotline: Flow, house: House
) -> None:
    exchange = Exchange(hotline, house)
    exchange.unknown = {key}
    exchange.calls()
    exchange.passes(60.0)
    assert exchange.hears[-1] == "BYE"
    ends = [
        fact.at for fact in exchange.facts if fact.fact in ("call.answered", "prompt.finished", "call.ended")
    ]
    assert max(after - before for before, after in itertools.pairwise(ends)) < 20.0


def test_music_that_is_unknown_is_quiet(service: tuple[Flow, House]) -> None:
    flow, house = service
    hold = house.hold.model_copy(update={"music": "no_such_music"})
    exchange = Exchange(flow, house.model_copy(update={"hold": hold}), "8001")
    exchange.unknown = {"no_such_music"}
    exchange.calls()
    exchange.passes(0.5)
    phone = exchange.phones["8001"]
    phone.answers()
    exchange.passes(PROMPT + 1.0)
    phone.holds()
    exchange.passes(2 * PROMPT + 0.5)
    exchange.presses("1")
    exchange.passes(PROMPT + 1.0)
    assert unknown(exchange) == ["no_such_music"]
    assert NEUTRAL not in words(exchange)


def test_a_number_that_cannot_be_spelt_is_asked_for_no_longer_than_else(service: tuple[Flow, House]) -> None:
    class CannotSpell(CallflowError):
        pass

    def spell(prompt: str, own: object) -> list[str]:
        raise CannotSpell(prompt)

    exchange = Exchange(*service)
    exchange.calls()
    exchange.passes(0.5)
    (room,) = exchange.controller._rooms.values()
    room.spell = spell
    exchange.unknown = {"number_is?number="}
    exchange.passes(2 * PROMPT)
    for key in "13800#":
        exchange.presses(key)
    exchange.passes(0.1)
    assert unknown(exchange) == ["number_is"]
    assert not [fact for fact in exchange.facts if "13800" in str(fact.details)]
    exchange.presses("1")
    assert [fact.details["number"] for fact in exchange.facts if fact.fact == "ticket.opened"] == ["13800"]
    assert exchange.faults == []


def test_a_prompt_that_never_ends_holds_a_flow_no_longer_than_its_length(shop: tuple[Flow, House]) -> None:
    exchange = Exchange(*shop)
    exchange.never_ends = {"opening_hours"}
    reached(exchange)
    begun = exchange.now
    exchange.passes(LONGEST + MARGIN + 1.0)
    assert exchange.said()[-1] == (round(begun + LONGEST + MARGIN, 3), "contact_details")
    assert exchange.told.count("prompt.overdue") == 1


def test_the_latest_end_counts_from_the_prompt_s_beginning_and_its_length(shop: tuple[Flow, House]) -> None:
    exchange = Exchange(*shop)
    assert isinstance(exchange.controller._settings, Settings)
    reached(exchange)
    exchange.passes(PROMPT)
    assert Outcome.ALIVE in [fact.details.get("outcome") for fact in exchange.facts]
    assert words(exchange)[-1] == "contact_details"
    assert "prompt.overdue" not in exchange.told


def test_a_leg_hears_neutral_words_by_their_own_name(shop: tuple[Flow, House]) -> None:
    flow, house = shop
    exchange = Exchange(flow, house.model_copy(update={"neutral": "one_moment"}))
    exchange.unknown = {"greeting"}
    exchange.calls()
    exchange.passes(1.0)
    assert [command.prompt for command in exchange.commands if isinstance(command, Play)] == [
        "greeting",
        "one_moment",
    ]


def held(exchange: Exchange) -> Exchange:
    """A caller who is served, was asked to wait, and has pressed 1."""
    exchange.calls()
    exchange.passes(0.5)
    exchange.phones["8001"].answers()
    exchange.passes(2 * PROMPT + 1.0)
    exchange.phones["8001"].holds()
    exchange.passes(2 * PROMPT + 0.5)
    exchange.presses("1")
    return exchange


def test_a_held_caller_whose_reminder_is_unknown_hears_neutral_words_in_its_place(
    service: tuple[Flow, House],
) -> None:
    exchange = Exchange(*service, "8001")
    exchange.unknown = {"still_working"}
    held(exchange).passes(100.0)
    begun = next(fact.at for fact in exchange.facts if fact.fact == "hold.started")
    assert [round(at - begun) for at, prompt in exchange.said() if prompt == NEUTRAL] == [30, 60, 90]


SERVICE = config.read_flow(resources.FLOWS / "service.yaml")


@pytest.mark.parametrize("key", sorted(SERVICE[1].all_prompts))
def test_whatever_prompt_of_a_house_is_unknown_a_held_caller_is_not_left_in_silence(key: str) -> None:
    exchange = Exchange(*SERVICE, "8001")
    exchange.unknown = {key, *(f"{key}?{each}" for each in ("seat=8001", "ahead=1", "minutes=1"))}
    held(exchange).passes(95.0)
    heard = [fact.at for fact in exchange.facts if fact.fact in ("prompt.started", "hold.started")]
    assert max(after - before for before, after in itertools.pairwise([*heard, exchange.now])) < 31.0
    exchange.phones["8001"].resumes()
    exchange.passes(3 * PROMPT)
    assert exchange.faults == []
    assert exchange.told.count("call.joined") == 2
