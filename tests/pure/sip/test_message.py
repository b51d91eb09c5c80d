"""Messages to values and back, however the peer writes them; and nothing that a peer sends raises."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.errors import PeerError
from callflow.sip.fields import Headers
from callflow.sip.happenings import Invited
from callflow.sip.message import NotSip, Request, Response, parse, respond
from tests.support.sip_phone import THEM, Phone, until

pytestmark = pytest.mark.pure

PLAIN = (
    b"OPTIONS sip:4001@192.0.2.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bK1;rport\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK0\r\n"
    b'From: "A, B" <sip:1001@192.0.2.10>;tag=f\r\n'
    b"To: <sip:4001@192.0.2.1>\r\n"
    b"Call-ID: one\r\n"
    b"CSeq: 7 OPTIONS\r\n"
    b"Content-Length: 4\r\n\r\nbody"
)


def request(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def test_what_is_written_is_what_was_read() -> None:
    message = request(PLAIN)
    assert message.to_bytes() == PLAIN
    assert request(message.to_bytes()) == message
    assert (message.method, message.uri, message.body) == ("OPTIONS", "sip:4001@192.0.2.1", b"body")
    assert (message.call_id, message.cseq.number, message.cseq.method) == ("one", 7, "OPTIONS")
    assert (message.from_.display, message.from_.tag, message.to.tag) == ("A, B", "f", "")
    assert message.via.branch == "z9hG4bK1"
    assert len(message.headers.all("via")) == 2


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.replace(b"\r\n", b"\n"),
        PLAIN.replace(b"Via:", b"v :").replace(b"From:", b"F:").replace(b"To:", b"t:"),
        PLAIN.replace(b"Call-ID:", b"i:").replace(b"Content-Length:", b"l:"),
        PLAIN.replace(b"Call-ID", b"CALL-id").replace(b"CSeq: 7 ", b"cseq:\t7\t"),
        PLAIN.replace(b"branch=z9hG4bK1;", b"branch=z9hG4bK1\r\n ;"),
        PLAIN.replace(b"From:", b"From:\r\n\t"),
        PLAIN.replace(b"rport\r\nVia:", b"rport,"),
        PLAIN.replace(b"SIP/2.0/UDP 192.0.2.10:5070;", b"SIP / 2.0 / UDP\t192.0.2.10 : 5070 ; "),
    ],
    ids=["LF", "compact", "compact-2", "case", "folded", "folded-2", "list", "spaces"],
)
def test_all_ways_of_writing_mean_the_same(data: bytes) -> None:
    assert data != PLAIN
    plain, other = request(PLAIN), request(data)
    assert (other.via, other.from_, other.to, other.cseq) == (plain.via, plain.from_, plain.to, plain.cseq)
    assert (other.call_id, other.body) == (plain.call_id, plain.body)
    assert len(other.headers.all("via")) == 2


def test_bytes_that_are_no_utf8_come_out_as_they_came_in() -> None:
    odd = PLAIN.replace(b'"A, B"', b'"J\xf6rg \xff"').replace(b"one", b"\xfe\xed")
    assert request(odd).to_bytes() == odd
    answer = respond(request(odd), 200, "OK", to_tag="t").to_bytes()
    assert b'From: "J\xf6rg \xff" <sip:1001@192.0.2.10>;tag=f\r\n' in answer
    assert b"Call-ID: \xfe\xed\r\n" in answer


def test_the_body_is_cut_to_its_length() -> None:
    assert request(PLAIN + b" and more").body == b"body"
    assert request(PLAIN.replace(b"Length: 4", b"Length: 9")).body == b"body"
    assert request(PLAIN.replace(b"Length: 4", b"Length: -4")).body == b"body"
    assert request(PLAIN.replace(b"Length: 4", b"Length: 4" + b"0" * 5000)).body == b"body"
    assert request(PLAIN.replace(b"\r\n", b"\n").replace(b"4\n\nbody", b"9\n\na\r\n\r\nbody")).body == (
        b"a\r\n\r\nbody"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"INVITE sip:a HTTP/1.1\r\n\r\n",
        b"IN(VITE sip:a SIP/2.0\r\n\r\n",
        b"SIP/2.0 99 Low\r\n\r\n",
        b"SIP/2.0 700 High\r\n\r\n",
        b"SIP/2.0 \xc2\xb2\xc2\xb2\xc2\xb2 Odd\r\n\r\n",
        b"\x80\x00\x01\x02" + bytes(160),
    ],
)
def test_what_is_no_sip(data: bytes) -> None:
    with pytest.raises(NotSip):
        parse(data)


def test_a_missing_or_empty_field_is_the_peers_fault() -> None:
    for via in (b"Via: ,\r\n", b"Via:\r\n", b"Via: SIP/2.0/UDP\r\n", b"Via: HTTP/1.1/UDP a\r\n", b""):
        with pytest.raises(PeerError, match="400"):
            _ = request(b"OPTIONS sip:a SIP/2.0\r\n" + via + b"\r\n").via


def test_the_frame_of_an_answer() -> None:
    answer = respond(request(PLAIN), 200, "OK", ("allow", "ACK"), to_tag="mine", body=b"x")
    head, _, body = answer.to_bytes().partition(b"\r\n\r\n")
    assert body == b"x"
    assert head.decode().split("\r\n") == [
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bK1;rport",
        "Via: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK0",
        'From: "A, B" <sip:1001@192.0.2.10>;tag=f',
        "To: <sip:4001@192.0.2.1>;tag=mine",
        "Call-ID: one",
        "CSeq: 7 OPTIONS",
        "Allow: ACK",
        "Content-Length: 1",
    ]
    assert isinstance(parse(answer.to_bytes()), Response)
    tagged = request(PLAIN.replace(b".1>\r\n", b".1> ; Tag = theirs\r\n"))
    assert respond(tagged, 200, "OK", to_tag="mine").to.tag == "theirs"
    other = request(PLAIN.replace(b".1>\r\n", b".1>;x=1\r\n"))
    assert respond(other, 200, "OK", to_tag="mine").to.params == {"x": "1", "tag": "mine"}
    assert Headers([("v", "1")]) == Headers([("Via", "1")])


def test_what_we_answer_can_be_read_as_what_peers_write() -> None:
    answer = respond(request(PLAIN), 200, "OK", ("X-Odd", ""), ("allow", "ACK"), to_tag="mine")
    heard = parse(answer.to_bytes())
    assert (answer.headers, answer.to.tag, answer.via) == (heard.headers, "mine", heard.via)
    assert (answer.headers.get("x-odd"), answer.headers.lines("via")) == ("", heard.headers.lines("via"))
    assert respond(request(PLAIN), 100, "Trying").to.tag == ""


@pytest.mark.parametrize(
    ("params", "seen"),
    [
        ("rport;branch=z9hG4bK1", "rport=5070;received=192.0.2.9;branch=z9hG4bK1"),
        ("branch=z9hG4bK1", "branch=z9hG4bK1;received=192.0.2.9"),
        ("rportx=1;rport", "rportx=1;rport=5070;received=192.0.2.9"),
        ("rport;rportx=1", "rport=5070;rportx=1;received=192.0.2.9"),
        ("received=192.0.2.1;rport", "received=192.0.2.9;rport=5070"),
        ("rport, SIP/2.0/UDP b;rport", "rport=5070;received=192.0.2.9, SIP/2.0/UDP b;rport"),
    ],
)
def test_the_topmost_via_tells_where_it_was_seen(params: str, seen: str) -> None:
    data = f"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;{params}\r\nVia: SIP/2.0/UDP c;rport\r\n\r\n"
    asked = parse(data.encode(), ("192.0.2.9", 5070))
    assert isinstance(asked, Request)
    vias = respond(asked, 200, "OK").headers.lines("via")
    assert vias == [f"SIP/2.0/UDP a;{seen}", "SIP/2.0/UDP c;rport"]


def test_the_same_to_is_read_once_and_its_tags_are_its_own() -> None:
    tagged = PLAIN.replace(b".1>\r\n", b".1>;tag=theirs\r\n")
    assert [request(data).to.tag for data in (PLAIN, tagged, PLAIN)] == ["", "theirs", ""]
    assert request(PLAIN).to is request(PLAIN).to


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"x"]), max_size=12).map(b"".join))
def test_the_body_begins_behind_the_first_empty_line(data: bytes) -> None:
    data = b"OPTIONS sip:a SIP/2.0\r\nX: y" + data
    blank = re.search(rb"\r?\n\r?\n", data)
    assert request(data).body == (data[blank.end() :] if blank else b"")


@pytest.mark.parametrize(
    "flood",
    [b"X: y\r\n" * 4000, b"v: a,b,c\r\n" * 4000, b" ,\r\n" * 10_000, b"Contact: " + b'<",' * 20_000],
)
def test_a_flood_of_fields_is_cheap(flood: bytes) -> None:
    phone = Phone()
    data = phone.request("INVITE").replace(b"Max-Forwards", flood + b"\r\nMax-Forwards")
    began = time.process_time()
    phone.endpoint.receive(data, THEM, 0.0)
    assert time.process_time() - began < 0.1
    again = Phone(phone.endpoint, call_id="another")
    assert again.says(again.request("INVITE"), 0.0)[-1] == "Invited 1001 -> 4001"


GOOD = [
    Phone(to_tag=tag).request(method) for method in ("INVITE", "BYE", "ACK", "CANCEL") for tag in ("", "t")
]
GOOD += [Phone().request("REGISTER", 'Authorization: Digest username="1001", realm="callflow", nonce="1.x"')]
GOOD += [PLAIN, b"SIP/2.0 200 OK" + PLAIN[PLAIN.index(b"\r\n") :]]
PIECES = st.sampled_from(
    [
        b"",
        b"\r\n",
        b"\n",
        b";",
        b",",
        b":",
        b"<",
        b">",
        b'"',
        b"=",
        b"\\",
        b"\x00",
        b"\xff",
        b"\xc2\xb2",
        b" ",
        b"99999999",
        b"-1",
        b"SIP/2.0",
        b"tel:",
        b"*",
        b"@",
        b"[",
        b"z9hG4bK",
        b";tag=",
        b"Via: ",
        b"9" * 5000,
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good message in which a few pieces have been put in the place of others."""
    data = draw(st.sampled_from(GOOD))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(PIECES) + data[at + draw(st.integers(0, 12)) :]
    return data


@settings(max_examples=400, deadline=None)
@given(st.lists(mutated() | st.binary(max_size=300), min_size=1, max_size=4))
def test_nothing_that_a_peer_sends_raises_or_stays(datagrams: list[bytes]) -> None:
    phone = Phone()
    phone.talks()
    outputs = [output for data in datagrams for output in phone.endpoint.receive(data, THEM, 1.0)]
    again = Phone(phone.endpoint, call_id="the-next", from_tag="good")
    assert again.says(again.request("INVITE"), 2.0)[-1] == "Invited 1001 -> 4001"
    sessions = [output.session for output in outputs if isinstance(output, Invited)]
    for session in [*sessions, phone.session, again.session]:
        phone.endpoint.calls.hang_up(session, "", 3.0)
    until(phone.endpoint, 3.0 + 64.0)
    assert phone.endpoint.in_hand() == {"transactions": 0, "sessions": 0}


def test_a_folded_length_spoils_no_other_field() -> None:
    message = parse(Phone().request("BYE").replace(b"Content-Length: 0", b"l:\r\n 0"))
    assert isinstance(message, Request)
    assert message.whole
    assert message.headers.get("contact") == "<sip:1001@192.0.2.10:5070>"
