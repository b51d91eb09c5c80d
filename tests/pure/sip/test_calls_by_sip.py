"""The controller at its SIP side: who offers, who answers, and which keys count."""

from dataclasses import replace
from itertools import count

import pytest

from callflow.call.controller import Controller, Settings
from callflow.call.leg import Effect
from callflow.codec import Law
from callflow.etiquette.house import House
from callflow.events import PromptStarted
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.media.messages import CloseLeg, Command, MoveLeg, OpenLeg, Play, Report
from callflow.media.ports import PortPool
from callflow.sip.happenings import Counted
from callflow.sip.message import parse
from callflow.sip.transaction import Send
from tests.support.sip_phone import OFFER, THEM, Phone, new_endpoint

pytestmark = pytest.mark.pure

SDP = "Content-Type: application/sdp"
NO_KEYS = OFFER.replace(b" 101\r\na=rtpmap:101 telephone-event/8000", b"")


class Caller:
    """A phone whose words go through a controller."""

    def __init__(self, flow: Flow, house: House) -> None:
        numbers = count(1)
        self.facts: list[Fact] = []
        settings = Settings(flow, house, "198.51.100.1", 10)
        self.controller = Controller(
            settings,
            new_endpoint(),
            PortPool((20_000, 20_002)),
            lambda: f"c{next(numbers)}",
            self.facts.append,
        )
        self.phone = Phone()
        self.sent: list[str] = []
        self.commands: list[Command] = []
        self.counted: list[str] = []
        self.body = b""

    def says(self, data: bytes, now: float) -> None:
        self.takes(self.controller.receive(data, THEM, now))

    def takes(self, effects: list[Effect]) -> None:
        self.sent, self.commands, self.counted = [], [], []
        for effect in effects:
            match effect:
                case Send(data=data):
                    message = parse(data)
                    self.sent.append(data.split(b" ")[0 if data[:3] != b"SIP" else 1].decode())
                    self.body = message.body
                    self.phone.to_tag = self.phone.to_tag or message.to.tag
                case Command():
                    self.commands.append(effect)
                case Counted(what="odd", kind=kind):
                    self.counted.append(kind)

    def waits(self, end: float) -> None:
        while (at := self.controller.deadline) is not None and at <= end:
            self.takes(self.controller.tick(at))
            if any(isinstance(command, Play) for command in self.commands):
                self.controller.hear(Report(at, 1, PromptStarted("greeting")))
                return

    def named(self, name: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.fact == name]


@pytest.fixture
def caller(hotline: Flow, house: House) -> Caller:
    return Caller(hotline, house)


def test_without_an_offer_the_leg_opens_when_the_answer_is_there(caller: Caller) -> None:
    caller.says(caller.phone.request("INVITE", body=b""), 0.0)
    caller.waits(0.4)
    assert b"m=audio 20000 RTP/AVP 8 0 101" in caller.body
    assert not caller.commands
    caller.says(caller.phone.request("ACK", SDP, body=OFFER), 0.5)
    hosts = ("192.0.2.10", "192.0.2.10")
    [opened] = caller.commands
    assert isinstance(opened, OpenLeg)
    assert (opened.laws, opened.event_types) == ((Law.PCMU, Law.PCMA), (101,))
    plain = replace(opened, laws=(), event_types=())
    assert plain == OpenLeg(1, 0, Law.PCMU, 101, ("192.0.2.10", 4000), hosts)
    caller.waits(2.0)
    assert caller.commands == [Play(1, "greeting")]
    caller.says(caller.phone.request("BYE", cseq=2), 3.0)
    assert caller.commands == [CloseLeg(1)]
    assert caller.controller.in_hand()["calls"] == caller.controller.in_hand()["ports"] == 0


@pytest.mark.parametrize("answer", [b"", b"nonsense", OFFER.replace(b"0 8 101", b"18"), OFFER[:40]])
def test_without_a_usable_answer_the_call_ends(caller: Caller, answer: bytes) -> None:
    caller.says(caller.phone.request("INVITE", body=b""), 0.0)
    caller.waits(0.4)
    caller.says(caller.phone.request("ACK", SDP, body=answer), 0.5)
    assert (caller.sent, caller.counted, caller.commands) == (["BYE"], ["no_answer"], [CloseLeg(1)])
    (ended,) = caller.named("call.ended")
    assert (ended.details["by"], ended.details["reason"]) == ("callflow", "no_answer")
    assert caller.controller.in_hand()["calls"] == caller.controller.in_hand()["ports"] == 0


def talking(caller: Caller, offer: bytes) -> Caller:
    caller.says(caller.phone.request("INVITE", body=offer), 0.0)
    caller.waits(0.4)
    caller.says(caller.phone.request("ACK"), 0.5)
    caller.waits(2.0)
    assert caller.commands == [Play(1, "greeting")]
    return caller


def test_a_key_by_info_counts_where_it_can_come_no_other_way(caller: Caller) -> None:
    talking(caller, NO_KEYS)
    caller.says(caller.phone.request("INFO", "Content-Type: application/dtmf", cseq=2, body=b"1"), 3.0)
    assert caller.sent == ["200"]
    assert len(caller.named("digit.pressed")) == 1


def test_a_key_by_info_does_not_count_twice(caller: Caller) -> None:
    talking(caller, OFFER)
    caller.says(caller.phone.request("INFO", "Content-Type: application/dtmf", cseq=2, body=b"1"), 3.0)
    assert (caller.sent, caller.counted) == (["200"], ["info_key_beside_telephone_event"])
    assert not caller.named("digit.pressed")


def test_hold_by_update_and_by_an_answer_of_ours(caller: Caller) -> None:
    talking(caller, OFFER)
    held = OFFER + b"a=sendonly\r\n"
    caller.says(caller.phone.request("UPDATE", SDP, cseq=2, body=held), 3.0)
    assert caller.sent == ["200"]
    assert b"a=recvonly" in caller.body
    assert isinstance(caller.commands[0], MoveLeg)
    assert len(caller.named("call.held")) == 1
    caller.says(caller.phone.request("INVITE", cseq=3, body=b""), 4.0)
    assert caller.sent == ["100", "200"]
    assert b"o=callflow 1 3 IN" in caller.body
    caller.says(caller.phone.request("ACK", SDP, cseq=3, body=OFFER), 4.1)
    assert len(caller.named("call.resumed")) == 1
    caller.says(caller.phone.request("UPDATE", SDP, cseq=4, body=OFFER.replace(b"0 8 101", b"18")), 5.0)
    assert caller.sent == ["488"]
