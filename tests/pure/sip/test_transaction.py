"""The timers of RFC 3261 §17, each to the instant."""

import pytest

from callflow.sip.address import Hop, Transport
from callflow.sip.client_transaction import InviteClient, NonInviteClient
from callflow.sip.fields import Headers
from callflow.sip.happenings import Counted, Output
from callflow.sip.message import Request, Response, parse, respond
from callflow.sip.server_transaction import InviteServer, NonInviteServer
from callflow.sip.transaction import Send, State
from callflow.sip.transactions import Transactions
from tests.support.sip_phone import THEM, US, Phone, words

pytestmark = pytest.mark.pure


Machine = InviteServer | NonInviteServer | InviteClient | NonInviteClient
BY_UDP, BY_TCP = Hop(THEM), Hop(THEM, Transport.TCP)


def request(method: str, *, cseq: int = 1, branch: str = "") -> Request:
    message = parse(Phone().request(method, cseq=cseq, branch=branch))
    assert isinstance(message, Request)
    return message


def response(method: str, status: int) -> Response:
    return respond(request(method), status, "Reason")


def timeline(machine: Machine, end: float = 100.0) -> list[tuple[float, int]]:
    """At which deadlines how many datagrams left."""
    done: list[tuple[float, int]] = []
    while (at := machine.deadline) is not None and at <= end:
        done.append((at, len(machine.tick(at))))
    return done


def test_timers_g_and_h_repeat_a_refusal_until_32_seconds() -> None:
    server = InviteServer(request("INVITE"), BY_UDP)
    assert len(server.respond(response("INVITE", 180), 1.0)) == 1
    assert (server.state, server.deadline) == (State.PROCEEDING, None)
    assert len(server.respond(response("INVITE", 486), 2.0)) == 1
    assert server.respond(response("INVITE", 200), 2.0) == []
    repeated = [2.5, 3.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5, 33.5]
    assert timeline(server) == [*((at, 1) for at in repeated), (34.0, 0)]
    assert (server.over, server.deadline) == (True, None)


@pytest.mark.parametrize("at", [0.1, 0.5, 20.0])
def test_timer_i_swallows_further_acks_for_5_seconds(at: float) -> None:
    server = InviteServer(request("INVITE"), BY_UDP)
    server.respond(response("INVITE", 486), 0.0)
    server.acknowledge(at)
    assert (server.state, server.deadline, server.again()) == (State.CONFIRMED, at + 5.0, [])
    server.acknowledge(at + 4.0)
    assert timeline(server) == [(at + 5.0, 0)]
    assert server.over


def test_timer_l_keeps_the_transaction_after_its_2xx() -> None:
    server = InviteServer(request("INVITE"), BY_UDP)
    server.respond(response("INVITE", 200), 3.0)
    assert (server.state, server.again()) == (State.ACCEPTED, [])
    server.acknowledge(4.0)
    assert timeline(server) == [(35.0, 0)]
    assert server.over


def test_timer_j_answers_retransmissions_for_32_seconds() -> None:
    server = NonInviteServer(request("BYE"), BY_UDP)
    assert server.again() == []
    first = server.respond(response("BYE", 200), 1.0)
    assert server.respond(response("BYE", 500), 2.0) == []
    assert server.again() == first == [Send(response("BYE", 200).to_bytes(), THEM)]
    assert timeline(server) == [(33.0, 0)]
    assert server.over


def test_timers_e_and_f_repeat_our_request_until_32_seconds() -> None:
    client = NonInviteClient(request("BYE"), BY_UDP, 1.0)
    assert client.start() == [Send(request("BYE").to_bytes(), THEM)]
    repeated = [1.5, 2.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5, 32.5]
    assert timeline(client) == [*((at, 1) for at in repeated), (33.0, 0)]
    assert (client.over, client.timed_out) == (True, True)


def test_timer_e_is_slow_once_the_peer_has_shown_itself() -> None:
    client = NonInviteClient(request("BYE"), BY_UDP, 0.0)
    client.receive(response("BYE", 100), 0.1)
    assert timeline(client, 9.0) == [(0.5, 1), (4.5, 1), (8.5, 1)]


def test_timer_k_swallows_further_answers_for_5_seconds() -> None:
    client = NonInviteClient(request("BYE"), BY_UDP, 0.0)
    client.receive(response("BYE", 200), 0.7)
    client.receive(response("BYE", 100), 1.0)
    assert timeline(client) == [(5.7, 0)]
    assert (client.over, client.timed_out) == (True, False)


