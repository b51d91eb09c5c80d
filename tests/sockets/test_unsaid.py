"""A prompt that the real plane does not have: its caller hears neutral words, and the call goes on."""

from collections.abc import Iterator

import pytest

from callflow.adapters.softphone import Softphone
from callflow.config import Setup
from tests.sockets.test_service import line, serving

pytestmark = pytest.mark.sockets


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch, setup: Setup) -> Setup:
    """The usual set-up, whose service forgets to give the plane a recording."""
    whole = [*setup.recordings]

    def but_one(self: Setup) -> Iterator[tuple[str, str, dict[str, str]]]:
        return (each for each in whole if each[0] != "main_menu")

    monkeypatch.setattr(Setup, "recordings", property(but_one))
    return setup


async def test_a_caller_hears_neutral_words_in_place_of_a_lost_recording(forgetful: Setup) -> None:
    async with serving(forgetful) as (service, facts), Softphone.open(line(service)) as phone:
        await phone.call("10086")
        await facts.said("greeting")
        await phone.press("9")
        unknown = await facts.first("prompt.unknown")
        neutral = await facts.said("log_please_wait")
        # The menu waits for its key all the same.
        await phone.press("1")
        await facts.said("opening_hours")
        await phone.hang_up()
        await facts.first("call.ended")
        metrics = service.metrics.expose().decode()
    assert unknown.details["prompt"] == "main_menu"
    assert neutral.at > unknown.at
    assert 'callflow_faults_total{kind="prompt_unknown"} 1.0' in metrics
