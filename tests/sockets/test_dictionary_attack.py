"""Two thousand guesses by SIP and two thousand at a page, while the PBX's calls go on."""

import asyncio
import hashlib
import json
import re
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.support.bare_caller import BareCaller, caller_at
from tests.support.fail2ban import banned
from tests.support.run_service import Run, callflow_run, free_ports

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]

PBX, THIEF, HOME = "127.0.0.1", "127.0.0.2", "127.0.0.3"
AT_ONCE = 50
PASSWORD, PAGE = "open sesame", "of the page"
CONFIG = """\
callflow-config: 1
sip:
  listen: 127.0.0.1:{sip}
  allow: [127.0.0.1/32, 127.0.0.0/8]
  accounts:
    p8001: {{password: '{password}'}}
media: {{ports: {rtp}-{rtp_end}}}
http: {{listen: '127.0.0.1:{http}'}}
flow: service.yaml
seats:
  at:
    '8001': {{phone: p8001, password: '{page}'}}
  queues:
    service: {{}}
drain: 0s
"""


def configuration(folder: Path) -> str:
    first = free_ports(36)
    ports = {"rtp": first, "rtp_end": first + 31, "sip": first + 32, "http": first + 34}
    path = folder / "callflow.yaml"
    path.write_text(CONFIG.format(**ports, password=PASSWORD, page=PAGE), encoding="utf-8")
    return str(path)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def register(caller: BareCaller, number: int, nonce: str = "", password: str = "") -> bytes:
    proof = ""
    if nonce:
        response = md5(f"{md5(f'p8001:callflow:{password}')}:{nonce}:{md5('REGISTER:sip:x')}")
        proof = (
            f'Authorization: Digest username="p8001", realm="callflow", nonce="{nonce}", uri="sip:x", '
            f'response="{response}"\r\n'
        )
    return (
        "REGISTER sip:x SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {caller.host};rport;branch=z9hG4bK{caller.host}-{number}\r\n"
        f"From: <sip:p8001@x>;tag=1\r\nTo: <sip:p8001@x>\r\nCall-ID: {caller.host}\r\n"
        f"CSeq: {number} REGISTER\r\nContact: <sip:p8001@{caller.host}:5099>\r\n"
        f"{proof}Content-Length: 0\r\n\r\n"
    ).encode()


async def nonce_for(caller: BareCaller, number: int) -> str:
    await caller.sends(register(caller, number))
    found = re.search(r'nonce="(.*?)"', await caller.receives())
    assert found
    return found[1]


async def guesses_by_sip(thief: BareCaller, guesses: int) -> Counter[str]:
    """As fast as they are answered; the answers by their statuses."""
    answers, nonce = Counter[str](), await nonce_for(thief, 1)
    for begun in range(0, guesses, AT_ONCE):
        for number in range(begun, begun + AT_ONCE):
            await thief.sends(register(thief, number + 2, nonce, f"guess {number}"))
        for _ in range(AT_ONCE):
            answer = await thief.receives()
            status = answer.split()[1]
            assert (status == "503") == ("\r\nRetry-After: " in answer)
            answers[status] += 1
    return answers


async def guesses_at_the_page(run: Run, host: str, guesses: int) -> Counter[int]:
    answers = Counter[int]()
    connector = aiohttp.TCPConnector(limit=AT_ONCE, local_addr=(host, 0))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{run.http[1]}", connector=connector) as client:

        async def guess(number: int) -> None:
            form = {"seat": "8001", "password": f"guess {number}"}
            async with client.post("/seat/login", data=form) as answer:
                assert (answer.status == 429) == ("Retry-After" in answer.headers)
                answers[answer.status] += 1

        for begun in range(0, guesses, AT_ONCE):
            await asyncio.gather(*(guess(number) for number in range(begun, begun + AT_ONCE)))
    return answers


async def calls_of_the_pbx(pbx: BareCaller, over: asyncio.Event) -> list[str]:
    """The statuses of calls that are begun one after the other until the attack is over; 10 at least."""
    statuses: list[str] = []
    while not over.is_set() or len(statuses) < 10:
        statuses.append((await pbx.invites()).split()[1])
        await asyncio.sleep(0.1)
    return statuses


@pytest.mark.parametrize(("host", "guesses"), [(THIEF, 2000), (PBX, 500)])
async def test_a_dictionary_attack_is_slowed_counted_and_told_and_disturbs_no_call(
    host: str, guesses: int, tmp_path: Path
) -> None:
    async with (
        asyncio.timeout(180),
        callflow_run(configuration(tmp_path)) as run,
        caller_at(run.sip, PBX) as pbx,
        caller_at(run.sip, host) as thief,
        caller_at(run.sip, HOME) as home,
    ):
        over, begun = asyncio.Event(), time.monotonic()
        calling = asyncio.create_task(calls_of_the_pbx(pbx, over))
        by_sip = await guesses_by_sip(thief, guesses)
        at_page = await guesses_at_the_page(run, host, guesses)
        seconds = time.monotonic() - begun
        over.set()
        statuses = await calling
        # A pause that grows leaves some ten judgements for the first minute.
        assert set(by_sip) == {"401", "503"}
        assert by_sip["401"] <= 6 + seconds
        assert set(at_page) <= {403, 429}
        assert at_page[403] <= 6 + seconds
        assert await run.metric('callflow_wrong_passwords_total{at="sip"}') == guesses
        assert await run.metric('callflow_wrong_passwords_total{at="web"}') == guesses
        assert set(statuses) == {"200"}
        # Who has not guessed gets in at once, at the phone and at the page.
        await home.sends(register(home, 2, await nonce_for(home, 1), PASSWORD))
        assert (await home.receives()).startswith("SIP/2.0 200 ")
        connector = aiohttp.TCPConnector(local_addr=(HOME, 0))
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{run.http[1]}", connector=connector) as client,
            client.post("/seat/login", data={"seat": "8001", "password": PAGE}) as answer,
        ):
            assert answer.status == 200
    failed = run.told("auth.failed")
    assert {(line["source"], line["kind"]) for line in failed} == {(host, "sip"), (host, "web")}
    # A line a second of each kind, and the refusals beside it.
    assert 2 <= len(failed) <= 2 * (seconds + 5)
    assert len([line for line in run.log if line["level"] == "warning"]) <= 4 * (seconds + 5)
    assert sum(line.get("repeated", 0) for line in failed) > guesses
    for line in run.log:
        assert banned(json.dumps(line)) == (host if line["event"] == "auth.failed" else None)
