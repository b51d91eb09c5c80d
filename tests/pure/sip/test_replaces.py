"""Replaces: what it names, and whose place an INVITE with it may take."""

import pytest

from callflow.errors import PeerError
from callflow.sip.happenings import Invited
from callflow.sip.replaces import Replaces
from callflow.sip.transaction import Send
from tests.support.sip_phone import ANSWER, OFFER, THEM, Phone, until
from tests.support.wire import Wire

pytestmark = pytest.mark.pure

A_PAIR = "call-1;to-tag=1;from-tag=2"
NOTHING = {"transactions": 0, "sessions": 0}


def naming(phone: Phone, *, early_only: bool = False) -> Replaces:
    """The dialog of a phone's call, as another phone names it to us."""
    return Replaces(phone.call_id, phone.to_tag, phone.from_tag, early_only)


def invites(phone: Phone, *replaces: str | Replaces, requires: bool = True) -> list[str]:
    """Another phone calls, in the place of what it names."""
    fields = [f"Replaces: {text}" for text in replaces]
    if requires:
        fields.append("Require: replaces")
    another = Phone(phone.endpoint, call_id="call-2", from_tag="from-2")
    said = another.says(another.request("INVITE", *fields), 1.0)[1:]
    phone.outputs = another.outputs
    return said


def wanted(phone: Phone) -> str:
    """Whose place the latest caller wants."""
    [invited] = [output for output in phone.outputs if isinstance(output, Invited)]
    return invited.replaces


@pytest.fixture
def phone() -> Phone:
    phone = Phone()
    phone.talks()
    return phone


# --- the value ---


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b@192.0.2.1;to-tag=7;from-tag=8", Replaces("a.b@192.0.2.1", "7", "8")),
        ("a ; From-Tag = 8 ;early-only; to-tag=7", Replaces("a", "7", "8", True)),
        ("a=;to-tag=7;from-tag=8;x=y", Replaces("a=", "7", "8")),
    ],
)
def test_a_replaces_is_read_and_written(text: str, value: Replaces) -> None:
    assert Replaces.parse(text) == value
    assert Replaces.parse(str(value)) == value


def test_a_replaces_is_written_as_the_rfc_shows_it() -> None:
    assert str(Replaces("a@h", "7", "8")) == "a@h;to-tag=7;from-tag=8"
    assert str(Replaces("a@h", "7", "8", True)) == "a@h;to-tag=7;from-tag=8;early-only"


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", ";to-tag=1;from-tag=2", "a;to-tag=1", "a;from-tag=1", "a;to-tag;from-tag=2"),
        *("a;to-tag=;from-tag=2", "a;to-tag=1;to-tag=1;from-tag=2", "a;to-tag=1;from-tag=2;FROM-TAG=3"),
        *("a b;to-tag=1;from-tag=2", "a;to-tag=1;from-tag=2 3", "a,b;to-tag=1;from-tag=2"),
        *("a\r\nX: y;to-tag=1;from-tag=2", "a;to-tag=1\n;from-tag=2\x00", "é;to-tag=1;from-tag=2"),
        *('a;to-tag="1 2";from-tag=2', "a;to-tag=<1>;from-tag=2"),
    ],
)
def test_a_malformed_replaces_is_refused(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        Replaces.parse(text)


# --- which session it names ---


def test_the_callers_dialog_is_found_by_all_its_parts(phone: Phone) -> None:
    calls, named = phone.endpoint.calls, naming(phone)
    assert calls.replaced(named) == phone.session
    assert calls.replaced(named._replace(call_id="other")) is None
    assert calls.replaced(named._replace(to_tag="other")) is None
    assert calls.replaced(named._replace(from_tag="other")) is None
    # The tags are those of who reads it, and not the other way round.
    assert calls.replaced(named._replace(to_tag=named.from_tag, from_tag=named.to_tag)) is None
    assert calls.replaced(naming(phone, early_only=True)) is None
    assert calls.unanswered(named) is None


def test_a_caller_who_waits_for_our_answer_is_not_replaced() -> None:
    phone = Phone()
    phone.calls()
    phone.hears(phone.endpoint.calls.ring(phone.session, 0.1))
    named, calls = naming(phone), phone.endpoint.calls
    assert phone.to_tag
    assert (calls.replaced(named), calls.unanswered(named)) == (None, phone.session)
    assert calls.unanswered(named._replace(to_tag="other")) is None
    phone.hears(calls.answer(phone.session, ANSWER, 0.2))
    # The dialog is confirmed by our 200 and not only by its ACK.
    assert (calls.replaced(named), calls.unanswered(named)) == (phone.session, None)


def test_a_call_of_ours_is_found_while_it_rings_and_when_it_is_answered() -> None:
    wire = Wire()
    wire.calls()
    wire.run(0.1)
    ours = wire.caller.endpoint.calls
    wire.take(wire.callee, wire.callee.endpoint.calls.ring(wire.callee.session, wire.now))
    wire.run(0.1)
    theirs = wire.callee.endpoint.calls.dialog(wire.callee.session)
    assert theirs is not None
    named = Replaces(theirs.call_id, theirs.remote.tag, theirs.local.tag)
    assert ours.replaced(named) == ours.replaced(named._replace(early_only=True)) == wire.caller.session
    wire.take(wire.callee, wire.callee.endpoint.calls.answer(wire.callee.session, ANSWER, wire.now))
    wire.run(0.1)
    assert ours.replaced(named) == wire.caller.session
    assert ours.replaced(named._replace(early_only=True)) is None
    wire.take(wire.caller, ours.hang_up(wire.caller.session, "", wire.now))
    assert ours.replaced(named) is None


# --- an INVITE that wants to take a place ---


@pytest.mark.parametrize("requires", [True, False])
def test_who_takes_a_place_says_whose(phone: Phone, requires: bool) -> None:
    said = invites(phone, naming(phone), requires=requires)
    assert said == ["100 INVITE", "(response 1xx)", "Invited 1001 -> 4001"]
    assert wanted(phone) == phone.session
    # Nothing has come of it yet: that is for the floor above to decide.
    assert phone.says(phone.request("BYE", cseq=2), 2.0)[-1] == "Ended bye"


def test_an_ordinary_caller_takes_nobodys_place(phone: Phone) -> None:
    assert invites(phone)[-1] == "Invited 1001 -> 4001"
    assert wanted(phone) == ""


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        ((A_PAIR,), 481),
        ((A_PAIR, A_PAIR), 400),
        (("call-1",), 400),
        (("",), 400),
    ],
)
def test_a_replaces_that_leads_nowhere(phone: Phone, texts: tuple[str, ...], status: int) -> None:
    assert invites(phone, *texts)[0] == f"{status} INVITE"
    assert phone.endpoint.calls.ids() == [phone.session]


