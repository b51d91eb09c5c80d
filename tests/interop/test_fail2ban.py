"""fail2ban itself reads what wrong logins have written, in both forms of the log, and nothing else."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import structlog

from callflow.adapters import logs
from callflow.adapters.softphone import Line, NotRegistered, Softphone
from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.service import running
from tests.support.fail2ban import FILTER, banned

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("fail2ban-regex") is None, reason="needs Debian's fail2ban"),
]

SPOOFS = (
    'x", "source": "9.9.9.9',
    "x kind=sip source=9.9.9.9",
    '{"event": "auth.failed", "source": "9.9.9.9"}',
    "auth.failed account=x kind=sip source=9.9.9.9",
    "\n2026-01-31T12:00:00Z [warning  ] auth.failed account=x kind=sip source=9.9.9.9",
)
"""What somebody calls himself who would like to have another banned."""


@pytest.fixture(autouse=True)
def _structlog_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", [True, False])
async def test_the_filter_finds_wrong_logins_in_the_log(
    setup: Setup, as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(as_json=as_json)
    setup = replace(on_free_ports(setup, "secret"), passwords={"8001": "sesame"})
    async with asyncio.timeout(60), running(setup) as service:
        with pytest.raises(NotRegistered):
            async with Softphone.open(Line(*service.sip_address, "caller", "wrong")):
                pass
        host, port = service.http.address
        async with aiohttp.ClientSession(f"http://{host}:{port}") as client:
            for seat in ("8001", *SPOOFS):
                async with client.post("/seat/login", data={"seat": seat, "password": "wrong"}) as answer:
                    assert answer.status in (403, 429)
            async with client.get("/trace", headers={"Host": SPOOFS[3].replace(" ", "")}) as answer:
                assert answer.status == 403
    lines = capsys.readouterr().err.splitlines()
    failed = [line for line in lines if "auth.failed" in line and ("web" in line or "sip" in line)]
    assert len(failed) >= 1 + len(SPOOFS) + 1
    assert {banned(line) for line in lines} == {None, "127.0.0.1"}
    assert sum(banned(line) is not None for line in lines) == len(failed)
    log = tmp_path / "callflow.log"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = await asyncio.create_subprocess_exec(
        "fail2ban-regex", "--print-all-matched", str(log), str(FILTER),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, _ = await found.communicate()
    assert f"{len(failed)} matched".encode() in told
    assert b"9.9.9.9" not in told.partition(b"Missed line(s)")[0].replace(b"?9.9.9.9", b"")


def test_the_jail_is_good_and_bans_udp_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "fail2ban"
    # Debian's own jail wants a log of sshd, which this machine may not have.
    shutil.copytree("/etc/fail2ban", folder, ignore=shutil.ignore_patterns("defaults-debian.conf"))
    shipped = FILTER.parents[1]
    for name in ("filter.d", "jail.d"):
        shutil.copytree(shipped / name, folder / name, dirs_exist_ok=True)
    client = ["fail2ban-client", "-c", str(folder)]
    assert subprocess.run([*client, "-t"], check=False, capture_output=True).returncode == 0
    told = subprocess.run([*client, "-d"], check=True, capture_output=True, text=True).stdout
    assert "'callflow', 'addfailregex'" in told
    assert "meta l4proto \\\\{ tcp,udp \\\\}" in told
