"""Our two sides against each other, message by message, over a network that loses, doubles and delays."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.errors import PeerError
from callflow.sip.address import Transport
from callflow.sip.happenings import Accepted, Declined, Ended, Invited
from callflow.sip.transaction import Send
from tests.support.sip_phone import words
from tests.support.wire import DELAY, Side, Wire

pytestmark = pytest.mark.pure

ANSWER, OTHER = b"v=0\r\n", b"v=0\r\no=2\r\n"
NOTHING = {"transactions": 0, "sessions": 0}


def answers(wire: Wire, description: bytes = ANSWER) -> None:
    wire.take(wire.callee, wire.callee.endpoint.calls.answer(wire.callee.session, description, wire.now))


def hangs_up(wire: Wire, side: Side, reason: str = "") -> None:
    wire.take(side, side.endpoint.calls.hang_up(side.session, reason, wire.now))


@pytest.mark.parametrize("transport", list(Transport))
def test_a_call_is_answered_and_ended(transport: Transport) -> None:
    wire = Wire(transport=transport)
    wire.calls()
    wire.run(0.1)
    wire.take(wire.callee, wire.callee.endpoint.calls.ring(wire.callee.session, wire.now))
    wire.run(0.1)
    answers(wire)
    wire.run(0.1)
    hangs_up(wire, wire.caller)
    wire.run(40.0)
    assert wire.heard(wire.caller) == ["Progressed 180", "Accepted"]
    assert wire.heard(wire.callee) == ["Invited 1001 -> 4001", "Confirmed", "Ended bye"]
    assert wire.said() == [
        *("caller: INVITE", "callee: 100 INVITE", "callee: 180 INVITE", "callee: 200 INVITE"),
        *("caller: ACK", "caller: BYE", "callee: 200 BYE"),
    ]
    assert wire.in_hand == NOTHING


def test_the_called_side_ends_a_call() -> None:
    wire = Wire()
    wire.talk()
    hangs_up(wire, wire.callee, "goodbye")
    wire.run(40.0)
    assert (wire.heard(wire.caller), wire.heard(wire.callee)) == (["Ended bye"], [])
    assert wire.in_hand == NOTHING


def test_early_media_is_passed_up() -> None:
    wire = Wire()
    wire.calls()
    wire.run(0.1)
    early = wire.callee.endpoint.calls.ring(wire.callee.session, wire.now, 183, "Session Progress", ANSWER)
    wire.take(wire.callee, early)
    wire.run(0.1)
    assert wire.heard(wire.caller) == ["Progressed 183 with audio"]


@pytest.mark.parametrize("status", [302, 404, 480, 486, 500, 603])
def test_a_refusal_is_told(status: int) -> None:
    wire = Wire()
    wire.calls()
    wire.run(0.1)
    refused = wire.callee.endpoint.calls.refuse(wire.callee.session, PeerError(status, "No"), wire.now)
    wire.take(wire.callee, refused)
    wire.run(40.0)
    assert wire.heard(wire.caller) == [f"Declined {status}"]
    assert wire.said() == ["caller: INVITE", "callee: 100 INVITE", f"callee: {status} INVITE", "caller: ACK"]
    assert wire.in_hand == NOTHING


def test_nobody_there() -> None:
    wire = Wire(fate=lambda send: [])
    wire.calls()
    wire.run(31.9)
    assert wire.heard(wire.caller) == []
    wire.run(0.2)
    assert wire.heard(wire.caller) == ["Declined 408"]
    assert [at for at, _, _ in wire.sent] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert wire.in_hand == NOTHING


def test_who_rings_for_ever_is_given_up() -> None:
    wire = Wire()
    wire.calls()
    wire.run(301.0)
    assert wire.heard(wire.caller) == ["Declined 408"]
    wire.run(40.0)
    assert wire.heard(wire.callee) == ["Invited 1001 -> 4001", "Ended cancelled"]
    assert wire.in_hand == NOTHING


def test_a_ringing_call_is_cancelled() -> None:
    wire = Wire()
    wire.calls()
    wire.run(0.1)
    wire.said()
    hangs_up(wire, wire.caller, "answered elsewhere")
    wire.run(40.0)
    assert wire.said() == ["caller: CANCEL", "callee: 200 CANCEL", "callee: 487 INVITE", "caller: ACK"]
    assert wire.heard(wire.callee) == ["Invited 1001 -> 4001", "Ended cancelled"]
    assert wire.heard(wire.caller) == []
    assert wire.in_hand == NOTHING


def test_a_cancel_waits_for_the_first_sign_of_life() -> None:
    """RFC 3261 §9.1: before a provisional response it could arrive before its INVITE."""
    wire = Wire()
    wire.calls()
    hangs_up(wire, wire.caller)
    assert wire.said() == ["caller: INVITE"]
    wire.run(0.1)
    assert wire.said()[:2] == ["callee: 100 INVITE", "caller: CANCEL"]
    wire.run(40.0)
    assert wire.in_hand == NOTHING


def test_an_answer_that_crosses_our_cancel_is_acknowledged_and_ended() -> None:
    wire = Wire()
    wire.calls()
    wire.run(0.1)
    wire.said()
    answers(wire)
    hangs_up(wire, wire.caller)
    wire.run(40.0)
    said = wire.said()
    assert said[:2] == ["callee: 200 INVITE", "caller: CANCEL"]
    assert sorted(said[2:]) == [
        *("callee: 200 BYE", "callee: 200 CANCEL", "caller: ACK", "caller: BYE"),
    ]
    assert wire.heard(wire.caller) == ["(odd late_answer)"]
    assert wire.heard(wire.callee) == ["Invited 1001 -> 4001", "Confirmed", "Ended bye"]
    assert wire.in_hand == NOTHING


def test_a_lost_ack_is_sent_again_for_every_200() -> None:
    lost = iter([True, True])
    wire = Wire()
    wire.fate = lambda send: [] if words([send]) == ["ACK"] and next(lost, False) else [DELAY]
    wire.calls()
    wire.run(0.1)
    answers(wire)
    wire.run(3.0)
    assert [what for what in wire.said() if "200" in what or "ACK" in what] == [
        *("callee: 200 INVITE", "caller: ACK") * 3
    ]
    assert wire.heard(wire.callee) == ["Invited 1001 -> 4001", "Confirmed"]
    assert wire.heard(wire.caller) == ["Accepted"]


@pytest.mark.parametrize("by", ["caller", "callee"])
def test_either_side_offers_anew(by: str) -> None:
    wire = Wire()
    wire.talk()
    side, other = (wire.caller, wire.callee) if by == "caller" else (wire.callee, wire.caller)
    wire.take(side, side.endpoint.calls.reoffer(side.session, OTHER, wire.now))
    wire.run(0.1)
    assert wire.heard(other) == ["Reoffered"]
    wire.take(other, other.endpoint.calls.answer(other.session, ANSWER, wire.now))
    wire.run(0.1)
    assert wire.heard(side) == ["Reanswered"]
    hangs_up(wire, side)
    wire.run(40.0)
    assert wire.heard(other) == ["Ended bye"]
    assert wire.in_hand == NOTHING


def test_a_reoffer_that_is_refused_changes_nothing() -> None:
    wire = Wire()
    wire.talk()
    wire.take(wire.caller, wire.caller.endpoint.calls.reoffer(wire.caller.session, OTHER, wire.now))
    wire.run(0.1)
    refused = wire.callee.endpoint.calls.refuse(wire.callee.session, PeerError(488, "No"), wire.now)
    wire.take(wire.callee, refused)
    wire.run(0.1)
    assert wire.heard(wire.caller) == ["ReofferDeclined 488"]
    hangs_up(wire, wire.callee)
    wire.run(40.0)
    assert wire.heard(wire.caller) == ["Ended bye"]


def test_crossing_reoffers_give_way_by_role() -> None:
    """RFC 3261 §14.1: who owns the Call-ID waits 2.1 to 4 s, the other 0 to 2 s; here each in the middle."""
    wire = Wire()
    wire.talk()
    begun = wire.now
    for side in (wire.caller, wire.callee):
        wire.take(side, side.endpoint.calls.reoffer(side.session, OTHER, wire.now))
    wire.run(0.5)
    assert wire.said().count("caller: 491 INVITE") == 1
    wire.run(1.0)
    assert wire.heard(wire.caller) == ["Reoffered"]
    wire.take(wire.caller, wire.caller.endpoint.calls.answer(wire.caller.session, ANSWER, wire.now))
    wire.run(3.0)
    assert wire.heard(wire.callee) == ["Reanswered", "Reoffered"]
    again = [round(at - begun, 2) for at, _, what in wire.sent if what == "INVITE"]
    assert again == [1.02, 3.07]


def test_a_reoffer_waits_until_theirs_is_done() -> None:
    wire = Wire()
    wire.talk()
    wire.take(wire.caller, wire.caller.endpoint.calls.reoffer(wire.caller.session, OTHER, wire.now))
    wire.run(0.1)
    wire.said()
    wire.take(wire.callee, wire.callee.endpoint.calls.reoffer(wire.callee.session, OTHER, wire.now))
    wire.run(0.1)
    assert wire.said() == []
    answers(wire)
    wire.run(0.1)
    assert wire.said() == ["callee: 200 INVITE", "caller: ACK", "callee: INVITE", "caller: 100 INVITE"]
    assert wire.heard(wire.caller) == ["Reanswered", "Reoffered"]


def test_a_reoffer_that_is_never_answered_leaves_the_call_as_it_was() -> None:
    wire = Wire()
    wire.talk()
    wire.take(wire.caller, wire.caller.endpoint.calls.reoffer(wire.caller.session, OTHER, wire.now))
    wire.run(40.0)
    assert (wire.heard(wire.callee), wire.heard(wire.caller)) == (["Reoffered"], ["ReofferDeclined 408"])
    hangs_up(wire, wire.caller)
    wire.run(40.0)
    assert wire.in_hand == NOTHING


def test_who_has_forgotten_the_call_ends_it() -> None:
    wire = Wire()
    wire.talk()
    wire.callee.endpoint.calls.hang_up(wire.callee.session, "", wire.now)
    wire.take(wire.caller, wire.caller.endpoint.calls.reoffer(wire.caller.session, OTHER, wire.now))
    wire.run(40.0)
    assert wire.heard(wire.caller) == ["Ended gone"]


def test_a_call_that_was_passed_on_too_often_goes_nowhere() -> None:
    wire = Wire()
    wire.calls(max_forwards=0)
    assert (wire.heard(wire.caller), wire.said()) == (["Declined 483"], [])
    wire.calls(max_forwards=1)
    wire.run(0.1)
    assert [told.hops_left for told in wire.callee.told if isinstance(told, Invited)] == [1]


def test_requests_within_the_call_are_answered() -> None:
    wire = Wire()
    wire.talk()
    calls = wire.caller.endpoint.calls
    info = ("content-type", "application/dtmf-relay")
    wire.take(wire.caller, calls.ask(wire.caller.session, "INFO", info, now=wire.now, body=b"Signal=5\r\n"))
    wire.take(wire.caller, calls.ask(wire.caller.session, "MESSAGE", now=wire.now))
    wire.run(0.1)
    assert wire.heard(wire.callee) == ["KeySignalled 5"]
    assert wire.heard(wire.caller) == ["Replied 200 INFO", "Replied 405 MESSAGE"]
    wire.fate = lambda send: []
    wire.take(wire.caller, calls.ask(wire.caller.session, "INFO", info, now=wire.now, body=b"Signal=5\r\n"))
    wire.run(33.0)
    assert wire.heard(wire.caller) == ["Replied 408 INFO"]


class Weather:
    """Loses, doubles and delays messages as a seed wants it."""

    def __init__(self, seed: int, loss: float) -> None:
        self._random = Random(seed)
        self._loss = loss

    def __call__(self, send: Send) -> Iterable[float]:
        copies = 2 if self._random.random() < 0.1 else 1
        kept = [copy for copy in range(copies) if self._random.random() >= self._loss]
        return [self._random.uniform(0.001, 0.3) for _ in kept]


@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.05, 0.3]),
    acts=st.lists(
        st.tuples(
            st.floats(0.0, 6.0),
            st.sampled_from(
                ["ring", "answer", "refuse", "caller ends", "callee ends", "caller offers", "callee offers"]
            ),
        ),
        max_size=12,
    ),
)
def test_whatever_the_weather_both_sides_come_to_an_end(
    seed: int, loss: float, acts: list[tuple[float, str]]
) -> None:
    """Nothing is raised, each side hears of one end at most and none after its own, and nothing stays."""
    wire = Wire(fate=Weather(seed, loss))
    wire.calls()
    for after, act in acts:
        wire.run(after)
        _do(wire, act)
    for side in (wire.caller, wire.callee):
        hangs_up(wire, side)
    wire.run(70.0)
    # The INVITE may have arrived after that, and all that was said of its end be lost.
    hangs_up(wire, wire.callee)
    wire.run(70.0)
    assert wire.in_hand == NOTHING
    for side in (wire.caller, wire.callee):
        ends = [told for told in side.told if isinstance(told, Ended | Declined)]
        assert len(ends) <= 1
        answered = [told for told in side.told if isinstance(told, Accepted)]
        assert len(answered) <= 1


def _do(wire: Wire, act: str) -> None:
    callee, caller = wire.callee, wire.caller
    match act.split():
        case ["ring"]:
            wire.take(callee, callee.endpoint.calls.ring(callee.session, wire.now))
        case ["answer"]:
            for side in (callee, caller):
                wire.take(side, side.endpoint.calls.answer(side.session, ANSWER, wire.now))
        case ["refuse"]:
            for side in (callee, caller):
                wire.take(side, side.endpoint.calls.refuse(side.session, PeerError(488, "No"), wire.now))
        case [who, "ends"]:
            hangs_up(wire, getattr(wire, who))
        case [who, _]:
            side = getattr(wire, who)
            wire.take(side, side.endpoint.calls.reoffer(side.session, OTHER, wire.now))
