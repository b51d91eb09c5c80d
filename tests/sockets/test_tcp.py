"""SIP over TCP, against bare sockets that do what peers do, and what they should not."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from callflow.net import tcp_connection, transports
from callflow.net.tcp import TcpTransport
from callflow.net.tcp_connection import Limits
from callflow.net.transports import Transports
from callflow.sip.address import Address, AllowList
from tests.support.descriptors import few_descriptors

pytestmark = pytest.mark.sockets

HOST = "127.0.0.1"
GARBAGE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def message(body: bytes) -> bytes:
    return b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body


ONE, TWO = message(b"one"), message(b"two")


class Core:
    """What the transport tells the SIP core, in order."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()
        self.failed: asyncio.Queue[Address] = asyncio.Queue()

    async def messages(self, count: int) -> list[bytes]:
        return [(await self.received.get())[0] for _ in range(count)]


@asynccontextmanager
async def transport(
    core: Core, limits: Limits | None = None, allowed: str = "127.0.0.0/8"
) -> AsyncIterator[TcpTransport]:
    tcp = TcpTransport(
        (HOST, 0),
        lambda data, source: core.received.put_nowait((data, source)),
        core.failed.put_nowait,
        AllowList([allowed]),
        limits,
    )
    await tcp.start()
    try:
        async with asyncio.timeout(5):
            yield tcp
    finally:
        await tcp.close()


class Peer:
    """A listening peer; each connection to it is one entry."""

    def __init__(self) -> None:
        self.connections: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.address: Address = (HOST, 0)


@asynccontextmanager
async def listening_peer() -> AsyncIterator[Peer]:
    peer = Peer()
    writers = []

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        peer.connections.put_nowait((reader, writer))

    server = await asyncio.start_server(came, HOST, 0)
    peer.address = server.sockets[0].getsockname()
    try:
        yield peer
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


@asynccontextmanager
async def dialled(tcp: TcpTransport) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*tcp.address)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that came until the connection was closed on us."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def unused_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
        return port


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")


async def test_two_messages_go_by_one_connection_and_the_answer_comes_back_by_it() -> None:
    core = Core()
    async with transport(core) as tcp, listening_peer() as peer:
        tcp.send(ONE, peer.address)
        tcp.send(TWO, peer.address)
        reader, writer = await peer.connections.get()
        assert await reader.readexactly(len(ONE + TWO)) == ONE + TWO
        tcp.send(ONE, peer.address)
        assert await reader.readexactly(len(ONE)) == ONE
        writer.write(TWO)
        assert await core.received.get() == (TWO, peer.address)
        assert peer.connections.empty()
        assert tcp.counts["dialled"] == len(tcp) == 1


async def test_who_dialled_us_is_answered_by_its_own_connection() -> None:
    core = Core()
    async with transport(core) as tcp, dialled(tcp) as (reader, writer):
        writer.write(ONE)
        data, source = await core.received.get()
        assert (data, source) == (ONE, writer.get_extra_info("sockname"))
        tcp.send(TWO, source)
        assert await reader.readexactly(len(TWO)) == TWO
        assert tcp.counts["dialled"] == 0


async def test_a_message_in_segments_of_one_byte_is_one_message() -> None:
    core = Core()
    async with transport(core) as tcp, dialled(tcp) as (_, writer):
        for i in range(len(ONE)):
            writer.write(ONE[i : i + 1])
            await asyncio.sleep(0)
        assert await core.messages(1) == [ONE]


async def test_two_messages_in_one_segment_are_two() -> None:
    core = Core()
    async with transport(core) as tcp, dialled(tcp) as (_, writer):
        writer.write(ONE + b"\r\n" + TWO)
        assert await core.messages(2) == [ONE, TWO]


async def test_a_thousand_messages_at_once_leave_turns_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """All come, in order, and never more than the allowed number in one round of the loop."""
    monkeypatch.setattr(tcp_connection, "_AT_ONCE", 10)
    core = Core()
    rounds: list[int] = []

    def count() -> None:
        rounds.append(core.received.qsize())
        if rounds[-1] < 1000:
            asyncio.get_running_loop().call_soon(count)

    async with transport(core) as tcp, dialled(tcp) as (_, writer):
        sent = [message(b"%d" % n) for n in range(1000)]
        count()
        writer.write(b"".join(sent))
        await writer.drain()
        await until(lambda: rounds[-1] == 1000)
        assert await core.messages(1000) == sent
    assert max(after - before for before, after in pairwise(rounds)) <= 10


