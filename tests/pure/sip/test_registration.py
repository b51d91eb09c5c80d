"""The REGISTER client (RFC 3261 §10.2), alone and against our own registrar, on a virtual clock."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.errors import IllegalEvent
from callflow.sip.account import Account
from callflow.sip.address import Hop, Transport
from callflow.sip.fields import Headers
from callflow.sip.locate import Candidate
from callflow.sip.message import Request, Response, parse, respond
from callflow.sip.registrar import Registrar
from callflow.sip.registration import LONGEST_PAUSE, Registration, State
from callflow.sip.uri import Uri

pytestmark = pytest.mark.pure

FIRST, SECOND = Candidate("192.0.2.1", 5060, Transport.UDP), Candidate("192.0.2.2", 5060, Transport.TCP)
ALICE = Account("alice", "secret", "pbx.example", Uri.parse("sip:alice@192.0.2.9:5062"), agent="callflow")
CHALLENGE = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')
OURS = "<sip:alice@192.0.2.9:5062;transport=udp>"


def ids() -> Callable[[], str]:
    numbers = iter(range(1_000_000))
    return lambda: f"id{next(numbers)}"


def registration(*candidates: Candidate, account: Account = ALICE, chance: float = 1.0) -> Registration:
    return Registration(account, candidates or (FIRST,), ids(), lambda: chance, 0.0)


def final(status: int, *fields: tuple[str, str]) -> Response:
    return Response(Headers(fields), b"", status, "Whatever")


def ok(expires: int = 300) -> Response:
    return final(200, ("Expires", str(expires)))


def registered(*candidates: Candidate, expires: int = 300) -> Registration:
    """At 0.0."""
    mine = registration(*candidates)
    assert mine.tick(0.0)
    assert mine.replied(ok(expires), 0.0) is None
    return mine


def test_the_request_says_all_that_a_registrar_must_know() -> None:
    request = registration().tick(0.0)
    assert request is not None
    assert request.to_bytes() == (
        b"REGISTER sip:pbx.example SIP/2.0\r\nMax-Forwards: 70\r\n"
        b"From: <sip:alice@pbx.example>;tag=id1\r\nTo: <sip:alice@pbx.example>\r\nCall-ID: id0\r\n"
        b"CSeq: 1 REGISTER\r\nContact: <sip:alice@192.0.2.9:5062>\r\nExpires: 300\r\n"
        b"User-Agent: callflow\r\nContent-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("response", "ends_at", "next_at"),
    [
        (ok(100), 100.0, 80.0),
        (ok(20), 20.0, 15.0),
        (ok(6), 6.0, 3.0),
        (ok(100_000), 300.0, 240.0),
        (final(200), 300.0, 240.0),
        (final(200, ("Expires", "soon")), 300.0, 240.0),
        (final(200, ("Contact", f"{OURS};expires=60"), ("Expires", "200")), 60.0, 48.0),
        (final(200, ("m", f"<sip:x@y>;expires=9, {OURS};expires=60")), 60.0, 48.0),
        (final(200, ("Contact", "<sip:x@y>;expires=9"), ("Contact", f"bad, {OURS}")), 300.0, 240.0),
    ],
)
def test_what_is_granted_is_refreshed_in_time(response: Response, ends_at: float, next_at: float) -> None:
    mine = registration()
    mine.tick(0.0)
    assert mine.replied(response, 0.0) is None
    assert (mine.state, mine.expires_at, mine.deadline) == (State.REGISTERED, ends_at, next_at)
    assert mine.tick(next_at - 0.001) is None
    assert mine.tick(next_at) is not None


def test_the_time_runs_from_when_the_request_was_sent() -> None:
    mine = registration()
    mine.tick(0.0)
    mine.replied(ok(100), 8.0)
    assert (mine.expires_at, mine.deadline) == (100.0, 80.0)


def test_a_200_that_grants_nothing_is_no_registration() -> None:
    mine = registered()
    mine.tick(240.0)
    mine.replied(final(200, ("Contact", f"{OURS};expires=0")), 240.0)
    assert (mine.state, mine.expires_at, mine.deadline) == (State.TRYING, None, 242.0)


def test_call_id_and_tag_stay_and_cseq_rises() -> None:
    mine = registration()
    first = mine.tick(0.0)
    mine.replied(ok(), 0.0)
    second = mine.tick(240.0)
    assert first is not None
    assert second is not None
    assert (first.call_id, first.from_) == (second.call_id, second.from_)
    assert [str(request.cseq) for request in (first, second)] == ["1 REGISTER", "2 REGISTER"]


def test_a_challenge_is_answered_once() -> None:
    mine = registration()
    mine.tick(0.0)
    again = mine.replied(final(401, CHALLENGE), 1.0)
    assert again is not None
    assert (str(again.cseq), again.headers.count("authorization")) == ("2 REGISTER", 1)
    assert mine.replied(final(401, CHALLENGE), 2.0) is None
    assert (mine.state, mine.refused_with, mine.deadline) == (State.FAILED, 401, 302.0)
    clean = mine.tick(302.0)
    assert clean is not None
    assert clean.headers.count("authorization") == 0


def test_a_refusal_is_mended_by_a_success() -> None:
    mine = registration()
    mine.tick(0.0)
    mine.replied(final(404), 0.0)
    assert mine.state is State.FAILED
    mine.tick(300.0)
    mine.replied(ok(), 300.0)
    assert (mine.state, mine.refused_with) == (State.REGISTERED, 0)


@pytest.mark.parametrize("status", [403, 404, 401, 407])
def test_what_time_does_not_mend_is_tried_rarely(status: int) -> None:
    mine = registration()
    mine.tick(0.0)
    assert mine.replied(final(status), 1.0) is None
    assert (mine.state, mine.deadline) == (State.FAILED, 301.0)


def test_too_brief_an_interval_is_made_longer_once() -> None:
    mine = registration()
    mine.tick(0.0)
    longer = mine.replied(final(423, ("Min-Expires", "600")), 0.0)
    assert longer is not None
    assert longer.headers.get("expires") == "600"
    assert mine.replied(final(423, ("Min-Expires", "1200")), 0.0) is None
    assert mine.deadline == 2.0


@pytest.mark.parametrize("fields", [[], [("Min-Expires", "300")], [("Min-Expires", "-1")]])
def test_a_423_that_helps_nobody_is_a_failure(fields: list[tuple[str, str]]) -> None:
    mine = registration()
    mine.tick(0.0)
    assert mine.replied(final(423, *fields), 0.0) is None
    assert mine.deadline == 2.0


@pytest.mark.parametrize("status", [302, 400, 408, 480, 500, 600])
def test_failures_are_spaced_ever_wider(status: int) -> None:
    mine, pauses, now = registration(), list[float](), 0.0
    for _ in range(10):
        assert mine.tick(now)
        mine.replied(final(status), now)
        assert mine.deadline is not None
        pauses.append(mine.deadline - now)
        now = mine.deadline
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert mine.state is State.TRYING


def test_chance_takes_up_to_half_of_a_pause_off() -> None:
    mine = registration(chance=0.0)
    mine.tick(0.0)
    mine.replied(final(500), 0.0)
    assert mine.deadline == 1.0


@pytest.mark.parametrize(
    ("value", "wait"),
    [("60", 60.0), ("60 (busy);duration=9", 60.0), ("99999999999999", 3600.0), ("1", 2.0), ("soon", 2.0)],
)
def test_retry_after_is_kept_to(value: str, wait: float) -> None:
    mine = registration()
    mine.tick(0.0)
    mine.replied(final(500, ("Retry-After", value)), 0.0)
    assert mine.deadline == wait


def test_the_next_candidate_is_tried_at_once_and_then_there_is_a_pause() -> None:
    mine = registration(FIRST, SECOND)
    mine.tick(0.0)
    assert mine.candidate == FIRST
    assert mine.unanswered(32.0) is not None
    assert mine.candidate == SECOND
    assert mine.replied(final(503, ("Retry-After", "10")), 33.0) is None
    assert (mine.candidate, mine.deadline) == (FIRST, 43.0)


def test_after_each_pause_all_candidates_have_a_turn_again() -> None:
    mine = registration(FIRST, SECOND)
    for now in (0.0, 10.0, 20.0):
        assert mine.tick(now)
        assert mine.unanswered(now) is not None
        assert mine.unanswered(now) is None


def test_after_a_success_pauses_begin_small_again() -> None:
    mine = registration()
    for now, answer in [(0.0, final(500)), (2.0, final(500)), (6.0, ok()), (246.0, final(500))]:
        assert mine.tick(now)
        mine.replied(answer, now)
    assert mine.deadline == 248.0


def test_a_candidate_that_works_is_kept() -> None:
    mine = registration(FIRST, SECOND)
    mine.tick(0.0)
    mine.unanswered(1.0)
    mine.replied(ok(), 1.0)
    mine.tick(241.0)
    assert mine.candidate == SECOND


def test_another_server_is_not_shown_the_nonces_of_this_one() -> None:
    mine = registration(FIRST, SECOND)
    mine.tick(0.0)
    mine.replied(final(401, CHALLENGE), 0.0)
    at_second = mine.unanswered(32.0)
    assert at_second is not None
    assert at_second.headers.count("authorization") == 0
    assert mine.replied(final(401, CHALLENGE), 32.0) is not None


def test_new_addresses_keep_the_one_that_works() -> None:
    mine = registered(FIRST, SECOND)
    mine.relocate([SECOND, FIRST])
    assert mine.candidate == FIRST
    mine.relocate([SECOND])
    assert mine.candidate == SECOND
    with pytest.raises(ValueError, match="address"):
        mine.relocate([])


def test_the_registration_lasts_while_its_refresh_fails() -> None:
    mine = registered()
    states = []
    mine.tick(240.0)
    mine.unanswered(272.0)
    states.append((mine.state, mine.deadline))
    mine.tick(274.0)
    states.append((mine.state, mine.deadline))
    assert mine.tick(300.0) is None
    states.append((mine.state, mine.deadline))
    mine.unanswered(306.0)
    states.append((mine.state, mine.deadline))
    assert states == [
        (State.REGISTERED, 274.0),
        (State.REGISTERED, 300.0),
        (State.TRYING, None),
        (State.TRYING, 310.0),
    ]


def test_a_refresh_that_is_refused_leaves_what_we_have() -> None:
    mine = registered()
    mine.tick(240.0)
    mine.replied(final(403), 240.0)
    assert (mine.state, mine.deadline) == (State.REGISTERED, 300.0)
    assert mine.tick(300.0) is None
    assert (mine.state, mine.deadline) == (State.FAILED, 540.0)


def test_to_stop_is_to_unregister() -> None:
    mine = registered()
    bye = mine.stop(10.0)
    assert bye is not None
    assert (bye.headers.get("expires"), mine.state, mine.deadline) == ("0", State.STOPPING, None)
    assert mine.stop(10.0) is None
    again = mine.replied(final(401, CHALLENGE), 10.0)
    assert again is not None
    assert (again.headers.get("expires"), again.headers.count("authorization")) == ("0", 1)
    assert mine.replied(ok(), 10.0) is None
    assert (mine.state, mine.deadline, mine.tick(1e9)) == (State.STOPPED, None, None)


@pytest.mark.parametrize("answer", [final(403), final(503), final(423), None])
def test_whatever_comes_of_it_we_have_stopped(answer: Response | None) -> None:
    mine = registered(FIRST, SECOND)
    mine.stop(10.0)
    assert (mine.replied(answer, 11.0) if answer else mine.unanswered(11.0)) is None
    assert mine.state is State.STOPPED


def test_who_stops_waits_for_the_answer_first() -> None:
    mine = registration()
    mine.tick(0.0)
    assert mine.stop(1.0) is None
    assert mine.state is State.STOPPING
    bye = mine.replied(ok(), 2.0)
    assert bye is not None
    assert bye.headers.get("expires") == "0"


@pytest.mark.parametrize("answer", [final(401, CHALLENGE), final(503), final(500), None])
def test_who_never_registered_stops_without_a_word(answer: Response | None) -> None:
    mine = registration(FIRST, SECOND)
    mine.tick(0.0)
    mine.stop(1.0)
    assert (mine.replied(answer, 2.0) if answer else mine.unanswered(2.0)) is None
    assert mine.state is State.STOPPED
    idle = registration()
    assert idle.stop(0.0) is None
    assert idle.state is State.STOPPED


def test_an_answer_to_nothing_is_a_fault_of_ours() -> None:
    mine = registration()
    with pytest.raises(IllegalEvent):
        mine.replied(ok(), 0.0)
    with pytest.raises(IllegalEvent):
        mine.unanswered(0.0)


def test_nobody_reads_a_password_or_a_number_in_an_account() -> None:
    assert "secret" not in repr(ALICE)
    assert "alice" not in repr(ALICE)


# How an attempt ends: when, and by which answer; None for none at all.
outcomes = st.one_of(
    st.none(),
    st.builds(ok, st.sampled_from([0, 1, 10, 60, 300, 3600])),
    st.sampled_from([302, 403, 404, 408, 500, 503, 600]).map(final),
    st.builds(lambda s: final(503, ("Retry-After", str(s))), st.integers(0, 9999)),
    st.builds(lambda n: final(423, ("Min-Expires", str(n))), st.integers(0, 9999)),
    st.builds(
        lambda n, s: final(401, (CHALLENGE[0], f"{CHALLENGE[1]}{n}, stale={s}".replace('"n"', f'"n{n}"'))),
        st.integers(0, 3),
        st.sampled_from(["true", "false"]),
    ),
)


@given(
    st.lists(st.tuples(st.floats(0, 40), outcomes), min_size=1, max_size=40),
    st.integers(1, 3),
    st.floats(0, 1, exclude_max=True),
)
def test_it_never_rests_and_never_forgets(
    script: list[tuple[float, Response | None]], servers: int, chance: float
) -> None:
    """One request at a time; always a deadline or a request out; no registration ends without a try."""
    mine = registration(
        *[Candidate(f"192.0.2.{n}", 5060, Transport.UDP) for n in range(servers)], chance=chance
    )
    now, sent_since, cseq = 0.0, 0, 0
    for takes, outcome in script:
        request: Request | None = None
        while request is None:
            assert mine.deadline is not None
            assert mine.deadline <= now + 3600
            # A refresh that was due before the answer came is late, and done at once.
            now = max(now, mine.deadline)
            had = mine.expires_at
            request = mine.tick(now)
            if had is not None and mine.expires_at is None:
                assert sent_since > 0 or request is not None
        sent_since += 1
        while request is not None:
            assert request.cseq.number == cseq + 1
            cseq += 1
            assert mine.tick(now) is None
            answered = now + takes
            if mine.expires_at is not None and mine.expires_at <= answered:
                assert mine.deadline == mine.expires_at
                assert mine.tick(mine.expires_at) is None
            now = answered
            request = mine.unanswered(now) if outcome is None else mine.replied(outcome, now)
        if outcome is not None and outcome.status == 200 and mine.expires_at is not None:
            sent_since = 0
        assert mine._pause <= LONGEST_PAUSE


class Line:
    """A registration and our own registrar, with bytes between them, on a virtual clock."""

    def __init__(self, mine: Registration, registrar: Registrar) -> None:
        self.mine = mine
        self.registrar = registrar
        self.told: list[tuple[float, str, int]] = []

    def until(self, end: float) -> None:
        while self.mine.deadline is not None and self.mine.deadline <= end:
            now = self.mine.deadline
            self.carry(self.mine.tick(now), now)

    def carry(self, request: Request | None, now: float) -> None:
        while request is not None:
            response = self.answer(request, now)
            expires = request.headers.get("expires") or ""
            self.told.append((now, expires, response.status))
            request = self.mine.replied(response, now)

    def answer(self, request: Request, now: float) -> Response:
        """As it comes back over the wire."""
        via = ("via", "SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK1")
        whole = Request(Headers([via, *request.headers]), request.body, request.method, request.uri)
        received = parse(whole.to_bytes(), ("192.0.2.9", 5062))
        assert isinstance(received, Request)
        hop = Hop(("192.0.2.9", 5062))
        answered = parse(self.registrar.receive(received, hop, now, "tag").to_bytes())
        assert isinstance(answered, Response)
        return answered


@pytest.mark.parametrize("offered", [("MD5",), ("SHA-256", "MD5")])
def test_our_own_registrar_keeps_it_for_an_hour(offered: tuple[str, ...]) -> None:
    registrar = Registrar({"alice": "secret"}, "callflow", b"key", offered)
    line = Line(registration(), registrar)
    line.until(1.0)
    assert line.told == [(0.0, "300", 401), (0.0, "300", 200)]
    for now in range(1, 3600):
        line.until(float(now))
        assert len(registrar.bindings("alice", float(now))) == 1
    # A nonce is good for 60 s: each refresh is asked for its proof anew.
    assert line.told[2:6] == [(at, "300", status) for at in (240.0, 480.0) for status in (401, 200)]
    line.carry(line.mine.stop(3600.0), 3600.0)
    assert registrar.bindings("alice", 3600.0) == []
    assert line.mine.state is State.STOPPED


def test_our_own_registrar_and_an_interval_that_is_too_brief() -> None:
    brief = Account("alice", "secret", "pbx.example", ALICE.contact, expires=30)
    line = Line(registration(account=brief), Registrar({"alice": "secret"}, "callflow", b"key"))
    line.until(1.0)
    assert line.told == [(0.0, "30", 401), (0.0, "30", 423), (0.0, "60", 200)]
    assert line.mine.expires_at == 60.0


def test_our_own_registrar_and_a_wrong_password_that_is_put_right() -> None:
    accounts = {"alice": "other"}
    line = Line(registration(), Registrar(accounts, "callflow", b"key"))
    line.until(299.0)
    assert line.told == [(0.0, "300", 401), (0.0, "300", 401)]
    states = [line.mine.state]
    accounts["alice"] = "secret"
    line.until(300.0)
    states.append(line.mine.state)
    assert states == [State.FAILED, State.REGISTERED]


def test_a_registrar_that_began_anew_is_answered_with_its_new_nonce() -> None:
    line = Line(registration(), Registrar({"alice": "secret"}, "callflow", b"key"))
    line.until(1.0)
    line.registrar = Registrar({"alice": "secret"}, "callflow", b"another key")
    line.until(240.0)
    assert line.told[2:] == [(240.0, "300", 401), (240.0, "300", 200)]


def test_a_response_as_the_registrar_writes_it_needs_no_more_than_it_has() -> None:
    request = registration().tick(0.0)
    assert request is not None
    bare = respond(request, 200, "OK")
    assert ALICE.granted(bare, 300) == 300