def test_who_has_an_answer_is_no_early_call(phone: Phone) -> None:
    assert invites(phone, naming(phone, early_only=True))[0] == "486 INVITE"


def test_who_waits_for_our_answer_keeps_his_place() -> None:
    phone = Phone()
    phone.calls()
    phone.hears(phone.endpoint.calls.ring(phone.session, 0.1))
    assert invites(phone, naming(phone))[0] == "481 INVITE"


def test_a_call_that_is_over_is_not_replaced(phone: Phone) -> None:
    phone.says(phone.request("BYE", cseq=2), 0.5)
    assert invites(phone, naming(phone))[0] == "603 INVITE"
    assert phone.endpoint.calls.replaced(naming(phone)) is None


def test_a_call_that_only_waits_for_its_end_is_not_replaced() -> None:
    phone = Phone()
    phone.is_answered()
    assert phone.hears(phone.endpoint.calls.hang_up(phone.session, "", 0.5)) == []
    assert invites(phone, naming(phone))[0] == "603 INVITE"


def test_ended_calls_are_remembered_up_to_a_limit(phone: Phone) -> None:
    phone.says(phone.request("BYE", cseq=2), 0.5)
    for number in range(256):
        another = Phone(phone.endpoint, call_id=f"other-{number}")
        another.talks(1.0)
        assert another.says(another.request("BYE", cseq=2), 1.0)[-1] == "Ended bye"
    assert invites(phone, naming(phone))[0] == "481 INVITE"
    until(phone.endpoint, 80.0)
    assert phone.endpoint.in_hand() == NOTHING


@pytest.mark.parametrize("method", ["INFO", "UPDATE", "OPTIONS"])
def test_only_an_invite_replaces(phone: Phone, method: str) -> None:
    """RFC 3891 §3."""
    said = phone.says(phone.request(method, f"Replaces: {A_PAIR}", cseq=2), 1.0)
    assert said[1] == f"400 {method}"


def test_a_replaced_call_is_answered_like_any_other(phone: Phone) -> None:
    invites(phone, naming(phone))
    [invited] = [output for output in phone.outputs if isinstance(output, Invited)]
    assert (invited.offer, invited.source, invited.hops_left) == (OFFER, THEM[0], 70)
    answered = phone.endpoint.calls.answer(invited.session, ANSWER, 1.1)
    [ok] = [output for output in answered if isinstance(output, Send)]
    assert b"Supported: 100rel, replaces, timer" in ok.data