async def test_after_the_peer_has_closed_the_next_message_opens_anew() -> None:
    core = Core()
    async with transport(core) as tcp, listening_peer() as peer:
        tcp.send(ONE, peer.address)
        reader, writer = await peer.connections.get()
        await reader.readexactly(len(ONE))
        writer.write(TWO)
        writer.close()
        assert await core.messages(1) == [TWO]
        await until(lambda: tcp.counts["left"] == 1)
        tcp.send(TWO, peer.address)
        reader, _ = await peer.connections.get()
        assert await reader.readexactly(len(TWO)) == TWO
        assert core.failed.empty()
        assert tcp.counts["dialled"] == 2


async def test_a_refused_connection_is_told_once_however_much_waited_for_it() -> None:
    core = Core()
    nobody = (HOST, unused_port())
    async with transport(core) as tcp:
        for _ in range(3):
            tcp.send(ONE, nobody)
        assert await core.failed.get() == nobody
        await asyncio.sleep(0)
        assert core.failed.empty()
        assert (tcp.counts["failed"], tcp.counts["unsent"], len(tcp)) == (1, 3, 0)
        tcp.send(ONE, nobody)
        assert await core.failed.get() == nobody


async def test_a_failure_is_never_told_from_within_send() -> None:
    core = Core()
    async with transport(core, Limits(connections=0)) as tcp:
        for destination in ((HOST, 0), ("0.0.0.0", 5060), (HOST, 5060)):
            tcp.send(ONE, destination)
            assert core.failed.empty()
            assert await core.failed.get() == destination
        assert tcp.counts["unsent"] == 3


async def test_only_so_many_messages_wait_for_a_connection() -> None:
    core = Core()
    async with transport(core, Limits(waiting=2)) as tcp, listening_peer() as peer:
        for _ in range(5):
            tcp.send(ONE, peer.address)
        assert tcp.counts["unsent"] == 3
        reader, _ = await peer.connections.get()
        assert await reader.readexactly(2 * len(ONE)) == ONE + ONE


async def test_a_connection_that_is_never_answered_is_given_up() -> None:
    """A full backlog keeps who dials waiting, as a host behind a firewall does."""
    core = Core()
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind((HOST, 0))
        deaf.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        async with transport(core, Limits(opening=0.05)) as tcp:
            tcp.send(ONE, deaf.getsockname())
            assert await core.failed.get() == deaf.getsockname()
            assert tcp.counts["unsent"] == 1


async def test_garbage_ends_its_own_connection_and_no_other() -> None:
    core = Core()
    async with transport(core) as tcp, dialled(tcp) as good, dialled(tcp) as bad:
        good[1].write(ONE[:20])
        bad[1].write(TWO + GARBAGE + TWO)
        assert await ended(bad[0]) == b""
        good[1].write(ONE[20:])
        assert await core.messages(2) == [TWO, ONE]
        assert core.received.empty()
        assert tcp.counts["broken"] == len(tcp) == 1


async def test_who_does_not_read_is_cut_off() -> None:
    core = Core()
    large = message(b"x" * 30_000)
    async with transport(core) as tcp, listening_peer() as peer:
        tcp.send(ONE, peer.address)
        reader, _ = await peer.connections.get()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(2_000):
            if tcp.counts["unsent"]:
                break
            tcp.send(large, peer.address)
        # The old connection is closing, and must not be taken for one that could still carry something.
        tcp.send(TWO, peer.address)
        reader, _ = await peer.connections.get()
        assert await reader.readexactly(len(TWO)) == TWO
        assert await core.failed.get() == peer.address
        assert (tcp.counts["slow"], tcp.counts["unsent"], len(tcp)) == (1, 1, 1)


