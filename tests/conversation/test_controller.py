"""Whole calls through the controller, SIP in and out, on the virtual clock: also those that go wrong."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

import pytest

from callflow.call.controller import Controller, Settings
from callflow.call.journal import CallEntry, Journalled
from callflow.call.leg import Effect
from callflow.etiquette.house import House
from callflow.events import DigitPressed, Event, Heard, LineHeard, PromptFinished, PromptStarted
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.flow.run import FlowRun
from callflow.guard import Broke
from callflow.media.messages import (
    CloseLeg,
    HearTones,
    IgnoreTones,
    LegQuality,
    MoveLeg,
    NoPackets,
    OpenLeg,
    Play,
    Report,
    SourceTaken,
)
from callflow.media.ports import PortPool
from callflow.sip.happenings import Counted
from callflow.sip.message import Request, Response, parse, respond
from callflow.sip.transaction import Send
from tests.support.sip_phone import OFFER, THEM, Phone, new_endpoint

pytestmark = pytest.mark.conversation


class Office:
    """A controller, the facts of its calls, and a caller who has been answered."""

    def __init__(
        self,
        flow: Flow,
        house: House,
        most_calls: int = 4,
        ports: tuple[int, ...] = (20_000, 20_002),
        *,
        journals: bool = False,
    ) -> None:
        self.facts: list[Fact] = []
        calls = count(1)
        settings = Settings(flow, house, "198.51.100.1", most_calls, journals)
        self.controller = Controller(
            settings, new_endpoint(), PortPool(ports), lambda: f"call-{next(calls)}", self.facts.append
        )
        self.phone = Phone()

    def says(self, method: str, at: float, body: bytes = b"", cseq: int = 1) -> list[str]:
        return self.words(self.controller.receive(self.phone.request(method, body=body, cseq=cseq), THEM, at))

    def passes(self, at: float) -> list[str]:
        """Time passes to `at`, deadline by deadline."""
        told: list[str] = []
        while (deadline := self.controller.deadline) is not None and deadline <= at:
            told += self.words(self.controller.tick(deadline))
        return told

    def words(self, effects: Iterable[Effect]) -> list[str]:
        told = []
        for effect in effects:
            match effect:
                case Send(data=data):
                    message = parse(data)
                    if isinstance(message, Response):
                        told.append(str(message.status))
                        self.phone.to_tag = message.to.tag
                    else:
                        told.append(message.method)
                case OpenLeg() | CloseLeg():
                    told.append(type(effect).__name__)
                case Play(prompt=prompt):
                    told.append(f"Play {prompt}")
                case Counted(what="fault" | "media" as what, kind=kind):
                    told.append(f"({what} {kind})")
                case Broke(error=error):
                    told.append(f"(broke {error})")
        return told

    def ended(self) -> list[tuple[str, str]]:
        return [
            (str(fact.details["by"]), str(fact.details["reason"]))
            for fact in self.facts
            if fact.fact == "call.ended"
        ]


def answered(office: Office) -> None:
    office.says("INVITE", 0.0, OFFER)
    office.passes(0.0)
    office.says("ACK", 0.0)
    assert office.passes(0.2) == ["Play greeting"]


def test_a_call_is_answered_greeted_and_let_go(hotline: Flow, house: House) -> None:
    office = Office(hotline, house)
    assert office.says("INVITE", 0.0, OFFER) == ["100", "180"]
    assert office.passes(0.0) == ["OpenLeg", "200"]
    assert office.says("ACK", 0.1) == []
    assert office.passes(0.31) == ["Play greeting"]
    assert office.says("BYE", 2.0, cseq=2) == ["200", "CloseLeg"]
    assert office.ended() == [("caller", "")]
    assert len(office.controller) == 0


def test_what_befalls_the_audio_is_counted_and_is_no_event_of_the_call(hotline: Flow, house: House) -> None:
    office = Office(hotline, house)
    answered(office)
    assert office.words(office.controller.hear(Report(2.0, 1, NoPackets()))) == ["(media no_packets)"]
    assert office.words(office.controller.hear(Report(2.0, 99, PromptStarted("greeting")))) == []


def test_how_well_a_leg_was_heard_is_the_last_word_of_its_ledger(hotline: Flow, house: House) -> None:
    office = Office(hotline, house)
    answered(office)
    office.says("BYE", 2.0, cseq=2)
    quality = LegQuality(packets=99, lost=1, jitter=2.5, reordered=0, duplicates=0, round_trip=0.04)
    assert office.words(office.controller.hear(Report(2.1, 1, quality))) == []
    assert [fact.fact for fact in office.facts[-2:]] == ["call.ended", "leg.quality"]
    told = office.facts[-1]
    assert (told.at, told.call, told.details["lost"], told.details["round_trip"]) == (2.1, "call-1", 1, 0.04)
    assert office.words(office.controller.hear(Report(2.2, 1, quality))) == []
    assert office.facts[-1] is told


def test_who_would_be_mistaken_for_another_is_moved_to_another_port(hotline: Flow, house: House) -> None:
    office = Office(hotline, house)
    answered(office)
    effects = [*office.controller.hear(Report(2.0, 1, SourceTaken()))]
    [moved] = [effect for effect in effects if isinstance(effect, MoveLeg)]
    assert moved.port == 1
    [send] = [effect for effect in effects if isinstance(effect, Send)]
    invite = parse(send.data)
    assert isinstance(invite, Request)
    assert (invite.method, b"m=audio 20002 RTP/AVP 0 101" in invite.body) == ("INVITE", True)
    answer = ("content-type", "application/sdp"), ("contact", "<sip:1001@192.0.2.10:5070>")
    ok = respond(invite, 200, "OK", *answer, body=OFFER)
    assert office.words(office.controller.receive(ok.to_bytes(), THEM, 2.1)) == ["ACK"]
    assert office.says("BYE", 3.0, cseq=2) == ["200", "CloseLeg"]


def test_where_there_is_no_other_port_the_call_goes_on(hotline: Flow, house: House) -> None:
    office = Office(hotline, house, ports=(20_000,))
    answered(office)
    told = office.words(office.controller.hear(Report(2.0, 1, SourceTaken())))
    assert told == ["(media source_taken)", "(media no_other_port)"]


def test_a_call_that_breaks_is_parted_from_and_the_next_one_is_answered(
    hotline: Flow, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(hotline, house)
    answered(office)
    office.controller.hear(Report(0.3, 1, PromptStarted("greeting")))

    def broken(self: FlowRun, event: object, now: float) -> list[object]:
        raise RuntimeError("planted")

    with monkeypatch.context() as planted:
        planted.setattr(FlowRun, "receive", broken)
        told = office.words(office.controller.hear(Report(1.0, 1, DigitPressed("1"))))
        assert told == ["(broke planted)", "Play hanging_up"]
    office.controller.hear(Report(1.1, 1, PromptStarted("hanging_up")))
    office.controller.hear(Report(3.0, 1, PromptFinished("hanging_up")))
    assert office.controller.deadline == 8.0
    assert office.passes(8.0) == ["BYE", "CloseLeg"]
    assert office.ended() == [("callflow", "fault")]
    office.phone = Phone(call_id="call-2")
    assert office.says("INVITE", 9.0, OFFER) == ["100", "180"]


def test_a_call_that_cannot_even_part_is_given_up(
    hotline: Flow, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(hotline, house)
    answered(office)
    office.controller.hear(Report(0.3, 1, PromptStarted("greeting")))

    def broken(*_: object) -> list[object]:
        raise RuntimeError("planted")

    monkeypatch.setattr(FlowRun, "receive", broken)
    monkeypatch.setattr(FlowRun, "stop", broken)
    told = office.words(office.controller.hear(Report(1.0, 1, DigitPressed("1"))))
    assert told == ["(broke planted)", "(broke planted)", "BYE", "CloseLeg"]
    assert office.ended() == [("callflow", "fault")]
    assert len(office.controller) == 0


def test_one_caller_too_many_is_refused(hotline: Flow, house: House) -> None:
    office = Office(hotline, house, most_calls=0)
    assert office.says("INVITE", 0.0, OFFER) == ["100", "503"]
    assert office.controller.in_hand()["ports"] == 0


def test_each_change_of_a_call_is_written_down_and_its_end_too(hotline: Flow, house: House) -> None:
    office = Office(hotline, house, journals=True)
    written: list[Journalled] = []

    def note(effects: Iterable[Effect]) -> None:
        written.extend(effect for effect in effects if isinstance(effect, Journalled))

    note(office.controller.receive(office.phone.request("INVITE", body=OFFER), THEM, 0.0))
    note(office.controller.tick(0.0))
    entries = [change.entry for change in written]
    assert [entry.step for entry in entries if entry] == ["greet"] * len(entries)
    last = entries[-1]
    assert last is not None
    [leg] = last.legs
    assert (leg.media, leg.remote, leg.law, leg.port) == (1, ("192.0.2.10", 4000), "PCMU", 0)
    assert leg.dialog is not None
    assert (leg.dialog.call_id, leg.dialog.remote_cseq) == ("call-1", 1)
    assert CallEntry.from_json(last.as_json()) == last
    dialog = office.controller._endpoint.calls.dialog(leg.session)
    assert leg.dialog.dialog() == dialog
    written.clear()
    note(office.controller.hear(Report(0.1, 1, NoPackets())))
    assert written == []
    office.phone.to_tag = dialog.local.tag if dialog else ""
    note(office.controller.receive(office.phone.request("BYE", cseq=2), THEM, 1.0))
    assert written == [Journalled("call-1", None)]


def test_nothing_is_written_down_where_nobody_wants_it(hotline: Flow, house: House) -> None:
    office = Office(hotline, house)
    effects = office.controller.receive(office.phone.request("INVITE", body=OFFER), THEM, 0.0)
    assert not [effect for effect in effects if isinstance(effect, Journalled)]


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "3", '{"call": "x"}', '{"legs": [3], "rules": []}'])
def test_what_is_no_entry_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="no entry of a journal"):
        CallEntry.from_json(text)


@pytest.mark.parametrize("has_events", [True, False])
def test_tones_are_keys_only_while_a_key_is_asked_for(hotline: Flow, house: House, has_events: bool) -> None:
    """Only where no telephone-event was agreed, and only in the question's window."""
    office = Office(hotline, house)
    offer = OFFER if has_events else OFFER.replace(b" 101\r\na=rtpmap:101 telephone-event/8000", b"")
    office.says("INVITE", 0.0, offer)
    office.passes(0.0)
    office.says("ACK", 0.0)
    office.passes(0.2)

    def hears(at: float, event: Event) -> list[str]:
        effects = office.controller.hear(Report(at, 1, event))
        return [type(effect).__name__ for effect in effects if isinstance(effect, HearTones | IgnoreTones)]

    assert hears(0.3, PromptStarted("greeting")) == []
    assert hears(5.0, PromptFinished("greeting")) == []
    assert hears(6.0, LineHeard(Heard.SOUND, 6.0)) == []
    assert hears(6.5, LineHeard(Heard.SILENCE, 6.4)) == []
    assert hears(7.0, PromptStarted("main_menu")) == []
    assert hears(9.0, PromptFinished("main_menu")) == ([] if has_events else ["HearTones"])
    assert hears(10.0, DigitPressed("1")) == ([] if has_events else ["IgnoreTones"])


