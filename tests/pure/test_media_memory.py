"""What a new plane is told when the old one has died: enough to go on, and nothing that is over."""

import pytest

from callflow.codec import Law
from callflow.events import PromptFinished, PromptStopped
from callflow.media.messages import (
    AskOpinion,
    CloseLeg,
    Command,
    Confer,
    DigitsSent,
    HearTones,
    Join,
    KeepFrom,
    KeepKeys,
    ListenClosely,
    ListenNoLonger,
    LoadPrompt,
    MoveLeg,
    OpenGate,
    OpenLeg,
    Part,
    PassKeys,
    Play,
    PlayBoth,
    PlayTone,
    Record,
    Report,
    SendDigits,
    SetGain,
    ShutGate,
    StopPlaying,
    StopRecording,
    ToneFinished,
    UnloadPrompt,
)
from callflow.net.media_memory import Memory

pytestmark = pytest.mark.pure

PROMPTS = [LoadPrompt(name, b"\xff" * 160, b"\xd5" * 160) for name in ("greeting", "music")]
A, B, C = (OpenLeg(leg, 0, Law.PCMU, 101, ("127.0.0.1", 4000 + leg), ("127.0.0.1",)) for leg in (1, 2, 3))
TONE = PlayTone(1, 425.0, -20.0, 1.0)


def told(*commands: Command) -> Memory:
    """A plane that has two prompts and three legs, and was told these."""
    memory = Memory()
    for command in (*PROMPTS, A, B, C, *commands):
        memory.note(command)
    return memory


def after_opening(memory: Memory) -> list[Command]:
    return [command for command in memory.commands() if not isinstance(command, LoadPrompt | OpenLeg)]


def test_a_supervisor_who_listens_does_so_to_a_new_plane_too() -> None:
    memory = told(Confer(1, (2, 3)), KeepFrom(3, (1, 2)))
    assert after_opening(memory) == [Confer(1, (2, 3)), KeepFrom(3, (1, 2))]
    memory.note(Join(1, 2))
    assert after_opening(memory) == [Join(1, 2)]


def test_a_prompt_that_is_not_needed_any_more_is_not_loaded_again() -> None:
    memory = told(LoadPrompt("own_words?call=1", b"\xff" * 160, b"\xd5" * 160))
    memory.note(UnloadPrompt("own_words?call=1"))
    assert [each.prompt for each in memory.commands() if isinstance(each, LoadPrompt)] == [
        "greeting",
        "music",
    ]


def test_legs_are_opened_where_they_are_now() -> None:
    moved = MoveLeg(2, Law.PCMA, 96, ("127.0.0.1", 5000), ("127.0.0.1",))
    ported = MoveLeg(3, Law.PCMA, None, None, (), port=7)
    memory = told(moved, ported, CloseLeg(1), MoveLeg(1, Law.PCMU, None, None, ()), ShutGate(9))
    assert memory.commands() == [
        *PROMPTS,
        OpenLeg(2, 0, Law.PCMA, 96, ("127.0.0.1", 5000), ("127.0.0.1",)),
        OpenLeg(3, 7, Law.PCMA, None, None, ()),
    ]
    assert memory.legs == 2


@pytest.mark.parametrize(
    ("commands", "left"),
    [
        ([Join(2, 1)], [Join(1, 2)]),
        ([Join(1, 2), Part(2)], []),
        ([Join(1, 2), CloseLeg(2)], []),
        ([Join(1, 2), Join(3, 1)], [Join(1, 3)]),
        ([Join(1, 1), Join(1, 9)], []),
        ([Join(1, 2), Confer(1, (2, 3))], [Confer(1, (2, 3))]),
        ([Confer(1, (2, 3)), Part(1)], [Confer(2, (3,))]),
        ([Confer(1, (2, 3)), CloseLeg(3), Part(2)], []),
        ([Confer(1, (2, 3)), Join(1, 2)], [Join(1, 2)]),
        ([Confer(1, (1,)), Confer(1, (9,))], []),
    ],
)
def test_who_hears_whom(commands: list[Command], left: list[Command]) -> None:
    assert after_opening(told(*commands)) == left


