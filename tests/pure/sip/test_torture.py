"""The torture tests of RFC 4475, retyped: what is answered to each, under its name there.

Hosts and bodies are shortened; what tortures is kept. Where the RFC leaves the choice, the line says so.
"""

import pytest

from tests.support.sip_phone import OFFER, THEM, Phone, new_endpoint, until, words

pytestmark = pytest.mark.pure

FRAME = {
    "Via": "SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bKtorture",
    "Max-Forwards": "70",
    "To": "<sip:user@example.com>",
    "From": "<sip:caller@example.net>;tag=938",
    "Call-ID": "torture@example.net",
    "CSeq": "8 {method}",
    "Contact": "<sip:caller@host5.example.net>",
}
WSINV = (
    b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
    b"MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\n"
    b"Content-Length   : 4\r\ncseq: 0009\r\n  INVITE\r\n"
    b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\n"
    b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
    b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\n"
    b"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
    b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
    b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
    b'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n'
    b"  secondparam ; q = 0.33\r\n\r\nv=0\n"
)
STRANGE = "!interesting-Method0123456789_*+`.%indeed'~"
STRANGE_URI = (
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@e.com"
)


def message(method: str, uri: str = "sip:user@example.com", body: bytes = b"", **changes: str) -> bytes:
    """A request in proper form but for `changes`; an empty value leaves the header field out."""
    fields = {**FRAME, "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value.replace('{method}', method)}" for name, value in fields.items() if value]
    return "\r\n".join([f"{method} {uri} SIP/2.0", *lines, "", ""]).encode() + body


def with_line(data: bytes, *lines: str) -> bytes:
    return data.replace(b"\r\n\r\n", b"".join(b"\r\n" + line.encode() for line in lines) + b"\r\n\r\n", 1)


