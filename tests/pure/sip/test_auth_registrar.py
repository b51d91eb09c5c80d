"""REGISTER: who may, for how long, and with which proof. The digests are computed here by RFC 2617."""

import hashlib
import re
from collections.abc import Callable

import pytest

from callflow.errors import PeerError
from callflow.sip.address import Hop, Transport
from callflow.sip.auth import Proof, digest
from callflow.sip.guesses import Guesses
from callflow.sip.message import Request, Response, parse
from callflow.sip.registrar import Registrar

pytestmark = pytest.mark.pure

HOST = "192.0.2.10"
SOURCE = Hop((HOST, 5070))
PASSWORDS = {"1001": "open sesame", "1002": "other"}


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class Account:
    """A phone that registers."""

    def __init__(self, user: str = "1001", password: str = "open sesame", realm: str = "callflow") -> None:
        self.user, self.password, self.realm = user, password, realm
        self.registrar = Registrar(PASSWORDS, realm, b"secret", ("SHA-256", "MD5"))
        self.cseq = 0

    def asks(
        self,
        *fields: str,
        now: float = 0.0,
        authorization: str = "",
        source: Hop = SOURCE,
        to: str = "",
        call_id: str = "one",
        cseq: int | None = None,
    ) -> Response:
        """REGISTER, in proper form but for what is said."""
        self.cseq = self.cseq + 1 if cseq is None else cseq
        lines = [
            "REGISTER sip:198.51.100.1 SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bK1",
            f"From: <sip:{self.user}@h>;tag=f",
            f"To: <sip:{to or self.user}@h>",
            f"Call-ID: {call_id}",
            f"CSeq: {self.cseq} REGISTER",
            *fields,
            *([f"Authorization: {authorization}"] if authorization else []),
        ]
        request = parse(("\r\n".join(lines) + "\r\n\r\n").encode())
        assert isinstance(request, Request)
        return self.registrar.receive(request, source, now, "tag")

    def nonce(self, now: float) -> str:
        challenges = [v for name, v in self.asks(now=now).headers if name == "www-authenticate"]
        (nonce,) = {challenge.split('nonce="')[1].split('"')[0] for challenge in challenges}
        assert challenges == [
            f'Digest realm="{self.realm}", nonce="{nonce}", algorithm=SHA-256, qop="auth"',
            f'Digest realm="{self.realm}", nonce="{nonce}", algorithm=MD5, qop="auth"',
        ]
        return nonce

    def proof(self, nonce: str, *, method: str = "REGISTER") -> str:
        """Without qop, §3.2.2.1: MD5(MD5(A1):nonce:MD5(A2))."""
        a1, a2 = md5(f"{self.user}:{self.realm}:{self.password}"), md5(f"{method}:sip:x")
        return (
            f'Digest username="{self.user}", realm="{self.realm}", nonce="{nonce}", uri="sip:x", '
            f'response="{md5(f"{a1}:{nonce}:{a2}")}"'
        )

    def proof_with_qop(self, nonce: str, nc: str = "00000001") -> str:
        """With qop=auth: MD5(MD5(A1):nonce:nc:cnonce:qop:MD5(A2))."""
        a1, a2 = md5(f"{self.user}:{self.realm}:{self.password}"), md5("REGISTER:sip:x")
        response = md5(f"{a1}:{nonce}:{nc}:c0ffee:auth:{a2}").upper()
        return (
            f'digest uri="sip:x",qop=auth,nc={nc},cnonce="c0ffee",response="{response}",'
            f'nonce="{nonce}",realm="{self.realm}",username="{self.user}"'
        )

    def registers(
        self, *fields: str, now: float = 0.0, call_id: str = "one", cseq: int | None = None
    ) -> Response:
        authorization = self.proof(self.nonce(now))
        return self.asks(*fields, now=now, authorization=authorization, call_id=call_id, cseq=cseq)

    def reached_at(self, now: float) -> list[tuple[str, float]]:
        return [(str(b.contact.uri), b.expires_at) for b in self.registrar.bindings(self.user, now)]


