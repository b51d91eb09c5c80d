"""Callers' INVITE sessions, as transcripts: what is said, and all that comes of it."""

import pytest

from callflow.errors import PeerError
from callflow.sip.happenings import Ended, Invited, Reoffered
from callflow.sip.transaction import Send
from tests.support.sip_phone import ANSWER, OFFER, THEM, Phone, until

pytestmark = pytest.mark.pure

RESENT = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
"""When a 200 is said again (RFC 3261 §13.3.1.4), and a refusal (Timer G)."""
NOTHING = {"transactions": 0, "sessions": 0}


def test_a_call_from_invite_to_bye_leaves_nothing_behind() -> None:
    phone = Phone()
    calls = phone.endpoint.calls
    assert phone.says(phone.request("INVITE"), 0.0) == [
        *("(request INVITE)", "100 INVITE", "(response 1xx)", "Invited 1001 -> 4001")
    ]
    assert phone.outputs[-1] == Invited(phone.session, "1001", "4001", OFFER, THEM[0])
    assert phone.hears(calls.ring(phone.session, 0.1)) == ["180 INVITE", "(response 1xx)"]
    assert phone.hears(calls.answer(phone.session, ANSWER, 1.0)) == ["200 INVITE", "(response 2xx)"]
    assert phone.response.body == ANSWER
    assert phone.response.headers.get("contact") == "<sip:198.51.100.1:5060>"
    assert until(phone.endpoint, 1.2) == []
    assert phone.says(phone.request("ACK"), 1.2) == ["(request ACK)", "Confirmed"]
    assert until(phone.endpoint, 32.9) == []
    assert phone.says(phone.request("BYE", cseq=2), 33.0) == [
        *("(request BYE)", "200 BYE", "(response 2xx)", "Ended bye")
    ]
    assert until(phone.endpoint, 65.0) == []
    assert (phone.endpoint.in_hand(), phone.endpoint.deadline) == (NOTHING, None)
    assert {send.destination for send in phone.sent} == {THEM}


def test_the_200_is_repeated_until_its_ack_and_given_up_after_32_seconds() -> None:
    phone = Phone()
    phone.is_answered()
    assert until(phone.endpoint, 31.9) == [(at, "200 INVITE") for at in RESENT]
    assert until(phone.endpoint, 32.0) == [*((32.0, "BYE"), (32.0, "(odd no_ack)"), (32.0, "Ended no_ack"))]
    assert phone.endpoint.in_hand() == {"transactions": 1, "sessions": 0}
    until(phone.endpoint, 64.0)
    assert phone.endpoint.in_hand() == NOTHING


@pytest.mark.parametrize("at", [0.49, 0.5, 0.51])
def test_an_ack_stops_the_repetition(at: float) -> None:
    phone = Phone()
    phone.is_answered()
    repeated = until(phone.endpoint, at)
    assert repeated == ([(0.5, "200 INVITE")] if at >= 0.5 else [])
    assert phone.says(phone.request("ACK", branch="another"), at) == ["(request ACK)", "Confirmed"]
    assert phone.says(phone.request("ACK", branch="another"), at) == ["(request ACK)"]
    assert until(phone.endpoint, 60.0) == []


def test_an_ack_with_a_to_tag_of_its_own_making_is_believed_and_counted() -> None:
    phone = Phone()
    phone.is_answered()
    wrong = phone.request("ACK", to_tag="random")
    stray = ["(request ACK)", "(odd stray_ack)"]
    assert phone.says(wrong, 0.1, source=("192.0.2.10", 5071)) == stray
    assert phone.says(phone.request("ACK", to_tag="random", cseq=2), 0.1) == stray
    assert Phone(phone.endpoint, from_tag="x").says(wrong.replace(b"from-1", b"from-2"), 0.1) == stray
    assert phone.says(wrong.replace(b"call-1\r", b"call-2\r"), 0.1) == stray
    assert phone.says(wrong, 0.2) == ["(request ACK)", "(odd ack_with_wrong_to_tag)", "Confirmed"]


def test_a_retransmitted_invite_is_no_second_call() -> None:
    phone = Phone()
    phone.calls()
    invite = phone.request("INVITE", to_tag="")
    assert phone.says(invite, 0.5) == ["(request INVITE)", "100 INVITE"]
    phone.hears(phone.endpoint.calls.ring(phone.session, 0.6))
    assert phone.says(invite, 0.7) == ["(request INVITE)", "180 INVITE"]
    phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 0.8))
    assert phone.says(invite, 0.9) == ["(request INVITE)"]
    phone.says(phone.request("ACK"), 1.0)
    assert phone.says(invite, 32.7) == ["(request INVITE)"]
    assert len(phone.endpoint.calls) == 1


