"""INVITE without an offer: ours goes in the 200, their answer comes in the ACK (RFC 3261 §13.2.1)."""

import pytest

from callflow.sip.happenings import Answered
from callflow.sip.sdp import offered
from tests.support.sip_phone import ANSWER, OFFER, Phone, until

pytestmark = pytest.mark.pure

SDP = "Content-Type: application/sdp"


def answered(phone: Phone) -> None:
    assert phone.says(phone.request("INVITE", body=b""), 0.0)[-1] == "Invited 1001 -> 4001"
    assert phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 0.0))[0] == "200 INVITE"


def test_our_offer_has_both_laws_and_keys() -> None:
    assert offered(("198.51.100.1", 20_000), 7).decode() == (
        "v=0\r\no=callflow 7 1 IN IP4 198.51.100.1\r\ns=callflow\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
        "m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def test_the_ack_brings_the_answer_before_the_call_is_confirmed() -> None:
    phone = Phone()
    answered(phone)
    assert until(phone.endpoint, 0.5) == [(0.5, "200 INVITE")]
    ack = phone.request("ACK", SDP, body=OFFER)
    assert phone.says(ack, 0.6) == ["(request ACK)", "Answered", "Confirmed"]
    assert phone.outputs[1] == Answered(phone.session, OFFER)
    assert phone.says(ack, 0.7) == ["(request ACK)"]
    assert until(phone.endpoint, 60.0) == []


@pytest.mark.parametrize(
    ("fields", "body"),
    [([SDP], b""), (["Content-Type: text/plain"], b"hello"), ([SDP, "Content-Encoding: gzip"], b"x")],
)
def test_an_ack_without_an_answer_says_so(fields: list[str], body: bytes) -> None:
    phone = Phone()
    answered(phone)
    phone.says(phone.request("ACK", *fields, body=body), 0.1)
    assert phone.outputs[1] == Answered(phone.session, b"")


def test_the_ack_that_never_comes_ends_it_as_ever() -> None:
    phone = Phone()
    answered(phone)
    assert until(phone.endpoint, 32.0)[-3:] == [
        *((32.0, "BYE"), (32.0, "(odd no_ack)"), (32.0, "Ended no_ack"))
    ]


def test_a_reinvite_may_ask_for_our_offer_too() -> None:
    phone = Phone()
    phone.talks()
    assert phone.says(phone.request("INVITE", cseq=2, body=b""), 1.0)[-1] == "Reoffered"
    assert phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 1.0))[0] == "200 INVITE"
    assert phone.says(phone.request("UPDATE", SDP, cseq=3, body=OFFER), 1.05)[1] == "491 UPDATE"
    assert phone.says(phone.request("ACK", SDP, cseq=2, body=OFFER), 1.1) == ["(request ACK)", "Answered"]
    assert phone.says(phone.request("INVITE", cseq=4), 2.0)[-1] == "Reoffered"
    phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 2.0))
    assert phone.says(phone.request("ACK", cseq=4), 2.1) == ["(request ACK)"]
