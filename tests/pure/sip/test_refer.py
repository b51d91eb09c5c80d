"""REFER within a call, and the NOTIFYs about it: who is told what, in which order, and until when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.errors import PeerError
from callflow.sip.happenings import Referred
from callflow.sip.message import Request, parse
from callflow.sip.replaces import Replaces
from callflow.sip.subscription import FINISHED, LIFE, Notice, Subscription
from callflow.sip.uri import Uri
from tests.support.sip_phone import Phone, until
from tests.support.wire import DELAY, Wire

pytestmark = pytest.mark.pure

TO_8002 = "Refer-To: <sip:8002@198.51.100.1>"
REFER_EVENT = "Event: refer"
NOTHING = {"transactions": 0, "sessions": 0}


@pytest.fixture
def phone() -> Phone:
    phone = Phone()
    phone.talks()
    return phone


def refers(phone: Phone, *fields: str, cseq: int = 2, at: float = 1.0) -> list[str]:
    return phone.says(phone.request("REFER", *(fields or (TO_8002,)), cseq=cseq), at)[1:]


def accepts(phone: Phone, at: float = 1.0) -> list[str]:
    return phone.hears(phone.endpoint.calls.accept_referral(phone.session, at))


def tells(phone: Phone, status: int, reason: str, at: float, *, over: bool = False) -> list[str]:
    return phone.hears(phone.endpoint.calls.tell_referral(phone.session, status, reason, at, over=over))


def told(phone: Phone) -> tuple[str | None, str | None, bytes]:
    """Event, Subscription-State and body of the latest NOTIFY."""
    asked = phone.asked
    assert asked.method == "NOTIFY"
    return asked.headers.get("event"), asked.headers.get("subscription-state"), asked.body


def replies(phone: Phone, status: int, at: float) -> list[str]:
    """Answer the latest NOTIFY, whatever has left since."""
    phone.sent.append(next(send for send in reversed(phone.sent) if send.data.startswith(b"NOTIFY")))
    return phone.replies(status, at)


def is_referred(phone: Phone, *fields: str) -> Referred:
    assert refers(phone, *fields) == ["Referred"]
    [referred] = [output for output in phone.outputs if isinstance(output, Referred)]
    return referred


# --- what is asked ---


@pytest.mark.parametrize(
    ("field", "target"),
    [
        ("Refer-To: <sip:8002@198.51.100.1>", "sip:8002@198.51.100.1"),
        ("refer-to: sip:8002@198.51.100.1", "sip:8002@198.51.100.1"),
        ("r: 8002 <sip:8002@198.51.100.1;user=phone>;x=1", "sip:8002@198.51.100.1;user=phone"),
        ("Refer-To: sip:8002@198.51.100.1;user=phone", "sip:8002@198.51.100.1;user=phone"),
        ('Refer-To: "A, B" <sip:8002@h;method=invite>', "sip:8002@h;method=invite"),
        ("Refer-To: <tel:8002>", "tel:8002"),
    ],
)
def test_whom_to_call_is_read_as_phones_write_it(phone: Phone, field: str, target: str) -> None:
    assert is_referred(phone, field) == Referred(phone.session, Uri.parse(target), None, "", True)


@pytest.mark.parametrize(
    ("field", "early_only"),
    [
        ("<sip:8002@h?Replaces=a.b%40192.0.2.10%3Bto-tag%3Dus%3Bfrom-tag%3Dthem>", False),
        ("<sip:8002@h;user=phone?x=1&replaces=a.b@192.0.2.10;from-tag=them;to-tag=us;early-only>", True),
        ("sip:8002@h?Replaces=a.b%40192.0.2.10%3bto-tag%3dus%3bfrom-tag%3dthem", False),
        ("sip:8002@h?Replaces=a.b@192.0.2.10;to-tag=us;from-tag=them", False),
    ],
)
def test_an_attended_transfer_names_the_other_call(phone: Phone, field: str, early_only: bool) -> None:
    referred = is_referred(phone, f"Refer-To: {field}")
    assert referred.replaces == Replaces("a.b@192.0.2.10", "us", "them", early_only)
    assert (referred.target.user, referred.target.headers) == ("8002", "")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("Referred-By: <sip:seat@192.0.2.10>", "sip:seat@192.0.2.10"),
        ("referred-by: sip:seat@192.0.2.10", "sip:seat@192.0.2.10"),
        ('b: "Seat" <sip:seat@192.0.2.10>;cid="1@h"', "sip:seat@192.0.2.10"),
        ("Referred-By: nobody", ""),
        ("Referred-By: <sip:se\rat@192.0.2.10>", ""),
    ],
)
def test_who_asks_is_told_where_it_can_be_read(phone: Phone, field: str, said: str) -> None:
    assert is_referred(phone, TO_8002, field).referred_by == said


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (("X: 1",), 400),
        ((TO_8002, TO_8002), 400),
        (("Refer-To: <sip:1@h>, <sip:2@h>",), 400),
        (("Refer-To: <sip:@h>",), 400),
        (("Refer-To: <sip:80 02@h>",), 400),
        (("Refer-To: <sip:80\r02@h>",), 400),
        (("Refer-To: <sip:8002@h?Replaces=a>",), 400),
        (("Refer-To: <sip:8002@h?Replaces=a%3Bto-tag%3D1>",), 400),
        (("Refer-To: <sip:8002@h?Replaces=a%3Bto-tag%3D1%3Bto-tag%3D2%3Bfrom-tag%3D3>",), 400),
        (("Refer-To: <sip:8002@h?Replaces=a%0D%0AX%3Bto-tag%3D1%3Bfrom-tag%3D3>",), 400),
        (("Refer-To: <sip:8002@h?Replaces=a%FF%3Bto-tag%3D1%3Bfrom-tag%3D3>",), 400),
        (("Refer-To: <sip:8002@h?Replaces=a;to-tag=1;from-tag=2&Replaces=b;to-tag=1;from-tag=2>",), 400),
        (("Refer-To: <sip:8002@h;method=BYE>",), 403),
        (("Refer-To: <http://h/>",), 416),
        ((TO_8002, "Require: foo"), 420),
        ((TO_8002, "Replaces: a;to-tag=1;from-tag=2"), 400),
    ],
)
def test_what_cannot_be_done_is_refused_at_once_and_the_next_is_heard(
    phone: Phone, fields: tuple[str, ...], status: int
) -> None:
    assert refers(phone, *fields)[0] == f"{status} REFER"
    assert refers(phone, cseq=3) == ["Referred"]


def test_nothing_is_answered_until_the_floor_above_decides(phone: Phone) -> None:
    refer = phone.request("REFER", TO_8002, cseq=2)
    assert phone.says(refer, 1.0) == ["(request REFER)", "Referred"]
    assert phone.says(refer, 1.5) == ["(request REFER)"]
    assert until(phone.endpoint, 100.0) == []
    refused = phone.endpoint.calls.refuse_referral(phone.session, PeerError(403, "Forbidden"), 100.0)
    assert phone.hears(refused) == ["403 REFER", "(response 4xx)"]
    assert phone.says(refer, 100.1) == ["(request REFER)", "403 REFER"]
    assert accepts(phone, 100.2) == []
    assert tells(phone, 180, "Ringing", 100.2) == []
    assert until(phone.endpoint, 140.0) == []
    assert refers(phone, cseq=3, at=140.0) == ["Referred"]


@pytest.mark.parametrize("to_tag", ["", "unknown"])
def test_without_a_call_nobody_is_sent_elsewhere(to_tag: str) -> None:
    outside = Phone(to_tag=to_tag)
    status = 481 if to_tag else 403
    assert refers(outside)[0] == f"{status} REFER"


def test_who_is_not_answered_yet_transfers_nobody() -> None:
    phone = Phone()
    phone.calls()
    phone.hears(phone.endpoint.calls.ring(phone.session, 0.1))
    assert refers(phone)[0] == "403 REFER"


# --- what is told ---


def test_a_transfer_that_succeeds(phone: Phone) -> None:
    refers(phone)
    assert accepts(phone) == ["202 REFER", "(response 2xx)", "NOTIFY"]
    accepted, notify = (parse(send.data) for send in phone.sent[-2:])
    assert accepted.headers.get("contact") == notify.headers.get("contact") == "<sip:198.51.100.1:5060>"
    assert "refer-sub" not in accepted.headers
    assert isinstance(notify, Request)
    assert (notify.uri, notify.to.tag, notify.cseq.number) == ("sip:1001@192.0.2.10:5070", "from-1", 1)
    assert notify.headers.get("content-type") == "message/sipfrag;version=2.0"
    assert told(phone) == ("refer", "active;expires=180", b"SIP/2.0 100 Trying\r\n")
    assert replies(phone, 200, 1.1) == []
    assert tells(phone, 183, "Session Progress", 20.5) == ["NOTIFY"]
    assert told(phone) == ("refer", "active;expires=161", b"SIP/2.0 183 Session Progress\r\n")
    assert replies(phone, 200, 20.6) == []
    assert tells(phone, 200, "OK", 30.0, over=True) == ["NOTIFY"]
    assert told(phone) == ("refer", "terminated;reason=noresource", b"SIP/2.0 200 OK\r\n")
    assert replies(phone, 200, 30.1) == []
    assert tells(phone, 603, "Decline", 31.0, over=True) == []
    # It has ended: nothing is left to run out.
    assert until(phone.endpoint, 80.0) == []
    assert phone.endpoint.deadline is None
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 1}


def test_news_wait_for_each_other_and_the_newest_is_told(phone: Phone) -> None:
    refers(phone)
    accepts(phone)
    assert tells(phone, 180, "Ringing", 1.1) == []
    assert tells(phone, 183, "Session Progress", 1.2) == []
    assert replies(phone, 200, 1.3) == ["NOTIFY"]
    assert told(phone)[2] == b"SIP/2.0 183 Session Progress\r\n"
    assert tells(phone, 486, "Busy Here", 1.4, over=True) == []
    # Nothing comes after the end, not even before it has left.
    assert tells(phone, 200, "OK", 1.5, over=True) == []
    assert refers(phone, cseq=3, at=1.5)[0] == "603 REFER"
    assert replies(phone, 200, 1.6) == ["NOTIFY"]
    assert told(phone) == ("refer", "terminated;reason=noresource", b"SIP/2.0 486 Busy Here\r\n")
    assert replies(phone, 481, 1.7) == []


def test_a_second_referral_is_declined_while_the_first_stands(phone: Phone) -> None:
    refers(phone)
    assert refers(phone, cseq=3) == ["603 REFER", "(response 6xx)", "(rejected 603)"]
    accepts(phone)
    replies(phone, 200, 1.1)
    assert refers(phone, cseq=4)[0] == "603 REFER"
    tells(phone, 404, "Not Found", 2.0, over=True)
    # The last NOTIFY need not be answered first.
    assert refers(phone, cseq=5, at=2.1) == ["Referred"]
    assert accepts(phone, 2.1) == ["202 REFER", "(response 2xx)", "NOTIFY"]
    assert told(phone)[0] == "refer;id=5"


def test_who_wants_no_news_gets_none(phone: Phone) -> None:
    """RFC 4488."""
    assert is_referred(phone, TO_8002, "Refer-Sub: false", "Require: norefersub").subscribes is False
    assert accepts(phone) == ["202 REFER", "(response 2xx)"]
    assert phone.response.headers.get("refer-sub") == "false"
    assert tells(phone, 200, "OK", 2.0, over=True) == []
    assert refers(phone, cseq=3) == ["Referred"]


# --- how it may end ---


def test_a_provisional_answer_lets_the_next_news_wait_on(phone: Phone) -> None:
    refers(phone)
    accepts(phone)
    tells(phone, 180, "Ringing", 1.1)
    assert replies(phone, 100, 1.2) == []
    assert replies(phone, 200, 1.3) == ["NOTIFY"]


def test_the_end_of_one_referral_does_not_end_the_next(phone: Phone) -> None:
    refers(phone)
    accepts(phone)
    replies(phone, 200, 1.1)
    tells(phone, 404, "Not Found", 2.0, over=True)
    last = phone.sent[-1]
    refers(phone, cseq=3, at=2.1)
    accepts(phone, 2.1)
    replies(phone, 200, 2.2)
    phone.sent.append(last)
    assert phone.replies(481, 2.3) == []
    assert tells(phone, 180, "Ringing", 3.0) == ["NOTIFY"]
    assert told(phone)[0] == "refer;id=3"


@pytest.mark.parametrize("status", [408, 481])
def test_who_knows_of_nothing_is_told_no_more(phone: Phone, status: int) -> None:
    refers(phone)
    accepts(phone)
    tells(phone, 180, "Ringing", 1.1)
    assert replies(phone, status, 1.2) == ["ReferralForgotten"]
    assert tells(phone, 200, "OK", 2.0, over=True) == []
    assert until(phone.endpoint, 300.0) == []
    assert refers(phone, cseq=3, at=300.0) == ["Referred"]


def test_who_dislikes_one_notify_is_told_the_rest(phone: Phone) -> None:
    refers(phone)
    accepts(phone)
    tells(phone, 200, "OK", 1.1, over=True)
    assert replies(phone, 500, 1.2) == ["NOTIFY"]
    assert told(phone)[2] == b"SIP/2.0 200 OK\r\n"


def test_a_notify_is_sent_until_it_is_answered_or_given_up(phone: Phone) -> None:
    refers(phone)
    accepts(phone)
    done = until(phone.endpoint, 40.0)
    assert [at for at, what in done if what == "NOTIFY"] == [
        *(1.5, 2.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5, 32.5)
    ]
    assert [(at, what) for at, what in done if what != "NOTIFY"] == [(33.0, "ReferralForgotten")]
    assert tells(phone, 200, "OK", 41.0, over=True) == []


def test_a_subscription_runs_out(phone: Phone) -> None:
    refers(phone)
    accepts(phone)
    replies(phone, 200, 1.1)
    tells(phone, 180, "Ringing", 5.0)
    replies(phone, 200, 5.1)
    assert phone.endpoint.deadline is not None
    assert until(phone.endpoint, 180.9) == []
    assert phone.hears(phone.endpoint.tick(181.0)) == ["NOTIFY", "ReferralForgotten"]
    assert told(phone) == ("refer", "terminated;reason=timeout", b"SIP/2.0 180 Ringing\r\n")
    assert replies(phone, 200, 181.1) == []
    assert tells(phone, 200, "OK", 182.0, over=True) == []


def test_the_last_news_are_not_overtaken_by_the_end_of_time(phone: Phone) -> None:
    refers(phone)
    accepts(phone)
    replies(phone, 200, 1.1)
    tells(phone, 180, "Ringing", 170.0)
    assert tells(phone, 200, "OK", 171.0, over=True) == []
    assert {what for _, what in until(phone.endpoint, 181.5)} == {"NOTIFY"}
    assert phone.says(phone.request("SUBSCRIBE", REFER_EVENT, cseq=3), 182.0)[1] == "403 SUBSCRIBE"
    assert replies(phone, 200, 182.1) == ["NOTIFY"]
    assert told(phone) == ("refer", "terminated;reason=noresource", b"SIP/2.0 200 OK\r\n")


@pytest.mark.parametrize("event", ["Event: refer", "o: Refer"])
def test_the_subscriber_wants_no_more(phone: Phone, event: str) -> None:
    refers(phone)
    accepts(phone)
    replies(phone, 200, 1.1)
    unsubscribe = phone.request("SUBSCRIBE", event, "Expires: 0", cseq=3)
    assert phone.says(unsubscribe, 2.0) == [
        *("(request SUBSCRIBE)", "200 SUBSCRIBE", "(response 2xx)", "NOTIFY", "ReferralForgotten")
    ]
    ok = parse(phone.sent[-2].data)
    assert (ok.headers.get("expires"), ok.headers.get("contact")) == ("0", "<sip:198.51.100.1:5060>")
    assert told(phone) == ("refer", "terminated;reason=timeout", b"SIP/2.0 100 Trying\r\n")
    assert phone.says(phone.request("SUBSCRIBE", event, "Expires: 0", cseq=4), 2.1)[1] == "403 SUBSCRIBE"
    assert tells(phone, 200, "OK", 3.0, over=True) == []


def test_who_wants_no_more_hears_it_after_what_is_on_its_way(phone: Phone) -> None:
    refers(phone)
    accepts(phone)
    unsubscribe = phone.request("SUBSCRIBE", REFER_EVENT, "Expires: 0", cseq=3)
    assert phone.says(unsubscribe, 1.1)[1:] == ["200 SUBSCRIBE", "(response 2xx)", "ReferralForgotten"]
    assert replies(phone, 200, 1.2) == ["NOTIFY"]
    assert told(phone)[1] == "terminated;reason=timeout"


@pytest.mark.parametrize(("wanted", "granted"), [("60", 60), ("9999", 180), ("9" * 400, 180), (None, 180)])
def test_a_subscription_is_renewed(phone: Phone, wanted: str | None, granted: int) -> None:
    refers(phone)
    accepts(phone)
    replies(phone, 200, 1.1)
    expires = (f"Expires: {wanted}",) if wanted else ()
    renew = phone.request("SUBSCRIBE", REFER_EVENT, *expires, cseq=3)
    assert phone.says(renew, 50.0)[1:] == ["200 SUBSCRIBE", "(response 2xx)", "NOTIFY"]
    assert parse(phone.sent[-2].data).headers.get("expires") == str(granted)
    assert told(phone)[1] == f"active;expires={granted}"
    replies(phone, 200, 50.1)
    assert until(phone.endpoint, 50.0 + granted - 0.1) == []
    assert until(phone.endpoint, 50.0 + granted)[0] == (50.0 + granted, "NOTIFY")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ((REFER_EVENT, "Expires: soon"), 400),
        ((REFER_EVENT, "Expires: \xb2"), 400),
        (("Event: refer;id=9",), 403),
        (("Event: presence",), 489),
        ((), 489),
    ],
)
def test_other_subscriptions_are_refused(phone: Phone, fields: tuple[str, ...], status: int) -> None:
    refers(phone)
    accepts(phone)
    replies(phone, 200, 1.1)
    refused = phone.says(phone.request("SUBSCRIBE", *fields, cseq=3), 2.0)
    assert refused[1:] == [f"{status} SUBSCRIBE", "(response 4xx)", f"(rejected {status})"]


def test_only_a_referral_begins_a_subscription(phone: Phone) -> None:
    assert phone.says(phone.request("SUBSCRIBE", REFER_EVENT, cseq=2), 1.0)[1] == "403 SUBSCRIBE"
    refers(phone, cseq=3)
    assert phone.says(phone.request("SUBSCRIBE", REFER_EVENT, cseq=4), 1.0)[1] == "403 SUBSCRIBE"


def test_the_later_referral_is_subscribed_to_by_its_number(phone: Phone) -> None:
    refers(phone)
    phone.hears(phone.endpoint.calls.refuse_referral(phone.session, PeerError(603, "Decline"), 1.0))
    refers(phone, cseq=3)
    accepts(phone)
    assert told(phone)[0] == "refer;id=3"
    replies(phone, 200, 1.1)
    assert phone.says(phone.request("SUBSCRIBE", "Event: refer;id=3", cseq=4), 2.0)[1] == "200 SUBSCRIBE"


# --- when the call itself ends ---


def test_the_call_ends_under_a_referral_that_is_not_decided(phone: Phone) -> None:
    refers(phone)
    assert phone.says(phone.request("BYE", cseq=3), 1.1)[1:] == [
        *("200 BYE", "(response 2xx)", "481 REFER", "(response 4xx)", "Ended bye")
    ]
    assert accepts(phone, 1.2) == []
    until(phone.endpoint, 40.0)
    assert phone.endpoint.in_hand() == NOTHING


def test_we_end_the_call_under_a_referral_that_is_not_decided(phone: Phone) -> None:
    refers(phone)
    ended = phone.hears(phone.endpoint.calls.hang_up(phone.session, "", 1.1))
    assert ended == ["481 REFER", "(response 4xx)", "BYE"]


@pytest.mark.parametrize("answer", [200, 481, None])
def test_the_call_ends_while_news_are_on_their_way(phone: Phone, answer: int | None) -> None:
    refers(phone)
    accepts(phone)
    tells(phone, 200, "OK", 1.1, over=True)
    assert phone.says(phone.request("BYE", cseq=3), 1.2)[-1] == "Ended bye"
    if answer:
        assert replies(phone, answer, 1.3) == []
    assert tells(phone, 200, "OK", 1.4, over=True) == []
    done = {what for _, what in until(phone.endpoint, 300.0)}
    assert done == (set() if answer else {"NOTIFY"})
    assert phone.endpoint.in_hand() == NOTHING


def test_a_reinvite_that_is_taken_back_takes_no_referral_along(phone: Phone) -> None:
    refers(phone)
    phone.says(phone.request("INVITE", cseq=3), 1.1)
    cancelled = phone.says(phone.request("CANCEL", cseq=3), 1.2)[1:]
    assert cancelled == ["200 CANCEL", "(response 2xx)", "487 INVITE", "(response 4xx)"]
    assert accepts(phone, 1.3)[0] == "202 REFER"


# --- by a network that loses, doubles and reorders ---


def refer_by_wire(wire: Wire) -> None:
    fields = ("refer-to", "<sip:8002@192.0.2.2>")
    asked = wire.caller.endpoint.calls.ask(wire.caller.session, "REFER", fields, now=wire.now)
    wire.take(wire.caller, asked)


def accept_by_wire(wire: Wire) -> None:
    wire.take(wire.callee, wire.callee.endpoint.calls.accept_referral(wire.callee.session, wire.now))


def test_a_side_that_knows_no_notify_is_told_once() -> None:
    wire = Wire()
    wire.talk()
    refer_by_wire(wire)
    wire.run(0.1)
    accept_by_wire(wire)
    wire.run(1.0)
    assert wire.heard(wire.callee) == ["Referred", "ReferralForgotten"]
    assert wire.heard(wire.caller) == ["Replied 202 REFER"]
    assert wire.said() == ["caller: REFER", "callee: 202 REFER", "callee: NOTIFY", "caller: 481 NOTIFY"]


def test_a_referral_crosses_our_bye() -> None:
    wire = Wire()
    wire.talk()
    refer_by_wire(wire)
    wire.take(wire.callee, wire.callee.endpoint.calls.hang_up(wire.callee.session, "", wire.now))
    wire.run(80.0)
    assert wire.heard(wire.callee) == []
    assert wire.heard(wire.caller) == ["Ended bye"]
    assert wire.in_hand == NOTHING


@given(st.lists(st.sampled_from([(), (DELAY,), (DELAY, 0.3), (0.7,)]), max_size=10))
def test_a_referral_comes_through_whatever_the_network_does(fates: list[tuple[float, ...]]) -> None:
    """At most ten in a row are lost, of the eleven that each side sends in 32 s."""
    wire = Wire()
    wire.talk()
    left = iter(fates)
    wire.fate = lambda send: next(left, (DELAY,))
    refer_by_wire(wire)
    wire.run(33.0)
    assert wire.heard(wire.callee) == ["Referred"]
    accept_by_wire(wire)
    wire.run(70.0)
    assert wire.heard(wire.callee) == ["ReferralForgotten"]
    wire.take(wire.callee, wire.callee.endpoint.calls.hang_up(wire.callee.session, "", wire.now))
    wire.run(80.0)
    assert wire.in_hand == NOTHING


# --- the subscription by itself ---


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(100, 199), st.booleans()),
            st.just("answered"),
            st.just("again"),
        )
    )
)
def test_news_are_told_one_at_a_time_in_order_and_nothing_after_the_end(
    steps: list[tuple[int, bool] | str],
) -> None:
    subscription = Subscription("refer", LIFE)
    sent: list[Notice] = []
    wanted, in_flight = 100, False
    for step in steps:
        if step == "answered":
            subscription.answered()
            in_flight = False
        elif step == "again":
            subscription.repeat()
        elif isinstance(step, tuple):
            wanted = wanted if subscription.ends else step[0]
            subscription.tell(step[0], "x", FINISHED if step[1] else "")
        if notice := subscription.next(0.0):
            assert not in_flight
            assert not (sent and sent[-1].fields[1][1].startswith("terminated"))
            in_flight = True
            sent.append(notice)
            assert int(notice.body.split()[1]) == wanted
    subscription.answered()
    if notice := subscription.next(0.0):
        sent.append(notice)
    assert sent[-1].fields[1][1].startswith("terminated") == subscription.ends


def test_numbers_and_names_do_not_show(phone: Phone) -> None:
    referred = is_referred(phone, "Refer-To: <sip:13800138000@h>", "Referred-By: <sip:zhang@h>")
    assert "13800138000" not in repr(referred)
    assert "zhang" not in repr(referred)
