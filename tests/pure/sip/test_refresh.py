"""Session timers (RFC 4028): who promised to refresh and does not is gone; what we promise we do."""

import pytest

from callflow.sip.message import respond
from tests.support.sip_phone import ANSWER, Phone, until

pytestmark = pytest.mark.pure

TIMER = "Supported: timer"


def talking(*fields: str) -> Phone:
    phone = Phone()
    phone.says(phone.request("INVITE", *fields), 0.0)
    phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 0.0))
    assert phone.says(phone.request("ACK"), 0.0)[-1] == "Confirmed"
    return phone


def told(phone: Phone) -> tuple[str | None, str | None]:
    return phone.response.headers.get("session-expires"), phone.response.headers.get("require")


@pytest.mark.parametrize(
    ("fields", "interval", "gone_at"),
    [
        ([TIMER, "Session-Expires: 90"], 90, 60.0),
        ([TIMER, "x: 600;refresher=uac"], 600, 568.0),
        ([TIMER, "Session-Expires: 90", "Min-SE: 120"], 120, 88.0),
        (["k: replaces, Timer", "x: 1800"], 1800, 1768.0),
        (["Require: timer", "Session-Expires: 99999999999"], 7200, 7168.0),
    ],
)
def test_who_does_not_refresh_is_gone(fields: list[str], interval: int, gone_at: float) -> None:
    phone = talking(*fields)
    assert told(phone) == (f"{interval};refresher=uac", "timer")
    assert until(phone.endpoint, gone_at - 0.1) == []
    assert until(phone.endpoint, gone_at) == [
        *((gone_at, "BYE"), (gone_at, "(odd no_refresh)"), (gone_at, "Ended no_refresh"))
    ]
    until(phone.endpoint, gone_at + 40)
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [TIMER],
        ["Session-Expires: 90"],
        ["Session-Expires: 10"],
    ],
)
def test_without_a_promise_nobody_is_missed(fields: list[str]) -> None:
    phone = talking(*fields)
    assert told(phone) == (None, None)
    assert until(phone.endpoint, 100_000.0) == []
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 1}


def test_a_refresh_begins_the_interval_anew() -> None:
    phone = talking(TIMER, "Session-Expires: 90")
    update = phone.request("UPDATE", TIMER, "Session-Expires: 90;refresher=uac", cseq=2)
    assert phone.says(update, 45.0)[1] == "200 UPDATE"
    assert told(phone) == ("90;refresher=uac", "timer")
    assert until(phone.endpoint, 104.9) == []
    again = phone.request("INVITE", TIMER, "Session-Expires: 300;refresher=uac", cseq=3)
    assert phone.says(again, 104.9)[-1] == "Reoffered"
    phone.hears(phone.endpoint.calls.answer(phone.session, ANSWER, 104.9))
    assert told(phone) == ("300;refresher=uac", "timer")
    phone.says(phone.request("ACK", cseq=3), 105.0)
    assert until(phone.endpoint, 372.8) == []
    assert phone.says(phone.request("UPDATE", TIMER, cseq=4), 372.8)[1] == "200 UPDATE"
    assert told(phone) == (None, None)
    assert until(phone.endpoint, 100_000.0) == []


def test_too_short_an_interval_is_refused_with_ours_and_changes_nothing() -> None:
    phone = Phone()
    short = [TIMER, "Session-Expires: 89"]
    assert phone.says(phone.request("INVITE", *short), 0.0)[1] == "422 INVITE"
    assert phone.response.headers.get("min-se") == "90"
    call = talking(TIMER, "Session-Expires: 90")
    assert call.says(call.request("UPDATE", *short, cseq=2), 30.0)[1] == "422 UPDATE"
    assert call.says(call.request("INVITE", *short, cseq=3), 30.0)[1] == "422 INVITE"
    call.says(call.request("ACK", cseq=3), 30.0)
    assert until(call.endpoint, 60.0)[0] == (60.0, "BYE")


def test_who_wants_to_be_refreshed_is() -> None:
    phone = talking(TIMER, "Session-Expires: 90;refresher=uas", "Allow: INVITE, UPDATE")
    assert told(phone) == ("90;refresher=uas", None)
    assert until(phone.endpoint, 45.0) == [(45.0, "UPDATE")]
    phone.hears(phone.endpoint.tick(45.5))
    update = phone.asked
    assert update.headers.get("session-expires") == "90;refresher=uac"
    assert update.headers.get("contact") == "<sip:198.51.100.1:5060>"
    assert (
        phone.says(respond(update, 200, "OK", ("session-expires", "90;refresher=uac")).to_bytes(), 45.6) == []
    )
    assert next(at for at, what in until(phone.endpoint, 100.0) if what == "UPDATE") == pytest.approx(90.6)