@pytest.mark.parametrize("started", [1000.0, 1000.4, 1000.5, 1000.9])
def test_a_fresh_nonce_is_never_stale(started: float) -> None:
    """The answer comes a few milliseconds after the challenge, at whatever fraction of a second."""
    account = Account()
    for proof in (account.proof(account.nonce(started)), account.proof_with_qop(account.nonce(started))):
        answer = account.asks("Contact: <sip:a@h>", now=started + 0.01, authorization=proof)
        assert (answer.status, answer.to.tag) == (200, "tag")


@pytest.mark.parametrize(("age", "status"), [(59.9, 200), (60.0, 200), (61.0, 401)])
def test_a_nonce_ages(age: float, status: int) -> None:
    account = Account()
    answer = account.asks(now=50.0 + age, authorization=account.proof(account.nonce(50.0)))
    assert answer.status == status
    assert ("stale=true" in answer.headers.text()) is (status == 401)


def test_every_wrong_proof_is_asked_again_and_never_called_stale() -> None:
    account = Account()
    nonce = account.nonce(0.0)
    right = account.proof(nonce)
    thief = Account(password="guess")
    stranger = Account(user="9999")
    wrong = [
        *("", "Basic MTAwMTpvcGVu", "Digest", "Digest username", 'Digest username="1001"'),
        *(thief.proof(nonce), thief.proof_with_qop(nonce), stranger.proof(nonce)),
        account.proof(""),
        account.proof(nonce, method="INVITE"),
        right.replace('realm="callflow"', 'realm="other"'),
        right.replace(", nonce", ", qop=auth, nonce"),
    ]
    for authorization in wrong:
        answer = account.asks("Contact: <sip:a@h>", now=1.0, authorization=authorization)
        assert answer.status == 401
        assert "stale" not in answer.headers.need("www-authenticate")
    assert account.reached_at(1.0) == []
    assert account.asks("Contact: <sip:a@h>", now=1.0, authorization=right).status == 200


def test_a_right_password_with_a_nonce_of_another_life_is_stale() -> None:
    """As after a restart: a phone that were told its password is wrong might give up."""
    account = Account()
    foreign = Registrar(PASSWORDS, "callflow", b"another secret", ("SHA-256", "MD5")).guard
    found = re.search(r'nonce="(.*?)"', foreign.challenges(HOST, 0.0)[1])
    assert found
    for nonce in (found[1], "17.0123456789abcdef", f"1{account.nonce(0.0)}", account.nonce(0.0).upper()):
        answer = account.asks("Contact: <sip:a@h>", now=1.0, authorization=account.proof(nonce))
        assert (answer.status, "stale=true" in answer.headers.text()) == (401, True)
    assert account.reached_at(1.0) == []


@pytest.mark.parametrize("form", [Account.proof, Account.proof_with_qop])
def test_an_authorization_that_was_overheard_registers_nobody_else(
    form: Callable[[Account, str], str],
) -> None:
    """Not from another host, whether it has been used or not; and without a count never twice (RFC 7616)."""
    account = Account()
    proof, other = form(account, account.nonce(0.0)), form(account, account.nonce(0.0))
    thief = Hop(("192.0.2.66", 5070))
    assert account.asks("Contact: <sip:a@thief>", now=1.0, authorization=other, source=thief).status == 401
    assert account.asks("Contact: <sip:a@h>", now=1.0, authorization=proof).status == 200
    for fields in (["Contact: *", "Expires: 0"], ["Contact: <sip:a@thief>"]):
        for source in (thief, SOURCE):
            answer = account.asks(*fields, now=2.0, authorization=proof, source=source)
            assert (answer.status, "stale=true" in answer.headers.text()) == (401, True)
    assert [uri for uri, _ in account.reached_at(2.0)] == ["sip:a@h"]
    # The other port of the same host may be another NAT binding of the same phone.
    assert account.asks(now=2.0, authorization=other, source=Hop((HOST, 61000))).status == 200


