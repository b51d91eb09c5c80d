"""Thousands of mutated datagrams, with good calls in between: nothing escapes, nothing stays, nothing grows.

CALLFLOW_FUZZ says how many; the seed is fixed, so that a failure comes again.
"""

import os
import random
import tracemalloc

import pytest

from callflow.sip.happenings import Invited
from tests.support.sip_phone import ANSWER, OFFER, THEM, Phone, new_endpoint, until

pytestmark = pytest.mark.pure

DATAGRAMS = int(os.environ.get("CALLFLOW_FUZZ", "4000"))
ROUND = 500
PIECES = [
    *(b"", b"\r\n", b"\r\n ", b"\r\n\r\n", b";", b",", b":", b"<", b">", b'"', b"=", b"\\", b"\0", b"\xff"),
    *(b" ", b"99999999999", b"-1", b"0", b"SIP/2.0", b"tel:", b"*", b"@", b"[", b"%00", b"z9hG4bK", b";tag="),
    *(
        b"Via: ",
        b"\r\nRequire: x",
        b"\r\nContent-Length: 5",
        b"\r\nRAck: 1 1 INVITE",
        b"\xc2\xb2",
        b"9" * 3000,
    ),
]
FIELDS = [
    *("Require: 100rel", "Supported: timer", "Session-Expires: 90", "Expires: 5"),
    *("Content-Type: application/dtmf", "Content-Type: multipart/mixed;boundary=b"),
    *("Diversion: <sip:1@h>", "P-Asserted-Identity: tel:1"),
]


def good(dice: random.Random, number: int) -> bytes:
    phone = Phone(call_id=f"fuzz-{dice.randrange(40)}", to_tag=dice.choice(["", "id1", "id7", "x"]))
    fields = dice.sample(FIELDS, dice.randrange(4))
    methods = [
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "REGISTER",
        "OPTIONS",
        "INFO",
        "UPDATE",
        "PRACK",
        "NOTIFY",
        "X",
    ]
    body = dice.choice([b"", OFFER, b"5", b"--b\r\nContent-Type: application/sdp\r\n\r\n" + OFFER + b"--b--"])
    return phone.request(dice.choice(methods), *fields, cseq=number, body=body)


def mutated(dice: random.Random, data: bytes) -> bytes:
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(data) + 1)
        data = data[:at] + dice.choice(PIECES) + data[at + dice.randrange(9) :]
    return data[: dice.randrange(len(data) + 1)] if dice.random() < 0.05 else data


def test_nothing_escapes_stays_or_grows() -> None:
    dice = random.Random(4475)
    endpoint = new_endpoint()
    now = 0.0
    sizes = []
    tracemalloc.start()
    for number in range(1, DATAGRAMS + 1):
        now += 0.01
        for output in endpoint.receive(mutated(dice, good(dice, number)), THEM, now):
            if isinstance(output, Invited) and dice.random() < 0.7:
                endpoint.calls.ring(output.session, now)
                endpoint.calls.answer(output.session, ANSWER, now)
        endpoint.tick(now)
        if number % ROUND == 0:
            a_good_call(Phone(endpoint, call_id=f"good-{number}"), now)
            for session in endpoint.calls.ids():
                endpoint.calls.hang_up(session, "", now)
            # Sessions whose BYE waits for an ACK take 32 s, and their BYE another 32 s.
            now += 70.0
            until(endpoint, now)
            assert endpoint.in_hand() == {"transactions": 0, "sessions": 0}
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(sizes) - sizes[0] < 200_000


def a_good_call(phone: Phone, now: float) -> None:
    phone.talks(now)
    assert phone.says(phone.request("BYE", cseq=2), now)[-1] == "Ended bye"
