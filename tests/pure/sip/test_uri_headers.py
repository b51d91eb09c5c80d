"""URIs and the header fields that are read as values: parsing and writing are inverses."""

import pytest

from callflow.errors import PeerError
from callflow.sip.grammar import parse_params, quote, split_list, unquote
from callflow.sip.headers import CSeq, NameAddress, Via
from callflow.sip.uri import Uri

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:4001@192.0.2.1", Uri("sip", "4001", "192.0.2.1")),
        ("sip:192.0.2.1:5080;lr", Uri("sip", "", "192.0.2.1", 5080, {"lr": None})),
        ("sip:a@h:49152;transport=TCP", Uri("sip", "a", "h", 49152, {"transport": "TCP"})),
        ("sip:h;transport=tcp;lr", Uri("sip", "", "h", None, {"transport": "tcp", "lr": None})),
        ("sips:a@[2001:db8::1]:5061", Uri("sips", "a", "[2001:db8::1]", 5061)),
        ("sip:a;x=b@h;lr?Subject=hi", Uri("sip", "a;x=b", "h", None, {"lr": None}, "Subject=hi")),
        ("tel:+86-10;phone-context=cn", Uri("tel", "+86-10", "", None, {"phone-context": "cn"})),
    ],
)  # fmt: skip
def test_a_uri_is_written_as_it_was_read(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri
    assert str(uri) == text


def test_a_uri_in_other_writing() -> None:
    assert Uri.parse(" SIP:Bob@EXAMPLE.com ") == Uri("sip", "Bob", "example.com")
    assert Uri.parse("sip:bob:secret@h").user == "bob"


@pytest.mark.parametrize("port", [1, 9, 10, 5060, 10000, 59999, 60000, 65535])
def test_every_port_is_read_everywhere(port: int) -> None:
    contact = NameAddress.parse(f"<sip:a@h:{port};transport=tcp>;tag=t")
    assert contact == NameAddress(Uri("sip", "a", "h", port, {"transport": "tcp"}), "", {"tag": "t"})
    assert Uri.parse(f"sip:a@h:{port}").port == port
    assert Via.parse(f"SIP/2.0/UDP h:{port};branch=b").port == port


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("4001", 400),
        ("sip:", 400),
        ("sip:@h", 400),
        ("sip:a@", 400),
        ("sip:a@h:0", 400),
        ("sip:a@h:65536", 400),
        ("sip:a@h:²", 400),
        ("<sip:a@h", 400),
        ("mailto:a@h", 416),
        ("http://h", 416),
    ],
)
def test_what_is_no_uri_of_ours(text: str, status: int) -> None:
    with pytest.raises(PeerError) as caught:
        Uri.parse(text)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("text", "display", "tag", "user"),
    [
        ("<sip:a@h>;tag=1", "", "1", "a"),
        ("sip:a@h;tag=1", "", "1", "a"),
        ("Bob Smith <sip:a@h;x=1>;TAG=1", "Bob Smith", "1", "a"),
        ('"<sip:not@this>, \\"B\\\\" <sip:a@h> ; tag = 1', '<sip:not@this>, "B\\', "1", "a"),
        ("<tel:+8610>", "", "", "+8610"),
    ],
)
def test_an_address_with_its_name(text: str, display: str, tag: str, user: str) -> None:
    address = NameAddress.parse(text)
    assert (address.display, address.tag, address.uri.user) == (display, tag, user)
    assert NameAddress.parse(str(address)) == address


def test_brackets_decide_whose_parameters_they_are() -> None:
    assert NameAddress.parse("sip:a@h;expires=60").params == {"expires": "60"}
    assert NameAddress.parse("<sip:a@h;expires=60>").uri.params == {"expires": "60"}
    assert str(NameAddress.parse("<sip:a@h>").tagged("t")) == "<sip:a@h>;tag=t"
    for text in ("<sip:a@h", '"unclosed <sip:a@h>', ""):
        with pytest.raises(PeerError, match="400"):
            NameAddress.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport",
        'SIP/2.0/TLS h;branch=b;x="a;b, c";y="";z',
        "SIP/2.0/UDP [2001:db8::1];ttl=1",
    ],
)
def test_a_via_is_written_as_it_was_read(text: str) -> None:
    assert str(Via.parse(text)) == text
    assert Via.parse(str(Via.parse(text))) == Via.parse(text)


def test_a_cseq_has_32_bits() -> None:
    assert str(CSeq.parse(" 4294967295   INVITE ")) == "4294967295 INVITE"
    for text in ("4294967296 INVITE", "1", "INVITE", "-1 BYE", "1.0 BYE", "", "² BYE", "9" * 5000 + " BYE"):
        with pytest.raises(PeerError, match="400 Bad CSeq"):
            CSeq.parse(text)


def test_lists_and_parameters_know_quotes() -> None:
    assert split_list('"a, \\", b" <sip:x,y@h>, c ,, d') == ['"a, \\", b" <sip:x,y@h>', "c", "d"]
    assert split_list(" , ") == split_list("") == []
    assert parse_params('a="1;2";B=x=y;;c; d = "q\\"q"') == {"a": "1;2", "b": "x=y", "c": None, "d": 'q"q'}
    for text in ("", "a", '"', "\\", 'a"b\\c\\\\'):
        assert unquote(quote(text)) == text