async def test_a_connection_that_breaks_is_told() -> None:
    core = Core()
    async with transport(core) as tcp, listening_peer() as peer:
        tcp.send(ONE, peer.address)
        reader, writer = await peer.connections.get()
        await reader.readexactly(len(ONE))
        at_once = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        writer.transport.abort()
        assert await core.failed.get() == peer.address
        assert (tcp.counts["lost"], len(tcp)) == (1, 0)


async def test_a_peer_that_dials_from_where_it_listens_has_one_connection() -> None:
    core = Core()
    with socket.socket() as listening, socket.socket() as dialling:
        for shared in (listening, dialling):
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((HOST, 0))
        listening.listen()
        peer = listening.getsockname()
        dialling.bind(peer)
        dialling.settimeout(2)
        async with transport(core) as tcp:
            tcp.send(ONE, peer)
            await until(lambda: tcp.counts["dialled"] == 1)
            dialling.connect(tcp.address)
            dialling.sendall(TWO)
            assert await core.messages(1) == [TWO]
            tcp.send(ONE, peer)
            assert dialling.recv(100) == ONE
            await until(lambda: tcp.counts["replaced"] == 1)
            assert len(tcp) == 1


async def test_nothing_is_held_back_and_no_vanished_peer_is_waited_for() -> None:
    core = Core()
    async with transport(core) as tcp, dialled(tcp) as (_, writer):
        writer.write(ONE)
        await core.messages(1)
        (connection,) = tcp._connections.values()
        assert connection._transport is not None
        ours = connection._transport.get_extra_info("socket")
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 32_000


async def test_pings_are_answered_and_are_no_messages() -> None:
    core = Core()
    async with transport(core) as tcp, dialled(tcp) as (reader, writer):
        writer.write(b"\r\n\r\n" + ONE + b"\r\n\r\n")
        assert await reader.readexactly(4) == b"\r\n\r\n"
        assert await core.messages(1) == [ONE]
        assert core.received.empty()
        assert tcp.counts["pings"] == 2


@pytest.mark.parametrize("said", [b"", b"\r\n\r\n", ONE[:-1]])
async def test_who_is_accepted_must_soon_say_something_whole(said: bytes) -> None:
    core = Core()
    async with transport(core, Limits(first_message=0.1)) as tcp, dialled(tcp) as (reader, writer):
        writer.write(said)
        await ended(reader)
        assert tcp.counts["silent"] == 1


async def test_who_has_spoken_may_be_silent_until_it_is_idle() -> None:
    core = Core()
    loop = asyncio.get_running_loop()
    async with transport(core, Limits(first_message=0.05, idle=0.3)) as tcp, dialled(tcp) as (reader, writer):
        writer.write(ONE)
        await core.messages(1)
        await asyncio.sleep(0.2)
        assert len(tcp) == 1
        writer.write(TWO)
        await core.messages(1)
        spoken_at = loop.time()
        await ended(reader)
        assert loop.time() - spoken_at >= 0.25
        assert (tcp.counts["idle"], tcp.counts["silent"]) == (1, 0)


async def test_a_connection_that_is_kept_outlives_its_idleness_and_its_end_is_told() -> None:
    core, closed = Core(), list[Address]()
    async with transport(core, Limits(first_message=0.1, idle=0.1)) as tcp, dialled(tcp) as (reader, writer):
        asked = list[Address]()

        def keeps(peer: Address) -> bool:
            asked.append(peer)
            return len(asked) < 3

        tcp.keeps = keeps
        tcp.on_closed = closed.append
        ours = writer.get_extra_info("sockname")
        writer.write(ONE)
        await core.messages(1)
        await ended(reader)
        await until(lambda: closed == [ours])
        assert (asked, tcp.counts["idle"]) == ([ours] * 3, 1)


async def test_no_more_connections_than_allowed() -> None:
    core = Core()
    async with transport(core, Limits(connections=1)) as tcp, dialled(tcp) as (_, writer):
        writer.write(ONE)
        await core.messages(1)
        async with dialled(tcp) as (reader, _):
            assert await ended(reader) == b""
        writer.write(TWO)
        assert await core.messages(1) == [TWO]
        assert tcp.counts["too_many"] == 1


