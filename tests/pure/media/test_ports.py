"""A new leg's port: never one where another leg waits for packets from the same address."""

import pytest

from callflow.media.ports import PATIENCE, PortPool, PortsBusy

pytestmark = pytest.mark.pure

HERE, THERE = ("192.0.2.1",), ("192.0.2.2",)


def test_legs_are_spread_over_the_ports() -> None:
    pool = PortPool((20_000, 20_002, 20_004))
    assert [pool.open(leg, None, (f"192.0.2.{leg}",), 0.0) for leg in range(6)] == [0, 1, 2, 0, 1, 2]
    pool.close(1)
    assert pool.open(9, None, HERE, 0.0) == 1
    assert len(pool) == 6


def test_two_that_wait_for_one_address_wait_apart() -> None:
    pool = PortPool((20_000, 20_002))
    assert pool.open(1, None, HERE, 0.0) == 0
    assert pool.open(2, None, (*THERE, *HERE), 0.0) == 1
    with pytest.raises(PortsBusy):
        pool.open(3, None, HERE, 0.0)
    assert len(pool) == 2
    pool.latched(1)
    assert pool.open(3, None, HERE, 0.0) == 0
    with pytest.raises(PortsBusy):
        pool.open(4, None, HERE, 0.0)
    pool.close(2)
    assert pool.open(4, None, HERE, 0.0) == 1


@pytest.mark.parametrize(
    ("after", "free"), [(PATIENCE - 0.1, False), (PATIENCE, True), (PATIENCE + 0.1, True)]
)
def test_who_never_sends_does_not_keep_an_address_for_ever(after: float, free: bool) -> None:
    pool = PortPool((20_000,))
    pool.open(1, None, HERE, 100.0)
    if free:
        assert pool.open(2, None, HERE, 100.0 + after) == 0
    else:
        with pytest.raises(PortsBusy):
            pool.open(2, None, HERE, 100.0 + after)


def test_what_is_closed_twice_is_counted_once() -> None:
    pool = PortPool((20_000,))
    pool.open(1, None, HERE, 0.0)
    pool.close(1)
    pool.close(1)
    pool.latched(1)
    assert len(pool) == 0
    assert pool.open(2, None, HERE, 0.0) == 0


def test_behind_one_pbx_a_port_serves_many_who_are_signalled_from_different_places() -> None:
    pool = PortPool((20_000, 20_002))
    assert pool.open(1, ("192.0.2.1", 4000), HERE, 0.0) == 0
    assert pool.open(2, ("192.0.2.1", 4002), HERE, 0.0) == 1
    assert pool.open(3, ("192.0.2.1", 4004), HERE, 0.0) == 0
    # The very same place, or none at all, could be mistaken.
    assert pool.open(4, ("192.0.2.1", 4000), HERE, 0.0) == 1
    with pytest.raises(PortsBusy):
        pool.open(5, ("192.0.2.1", 4000), HERE, 0.0)
    with pytest.raises(PortsBusy):
        pool.open(5, None, HERE, 0.0)


def test_a_leg_that_moves_waits_anew() -> None:
    pool = PortPool((20_000,))
    pool.open(1, None, HERE, 0.0)
    pool.latched(1)
    pool.moved(1, None, THERE, 1.0)
    with pytest.raises(PortsBusy):
        pool.open(2, None, THERE, 1.0)