def test_our_realms_credentials_are_found_among_several_lines() -> None:
    """RFC 3261 §22.3: each proxy and server on the way has its own, in any order."""
    account = Account()
    other = 'Digest username="1001", realm="edge.example", nonce="77", uri="sip:x", response="0"'
    wrong = Account(password="guess")
    for before, after in (([other], []), ([], [other]), (["Basic MTAwMTpvcGVu", wrong.proof("1")], [other])):
        lines = [*before, account.proof(account.nonce(0.0)), *after]
        fields = [f"Authorization: {each}" for each in lines]
        assert account.asks("Contact: <sip:a@h>", *fields, now=1.0).status == 200
    assert account.registrar.guard.check([other], "REGISTER", HOST, 1.0) == (Proof.NONE, "")


@pytest.mark.parametrize("blank", [" ", "   ", "\t", " \t ", "\r\n ", "\r\n\t"])
def test_any_white_space_may_stand_after_the_scheme(blank: str) -> None:
    account = Account()
    proof = account.proof(account.nonce(0.0)).replace("Digest ", f"Digest{blank}", 1)
    assert account.asks("Contact: <sip:a@h>", now=1.0, authorization=proof).status == 200


def test_a_replayed_proof_is_stale_and_a_counted_one_good() -> None:
    account = Account()
    nonce, other = account.nonce(0.0), account.nonce(0.0)
    assert nonce != other
    used = [("00000001", 200), ("00000001", 401), ("00000003", 200), ("00000002", 401), ("0000000a", 200)]
    for nc, status in used:
        answer = account.asks(now=1.0, authorization=account.proof_with_qop(nonce, nc))
        assert (answer.status, "stale=true" in answer.headers.text()) == (status, status == 401)
    assert account.asks(now=1.0, authorization=account.proof_with_qop(other)).status == 200
    assert account.asks(now=1.0, authorization=account.proof_with_qop(other, "x")).status == 401


def test_a_nonce_that_was_counted_is_not_taken_without_a_count() -> None:
    account = Account()
    nonce = account.nonce(0.0)
    assert account.asks(now=1.0, authorization=account.proof_with_qop(nonce)).status == 200
    answer = account.asks(now=1.0, authorization=account.proof(nonce))
    assert (answer.status, "stale=true" in answer.headers.text()) == (401, True)


def test_sha_256_beside_md5_and_nothing_else() -> None:
    """RFC 8760; the digest of RFC 7616 §3.4.1 with SHA-256."""
    account = Account()

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    nonce = account.nonce(0.0)
    a1, a2 = sha("1001:callflow:open sesame"), sha("REGISTER:sip:x")
    proof = (
        f'Digest username="1001", realm="callflow", nonce="{nonce}", uri="sip:x", algorithm=SHA-256, '
        f'qop=auth, nc=00000001, cnonce="c", response="{sha(f"{a1}:{nonce}:00000001:c:auth:{a2}")}"'
    )
    for wrong in (
        *(proof.replace("SHA-256", "MD5"), proof.replace("SHA-256", "SHA-512-256")),
        *(proof.replace("qop=auth", "qop=auth-int"), proof.replace("SHA-256", "SHA-256-sess")),
    ):
        assert account.asks(now=1.0, authorization=wrong).status == 401
    assert account.asks(now=1.0, authorization=proof).status == 200


def test_an_account_keeps_its_eight_newest_contacts() -> None:
    account = Account()
    for number in range(9):
        account.registers(f"Contact: <sip:{number}@h>", now=float(number))
    assert [uri for uri, _ in account.reached_at(9.0)] == [f"sip:{number}@h" for number in range(1, 9)]
    account.registers("Contact: <sip:1@h>", now=9.0)
    account.registers("Contact: <sip:9@h>", now=10.0)
    assert [uri for uri, _ in account.reached_at(10.0)] == [
        *(f"sip:{number}@h" for number in range(3, 9)),
        *("sip:1@h", "sip:9@h"),
    ]


def test_nobody_registers_another() -> None:
    account = Account()
    proof = account.proof(account.nonce(0.0))
    assert account.asks("Contact: <sip:a@h>", authorization=proof, to="1002").status == 403
    assert account.registrar.bindings("1002", 0.0) == []


