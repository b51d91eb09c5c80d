"""The client's side of digest (RFC 7616), against the RFC's own examples and against our own guard."""

import pytest

from callflow.sip.auth import NONCE_GOOD_FOR, Guard, Proof
from callflow.sip.credentials import MOST_TRIES, Credentials
from callflow.sip.fields import Headers
from callflow.sip.grammar import parse_params
from callflow.sip.message import Response

pytestmark = pytest.mark.pure

URI = "sip:pbx.example"
MD5 = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
SHA = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'


def refusal(*challenges: str, name: str = "WWW-Authenticate") -> Response:
    return Response(Headers([(name, challenge) for challenge in challenges]), b"", 401, "Unauthorized")


def credentials(password: str = "secret") -> Credentials:
    return Credentials("alice", password, lambda: "cnonce")


def answer(mine: Credentials) -> dict[str, str | None]:
    """The parameters of the one Authorization."""
    ((_, value),) = mine.fields("REGISTER", URI)
    return parse_params(value.removeprefix("Digest "), ",")


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    mufasa = Credentials("Mufasa", "Circle of Life", lambda: cnonce)
    assert mufasa.challenged(
        refusal(
            f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
            'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        )
    )
    assert mufasa.fields("GET", "/dir/index.html") == [
        (
            "authorization",
            f'Digest username="Mufasa", realm="http-auth@example.org", algorithm={algorithm}, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", '
            f'qop=auth, nc=00000001, cnonce="{cnonce}", response="{response}", '
            'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
        )
    ]


@pytest.mark.parametrize(
    ("challenges", "chosen"),
    [
        ([MD5, SHA], "SHA-256"),
        ([SHA, MD5], "SHA-256"),
        ([f"{MD5}, {SHA}"], "SHA-256"),
        ([MD5, SHA.replace("SHA-256", "SHA-512-256")], "MD5"),
        ([MD5, SHA.replace('"auth"', '"auth-int"')], "MD5"),
        (["Basic realm=r", MD5], "MD5"),
        (['Basic realm="r", Digest realm="r", nonce="n", algorithm=md5'], "md5"),
        (['Digest realm="r",nonce="n"'], None),
    ],
)
def test_the_strongest_that_we_know_is_answered(challenges: list[str], chosen: str | None) -> None:
    mine = credentials()
    assert mine.challenged(refusal(*challenges))
    assert answer(mine).get("algorithm") == chosen


@pytest.mark.parametrize(
    "challenge",
    [
        SHA.replace("SHA-256", "MD5-sess"),
        MD5.replace('"auth"', "auth-int"),
        'Digest nonce="n"',
        'Digest realm="r"',
        "Basic realm=r",
        "Digest",
        "",
    ],
)
def test_what_we_do_not_know_is_not_answered(challenge: str) -> None:
    mine = credentials()
    assert not mine.challenged(refusal(challenge))
    assert mine.fields("REGISTER", URI) == []


def test_a_challenge_without_qop_is_answered_in_the_old_form() -> None:
    mine = credentials()
    assert mine.challenged(refusal('Digest realm="r", nonce="n"'))
    # echo -n alice:r:secret | md5sum and so on (RFC 2069).
    assert answer(mine) == {
        "username": "alice",
        "realm": "r",
        "nonce": "n",
        "uri": URI,
        "response": "6b2d6bca103af5cc0e1d3784f7c18234",
    }


def test_a_proxy_and_several_realms_are_each_answered_under_their_own_name() -> None:
    mine = credentials()
    other = MD5.replace('"r"', '"other"')
    assert mine.challenged(refusal(MD5, name="Proxy-Authenticate"))
    assert mine.challenged(refusal(MD5, other))
    fields = mine.fields("REGISTER", URI)
    realms = [parse_params(value.removeprefix("Digest "), ",")["realm"] for _, value in fields]
    assert [name for name, _ in fields] == ["proxy-authorization", "authorization", "authorization"]
    assert realms == ["r", "r", "other"]


def test_a_nonce_is_used_again_and_counted() -> None:
    mine = credentials()
    assert mine.challenged(refusal(MD5))
    assert [answer(mine)["nc"] for _ in range(11)][-3:] == ["00000009", "0000000a", "0000000b"]


def test_a_quote_in_a_name_stays_within_its_quotes() -> None:
    mine = Credentials('al"ice', "secret", lambda: "c")
    assert mine.challenged(refusal('Digest realm="a \\"b\\", c", nonce="n"'))
    given = answer(mine)
    assert (given["username"], given["realm"]) == ('al"ice', 'a "b", c')


def test_the_same_nonce_refused_is_a_wrong_password() -> None:
    mine = credentials()
    assert mine.challenged(refusal(MD5))
    mine.fields("REGISTER", URI)
    assert not mine.challenged(refusal(MD5))
    assert not mine.challenged(refusal(f"{MD5}, stale=true"))


def test_a_stale_nonce_is_tried_again_once() -> None:
    mine = credentials()
    assert mine.challenged(refusal(MD5))
    assert mine.challenged(refusal(MD5.replace('"n"', '"n2", stale=TRUE')))
    assert answer(mine)["nonce"] == "n2"
    assert not mine.challenged(refusal(MD5.replace('"n"', '"n3", stale=true')))


def test_a_nonce_that_served_may_be_replaced_without_a_word() -> None:
    mine = credentials()
    for nonce in ("a", "b", "c", "d", "e", "f"):
        assert mine.challenged(refusal(MD5.replace('"n"', f'"{nonce}"')))
        mine.fields("REGISTER", URI)
        mine.accepted()
    assert not mine.challenged(refusal(MD5.replace('"n"', '"f"')))


def test_a_peer_with_ever_new_realms_is_left() -> None:
    mine = credentials()
    tried = [mine.challenged(refusal(MD5.replace('"r"', f'"{n}"'))) for n in range(MOST_TRIES + 1)]
    assert tried == [True] * MOST_TRIES + [False]


def test_who_forgets_begins_without_a_challenge() -> None:
    mine = credentials()
    assert mine.challenged(refusal(MD5))
    mine.forget()
    assert mine.fields("REGISTER", URI) == []
    assert mine.challenged(refusal(MD5))


HOST = "192.0.2.10"


def guard(*offered: str) -> Guard:
    return Guard("callflow", b"key", {"alice": "secret"}.get, offered)


def proof(server: Guard, mine: Credentials, now: float) -> Proof:
    lines = [value for name, value in mine.fields("REGISTER", URI) if name == "authorization"]
    return server.check(lines, "REGISTER", HOST, now)[0]


@pytest.mark.parametrize("offered", [["MD5"], ["SHA-256"], ["SHA-256", "MD5"]])
def test_our_own_guard_takes_it_again_and_again(offered: list[str]) -> None:
    server, mine = guard(*offered), credentials()
    assert mine.challenged(refusal(*server.challenges(HOST, 0.0)))
    assert [proof(server, mine, now) for now in (0.0, 1.0, 2.0)] == [Proof.RIGHT] * 3


def test_our_own_guard_finds_it_stale_and_then_right() -> None:
    server, mine = guard("MD5"), credentials()
    assert mine.challenged(refusal(*server.challenges(HOST, 0.0)))
    assert proof(server, mine, 0.0) is Proof.RIGHT
    mine.accepted()
    late = NONCE_GOOD_FOR + 1
    assert proof(server, mine, late) is Proof.STALE
    assert mine.challenged(refusal(*server.challenges(HOST, late, stale=True)))
    assert proof(server, mine, late) is Proof.RIGHT


def test_our_own_guard_and_a_wrong_password() -> None:
    server, mine = guard("MD5"), credentials("wrong")
    assert mine.challenged(refusal(*server.challenges(HOST, 0.0)))
    assert proof(server, mine, 0.0) is Proof.WRONG
    assert not mine.challenged(refusal(*server.challenges(HOST, 0.0)))
