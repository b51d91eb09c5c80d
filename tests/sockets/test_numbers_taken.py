"""A number keyed at a real phone is read back by the real plane, whole."""

from pathlib import Path

import pytest

from callflow.adapters.softphone import Softphone
from callflow.config import Setup, with_flow
from tests.sockets.test_service import line, serving

pytestmark = pytest.mark.sockets

FLOW = """\
callflow: 1
name: called_back
title: 回电
house: csr-standard
start: greet
steps:
  greet: {do: greet, next: number}
  number: {do: take_number, say: leave_number_for_callback, next: close, otherwise: close}
  close: {do: close, more: number}
"""
NUMBER = "13800138000"


async def test_a_number_is_read_back_in_recordings_that_are_there(setup: Setup, tmp_path: Path) -> None:
    path = tmp_path / "called_back.yaml"
    path.write_text(FLOW, encoding="utf-8")
    setup = with_flow(setup, path)
    async with serving(setup) as (service, facts), Softphone.open(line(service)) as phone:
        await phone.call("10086")
        await facts.said("greeting")
        await phone.press("9")
        await facts.said("leave_number_for_callback")
        await phone.press(NUMBER + "#")
        ended = await facts.said("number_is")
        [begun] = [f for f in facts.all if f.fact == "prompt.started" and f.details["prompt"] == "number_is"]
        await phone.press("1")
        ticket = await facts.first("ticket.opened")
        await facts.said("will_call_back")
        await phone.hang_up()
        await facts.first("call.ended")
        assert service.media.counts().get("impossible_command", 0) == 0
    assert ticket.details["number"] == NUMBER
    # Nothing of it was left out.
    fields = {**setup.config.fields, "number": NUMBER}
    assert (
        ended.at - begun.at >= sum(len(sound) for _, sound in setup.prompts.spelt("number_is", fields)) / 8000
    )
    assert not [fact for fact in facts.all if "number_is?" in str(fact.details)]
