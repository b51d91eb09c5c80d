"""What the endpoint makes of requests that are no call: refused, sent back by the right way, or unheard."""

import re
from typing import Any

import pytest

from callflow.sip import transactions
from callflow.sip.address import AllowList, is_sendable
from callflow.sip.happenings import Invited
from callflow.sip.identity import identity
from callflow.sip.message import Request, Response, parse
from callflow.sip.transaction import Send
from tests.support.sip_phone import ANSWER, OFFER, THEM, Phone, until

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("fields", "change", "status", "header"),
    [
        (["Require: 100rel, foo", "Require: bar"], {}, 420, ("unsupported", "foo, bar")),
        (["Content-Type: text/plain"], {}, 415, ("accept", "application/sdp")),
        ([], {"uri": "http://example.com"}, 416, None),
        ([], {"uri": "sip:"}, 400, None),
        (["Contact: <sip:second@192.0.2.10>"], {}, 400, None),
        (["Record-Route: nonsense"], {}, 400, None),
        ([], {"to_tag": "unknown"}, 481, None),
    ],
)
def test_an_invite_that_cannot_be_taken(
    fields: list[str], change: dict[str, Any], status: int, header: tuple[str, str] | None
) -> None:
    phone = Phone()
    said = phone.says(phone.request("INVITE", *fields, **change), 0.0)
    assert said[:3] == ["(request INVITE)", f"{status} INVITE", f"(response {status // 100}xx)"]
    if header:
        assert phone.response.headers.get(header[0]) == header[1]
    assert phone.response.to.tag
    assert phone.says(phone.request("ACK"), 0.1) == ["(request ACK)"]
    assert until(phone.endpoint, 40.0) == []
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}


def test_the_same_invite_by_another_way_is_a_loop() -> None:
    phone = Phone()
    phone.calls()
    assert phone.says(phone.request("INVITE", branch="by-another-way"), 0.1)[1] == "482 INVITE"


def test_draining_refuses_new_calls_and_keeps_those_that_stand() -> None:
    phone = Phone()
    phone.talks()
    phone.endpoint.calls.draining = True
    late = Phone(phone.endpoint, call_id="late")
    assert late.says(late.request("INVITE"), 1.0) == [
        *("(request INVITE)", "503 INVITE", "(response 5xx)", "(rejected 503)")
    ]
    assert late.response.headers.get("retry-after") == "30"
    assert late.says(late.request("OPTIONS", cseq=2, to_tag=""), 1.0)[1] == "503 OPTIONS"
    assert phone.says(phone.request("OPTIONS", cseq=2), 1.0)[1] == "200 OPTIONS"
    assert phone.says(phone.request("INVITE", cseq=3), 1.0)[-1] == "Reoffered"


def test_methods_that_are_answered_without_a_call() -> None:
    phone = Phone()
    assert phone.says(phone.request("OPTIONS"), 0.0) == ["(request OPTIONS)", "200 OPTIONS", "(response 2xx)"]
    allow = phone.response.headers.get("allow")
    assert allow == "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, PRACK, UPDATE, REFER"
    assert phone.says(phone.request("MESSAGE", cseq=2), 0.0)[:2] == ["(request MESSAGE)", "405 MESSAGE"]
    assert phone.response.headers.get("allow") == allow
    assert phone.says(phone.request("FOOBAR", cseq=3), 0.0)[:2] == ["(request other)", "501 FOOBAR"]
    for number, method in enumerate(("OPTIONS", "INFO", "FOOBAR"), start=4):
        assert phone.says(phone.request(method, cseq=number, to_tag="x"), 0.0)[1] == f"481 {method}"
    assert phone.says(phone.request("ACK", cseq=9), 0.0) == ["(request ACK)", "(odd stray_ack)"]
    assert until(phone.endpoint, 32.0) == []
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"CSeq: 1 OPTIONS", b"CSeq: 1 BYE"),
        (b"CSeq: 1 OPTIONS", b"CSeq: 4294967296 OPTIONS"),
        (b"CSeq: 1 OPTIONS", b"CSeq: \xc2\xb2 OPTIONS"),
        (b"CSeq: 1 OPTIONS", b"CSeq: " + b"9" * 5000),
        (b";tag=from-1", b""),
        (b"Call-ID: call-1\r\n", b""),
        (b"From: <", b"From: >"),
        (b"From: <sip:1001@192.0.2.10>", b"From: <sip:1001@192.0.2.10"),
    ],
)
def test_what_is_malformed_is_answered_400(was: bytes, becomes: bytes) -> None:
    phone = Phone()
    good = phone.request("OPTIONS")
    assert was in good
    assert phone.says(good.replace(was, becomes), 0.0)[1].startswith("400")
    ack = phone.request("ACK", cseq=2).replace(b"From: <", b"From: >")
    assert phone.says(ack, 0.0) == ["(request ACK)", "(dropped malformed)"]


