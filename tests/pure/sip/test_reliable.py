"""180 that waits for its PRACK (RFC 3262), and INVITE that expires (RFC 3261 §13.3.1)."""

import pytest

from tests.support.sip_phone import ANSWER, OFFER, Phone, until

pytestmark = pytest.mark.pure

DOUBLING = [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
"""RFC 3262 §3: the interval doubles, and knows no T2."""


def ringing(*fields: str) -> Phone:
    phone = Phone()
    phone.says(phone.request("INVITE", *fields), 0.0)
    assert phone.hears(phone.endpoint.calls.ring(phone.session, 0.0)) == ["180 INVITE", "(response 1xx)"]
    return phone


def prack(phone: Phone, rack: str = "1 1 INVITE", cseq: int = 2, **more: bytes) -> bytes:
    return phone.request("PRACK", f"RAck: {rack}", cseq=cseq, **more)  # type: ignore[arg-type]


def test_the_180_is_repeated_until_its_prack() -> None:
    phone = ringing("Require: 100rel")
    assert (phone.response.headers.get("rseq"), phone.response.headers.get("require")) == ("1", "100rel")
    assert until(phone.endpoint, 1.5) == [(0.5, "180 INVITE"), (1.5, "180 INVITE")]
    assert phone.hears(phone.endpoint.calls.ring(phone.session, 1.6)) == []
    for rack in ("2 1 INVITE", "1 2 INVITE", "1 1 BYE", "x", ""):
        assert phone.says(prack(phone, rack, cseq=2 + phone.cseq), 1.7)[1] == "481 PRACK"
        phone.cseq += 1
    assert phone.says(prack(phone, cseq=20), 1.8) == ["(request PRACK)", "200 PRACK", "(response 2xx)"]
    assert until(phone.endpoint, 33.0) == []
    assert phone.says(prack(phone, cseq=21), 33.0)[1] == "481 PRACK"
    assert phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 33.0))[0] == "200 INVITE"
    assert phone.says(phone.request("ACK", cseq=1), 33.1) == ["(request ACK)", "Confirmed"]


def test_without_its_prack_the_invite_is_refused() -> None:
    phone = ringing("Require: 100rel")
    assert until(phone.endpoint, 31.9) == [(at, "180 INVITE") for at in DOUBLING]
    assert until(phone.endpoint, 32.0) == [
        *((32.0, "504 INVITE"), (32.0, "(response 5xx)"), (32.0, "Ended no_prack"))
    ]
    until(phone.endpoint, 64.0)
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}


def test_the_200_may_overtake_the_prack() -> None:
    phone = ringing("Require: 100rel")
    phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 0.1))
    assert until(phone.endpoint, 0.6) == [(0.6, "200 INVITE")]
    assert phone.says(prack(phone), 0.7)[1] == "200 PRACK"
    assert phone.says(phone.request("ACK", cseq=1), 0.8)[-1] == "Confirmed"


def test_who_only_supports_it_gets_a_plain_180() -> None:
    phone = ringing("Supported: 100rel")
    assert phone.response.headers.get("rseq") is None
    assert until(phone.endpoint, 40.0) == []


def test_an_offer_in_a_prack_is_refused_and_the_180_goes_on() -> None:
    phone = ringing("Require: 100rel")
    assert phone.says(prack(phone, body=OFFER), 0.1)[1] == "488 PRACK"
    assert until(phone.endpoint, 0.5) == [(0.5, "180 INVITE")]


def test_without_an_offer_the_200_is_the_first_reliable_response() -> None:
    phone = Phone()
    phone.says(phone.request("INVITE", "Require: 100rel", body=b""), 0.0)
    assert phone.hears(phone.endpoint.calls.ring(phone.session, 0.0)) == []
    assert phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 0.1))[0] == "200 INVITE"


def test_an_invite_may_say_how_long_it_waits() -> None:
    late = ringing("Expires: 20")
    assert until(late.endpoint, 19.9) == []
    assert until(late.endpoint, 20.0) == [
        *((20.0, "487 INVITE"), (20.0, "(response 4xx)"), (20.0, "Ended expired"))
    ]
    answered = ringing("Expires: 20")
    answered.hears(answered.endpoint.calls.answer(answered.session, ANSWER, 19.9))
    assert answered.says(answered.request("ACK"), 20.0)[-1] == "Confirmed"
    assert until(answered.endpoint, 60.0) == []
    assert until(ringing("Expires: soon").endpoint, 60.0) == []


def test_the_200_waits_for_the_prack_of_a_183_that_agreed_on_the_audio() -> None:
    phone = Phone()
    phone.says(phone.request("INVITE", "Require: 100rel"), 0.0)
    calls = phone.endpoint.calls
    assert phone.hears(calls.ring(phone.session, 0.0, 183, "Session Progress", ANSWER))[0] == "183 INVITE"
    assert phone.hears(calls.answer(phone.session, ANSWER, 0.2)) == []
    assert until(phone.endpoint, 1.0) == [(0.5, "183 INVITE")]
    pracked = phone.says(prack(phone), 1.1)
    assert [word for word in pracked if word[0].isdigit()] == ["200 PRACK", "200 INVITE"]
    assert phone.says(phone.request("ACK", cseq=1), 1.2)[-1] == "Confirmed"


def test_a_183_whose_prack_never_comes_is_refused_although_somebody_had_answered() -> None:
    phone = Phone()
    phone.says(phone.request("INVITE", "Require: 100rel"), 0.0)
    phone.hears(phone.endpoint.calls.ring(phone.session, 0.0, 183, "Session Progress", ANSWER))
    phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 0.2))
    assert (32.0, "504 INVITE") in until(phone.endpoint, 32.0)
    until(phone.endpoint, 64.0)
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}
