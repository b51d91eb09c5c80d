"""Trunks on a virtual clock: our table of them against our own registrar, and against silence."""

from itertools import count

import pytest

from callflow.sip.address import AllowList, Hop, Transport
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import RegistrationChanged, TrunkChanged
from callflow.sip.headers import NameAddress
from callflow.sip.keepalive import State as KeepaliveState
from callflow.sip.locate import Candidate
from callflow.sip.outgoing import Plan
from callflow.sip.registrar import Registrar
from callflow.sip.trunks import TrunkPlan
from callflow.sip.uri import Uri
from tests.support.sip_phone import OFFER, words
from tests.support.wire import CALLEE, CALLER, Side, Wire

pytestmark = pytest.mark.pure

THERE = Candidate(*CALLEE, Transport.UDP)
ELSEWHERE = Candidate("192.0.2.3", 5060, Transport.UDP)
PLAN = TrunkPlan("pbx", "pbx.example.net", "us", "word", registers=True)


class Trunked(Wire):
    """The caller's side has a trunk: the callee's side."""

    def __init__(self, plan: TrunkPlan = PLAN, password: str = "word") -> None:
        super().__init__()
        self.registrar = Registrar({"us": password}, "pbx", b"secret")
        ours = AllowList([])
        self.caller = Side("caller", CALLER, self._endpoint("a", Registrar({}, "x", b"x"), ours, plan))
        theirs = AllowList(["192.0.2.0/24"])
        self.callee = Side("callee", CALLEE, self._endpoint("b", self.registrar, theirs))

    def _endpoint(self, name: str, registrar: Registrar, allowed: AllowList, *plans: TrunkPlan) -> Endpoint:
        numbers = count(1)
        address = CALLER if name == "a" else CALLEE
        return Endpoint(address, registrar, allowed, lambda: f"{name}{next(numbers)}", trunks=plans)

    def is_found(self, *candidates: Candidate) -> None:
        self.take(self.caller, self.caller.endpoint.trunks.located("pbx", candidates, self.now))

    @property
    def bound(self) -> int:
        return len(self.registrar.bindings("us", self.now))


def test_a_trunk_is_greeted_and_registered_at() -> None:
    wire = Trunked()
    wire.run(10.0)
    assert wire.said() == []
    wire.is_found(THERE)
    wire.run(1.0)
    assert wire.heard(wire.caller) == ["pbx is up", "pbx is registered"]
    assert wire.said() == [
        *("caller: OPTIONS", "caller: REGISTER", "callee: 200 OPTIONS", "callee: 401 REGISTER"),
        *("caller: REGISTER", "callee: 200 REGISTER"),
    ]
    [binding] = wire.registrar.bindings("us", wire.now)
    assert str(binding.contact.uri) == "sip:us@192.0.2.1:5060"


def plan_for(*hops: Hop) -> Plan:
    caller = NameAddress(Uri.parse("sip:1001@192.0.2.1"))
    return Plan(Uri.parse("sip:4001@pbx.example.net"), caller, OFFER, hops)


def test_an_invite_that_nobody_answers_is_a_miss_of_that_address() -> None:
    wire = Trunked(TrunkPlan("pbx", "pbx.example.net"))
    wire.is_found(THERE, ELSEWHERE)
    wire.run(1.0)
    trunks = wire.caller.endpoint.trunks
    assert trunks.hops("pbx") == (THERE.hop, ELSEWHERE.hop)
    wire.fate = lambda send: []
    for _ in range(2):
        _, sent = wire.caller.endpoint.calls.invite(plan_for(THERE.hop, ELSEWHERE.hop), wire.now)
        wire.take(wire.caller, sent)
        wire.run(7.0)
    trunk = trunks._kept["pbx"].trunk
    assert trunk is not None
    assert trunk.states[THERE] is KeepaliveState.DOWN, "two in a row, before the next OPTIONS"


def test_503_with_retry_after_pauses_an_address_for_calls_and_not_for_emergencies() -> None:
    trunks = Trunked().caller.endpoint.trunks
    trunks.located("pbx", [THERE], 0.0)
    trunks.pause(THERE.hop, 20.0, 1.0)
    assert trunks.hops("pbx", 1.0) == trunks.hops("pbx", 20.9) == ()
    assert trunks.hops("pbx", 21.0) == trunks.hops("pbx") == (THERE.hop,)
    trunks.pause(THERE.hop, 0.0, 30.0)
    assert trunks.hops("pbx", 30.0) == (THERE.hop,)