@pytest.mark.parametrize("port", ["0", "65536", "99999999", "-1", "x", "9" * 5000])
def test_an_impossible_via_port_is_counted_and_nothing_is_sent(port: str) -> None:
    phone = Phone(via=f"192.0.2.10:{port};rport")
    assert phone.says(phone.request("INVITE"), 0.0) == ["(request INVITE)", "(dropped bad_via)"]
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}
    good = Phone(phone.endpoint)
    assert good.says(good.request("INVITE"), 0.0)[-1] == "Invited 1001 -> 4001"


@pytest.mark.parametrize(
    ("via", "destination", "seen"),
    [
        ("10.0.0.9:5062;rport", ("192.0.2.10", 5070), {"rport": "5070", "received": "192.0.2.10"}),
        ("10.0.0.9:5062", ("192.0.2.10", 5062), {"received": "192.0.2.10"}),
        ("192.0.2.10", ("192.0.2.10", 5060), {}),
        ("phone.example.com ; rport = 1", ("192.0.2.10", 5070), {"rport": "5070", "received": "192.0.2.10"}),
    ],
)
def test_answers_go_back_by_the_way_the_via_tells(
    via: str, destination: tuple[str, int], seen: dict[str, str]
) -> None:
    phone = Phone(via=via)
    phone.says(phone.request("OPTIONS"), 0.0)
    assert phone.sent[-1].destination == destination
    params = dict(phone.response.via.params)
    assert params.pop("branch") == "z9hG4bKcall-1-1"
    assert params == seen


def test_every_via_comes_back_and_only_the_topmost_is_changed() -> None:
    phone = Phone()
    data = phone.request("OPTIONS").replace(b"Max-Forwards", b'v: SIP/2.0/TCP a:1;x="1, 2"\r\nMax-Forwards')
    phone.says(data, 0.0)
    vias = [value for name, value in phone.response.headers if name == "via"]
    assert vias[1:] == ['SIP/2.0/TCP a:1;x="1, 2"']
    assert "received=192.0.2.10" in vias[0]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "FOOBAR"])
def test_who_is_not_allowed_hears_nothing(method: str) -> None:
    phone = Phone(source=("203.0.113.5", 5060))
    assert phone.says(phone.request(method), 0.0) == ["(dropped not_allowed)"]
    assert phone.endpoint.deadline is None


def test_keepalives_noise_and_strange_answers_are_counted() -> None:
    phone = Phone()
    for keepalive in (b"", b"\r\n\r\n", b"\0\0\0\0"):
        assert phone.says(keepalive, 0.0) == ["(dropped keepalive)"]
    assert phone.says(b"\x80\x00" * 80, 0.0) == ["(dropped not_sip)"]
    assert phone.says(b"SIP/2.0 200 OK\r\n\r\n", 0.0) == ["(dropped malformed)"]
    stray = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKnone\r\nCSeq: 1 BYE\r\n\r\n"
    assert phone.says(stray, 0.0) == ["(dropped stray_response)"]


