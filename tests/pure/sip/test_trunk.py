"""Whether a trunk is alive, and which of its addresses the next call goes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.errors import IllegalEvent
from callflow.sip.address import Transport
from callflow.sip.fields import Headers
from callflow.sip.keepalive import Changed, Keepalive, Rhythm, State
from callflow.sip.locate import Candidate
from callflow.sip.message import Response
from callflow.sip.trunk import Trunk
from callflow.sip.uri import Uri

pytestmark = pytest.mark.pure

A, B, C = (Candidate(f"192.0.2.{n}", 5060, Transport.UDP) for n in (1, 2, 3))
UNKNOWN, UP, DRAINING, DOWN = State.UNKNOWN, State.UP, State.DRAINING, State.DOWN


def final(status: int, *fields: tuple[str, str]) -> Response:
    return Response(Headers(fields), b"", status, "Whatever")


def trunk(*candidates: Candidate, rhythm: Rhythm | None = None) -> Trunk:
    numbers = iter(range(1000))
    ours, target = Uri.parse("sip:callflow@192.0.2.9"), Uri.parse("sip:pbx.example")
    return Trunk(target, ours, candidates, lambda: f"id{next(numbers)}", 0.0, rhythm)


def tell(mine: Trunk, candidate: Candidate, status: int | None, now: float) -> Changed | None:
    """One OPTIONS to all whose time it is, and an answer of one; None for none."""
    mine.tick(now)
    if status is None:
        return mine.unanswered(candidate, now)
    return mine.replied(candidate, final(status), now)


def test_the_question_is_an_options_outside_any_dialog() -> None:
    ((candidate, request),) = trunk(A).tick(0.0)
    assert candidate == A
    assert request.to_bytes() == (
        b"OPTIONS sip:pbx.example SIP/2.0\r\nMax-Forwards: 70\r\n"
        b"From: <sip:callflow@192.0.2.9>;tag=id0\r\nTo: <sip:pbx.example>\r\nCall-ID: id1\r\n"
        b"CSeq: 1 OPTIONS\r\nContact: <sip:callflow@192.0.2.9>\r\nAccept: application/sdp\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


def test_each_question_is_a_new_one() -> None:
    mine = trunk(A, B)
    first, second = (request for _, request in mine.tick(0.0))
    assert first.call_id != second.call_id
    assert first.from_.tag != second.from_.tag
    assert first.cseq.number < second.cseq.number


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404, 405, 481, 486, 500, 501, 603])
def test_whoever_answers_lives(status: int) -> None:
    mine = trunk(A)
    assert tell(mine, A, status, 0.0) == Changed(0.0, UNKNOWN, UP)
    assert mine.deadline == 30.0


@pytest.mark.parametrize("status", [None, 408, 503])
def test_two_misses_in_a_row_are_down_and_one_answer_is_up(status: int | None) -> None:
    mine = trunk(A)
    told = []
    for now, answer in [(0.0, 200), (30.0, status), (35.0, 200), (65.0, status), (70.0, status), (75.0, 200)]:
        assert mine.deadline == now
        told.append(tell(mine, A, answer, now))
    assert told == [
        *(Changed(0.0, UNKNOWN, UP), None, None, None),
        *(Changed(70.0, UP, DOWN), Changed(75.0, DOWN, UP)),
    ]


def test_the_rhythm_may_be_another() -> None:
    mine = trunk(A, rhythm=Rhythm(up=60.0, down=1.0, misses=1))
    assert tell(mine, A, None, 0.0) == Changed(0.0, UNKNOWN, DOWN)
    assert mine.deadline == 1.0
    tell(mine, A, 200, 1.0)
    assert mine.deadline == 61.0


@pytest.mark.parametrize(("value", "away"), [("120", 120.0), ("1", 5.0), ("999999", 3600.0)])
def test_a_503_with_retry_after_is_draining_until_then(value: str, away: float) -> None:
    mine = trunk(A, B)
    mine.tick(0.0)
    mine.replied(B, final(404), 0.5)
    assert mine.replied(A, final(503, ("Retry-After", value)), 0.0) is None
    assert (mine.states, mine.state) == ({A: DRAINING, B: UP}, UP)
    assert mine.usable() == [B, A]
    alone = trunk(A)
    alone.tick(0.0)
    assert alone.replied(A, final(503, ("Retry-After", value)), 0.0) == Changed(0.0, UNKNOWN, DRAINING)
    assert alone.deadline == away
    assert tell(alone, A, 200, away) == Changed(away, DRAINING, UP)


def test_a_503_with_retry_after_breaks_a_row_of_misses() -> None:
    kept = Keepalive(Rhythm(), 0.0)
    kept.tick(0.0)
    kept.unanswered(0.0)
    kept.tick(5.0)
    kept.replied(final(503, ("Retry-After", "10")), 5.0)
    kept.tick(15.0)
    assert kept.unanswered(15.0) is None
    kept.tick(20.0)
    assert kept.unanswered(20.0) == Changed(20.0, DRAINING, DOWN)


def test_the_round_trip_is_measured() -> None:
    mine = trunk(A, B)
    mine.tick(0.0)
    assert mine.round_trips == {}
    mine.replied(A, final(200), 0.25)
    mine.unanswered(B, 32.0)
    assert mine.round_trips == {A: 0.25}


def test_a_trunk_is_as_good_as_its_best_address_and_calls_go_there_first() -> None:
    mine = trunk(A, B, C)
    mine.tick(0.0)
    assert (mine.usable(), mine.state, mine.deadline) == ([A, B, C], UNKNOWN, None)
    assert mine.replied(B, final(200), 0.0) == Changed(0.0, UNKNOWN, UP)
    mine.unanswered(A, 0.0)
    mine.tick(5.0)
    assert mine.unanswered(A, 5.0) is None
    assert mine.states == {A: DOWN, B: UP, C: UNKNOWN}
    assert mine.usable() == [B, C, A]
    # C was asked at the beginning, and keeps nobody waiting.
    assert [candidate for candidate, _ in mine.tick(10.0)] == [A]


def test_when_all_are_down_all_are_tried() -> None:
    mine = trunk(A, B, rhythm=Rhythm(misses=1))
    mine.tick(0.0)
    assert mine.unanswered(B, 1.0) is None
    assert mine.unanswered(A, 2.0) == Changed(2.0, UNKNOWN, DOWN)
    assert mine.usable() == [A, B]


def test_new_addresses_keep_what_is_known() -> None:
    mine = trunk(A, B)
    mine.tick(0.0)
    mine.replied(A, final(200), 0.0)
    mine.relocate([C, A], 1.0)
    assert mine.states == {C: UNKNOWN, A: UP}
    assert mine.replied(B, final(200), 1.0) is None
    assert [candidate for candidate, _ in mine.tick(1.0)] == [C]
    mine.relocate([], 2.0)
    assert (mine.state, mine.usable(), mine.deadline) == (DOWN, [], None)


def test_an_old_answer_of_one_that_left_and_is_back_tells_nothing() -> None:
    mine = trunk(A)
    mine.tick(0.0)
    mine.relocate([], 1.0)
    mine.relocate([A], 2.0)
    assert mine.unanswered(A, 32.0) is None
    assert mine.deadline == 2.0


def test_an_answer_to_nothing_is_a_fault_of_ours() -> None:
    kept = Keepalive(Rhythm(), 0.0)
    with pytest.raises(IllegalEvent):
        kept.replied(final(200), 0.0)
    with pytest.raises(IllegalEvent):
        kept.unanswered(0.0)


@given(st.lists(st.tuples(st.floats(0, 40), st.sampled_from([None, 200, 404, 408, 503, 603])), max_size=60))
def test_one_question_at_a_time_and_never_more_than_an_interval_without(
    script: list[tuple[float, int | None]],
) -> None:
    kept, now, missed = Keepalive(Rhythm(), 0.0), 0.0, 0
    for takes, status in script:
        assert kept.deadline is not None
        assert kept.deadline <= now + 30.0
        now = kept.deadline
        assert kept.tick(now)
        assert not kept.tick(now + 1000.0)
        now += takes
        missed = missed + 1 if status in (None, 408, 503) else 0
        before = kept.state
        changed = kept.unanswered(now) if status is None else kept.replied(final(status), now)
        assert kept.state is (UP if missed == 0 else DOWN if missed >= 2 else before)
        assert changed == (Changed(now, before, kept.state) if before is not kept.state else None)