def test_which_request_belongs_to_which_transaction() -> None:
    table = new_table()
    invite = table.open_invite(request("INVITE", branch="a"), BY_UDP)
    other = table.open_other(request("OPTIONS", branch="a"), BY_UDP)
    assert table.server(request("INVITE", branch="a")) is invite
    assert table.server(request("ACK", branch="a"), "INVITE") is invite
    assert table.server(request("CANCEL", branch="a"), "INVITE") is invite
    assert table.server(request("OPTIONS", branch="a")) is other
    assert table.server(request("CANCEL", branch="a")) is None
    assert table.server(request("INVITE", branch="b")) is None
    assert table.server(request("INVITE", branch="a", cseq=2)) is None


def test_a_branch_of_the_last_century_is_none() -> None:
    """RFC 3261 §17.2.3: without the magic cookie the other fields tell what belongs together."""

    def old(call_id: str, method: str = "INVITE") -> Request:
        data = Phone(call_id=call_id).request(method).replace(b"z9hG4bK", b"")
        message = parse(data.replace(f"branch={call_id}-1".encode(), b"branch=0"))
        assert isinstance(message, Request)
        return message

    table = new_table()
    first, second = table.open_invite(old("one"), BY_UDP), table.open_invite(old("two"), BY_UDP)
    assert table.server(old("one", "ACK"), "INVITE") is first
    assert table.server(old("two", "ACK"), "INVITE") is second


