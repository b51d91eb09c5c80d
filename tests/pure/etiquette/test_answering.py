"""csr-01: answered within 3 s, and greeted."""

import pytest

from callflow.actions import Answer, Conclude, Ring, Say
from callflow.errors import IllegalEvent
from callflow.etiquette.answering import Answering, Phase
from callflow.etiquette.house import House
from callflow.etiquette.parameters import AnsweringManners
from callflow.events import (
    CallAnswered,
    CallArrived,
    CallConfirmed,
    ConversationOver,
    DigitPressed,
    Event,
    HungUp,
    Outcome,
    Party,
    PromptFinished,
)
from tests.support.machines import play

pytestmark = pytest.mark.pure

ARRIVED = CallArrived("13800000000", "10086")


def answering(house: House, **changes: object) -> Answering:
    manners = AnsweringManners.model_validate(
        {"ring_for": "1s", "within": "3s", "settle": "200ms", "greeting": "greeting", **changes}
    )
    return Answering(manners, greet=house.enforces("csr-01"))


@pytest.mark.rule("csr-01")
def test_the_call_is_answered_and_greeted(house: House) -> None:
    done = play(
        answering(house),
        (10.0, ARRIVED),
        (11.0, CallAnswered()),
        (11.1, CallConfirmed()),
        (15.0, PromptFinished("greeting")),
        end=99.0,
    )
    assert done == [
        (10.0, Ring()),
        (11.0, Answer()),
        (11.3, Say("greeting", rule="csr-01")),
        (15.0, Conclude("csr-01", Outcome.GREETED)),
    ]


def test_without_an_ack_nothing_is_said(house: House) -> None:
    done = play(answering(house), (0.0, ARRIVED), (1.0, CallAnswered()), end=99.0)
    assert [action for _, action in done] == [Ring(), Answer()]


def test_the_greeting_waits_for_the_audio_path_and_no_longer(house: House) -> None:
    machine = answering(house)
    play(machine, (0.0, ARRIVED), (1.0, CallAnswered()), (2.0, CallConfirmed()), end=2.1)
    assert machine.deadline == 2.2


def test_a_key_ends_the_greeting(house: House) -> None:
    machine = answering(house)
    begun = [(0.0, ARRIVED), (1.0, CallAnswered()), (1.0, CallConfirmed())]
    done = play(machine, *begun, (3.0, DigitPressed("1")), end=9.0)
    assert done[-1] == (3.0, Conclude("csr-01", Outcome.GREETED))


@pytest.mark.parametrize("happened", [0, 1, 2, 3])
def test_who_hangs_up_is_not_spoken_to(house: House, happened: int) -> None:
    machine = answering(house)
    begun: list[tuple[float, Event]] = [(0.0, ARRIVED), (1.0, CallAnswered()), (1.0, CallConfirmed())]
    play(machine, *begun[:happened], end=0.5)
    if happened == 0:
        play(machine, (0.6, HungUp(Party.CALLER)), end=1.0)
    else:
        play(machine, (1.1, HungUp(Party.CALLER)), end=1.1)
    assert machine.phase is Phase.DONE
    assert machine.deadline is None


def test_an_illegal_event_changes_nothing(house: House) -> None:
    machine = answering(house)
    with pytest.raises(IllegalEvent, match="WAITING"):
        machine.receive(ConversationOver(), 0.0)
    assert (machine.phase, machine.deadline) == (Phase.WAITING, None)


def test_ringing_longer_than_the_rule_allows_is_refused(house: House) -> None:
    with pytest.raises(ValueError, match="shorter than within"):
        answering(house, ring_for="3s")
