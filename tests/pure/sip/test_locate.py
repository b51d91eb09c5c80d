"""From a server's name to the addresses to try (RFC 3263, RFC 2782)."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.sip.address import Hop, Transport
from callflow.sip.locate import (
    MOST,
    Answer,
    Candidate,
    Located,
    Naptr,
    Question,
    Srv,
    Target,
    by_weight,
    locate,
)
from callflow.sip.uri import Uri

pytestmark = pytest.mark.pure

UDP, TCP = Transport.UDP, Transport.TCP
A, B = "192.0.2.1", "192.0.2.2"
ZONE = {
    Question("NAPTR", "full.example"): Answer(
        (
            Naptr(20, 1, "SIP+D2U", "_sip._udp.full.example"),
            Naptr(10, 2, "SIP+D2T", "_sip._tcp.full.example"),
            Naptr(10, 1, "SIPS+D2T", "_sips._tcp.full.example"),
        )
    ),
    Question("SRV", "_sip._udp.full.example"): Answer((Srv(1, 0, 5060, "one.example"),)),
    Question("SRV", "_sip._tcp.full.example"): Answer(
        (Srv(2, 0, 5070, "one.example"), Srv(1, 0, 5080, "two.example"))
    ),
    Question("SRV", "_sip._udp.srv.example"): Answer((Srv(1, 0, 5090, "one.example"),)),
    Question("SRV", "_sip._udp.refused.example"): Answer((Srv(0, 0, 0, ""),)),
    Question("SRV", "_sip._udp.numeric.example"): Answer((Srv(0, 0, 5060, A),)),
    Question("A", "one.example"): Answer((A, B)),
    Question("A", "two.example"): Answer((B,)),
    Question("A", "refused.example"): Answer((A,)),
    Question("A", "late.example"): Answer(reason="no_answer"),
}
NOTHING = Answer(reason="no_such_name")


def solve(target: Target) -> tuple[list[list[str]], Located]:
    """The questions of each round, and what came of them."""
    answers: dict[Question, Answer] = {}
    rounds = []
    while not isinstance(step := locate(target, answers, lambda: 0.0), Located):
        rounds.append([f"{question.kind} {question.name}" for question in step])
        answers |= {question: ZONE.get(question, NOTHING) for question in step}
        assert len(rounds) <= 4
    return rounds, step


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (Target(A), Candidate(A, 5060, UDP)),
        (Target(A, 5070), Candidate(A, 5070, UDP)),
        (Target(A, None, TCP), Candidate(A, 5060, TCP)),
    ],
)
def test_an_address_is_not_looked_up(target: Target, found: Candidate) -> None:
    assert solve(target) == ([], Located((found,)))


@pytest.mark.parametrize(("transport", "used"), [(None, UDP), (UDP, UDP), (TCP, TCP)])
def test_a_port_forbids_srv(transport: Transport | None, used: Transport) -> None:
    rounds, located = solve(Target("one.example", 5070, transport))
    assert rounds == [["A one.example"]]
    assert located.candidates == (Candidate(A, 5070, used), Candidate(B, 5070, used))


def test_the_domain_says_by_naptr_what_it_likes_best() -> None:
    rounds, located = solve(Target("full.example"))
    assert rounds == [
        ["NAPTR full.example"],
        ["SRV _sip._tcp.full.example", "SRV _sip._udp.full.example"],
        ["A two.example", "A one.example"],
    ]
    assert located.candidates == (
        Candidate(B, 5080, TCP),
        Candidate(A, 5070, TCP),
        Candidate(B, 5070, TCP),
        Candidate(A, 5060, UDP),
        Candidate(B, 5060, UDP),
    )


def test_a_transport_needs_no_naptr() -> None:
    rounds, located = solve(Target("full.example", None, UDP))
    assert rounds == [["SRV _sip._udp.full.example"], ["A one.example"]]
    assert located.candidates == (Candidate(A, 5060, UDP), Candidate(B, 5060, UDP))


def test_without_naptr_both_transports_are_asked_for() -> None:
    rounds, located = solve(Target("srv.example"))
    assert rounds == [
        ["NAPTR srv.example"],
        ["SRV _sip._udp.srv.example", "SRV _sip._tcp.srv.example"],
        ["A one.example"],
    ]
    assert located.candidates == (Candidate(A, 5090, UDP), Candidate(B, 5090, UDP))


def test_without_srv_the_name_itself_is_the_host() -> None:
    rounds, located = solve(Target("two.example"))
    assert rounds[-1] == ["A two.example"]
    assert located.candidates == (Candidate(B, 5060, UDP),)
    assert solve(Target("two.example", None, TCP))[1].candidates == (Candidate(B, 5060, TCP),)


def test_an_srv_may_name_an_address() -> None:
    assert solve(Target("numeric.example", None, UDP))[1].candidates == (Candidate(A, 5060, UDP),)


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("refused.example", "not_offered"),
        ("nowhere.example", "no_such_name"),
        ("late.example", "no_answer"),
        ("[2001:db8::1]", "not_ipv4"),
    ],
)
def test_what_cannot_be_found_has_a_reason(host: str, reason: str) -> None:
    assert solve(Target(host))[1] == Located((), reason)


def test_no_answer_makes_more_candidates_than_can_be_tried() -> None:
    many = tuple(f"192.0.2.{n}" for n in range(200))
    located = locate(Target("a", 5060), {Question("A", "a"): Answer(many)}, lambda: 0.0)
    assert isinstance(located, Located)
    assert len(located.candidates) == MOST


def test_a_target_may_be_written_as_a_uri() -> None:
    assert Target.of(Uri.parse("sip:pbx.example:5070;transport=tcp")) == Target("pbx.example", 5070, TCP)
    assert Target.of(Uri.parse("sip:pbx.example")) == Target("pbx.example")
    with pytest.raises(ValueError, match="TLS"):
        Target.of(Uri.parse("sip:pbx.example;transport=tls"))
    assert Candidate(A, 5060, TCP).hop == Hop((A, 5060), TCP)


@pytest.mark.parametrize(("chance", "first"), [(0.0, 0), (0.49, 0), (0.51, 1), (0.99, 1)])
def test_a_number_up_to_the_sum_of_weights_is_drawn(chance: float, first: int) -> None:
    servers = [Srv(1, weight, 5060, "a") for weight in (1, 0)]
    assert by_weight(servers, lambda: chance)[0].weight == first


def test_weights_share_the_calls() -> None:
    """60 : 20 : 10 : 10, and a small chance for the one without weight."""
    dice = random.Random(1)
    servers = [Srv(1, weight, 5060, f"w{weight}-{n}") for n, weight in enumerate((60, 20, 10, 10, 0))]
    drawn = Counter(by_weight(servers, dice.random)[0].weight for _ in range(10_000))
    assert drawn[60] == pytest.approx(6000, rel=0.05)
    assert drawn[20] == pytest.approx(2000, rel=0.1)
    assert drawn[10] == pytest.approx(2000, rel=0.1)
    assert 0 < drawn[0] < 300


@given(
    st.lists(st.builds(Srv, st.integers(0, 3), st.integers(0, 5), st.just(5060), st.sampled_from("abc"))),
    st.floats(0, 1, exclude_max=True),
)
def test_each_server_comes_once_and_in_the_order_of_priorities(servers: list[Srv], chance: float) -> None:
    order = by_weight(servers, lambda: chance)
    assert Counter(order) == Counter(servers)
    assert [srv.priority for srv in order] == sorted(srv.priority for srv in servers)