class Owner:
    """Who has asked: it remembers what came of it."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def replied(self, response: Response, now: float) -> list[Output]:
        self.told.append(response.status)
        return []

    def unanswered(self, now: float) -> list[Output]:
        self.told.append(0)
        return [Counted("odd", "unanswered")]


def ours(method: str) -> Request:
    """A request without a Via."""
    whole = request(method)
    kept = Headers((name, value) for name, value in whole.headers if name != "via")
    return Request(kept, b"", method, whole.uri)


def new_table() -> Transactions:
    return Transactions(US, iter("abcdefgh").__next__)


def answered(client: InviteClient | NonInviteClient, status: int, to_tag: str = "t") -> Response:
    return respond(client.request, status, "Reason", to_tag=to_tag)


def test_the_table_wakes_its_machines_and_forgets_them() -> None:
    table, owner = new_table(), Owner()
    invite = table.open_invite(request("INVITE", branch="a"), BY_UDP)
    assert words(table.respond(invite, response("INVITE", 486), 0.0)) == ["486 INVITE", "(response 4xx)"]
    assert words(table.respond(invite, response("INVITE", 486), 0.0)) == []
    client, sent = table.ask(ours("BYE"), BY_UDP, owner, 0.1)
    assert words(sent) == ["BYE"]
    assert words(table.tick(0.49)) == []
    assert words(table.tick(0.7)) == ["486 INVITE", "BYE"]
    assert table.receive_response(respond(client.request, 200, "OK"), 1.0) == []
    assert table.receive_response(respond(request("BYE", branch="other"), 200, "OK"), 1.0) is None
    table.acknowledge(invite, 1.0)
    assert (words(table.tick(6.0)), len(table), table.deadline) == ([], 0, None)
    assert owner.told == [200]


def test_timers_a_and_b_repeat_our_invite_until_32_seconds() -> None:
    client = InviteClient(request("INVITE"), BY_UDP, 1.0)
    repeated = [1.5, 2.5, 4.5, 8.5, 16.5, 32.5]
    assert timeline(client) == [*((at, 1) for at in repeated), (33.0, 0)]
    assert (client.over, client.timed_out) == (True, True)


def test_who_rings_may_take_his_time() -> None:
    client = InviteClient(request("INVITE"), BY_UDP, 0.0)
    assert client.receive(answered(client, 180), 0.4) == (True, [])
    assert (client.state, client.deadline) == (State.PROCEEDING, None)
    assert client.receive(answered(client, 183), 100.0) == (True, [])


def test_timer_d_repeats_the_ack_to_a_refusal_for_32_seconds() -> None:
    client = InviteClient(request("INVITE"), BY_UDP, 0.0)
    is_news, sent = client.receive(answered(client, 486), 1.0)
    ack = parse(sent[0].data)
    assert isinstance(ack, Request)
    assert (is_news, ack.method, ack.uri) == (True, "ACK", client.request.uri)
    assert (ack.via.branch, ack.to.tag, ack.cseq.number) == (client.request.via.branch, "t", 1)
    assert client.receive(answered(client, 486), 2.0) == (False, sent)
    assert client.receive(answered(client, 180), 2.0) == (False, [])
    assert client.receive(answered(client, 200), 2.0) == (False, [])
    assert (timeline(client), client.timed_out) == ([(33.0, 0)], False)


def test_timer_m_hands_every_2xx_up_for_32_seconds() -> None:
    """RFC 6026 §8.4: forks answer later, and each answer must be acknowledged by its dialog."""
    client = InviteClient(request("INVITE"), BY_UDP, 0.0)
    assert client.receive(answered(client, 200), 1.0) == (True, [])
    assert client.receive(answered(client, 200, "other"), 20.0) == (True, [])
    assert client.receive(answered(client, 486), 21.0) == (False, [])
    assert client.receive(answered(client, 180), 21.0) == (False, [])
    assert (timeline(client), client.timed_out) == ([(33.0, 0)], False)


def test_over_tcp_nothing_is_said_twice() -> None:
    for machine in (
        InviteClient(request("INVITE"), BY_TCP, 0.0),
        NonInviteClient(request("BYE"), BY_TCP, 0.0),
    ):
        assert timeline(machine) == [(32.0, 0)]
        assert machine.timed_out
    refused = InviteServer(request("INVITE"), BY_TCP)
    refused.respond(response("INVITE", 486), 0.0)
    assert timeline(refused) == [(32.0, 0)]


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_over_tcp_nothing_lingers(method: str) -> None:
    """Timers D, I, J and K are zero: there is nothing to swallow."""
    kind = InviteClient if method == "INVITE" else NonInviteClient
    client = kind(request(method), BY_TCP, 0.0)
    client.receive(answered(client, 486), 1.0)
    assert client.over
    server = NonInviteServer(request("BYE"), BY_TCP)
    server.respond(response("BYE", 200), 1.0)
    assert server.over
    invite = InviteServer(request("INVITE"), BY_TCP)
    invite.respond(response("INVITE", 486), 1.0)
    invite.acknowledge(2.0)
    assert invite.over


def test_what_cannot_be_carried_is_told_at_once() -> None:
    table, owner, other = new_table(), Owner(), Owner()
    table.ask(ours("INVITE"), BY_TCP, owner, 0.0)
    table.ask(ours("OPTIONS"), BY_UDP, other, 0.0)
    assert words(table.failed(BY_TCP, 0.1)) == ["(odd unanswered)"]
    assert (owner.told, other.told, len(table)) == ([0], [], 1)
    assert table.failed(BY_TCP, 0.2) == []


def test_what_cannot_be_carried_goes_another_way_if_there_is_one() -> None:
    table, owner = new_table(), Owner()
    other = Hop(("192.0.2.11", 5060), Transport.TCP)
    table.ask(ours("BYE"), BY_TCP, owner, 0.0, other)
    sent = table.failed(BY_TCP, 0.1)
    assert [send.hop for send in sent if isinstance(send, Send)] == [other]
    assert owner.told == []
    table.failed(other, 0.2)
    assert owner.told == [0]


def test_an_answer_whose_connection_is_gone_takes_the_vias_way() -> None:
    table = new_table()
    server = table.open_invite(request("INVITE"), Hop((THEM[0], 40001), Transport.TCP))
    table.respond(server, response("INVITE", 486), 0.0)
    sent = table.failed(server.hop, 0.1)
    assert [send.hop for send in sent if isinstance(send, Send)] == [Hop(THEM, Transport.TCP)]
    assert table.failed(Hop(THEM, Transport.TCP), 0.2) == []


def test_a_cancel_goes_with_its_invite_and_is_answered_beside_it() -> None:
    """RFC 3261 §17.1.3: the method tells the responses of two transactions with one branch apart."""
    table, owner, canceller = new_table(), Owner(), Owner()
    client, _ = table.ask(ours("INVITE"), BY_UDP, owner, 0.0)
    assert isinstance(client, InviteClient)
    table.receive_response(answered(client, 180), 0.1)
    [sent] = table.cancel(client, canceller, 1.0, ("reason", "SIP;cause=200"))
    assert isinstance(sent, Send)
    cancel = parse(sent.data)
    assert isinstance(cancel, Request)
    assert (cancel.method, cancel.via.branch, cancel.to.tag) == ("CANCEL", client.request.via.branch, "")
    table.receive_response(respond(cancel, 200, "OK"), 1.1)
    table.receive_response(answered(client, 487), 1.2)
    assert (owner.told, canceller.told) == ([180, 487], [200])
