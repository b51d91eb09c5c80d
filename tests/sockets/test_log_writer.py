"""The log never waits for who reads it, and says what it could not write."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from callflow.adapters import logs
from callflow.adapters.log_capture import captured, loop_broke
from callflow.adapters.log_repeats import Repeats
from callflow.adapters.log_writer import LONGEST_LINE, LogWriter
from tests.support.udp_phone import until

pytestmark = pytest.mark.sockets

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        try:
            os.close(end)
        except OSError:
            # The test has closed it.
            continue


def filled(writing: int) -> None:
    """Leave no room in the pipe."""
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)


class Reader:
    """Reads a pipe in a thread until its other end is closed."""

    def __init__(self, reading: int) -> None:
        self.data = b""
        self._reading = reading
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while data := os.read(self._reading, 65536):
            self.data += data

    def end(self) -> bytes:
        self._thread.join(10)
        return self.data


def test_lines_are_written_in_order_and_at_the_end_all_of_them(pipe: Pipe) -> None:
    writer = LogWriter(pipe[1])
    for number in range(500):
        writer.write(f"line {number}\n")
    writer.close()
    os.close(pipe[1])
    assert Reader(pipe[0]).end().decode().splitlines() == [f"line {number}" for number in range(500)]
    assert writer.dropped == 0


async def test_a_pipe_that_nobody_reads_costs_lines_and_they_are_told_when_writing_goes_on(
    pipe: Pipe,
) -> None:
    filled(pipe[1])
    writer = LogWriter(pipe[1], lines=10)
    for number in range(100):
        writer.write(f"line {number}\n")
    assert 88 <= writer.dropped <= 90
    reader = Reader(pipe[0])
    await until(lambda: b"log.dropped" in reader.data)
    writer.write("after\n")
    dropped = writer.dropped
    writer.close()
    os.close(pipe[1])
    lines = reader.end().lstrip(b"x").decode().splitlines()
    assert lines[0] == "line 0"
    assert lines[-1] == "after"
    assert f"log.dropped lines={dropped}" in lines


def test_what_waits_is_bounded_in_bytes_too(pipe: Pipe) -> None:
    filled(pipe[1])
    writer = LogWriter(pipe[1], size=100_000)
    for _ in range(100):
        writer.write("x" * 9_999 + "\n")
    assert 88 <= writer.dropped <= 90
    writer.close(within=0.0)


def test_a_log_that_is_blocked_for_ever_does_not_hold_up_the_end(pipe: Pipe) -> None:
    filled(pipe[1])
    writer = LogWriter(pipe[1])
    writer.write("never read\n")
    writer.close(within=0.1)
    assert writer.dropped == 0


@pytest.mark.parametrize("how", ["the reader is gone", "the disk is full"])
async def test_what_cannot_be_written_is_counted_and_nothing_more(pipe: Pipe, how: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    os.close(pipe[0])
    writer = LogWriter(full if how == "the disk is full" else pipe[1])
    for _ in range(3):
        writer.write("line\n")
    await until(lambda: writer.dropped == 3)
    writer.close()
    assert writer.dropped == 3
    os.close(full)


async def test_a_fault_in_what_is_to_be_told_costs_no_other_line(pipe: Pipe) -> None:
    reader = Reader(pipe[0])
    writer = LogWriter(pipe[1])

    def broken() -> None:
        raise ValueError("planted")

    writer.on_look = broken
    await until(lambda: writer.dropped > 0)
    writer.write("after\n")
    writer.close()
    os.close(pipe[1])
    assert reader.end().splitlines()[0] == b"after"


def test_a_line_that_is_far_too_long_is_cut(pipe: Pipe) -> None:
    reader = Reader(pipe[0])
    writer = LogWriter(pipe[1])
    writer.write("x" * (LONGEST_LINE * 2) + "\n")
    writer.close()
    os.close(pipe[1])
    assert len(reader.end()) == LONGEST_LINE
    assert reader.data.endswith(b"x\n")


def test_a_pipe_that_does_not_block_loses_nothing_either(pipe: Pipe) -> None:
    os.set_blocking(pipe[1], False)
    writer = LogWriter(pipe[1])
    for number in range(3_000):
        writer.write(f"line {number} {'x' * 100}\n")
    reader = Reader(pipe[0])
    writer.close(within=10)
    os.close(pipe[1])
    assert len(reader.end().splitlines()) == 3_000


# --- what goes through it ---


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines of a log that ends when it is asked for them."""
    with captured():
        unblocking = logs.unblocking(as_json=True)
        unblocking.__enter__()
        ended: list[bool] = []

        def lines() -> list[dict[str, Any]]:
            ended.append(True)
            unblocking.__exit__(None, None, None)
            return [json.loads(line) for line in capfd.readouterr().err.splitlines()]

        yield lines
        if not ended:
            unblocking.__exit__(None, None, None)
    structlog.reset_defaults()