def test_several_contacts_each_with_its_time() -> None:
    account = Account()
    answer = account.registers("Contact: <sip:a@h>;expires=60, <sip:b@h>", "Expires: 120", "m: sip:c@h")
    assert account.reached_at(0.0) == [("sip:a@h", 60.0), ("sip:b@h", 120.0), ("sip:c@h", 120.0)]
    assert answer.headers.all("contact") == [
        *("<sip:a@h>;expires=60", "<sip:b@h>;expires=120", "<sip:c@h>;expires=120")
    ]
    assert [uri for uri, _ in account.reached_at(59.9)] == ["sip:a@h", "sip:b@h", "sip:c@h"]
    assert [uri for uri, _ in account.reached_at(60.0)] == ["sip:b@h", "sip:c@h"]
    assert account.reached_at(120.0) == []
    assert account.registers(now=100.0).headers.all("contact") == [
        *("<sip:b@h>;expires=20", "<sip:c@h>;expires=20")
    ]
    assert account.registrar.bindings("1001", 0.0)[0].source == SOURCE


@pytest.mark.parametrize(
    ("expires", "lasts"),
    [("60", 60.0), ("3600", 3600.0), ("99999999999999999999", 3600.0), ("soon", 300.0), ("²", 300.0)],
)
def test_how_long_a_registration_lasts(expires: str, lasts: float) -> None:
    account = Account()
    account.registers("Contact: <sip:a@h>", f"Expires: {expires}")
    assert account.reached_at(0.0) == [("sip:a@h", lasts)]


def test_too_short_a_time_changes_nothing() -> None:
    account = Account()
    account.registers("Contact: <sip:a@h>")
    answer = account.registers("Contact: <sip:b@h>, <sip:a@h>;expires=59")
    assert (answer.status, answer.headers.get("min-expires")) == (423, "60")
    assert account.reached_at(0.0) == [("sip:a@h", 300.0)]


def test_a_contact_or_all_may_be_taken_back() -> None:
    account = Account()
    account.registers("Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>")
    account.registers("Contact: <sip:a@h>;expires=0")
    assert [uri for uri, _ in account.reached_at(0.0)] == ["sip:b@h", "sip:c@h"]
    assert account.registers("Contact: *", "Expires: 0").headers.all("contact") == []
    assert account.reached_at(0.0) == []


def test_star_needs_an_expiry_of_nought() -> None:
    account = Account()
    account.registers("Contact: <sip:a@h>")
    for fields in (["Contact: *"], ["Contact: *", "Expires: 60"]):
        with pytest.raises(PeerError, match="400"):
            account.registers(*fields)
    assert [uri for uri, _ in account.reached_at(0.0)] == ["sip:a@h"]


def test_an_older_register_does_not_undo_a_newer_one() -> None:
    account = Account()
    account.registers("Contact: <sip:a@h>", cseq=7)
    for number in (6, 7):
        with pytest.raises(PeerError, match="400"):
            account.registers("Contact: <sip:a@h>;expires=0", cseq=number)
    assert [uri for uri, _ in account.reached_at(0.0)] == ["sip:a@h"]
    assert account.registers("Contact: <sip:a@h>;expires=90", cseq=1, call_id="two").status == 200
    assert account.reached_at(0.0) == [("sip:a@h", 90.0)]


def test_what_has_expired_decides_nothing() -> None:
    """A phone keeps its Call-ID over a reboot and begins again with CSeq 1."""
    account = Account()
    account.registers("Contact: <sip:a@h>, <sip:b@h>", "Expires: 60", cseq=500)
    for fields in (["Contact: <sip:a@h>"], ["Contact: *", "Expires: 0"]):
        with pytest.raises(PeerError, match="400"):
            account.registers(*fields, now=59.0, cseq=1)
    assert account.registers("Contact: <sip:a@h>", "Expires: 60", now=60.0, cseq=1).status == 200
    assert account.registers("Contact: <sip:a@h>", "Expires: 60", now=61.0, cseq=2).status == 200
    assert account.registers("Contact: *", "Expires: 0", now=200.0, cseq=0).status == 200


def test_zero_is_a_cseq() -> None:
    account = Account()
    assert account.registers("Contact: <sip:a@h>", cseq=0).status == 200
    with pytest.raises(PeerError, match="400"):
        account.registers("Contact: <sip:a@h>", cseq=0)
    assert account.registers("Contact: <sip:a@h>", cseq=1).status == 200


