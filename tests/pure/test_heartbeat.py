"""A process that hangs is told from one whose words we have not read ourselves."""

import pytest

from callflow.net.heartbeat import HUNG, LOOK, Heartbeat

pytestmark = pytest.mark.pure


def looks(heartbeat: Heartbeat, now: float, count: int) -> tuple[float, float]:
    """So many looks on time: when the last was, and how long the process had been silent by then."""
    silent = 0.0
    for _ in range(count):
        now += LOOK
        silent = heartbeat.look(now)
    return now, silent


def test_silence_is_counted_from_the_last_sign_of_life() -> None:
    heartbeat = Heartbeat(5.0)
    now, silent = looks(heartbeat, 5.0, 15)
    assert silent == pytest.approx(1.5)
    heartbeat.beat()
    _, silent = looks(heartbeat, now, 20)
    assert silent == pytest.approx(HUNG)


@pytest.mark.parametrize("stalled", [2.0, 10.0, 3600.0])
def test_what_we_overslept_ourselves_is_no_silence(stalled: float) -> None:
    heartbeat = Heartbeat(0.0)
    now, _ = looks(heartbeat, 0.0, 5)
    assert heartbeat.look(now + stalled) < HUNG / 2
    heartbeat.beat()
    assert heartbeat.look(now + stalled + LOOK) == pytest.approx(LOOK)


def test_who_always_looks_late_finds_a_process_that_hangs_all_the_same() -> None:
    heartbeat = Heartbeat(0.0)
    assert [heartbeat.look(float(second)) >= HUNG for second in range(1, 12)].count(True) >= 1


def test_a_clock_that_goes_back_harms_nothing() -> None:
    heartbeat = Heartbeat(10.0)
    assert heartbeat.look(9.0) == 0.0
