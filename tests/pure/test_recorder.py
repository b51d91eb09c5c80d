"""Messages on their way: whole only when the rest is here, told of once, and kept when the caller is gone."""

import pytest

from callflow.call.ledger import Ledger
from callflow.call.recorder import LEAST, REST, Message, Recorder, Written
from callflow.events import MessageFailed, MessageStored
from callflow.media.messages import Record, Recorded, StopRecording

pytestmark = pytest.mark.pure

LEG = 7


def piece(seconds: float = 1.0, *, said: bool = True, begun: float = 0.0) -> Recorded:
    return Recorded(said, 0, begun, b"\x00" * round(8000 * seconds))


def begun() -> tuple[Recorder, Ledger]:
    recorder, ledger = Recorder(), Ledger("call-1")
    assert recorder.begin(LEG, ledger, "service", voiced=True) == [Record(LEG)]
    return recorder, ledger


def written(recorder: Recorder, at: float = 9.0) -> list[Message]:
    recorder.finish(LEG, at)
    return recorder.tick(at + REST)


def test_a_message_is_whole_when_the_plane_has_had_time_for_the_rest() -> None:
    recorder, _ = begun()
    recorder.heard(LEG, piece())
    assert recorder.tick(99.0) == []
    assert recorder.finish(LEG, 3.0) == [StopRecording(LEG)]
    assert recorder.finish(LEG, 3.1) == []
    assert (recorder.deadline, recorder.tick(3.0 + REST - 0.01)) == (3.0 + REST, [])
    recorder.heard(LEG, piece(0.3, begun=1.0))
    assert recorder.tick(3.0 + REST) == [Message("call-1", 1, (piece(), piece(0.3, begun=1.0)))]
    assert recorder.deadline is None
    assert recorder.tick(9.0) == []


def test_what_was_sent_to_the_caller_and_what_others_say_is_no_message() -> None:
    recorder, _ = begun()
    for leg, heard in ((LEG, piece(said=False)), (8, piece()), (LEG, piece(2.0))):
        recorder.heard(leg, heard)
    assert [message.pieces for message in written(recorder)] == [(piece(2.0),)]


@pytest.mark.parametrize(("seconds", "pieces"), [(LEAST - 0.02, 0), (LEAST, 1)])
def test_hardly_anything_said_is_nothing_said(seconds: float, pieces: int) -> None:
    recorder, _ = begun()
    recorder.heard(LEG, piece(seconds))
    assert [len(message.pieces) for message in written(recorder)] == [pieces]


def test_a_file_is_a_ticket_and_its_call_is_told() -> None:
    recorder, ledger = begun()
    recorder.heard(LEG, piece(2.0))
    (message,) = written(recorder)
    told = recorder.written(Written(message.number, "call-1-1.wav", 2.0), 12.0)
    assert told == ("call-1", MessageStored())
    (fact,) = ledger
    assert (fact.at, fact.fact) == (12.0, "ticket.opened")
    assert fact.details == {"kind": "message", "queue": "service", "file": "call-1-1.wav", "seconds": 2.0}
    assert (len(recorder), recorder.written(Written(message.number, "x.wav"), 13.0)) == (0, None)


def test_no_file_is_told_with_its_reason() -> None:
    recorder, ledger = begun()
    recorder.heard(LEG, piece(2.0))
    (message,) = written(recorder)
    told = recorder.written(Written(message.number, why="enospc"), 12.0)
    assert told == ("call-1", MessageFailed())
    assert [(f.fact, f.details["why"]) for f in ledger] == [("ticket.failed", "enospc")]


def test_a_message_is_in_hand_until_it_is_written_and_its_words_are_not_shown() -> None:
    recorder, _ = begun()
    recorder.heard(LEG, piece(2.0))
    assert len(recorder) == 1
    (message,) = written(recorder)
    assert len(recorder) == 1
    assert "Recorded" not in repr(message)
    recorder.written(Written(message.number, why="enospc"), 12.0)
    assert len(recorder) == 0


def test_where_nobody_speaks_nothing_is_finished() -> None:
    assert Recorder().finish(LEG, 1.0) == []
