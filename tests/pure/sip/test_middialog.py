"""Requests within a call: keys by INFO, UPDATE, OPTIONS, and what is not taken."""

import pytest

from callflow.errors import PeerError
from callflow.sip.happenings import Reoffered
from tests.support.sip_phone import ANSWER, OFFER, Phone, until

pytestmark = pytest.mark.pure

RELAY, DTMF = "Content-Type: application/dtmf-relay", "Content-Type: application/dtmf"
SDP = "Content-Type: application/sdp"


@pytest.fixture
def phone() -> Phone:
    phone = Phone()
    phone.talks()
    return phone


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", "5"),
        (RELAY, b"Duration=160\nsignal = *", "*"),
        (RELAY, b"Signal=#", "#"),
        (RELAY, b"Signal=11\r\n", "#"),
        (RELAY, b"Signal=d\r\n", "D"),
        (f"{RELAY}; charset=utf-8", b"Signal=0\r\n", "0"),
        (DTMF, b"1", "1"),
        (DTMF, b" 10\r\n", "*"),
        (RELAY, b"Signal=16\r\n", None),
        (RELAY, b"Signal=hf\r\n", None),
        (DTMF, b"12345", None),
        (DTMF, b"\xff", None),
    ],
)
def test_an_info_may_tell_of_a_key(phone: Phone, kind: str, body: bytes, key: str | None) -> None:
    info = phone.request("INFO", kind, cseq=2, body=body)
    told = [f"KeySignalled {key}"] if key else []
    assert phone.says(info, 1.0) == ["(request INFO)", "200 INFO", "(response 2xx)", *told]
    assert phone.says(info, 1.5) == ["(request INFO)", "200 INFO"]


def test_an_info_that_tells_of_something_else(phone: Phone) -> None:
    assert phone.says(phone.request("INFO", cseq=2), 1.0)[1:] == ["200 INFO", "(response 2xx)"]
    picture = phone.request("INFO", "Content-Type: application/media_control+xml", cseq=3, body=b"<x/>")
    assert phone.says(picture, 1.0)[1:] == ["415 INFO", "(response 4xx)", "(rejected 415)"]
    assert phone.response.headers.get("accept") == "application/dtmf-relay, application/dtmf"
    package = phone.request("INFO", "Info-Package: foo", cseq=4, body=b"x")
    assert phone.says(package, 1.0)[1] == "469 INFO"
    assert phone.response.headers.get("recv-info") == ""
    assert phone.says(phone.request("INFO", RELAY, cseq=5, body=b"x"), 1.0)[1] == "400 INFO"
    packed = phone.request("INFO", DTMF, "Content-Encoding: gzip", cseq=6, body=b"1")
    assert phone.says(packed, 1.0)[1] == "415 INFO"
    assert phone.response.headers.get("accept-encoding") == "identity"
    assert phone.says(phone.request("INFO", DTMF, cseq=6, branch="again", body=b"1"), 1.0)[1] == "500 INFO"


@pytest.mark.parametrize(
    ("method", "status"),
    [("NOTIFY", 481), ("SUBSCRIBE", 489), ("PUBLISH", 489), ("MESSAGE", 405), ("FOO", 501)],
)
def test_what_is_not_taken_is_refused_in_a_call_and_outside(phone: Phone, method: str, status: int) -> None:
    assert phone.says(phone.request(method, cseq=2), 1.0)[1] == f"{status} {method}"
    outside = Phone(phone.endpoint, call_id="outside")
    assert outside.says(outside.request(method), 1.0)[1] == f"{status} {method}"
    wrong = Phone(phone.endpoint, call_id="wrong", to_tag="unknown")
    assert wrong.says(wrong.request(method), 1.0)[1] == f"481 {method}"
    assert phone.says(phone.request("BYE", cseq=3), 2.0)[-1] == "Ended bye"


@pytest.mark.parametrize("method", ["INFO", "UPDATE", "PRACK"])
def test_what_has_a_meaning_in_calls_alone(method: str) -> None:
    phone = Phone()
    assert phone.says(phone.request(method), 0.0)[1] == f"481 {method}"