def test_a_peers_name_that_is_no_utf8_can_be_shown() -> None:
    phone = Phone()
    assert phone.says(phone.request("INVITE").replace(b"1001@", b"\xff01@"), 0.0)[-1] == (
        "Invited \ufffd01 -> 4001"
    )
    sent = phone.endpoint.calls.answer(phone.session, ANSWER, 0.0)[0]
    assert isinstance(sent, Send)
    assert b"<sip:\xff01@" in sent.data
    assert isinstance(parse(sent.data), Response)


def test_addresses_that_no_socket_would_take() -> None:
    assert is_sendable("192.0.2.1", 1)
    assert is_sendable("192.0.2.1", 65535)
    for host, port in [("192.0.2.1", 0), ("192.0.2.1", 65536), ("0.0.0.0", 5060), ("224.0.0.1", 5060)]:
        assert not is_sendable(host, port)
    assert not is_sendable("phone.example.com", 5060)
    assert not is_sendable("255.255.255.255", 5060)
    with pytest.raises(ValueError, match="Expected 4 octets"):
        AllowList(["nonsense"])


@pytest.mark.parametrize(
    ("was", "becomes", "status"),
    [
        (b"Max-Forwards: 70", b"Max-Forwards: 255", 200),
        (b"Max-Forwards: 70", b"Max-Forwards: 0", 200),
        (b"Max-Forwards: 70\r\n", b"", 200),
        (b"Max-Forwards: 70", b"Max-Forwards: 256", 400),
        (b"Max-Forwards: 70", b"Max-Forwards: many", 400),
        (b"Max-Forwards: 70", b"Max-Forwards: " + b"9" * 5000, 400),
        (b"Max-Forwards: 70", b"Max-Forwards: 70\r\nMax-Forwards: 70", 400),
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia", 505),
        (b"SIP/2.0\r\nVia", b"sip/2.0\r\nVia", 200),
        (b"Content-Length: 0\r\n\r\n", b"Content-Length: 16384\r\n\r\n" + bytes(16_384), 200),
        (b"Content-Length: 0\r\n\r\n", b"Content-Length: 16385\r\n\r\n" + bytes(16_385), 413),
        (b"Max-Forwards", b"X: " + b"y" * 33_000 + b"\r\nMax-Forwards", 513),
        (b"Content-Length: 0\r\n\r\n", b"Content-Length: 3\r\n\r\nab", 400),
        (b"Content-Length: 0\r\n\r\n", b"l: 2\r\nl: 2\r\n\r\nab", 200),
        (b"Content-Length: 0\r\n\r\n", b"l: 2\r\nl: 1\r\n\r\nab", 400),
    ],
)
def test_versions_hops_and_sizes(was: bytes, becomes: bytes, status: int) -> None:
    phone = Phone()
    good = phone.request("OPTIONS")
    assert was in good
    assert phone.says(good.replace(was, becomes, 1), 0.0)[1] == f"{status} OPTIONS"


def test_a_full_table_refuses_what_is_new_and_keeps_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "MOST", 2)
    phone = Phone()
    phone.talks()
    assert phone.says(phone.request("OPTIONS", cseq=2), 1.0)[1] == "200 OPTIONS"
    late = Phone(phone.endpoint, call_id="late")
    for method in ("INVITE", "OPTIONS"):
        assert late.says(late.request(method), 1.0)[1:] == [f"503 {method}", "(rejected 503)"]
        assert late.response.headers.get("retry-after") == "3"
    assert late.says(late.request("ACK"), 1.0) == ["(request ACK)", "(odd stray_ack)"]
    assert phone.endpoint.in_hand() == {"transactions": 2, "sessions": 1}
    until(phone.endpoint, 40.0)
    assert late.says(late.request("INVITE", cseq=2, to_tag=""), 40.0)[-1] == "Invited 1001 -> 4001"


def test_a_flood_outside_of_calls_leaves_room_for_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "MOST", 40)
    flood = Phone(call_id="flood")
    told = [flood.says(flood.request("OPTIONS", cseq=n, to_tag=""), 0.0)[1] for n in range(1, 60)]
    assert told == ["200 OPTIONS"] * 30 + ["503 OPTIONS"] * 29
    phone = Phone(flood.endpoint, call_id="call")
    phone.talks()
    assert phone.says(phone.request("OPTIONS", cseq=2), 1.0)[1] == "200 OPTIONS"