def test_without_the_plane_new_calls_are_refused_for_a_moment(hotline: Flow, house: House) -> None:
    office = Office(hotline, house)
    assert office.words(office.controller.media_gone(0.0)) == []
    [send] = [e for e in office.controller.receive(invited(), THEM, 0.0) if isinstance(e, Send)]
    refusal = parse(send.data)
    assert isinstance(refusal, Response)
    assert (refusal.status, refusal.headers.get("retry-after")) == (503, "5")
    office.controller.media_back(1.0)
    office.phone = Phone(call_id="call-2")
    assert office.says("INVITE", 1.0, OFFER) == ["100", "180"]


def test_when_the_plane_stays_away_every_call_ends(hotline: Flow, house: House) -> None:
    office = Office(hotline, house)
    answered(office)
    office.controller.media_gone(1.0)
    assert office.words(office.controller.drop_all("no_media", 21.0)) == ["BYE", "CloseLeg"]
    assert office.ended() == [("callflow", "no_media")]
    assert len(office.controller) == 0


def invited() -> bytes:
    return Phone().request("INVITE", body=OFFER)


def test_a_call_of_an_earlier_life_is_ended_by_its_dialog(hotline: Flow, house: House) -> None:
    office = Office(hotline, house, journals=True)
    invite = office.phone.request("INVITE", "Record-Route: <sip:192.0.2.99;lr>", body=OFFER)
    office.words(office.controller.receive(invite, THEM, 0.0))
    office.passes(0.0)
    effects = office.controller.receive(office.phone.request("ACK", body=b""), THEM, 0.0)
    entry = [effect.entry for effect in effects if isinstance(effect, Journalled)][-1]
    assert entry is not None
    # Another life: nothing is known but what was written down.
    after = Office(hotline, house)
    effects = after.controller.end_earlier(CallEntry.from_json(entry.as_json()), 5.0)
    [send] = [effect for effect in effects if isinstance(effect, Send)]
    bye = parse(send.data)
    assert isinstance(bye, Request)
    assert (bye.method, bye.call_id, bye.from_.tag) == ("BYE", "call-1", office.phone.to_tag)
    assert (bye.to.tag, bye.uri, send.destination[0]) == ("from-1", "sip:1001@192.0.2.10:5070", "192.0.2.99")
    assert bye.headers.get("route") == "<sip:192.0.2.99;lr>"
    assert bye.cseq.number > entry.legs[0].dialog.local_cseq if entry.legs[0].dialog else False
    # It is repeated until it is answered, and then nothing is left of it.
    assert after.passes(5.6) == ["BYE"]
    after.words(after.controller.receive(respond(bye, 200, "OK").to_bytes(), THEM, 5.7))
    assert after.passes(60.0) == []
    assert set(after.controller.in_hand().values()) == {0}


def test_a_harmed_dialog_costs_no_other_its_end(hotline: Flow, house: House) -> None:
    office = Office(hotline, house, journals=True)
    answered(office)
    entry = [*office.controller._deeds._written.values()][-1]
    leg = entry.legs[0]
    assert leg.dialog is not None
    harmed = replace(leg, dialog=replace(leg.dialog, remote="<nobody"))
    none = replace(leg, dialog=None)
    effects = Office(hotline, house).controller.end_earlier(replace(entry, legs=(harmed, none, leg)), 0.0)
    assert Office(hotline, house).words(effects) == ["BYE"]
