"""The plane in its own process: it may die, and no call does."""

import asyncio
import os
import signal
import sys

import pytest

from callflow.adapters.softphone import Line, Softphone
from callflow.codec import Law
from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.media.hearing import Thresholds
from callflow.media.messages import CloseLeg, LoadPrompt, MoveLeg, OpenLeg, Play
from callflow.net.media_process import MediaProcess, _Memory
from callflow.net.mmsg import bound_sockets
from callflow.service import running
from tests.sockets.test_service import Facts

pytestmark = pytest.mark.sockets


async def test_a_caller_hears_the_words_again_when_the_plane_has_died(setup: Setup) -> None:
    setup = on_free_ports(setup, "secret")
    assert setup.config.media.process == "own"
    facts = Facts()
    async with asyncio.timeout(40), running(setup, [facts]) as service:
        assert isinstance(service.media, MediaProcess)
        async with Softphone.open(Line(*service.sip_address, "caller", "secret")) as phone:
            await phone.call("10086")
            await facts.first("prompt.started")
            first = service.media.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            await facts.first("prompt.finished")
            await phone.press("1")
            await facts.first("digit.pressed")
            await phone.hang_up()
            await facts.first("call.ended")
        assert service.media.pid != first
        said = [fact.details["prompt"] for fact in facts.all if fact.fact == "prompt.started"]
        assert said[:3] == ["greeting", "greeting", "opening_hours"]
        assert b'callflow_faults_total{kind="media_process_died"} 1.0' in service.metrics.expose()
        assert service.media.legs == 0


async def test_a_plane_that_ends_leaves_no_process_behind(setup: Setup) -> None:
    setup = on_free_ports(setup, "secret")
    async with asyncio.timeout(20), running(setup) as service:
        assert isinstance(service.media, MediaProcess)
        pid = service.media.pid
        assert pid is not None
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_controller_that_is_killed_takes_its_plane_along() -> None:
    code = (
        "import asyncio\n"
        "from callflow.media.hearing import Thresholds\n"
        "from callflow.net.media_process import MediaProcess\n"
        "from callflow.net.mmsg import bound_sockets\n"
        "async def main():\n"
        "    plane = MediaProcess(bound_sockets('127.0.0.1', [0]), capacity=4, thresholds=Thresholds())\n"
        "    await plane.start()\n"
        "    print(plane.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    async with asyncio.timeout(30):
        assert int(await parent.stdout.readline()) != parent.pid
        parent.kill()
        await parent.wait()
        # The plane has its parent's output: that ends only when both are gone.
        assert await parent.stdout.read() == b""


async def test_ports_are_bound_before_the_process_begins() -> None:
    plane = MediaProcess(bound_sockets("127.0.0.1", [0, 0]), capacity=4, thresholds=Thresholds())
    try:
        assert len({*plane.ports, 0}) == 3
        assert plane.pid is None
    finally:
        await plane.close()


def test_what_a_new_process_is_told() -> None:
    memory = _Memory()
    audio = LoadPrompt("greeting", b"\xff" * 160, b"\xd5" * 160)
    first = OpenLeg(1, 0, Law.PCMU, 101, ("127.0.0.1", 4000), ("127.0.0.1",))
    second = OpenLeg(2, 1, Law.PCMA, None, None, ("127.0.0.1",))
    moved = MoveLeg(2, Law.PCMU, 96, ("127.0.0.1", 5000), ("127.0.0.1",))
    for command in (audio, first, second, moved, Play(1, "greeting"), Play(2, "greeting"), CloseLeg(1)):
        memory.note(command)
    as_moved = OpenLeg(2, 1, Law.PCMU, 96, ("127.0.0.1", 5000), ("127.0.0.1",))
    assert memory.commands() == [audio, as_moved, Play(2, "greeting")]
