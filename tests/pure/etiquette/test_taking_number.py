"""csr-25: a number is asked for, keyed, read back and confirmed; three tries, and never in the clear."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.actions import Action, CancelRecall, Conclude, Note, Say, TakeNumber
from callflow.etiquette.taking_number import ANSWER, FIRST_KEY, NEXT_KEY, Phase, TakingNumber
from callflow.events import DigitPressed, HungUp, Outcome, Party, RecallAnswered
from tests.pure.etiquette.stage import SECONDS, Stage

pytestmark = pytest.mark.pure

WANTED = TakeNumber(("leave_number", "enter_number"), "number_is", "will_call_back", "csr-25")
NUMBER = "13812345678"
TAKEN = Conclude("csr-25", Outcome.NUMBER_TAKEN)
NOT_TAKEN = Conclude("csr-25", Outcome.NUMBER_NOT_TAKEN)


def asked(calling: str = "") -> Stage:
    """The question has been heard to its end."""
    taking = TakingNumber(WANTED, calling, "service")
    stage = Stage(taking)
    stage.do(taking.begin(0.0))
    return stage.wait(2 * SECONDS)


def press(stage: Stage, keys: str) -> list[Action]:
    return stage.happen(*map(DigitPressed, keys))


def read_back(stage: Stage) -> list[str]:
    return [say.secret["number"] for _, say in stage.done if isinstance(say, Say) and say.secret]


def tickets(stage: Stage) -> list[Note]:
    return [note for _, note in stage.done if isinstance(note, Note)]


def outcome(stage: Stage) -> Action:
    return stage.done[-1][1]


def test_a_number_is_read_back_confirmed_and_promised() -> None:
    stage = asked()
    press(stage, NUMBER + "#")
    stage.wait(SECONDS + 1.0)
    assert tickets(stage) == []
    press(stage, "1")
    details = {"kind": "callback", "number": NUMBER, "queue": "service"}
    assert tickets(stage) == [Note("ticket.opened", "csr-25", details)]
    stage.wait(SECONDS)
    assert stage.said == [
        (0.0, "leave_number"), (2.0, "enter_number"), (4.0, "number_is"), (7.0, "will_call_back"),
    ]  # fmt: skip
    assert stage.done[-1] == (9.0, TAKEN)
    assert {say.rule for _, say in stage.done if isinstance(say, Say)} == {"csr-25"}


@pytest.mark.parametrize(("calling", "spoken"), [(NUMBER, NUMBER), ("+8613812345678", "8613812345678")])
def test_the_key_alone_stands_for_the_number_that_called(calling: str, spoken: str) -> None:
    stage = asked(calling)
    press(stage, "#")
    assert read_back(stage) == [spoken]
    press(stage, "1")
    assert tickets(stage)[0].details["number"] == calling


@pytest.mark.parametrize("calling", ["", "1001", "anonymous", "1" * 21, "138-1234"])
def test_what_is_no_number_is_not_taken_for_the_one_that_called(calling: str) -> None:
    stage = asked(calling)
    press(stage, "#")
    assert (read_back(stage), stage.said[-1]) == ([], (4.0, "enter_number"))


@pytest.mark.parametrize("keys", ["1234#", "1" * 21 + "#", "1" * 25 + "#", "12*34#", "12345*#"])
def test_what_could_be_no_number_is_asked_for_again(keys: str) -> None:
    stage = asked()
    press(stage, keys)
    assert (read_back(stage), stage.said[-1]) == ([], (4.0, "enter_number"))


@pytest.mark.parametrize("keys", ["12345#", "1" * 20 + "#", "99*12345#", "12A345#"])
def test_five_digits_to_twenty_are_a_number_and_a_star_begins_anew(keys: str) -> None:
    stage = asked()
    press(stage, keys)
    assert read_back(stage) == [keys.replace("A", "").rpartition("*")[2].removesuffix("#")]


def test_who_knows_what_to_do_need_not_hear_the_question_out() -> None:
    taking = TakingNumber(WANTED, "", "service")
    stage = Stage(taking)
    stage.do(taking.begin(0.0))
    stage.wait(1.0)
    press(stage, "1")
    assert stage.saying is None
    press(stage, "2345#")
    assert read_back(stage) == ["12345"]


def test_a_pause_ends_the_number() -> None:
    stage = asked()
    press(stage, NUMBER)
    stage.wait(NEXT_KEY - 0.1)
    assert read_back(stage) == []
    stage.wait(0.1)
    assert read_back(stage) == [NUMBER]


def test_a_pause_is_not_the_wish_for_the_number_that_called() -> None:
    stage = asked(NUMBER).wait(FIRST_KEY)
    assert (read_back(stage), stage.said[-1]) == ([], (4.0 + FIRST_KEY, "enter_number"))


def test_two_brings_the_question_again() -> None:
    stage = asked()
    press(stage, "12345#")
    stage.wait(1.0)
    press(stage, "2")
    assert stage.said[-1] == (5.0, "enter_number")
    press(stage, "54321#")
    assert read_back(stage) == ["12345", "54321"]


def test_nobody_is_asked_more_than_three_times() -> None:
    stage = asked()
    for _ in range(3):
        assert outcome(stage) != NOT_TAKEN
        press(stage, "12345#")
        press(stage, "2")
    assert outcome(stage) == NOT_TAKEN
    assert [prompt for _, prompt in stage.said].count("enter_number") == 3


def test_nobody_answers() -> None:
    stage = asked().wait(100.0)
    every = FIRST_KEY + SECONDS
    assert stage.said[1:] == [(2.0 + n * every, "enter_number") for n in range(3)]
    assert stage.done[-1] == (2.0 + 3 * every, NOT_TAKEN)
    assert tickets(stage) == []


def test_a_number_that_nobody_confirms_is_read_again_and_then_not_taken() -> None:
    stage = asked()
    press(stage, "12345#")
    stage.wait(100.0)
    every = SECONDS + ANSWER
    assert [at for at, prompt in stage.said if prompt == "number_is"] == [4.0, 4.0 + every, 4.0 + 2 * every]
    assert (tickets(stage), stage.done[-1]) == ([], (4.0 + 3 * every, NOT_TAKEN))


def test_tones_are_keys_only_while_one_is_asked_for() -> None:
    stage = asked()
    assert stage.machine.awaits_key
    press(stage, "12345#")
    assert not stage.machine.awaits_key
    stage.wait(SECONDS)
    assert stage.machine.awaits_key
    press(stage, "1")
    assert not stage.machine.awaits_key


def test_words_that_are_never_told_to_have_ended_keep_nobody_waiting() -> None:
    taking = TakingNumber(WANTED, "", "service")
    taking.begin(0.0)
    for at in (30.0, 60.0):
        taking.tick(at)
    assert taking.phase is Phase.ENTERING


def test_a_caller_who_hangs_up_has_left_nothing() -> None:
    stage = asked()
    press(stage, NUMBER + "#")
    assert stage.happen(HungUp(Party.CALLER)) == []
    stage.wait(60.0)
    assert (tickets(stage), stage.machine.deadline) == ([], None)


def test_a_seat_that_picks_up_too_late_is_let_go() -> None:
    assert asked().happen(RecallAnswered()) == [CancelRecall()]


def test_the_number_is_in_no_representation() -> None:
    stage = asked()
    press(stage, NUMBER + "#")
    assert NUMBER not in repr([action for _, action in stage.done])


@settings(deadline=None)
@given(st.text("0123456789*#ABCD", max_size=80), st.lists(st.floats(0.0, 40.0), max_size=80))
def test_whatever_is_keyed_it_ends_and_a_ticket_has_a_number(keys: str, pauses: list[float]) -> None:
    stage = asked(NUMBER)
    for key, pause in zip(keys, [*pauses, *[0.0] * 80], strict=False):
        press(stage, key)
        stage.wait(pause)
    stage.wait(200.0)
    assert stage.machine.phase is Phase.DONE
    kept = tickets(stage)
    assert len(kept) == [action for _, action in stage.done].count(TAKEN) <= 1
    assert all(5 <= len(str(note.details["number"])) <= 20 for note in kept)
    assert [prompt for _, prompt in stage.said].count("enter_number") <= 3
