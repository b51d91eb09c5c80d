"""Nobody reads the log any more: no call waits for that, and what it said can be read when somebody does."""

import os
import signal
from pathlib import Path

import pytest

from tests.faults.office import Size, forms, office
from tests.faults.test_media_process import another_than
from tests.sockets.test_log_writer import Reader, filled

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]


@forms("seconds", 3.0, 70.0)
async def test_a_standard_error_that_nobody_reads(tmp_path: Path, seconds: float, size: Size) -> None:
    reading, writing = os.pipe()
    filled(writing)
    with os.fdopen(writing, "wb", buffering=0) as unread:
        async with office(tmp_path, stderr=unread, size=size) as at_work:
            await at_work.go_on(seconds)
            [pid] = at_work.run.children()
            os.kill(pid, signal.SIGKILL)
            await another_than(at_work, pid)
            await at_work.all_hear()
            at_work.nobody_was_cut_off()
            at_work.nobody_is_in_silence()
            assert await at_work.run.metric("callflow_log_dropped_total") == 0
            at_work.run.signal(signal.SIGHUP)
            reader = Reader(reading)
            await at_work.run.until(lambda: b"signal.ignored" in reader.data)
    told = reader.end()
    os.close(reading)
    assert told.count(b'"event": "call.joined"') == sum(size)
    assert b'"kind": "media_process_died"' in told
