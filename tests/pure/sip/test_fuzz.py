"""Thousands of mutated datagrams, with good calls in between: nothing escapes, nothing stays, nothing grows.

CALLFLOW_FUZZ says how many; the seed is fixed, so that a failure comes again.
"""

import os
import random
import tracemalloc

import pytest

from callflow.errors import PeerError
from callflow.sip import message
from callflow.sip.happenings import Invited, Referred
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
    *("Refer-To: <sip:2@h?Replaces=fuzz-1%3Bto-tag%3Did1%3Bfrom-tag%3Dfrom-1>", "Referred-By: <sip:1@h>"),
    *("Refer-Sub: false", "Event: refer", "Replaces: fuzz-1;to-tag=id1;from-tag=from-1"),
]
WITHIN = [
    ("REFER", "Refer-To: <sip:2@h?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>", "Referred-By: <sip:1@h>"),
    ("REFER", "Refer-To: sip:2@h", "Refer-Sub: false"),
    ("SUBSCRIBE", "Event: refer", "Expires: 0"),
    ("SUBSCRIBE", "Event: refer;id=7", "Expires: 60"),
    ("NOTIFY", "Event: refer", "Subscription-State: active"),
    ("INFO", "Content-Type: application/dtmf"),
    ("UPDATE", "Session-Expires: 90"),
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
        "REFER",
        "SUBSCRIBE",
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
            # These two keep 256 values, of which fuzz makes long ones: it takes a while until they are full.
            message._called.cache_clear()
            message._requested.cache_clear()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(sizes) - sizes[0] < 200_000


def test_nothing_escapes_or_stays_within_calls() -> None:
    """Mutated REFERs and the like in a call that stands, and mutated answers to the NOTIFYs about them."""
    dice = random.Random(3515)
    phone = Phone()
    now, referred, notified = 0.0, 0, 0
    for number in range(DATAGRAMS // 4):
        now += 0.3
        if not phone.endpoint.calls.ids():
            phone = Phone(phone.endpoint, call_id=f"within-{number}")
            phone.talks(now)
        method, *fields = dice.choice(WITHIN)
        phone.says(mutated(dice, phone.request(method, *fields, cseq=number + 2)), now)
        for output in phone.outputs:
            if isinstance(output, Referred):
                referred += 1
                decided(dice, phone, now)
        phone.hears(phone.endpoint.tick(now))
        asked = [send.data for send in phone.sent if send.data.startswith(b"NOTIFY")]
        phone.sent.clear()
        notified += len(asked)
        for data in asked:
            phone.says(mutated(dice, answered(dice, data)), now)
        if dice.random() < 0.02:
            phone.hears(phone.endpoint.calls.hang_up(phone.session, "", now))
    assert min(referred, notified) > DATAGRAMS // 200
    for session in phone.endpoint.calls.ids():
        phone.endpoint.calls.hang_up(session, "", now)
    until(phone.endpoint, now + 70.0)
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}


def decided(dice: random.Random, phone: Phone, now: float) -> None:
    calls = phone.endpoint.calls
    if dice.random() < 0.7:
        phone.hears(calls.accept_referral(phone.session, now))
        phone.hears(calls.tell_referral(phone.session, 200, "OK", now, over=dice.random() < 0.5))
    elif dice.random() < 0.7:
        phone.hears(calls.refuse_referral(phone.session, PeerError(603, "Decline"), now))


def answered(dice: random.Random, request: bytes) -> bytes:
    _, _, rest = request.partition(b"\r\n")
    status = dice.choice([b"200 OK", b"200 OK", b"481 No", b"500 No", b"100 Trying", b"401 Prove"])
    return b"SIP/2.0 " + status + b"\r\n" + rest


def a_good_call(phone: Phone, now: float) -> None:
    phone.talks(now)
    assert phone.says(phone.request("BYE", cseq=2), now)[-1] == "Ended bye"
