"""Who waits before the answer is told every minute that the call goes on, and answered once."""

import pytest

from callflow.actions import Action, Answer, Conclude, Progress
from callflow.etiquette.late_answer import LateAnswer, Phase
from callflow.events import CallAnswered, CallConfirmed, HungUp, Outcome, Party
from tests.pure.etiquette.stage import Stage

pytestmark = pytest.mark.pure

PICKED_UP = Conclude("csr-01", Outcome.PICKED_UP)


def waiting() -> Stage:
    late = LateAnswer(settle=0.2)
    stage = Stage(late)
    stage.do(late.begin(0.0))
    return stage


def answer(stage: Stage) -> list[Action]:
    assert isinstance(stage.machine, LateAnswer)
    return stage.do(stage.machine.answer())


def test_the_caller_is_told_every_minute_so_that_no_proxy_gives_the_call_up() -> None:
    assert waiting().wait(200.0).times(Progress()) == [0.0, 60.0, 120.0, 180.0]


def test_the_answer_is_given_once_and_what_follows_waits_until_it_is_confirmed() -> None:
    stage = waiting().wait(70.0)
    assert answer(stage) == [Answer()]
    assert answer(stage) == []
    stage.happen(CallAnswered())
    stage.wait(5.0)
    stage.happen(CallConfirmed())
    stage.wait(1.0)
    assert stage.done[2:] == [(70.0, Answer()), (75.2, PICKED_UP)]


def test_an_answered_caller_is_told_nothing_provisional() -> None:
    stage = waiting()
    answer(stage)
    assert stage.wait(500.0).times(Progress()) == [0.0]


def test_a_caller_who_gives_up_is_not_answered() -> None:
    stage = waiting()
    stage.happen(HungUp(Party.CALLER, "cancelled"))
    assert answer(stage) == []
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.DONE, None)
