"""Callers and seats who act at random, in SIP messages: what must hold whatever they do."""

import os
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow import config, resources
from callflow.call.leg import Leg
from callflow.call.queues import QueuePlan, Strategy
from callflow.call.room import Room
from callflow.etiquette.audit import judge
from callflow.etiquette.verdict import Judgement
from callflow.events import (
    DigitPressed,
    Event,
    Heard,
    LineHeard,
    LineJudged,
    LineState,
    OpinionGiven,
)
from callflow.facts import Fact
from callflow.media.messages import MediaEvent, NoPackets, PacketsResumed, PacketsStopped
from tests.support.exchange import PROMPT, Exchange, SeatPhone

pytestmark = pytest.mark.conversation

EXAMPLES = int(os.environ.get("CALLFLOW_EXAMPLES", "150"))
STEPS = 40
Act = Callable[[Exchange], None]


def seat(do: Callable[[SeatPhone], None], number: str = "8001") -> Act:
    """An act of a seat's phone; one that was never called can do nothing."""

    def act(exchange: Exchange) -> None:
        phone = exchange.phones[number]
        if phone.invites:
            do(phone)

    return act


def keys(digits: str) -> Act:
    """Keys of the seat that serves the caller."""

    def act(exchange: Exchange) -> None:
        for room in exchange.controller._rooms.values():
            if room.seat is not None:
                for digit in digits:
                    exchange.tells(room.seat.media, DigitPressed(digit))

    return act


def target_keys(digits: str) -> Act:
    """Keys of whoever is to take the call."""

    def act(exchange: Exchange) -> None:
        for room in exchange.controller._rooms.values():
            if room.target is not None:
                for digit in digits:
                    exchange.tells(room.target.media, DigitPressed(digit))

    return act


def audio(of: Callable[[Room], Leg | None], event: MediaEvent) -> Act:
    """What the plane tells of a leg's packets."""

    def act(exchange: Exchange) -> None:
        for room in exchange.controller._rooms.values():
            leg = of(room)
            if leg is not None and leg.is_open:
                exchange.tells(leg.media, event)

    return act


def options_reach(nobody: bool) -> Act:
    """Whether phones and the caller's side answer when they are asked whether they are there."""

    def act(exchange: Exchange) -> None:
        deaf = frozenset({"OPTIONS"}) if nobody else frozenset[str]()
        exchange.caller_deaf_to = deaf
        for phone in exchange.phones.values():
            phone.deaf_to = deaf

    return act


def caller_is(event: Event) -> Act:
    """What the plane tells of the caller's line."""
    return lambda exchange: exchange.tells(1, event)


def ears_say(opinion: OpinionGiven | None) -> Act:
    """How the second pair of ears answers from now on."""

    def act(exchange: Exchange) -> None:
        exchange.opinion = opinion

    return act


