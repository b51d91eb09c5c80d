"""The plane at real sockets: batches in and out, and reports by the odd ports."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.media import rtcp
from callflow.media.latching import source_key
from callflow.media.messages import CloseLeg, LegQuality, OpenLeg, Report
from callflow.media.plane import Batch
from callflow.media.quality import ReportBlock
from callflow.media.rtcp import SenderReport
from callflow.media.rtp import SLOT
from callflow.media.thresholds import Thresholds
from callflow.net import mmsg
from callflow.net.media_process import MediaProcess
from callflow.net.media_runner import MediaRunner
from callflow.net.media_sockets import Arrivals, MediaSockets
from callflow.net.mmsg import bound_socket, bound_sockets, rtcp_sockets
from tests.support.rtp_packets import packet
from tests.support.udp_phone import UdpPhone, told, until

pytestmark = pytest.mark.sockets

Plane = MediaRunner | MediaProcess


@asynccontextmanager
async def running(kind: type[Plane], *, odd: bool = True) -> AsyncIterator[tuple[Plane, int, list[Report]]]:
    """A plane with one port, its number, and what is told."""
    with UdpPhone() as place:
        # Two neighbouring ports that were free just now.
        _, port = place.address
    bound = bound_sockets("127.0.0.1", [port])
    plane = kind(bound, capacity=4, thresholds=Thresholds(), rtcp=rtcp_sockets(bound) if odd else ())
    reports: list[Report] = []
    plane.on_report = reports.append
    try:
        await plane.start()
        yield plane, port, reports
    finally:
        await plane.close()


@pytest.mark.parametrize("kind", [MediaRunner, MediaProcess])
async def test_reports_come_and_go_by_the_odd_ports(kind: type[Plane]) -> None:
    async with running(kind) as (plane, port, reports):
        with UdpPhone() as phone:
            plane.command(OpenLeg(1, 0, Law.PCMU, 101, phone.address, ("127.0.0.1",)))
            came: list[tuple[bytes, int]] = []

            def reported() -> bool:
                phone.say(0xFF, port)
                came.extend(told(phone))
                return came != []

            await until(reported)
            datagram, source = came[0]
            assert source == port + 1
            ours = rtcp.parse(datagram)
            assert ours is not None
            assert ours.sent is not None
            # The phone has missed three, and took its time for 0 s.
            block = ReportBlock(ours.sent.ssrc, 0, 3, 1, 1, rtcp.middle(ours.sent.ntp), 0)
            answer = rtcp.compose(SenderReport(7, 2**40, 0, 1, 160), block, sending=True)
            phone.reports.sendto(answer, ("127.0.0.1", port + 1))
            await until(_counted(plane, "received_rtcp", 1))
            plane.command(CloseLeg(1))
            await until(lambda: isinstance(reports[-1].event, LegQuality))
    quality = reports[-1].event
    assert isinstance(quality, LegQuality)
    assert quality.missed == 3
    assert quality.round_trip is not None
    assert 0.0 <= quality.round_trip < 15.0
    assert plane.counts().get("dropped_rtcp", 0) == 0


async def test_a_phone_that_muxes_is_reported_to_by_the_port_of_its_audio() -> None:
    async with running(MediaRunner) as (plane, port, _):
        with UdpPhone() as phone:
            plane.command(OpenLeg(1, 0, Law.PCMU, 101, phone.address, ("127.0.0.1",), rtcp_mux=True))
            assert await _first_report(phone.audio) == port
            assert told(phone) == []


async def test_where_the_odd_port_is_not_ours_reports_leave_by_the_other() -> None:
    with UdpPhone() as taken:
        _, port = taken.address
        taken.audio.close()
        bound = bound_sockets("127.0.0.1", [port])
        plane = MediaRunner(bound, capacity=4, thresholds=Thresholds(), rtcp=rtcp_sockets(bound))
        try:
            await plane.start()
            assert plane.counts()["rtcp_port_taken"] == 1
            with UdpPhone() as phone:
                plane.command(OpenLeg(1, 0, Law.PCMU, 101, phone.address, ("127.0.0.1",)))
                assert await _first_report(phone.reports) == port
        finally:
            await plane.close()


@pytest.mark.parametrize("batches", [True, False])
def test_packets_of_all_lengths_and_ports_come_and_go_as_they_are(
    batches: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mmsg, "HAS_BATCHES", batches and mmsg.HAS_BATCHES)
    ours, theirs = (MediaSockets(bound_sockets("127.0.0.1", [0] * 3)) for _ in range(2))
    try:
        number = 1300
        ports, sizes = np.arange(number) % 3, 20 + np.arange(number) % 150
        packets = np.random.default_rng(4).integers(0, 256, (number, 180), np.uint8)
        targets = np.array([source_key(("127.0.0.1", theirs.ports[2 - port])) for port in ports], np.uint64)
        ours.send(Batch(ports, packets, sizes, targets))
        came = {
            (int(port), block[:length].tobytes(), int(source))
            for arrivals in theirs.receive()
            for port, block, length, source in zip(*arrivals, strict=True)
        }
        assert came == {
            (2 - int(port), packet[:size].tobytes(), source_key(("127.0.0.1", ours.ports[port])))
            for port, packet, size in zip(ports, packets, sizes, strict=True)
        }
        assert list(theirs.receive()) == []
        assert set(ours.counts().values()) | set(theirs.counts().values()) == {0}
    finally:
        ours.close()
        theirs.close()


def test_a_destination_that_cannot_be_costs_no_other_packet_its_way() -> None:
    ours, theirs = (MediaSockets([bound_socket("127.0.0.1", 0)]) for _ in range(2))
    try:
        good = source_key(("127.0.0.1", theirs.ports[0]))
        targets = np.array([good, source_key(("0.0.0.0", 0)), good], np.uint64)
        ours.send(Batch(np.zeros(3, np.int64), np.eye(3, dtype=np.uint8), np.full(3, 3), targets))
        (arrivals,) = theirs.receive()
        assert arrivals.block[:, :3].tolist() == [[1, 0, 0], [0, 0, 1]]
        assert ours.counts()["unsent"] == 1
    finally:
        ours.close()
        theirs.close()


def test_what_finds_the_buffer_full_is_counted() -> None:
    bound = bound_socket("127.0.0.1", 0)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ours = MediaSockets([bound])
    try:
        with UdpPhone() as phone:
            for _ in range(100):
                phone.say(1, ours.ports[0])
        came = sum(len(arrivals.block) for arrivals in ours.receive())
        assert 0 < came < 100
        assert ours.counts()["dropped_buffer_full"] == 100 - came
    finally:
        ours.close()


def _counted(plane: Plane, name: str, number: int) -> Callable[[], bool]:
    return lambda: plane.counts().get(name, 0) >= number


async def _first_report(at: socket.socket) -> int:
    """The port from which the first report came to a socket of the phone's."""
    sources: list[int] = []

    def came() -> bool:
        try:
            while True:
                data, source = at.recvfrom(2048)
                if data[1] in (rtcp.SR, rtcp.RR):
                    sources.append(source[1])
        except BlockingIOError:
            return sources != []

    await until(came)
    return sources[0]


@pytest.mark.parametrize("batches", [True, False])
def test_a_datagram_that_is_cut_off_is_dropped_and_counted(
    batches: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mmsg, "HAS_BATCHES", batches and mmsg.HAS_BATCHES)
    sockets = MediaSockets([bound_socket("127.0.0.1", 0)])
    try:
        [port] = sockets.ports
        whole, longest = packet(bytes(1600)), packet(bytes(SLOT - 12))
        with UdpPhone() as phone:
            for data in (whole, longest, longest + b"x", packet(bytes(3000)), whole):
                phone.audio.sendto(data, ("127.0.0.1", port))
        came = [row[:length].tobytes() for one in sockets.receive() for row, length in rows(one)]
        assert came == [whole, longest, whole]
        assert sockets.counts()["dropped_truncated"] == 2
    finally:
        sockets.close()


def rows(came: Arrivals) -> list[tuple[NDArray[np.uint8], int]]:
    return [*zip(came.block, came.lengths.tolist(), strict=True)]
