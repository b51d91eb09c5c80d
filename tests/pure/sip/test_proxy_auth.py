"""INVITEs of those who must prove who they are: what proves it, and what does not. Digests by RFC 2617."""

import hashlib

import pytest

from callflow.sip.auth import Proof
from callflow.sip.endpoint import Endpoint
from callflow.sip.message import Response, parse
from callflow.sip.proxy_auth import ProxyAuth
from callflow.sip.refusal import Refusal
from callflow.sip.registrar import Registrar
from callflow.sip.transaction import Send
from tests.support.sip_phone import Phone, new_endpoint

pytestmark = pytest.mark.pure

PASSWORDS = {"1001": "open sesame", "1002": "other"}
URI = "sip:4001@198.51.100.1"


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class Caller:
    """A phone that calls 4001, and what is made of its proofs."""

    def __init__(self) -> None:
        endpoint: Endpoint = new_endpoint()
        registrar = Registrar(PASSWORDS, "callflow", b"secret")
        self.auth = ProxyAuth(registrar, endpoint._sessions, endpoint._transactions)
        self.phone = Phone(endpoint)
        self.cseq = 0

    def invites(self, *fields: str, **changes: str) -> str:
        """The session."""
        self.cseq += 1
        self.phone.to_tag = ""
        invite = self.phone.request("INVITE", *fields, cseq=self.cseq)
        for before, after in changes.items():
            invite = invite.replace(before.encode(), after.encode())
        self.phone.says(invite, 0.0)
        return self.phone.session

    def challenged(self, session: str, *, stale: bool = False) -> Response:
        [send, *_] = [
            each for each in self.auth.challenge(session, 0.0, stale=stale) if isinstance(each, Send)
        ]
        message = parse(send.data)
        assert isinstance(message, Response)
        return message

    def nonce(self) -> str:
        challenge = self.challenged(self.invites()).headers.need("proxy-authenticate")
        return challenge.split('nonce="')[1].split('"')[0]

    def proof(
        self,
        nonce: str,
        user: str = "1001",
        password: str = "open sesame",
        uri: str = URI,
        nc: str = "00000001",
        method: str = "INVITE",
    ) -> str:
        """The Proxy-Authorization of who knows that password; without `nc` in the form of RFC 2069."""
        secret, request = md5(f"{user}:callflow:{password}"), md5(f"{method}:{uri}")
        counted = f"{nc}:c:auth:" if nc else ""
        also = f', qop=auth, nc={nc}, cnonce="c"' if nc else ""
        response = md5(f"{secret}:{nonce}:{counted}{request}")
        return (
            f'Proxy-Authorization: Digest username="{user}", realm="callflow", nonce="{nonce}", '
            f'uri="{uri}", response="{response}"{also}'
        )


def test_who_says_nothing_has_proven_nothing_and_is_asked() -> None:
    caller = Caller()
    session = caller.invites()
    assert (caller.auth.claims(session), caller.auth.proof(session, 0.0)) == ("1001", Proof.NONE)
    response = caller.challenged(session)
    assert response.status == 407
    assert 'realm="callflow"' in response.headers.need("proxy-authenticate")
    # The call is over; what comes now is another.
    assert caller.auth.claims(session) == ""
    assert caller.auth.challenge(session, 0.0) == []


def test_the_password_proves_it_once() -> None:
    caller = Caller()
    proof = caller.proof(caller.nonce())
    assert caller.auth.proof(caller.invites(proof), 0.0) is Proof.RIGHT
    caller.phone.from_tag = "another"
    assert caller.auth.proof(caller.invites(proof), 0.0) is Proof.STALE


def test_a_form_without_a_count_proves_it_once_as_well() -> None:
    """pyVoIP knows no other."""
    caller = Caller()
    proof = caller.proof(caller.nonce(), nc="")
    assert caller.auth.proof(caller.invites(proof), 0.0) is Proof.RIGHT
    caller.phone.from_tag = "another"
    assert caller.auth.proof(caller.invites(proof), 0.0) is Proof.STALE


def test_another_realms_credentials_may_stand_first() -> None:
    caller = Caller()
    other = 'Proxy-Authorization: Digest username="1001", realm="edge", nonce="7", uri="sip:x", response="0"'
    for order in (1, -1):
        lines = [other, caller.proof(caller.nonce())][::order]
        caller.phone.from_tag += "x"
        assert caller.auth.proof(caller.invites(*lines), 0.0) is Proof.RIGHT
    caller.phone.from_tag += "x"
    assert caller.auth.proof(caller.invites(other), 0.0) is Proof.NONE


def test_an_escaped_user_is_the_same_phone() -> None:
    caller = Caller()
    proof = caller.proof(caller.nonce(), uri="sip:%34001@198.51.100.1")
    session = caller.invites(proof, **{"<sip:1001@": "<sip:100%31@"})
    assert caller.auth.claims(session) == "1001"
    assert caller.auth.proof(session, 0.0) is Proof.RIGHT


def test_a_nonce_of_old_is_only_stale() -> None:
    caller = Caller()
    session = caller.invites(caller.proof(caller.nonce()))
    assert caller.auth.proof(session, 61.0) is Proof.STALE
    assert "stale=true" in caller.challenged(session, stale=True).headers.need("proxy-authenticate")


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "guessed"},
        {"user": "1002", "password": "other"},
        {"user": "1003"},
        {"uri": "sip:0044123@198.51.100.1"},
        {"uri": "nonsense"},
        {"uri": ""},
        {"method": "REGISTER"},
    ],
)
def test_what_proves_something_else_proves_nothing(wrong: dict[str, str]) -> None:
    """Another's password, another number, a registration overheard."""
    caller = Caller()
    session = caller.invites(caller.proof(caller.nonce(), **wrong))
    assert caller.auth.proof(session, 0.0) is Proof.WRONG


def test_an_authorization_of_the_registrars_kind_is_none() -> None:
    caller = Caller()
    proof = caller.proof(caller.nonce()).removeprefix("Proxy-")
    assert caller.auth.proof(caller.invites(proof), 0.0) is Proof.NONE


def test_the_same_phone_may_call_again_at_once() -> None:
    """A 407 leaves nothing behind that would take the next INVITE for a loop."""
    caller = Caller()
    for _ in range(3):
        assert caller.challenged(caller.invites()).status == 407
    assert caller.phone.endpoint.in_hand()["sessions"] == 0


def test_guesses_by_calling_are_slowed_like_those_by_registering() -> None:
    caller = Caller()
    told: list[str] = []
    guard = caller.auth._registrar.guard
    guard.on_wrong = lambda user, host: told.append(user)
    nonce, found = caller.nonce(), list[object]()
    for number in range(40):
        caller.phone.from_tag = f"t{number}"
        session = caller.invites(caller.proof(nonce, password=f"guess {number}"))
        try:
            found.append(caller.auth.proof(session, 0.0))
        except Refusal as refusal:
            found.append((refusal.status, refusal.fields))
    assert found == [Proof.WRONG] * 6 + [(503, (("retry-after", "1"),))] * 34
    assert told == ["1001"] * 40
    # For another number, or in another's name, a digest is not judged: it is no guess.
    caller.phone.from_tag = "other"
    assert caller.auth.proof(caller.invites(caller.proof(nonce, uri="sip:110@x")), 0.0) is Proof.WRONG
    assert len(told) == 40