def test_how_a_leg_is_heard() -> None:
    settings: list[Command] = [SetGain(1, -6), KeepKeys(1), Record(1), HearTones(1), ListenClosely(1)]
    assert after_opening(told(SetGain(1, 3), *settings)) == settings
    assert after_opening(told(KeepKeys(1), Record(1), PassKeys(1), StopRecording(1))) == []
    assert after_opening(told(ListenClosely(1), AskOpinion(1), ListenNoLonger(1))) == []


def test_a_gate_is_shut_after_the_legs_are_joined_and_open_again_once_they_are_joined_anew() -> None:
    assert after_opening(told(Join(1, 2), ShutGate(1))) == [Join(1, 2), ShutGate(1)]
    assert after_opening(told(Join(1, 2), ShutGate(1), OpenGate(1))) == [Join(1, 2)]
    assert after_opening(told(ShutGate(1), ShutGate(3), Join(1, 2))) == [Join(1, 2), ShutGate(3)]
    assert after_opening(told(ShutGate(1), Confer(1, (2,)))) == [Confer(1, (2,))]


@pytest.mark.parametrize(
    ("commands", "left"),
    [
        ([Play(1, "greeting"), Play(1, "music")], [Play(1, "music")]),
        ([Play(1, "greeting"), StopPlaying(1)], []),
        ([Play(1, "greeting"), CloseLeg(1)], []),
        ([Play(1, "unknown")], []),
        ([Play(1, "greeting"), TONE], [TONE]),
        ([Play(1, "greeting"), SendDigits(1, "1")], []),
        ([PlayBoth(1, "greeting")], [Play(1, "greeting")]),
        ([Join(1, 2), PlayBoth(1, "music")], [Join(1, 2), Play(1, "music"), Play(2, "music")]),
    ],
)
def test_what_is_being_said(commands: list[Command], left: list[Command]) -> None:
    assert after_opening(told(*commands)) == left


@pytest.mark.parametrize("end", [PromptFinished("greeting"), PromptStopped("greeting")])
def test_what_has_ended_is_not_said_again(end: PromptFinished | PromptStopped) -> None:
    memory = told(Play(1, "greeting"), Play(2, "greeting"))
    memory.hear(Report(1.0, 1, end))
    memory.hear(Report(1.0, 8, end))
    assert after_opening(memory) == [Play(2, "greeting")]


def test_the_end_of_the_words_before_is_not_that_of_the_same_words_begun_again() -> None:
    memory = told(Play(1, "greeting"), Play(1, "greeting"))
    memory.hear(Report(1.0, 1, PromptStopped("greeting")))
    assert after_opening(memory) == [Play(1, "greeting")]
    memory.hear(Report(2.0, 1, PromptFinished("greeting")))
    assert after_opening(memory) == []


def test_an_end_that_died_with_the_plane_is_not_waited_for() -> None:
    memory = told(Play(1, "greeting"), Play(1, "music"))
    assert memory.lose(3.0) == []
    memory.hear(Report(4.0, 1, PromptFinished("music")))
    assert after_opening(memory) == []


def test_a_tone_ends() -> None:
    memory = told(TONE)
    memory.hear(Report(1.0, 1, ToneFinished()))
    assert after_opening(memory) == []


def test_keys_that_died_with_the_plane_are_told_of_once_and_never_sent_again() -> None:
    memory = told(SendDigits(1, "12"), SendDigits(2, "3"))
    memory.hear(Report(1.0, 2, DigitsSent("3")))
    assert after_opening(memory) == []
    assert memory.lose(5.0) == [Report(5.0, 1, DigitsSent(""))]
    assert memory.lose(6.0) == []
