"""The plane in its own process: it may die, and no call does."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import pytest

from callflow.adapters.softphone import Line, Softphone
from callflow.codec import Law
from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.media.messages import Join, OpenLeg, ShutGate
from callflow.media.thresholds import Thresholds
from callflow.net.media_process import MediaProcess
from callflow.net.mmsg import bound_sockets
from callflow.service import running
from tests.sockets.test_service import Facts
from tests.support.udp_phone import UdpPhone, until

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


async def test_two_who_were_joined_hear_each_other_again_as_before() -> None:
    plane = MediaProcess(bound_sockets("127.0.0.1", [0]), capacity=4, thresholds=Thresholds())
    deaths: list[int | None] = []
    plane.process.on_death = lambda: deaths.append(plane.pid)
    (port,) = plane.ports
    with UdpPhone() as alice, UdpPhone() as bob:
        to_alice: set[int] = set()

        def bob_hears(code: int) -> Callable[[], bool]:
            def hears() -> bool:
                alice.say(code, port)
                bob.say(0x21, port)
                to_alice.update(data[12] for data in alice.heard())
                return any(data[12] == code for data in bob.heard())

            return hears

        try:
            await plane.start()
            for leg, phone in ((1, alice), (2, bob)):
                plane.command(OpenLeg(leg, 0, Law.PCMU, 101, phone.address, ("127.0.0.1",)))
            plane.command(Join(1, 2))
            plane.command(ShutGate(2))
            await until(bob_hears(0x11))
            assert plane.pid is not None
            os.kill(plane.pid, signal.SIGKILL)
            await until(lambda: deaths != [])
            bob.heard()
            await until(bob_hears(0x12))
        finally:
            await plane.close()
    # What Bob said was kept back by the plane that died, and by the one in its place.
    assert to_alice == {0xFF}
