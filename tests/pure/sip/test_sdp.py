"""Offers and what we answer."""

import pytest

from callflow.codec import Law
from callflow.errors import PeerError
from callflow.sip import sdp
from callflow.sip.sdp import Agreed, Direction, agree

pytestmark = pytest.mark.pure

LOCAL = ("198.51.100.1", 20_000)
HEAD = ["v=0", "o=- 1 1 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", "t=0 0"]
EVENTS = ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"]


def offered(*media: str, head: list[str] = HEAD, end: str = "\r\n") -> Agreed:
    return agree((end.join([*head, *media]) + end).encode(), LOCAL, 7)


def media_of(agreed: Agreed) -> list[str]:
    return agreed.answer.decode().split("\r\n")[5:-1]


def test_an_offer_is_answered_whole() -> None:
    agreed = offered("m=audio 4000 RTP/AVP 18 8 0 101", *EVENTS)
    assert (agreed.law, agreed.event_type, agreed.remote) == (Law.PCMA, 101, ("192.0.2.10", 4000))
    assert agreed.direction is Direction.SENDRECV
    assert agreed.answer.decode() == (
        "v=0\r\no=callflow 7 1 IN IP4 198.51.100.1\r\ns=callflow\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
        "m=audio 20000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )


@pytest.mark.parametrize(
    ("formats", "law"),
    [("0 8", Law.PCMU), ("8 0", Law.PCMA), ("97 9 0", Law.PCMU), ("3 8", Law.PCMA)],
)
def test_the_offers_order_chooses_the_law(formats: str, law: Law) -> None:
    assert offered(f"m=audio 4000 RTP/AVP {formats}", "a=rtpmap:97 PCMA/16000").law is law


@pytest.mark.parametrize(
    ("format_", "rtpmap", "expected"),
    [
        ("96", "96 telephone-event/8000", 96),
        ("127", "127 Telephone-Event/8000", 127),
        ("96", "96 telephone-event/16000", None),
        ("13", "13 telephone-event/8000", None),
        ("128", "128 telephone-event/8000", None),
        ("²", "² telephone-event/8000", None),
        ("1" * 5000, "1" * 5000 + " telephone-event/8000", None),
    ],
)
def test_keys_need_a_payload_type_of_their_own(format_: str, rtpmap: str, expected: int | None) -> None:
    agreed = offered(f"m=audio 4000 RTP/AVP 0 {format_}", f"a=rtpmap:{rtpmap}")
    assert agreed.event_type == expected
    assert media_of(agreed)[0] == f"m=audio 20000 RTP/AVP 0{f' {expected}' if expected else ''}"


def test_other_streams_are_refused_in_their_place() -> None:
    agreed = offered(
        *("m=video 5000 RTP/AVP 96", "m=audio 0 RTP/AVP 0", "m=audio 5002 RTP/SAVP 0"),
        *("m=audio 4000 RTP/AVP 0", "a=recvonly", "m=audio 4002 RTP/AVP 8", "m=image 1 udptl t38"),
    )
    assert [line for line in media_of(agreed) if line.startswith("m=")] == [
        *("m=video 0 RTP/AVP 96", "m=audio 0 RTP/AVP 0", "m=audio 0 RTP/SAVP 0"),
        *("m=audio 20000 RTP/AVP 0", "m=audio 0 RTP/AVP 8", "m=image 0 udptl t38"),
    ]
    assert (agreed.remote, agreed.direction) == (("192.0.2.10", 4000), Direction.SENDONLY)


@pytest.mark.parametrize(
    ("theirs", "address", "ours"),
    [
        ("sendrecv", "192.0.2.10", "sendrecv"),
        ("sendonly", "192.0.2.10", "recvonly"),
        ("recvonly", "192.0.2.10", "sendonly"),
        ("inactive", "192.0.2.10", "inactive"),
        ("sendrecv", "0.0.0.0", "recvonly"),
        ("sendonly", "0.0.0.0", "inactive"),
    ],
)
def test_the_direction_is_mirrored(theirs: str, address: str, ours: str) -> None:
    in_stream = offered("m=audio 4000 RTP/AVP 0", f"c=IN IP4 {address}", f"a={theirs}")
    assert in_stream.direction.value == ours
    assert media_of(in_stream)[-1] == f"a={ours}"
    assert in_stream.remote == (("192.0.2.10", 4000) if address != "0.0.0.0" else None)
    in_session = offered("m=audio 4000 RTP/AVP 0", head=[*HEAD[:3], f"c=IN IP4 {address}", f"a={theirs}"])
    assert in_session.direction.value == ours


def test_the_stream_knows_better_than_the_session() -> None:
    agreed = offered(
        "m=audio 4000/2 RTP/AVP 0", "c=IN IP4 192.0.2.99/127", "a=sendrecv", head=[*HEAD, "a=inactive"]
    )
    assert (agreed.remote, agreed.direction) == (("192.0.2.99", 4000), Direction.SENDRECV)  # fmt: skip
    assert offered("m=audio 4000 RTP/AVP 0", end="\n").remote == ("192.0.2.10", 4000)


@pytest.mark.parametrize(
    "line",
    ["c=IN IP6 ::1", "c=IN IP4 phone.example.com", "c=IN IP4 300.1.1.1", "c=IN IP4 224.1.1.1", "c=IN IP4 ::1",
     "c=IN IP4 255.255.255.255", "c=IN IP4", "c=", "a=sendrecv", "c=IN IP4 0.0.0.1.2", "c=IN IP4 127.1"],
)  # fmt: skip
@pytest.mark.parametrize("level", ["session", "media"])
def test_where_no_audio_can_be_sent_there_is_no_call(line: str, level: str) -> None:
    """Its caller would be answered, and hear nothing."""
    media = ["m=audio 4000 RTP/AVP 0", line] if level == "media" else ["m=audio 4000 RTP/AVP 0"]
    with pytest.raises(PeerError) as refused:
        offered(*media, head=[*HEAD[:3], *([line] if level == "session" else [])])
    assert refused.value.status == 488


@pytest.mark.parametrize(
    "media",
    [
        [],
        ["m=audio 4000 RTP/AVP 9 18"],
        ["m=audio 0 RTP/AVP 0"],
        ["m=video 4000 RTP/AVP 0"],
        ["m=audio 4000 RTP/SAVP 0"],
        ["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMU/8000"],
        ["m=audio 4000 RTP/AVP 0", "a=rtpmap:0 G729/8000"],
    ],
)
def test_nothing_in_common(media: list[str]) -> None:
    with pytest.raises(PeerError, match="488"):
        offered(*media)


@pytest.mark.parametrize(
    "offer",
    [
        b"",
        b"nonsense",
        b"v=0\r\nm=audio",
        b"v=0\r\nm=audio 4000 RTP/AVP",
        b"v=0\r\nm=audio x RTP/AVP 0",
        b"v=0\r\nm=audio 65536 RTP/AVP 0",
        b"v=0\r\nm=audio " + b"0" * 5000 + b" RTP/AVP 0",
        "v=0\r\nm=audio ²² RTP/AVP 0".encode(),
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_description(offer: bytes) -> None:
    with pytest.raises(PeerError, match="400"):
        agree(offer, LOCAL, 1)


# --- what may come ---


def test_every_law_of_an_offer_may_come_and_the_first_is_sent() -> None:
    agreed = offered("m=audio 4000 RTP/AVP 8 18 0 8 101", *EVENTS)
    assert (agreed.law, agreed.laws, agreed.event_types) == (Law.PCMA, (Law.PCMA, Law.PCMU), (101,))


def test_a_law_by_another_s_number_is_none() -> None:
    agreed = offered("m=audio 4000 RTP/AVP 0 8", "a=rtpmap:8 G729/8000")
    assert agreed.laws == (Law.PCMU,)


def test_keys_may_come_by_every_type_that_is_offered() -> None:
    types = ("a=rtpmap:96 telephone-event/8000", "a=rtpmap:97 telephone-event/16000", EVENTS[0])
    agreed = offered("m=audio 4000 RTP/AVP 0 96 97 101", *types)
    assert (agreed.event_type, agreed.event_types) == (96, (96, 101))
    assert media_of(agreed)[0] == "m=audio 20000 RTP/AVP 0 96"


def answered(*media: str) -> Agreed:
    ours = sdp.offered(LOCAL, 7)
    assert b"m=audio 20000 RTP/AVP 8 0 101" in ours
    return sdp.accept(("\r\n".join([*HEAD, *media]) + "\r\n").encode(), ours)


@pytest.mark.parametrize(
    ("formats", "law", "laws"),
    [
        ("8 0", Law.PCMA, (Law.PCMA, Law.PCMU)),
        ("0", Law.PCMU, (Law.PCMU, Law.PCMA)),
        ("0 8", Law.PCMU, (Law.PCMU, Law.PCMA)),
    ],
)
def test_both_laws_of_our_offer_may_come_whatever_the_answer(
    formats: str, law: Law, laws: tuple[Law, ...]
) -> None:
    agreed = answered(f"m=audio 4000 RTP/AVP {formats}")
    assert (agreed.law, agreed.laws) == (law, laws)


def test_keys_may_come_by_our_type_and_by_that_of_the_answer() -> None:
    agreed = answered("m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/8000")
    assert (agreed.event_type, agreed.event_types) == (96, (96, 101))


def test_keys_that_the_answer_leaves_out_are_not_agreed_upon() -> None:
    agreed = answered("m=audio 4000 RTP/AVP 0")
    assert (agreed.event_type, agreed.event_types) == (None, ())


@pytest.mark.parametrize(
    ("direction", "listens", "sends"),
    [
        ("sendrecv", True, True),
        ("sendonly", False, True),
        ("recvonly", True, False),
        ("inactive", False, False),
    ],
)
@pytest.mark.parametrize("level", ["session", "media"])
def test_a_direction_says_who_hears_and_who_sends(
    direction: str, listens: bool, sends: bool, level: str
) -> None:
    line, media = f"a={direction}", "m=audio 4000 RTP/AVP 0"
    agreed = offered(line, media) if level == "session" else offered(media, line)
    assert (agreed.peer_listens, agreed.peer_sends) == (listens, sends)


@pytest.mark.parametrize("level", ["session", "media"])
def test_an_address_of_nothing_is_a_hold(level: str) -> None:
    nowhere, media = "c=IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 0"
    agreed = offered(nowhere, media) if level == "session" else offered(media, nowhere)
    assert (agreed.peer_listens, agreed.peer_sends, agreed.remote) == (False, True, None)


@pytest.mark.parametrize(
    ("lines", "chosen", "remote"),
    [
        # RFC 5118 §4.8 and RFC 4092: the IPv6 stream stands first, or beside ours.
        (["m=audio 1 RTP/AVP 0", "c=IN IP6 2001:db8::1", "m=audio 2 RTP/AVP 0", "c=IN IP4 192.0.2.7"],
         1, ("192.0.2.7", 2)),
        (["m=audio 1 RTP/AVP 0", "c=IN IP4 192.0.2.7", "m=audio 2 RTP/AVP 0", "c=IN IP6 2001:db8::1"],
         0, ("192.0.2.7", 1)),
        # Each stream says where; the session's address is for those that do not.
        (["m=audio 1 RTP/AVP 0", "c=IN IP6 2001:db8::1", "m=audio 2 RTP/AVP 0"], 1, ("192.0.2.10", 2)),
        (["m=audio 1 RTP/AVP 0", "c=IN IP6 2001:db8::1", "c=IN IP4 192.0.2.7"], 0, ("192.0.2.7", 1)),
        (["m=audio 1 RTP/AVP 0", "c=IN IP4 192.0.2.7", "c=IN IP6 2001:db8::1"], 0, ("192.0.2.7", 1)),
    ],
)  # fmt: skip
def test_a_dual_stack_is_read_as_far_as_ipv4_goes(
    lines: list[str], chosen: int, remote: tuple[str, int]
) -> None:
    agreed = offered(*lines, head=[*HEAD[:3], "c=IN IP4 192.0.2.10"])
    assert (agreed.chosen, agreed.remote) == (chosen, remote)
    ports = [stream.port for stream in sdp.parse(agreed.answer)]
    assert [port > 0 for port in ports] == [index == chosen for index in range(len(ports))]


def test_an_ipv6_stream_has_no_address_of_the_session_made_up_for_it() -> None:
    with pytest.raises(PeerError):
        offered("m=audio 1 RTP/AVP 0", "c=IN IP6 2001:db8::1", head=[*HEAD[:3], "c=IN IP4 192.0.2.10"])
