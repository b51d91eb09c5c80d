"""Who is woken when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.agenda import Agenda

pytestmark = pytest.mark.pure


def standing(agenda: Agenda[str]) -> tuple[float | None, int]:
    return agenda.next, len(agenda)


def test_each_is_woken_once_and_in_order() -> None:
    agenda: Agenda[str] = Agenda()
    assert (standing(agenda), agenda.take_due(99.0)) == ((None, 0), [])
    for key, deadline in (("late", 3.0), ("soon", 1.0), ("too", 1.0)):
        agenda.put(key, deadline)
    assert standing(agenda) == (1.0, 3)
    assert agenda.take_due(0.999) == []
    assert agenda.take_due(1.0) == ["soon", "too"]
    assert standing(agenda) == (3.0, 1)
    assert agenda.take_due(9.0) == ["late"]
    assert standing(agenda) == (None, 0)


def test_a_deadline_moved_or_taken_back_does_not_wake() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("a", 1.0)
    agenda.put("a", 2.0)
    agenda.put("b", 1.5)
    agenda.put("b", None)
    agenda.put("nobody", None)
    assert agenda.next == 2.0
    assert agenda.take_due(1.9) == []
    agenda.put("a", 1.0)
    agenda.put("a", 1.0)
    assert agenda.take_due(5.0) == ["a"]
    assert agenda.take_due(5.0) == []


@given(st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 9)), max_size=40), st.integers(0, 9))
def test_it_agrees_with_a_plain_dictionary(puts: list[tuple[int, int | None]], now: int) -> None:
    agenda: Agenda[int] = Agenda()
    known: dict[int, int] = {}
    for key, deadline in puts:
        agenda.put(key, deadline)
        if deadline is None:
            known.pop(key, None)
        else:
            known[key] = deadline
    assert len(agenda) == len(known)
    assert agenda.next == min(known.values(), default=None)
    due = agenda.take_due(now)
    assert sorted(due) == sorted(key for key, deadline in known.items() if deadline <= now)
    assert [known[key] for key in due] == sorted(known[key] for key in due)
    assert agenda.next == min((at for at in known.values() if at > now), default=None)


def test_deadlines_that_are_taken_back_do_not_pile_up() -> None:
    agenda: Agenda[int] = Agenda()
    for key in range(10_000):
        agenda.put(key, 7200.0 + key)
        agenda.put(key, None)
    agenda.put(-1, 5.0)
    assert len(agenda._heap) < 100
    assert (agenda.next, agenda.take_due(5.0), agenda.next) == (5.0, [-1], None)
