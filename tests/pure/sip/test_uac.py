"""Calls of ours, against answers written by hand: forks, early dialogs, proofs, other ways, routes."""

from dataclasses import dataclass, field

import pytest

from callflow.errors import PeerError
from callflow.sip.address import Address, Hop, Transport
from callflow.sip.auth import Guard, Proof
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import Accepted
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request, parse
from callflow.sip.outgoing import Plan
from callflow.sip.prover import CallProver
from callflow.sip.transaction import Send
from callflow.sip.uri import Uri
from tests.support.sip_phone import OFFER, THEM, new_endpoint, until, words

pytestmark = pytest.mark.pure

ANSWER = b"v=0\r\n"
CONTACT = "Contact: <sip:4001@192.0.2.10:5070>"
NOTHING = {"transactions": 0, "sessions": 0}


def sends(endpoint: Endpoint, end: float) -> list[tuple[float, Send]]:
    """What leaves because time passes, and when."""
    sent: list[tuple[float, Send]] = []
    while (at := endpoint.deadline) is not None and at <= end:
        sent += [(at, output) for output in endpoint.tick(at) if isinstance(output, Send)]
    return sent


@dataclass
class Called:
    """Whoever our calls go to."""

    endpoint: Endpoint = field(default_factory=new_endpoint)
    session: str = ""
    sent: list[Send] = field(default_factory=list)

    def is_called(self, at: float = 0.0, **changes: object) -> list[str]:
        known: dict[str, object] = {
            "target": Uri.parse("sip:4001@192.0.2.10"),
            "caller": NameAddress(Uri.parse("sip:1001@198.51.100.1"), "Seat"),
            "offer": OFFER,
            "hops": (Hop(THEM),),
        }
        plan = Plan(**{**known, **changes})  # type: ignore[arg-type]
        self.session, outputs = self.endpoint.calls.invite(plan, at)
        return self.sees(outputs)

    def sees(self, outputs: object) -> list[str]:
        assert isinstance(outputs, list)
        self.sent += [output for output in outputs if isinstance(output, Send)]
        return words(outputs)

    def request(self, method: str = "INVITE") -> Request:
        """The latest request of that method."""
        for send in reversed(self.sent):
            message = parse(send.data)
            if isinstance(message, Request) and message.method == method:
                return message
        raise AssertionError(f"no {method}")

    def says(
        self,
        status: int,
        *fields: str,
        at: float = 0.1,
        tag: str = "t1",
        to: str = "INVITE",
        body: bytes = b"",
    ) -> list[str]:
        """A response to our latest request of method `to`."""
        return self.sees(
            self.endpoint.receive(self.response(status, *fields, tag=tag, to=to, body=body), THEM, at)
        )

    def response(
        self, status: int, *fields: str, tag: str = "t1", to: str = "INVITE", body: bytes = b""
    ) -> bytes:
        """The same as it comes."""
        asked = self.request(to)
        lines = [
            f"SIP/2.0 {status} Whatever",
            *(f"{name}: {asked.headers.need(name)}" for name in ("via", "from", "call-id", "cseq")),
            f"To: {asked.headers.need('to').partition(';tag')[0]};tag={tag}",
            *fields,
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def asks(self, method: str, *fields: str, at: float, tag: str = "t1", cseq: int = 1) -> list[str]:
        """A request of theirs in the dialog."""
        invite = self.request()
        lines = [
            f"{method} sip:1001@198.51.100.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bKtheirs{method}{cseq}",
            f"From: <sip:4001@192.0.2.10>;tag={tag}",
            f"To: {invite.headers.need('from')}",
            f"Call-ID: {invite.call_id}",
            f"CSeq: {cseq} {method}",
            *fields,
        ]
        return self.sees(self.endpoint.receive(("\r\n".join(lines) + "\r\n\r\n").encode(), THEM, at))

    def is_over(self, at: float) -> None:
        until(self.endpoint, at)
        assert self.endpoint.in_hand() == NOTHING


def destinations(called: Called) -> list[Address]:
    return [send.destination for send in called.sent]


def test_our_invite_is_whole() -> None:
    called = Called()
    assert called.is_called(fields=(("p-asserted-identity", "<sip:1001@h>"),), max_forwards=69) == ["INVITE"]
    invite = called.request()
    assert invite.uri == "sip:4001@192.0.2.10"
    assert (invite.headers.get("max-forwards"), invite.headers.get("cseq")) == ("69", "1 INVITE")
    assert (invite.from_.display, invite.from_.uri.user, bool(invite.from_.tag)) == ("Seat", "1001", True)
    assert (invite.to.uri.user, invite.to.tag) == ("4001", "")
    assert invite.headers.get("contact") == "<sip:198.51.100.1:5060>"
    assert invite.headers.tokens("supported") == {"100rel", "replaces", "timer"}
    assert invite.headers.get("p-asserted-identity") == "<sip:1001@h>"
    assert (invite.headers.get("content-type"), invite.body) == ("application/sdp", OFFER)
    assert "rport" in invite.via.params


def test_the_first_fork_has_the_call_and_the_others_are_ended() -> None:
    """RFC 3261 §13.2.2.4."""
    called = Called()
    called.is_called()
    assert called.says(180, tag="one") == ["Progressed 180"]
    assert called.says(180, tag="two") == ["Progressed 180"]
    assert called.says(200, CONTACT, tag="two", body=ANSWER) == ["ACK", "Accepted"]
    assert called.says(200, CONTACT, tag="one", body=ANSWER) == ["ACK", "(odd late_answer)", "BYE"]
    assert (called.request("ACK").to.tag, called.request("BYE").to.tag) == ("one", "one")
    assert called.says(200, CONTACT, tag="one", body=ANSWER) == ["ACK"]
    assert called.says(200, CONTACT, tag="three", body=ANSWER) == ["ACK", "(odd late_answer)", "BYE"]
    assert called.says(200, CONTACT, tag="two", body=ANSWER) == ["ACK"]
    assert called.request("ACK").to.tag == "two"
    assert called.asks("BYE", at=1.0, tag="two") == [
        "(request BYE)",
        "200 BYE",
        "(response 2xx)",
        "Ended bye",
    ]
    called.is_over(80.0)


def test_a_reliable_progress_is_confirmed_once_and_in_order() -> None:
    """RFC 3262 §4."""
    called = Called()
    called.is_called()
    rel = "Require: 100rel", CONTACT
    assert called.says(183, *rel, "RSeq: 7", body=ANSWER) == ["PRACK", "Progressed 183 with audio"]
    prack = called.request("PRACK")
    assert (prack.headers.get("rack"), prack.to.tag, prack.uri) == (
        *("7 1 INVITE", "t1", "sip:4001@192.0.2.10:5070"),
    )
    assert called.says(183, *rel, "RSeq: 7", body=ANSWER) == ["Progressed 183 with audio"]
    assert called.says(180, *rel, "RSeq: 9") == ["Progressed 180"]
    assert called.says(180, *rel, "RSeq: 8") == ["PRACK", "Progressed 180"]
    assert called.says(180, "RSeq: 1", CONTACT, tag="t2") == ["Progressed 180"]
    called.says(200, to="PRACK")
    assert called.says(200, CONTACT, body=ANSWER) == ["ACK", "Accepted"]
    # The PRACKs of the dialog have used numbers up, and the ACK bears the INVITE's.
    assert (called.request("ACK").cseq.number, prack.cseq.number) == (1, 2)


def test_an_early_dialog_takes_requests() -> None:
    called = Called()
    called.is_called()
    called.says(180, CONTACT)
    assert called.asks("UPDATE", at=0.2) == ["(request UPDATE)", "200 UPDATE", "(response 2xx)"]
    assert called.asks("BYE", at=0.3, cseq=2)[1] == "481 BYE"
    assert called.asks("UPDATE", at=0.4, tag="other", cseq=3)[1] == "481 UPDATE"


def test_the_way_back_goes_through_the_recorded_routes_in_reverse() -> None:
    called = Called()
    called.is_called()
    routes = "Record-Route: <sip:192.0.2.22;lr>, <sip:192.0.2.21:5062;lr>"
    called.says(200, CONTACT, routes, body=ANSWER)
    ack = called.request("ACK")
    assert ack.headers.all("route") == ["<sip:192.0.2.21:5062;lr>", "<sip:192.0.2.22;lr>"]
    assert (ack.uri, destinations(called)[-1]) == ("sip:4001@192.0.2.10:5070", ("192.0.2.21", 5062))


def test_a_strict_router_finds_itself_in_the_request_line() -> None:
    """RFC 3261 §12.2.1.1."""
    called = Called()
    called.is_called()
    called.says(200, CONTACT, "Record-Route: <sip:192.0.2.21:5062>", body=ANSWER)
    ack = called.request("ACK")
    assert (ack.uri, ack.headers.all("route")) == (*("sip:192.0.2.21:5062", ["<sip:4001@192.0.2.10:5070>"]),)


def test_a_preset_route_is_taken() -> None:
    called = Called()
    called.is_called(routes=("<sip:192.0.2.21;lr>",))
    assert called.request().headers.all("route") == ["<sip:192.0.2.21;lr>"]
    called.says(486)
    assert called.request("ACK").headers.all("route") == ["<sip:192.0.2.21;lr>"]


def test_an_answer_without_a_contact_can_at_least_be_ended() -> None:
    called = Called()
    called.is_called()
    assert called.says(200, body=ANSWER) == ["ACK", "Accepted"]
    assert called.sees(called.endpoint.calls.hang_up(called.session, "", 1.0)) == ["BYE"]
    assert called.request("BYE").uri == "sip:4001@192.0.2.10"


@pytest.mark.parametrize(("status", "asks", "proves"), [
    (401, "www-authenticate", "authorization"), (407, "proxy-authenticate", "proxy-authorization"),
])  # fmt: skip
def test_a_challenge_is_answered_by_who_knows_the_password(status: int, asks: str, proves: str) -> None:
    guard = Guard("trunk", b"secret", {"us": "word"}.get)
    called = Called()
    called.is_called(prover=CallProver("us", "word", lambda: "cnonce"))
    first = called.request()
    [challenge] = guard.challenges(THEM[0], 0.0)
    assert called.says(status, f"{asks}: {challenge}") == ["ACK", "INVITE"]
    again = called.request()
    assert (again.cseq.number, again.call_id, again.from_.tag) == (2, first.call_id, first.from_.tag)
    assert again.via.branch != first.via.branch
    assert guard.check(again.headers.lines(proves), "INVITE", THEM[0], 0.1) == (Proof.RIGHT, "us")
    assert called.says(200, CONTACT, body=ANSWER) == ["ACK", "Accepted"]
    assert called.request("ACK").headers.get(proves) == again.headers.get(proves)
    # Within the call it is asked again.
    called.sees(called.endpoint.calls.hang_up(called.session, "", 1.0))
    [challenge] = guard.challenges(THEM[0], 1.0)
    assert called.says(status, f"{asks}: {challenge}", to="BYE", at=1.1) == ["BYE"]
    assert guard.check(called.request("BYE").headers.lines(proves), "BYE", THEM[0], 1.2) == (
        Proof.RIGHT,
        "us",
    )
    called.says(200, to="BYE", at=1.3)
    called.is_over(60.0)


@pytest.mark.parametrize("reliable", [True, False])
def test_the_answer_of_a_183_stands_where_the_200_has_none(reliable: bool) -> None:
    """RFC 3262 §5, RFC 6337 §3.1.1: of the same To tag, and of no other fork."""
    called = Called()
    called.is_called()
    fields = ["Content-Type: application/sdp", CONTACT, *(["Require: 100rel", "RSeq: 1"] if reliable else [])]
    called.says(183, *fields, body=ANSWER, tag="t1")
    called.says(183, CONTACT, tag="t2")
    [told] = [
        output
        for output in called.endpoint.receive(called.response(200, CONTACT, tag="t1"), THEM, 1.0)
        if isinstance(output, Accepted)
    ]
    assert told.answer == ANSWER


def test_another_forks_answer_is_not_this_ones() -> None:
    called = Called()
    called.is_called()
    called.says(183, "Content-Type: application/sdp", CONTACT, body=ANSWER, tag="t1")
    [told] = [
        output
        for output in called.endpoint.receive(called.response(200, CONTACT, tag="t2"), THEM, 1.0)
        if isinstance(output, Accepted)
    ]
    assert told.answer == b""


def test_the_first_request_of_whom_we_call_may_have_number_0() -> None:
    """RFC 3261 §8.1.1.5: any number below 2**31."""
    called = Called()
    called.is_called()
    called.says(200, CONTACT, body=ANSWER)
    assert called.asks("OPTIONS", at=1.0, cseq=0)[1] == "200 OPTIONS"
    assert called.asks("INFO", at=1.1, cseq=0)[1] == "500 INFO"
    assert called.asks("BYE", at=1.2, cseq=1)[1] == "200 BYE"


def test_a_refer_of_number_0_is_the_first_of_its_dialog() -> None:
    called = Called()
    called.is_called()
    called.says(200, CONTACT, body=ANSWER)
    refer = "Refer-To: <sip:8002@198.51.100.1>"
    assert called.asks("REFER", refer, CONTACT, at=1.0, cseq=0)[-1] == "Referred"
    called.sees(called.endpoint.calls.refuse_referral(called.session, PeerError(603, "Decline"), 1.1))
    called.asks("REFER", refer, CONTACT, at=1.2, cseq=1)
    called.sees(called.endpoint.calls.accept_referral(called.session, 1.3))
    assert called.request("NOTIFY").headers.get("event") == "refer;id=1"


def test_a_wrong_password_is_not_tried_twice() -> None:
    guard = Guard("trunk", b"secret", {"us": "word"}.get)
    called = Called()
    called.is_called(prover=CallProver("us", "wrong", lambda: "cnonce"))
    [challenge] = guard.challenges(THEM[0], 0.0)
    assert called.says(401, f"www-authenticate: {challenge}") == ["ACK", "INVITE"]
    assert called.says(401, f"www-authenticate: {challenge}") == ["ACK", "Declined 401"]


def test_a_challenge_that_nobody_can_answer_ends_the_call() -> None:
    called = Called()
    called.is_called()
    assert called.says(407, 'proxy-authenticate: Digest realm="x", nonce="y"') == ["ACK", "Declined 407"]
    called.is_over(40.0)


def test_the_next_way_is_tried_where_the_first_leads_nowhere() -> None:
    ways = Hop(THEM), Hop(("192.0.2.11", 5060)), Hop(("192.0.2.12", 5060))
    called = Called()
    called.is_called(hops=ways)
    assert called.says(503) == ["ACK", "INVITE"]
    sent = [send for at, send in sends(called.endpoint, 60.0) if at > 0.1]
    assert [send.destination[0] for send in sent] == [
        *["192.0.2.11"] * 3, *["192.0.2.12"] * 7
    ], "without even 100 the next one has its turn after 5 s; the last has all of Timer B"  # fmt: skip
    assert called.endpoint.in_hand() == NOTHING


def test_a_way_that_says_trying_is_not_left() -> None:
    ways = Hop(THEM), Hop(("192.0.2.11", 5060))
    called = Called()
    called.is_called(hops=ways)
    assert called.says(100) == []
    assert [at for at, what in until(called.endpoint, 200.0) if what == "INVITE"] == []


def test_without_another_way_silence_is_waited_out() -> None:
    called = Called()
    called.is_called()
    assert "Declined 408" not in [what for at, what in until(called.endpoint, 31.0)]
    assert [what for _, what in until(called.endpoint, 33.0)][-1] == "Declined 408"


def test_where_whoever_calls_has_another_way_silence_is_told_after_five_seconds() -> None:
    called = Called()
    called.is_called(has_other_ways=True)
    done = until(called.endpoint, 20.0)
    assert (round(done[-1][0], 1), done[-1][1]) == (5.0, "Declined 408")
    assert called.endpoint.in_hand() == NOTHING


def test_a_way_that_carries_nothing_is_left_at_once() -> None:
    ways = Hop(THEM, Transport.TCP), Hop(("192.0.2.11", 5060))
    called = Called()
    called.is_called(hops=ways)
    assert called.sees(called.endpoint.failed(THEM, Transport.TCP, 0.1)) == ["INVITE"]
    assert called.sent[-1].hop == ways[1]
    assert called.request().via.transport == "UDP"


def test_nowhere_to_go() -> None:
    assert Called().is_called(hops=()) == ["Declined 503"]


def test_a_refusal_says_when_to_come_again() -> None:
    called = Called()
    called.is_called()
    called.says(486, "Retry-After: 18000;duration=3600 (at lunch)")
    outputs = called.endpoint.receive(b"", THEM, 0.2)
    assert words(outputs) == ["(dropped keepalive)"]


def test_what_nobody_can_read_does_no_harm() -> None:
    called = Called()
    called.is_called()
    assert called.says(200, tag='"') == ["ACK", "Accepted"]


@pytest.mark.parametrize(
    ("field_", "who"), [("1800;refresher=uac", "ours"), ("1800;refresher=uas", "theirs")]
)
def test_who_wants_a_session_timer_gets_it(field_: str, who: str) -> None:
    """RFC 4028 §7.2 and §10."""
    called = Called()
    called.is_called()
    called.says(200, CONTACT, f"Session-Expires: {field_}", "Allow: UPDATE", body=ANSWER)
    said = [(at, what) for at, what in until(called.endpoint, 1900.0) if what in ("UPDATE", "BYE")]
    assert said[0] == ((900.1, "UPDATE") if who == "ours" else (1768.1, "BYE"))


def test_who_knows_no_update_is_refreshed_by_a_reinvite() -> None:
    called = Called()
    called.is_called()
    called.says(200, CONTACT, "Session-Expires: 100;refresher=uac", body=ANSWER)
    called.sees(called.endpoint.tick(50.1))
    again = called.request()
    assert (again.body, again.headers.get("session-expires")) == (OFFER, "100;refresher=uac")
    assert called.says(200, CONTACT, "Session-Expires: 100;refresher=uac", at=50.2, body=ANSWER) == [
        *("ACK", "Reanswered")
    ]
    assert called.sees(called.endpoint.tick(100.3)) == ["INVITE"]


@pytest.mark.parametrize("status", [408, 481])
def test_a_refresh_finds_the_call_gone(status: int) -> None:
    called = Called()
    called.is_called()
    called.says(200, CONTACT, "Session-Expires: 100;refresher=uac", "Allow: UPDATE", body=ANSWER)
    called.sees(called.endpoint.tick(50.1))
    assert called.says(status, to="UPDATE", at=50.2) == ["BYE", "Ended gone"]


def test_a_refresh_that_is_refused_ends_nothing() -> None:
    called = Called()
    called.is_called()
    called.says(200, CONTACT, "Session-Expires: 100;refresher=uac", "Allow: UPDATE", body=ANSWER)
    called.sees(called.endpoint.tick(50.1))
    assert called.says(500, to="UPDATE", at=50.2) == []
    assert called.sees(called.endpoint.tick(80.1)) == ["UPDATE"]