def test_the_same_branch_with_a_new_cseq_is_a_new_request() -> None:
    """As pyVoIP asks again after a refusal: same branch and Call-ID, new From tag, CSeq + 1."""
    first = Phone()
    first.calls()
    first.hears(first.endpoint.calls.refuse(first.session, PeerError(401, "Unauthorized"), 0.0))
    again = Phone(first.endpoint, from_tag="from-2", cseq=2)
    assert again.says(again.request("INVITE", branch="call-1-1"), 0.1)[-1] == "Invited 1001 -> 4001"
    assert first.says(first.request("ACK"), 0.1) == ["(request ACK)"]
    again.hears(again.endpoint.calls.answer(again.session, ANSWER, 0.2))
    assert again.says(again.request("ACK", branch="call-1-1", to_tag="random"), 0.3)[-1] == "Confirmed"
    assert again.says(again.request("BYE", branch="call-1-1", cseq=3), 9.0)[-1] == "Ended bye"
    until(first.endpoint, 42.0)
    assert first.endpoint.in_hand() == NOTHING


def test_a_caller_may_cancel_until_the_answer() -> None:
    phone = Phone()
    phone.calls()
    assert phone.says(phone.request("CANCEL", to_tag=""), 1.0) == [
        *("(request CANCEL)", "200 CANCEL", "(response 2xx)", "487 INVITE", "(response 4xx)"),
        "Ended cancelled",
    ]
    assert phone.endpoint.calls.answer(phone.session, ANSWER, 1.0) == []
    assert until(phone.endpoint, 1.6) == [(1.5, "487 INVITE")]
    assert phone.says(phone.request("ACK"), 1.7) == ["(request ACK)"]
    assert until(phone.endpoint, 40.0) == []
    assert phone.endpoint.in_hand() == NOTHING


def test_a_cancel_that_crossed_the_200_changes_nothing() -> None:
    phone = Phone()
    phone.is_answered()
    assert phone.says(phone.request("CANCEL", to_tag=""), 0.1) == [
        *("(request CANCEL)", "200 CANCEL", "(response 2xx)")
    ]
    assert phone.says(phone.request("ACK"), 0.2) == ["(request ACK)", "Confirmed"]
    stray = Phone(phone.endpoint, call_id="other")
    assert stray.says(stray.request("CANCEL"), 0.3)[1] == "481 CANCEL"


def test_our_bye_is_repeated_until_it_is_answered() -> None:
    phone = Phone()
    phone.talks()
    assert phone.hears(phone.endpoint.calls.hang_up(phone.session, "", 10.0)) == ["BYE"]
    assert phone.asked.uri == "sip:1001@192.0.2.10:5070"
    assert (phone.asked.to.tag, phone.asked.from_.tag) == (phone.from_tag, phone.to_tag)
    assert until(phone.endpoint, 12.0) == [(10.5, "BYE"), (11.5, "BYE")]
    assert phone.replies(200, 12.0) == []
    assert phone.replies(200, 12.1) == []
    assert until(phone.endpoint, 40.0) == []
    assert phone.endpoint.in_hand() == NOTHING


def test_our_bye_waits_for_the_ack() -> None:
    """RFC 3261 §15: the callee must not send BYE on a confirmed dialog before its ACK."""
    phone = Phone()
    phone.is_answered()
    assert phone.endpoint.calls.hang_up(phone.session, "done", 0.1) == []
    assert phone.says(phone.request("ACK"), 0.2) == ["(request ACK)", "BYE"]
    assert phone.asked.headers.get("reason") == 'SIP;cause=200;text="done"'


def test_hanging_up_on_a_ringing_caller_refuses() -> None:
    phone = Phone()
    phone.calls()
    assert phone.hears(phone.endpoint.calls.hang_up(phone.session, "", 1.0)) == [
        *("480 INVITE", "(response 4xx)")
    ]
    assert until(phone.endpoint, 40.0) == [(1.0 + at, "480 INVITE") for at in RESENT]
    assert phone.endpoint.in_hand() == NOTHING
    assert phone.endpoint.calls.hang_up(phone.session, "", 41.0) == []


def test_byes_that_come_again_late_or_for_nobody() -> None:
    phone = Phone(cseq=5)
    phone.talks()
    assert phone.says(phone.request("BYE", cseq=4), 1.0)[1:] == [
        *("500 BYE", "(response 5xx)", "(rejected 500)")
    ]
    bye = phone.request("BYE", cseq=6)
    assert phone.says(bye, 2.0)[-1] == "Ended bye"
    assert phone.says(bye, 2.5) == ["(request BYE)", "200 BYE"]
    assert phone.says(phone.request("BYE", cseq=7), 3.0)[1:] == [
        *("481 BYE", "(response 4xx)", "(rejected 481)")
    ]


def test_a_bye_may_end_a_call_that_rings_or_was_not_acknowledged() -> None:
    early = Phone()
    early.calls()
    early.hears(early.endpoint.calls.ring(early.session, 0.0))
    assert early.says(early.request("BYE", cseq=2), 1.0)[1:] == [
        *("200 BYE", "(response 2xx)", "487 INVITE", "(response 4xx)", "Ended bye")
    ]
    answered = Phone()
    answered.is_answered()
    assert answered.says(answered.request("BYE", cseq=2), 0.1)[-1] == "Ended bye"
    assert until(answered.endpoint, 40.0) == []
    assert answered.endpoint.in_hand() == NOTHING