def test_an_escaped_user_is_the_same_account() -> None:
    account = Account()
    proof = account.proof(account.nonce(0.0))
    answer = account.asks("Contact: <sip:a@h>", now=1.0, authorization=proof, to="%31001")
    assert (answer.status, len(account.reached_at(1.0))) == (200, 1)


CONNECTION = Hop((HOST, 61234), Transport.TCP)


@pytest.mark.parametrize(
    ("contact", "listens"),
    [
        ("sip:a@192.0.2.10:5062;transport=tcp", Hop((HOST, 5062), Transport.TCP)),
        ("sip:a@192.0.2.10:5062", Hop((HOST, 5062), Transport.TCP)),
        ("sip:a@192.0.2.10", Hop((HOST, 5060), Transport.TCP)),
        ("sip:a@192.0.2.10:5062;transport=udp", Hop((HOST, 5062))),
        ("sip:a@192.0.2.11:5062;transport=TCP", Hop(("192.0.2.11", 5062), Transport.TCP)),
        ("sip:a@phone.example:5062;transport=tcp", CONNECTION),
    ],
)
def test_a_phone_whose_connection_has_gone_is_reached_at_its_contact(contact: str, listens: Hop) -> None:
    account = Account()
    proof = account.proof(account.nonce(0.0))
    account.asks(f"Contact: <{contact}>", now=1.0, authorization=proof, source=CONNECTION)
    [bound] = account.registrar.bindings("1001", 1.0)
    assert bound.hops == ((CONNECTION,) if listens == CONNECTION else (CONNECTION, listens))
    assert account.registrar.registered_at(CONNECTION, 1.0) == "1001"
    assert account.registrar.registered_at(Hop(CONNECTION.address), 1.0) == ""
    told: list[str] = []
    account.registrar.on_change = told.append
    account.registrar.disconnected(Hop((HOST, 61235), Transport.TCP))
    assert told == []
    account.registrar.disconnected(CONNECTION)
    [bound] = account.registrar.bindings("1001", 1.0)
    assert (bound.hops, told) == ((listens,), ["1001"])
    assert account.registrar.registered_at(listens, 301.0) == ""


def test_only_what_is_offered_is_asked_for_and_believed() -> None:
    usual = Registrar(PASSWORDS, "callflow", b"secret").guard
    (challenge,) = usual.challenges(HOST, 0.0)
    assert "algorithm=MD5" in challenge
    nonce = challenge.split('nonce="')[1].split('"')[0]
    given = {"uri": "sip:x", "nonce": nonce, "algorithm": "SHA-256"}
    response = digest(given, "1001", "callflow", PASSWORDS["1001"], "REGISTER")
    proof = f'Digest username="1001", realm="callflow", nonce="{nonce}", uri="sip:x", algorithm=SHA-256'
    answer = f'{proof}, response="{response}"'
    assert usual.check([answer], "REGISTER", HOST, 1.0)[0] is Proof.WRONG
    both = Registrar(PASSWORDS, "callflow", b"secret", ("SHA-256", "MD5")).guard
    assert both.check([answer], "REGISTER", HOST, 1.0)[0] is Proof.RIGHT


# --- wrong passwords ---