def test_a_trunk_is_asked_again_and_refreshed_for_a_whole_day() -> None:
    wire = Trunked()
    wire.is_found(THERE)
    for _ in range(24 * 12):
        wire.run(300.0)
        assert wire.bound == 1
    said = wire.said()
    assert said.count("caller: OPTIONS") == pytest.approx(24 * 120, abs=40)
    assert said.count("caller: REGISTER") >= 24 * 15
    assert wire.heard(wire.caller) == ["pbx is up", "pbx is registered"]


def test_a_trunk_that_falls_silent_is_down_and_comes_back() -> None:
    wire = Trunked()
    wire.is_found(THERE)
    wire.run(1.0)
    weather, wire.fate = wire.fate, lambda send: []
    wire.run(150.0)
    assert wire.heard(wire.caller) == ["pbx is up", "pbx is registered", "pbx is down"]
    wire.run(300.0)
    assert wire.heard(wire.caller) == ["pbx is trying"]
    wire.fate = weather
    wire.run(400.0)
    assert sorted(wire.heard(wire.caller)) == ["pbx is registered", "pbx is up"]


def test_a_trunk_with_a_wrong_password_is_told_of_and_not_pestered() -> None:
    wire = Trunked(password="other")
    wire.is_found(THERE)
    wire.run(250.0)
    failed = [told for told in wire.caller.told if isinstance(told, RegistrationChanged)]
    assert [(told.state, told.refused_with) for told in failed] == [("failed", 401)]
    assert wire.said().count("caller: REGISTER") == 2


def test_who_stops_takes_itself_off_the_list() -> None:
    wire = Trunked()
    wire.is_found(THERE)
    wire.run(1.0)
    assert (wire.bound, wire.caller.endpoint.trunks.registered) == (1, True)
    wire.take(wire.caller, wire.caller.endpoint.trunks.stop(wire.now))
    wire.run(1.0)
    assert (wire.bound, wire.caller.endpoint.trunks.registered) == (0, False)
    assert wire.heard(wire.caller) == [
        *("pbx is up", "pbx is registered", "pbx is stopping", "pbx is stopped")
    ]


def test_calls_go_to_the_address_that_lives() -> None:
    wire = Trunked()
    assert wire.caller.endpoint.trunks.hops("pbx") == ()
    wire.is_found(ELSEWHERE, THERE)
    assert wire.caller.endpoint.trunks.hops("pbx")[0] == Hop(("192.0.2.3", 5060))
    wire.run(100.0)
    assert wire.caller.endpoint.trunks.hops("pbx") == (Hop(CALLEE), Hop(("192.0.2.3", 5060)))
    changed = [told for told in wire.caller.told if isinstance(told, TrunkChanged)]
    assert [told.state for told in changed] == ["up"]
    assert changed[0].round_trip == pytest.approx(0.02)


def test_a_trunk_is_let_in_where_it_is_and_nobody_else() -> None:
    wire = Trunked()
    assert words(wire.caller.endpoint.receive(b"x", CALLEE, 0.0)) == ["(dropped not_allowed)"]
    wire.is_found(THERE)
    assert words(wire.caller.endpoint.receive(b"x", CALLEE, 0.0)) == ["(dropped not_sip)"]
    wire.is_found(ELSEWHERE)
    assert words(wire.caller.endpoint.receive(b"x", CALLEE, 0.0)) == ["(dropped not_allowed)"]
    wire.is_found()
    assert words(wire.caller.endpoint.receive(b"x", ("192.0.2.3", 5060), 0.0)) == ["(dropped not_sip)"]


def test_a_trunk_that_is_only_called_is_left_in_peace() -> None:
    wire = Trunked(TrunkPlan("pbx", "pbx.example.net", keepalive=False))
    wire.is_found(THERE)
    wire.run(100.0)
    assert wire.said() == []
    assert wire.caller.endpoint.trunks.hops("pbx") == (Hop(CALLEE),)
    assert wire.caller.endpoint.trunks.prover("pbx") is None