PARTS = (
    b"preamble\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
    b"--b\r\nContent-ID: 1\r\ncontent-type : Application/SDP;x=y\r\n\r\n" + OFFER + b"--b--\r\n"
)


def test_a_description_may_be_one_part_of_many() -> None:
    phone = Phone()
    mixed = 'Content-Type: multipart/mixed; boundary="b"'
    assert phone.says(phone.request("INVITE", mixed, body=PARTS), 0.0)[-1] == "Invited 1001 -> 4001"
    assert phone.outputs[-1] == Invited(phone.session, "1001", "4001", OFFER, THEM[0])
    for number, (kind, body) in enumerate(
        [
            (mixed, PARTS.replace(b"Application/SDP", b"application/isup")),
            ("Content-Type: multipart/mixed", PARTS),
            (mixed, b"no boundary"),
            (mixed, b"--b\r\nContent-Type: application/sdp"),
        ]
    ):
        other = Phone(phone.endpoint, call_id=f"other-{number}")
        assert other.says(other.request("INVITE", kind, body=body), 0.0)[1] == "415 INVITE"
    packed = Phone(phone.endpoint, call_id="packed")
    assert packed.says(packed.request("INVITE", "e: gzip"), 0.0)[1] == "415 INVITE"
    assert packed.response.headers.get("accept-encoding") == "identity"


OPTIONAL = "Content-Disposition: signal;handling=optional"
MIXED = 'Content-Type: multipart/mixed; boundary="b"'
ISUP = b"--b\r\nContent-Type: application/isup\r\nContent-Disposition: signal;%s\r\n\r\n\x01\r\n"
XML = b"--b\r\ncontent-type: text/xml\r\ncontent-disposition : render ; Handling=Optional\r\n\r\n<x/>\r\n"


@pytest.mark.parametrize(
    ("fields", "body", "status"),
    [
        (["Content-Type: application/isup", OPTIONAL], b"\x01", 200),
        (
            ["Content-Type: application/isup", OPTIONAL.replace("handling", "HANDLING"), "e: gzip"],
            b"\x01",
            200,
        ),
        ([MIXED], ISUP % b"handling=optional" + XML + b"--b--\r\n", 200),
        (["Content-Type: application/isup", OPTIONAL.replace("optional", "required")], b"\x01", 415),
        (["Content-Type: application/isup"], b"\x01", 415),
        ([MIXED], ISUP % b"handling=required" + XML + b"--b--\r\n", 415),
        ([MIXED], b"nothing", 415),
    ],
)
def test_an_optional_body_or_part_without_sdp_is_passed_over(
    fields: list[str], body: bytes, status: int
) -> None:
    """Gateways send ISUP beside nothing else (RFC 3204 §4): the call is one without an offer."""
    phone = Phone()
    said = phone.says(phone.request("INVITE", *fields, body=body), 0.0)
    if status == 415:
        assert said[1] == "415 INVITE"
    else:
        assert phone.outputs[-1] == Invited(phone.session, "1001", "4001", b"", THEM[0])


def test_an_optional_part_beside_the_sdp_changes_nothing() -> None:
    phone = Phone()
    body = PARTS.replace(b"--b\r\nContent-ID", ISUP % b"handling=optional" + b"--b\r\nContent-ID")
    phone.says(phone.request("INVITE", MIXED, body=body), 0.0)
    assert phone.outputs[-1] == Invited(phone.session, "1001", "4001", OFFER, THEM[0])


