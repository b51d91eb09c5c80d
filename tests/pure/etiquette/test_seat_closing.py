"""csr-36, gas-04, hst-08: a seat that hangs up first does not close the call on the caller."""

import pytest

from callflow import resources
from callflow.actions import (
    CancelRecall,
    Conclude,
    Gate,
    HandToQueue,
    HangUp,
    Note,
    Recall,
    ReleaseSeat,
    ReplaceSeat,
    Say,
    StopSaying,
)
from callflow.errors import IllegalEvent
from callflow.etiquette.house import House
from callflow.etiquette.seat_closing import Phase, SeatClosing
from callflow.events import (
    CallAnswered,
    Event,
    Heard,
    HungUp,
    LineHeard,
    Outcome,
    Party,
    RecallAnswered,
    RecallFailed,
    SeatHungUp,
    SeatLost,
    TransferRequested,
)
from tests.pure.etiquette.stage import CODE, NO, PHONE, YES, Stage

pytestmark = pytest.mark.pure

FINISHED = SeatHungUp(talked=60.0, unheard=0.1)
BOTH = (Party.CALLER, Party.SEAT)


def left(house: House, event: Event = FINISHED) -> Stage:
    stage = Stage(SeatClosing(house))
    stage.happen(event)
    return stage


@pytest.mark.rule("csr-36")
def test_csr_36_after_the_seat_the_caller_is_asked_told_and_released(house: House) -> None:
    stage = left(house).wait(99.0)
    assert stage.done == [
        (0.0, Note("seat.hung_up", "csr-36")),
        (0.3, Say("anything_else", "csr-35")),
        (2.3, Say("press_1_for_help", "csr-35")),
        (9.3, Say("hanging_up", "csr-36")),
        (16.3, HangUp("caller_stayed", "csr-36")),
        (16.3, Conclude("csr-35", Outcome.RELEASED)),
    ]
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.DONE, None)


@pytest.mark.rule("csr-35")
def test_csr_35_thanks_and_goodbye_is_answered_with_goodbye(house: House) -> None:
    stage = left(house).wait(5.0)
    stage.speak(0.8)
    stage.wait(99.0)
    assert stage.said[-1] == (5.8, "goodbye")
    assert stage.done[-2] == (12.8, HangUp("said_goodbye", "csr-35"))


def test_a_sound_begun_before_the_closing_is_part_of_the_answer(house: House) -> None:
    stage = left(house).wait(0.1)
    stage.speak(0.1)
    assert stage.wait(4.0).machine.phase is Phase.CLOSING
    spoken = left(house).wait(0.1)
    spoken.happen(LineHeard(Heard.SOUND, 0.1))
    spoken.wait(6.0).happen(LineHeard(Heard.SILENCE, 6.0))
    assert spoken.said[-1] == (6.1, "press_1_for_help")


@pytest.mark.rule("csr-35")
def test_csr_35_who_wants_help_gets_the_same_seat(house: House) -> None:
    stage = left(house).wait(3.0)
    assert stage.happen(YES) == [
        StopSaying(),
        Gate(frozenset(BOTH)),
        Recall(20.0),
        Say("calling_seat_back", "csr-23"),
    ]
    stage.wait(3.0).happen(RecallAnswered())
    stage.wait(9.0)
    assert stage.done[-5:] == [
        (6.0, Gate(frozenset(BOTH))),
        (6.0, Say("sorry_to_keep_you", "csr-23", BOTH)),
        (8.0, Say("thanks_for_waiting", "csr-23", BOTH)),
        (10.0, Gate(frozenset())),
        (10.0, Conclude("csr-36", Outcome.SEAT_BACK)),
    ]
    assert (6.0, ReplaceSeat()) in stage.done


def test_or_else_the_head_of_the_queue(house: House) -> None:
    stage = left(house).wait(3.0)
    stage.happen(YES)
    stage.wait(99.0)
    assert stage.done[-4:] == [
        (23.0, CancelRecall()),
        (23.0, Note("recall.failed", "csr-23")),
        (23.0, HandToQueue("seat_not_back")),
        (23.0, Conclude("csr-36", Outcome.QUEUED)),
    ]
    # The seat that hung up has no leg any more.
    assert stage.times(ReleaseSeat()) == []