async def test_who_is_not_allowed_is_not_heard() -> None:
    core = Core()
    async with transport(core, allowed="10.0.0.0/8") as tcp, dialled(tcp) as (reader, writer):
        writer.write(ONE)
        await ended(reader)
        assert core.received.empty()
        assert (tcp.counts["refused"], tcp.counts["accepted"], len(tcp)) == (1, 0, 0)


async def test_nothing_is_left_after_close() -> None:
    core = Core()
    before = asyncio.all_tasks()
    async with listening_peer() as peer:
        async with transport(core) as tcp, dialled(tcp) as (reader, writer):
            writer.write(ONE)
            await core.messages(1)
            tcp.send(ONE, peer.address)
            await peer.connections.get()
            for _ in range(3):
                tcp.send(ONE, (HOST, unused_port()))
            port = tcp.address
            await tcp.close()
            assert (len(tcp), asyncio.all_tasks() - before) == (0, set())
            await ended(reader)
            tcp.send(ONE, peer.address)
            assert tcp.counts["unsent"] >= 4
            assert core.failed.empty()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*port)


async def test_an_address_that_is_taken_is_told_at_once() -> None:
    core = Core()
    async with transport(core) as tcp:
        with pytest.raises(OSError, match="in use"):
            TcpTransport(
                tcp.address, lambda data, source: None, core.failed.put_nowait, AllowList(["127.0.0.0/8"])
            )


async def test_any_port_is_one_that_is_free_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Address] = []

    class Taken(TcpTransport):
        def __init__(self, address: Address, *others: Any) -> None:
            tried.append(address)
            if len(tried) < 3:
                raise OSError(98, "taken")
            super().__init__(address, *others)

    monkeypatch.setattr(transports, "TcpTransport", Taken)

    def both(address: Address) -> Transports:
        nothing = AllowList(["127.0.0.0/8"])
        return Transports(address, lambda *told: None, lambda *told: None, nothing, tcp=True)

    wire = both((HOST, 0))
    assert (len({*tried}), wire.address) == (3, tried[-1])
    await wire.close()
    # A port that was asked for is that one or none.
    tried.clear()
    with pytest.raises(OSError, match="taken"):
        both((HOST, unused_port()))
    assert len(tried) == 1


async def test_without_descriptors_it_is_told_once_and_tried_again_after_a_while() -> None:
    core, faults = Core(), list[str]()
    async with transport(core) as tcp:
        tcp.on_fault = faults.append
        with socket.socket() as waiting, socket.socket() as another:
            with few_descriptors(0):
                for one in (waiting, another):
                    one.connect(tcp.address)
                await until(lambda: faults != [])
                # What was tried hundreds of times a second would show.
                await asyncio.sleep(0.5)
                assert faults == ["accept_emfile"]
            waiting.sendall(ONE)
            assert await core.messages(1) == [ONE]


async def test_the_last_descriptors_are_kept_back() -> None:
    core = Core()
    async with transport(core) as tcp, AsyncExitStack() as stack:
        peers = [stack.enter_context(socket.socket()) for _ in range(60)]
        with few_descriptors(60):
            for peer in peers:
                peer.connect(tcp.address)
            await until(lambda: tcp.counts["accepted"] + tcp.counts["too_many"] == 60)
            assert tcp.counts["too_many"] > 20
            for left in socket.socketpair():
                left.close()


async def test_who_says_nothing_gives_way_to_who_comes() -> None:
    core = Core()
    async with transport(core, Limits(connections=2, gives_way=0.05)) as tcp, AsyncExitStack() as stack:
        spoken, silent = [stack.enter_context(socket.socket()) for _ in range(2)]
        spoken.connect(tcp.address)
        spoken.sendall(ONE)
        assert await core.messages(1) == [ONE]
        silent.connect(tcp.address)
        await until(lambda: len(tcp) == 2)
        await asyncio.sleep(0.1)
        async with dialled(tcp) as (_, writer):
            writer.write(TWO)
            assert await core.messages(1) == [TWO]
            assert silent.recv(1) == b""
            spoken.sendall(ONE)
            assert await core.messages(1) == [ONE]