def test_options_in_a_call_tell_what_we_can(phone: Phone) -> None:
    assert phone.says(phone.request("OPTIONS", cseq=2), 1.0)[1] == "200 OPTIONS"
    headers = phone.response.headers
    assert [headers.get(name) for name in ("allow", "supported", "accept", "accept-encoding")] == [
        "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, PRACK, UPDATE, REFER",
        *("100rel, replaces, timer", "application/sdp, multipart/mixed", "identity"),
    ]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "OPTIONS", "INFO"])
def test_what_is_required_and_unknown_is_named_and_changes_nothing(phone: Phone, method: str) -> None:
    assert phone.says(phone.request(method, "Require: foo", cseq=2), 1.0)[1] == f"420 {method}"
    assert phone.response.headers.get("unsupported") == "foo"
    if method == "INVITE":
        phone.says(phone.request("ACK", cseq=2), 1.0)
    assert phone.says(phone.request("BYE", "Require: foo", cseq=3), 2.0)[-1] == "Ended bye"
    until(phone.endpoint, 40.0)
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}


def test_an_update_with_an_offer_is_answered_once(phone: Phone) -> None:
    update = phone.request("UPDATE", SDP, cseq=2, body=OFFER)
    assert phone.says(update, 1.0) == ["(request UPDATE)", "Reoffered"]
    assert phone.outputs[-1] == Reoffered(phone.session, OFFER)
    assert phone.says(update, 1.1) == ["(request UPDATE)"]
    busy = ["500 UPDATE", "(response 5xx)", "(rejected 500)"]
    assert phone.says(phone.request("UPDATE", SDP, cseq=3, body=OFFER), 1.2)[1:] == busy
    assert phone.response.headers.get("retry-after") == "3"
    assert phone.says(phone.request("INVITE", cseq=4), 1.3)[1] == "500 INVITE"
    phone.says(phone.request("ACK", cseq=4), 1.3)
    ok = phone.endpoint.calls.answer(phone.session, ANSWER, 1.4)
    assert phone.hears(ok) == ["200 UPDATE", "(response 2xx)"]
    assert (phone.response.body, phone.response.headers.get("content-type")) == (ANSWER, "application/sdp")
    assert phone.response.headers.get("contact") == "<sip:198.51.100.1:5060>"
    assert phone.says(update, 1.5) == ["(request UPDATE)", "200 UPDATE"]
    assert until(phone.endpoint, 40.0) == []
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 1}


def test_an_update_may_be_refused_and_the_call_may_end_under_it(phone: Phone) -> None:
    phone.says(phone.request("UPDATE", SDP, cseq=2, body=OFFER), 1.0)
    refused = phone.endpoint.calls.refuse(phone.session, PeerError(488, "Not Acceptable Here"), 1.0)
    assert phone.hears(refused) == ["488 UPDATE", "(response 4xx)"]
    phone.says(phone.request("UPDATE", SDP, cseq=3, body=OFFER), 2.0)
    assert phone.says(phone.request("BYE", cseq=4), 2.1)[1:] == [
        *("200 BYE", "(response 2xx)", "481 UPDATE", "(response 4xx)", "Ended bye")
    ]
    until(phone.endpoint, 40.0)
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}


def test_an_update_before_the_answer_may_only_refresh() -> None:
    phone = Phone()
    phone.calls()
    phone.hears(phone.endpoint.calls.ring(phone.session, 0.1))
    assert phone.says(phone.request("UPDATE", SDP, cseq=2, body=OFFER), 0.2)[1] == "500 UPDATE"
    assert phone.says(phone.request("UPDATE", cseq=3), 0.3)[1] == "200 UPDATE"
    assert phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 0.4))[0] == "200 INVITE"


def test_an_update_moves_the_contact(phone: Phone) -> None:
    moved = phone.request("UPDATE", cseq=2).replace(b"1001@192.0.2.10:5070>", b"1001@192.0.2.11:5080>")
    assert phone.says(moved, 1.0, source=("192.0.2.11", 5080))[1:] == ["200 UPDATE", "(response 2xx)"]
    phone.hears(phone.endpoint.calls.hang_up(phone.session, "", 2.0))
    assert phone.asked.uri == "sip:1001@192.0.2.11:5080"
    assert phone.sent[-1].destination == ("192.0.2.11", 5080)