class Attack:
    """Guesses at an account, by who hears the challenges; and what is told of them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.told: list[tuple[str, str]] = []
        account.registrar.guard.on_wrong = lambda user, host: self.told.append((user, host))

    def guesses(
        self, now: float, password: str = "guess", host: str = "192.0.2.66", user: str = "1001"
    ) -> int:
        thief = Account(user, password)
        source = Hop((host, 5070))
        nonce = re.search(r'nonce="(.*?)"', self.account.asks(now=now, source=source).headers.text())
        assert nonce
        fields = ["Contact: <sip:a@thief>"]
        answer = self.account.asks(
            *fields, now=now, authorization=thief.proof(nonce[1]), source=source, to=user
        )
        if answer.status == 503:
            assert 1 <= int(answer.headers.need("retry-after")) <= 30
        return answer.status


def test_guesses_are_slowed_and_each_is_counted() -> None:
    account = Account()
    attack = Attack(account)
    found = [attack.guesses(now=n * 0.01) for n in range(2000)]
    assert found[:5] == [401] * 5
    # In twenty seconds the pauses of 1, 2, 4 and 8 s are over.
    assert (found.count(401), found.count(503)) == (10, 1990)
    assert attack.told == [("1001", "192.0.2.66")] * 2000
    # While it waits the right password is worth no more than another.
    assert attack.guesses(now=20.0, password="open sesame") == 503
    assert account.reached_at(20.0) == []


def test_strangers_cannot_lock_an_account_out() -> None:
    account = Account()
    assert account.registers("Contact: <sip:a@h>", now=0.0).status == 200
    attack = Attack(account)
    for n in range(300):
        attack.guesses(now=n * 0.1)
        attack.guesses(now=n * 0.1, host=HOST)
    assert account.registers("Contact: <sip:a@h>", now=30.0).status == 200
    # An account without a phone yet: where nobody has failed it gets in as well.
    for n in range(300):
        attack.guesses(now=30 + n * 0.1, user="1002")
    assert attack.guesses(now=60.0, password="other", user="1002", host="192.0.2.77") == 200


def test_a_pbx_is_slowed_per_account_only() -> None:
    account = Account()
    account.registrar.guard.guesses = Guesses(["192.0.2.66"])
    attack = Attack(account)
    for n in range(50):
        attack.guesses(now=n * 0.1)
        attack.guesses(now=n * 0.1, user="nobody")
    assert attack.guesses(now=5.0) == 503
    assert attack.guesses(now=5.0, user="1002", password="other") == 200
    # What is reached through it does not open it for guesses at the account.
    assert attack.guesses(now=5.0, user="1002", password="guess") == 401
    for _ in range(10):
        attack.guesses(now=6.0, user="1002")
    assert attack.guesses(now=6.0, user="1002", password="guess") == 503


@pytest.mark.parametrize("form", [Account.proof, Account.proof_with_qop])
def test_attempts_without_a_judged_password_do_not_count(form: Callable[[Account, str], str]) -> None:
    account = Account()
    attack = Attack(account)
    fresh, used = account.nonce(100.0), account.nonce(100.0)
    account.asks(now=100.0, authorization=form(account, used))
    foreign = "17.0123456789abcdef"
    harmless = [
        "",
        form(account, account.nonce(0.0)),
        form(account, used),
        form(account, foreign),
        form(Account(password="guess"), foreign),
        form(Account(password="guess"), ""),
        form(Account(realm="other"), fresh),
        "Digest",
        "Basic MTAwMTpvcGVu",
    ]
    for _ in range(20):
        for authorization in harmless:
            assert account.asks(now=100.0, authorization=authorization).status == 401
    assert attack.told == []
    assert account.asks("Contact: <sip:a@h>", now=100.0, authorization=form(account, fresh)).status == 200
    # Too old a nonce is no reason to let a guess pass for none.
    old = account.nonce(0.0)
    account.asks(now=100.0, authorization=form(Account(password="guess"), old))
    assert attack.told == [("1001", HOST)]


def test_a_forged_source_is_neither_slowed_nor_reported() -> None:
    """A datagram with a forged source has had no challenge: it must neither slow nor ban who sits there."""
    account = Account()
    attack = Attack(account)
    heard = account.nonce(0.0)
    for n in range(100):
        forged = Account(password=f"guess {n}").proof(heard)
        account.asks(now=1.0, authorization=forged, source=Hop(("192.0.2.9", 5060)))
    assert attack.told == []
    assert len(account.registrar.guard.guesses) == 0


def test_several_digests_in_one_request_count_each() -> None:
    account = Account()
    attack = Attack(account)
    nonce = account.nonce(0.0)
    lines = [f"Authorization: {Account(password=str(n)).proof(nonce)}" for n in range(50)]
    assert account.asks(*lines, f"Authorization: {account.proof(nonce)}", now=1.0).status == 503
    assert 4 <= len(attack.told) <= 50
    assert account.reached_at(1.0) == []