OF_THE_LINE: dict[str, Act] = {
    **{f"seat dials *4{digit}": keys(f"*4{digit}") for digit in "0145677"},
    **{f"line is {state}": caller_is(LineJudged(state, 0.0)) for state in LineState},
    **{f"caller: {heard}": caller_is(LineHeard(heard, 0.0)) for heard in Heard},
    "ears hear nobody": ears_say(OpinionGiven(alive=False)),
    "ears hear somebody": ears_say(OpinionGiven(alive=True)),
    "ears do not answer": ears_say(None),
}
OF_THE_AUDIO: dict[str, Act] = {
    "caller's audio stops": audio(lambda room: room.caller, PacketsStopped()),
    "caller's audio never came": audio(lambda room: room.caller, NoPackets()),
    "caller's audio comes": audio(lambda room: room.caller, PacketsResumed()),
    "seat's audio stops": audio(lambda room: room.seat, PacketsStopped()),
    "seat's audio comes": audio(lambda room: room.seat, PacketsResumed()),
    "target's audio stops": audio(lambda room: room.target, PacketsStopped()),
    "nobody answers OPTIONS": options_reach(nobody=True),
    "all answer OPTIONS": options_reach(nobody=False),
}
ACTS: dict[str, Act] = {
    **OF_THE_LINE,
    **OF_THE_AUDIO,
    "caller presses 1": lambda exchange: exchange.presses("1"),
    "caller presses 2": lambda exchange: exchange.presses("2"),
    "caller presses 3": lambda exchange: exchange.presses("3"),
    **{
        f"{number} {name}": seat(do, number)
        for number in ("8001", "8002")
        for name, do in {
            "rings": SeatPhone.rings,
            "answers": SeatPhone.answers,
            "declines": lambda phone: phone.answers(603, "Decline"),
            "is busy": lambda phone: phone.answers(486, "Busy Here"),
            "holds": SeatPhone.holds,
            "holds inactive": lambda phone: phone.holds("inactive"),
            "resumes": SeatPhone.resumes,
            "hangs up": SeatPhone.hangs_up,
        }.items()
    },
    "seat dials *1": keys("*1"),
    "seat dials *2": keys("*2"),
    "seat dials 1": keys("1"),
    "seat dials 2": keys("2"),
    "seat dials *": keys("*"),
    "seat dials *3": keys("*38002#"),
    "seat dials *3 back": keys("*38001#"),
    "8001 refers": seat(lambda phone: phone.refers("8002")),
    "target presses 1": target_keys("1"),
    "target presses 2": target_keys("2"),
}


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    house=st.sampled_from(["csr-standard", "gas-hotline", "logistics"]),
    strategy=st.sampled_from(list(Strategy)),
    acts=st.lists(
        st.tuples(st.sampled_from([0.0, 0.3, 1.0, 2.5, 7.0, 13.0, 31.0]), st.sampled_from(sorted(ACTS))),
        max_size=STEPS,
    ),
)
def test_whatever_they_do(house: str, strategy: Strategy, acts: list[tuple[float, str]]) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    manners = resources.read_house(resources.HOUSES / f"{house}.yaml")
    exchange = Exchange(flow, manners, "8001", "8002", queue=QueuePlan("service", strategy=strategy))
    exchange.calls()
    exchange.passes(1.0)
    seat(SeatPhone.answers)(exchange)
    exchange.passes(30.0)
    for after, act in acts:
        exchange.passes(after)
        ACTS[act](exchange)
        assert exchange.controller.deadline is not None or not len(exchange.controller) or joined(exchange)
    if len(exchange.controller):
        exchange.says("BYE", cseq=50)
    # A phone that is not there is asked again and again whether it is back.
    options_reach(nobody=False)(exchange)
    exchange.passes(120.0)
    facts = [fact for fact in exchange.facts if fact.call]
    never_held_without_consent(facts)
    never_transferred_without_both(facts)
    never_long_without_a_word(facts, manners.hold.every)
    nothing_after_the_end(facts)
    no_line_is_checked_over_a_seat(facts)
    # The audit knows nothing of the machines: what it finds wrong, they did wrong, or it is wrong itself.
    assert [verdict for verdict in judge(facts, manners) if verdict.judgement is Judgement.BROKEN] == []
    assert [each for each in exchange.counted if each.what == "fault"] == []
    in_hand = exchange.controller.in_hand()
    assert in_hand == dict.fromkeys(in_hand, 0)


def joined(exchange: Exchange) -> bool:
    """Whether the caller and a seat speak with each other: then nobody waits for anything."""
    return all(not room.call.keeps_keys for room in exchange.controller._rooms.values())


def never_held_without_consent(facts: list[Fact]) -> None:
    agreed = False
    for fact in facts:
        match fact.fact:
            case "hold.asked":
                agreed = False
            case "consent.given":
                agreed = True
            case "hold.started":
                assert agreed


def never_transferred_without_both(facts: list[Fact]) -> None:
    agreed: set[str] = set()
    for fact in facts:
        match fact.fact:
            case "transfer.asked":
                agreed.clear()
            case "consent.given":
                agreed.add("caller")
            case "transfer.accepted":
                agreed.add("target")
            case "transfer.completed":
                assert agreed == {"caller", "target"}


def never_long_without_a_word(facts: list[Fact], every: float) -> None:
    """From the moment the seat cannot be heard until it can be again, or the caller is somewhere else."""
    unheard_since: float | None = None
    for fact, later in pairwise(facts):
        match fact.fact:
            case "seat.unhearing" | "hold.started" | "transfer.offered":
                unheard_since = fact.at if unheard_since is None else unheard_since
            case "call.joined" | "hold.resumed" | "queue.entered" | "call.ended" | "seat.left":
                unheard_since = None
            case "prompt.started" | "prompt.finished" if unheard_since is not None:
                unheard_since = fact.at
        if unheard_since is not None:
            assert later.at - unheard_since <= every + PROMPT + 0.5


WITHOUT_SEAT = ("callback_wanted", "message_wanted", "closing_wanted")


def no_line_is_checked_over_a_seat(facts: list[Fact]) -> None:
    """But where the seat has asked for it; and one whose line was checked is ended only after the words."""
    together = checked = False
    for fact in facts:
        match fact.fact:
            case "call.joined":
                together = True
            case "seat.left" | "seat.unhearing" | "hold.started" | "queue.entered":
                together = False
            case "rule.concluded" if fact.details["outcome"] in WITHOUT_SEAT:
                together = False
            case "line_check.begun":
                assert not together or fact.details["by"] == "seat"
                checked = True
            case "line_check.stopped":
                checked = False
            case "call.ended" if str(fact.details["reason"]).endswith("_line"):
                assert checked


def nothing_after_the_end(facts: list[Fact]) -> None:
    names = [fact.fact for fact in facts]
    assert names.count("call.ended") == 1
    assert names[-1] == "call.ended"
