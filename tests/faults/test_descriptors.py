"""Two hundred connections where a process may have ninety descriptors: calls and restarts have theirs."""

import asyncio
import os
import signal
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.faults.office import Office, Size, forms, office
from tests.faults.test_media_process import another_than

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]


def connected(at_work: Office, stack: AsyncExitStack, count: int) -> list[socket.socket]:
    """Connections to the SIP port that say nothing."""
    made = [stack.enter_context(socket.create_connection(at_work.run.sip)) for _ in range(count)]
    for one in made:
        one.setblocking(False)
    return made


def has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@forms("seconds", 2.0, 60.0)
async def test_connections_take_no_descriptor_of_calls(tmp_path: Path, seconds: float, size: Size) -> None:
    journal = f"journal: {tmp_path / 'journal'}"
    async with office(tmp_path, journal, descriptors=90, size=size) as at_work, AsyncExitStack() as stack:
        made = await asyncio.to_thread(connected, at_work, stack, 200)
        await at_work.run.until(lambda: sum(has_ended(one) for one in made) > 150)
        [pid] = at_work.run.children()
        os.kill(pid, signal.SIGKILL)
        await another_than(at_work, pid)
        await at_work.all_hear()
        await at_work.go_on(seconds)
        at_work.nobody_was_cut_off()
        at_work.nobody_is_in_silence()
        assert await at_work.run.get("/readyz") == (200, "ready\n")
        counts = await at_work.run.metrics("callflow_sip_tcp")
        assert counts['callflow_sip_tcp_total{kind="too_many"}'] > 150
        assert await at_work.run.metric("callflow_journal_lost_total") == 0
        # A phone that has something to say finds room.
        reader, writer = await asyncio.open_connection(*at_work.run.sip)
        stack.callback(writer.transport.abort)
        await asyncio.sleep(1.5)
        writer.write(options(at_work))
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"SIP/2.0 200")
        await at_work.go_on_serving()
        # Whatever it had to tell, it told it once a second at most.
        assert len([line for line in at_work.run.log if line["level"] == "error"]) < 10 + seconds


def options(at_work: Office) -> bytes:
    host, port = at_work.run.sip
    return (
        f"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP {host}:5;branch=z9hG4bKx;rport\r\n"
        f"From: <sip:p@x>;tag=1\r\nTo: <sip:x>\r\nCall-ID: {port}\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()
