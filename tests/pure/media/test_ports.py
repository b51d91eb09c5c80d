"""A new leg's port: never one where another leg waits for packets from the same address."""

import pytest

from callflow.media.ports import FULL, PATIENCE, PortPool, PortsBusy

pytestmark = pytest.mark.pure

HERE, THERE = ("192.0.2.1",), ("192.0.2.2",)


def host(leg: int) -> tuple[str]:
    return (f"192.0.{leg // 250}.{leg % 250}",)


def test_legs_share_a_port_until_it_is_full() -> None:
    pool = PortPool((20_000, 20_002, 20_004))
    taken = [pool.open(leg, None, host(leg), 0.0) for leg in range(3 * FULL)]
    assert taken == [0] * FULL + [1] * FULL + [2] * FULL
    pool.close(FULL)
    assert pool.open(900, None, HERE, 0.0) == 1
    assert len(pool) == 3 * FULL


def test_once_all_are_full_the_emptiest_gets_more() -> None:
    pool = PortPool((20_000, 20_002))
    for leg in range(2 * FULL):
        pool.open(leg, None, host(leg), 0.0)
    assert [pool.open(900 + n, None, host(900 + n), 0.0) for n in range(4)] == [0, 1, 0, 1]


def test_the_fullest_port_is_no_place_for_who_waits_for_the_same_address() -> None:
    pool = PortPool((20_000, 20_002))
    for leg in range(3):
        pool.open(leg, None, host(leg), 0.0)
    assert pool.open(3, None, host(2), 0.0) == 1
    pool.latched(2)
    assert pool.open(4, None, host(2), 0.0) == 0


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


# --- phones that ring ---


def test_a_phone_that_rings_keeps_no_port_from_others() -> None:
    pool = PortPool((20_000, 20_002))
    for leg in range(100):
        pool.offer(leg, HERE[0], 0.0)
    assert len(pool) == 100
    assert [pool.open(200 + leg, None, HERE, 0.0) for leg in range(2)] == [0, 1]


def test_phones_that_ring_are_spread_over_the_ports() -> None:
    pool = PortPool(tuple(range(20_000, 20_032, 2)))
    offered = [pool.offer(leg, HERE[0], 0.0) for leg in range(600)]
    assert max(map(offered.count, range(16))) - min(map(offered.count, range(16))) <= 1


def test_a_phone_is_offered_a_port_where_nobody_waits_for_its_host() -> None:
    pool = PortPool((20_000, 20_002))
    assert pool.open(1, ("192.0.2.1", 4000), HERE, 0.0) == 0
    assert [pool.offer(leg, HERE[0], 0.0) for leg in (2, 3)] == [1, 1]
    assert pool.offer(4, THERE[0], 0.0) == 0


def test_with_its_answer_a_phone_waits_like_any_other() -> None:
    pool = PortPool((20_000, 20_002))
    port = pool.offer(1, HERE[0], 0.0)
    pool.moved(1, None, HERE, 1.0)
    assert pool.open(2, None, HERE, 1.0) == 1 - port
    with pytest.raises(PortsBusy):
        pool.open(3, None, HERE, 1.0)
    pool.latched(1)
    assert pool.open(3, None, HERE, 1.0) == port


def test_what_rang_is_forgotten_when_it_is_closed() -> None:
    pool = PortPool((20_000, 20_002))
    for leg in range(10):
        pool.offer(leg, HERE[0], 0.0)
    for leg in range(10):
        pool.close(leg)
    assert (len(pool), pool._ringing, pool._offered, pool._legs) == (0, {}, {}, [0, 0])


def test_a_port_where_a_leg_is_heard_from_the_same_address_is_avoided() -> None:
    """A phone with one fixed port that has restarted: its old call may still be there."""
    pool = PortPool((20_000, 20_002, 20_004))
    remote = ("192.0.2.1", 7078)
    assert pool.open(1, remote, HERE, 0.0) == 0
    pool.latched(1)
    assert pool.open(2, remote, HERE, 1.0) == 1
    pool.latched(2)
    assert pool.open(3, ("192.0.2.1", 7080), HERE, 1.0) in (0, 1)


def test_many_houses_may_name_one_private_address() -> None:
    pool = PortPool((20_000, 20_002))
    for leg in range(20):
        pool.open(leg, ("192.168.1.10", 4000), ("192.168.1.10", f"203.0.113.{leg}"), 0.0)
        pool.latched(leg)
    assert len(pool) == 20
    for leg in range(20):
        pool.close(leg)
    assert (pool._remotes, pool._remote_of) == ({}, {})