def test_a_fault_that_repeats_is_told_once_a_second_with_its_count(
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    log = structlog.get_logger("callflow")
    for _ in range(40_000):
        log.error("accept.failed", error="EMFILE")
    log.error("accept.failed", error="ENOMEM")
    lines = logged()
    of_files = [line for line in lines if line["error"] == "EMFILE"]
    assert sum(1 + line.get("repeated", 0) for line in of_files) == 40_000
    assert len(of_files) < 60
    assert [line["error"] for line in lines].count("ENOMEM") == 1


async def test_what_python_writes_to_stderr_by_itself_goes_to_the_log(
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    def broken() -> None:
        raise OSError("planted")

    warnings.showwarning("planted", UserWarning, "file.py", 7)
    logging.getLogger("aiohttp.server").error("Error handling %s", "request\x1b[2J")
    thread = threading.Thread(target=broken, name="planted")
    thread.start()
    thread.join()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_broke)
    loop.call_soon(broken)
    await asyncio.sleep(0.01)
    told = {line["event"]: line for line in logged()}
    assert told["python.warning"]["text"] == "planted"
    assert told["library.log"]["text"] == "Error handling request\\x1b[2J"
    assert "OSError: planted" in told["fault"]["exception"]
    assert "OSError: planted" in told["loop.broke"]["exception"]


def test_facts_are_never_taken_for_repeats() -> None:
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    for _ in range(10):
        assert repeats(None, "info", {"event": "call.arrived"}) == {"event": "call.arrived"}
    assert repeats.due(now=True) == []


def test_a_repeated_fault_is_told_with_the_next_one_or_when_a_second_has_gone_by() -> None:
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    assert repeats(None, "error", {"event": "fault", "kind": "a"}) == {"event": "fault", "kind": "a"}
    for _ in range(5):
        with pytest.raises(structlog.DropEvent):
            repeats(None, "error", {"event": "fault", "kind": "a"})
    repeats(None, "error", {"event": "fault", "kind": "b"})
    assert repeats.due() == []
    now[0] = 1.0
    assert repeats(None, "error", {"event": "fault", "kind": "a"})["repeated"] == 5
    with pytest.raises(structlog.DropEvent):
        repeats(None, "error", {"event": "fault", "kind": "a"})
    now[0] = 2.0
    assert repeats.due() == [{"event": "fault", "kind": "a", "repeated": 0}]
    now[0] = 3.5
    assert repeats.due() == []
    assert "repeated" not in repeats(None, "error", {"event": "fault", "kind": "a"})


def test_what_is_told_at_an_interpreter_s_end_with_a_blocked_stderr_does_not_hold_it_up() -> None:
    code = (
        "import structlog\n"
        "from callflow.adapters import logs\n"
        "with logs.unblocking(as_json=True):\n"
        "    for _ in range(5000):\n"
        "        structlog.get_logger().info('x' * 100)\n"
        "print('over')\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"over\n"
        assert process.wait(20) == 0
