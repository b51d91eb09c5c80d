"""Phones that register by TCP, at the assembled service (RFC 3261 §10.3, §18.1.1)."""

import pytest

from callflow.net import tcp
from callflow.net.tcp_connection import Limits
from callflow.sip.message import Request
from tests.sockets.test_service import OPTIONS
from tests.support.desk import caller, desk, registered
from tests.support.tcp_phone import Connection, tcp_phone
from tests.support.udp_phone import until

pytestmark = pytest.mark.sockets


async def invited(connection: Connection) -> str:
    """The Request-URI of the INVITE that comes; the phone declines it."""
    invite = await connection.next()
    assert isinstance(invite, Request)
    assert invite.method == "INVITE"
    fields = [f"{name}: {invite.headers.need(name)}" for name in ("via", "from", "call-id", "cseq")]
    connection.send("SIP/2.0 603 Decline", *fields, f"To: {invite.headers.need('to')};tag=phone")
    ack = await connection.next()
    assert isinstance(ack, Request)
    return invite.uri


async def test_a_phone_is_rung_by_its_own_connection() -> None:
    async with (
        desk() as (service, _),
        tcp_phone(service.sip_address, "seat1", "secret") as (phone, connection),
        caller(service) as calls,
    ):
        await calls.call("10086")
        assert await invited(connection) == f"sip:seat1@127.0.0.1:{phone.address[1]};transport=tcp"
        assert phone.connections.empty()
        await calls.hang_up()


async def test_a_phone_whose_connection_has_gone_is_rung_by_a_new_one_to_its_contact() -> None:
    async with (
        desk() as (service, facts),
        tcp_phone(service.sip_address, "seat1", "secret") as (phone, connection),
        caller(service) as calls,
    ):
        await connection.close()
        await until(lambda: b'callflow_sip_tcp_total{kind="left"} 1.0' in service.metrics.expose())
        await calls.call("10086")
        assert await invited(await phone.connections.get())
        assert "seat.unreachable" not in facts.names
        await calls.hang_up()


async def test_a_connection_that_a_registration_needs_is_not_closed_as_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp, "Limits", lambda: Limits(first_message=0.5, idle=0.5))
    async with (
        desk() as (service, _),
        tcp_phone(service.sip_address, "seat1", "secret") as (phone, connection),
        caller(service) as calls,
    ):
        idle = await phone.dials()
        idle.send("OPTIONS sip:x SIP/2.0", *OPTIONS.format(port=5060, branch="o").split("\r\n")[1:-2])
        await idle.next()
        with pytest.raises(ConnectionError):
            await idle.next()
        assert registered(service, "seat1")()
        await calls.call("10086")
        assert await invited(connection)
        assert phone.connections.empty()
        await calls.hang_up()
        # Once it has unregistered, its connection is like any other.
        await phone.registers(connection, expires=0)
        with pytest.raises(ConnectionError):
            await connection.next()
