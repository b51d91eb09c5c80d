"""A trunk from which nothing is heard: found after several calls in a row, forgiven at the first packet."""

import pytest

from callflow.call.leg import Leg
from callflow.call.trunk_health import IN_A_ROW, TrunkHealth
from callflow.facts import Fact

pytestmark = pytest.mark.pure


def leg(trunk: str = "provider", *, confirmed: bool = True, missed: bool = True) -> Leg:
    one = Leg("c", "s", 1, "192.0.2.1", None)
    one.trunk, one.is_confirmed, one.is_missed = trunk, confirmed, missed
    return one


class Watched:
    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.health = TrunkHealth(self.facts.append)

    def unheard(self, calls: int, trunk: str = "provider") -> None:
        for _ in range(calls):
            self.health.ended(leg(trunk), 1.0)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(fact.leg, fact.fact) for fact in self.facts]


def test_three_calls_in_a_row_without_a_packet_are_told_once() -> None:
    watched = Watched()
    watched.unheard(IN_A_ROW - 1)
    assert watched.told == []
    watched.unheard(3)
    assert watched.told == [("trunk provider", "trunk.one_way")]
    assert watched.facts[0].call == ""


def test_the_call_that_would_be_the_third_is_not_told_to_take_another_telephone() -> None:
    watched = Watched()
    watched.unheard(IN_A_ROW - 2)
    assert not watched.health.at_fault(leg())
    watched.unheard(1)
    assert watched.health.at_fault(leg())


def test_a_packet_in_between_begins_anew() -> None:
    watched = Watched()
    watched.unheard(2)
    watched.health.heard(leg(), 1.0)
    watched.unheard(2)
    assert watched.told == []


def test_a_packet_afterwards_is_told() -> None:
    watched = Watched()
    watched.unheard(4)
    one = leg()
    watched.health.heard(one, 2.0)
    assert watched.told[1:] == [("trunk provider", "trunk.heard_again")]
    assert watched.facts[1].details == {"calls": 4}
    assert not watched.health.at_fault(leg())


def test_who_was_heard_is_never_at_our_fault() -> None:
    watched = Watched()
    heard = leg()
    watched.health.heard(heard, 0.0)
    watched.unheard(5)
    assert not watched.health.at_fault(heard)
    watched.health.ended(heard, 3.0)
    watched.health.heard(leg(), 3.0)
    assert watched.facts[-1].details == {"calls": 5}


@pytest.mark.parametrize(
    "one", [leg(confirmed=False), leg(missed=False), leg(trunk="")], ids=["unanswered", "short", "no trunk"]
)
def test_a_call_that_tells_nothing_does_not_count(one: Leg) -> None:
    watched = Watched()
    for _ in range(9):
        watched.health.ended(one, 1.0)
    assert watched.told == []
    assert not watched.health.at_fault(one)


def test_each_trunk_has_an_account_of_its_own() -> None:
    watched = Watched()
    watched.unheard(2)
    watched.unheard(2, "another")
    assert watched.told == []
    assert not watched.health.at_fault(leg("a third"))