@pytest.mark.parametrize(
    ("event", "lost"),
    [
        (SeatLost(), True),
        (SeatHungUp(talked=60.0, unheard=2.0), True),
        (SeatHungUp(talked=60.0, unheard=1.99), False),
        (SeatHungUp(talked=60.0, unheard=0.0, by_fault=True), True),
        (SeatHungUp(talked=0.02, unheard=0.0), False),
        (SeatHungUp(talked=20.0, unheard=0.0), False),
    ],
)
def test_a_seat_that_was_lost_is_apologised_for_and_rung(house: House, event: Event, lost: bool) -> None:
    stage = left(house, event)
    assert (stage.times(Recall(20.0)) == [0.0]) == lost
    stage.wait(99.0)
    if lost:
        hung_up = isinstance(event, SeatHungUp)
        assert stage.done[0] == (0.0, Note("seat.lost", "csr-36", {"hung_up": hung_up}))
        assert stage.said == [(0.0, "seat_gone"), (2.0, "calling_seat_back")]
        assert stage.done[-1] == (20.0, Conclude("csr-36", Outcome.QUEUED))
    else:
        assert stage.said[0] == (0.3, "anything_else")


@pytest.mark.parametrize("event", [SeatLost(is_dead=True), SeatHungUp(talked=0.0, unheard=0.0)])
def test_a_dead_phone_and_a_seat_that_was_never_joined_are_not_rung(house: House, event: Event) -> None:
    stage = left(house, event)
    stage.wait(99.0)
    assert stage.times(Recall(20.0)) == []
    assert stage.said == [(0.0, "seat_gone")]
    assert stage.done[-1] == (2.0, Conclude("csr-36", Outcome.QUEUED))


def test_a_lost_seat_that_is_busy_is_not_waited_for(house: House) -> None:
    stage = left(house, SeatLost()).wait(1.0)
    stage.happen(RecallFailed(486))
    assert stage.done[-3:] == [
        (1.0, StopSaying()),
        (1.0, HandToQueue("seat_not_back")),
        (1.0, Conclude("csr-36", Outcome.QUEUED)),
    ]


def test_a_caller_who_waits_for_a_lost_seat_hears_a_word_every_fifteen_seconds_where_the_house_says_so() -> (
    None
):
    stage = left(resources.read_house(resources.HOUSES / "gas-hotline.yaml"), SeatLost()).wait(19.0)
    assert stage.said[-1] == (15.0, "calling_seat_back")


@pytest.mark.parametrize(("name", "rule"), [("gas-hotline", "gas-04"), ("handset-hotline", "hst-08")])
@pytest.mark.rule("gas-04")
@pytest.mark.rule("hst-08")
def test_the_rule_is_the_houses(name: str, rule: str) -> None:
    stage = left(resources.read_house(resources.HOUSES / f"{name}.yaml"))
    assert stage.done == [(0.0, Note("seat.hung_up", rule))]
    # The seat is gone, the caller is not: nothing is released.
    assert not any(isinstance(action, HangUp) for _, action in stage.wait(16.0).done)


@pytest.mark.parametrize("at", [0.1, 3.0, 12.0])
@pytest.mark.rule("csr-36")
def test_csr_36_the_callers_own_hang_up_ends_it_at_any_time(house: House, at: float) -> None:
    stage = left(house).wait(at)
    before = len(stage.done)
    assert stage.happen(HungUp(Party.CALLER)) == []
    assert stage.machine.phase is Phase.DONE
    assert len(stage.wait(99.0).done) == before


def test_a_caller_who_hangs_up_while_the_seat_is_rung(house: House) -> None:
    assert left(house, SeatLost()).happen(HungUp(Party.CALLER)) == [CancelRecall()]
    stage = left(house, SeatLost())
    stage.happen(RecallAnswered())
    assert stage.happen(HungUp(Party.CALLER)) == [ReleaseSeat()]
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.DONE, None)
    assert stage.happen(RecallAnswered()) == [CancelRecall()]