def test_a_reinvite_is_an_offer_to_be_answered() -> None:
    phone = Phone()
    phone.talks()
    body = OFFER + b"a=sendonly\r\n"
    assert phone.says(phone.request("INVITE", cseq=2, body=body), 1.0)[1:] == [
        *("100 INVITE", "(response 1xx)", "Reoffered")
    ]
    assert phone.outputs[-1] == Reoffered(phone.session, body)
    assert phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 1.0))[0] == "200 INVITE"
    assert phone.says(phone.request("ACK", cseq=1), 1.1) == ["(request ACK)"]
    assert until(phone.endpoint, 1.5) == [(1.5, "200 INVITE")]
    assert phone.says(phone.request("ACK", cseq=2), 1.6) == ["(request ACK)"]
    assert until(phone.endpoint, 60.0) == []


def test_a_reinvite_refused_or_cancelled_leaves_the_call_as_it_was() -> None:
    phone = Phone()
    phone.talks()
    phone.says(phone.request("INVITE", cseq=2), 1.0)
    refusal = phone.endpoint.calls.refuse(phone.session, PeerError(488, "Not Acceptable Here"), 1.0)
    assert phone.hears(refusal) == ["488 INVITE", "(response 4xx)"]
    assert phone.says(phone.request("ACK", cseq=2), 1.1) == ["(request ACK)"]
    phone.says(phone.request("INVITE", cseq=3), 2.0)
    assert phone.says(phone.request("CANCEL", cseq=3), 2.1)[1:] == [
        *("200 CANCEL", "(response 2xx)", "487 INVITE", "(response 4xx)")
    ]
    phone.says(phone.request("ACK", cseq=3), 2.2)
    assert phone.says(phone.request("BYE", cseq=4), 3.0)[-1] == "Ended bye"


def test_one_reinvite_at_a_time() -> None:
    phone = Phone()
    phone.is_answered()
    glare = ["500 INVITE", "(response 5xx)", "(rejected 500)"]
    assert phone.says(phone.request("INVITE", cseq=2), 0.1)[1:] == glare
    phone.says(phone.request("ACK", cseq=2), 0.1)
    phone.says(phone.request("ACK", cseq=1), 0.2)
    phone.says(phone.request("INVITE", cseq=3), 0.3)
    assert phone.says(phone.request("INVITE", cseq=4), 0.4)[1:] == glare
    assert phone.response.headers.get("retry-after") == "3"
    assert phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 0.5))[0] == "200 INVITE"
    assert phone.response.cseq.number == 3
    lost = Phone(call_id="gone", to_tag="never")
    assert lost.says(lost.request("INVITE"), 0.6)[1] == "481 INVITE"


def test_hanging_up_answers_the_reinvite_in_hand() -> None:
    phone = Phone()
    phone.talks()
    phone.says(phone.request("INVITE", cseq=2), 1.0)
    assert phone.hears(phone.endpoint.calls.hang_up(phone.session, "", 1.0)) == [
        *("487 INVITE", "(response 4xx)", "BYE")
    ]
    until(phone.endpoint, 41.0)
    assert phone.endpoint.in_hand() == NOTHING


def test_a_session_that_is_over_takes_no_orders() -> None:
    phone = Phone()
    phone.talks()
    phone.says(phone.request("BYE", cseq=2), 1.0)
    calls = phone.endpoint.calls
    assert isinstance(phone.outputs[-1], Ended)
    assert calls.ring(phone.session, 2.0) == calls.answer(phone.session, ANSWER, 2.0) == []
    assert calls.refuse(phone.session, PeerError(486, "Busy Here"), 2.0) == []
    assert calls.hang_up(phone.session, "", 2.0) == []


def test_our_requests_go_by_the_route_and_to_who_is_behind_nat() -> None:
    routed = Phone()
    routed.says(routed.request("INVITE", "Record-Route: <sip:192.0.2.99;lr>, <sip:192.0.2.98;lr>"), 0.0)
    routed.hears(routed.endpoint.calls.answer(routed.session, ANSWER, 0.0))
    assert routed.response.headers.all("record-route") == ["<sip:192.0.2.99;lr>", "<sip:192.0.2.98;lr>"]
    routed.says(routed.request("ACK"), 0.1)
    routed.hears(routed.endpoint.calls.hang_up(routed.session, "", 1.0))
    assert routed.asked.headers.all("route") == ["<sip:192.0.2.99;lr>", "<sip:192.0.2.98;lr>"]
    assert routed.sent[-1].destination == ("192.0.2.99", 5060)

    hidden = Phone(source=("192.0.2.77", 61234))
    hidden.talks()
    sent = hidden.endpoint.calls.hang_up(hidden.session, "", 1.0)[0]
    assert isinstance(sent, Send)
    assert sent.destination == ("192.0.2.77", 61234)
