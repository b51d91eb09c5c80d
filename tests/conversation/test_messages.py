"""Callers who leave a message, in whole calls."""

import pytest

from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.call.recorder import REST, Written
from callflow.call.simulate import Simulation
from callflow.call.simulate import speaks as speech
from callflow.etiquette.house import House
from callflow.events import Heard, LineHeard, LineJudged, LineState
from callflow.flow.load import load
from callflow.flow.model import Flow
from callflow.media.messages import PlayTone, Record, Recorded, StopRecording
from callflow.sip.happenings import Counted
from tests.support.exchange import PROMPT, Exchange
from tests.support.sip_phone import OFFER

pytestmark = pytest.mark.conversation

TEXT = """\
callflow: 1
name: away
title: 留言
house: csr-standard
start: serve
steps:
  serve: {do: seat, queue: service, nobody: message, message: message, next: close}
  message: {do: message, at_most: 30s, next: close}
  close: {do: close, more: serve}
"""
TONE = 0.4


@pytest.fixture
def flow() -> Flow:
    return load(TEXT, "away.yaml")[0]


@pytest.fixture
def exchange(flow: Flow, house: House) -> Exchange:
    """Nobody is there, and the tone has sounded."""
    exchange = Exchange(flow, house)
    exchange.calls()
    exchange.passes(0.2 + PROMPT + TONE + 0.1)
    return exchange


def speaks(exchange: Exchange, seconds: int = 3) -> None:
    exchange.tells(1, LineHeard(Heard.SOUND, exchange.now))
    for _ in range(seconds):
        begun = exchange.now
        exchange.passes(1.0)
        exchange.tells(1, Recorded(True, 0, begun, bytes(8000)))


@pytest.mark.parametrize(
    "heard",
    [
        [],
        [LineJudged(LineState.SILENT, 1.0)],
        [LineJudged(LineState.TONE, 1.0)],
        [LineJudged(LineState.ECHO, 1.0)],
    ],
)
def test_silence_and_a_busy_tone_are_no_message_however_many_packets_come(
    exchange: Exchange, heard: list[LineJudged]
) -> None:
    for event in heard:
        exchange.tells(1, event)
    for _ in range(8):
        begun = exchange.now
        exchange.passes(1.0)
        exchange.tells(1, Recorded(True, 0, begun, bytes(8000)))
    exchange.says("BYE", cseq=2)
    exchange.passes(REST)
    assert exchange.messages == []
    assert ticket(exchange)["fact"] == "ticket.failed"
    assert ticket(exchange)["why"] == "empty"


@pytest.mark.parametrize("state", [LineState.SPEECH, LineState.FAINT, LineState.NOISY])
def test_a_line_that_leaves_room_for_a_person_is_kept(exchange: Exchange, state: LineState) -> None:
    exchange.tells(1, LineJudged(state, exchange.now))
    exchange.tells(1, Recorded(True, 0, exchange.now, bytes(16000)))
    exchange.says("BYE", cseq=2)
    exchange.passes(REST)
    assert len(exchange.messages) == 1


def becomes(exchange: Exchange, written: Written) -> None:
    exchange.take(exchange.controller.written(written, exchange.now))


def commands(exchange: Exchange) -> list[type]:
    wanted = (PlayTone, Record, StopRecording)
    return [type(command) for command in exchange.commands if isinstance(command, wanted)]


def ticket(exchange: Exchange) -> dict[str, object]:
    (fact,) = [fact for fact in exchange.facts if fact.fact.startswith("ticket.")]
    return {"fact": fact.fact, "rule": fact.rule, **fact.details}


KEPT = {
    "fact": "ticket.opened", "rule": None,
    "kind": "message", "queue": "service", "file": "call-1-1.wav", "seconds": 3.0,
}  # fmt: skip


def test_a_message_is_recorded_after_the_tone_and_its_caller_told_when_it_is_kept(exchange: Exchange) -> None:
    assert [prompt for _, prompt in exchange.said()] == ["message_after_tone"]
    assert commands(exchange) == [PlayTone, Record]
    speaks(exchange)
    exchange.presses("#")
    assert commands(exchange) == [PlayTone, Record, StopRecording]
    exchange.passes(REST)
    (message,) = exchange.messages
    assert (message.call, len(message.pieces)) == ("call-1", 3)
    exchange.passes(0.5)
    assert len(exchange.said()) == 1
    becomes(exchange, Written(message.number, "call-1-1.wav", 3.0))
    assert exchange.said()[-1][1] == "message_taken"
    assert ticket(exchange) == KEPT
    exchange.passes(PROMPT)
    assert exchange.said()[-1][1] == "anything_else"