def test_a_seat_that_comes_back_and_leaves_again_is_gone(house: House) -> None:
    stage = left(house, SeatLost())
    stage.happen(RecallAnswered())
    stage.wait(1.0).happen(SeatLost())
    stage.wait(9.0)
    assert stage.said[-1] == (1.0, "seat_gone")
    assert stage.done[-1] == (3.0, Conclude("csr-36", Outcome.QUEUED))


@pytest.mark.parametrize("event", [PHONE, CODE, TransferRequested()])
def test_a_seat_that_comes_back_and_wants_something_else_gets_the_rule_for_that(
    house: House, event: Event
) -> None:
    stage = left(house, SeatLost())
    assert stage.happen(event) == []
    stage.happen(RecallAnswered())
    assert stage.happen(event) == [StopSaying(), Conclude("csr-36", Outcome.SEAT_BACK)]
    assert stage.machine.phase is Phase.DONE


def test_a_leg_that_nobody_rang_is_ended(house: House) -> None:
    assert left(house).happen(RecallAnswered()) == [CancelRecall()]
    assert left(house).wait(3.0).happen(RecallAnswered()) == [CancelRecall()]


def test_time_stands_still_for_every_part(house: House) -> None:
    for stage in (left(house), left(house).wait(8.0), left(house, SeatLost())):
        before = stage.machine.deadline
        stage.machine.postpone(100.0)
        assert before is not None
        assert stage.machine.tick(before) == []
        assert stage.machine.deadline == before + 100.0
        assert stage.machine.tick(before + 100.0) != []


def test_words_of_return_whose_end_is_never_told_are_over_some_time(house: House) -> None:
    machine = left(house, SeatLost()).machine
    machine.receive(RecallAnswered(), 5.0)
    assert machine.tick(35.0) == [Say("thanks_for_waiting", "csr-23", BOTH)]
    assert machine.tick(65.0)[-1] == Conclude("csr-36", Outcome.SEAT_BACK)


def test_without_csr_36_only_the_caller_ends_the_call(house: House) -> None:
    stage = left(house.without("csr-36")).wait(999.0)
    assert not any(isinstance(action, HangUp) for _, action in stage.done)
    assert left(house.without("csr-35")).wait(99.0).said == [(5.3, "hanging_up")]


def test_an_illegal_event_changes_nothing(house: House) -> None:
    stage = left(house)
    with pytest.raises(IllegalEvent, match="PAUSING"):
        stage.happen(CallAnswered())
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.PAUSING, 0.3)
    assert stage.happen(NO) == []


def stands_still(stage: Stage, seconds: float) -> Stage:
    """The caller's own side holds the call for so long."""
    stage.machine.postpone(seconds)
    stage.now += seconds
    return stage


def test_in_the_closing_and_on_the_way_back_no_pause_runs_while_time_stands_still(house: House) -> None:
    closing = stands_still(left(house).wait(5.0), 60.0).wait(4.2)
    assert closing.said[-1] == (2.3, "press_1_for_help")
    assert closing.wait(0.2).said[-1] == (69.3, "hanging_up")
    rung = left(house).wait(3.0)
    rung.happen(YES)
    stands_still(rung.wait(5.0), 60.0).wait(14.9)
    assert CancelRecall() not in [action for _, action in rung.done]
    assert (83.0, CancelRecall()) in rung.wait(0.2).done


def test_keys_are_awaited_in_the_closing_and_where_something_was_offered(house: House) -> None:
    stage = left(house)
    assert not stage.machine.awaits_key
    assert stage.wait(5.0).machine.awaits_key
    stage.happen(YES)
    assert not stage.machine.awaits_key, "help is on its way, and nothing else was offered"
    assert not left(house).wait(99.0).machine.awaits_key


def test_a_caller_who_speaks_as_the_closing_begins_is_heard_out(house: House) -> None:
    stage = left(house).wait(0.1)
    stage.happen(LineHeard(Heard.SOUND, 0.1))
    stage.wait(12.0)
    assert "hanging_up" not in [prompt for _, prompt in stage.said]
    assert stage.said[-1][1] == "press_1_for_help"
