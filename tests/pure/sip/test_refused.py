"""What a refusal tells its peer and the log: what came, what would be right, and which refusals are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.errors import PeerError
from callflow.sip.address import AllowList, Transport
from callflow.sip.call_rates import CallRates
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import Counted, Output, Refused
from callflow.sip.locate import Candidate
from callflow.sip.message import Request, parse, respond
from callflow.sip.offered import why_not
from callflow.sip.refusal import FULL, NO_TRUNK, TOO_FAST, WAIT
from callflow.sip.refused import KINDS, fields_of, refused
from callflow.sip.registrar import Registrar
from callflow.sip.transaction import Send
from callflow.sip.trunks import TrunkPlan

pytestmark = pytest.mark.pure

SOURCE = ("192.0.2.7", 5060)
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"


def audio(protocol: str, formats: str, *lines: str) -> str:
    return "\r\n".join([f"m=audio 4000 {protocol} {formats}", *lines, ""])


WHY = [
    (audio("RTP/SAVP", "0 8"), 302, "SRTP only: not offered here; this side has RTP/AVP"),
    (audio("UDP/TLS/RTP/SAVPF", "111 0"), 302, "SRTP only: not offered here; this side has RTP/AVP"),
    (audio("RTP/AVPF", "0"), 302, "profile RTP/AVPF: this side has RTP/AVP"),
    (
        audio("RTP/SAVP", "0") + audio("RTP/AVPF", "0"),
        302,
        "profile RTP/SAVP, RTP/AVPF: this side has RTP/AVP",
    ),
    (
        audio("RTP/AVP", "111 9 101", "a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/8000"),
        305,
        "codecs opus, G722: this side has PCMA, PCMU",
    ),
    (audio("RTP/AVP", "18"), 305, "codecs G729: this side has PCMA, PCMU"),
    (audio("RTP/AVP", "96"), 305, "codecs 96: this side has PCMA, PCMU"),
    (
        audio("RTP/AVP", "13 101", "a=rtpmap:101 telephone-event/8000"),
        305,
        "codecs none: this side has PCMA, PCMU",
    ),
    (audio("RTP/AVP", "97", 'a=rtpmap:97 ev"il\x00/8000'), 305, "codecs none: this side has PCMA, PCMU"),
    (
        "m=video 4000 RTP/AVP 96\r\n",
        304,
        "no audio, only video: this side has RTP/AVP with PCMA or PCMU, and IPv4",
    ),
    (
        "m=audio 0 RTP/AVP 0\r\n",
        304,
        "the audio stream has port 0, so it is refused by who offers it: "
        "this side has RTP/AVP with PCMA or PCMU, and IPv4",
    ),
    (audio("RTP/AVP", "0", "c=IN IP6 2001:db8::1"), 301, "IPv6 only: this side has IPv4"),
    *(
        (
            audio("RTP/AVP", "0", f"c=IN IP4 {address}"),
            301,
            f"audio cannot be sent to {address}: this side needs the IPv4 address of one host",
        )
        for address in ("pbx.example.net", "300.1.1.1", "224.1.1.1", "255.255.255.255")
    ),
    ("", 304, "no audio: this side has RTP/AVP with PCMA or PCMU, and IPv4"),
    (audio("RTP/AVP", "0"), 301, None),
    (audio("RTP/AVP", " ".join(map(str, range(96, 128)))), 305, None),
]


@pytest.mark.parametrize(("streams", "code", "told"), WHY)
def test_the_reason_names_what_the_offer_had(streams: str, code: int, told: str | None) -> None:
    found, text = why_not((HEAD + streams).encode())
    assert found == code
    assert told is None or text == told


@given(st.binary(max_size=300) | st.text(alphabet="m=audio RTP/AVP0 9\r\n:", max_size=300).map(str.encode))
def test_the_reason_fits_a_header_field_whatever_was_offered(offer: bytes) -> None:
    code, text = why_not(offer)
    assert 300 <= code <= 305
    assert text.isprintable()
    assert text.isascii()
    assert '"' not in text
    assert len(text) < 400


def invite(body: str = "", number: str = "8001", branch: str = "1", **fields: str) -> Request:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    if body:
        more += "Content-Type: application/sdp\r\n"
    request = parse(
        (
            f"INVITE sip:{number}@192.0.2.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK{branch}\r\n"
            f"From: <sip:a@192.0.2.7>;tag=f{branch}\r\nTo: <sip:{number}@192.0.2.1>\r\nCall-ID: c{branch}\r\n"
            f"CSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.7>\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode(),
        SOURCE,
    )
    assert isinstance(request, Request)
    return request


def told(status: int, reason: str, *fields: tuple[str, str], request: Request | None = None) -> Counted:
    request = request or invite()
    return refused(Counted("response", "4xx"), request, respond(request, status, reason, *fields), SOURCE)


@pytest.mark.parametrize("status", [401, 407, 404, 408, 423, 480, 481, 482, 486, 487, 491, 600, 603])
def test_challenges_and_normal_ends_of_calls_are_no_refusals(status: int) -> None:
    assert told(status, "Whatever") == Counted("response", "4xx")


def test_a_503_says_by_its_reason_what_would_help() -> None:
    kinds = {
        reason: found.refusal
        for reason in (NO_TRUNK, FULL, TOO_FAST, WAIT, "")
        if isinstance(found := told(503, reason), Refused)
    }
    assert kinds == {
        NO_TRUNK: "trunk_failed",
        FULL: "call_limit",
        TOO_FAST: "call_rate",
        WAIT: "password_wait",
        "": "unavailable",
    }


def test_crossing_requests_are_no_refusals() -> None:
    assert told(500, "Another Request Is In Hand") == Counted("response", "4xx")
    assert isinstance(told(500, "Server Internal Error"), Refused)


@pytest.mark.parametrize(
    ("status", "fields", "asked", "kind", "came"),
    [
        (415, (), {"Content_Type": "text/html"}, "body_type", "text/html"),
        (420, (("unsupported", "gruu"),), {}, "extension", "gruu"),
        (489, (), {"Event": "presence"}, "event", "presence"),
        (488, (("warning", '305 callflow "codecs opus: no"'),), {}, "media", "codecs opus: no"),
        (400, (), {}, "malformed", ""),
    ],
)
def test_a_refusal_says_what_came(
    status: int, fields: tuple[tuple[str, str], ...], asked: dict[str, str], kind: str, came: str
) -> None:
    found = told(status, "Reason", *fields, request=invite(**asked))
    assert isinstance(found, Refused)
    assert (found.refusal, found.came, found.source, found.method) == (kind, came, SOURCE[0], "INVITE")
    assert found.refusal in KINDS


def test_the_answer_itself_bears_the_warning() -> None:
    bad = HEAD + audio("RTP/AVP", "9")
    error = PeerError(488, "Not Acceptable Here")
    assert fields_of(error, invite(bad)) == (
        ("warning", '305 callflow "codecs G722: this side has PCMA, PCMU"'),
    )
    assert fields_of(error, invite()) == ()


def endpoint(rates: CallRates) -> Endpoint:
    numbers = iter(range(100_000))
    registrar = Registrar({}, "callflow", b"secret")
    allowed = AllowList(["192.0.2.0/24"])
    return Endpoint(("192.0.2.1", 5060), registrar, allowed, lambda: f"id{next(numbers)}", rates=rates)


def called(one: Endpoint, branch: str, number: str = "8001") -> list[Output]:
    return one.receive(invite(HEAD + audio("RTP/AVP", "0"), number, branch).to_bytes(), SOURCE, 0.0)


def statuses(outputs: list[Output]) -> list[str]:
    return [output.data.split()[1].decode() for output in outputs if isinstance(output, Send)]


def test_calls_above_the_rate_get_retry_after_and_open_no_transaction() -> None:
    one = endpoint(CallRates(1.0, 2, never=frozenset({"110"})))
    assert [statuses(called(one, f"good{n}")) for n in range(2)] == [["100"], ["100"]]
    in_hand = one.in_hand()
    for n in range(500):
        _, sent, counted = called(one, f"bad{n}")
        assert isinstance(sent, Send)
        assert sent.data.startswith(b"SIP/2.0 503 ")
        assert b"\r\nRetry-After: 1\r\n" in sent.data
        assert isinstance(counted, Refused)
        assert (counted.what, counted.refusal, counted.source) == ("rejected", "call_rate", SOURCE[0])
    assert one.in_hand() == in_hand
    # The same request is answered alike, and whoever calls for help is not limited.
    assert called(one, "bad0")[1] == called(one, "bad0")[1]
    assert statuses(called(one, "help", "110")) == ["100"]


def test_a_trunk_has_no_limit() -> None:
    numbers = iter(range(100_000))
    registrar, allowed = Registrar({}, "callflow", b"secret"), AllowList(["192.0.2.0/24"])
    plans = [TrunkPlan("provider", "provider.example", keepalive=False)]
    one = Endpoint(
        ("192.0.2.1", 5060),
        registrar,
        allowed,
        lambda: f"id{next(numbers)}",
        trunks=plans,
        rates=CallRates(1.0, 1),
    )
    assert [statuses(called(one, f"before{n}")) for n in range(2)] == [["100"], ["503"]]
    one.trunks.located("provider", [Candidate(*SOURCE, Transport.UDP)], 0.0)
    assert [statuses(called(one, f"after{n}")) for n in range(9)] == [["100"]] * 9
