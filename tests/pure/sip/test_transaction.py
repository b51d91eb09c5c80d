"""The timers of RFC 3261 §17, each to the instant."""

import pytest

from callflow.sip.message import Request, Response, parse, respond
from callflow.sip.transaction import (
    InviteServer,
    NonInviteClient,
    NonInviteServer,
    Send,
    ServerTransaction,
    State,
)
from callflow.sip.transactions import Transactions
from tests.support.sip_phone import THEM, Phone, words

pytestmark = pytest.mark.pure


def request(method: str, *, cseq: int = 1, branch: str = "") -> Request:
    message = parse(Phone().request(method, cseq=cseq, branch=branch))
    assert isinstance(message, Request)
    return message


def response(method: str, status: int) -> Response:
    return respond(request(method), status, "Reason")


def timeline(machine: ServerTransaction | NonInviteClient, end: float = 100.0) -> list[tuple[float, int]]:
    """At which deadlines how many datagrams left."""
    done: list[tuple[float, int]] = []
    while (at := machine.deadline) is not None and at <= end:
        assert isinstance(machine, InviteServer | NonInviteServer | NonInviteClient)
        done.append((at, len(machine.tick(at))))
    return done


def test_timers_g_and_h_repeat_a_refusal_until_32_seconds() -> None:
    server = InviteServer(request("INVITE"), THEM)
    assert len(server.respond(response("INVITE", 180), 1.0)) == 1
    assert (server.state, server.deadline) == (State.PROCEEDING, None)
    assert len(server.respond(response("INVITE", 486), 2.0)) == 1
    assert server.respond(response("INVITE", 200), 2.0) == []
    repeated = [2.5, 3.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5, 33.5]
    assert timeline(server) == [*((at, 1) for at in repeated), (34.0, 0)]
    assert (server.over, server.deadline) == (True, None)


@pytest.mark.parametrize("at", [0.1, 0.5, 20.0])
def test_timer_i_swallows_further_acks_for_5_seconds(at: float) -> None:
    server = InviteServer(request("INVITE"), THEM)
    server.respond(response("INVITE", 486), 0.0)
    server.acknowledge(at)
    assert (server.state, server.deadline, server.again()) == (State.CONFIRMED, at + 5.0, [])
    server.acknowledge(at + 4.0)
    assert timeline(server) == [(at + 5.0, 0)]
    assert server.over


def test_timer_l_keeps_the_transaction_after_its_2xx() -> None:
    server = InviteServer(request("INVITE"), THEM)
    server.respond(response("INVITE", 200), 3.0)
    assert (server.state, server.again()) == (State.ACCEPTED, [])
    server.acknowledge(4.0)
    assert timeline(server) == [(35.0, 0)]
    assert server.over


def test_timer_j_answers_retransmissions_for_32_seconds() -> None:
    server = NonInviteServer(request("BYE"), THEM)
    assert server.again() == []
    first = server.respond(response("BYE", 200), 1.0)
    assert server.respond(response("BYE", 500), 2.0) == []
    assert server.again() == first == [Send(response("BYE", 200).to_bytes(), THEM)]
    assert timeline(server) == [(33.0, 0)]
    assert server.over


def test_timers_e_and_f_repeat_our_request_until_32_seconds() -> None:
    client = NonInviteClient(b"BYE", THEM, 1.0)
    assert client.start() == [Send(b"BYE", THEM)]
    repeated = [1.5, 2.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5, 32.5]
    assert timeline(client) == [*((at, 1) for at in repeated), (33.0, 0)]
    assert (client.over, client.timed_out) == (True, True)


def test_timer_e_is_slow_once_the_peer_has_shown_itself() -> None:
    client = NonInviteClient(b"BYE", THEM, 0.0)
    client.receive(response("BYE", 100), 0.1)
    assert timeline(client, 9.0) == [(0.5, 1), (4.5, 1), (8.5, 1)]


def test_timer_k_swallows_further_answers_for_5_seconds() -> None:
    client = NonInviteClient(b"BYE", THEM, 0.0)
    client.receive(response("BYE", 200), 0.7)
    client.receive(response("BYE", 100), 1.0)
    assert timeline(client) == [(5.7, 0)]
    assert (client.over, client.timed_out) == (True, False)


def test_which_request_belongs_to_which_transaction() -> None:
    table = Transactions()
    invite = table.open_invite(request("INVITE", branch="a"), THEM)
    other = table.open_other(request("OPTIONS", branch="a"), THEM)
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

    table = Transactions()
    first, second = table.open_invite(old("one"), THEM), table.open_invite(old("two"), THEM)
    assert table.server(old("one", "ACK"), "INVITE") is first
    assert table.server(old("two", "ACK"), "INVITE") is second


def test_the_table_wakes_its_machines_and_forgets_them() -> None:
    table = Transactions()
    invite = table.open_invite(request("INVITE", branch="a"), THEM)
    assert words(table.respond(invite, response("INVITE", 486), 0.0)) == ["486 INVITE", "(response 4xx)"]
    assert words(table.respond(invite, response("INVITE", 486), 0.0)) == []
    bye = request("BYE", branch="ours")
    assert words(table.open_client(bye, "z9hG4bKours", THEM, 0.1)) == ["BYE"]
    assert words(table.tick(0.49)) == []
    assert words(table.tick(0.7)) == ["486 INVITE", "BYE"]
    assert table.receive_response(respond(bye, 200, "OK"), 1.0)
    assert not table.receive_response(respond(request("BYE", branch="other"), 200, "OK"), 1.0)
    table.acknowledge(invite, 1.0)
    assert (words(table.tick(6.0)), len(table), table.deadline) == ([], 0, None)