@pytest.mark.parametrize(
    ("uri", "called"), [("sip:%34%30%301@h", "4001"), ("sip:%2A53@h", "*53"), ("sip:a%00b@h", "a%00b")]
)
def test_an_escaped_user_is_the_same_user(uri: str, called: str) -> None:
    """RFC 3261 §19.1.4; what would be a control character stays escaped."""
    phone = Phone()
    field = "P-Asserted-Identity: <sip:%31001;phone-context=x@h>"
    phone.says(phone.request("INVITE", field, uri=uri), 0.0)
    assert phone.outputs[-1] == Invited(phone.session, "1001", called, OFFER, THEM[0])


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("Contact: <sip:1001@192.0.2.10>;;", 400),
        ("Contact: <sip:1001@192.0.2.10>;a=1;;b", 400),
        ("Contact: <sip:1001@192.0.2.10>,", 400),
        ("Contact: , <sip:1001@192.0.2.10>", 400),
        ("Contact: <sip:1001@192.0.2.10>;", 180),
        ('Contact: "a;;b,,c" <sip:1,,1;;@192.0.2.10>;a', 180),
    ],
)
def test_between_two_separators_something_stands(field: str, status: int) -> None:
    """RFC 4475 §3.1.2.1; one at the end is what some phones write."""
    phone = Phone()
    invite = re.sub(rb"Contact: [^\r]*", field.encode(), phone.request("INVITE"))
    said = phone.says(invite, 0.0)
    assert said[-1] == ("Invited 1001 -> 4001" if status == 180 else "(rejected 400)")


@pytest.mark.parametrize(
    ("fields", "caller", "told"),
    [
        ([], "1001", ("", False, "")),
        (['P-Asserted-Identity: "Jo C" <sip:+1408;x=y@h>, <tel:+1415>'], "+1408", ("Jo C", False, "")),
        (["P-Asserted-Identity: isbn:1, tel:+1415", "P-Preferred-Identity: tel:5"], "+1415", ("", False, "")),
        (["P-Preferred-Identity: <sip:5@h>"], "5", ("", False, "")),
        (["P-Asserted-Identity: <", "Privacy: none"], "1001", ("", False, "")),
        (["Privacy: user; ID"], "1001", ("", True, "")),
        (["Diversion: <sip:4444@h>;reason=user-busy, <sip:3333@h>"], "1001", ("", False, "4444")),
        (["P-Asserted-Identity: <sip:proxy.example.com>"], "proxy.example.com", ("", False, "")),
    ],
)  # fmt: skip
def test_who_calls(fields: list[str], caller: str, told: tuple[str, bool, str]) -> None:
    phone = Phone()
    phone.says(phone.request("INVITE", *fields), 0.0)
    assert phone.outputs[-1] == Invited(phone.session, caller, "4001", OFFER, THEM[0], *told)
    assert caller not in repr(identity(parsed(phone.request("INVITE", *fields))))


def parsed(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


ANSWERED = (
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKnone\r\nFrom: <sip:us@198.51.100.1>;tag=old\r\n"
    "To: <sip:seat@192.0.2.10>;tag=phone\r\nCall-ID: of-an-earlier-life\r\nCSeq: 3 INVITE\r\n"
    "Contact: <sip:seat@192.0.2.10:5070>\r\n\r\n"
)


def test_a_phone_that_an_earlier_life_has_rung_is_not_left_in_silence() -> None:
    phone = Phone()
    answered = ANSWERED.format(via="198.51.100.1:5060").encode()
    assert phone.says(answered, 0.0) == ["(dropped stray_response)", "ACK", "BYE"]
    ack, bye = (parse(send.data) for send in phone.sent)
    assert isinstance(ack, Request)
    assert isinstance(bye, Request)
    assert (str(ack.cseq), ack.to.tag, ack.from_.tag) == ("3 ACK", "phone", "old")
    assert (bye.uri, bye.cseq.number > 3) == ("sip:seat@192.0.2.10:5070", True)


def test_an_answer_to_somebody_else_or_of_a_call_that_stands_ends_nothing() -> None:
    phone = Phone()
    elsewhere = ANSWERED.format(via="203.0.113.9:5060").encode()
    assert phone.says(elsewhere, 0.0) == ["(dropped stray_response)"]
    phone.talks()
    late = ANSWERED.format(via="198.51.100.1:5060").replace("of-an-earlier-life", "call-1")
    assert phone.says(late.replace("tag=phone", "tag=from-1").encode(), 1.0) == ["(dropped stray_response)"]
