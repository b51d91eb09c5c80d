"""csr-01 and its like: from the seat's answer to the first word that passes between the two."""

import pytest

from callflow import resources
from callflow.actions import Conclude, Gate, Say, StopSaying
from callflow.etiquette.house import House
from callflow.etiquette.joining import Joining, Phase
from callflow.events import HungUp, Outcome, Party, PromptFinished, SeatAnswered, SeatHungUp
from tests.pure.etiquette.stage import Stage

pytestmark = pytest.mark.pure

BOTH = (Party.CALLER, Party.SEAT)
NOBODY_HEARD, BOTH_HEARD = Gate(frozenset(BOTH)), Gate(frozenset())
JOINED = Conclude("csr-01", Outcome.JOINED)


def picked_up(house: House, waited: float = 1.0) -> Stage:
    stage = Stage(Joining(house.joining, waited))
    stage.happen(SeatAnswered("8001"))
    return stage


def test_both_hear_the_greeting_and_then_each_other(house: House) -> None:
    stage = picked_up(house).wait(10.0)
    assert stage.done == [
        (0.0, NOBODY_HEARD),
        (0.0, Say("greeting", "csr-01", BOTH, {"seat": "8001"})),
        (2.0, BOTH_HEARD),
        (2.0, JOINED),
    ]
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.DONE, None)


def test_a_greeting_whose_end_is_never_told_keeps_nobody_apart(house: House) -> None:
    stage = picked_up(house)
    stage.saying = None
    assert JOINED not in [action for _, action in stage.wait(29.9).done]
    assert stage.wait(0.2).times(JOINED) == [30.0]


@pytest.mark.parametrize(("waited", "greeting"), [(12.0, "greeting"), (12.1, "greeting_late")])
def test_who_waited_longer_than_that_hears_the_apology(house: House, waited: float, greeting: str) -> None:
    assert picked_up(house, waited).said == [(0.0, greeting)]


def test_a_seat_that_leaves_in_the_middle_of_it_has_not_joined(house: House) -> None:
    stage = picked_up(house).wait(1.0)
    left = stage.happen(SeatHungUp(0.0, 0.0))
    assert left == [StopSaying(), Conclude("csr-01", Outcome.SEAT_LEFT)]
    assert stage.wait(60.0).times(JOINED) == []


def test_a_caller_who_leaves_ends_it(house: House) -> None:
    stage = picked_up(house).wait(1.0)
    stage.happen(HungUp(Party.CALLER))
    assert stage.wait(60.0).times(JOINED) == []


def test_the_end_of_other_words_joins_nobody(house: House) -> None:
    assert picked_up(house).happen(PromptFinished("queue_please_wait")) == []


@pytest.mark.parametrize(
    ("name", "answered", "greeting"),
    [
        ("gas-hotline", SeatAnswered("8001", trainee=True), "gas_trainee_greeting"),
        ("gas-hotline", SeatAnswered("8001", overflow=True), "gas_go_ahead"),
        ("gas-hotline", SeatAnswered("8001"), "greeting"),
        ("csr-standard", SeatAnswered("8001", trainee=True, overflow=True), "greeting"),
    ],
)
def test_a_trainee_and_a_crowd_have_their_greeting_where_the_house_has_one(
    name: str, answered: SeatAnswered, greeting: str
) -> None:
    house = resources.read_house(resources.HOUSES / f"{name}.yaml")
    stage = Stage(Joining(house.joining, 1.0))
    stage.happen(answered)
    assert [prompt for _, prompt in stage.said] == [greeting]