INVITE = message("INVITE", body=OFFER, Content_Type="application/sdp")
OPTIONS = message("OPTIONS")
REGISTER = message("REGISTER")
CASES = {
    # 3.1.1, valid
    "wsinv (in a dialog that is not ours)": (WSINV, "481 INVITE"),
    "wsinv (without its To tag)": (WSINV.replace(b"tag    = 1918181833n", b"x"), "Invited jdrosen -> vivekg"),
    "intmeth": (
        message(
            STRANGE,
            STRANGE_URI,
            Via="SIP/2.0/TCP 192.0.2.10;branch=z9hG4bK-.!%66*_+`'~",
            To=f'"BEL:\x07 NUL:\x00 DEL:\x7f" <{STRANGE_URI}>',
            From="token1~` token2'+_ token3*%!.- <sip:mundane@e.com>;from''~+*_!.-%=\"работа\";tag=_t'+`",
            Call_ID="intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
        ),
        f"501 {STRANGE}",
    ),
    "esc01": (
        INVITE.replace(b"sip:user@", b"sip:sips%3Auser%40example.com@").replace(
            b"sip:caller@example.net", b"sip:I%20have%20spaces@example.net"
        ),
        "Invited I have spaces -> sips:user@example.com",
    ),
    "escnull": (REGISTER.replace(b"sip:user@", b"sip:null-%00-null@"), "401 REGISTER"),
    "esc02": (message("RE%47IST%45R"), "501 RE%47IST%45R"),
    "lwsdisp": (message("OPTIONS", From="caller<sip:caller@example.com>;tag=323"), "200 OPTIONS"),
    "longreq": (
        with_line(INVITE, f"Unknown-{'Long' * 20}: {'long-value ' * 30}", f"Subject: {'x' * 500}"),
        "Invited caller -> user",
    ),
    "dblreq": (REGISTER + INVITE, "401 REGISTER"),
    "semiuri": (message("OPTIONS", "sip:user;par=u%40example.net@example.com"), "200 OPTIONS"),
    "transports": (
        with_line(OPTIONS, "Via: SIP/2.0/SCTP a;branch=z9hG4bK1", "Via: SIP/2.0/UNKNOWN b;branch=z9hG4bK2"),
        "200 OPTIONS",
    ),
    "mpart01": (message("MESSAGE", body=b"--x", Content_Type="multipart/mixed;boundary=x"), "405 MESSAGE"),
    "unreason": (
        OPTIONS.replace(b"OPTIONS sip:user@example.com SIP/2.0", "SIP/2.0 200 = 2**3 * 5**2 но".encode()),
        "(dropped stray_response)",
    ),
    "noreason": (
        OPTIONS.replace(b"OPTIONS sip:user@example.com SIP/2.0", b"SIP/2.0 100 "),
        "(dropped stray_response)",
    ),
    # 3.1.2, invalid
    "badinv01 (Via)": (INVITE.replace(b"torture\r\n", b"torture;;,;,,\r\n"), "400 INVITE"),
    "badinv01 (Contact)": (
        INVITE.replace(b"<sip:caller@host5.example.net>", b'"Joe" <sip:joe@example.org>;;;;'), "400 INVITE"
    ),
    "clerr": (INVITE.replace(b"Length: 1", b"Length: 99991"), "400 INVITE"),
    "ncl": (INVITE.replace(b"Length: ", b"Length: -"), "400 INVITE"),
    "scalar02 (CSeq)": (message("REGISTER", CSeq="36893488147419103232 REGISTER"), "400 REGISTER"),
    "scalar02 (Max-Forwards)": (message("REGISTER", Max_Forwards="300"), "400 REGISTER"),
    "scalarlg": (
        message("OPTIONS", CSeq=f"{'9' * 20} OPTIONS").replace(
            b"OPTIONS sip:user@example.com SIP/2.0", b"SIP/2.0 503 x"
        ),
        "(dropped malformed)",
    ),
    "quotbal": (message("INVITE", To='"Mr. J. User <sip:j.user@example.com>'), "400 INVITE"),
    "ltgtruri": (message("INVITE", "<sip:user@example.com>"), "400 INVITE"),
    "lwsruri": (message("INVITE", "sip:user@example.com; lws=test"), "400 INVITE"),
    "lwsstart": (message("INVITE", " sip:user@example.com "), "400 INVITE"),
    "trws (may be accepted)": (OPTIONS.replace(b"SIP/2.0\r\nVia", b"SIP/2.0  \r\nVia"), "200 OPTIONS"),
    "escruri (may be ignored)": (
        INVITE.replace(b"sip:user@example.com ", b"sip:user@example.com?Route=%3Csip:example.com%3E "),
        "Invited caller -> user",
    ),
    "baddate (may be ignored)": (
        with_line(INVITE, "Date: Fri, 01 Jan 2010 16:00:00 EST"), "Invited caller -> user"
    ),
    "regbadct": (with_line(REGISTER, "Contact: sip:user@example.com?Route=%3Csip:e.com%3E"), "401 REGISTER"),
    "badaspec (may be accepted)": (
        message("OPTIONS", To='"Watson, Thomas" < sip:t.watson@example.org >'), "200 OPTIONS"
    ),
    "baddn (may be accepted)": (
        message("OPTIONS", From="Bell, Alexander <sip:a.g.bell@example.com>;tag=43"), "200 OPTIONS"
    ),
    "badvers": (OPTIONS.replace(b"SIP/2.0", b"SIP/7.0"), "505 OPTIONS"),
    "badvers (Via as it should be)": (
        OPTIONS.replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"), "505 OPTIONS"
    ),
    "mismatch01": (message("OPTIONS", CSeq="8 INVITE"), "400 INVITE"),
    "mismatch02": (message("NEWMETHOD", CSeq="8 INVITE"), "400 INVITE"),
    "bigcode": (
        OPTIONS.replace(b"OPTIONS sip:user@example.com SIP/2.0", b"SIP/2.0 4294967301 better not break"),
        "(dropped not_sip)",
    ),
    # 3.2, the transaction layer
    "badbranch": (message("OPTIONS", Via="SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK"), "200 OPTIONS"),
    # 3.3, the application layer
    "insuf": (message("INVITE", To="", From="", Call_ID=""), "400 INVITE"),
    "unkscm": (message("OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent"), "416 OPTIONS"),
    "novelsc": (message("OPTIONS", "soap.beep://192.0.2.103:3002"), "416 OPTIONS"),
    "unksm2": (message("REGISTER", To="<isbn:2983792873>"), "416 REGISTER"),
    "bext01": (with_line(OPTIONS, "Require: nothingSupportsThis, nothingEither"), "420 OPTIONS"),
    "invut": (message("INVITE", body=b"<x/>", Content_Type="application/unknownformat"), "415 INVITE"),
    "regaut01": (with_line(REGISTER, "Authorization: NoOneKnowsThisScheme opaque-data=here"), "401 REGISTER"),
    "multi01": (with_line(INVITE, "CSeq: 59 INVITE", "To: sip:other@example.net", "From: x"), "400 INVITE"),
    "mcl01": (with_line(OPTIONS, "Content-Length: 5"), "400 OPTIONS"),
    "bcast": (
        message("OPTIONS", Via="SIP/2.0/UDP 255.255.255.255;branch=1").replace(
            b"OPTIONS sip:user@example.com SIP/2.0", b"SIP/2.0 200 OK"
        ),
        "(dropped stray_response)",
    ),
    "zeromf (we are the end)": (message("OPTIONS", Max_Forwards="0"), "200 OPTIONS"),
    "cparam01": (with_line(REGISTER, "Contact: sip:+1972@gw.example.com;unknownparam"), "401 REGISTER"),
    "sdp01 (406 or taken)": (with_line(INVITE, "Accept: text/nobodyKnows"), "Invited caller -> user"),
    # 3.4, of the last century
    "inv2543 (no From tag; not taken)": (
        message("INVITE", Via="SIP/2.0/UDP 192.0.2.10", From="<sip:+1303@ift.example.net;user=phone>"),
        "400 INVITE",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "answer"), CASES.values(), ids=CASES.keys())
def test_a_torture_message_has_its_answer_and_leaves_nothing(data: bytes, answer: str) -> None:
    endpoint = new_endpoint()
    assert answer in words(endpoint.receive(data, THEM, 0.0))
    again = Phone(endpoint, call_id="the-next")
    assert again.says(again.request("INVITE"), 2.0)[-1] == "Invited 1001 -> 4001"
    for session in endpoint.calls.ids():
        endpoint.calls.hang_up(session, "", 3.0)
    until(endpoint, 40.0)
    assert endpoint.in_hand() == {"transactions": 0, "sessions": 0}