def test_a_full_disk_is_counted_and_the_caller_told(exchange: Exchange) -> None:
    speaks(exchange)
    exchange.presses("#")
    exchange.passes(REST)
    becomes(exchange, Written(exchange.messages[0].number, why="enospc"))
    assert exchange.said()[-1][1] == "message_not_taken"
    assert Counted("fault", "message_lost") in exchange.counted
    assert (ticket(exchange)["fact"], ticket(exchange)["why"]) == ("ticket.failed", "enospc")


def test_the_message_of_a_caller_who_just_hangs_up_is_kept(exchange: Exchange) -> None:
    speaks(exchange)
    exchange.says("BYE", cseq=2)
    assert commands(exchange)[-1] is StopRecording
    assert exchange.told[-1] == "call.ended"
    # The plane hands out the rest when the call is over.
    exchange.tells(1, Recorded(True, 0, exchange.now, bytes(800)))
    assert len(exchange.controller) == 1
    exchange.passes(REST)
    (message,) = exchange.messages
    assert len(message.pieces) == 4
    becomes(exchange, Written(message.number, "call-1-1.wav", 3.0))
    assert ticket(exchange) == KEPT
    assert len(exchange.controller) == 0


def test_silence_is_no_file(exchange: Exchange) -> None:
    exchange.passes(10.0 + REST)
    assert exchange.messages == []
    assert exchange.said()[-1][1] == "message_not_taken"
    assert ticket(exchange)["why"] == "empty"
    # A caller who says nothing is no fault of ours.
    assert [counted for counted in exchange.counted if counted.what == "fault"] == []


def test_no_message_is_longer_than_the_flow_allows(exchange: Exchange) -> None:
    speaks(exchange, 29)
    assert commands(exchange)[-1] is Record
    exchange.passes(1.0)
    assert commands(exchange)[-1] is StopRecording


def test_who_spoke_before_the_tone_already_is_heard_out(flow: Flow, house: House) -> None:
    exchange = Exchange(flow, house)
    exchange.says("INVITE", OFFER)
    exchange.passes(0.001)
    exchange.says("ACK")
    exchange.tells(1, LineHeard(Heard.SOUND, exchange.now))
    exchange.passes(25.0)
    assert commands(exchange) == [PlayTone, Record]


def test_what_became_of_it_is_not_lost_on_a_caller_who_holds(exchange: Exchange) -> None:
    speaks(exchange)
    exchange.presses("#")
    exchange.passes(REST)
    exchange.says("INVITE", OFFER + b"a=sendonly\r\n", cseq=2)
    exchange.says("ACK", cseq=2)
    assert "call.held" in exchange.told
    becomes(exchange, Written(exchange.messages[0].number, "call-1-1.wav", 3.0))
    exchange.says("INVITE", OFFER, cseq=3)
    assert exchange.said()[-1][1] == "message_taken"


def test_a_message_after_a_wait_before_the_answer_on_the_virtual_clock(house: House) -> None:
    text = TEXT.replace("queue: service,", "queue: service, answer: with_seat,")
    ledger = Ledger("c")
    acts = speech(1.0, mark="message_after_tone", seconds=2.0)
    Simulation(Call(load(text, "away.yaml")[0], house, ledger), lambda prompt: 3.0, acts).run()
    begun = [(round(f.at, 3), f.details["prompt"]) for f in ledger if f.fact == "prompt.started"]
    assert begun[:3] == [(0.2, "message_after_tone"), (11.2, "message_taken"), (14.2, "anything_else")]
    assert [fact.fact for fact in ledger][1:5] == [
        "queue.entered", "call.progressed", "call.answered", "rule.concluded",
    ]  # fmt: skip


def test_who_would_rather_leave_a_message_than_wait_does(flow: Flow, house: House) -> None:
    exchange = Exchange(flow, house, "8001")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(32.5)
    exchange.phones["8001"].holds()
    exchange.passes(5.0)
    exchange.presses("2")
    exchange.passes(24.0)
    exchange.presses("4")
    assert exchange.said()[-1][1] == "message_after_tone"
    assert "BYE" in exchange.phones["8001"].asked
    exchange.passes(PROMPT + TONE + 0.1)
    assert commands(exchange)[-1] is Record
