"""The rules about transfers beside csr-24: what is told to whom, to where, how often, and who is away."""

from collections.abc import Callable

import pytest

from callflow import config, resources
from callflow.call.desk_view import Act, Asked
from callflow.call.destinations import SUPERVISOR
from callflow.call.queues import QueuePlan
from callflow.call.seats import SeatPlan, SeatState
from callflow.etiquette.house import House
from callflow.events import DigitPressed, PromptFinished
from callflow.media.messages import Join, Play, PlayBoth, PlayTone, Record, Recorded
from tests.support.exchange import Exchange
from tests.support.sip_phone import US

pytestmark = pytest.mark.conversation

CALLER, SEAT, TARGET = 1, 2, 3
"""The legs in the plane, as they come."""
REPAIRS = QueuePlan("repairs", frozenset({"repairs"}), number="9", spoken="报修")
SUPERVISORS = QueuePlan(SUPERVISOR, frozenset({SUPERVISOR}), spoken="主管")
HouseNamed = Callable[[str], House]


def served_under(house: House) -> Exchange:
    """A caller who speaks with 8001; 8002 and 8003 repair, 8009 is the supervisor."""
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    seats = (
        SeatPlan("8001", "p8001", frozenset({"service"})),
        SeatPlan("8002", "p8002", frozenset({"repairs"})),
        SeatPlan("8003", "p8003", frozenset({"repairs"})),
        SeatPlan("8009", "p8009", frozenset({SUPERVISOR})),
    )
    service = QueuePlan("service", frozenset({"service"}))
    exchange = Exchange(flow, house, *seats, queue=service, others=[REPAIRS, SUPERVISORS])
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(30.0)
    exchange.commands.clear()
    return exchange


def keys(exchange: Exchange, leg: int, digits: str) -> None:
    for digit in digits:
        exchange.tells(leg, DigitPressed(digit))


def asked(exchange: Exchange, code: str) -> None:
    keys(exchange, SEAT, code)
    exchange.passes(4.5)


def agreed(exchange: Exchange, code: str) -> None:
    asked(exchange, code)
    exchange.presses("1")


def state(exchange: Exchange, seat: str) -> SeatState:
    seats = exchange.controller.switchboard.seats
    return seats.state(seats[seat], exchange.now)


def heard(exchange: Exchange, leg: int) -> list[str]:
    """What was begun to be said to a leg."""
    both = (CALLER, SEAT)
    return [
        command.prompt
        for command in exchange.commands
        if (isinstance(command, Play) and command.leg == leg)
        or (isinstance(command, PlayBoth) and command.leg in both and leg in both)
    ]


def facts(exchange: Exchange, name: str) -> list[tuple[str | None, dict[str, object]]]:
    return [(fact.rule, dict(fact.details)) for fact in exchange.facts if fact.fact == name]


def does(exchange: Exchange, asked: Asked, seat: str = "8001") -> None:
    exchange.take(exchange.controller.desk_asks(seat, asked, exchange.now))


def nothing_left(exchange: Exchange) -> None:
    exchange.says("BYE", cseq=2)
    exchange.passes(400.0)
    assert exchange.controller.in_hand() == dict.fromkeys(exchange.controller.in_hand(), 0)
    assert exchange.loaded == []


# --- what the target is told ---


@pytest.mark.rule("crs-05")
def test_crs_05_the_target_hears_who_and_why_and_the_caller_never_repeats_it(house_named: HouseNamed) -> None:
    served = served_under(house_named("service-course"))
    does(served, Asked(Act.DESCRIBE, surname="王", matter="报修"))
    agreed(served, "*38002#")
    invite = served.phones["8002"].invites[-1]
    assert invite.headers.need("referred-by") == f"<sip:8001@{US[0]}>"
    assert invite.headers.need("subject") == "报修"
    served.phones["8002"].answers()
    served.passes(10.0)
    assert heard(served, TARGET) == [
        "transfer_brief?seat=8001",
        "brief_caller?surname=王",
        "brief_matter?matter=报修",
        "press_1_to_take",
    ]
    [(rule, told)] = facts(served, "transfer.briefed")
    assert (rule, told) == ("crs-05", {"from": "8001", "own_words": 0.0, "matter": "报修", "surname": "王"})
    view = served.controller.desk_of("8002", served.now)
    assert (view.surname, view.about, view.comes_from) == ("王", "报修", "8001")
    keys(served, TARGET, "1")
    served.passes(2.5)
    assert Join(CALLER, TARGET) in served.commands
    nothing_left(served)


def test_what_there_is_no_recording_of_stands_on_the_page_alone(house: House) -> None:
    served = served_under(house)
    does(served, Asked(Act.DESCRIBE, surname="欧阳", matter="别的"))
    agreed(served, "*38002#")
    served.phones["8002"].answers()
    served.passes(4.5)
    assert heard(served, TARGET) == ["transfer_brief?seat=8001", "press_1_to_take"]
    assert served.controller.desk_of("8002", served.now).surname == "欧阳"


@pytest.mark.rule("hst-05")
def test_hst_05_the_seat_tells_the_target_in_its_own_words(house_named: HouseNamed) -> None:
    served = served_under(house_named("handset-hotline"))
    agreed(served, "*38002*")
    assert "INVITE" not in served.phones["8002"].asked
    assert heard(served, SEAT)[-1:] == ["say_brief"]
    served.passes(2.5)
    assert [type(command) for command in served.commands if isinstance(command, PlayTone | Record)] == [
        PlayTone,
        Record,
    ]
    loud = bytes([0x90, 0x10] * 4000)
    for _ in range(3):
        served.tells(SEAT, Recorded(said=True, law=0, begun=served.now, audio=loud))
        served.passes(1.0)
    keys(served, SEAT, "#")
    served.passes(0.5)
    assert served.loaded == ["own_words?call=call-1"]
    assert served.phones["8002"].asked == ["INVITE"]
    served.phones["8002"].answers()
    served.passes(7.0)
    assert heard(served, TARGET) == ["transfer_brief?seat=8001", "own_words?call=call-1", "press_1_to_take"]
    assert facts(served, "transfer.briefed")[0][1]["own_words"] == 3.0
    keys(served, TARGET, "1")
    served.passes(2.5)
    assert Join(CALLER, TARGET) in served.commands
    assert served.loaded == [], "what was said once is kept nowhere"
    nothing_left(served)


@pytest.mark.parametrize("audio", [b"", b"\xff" * 8000])
def test_a_seat_that_says_nothing_transfers_by_the_houses_brief(house: House, audio: bytes) -> None:
    served = served_under(house)
    agreed(served, "*38002*")
    served.passes(2.5)
    if audio:
        served.tells(SEAT, Recorded(said=True, law=0, begun=served.now, audio=audio))
    served.passes(13.0)
    served.phones["8002"].answers()
    served.passes(4.5)
    assert heard(served, TARGET) == ["transfer_brief?seat=8001", "press_1_to_take"]
    nothing_left(served)


def test_a_seat_that_hangs_up_while_it_tells_does_not_stop_the_transfer(house: House) -> None:
    served = served_under(house)
    agreed(served, "*38002*")
    served.passes(3.0)
    served.phones["8001"].hangs_up()
    assert served.phones["8002"].asked == ["INVITE"]
    nothing_left(served)


def test_a_caller_who_waits_for_the_seats_words_is_spoken_to(house: House) -> None:
    served = served_under(house)
    agreed(served, "*38002*")
    assert heard(served, CALLER)[-1] == "still_transferring"


# --- who is there, and who is not ---


@pytest.mark.rule("crs-06")
def test_crs_06_who_is_away_is_said_to_be_so_with_the_time_and_a_message_is_offered(house: House) -> None:
    served = served_under(house)
    does(served, Asked(Act.AWAY, minutes=10), seat="8002")
    served.passes(60.0)
    agreed(served, "*38002#")
    served.passes(4.0)
    assert heard(served, CALLER)[-3:] == ["target_away", "target_back_in?minutes=9", "press_4_for_message"]
    served.passes(2.0)
    served.presses("4")
    served.passes(0.1)
    assert served.said()[-1][1] == "leave_number_for_callback"
    assert served.phones["8001"].asked[-1] == "BYE"
    keys(served, CALLER, "13800138000#")
    served.passes(30.0)
    served.presses("1")
    assert facts(served, "ticket.opened")[-1][1]["for"] == "8002"
    nothing_left(served)


def test_a_caller_who_wants_no_message_is_back_with_the_seat(house: House) -> None:
    served = served_under(house)
    does(served, Asked(Act.AWAY), seat="8002")
    agreed(served, "*38002#")
    served.passes(3.9)
    assert heard(served, CALLER)[-2:] == ["target_away", "press_4_for_message"]
    served.passes(5.2)
    assert "call.joined" in served.told[-3:]
    assert state(served, "8001") is SeatState.TALKING


@pytest.mark.rule("hst-03")
def test_hst_03_asked_told_briefed_taken_and_told_that_they_are_connected(house_named: HouseNamed) -> None:
    served = served_under(house_named("handset-hotline"))
    served.controller.switchboard.turn("8003", SeatState.TALKING, served.now)
    served.controller.switchboard.turn("8002", SeatState.TALKING, served.now)
    agreed(served, "*39#")
    assert "may_i_transfer" in [prompt for _, prompt in served.said()]
    assert heard(served, CALLER)[-2:] == ["still_transferring", "target_busy_waiting"], "told that it waits"
    served.passes(31.0)
    assert heard(served, CALLER)[-1] == "target_busy_waiting"
    becomes_free = served.controller.switchboard.turn("8003", SeatState.READY, served.now)
    served.take(served.controller._work.off(becomes_free, served.now))
    assert served.phones["8003"].asked == ["INVITE"]
    served.phones["8003"].answers()
    served.passes(4.5)
    keys(served, TARGET, "1")
    served.passes(2.5)
    assert heard(served, CALLER)[-1] == heard(served, TARGET)[-1] == "connecting_you"
    assert [rule for rule, _ in facts(served, "transfer.completed")] == ["hst-03"]
    assert Join(CALLER, TARGET) in served.commands
    nothing_left(served)


# --- to where ---


def test_a_queue_is_rung_one_seat_after_the_other(house: House) -> None:
    served = served_under(house)
    asked(served, "*39#")
    assert [fact.details["target"] for fact in served.facts if fact.fact == "transfer.asked"] == ["repairs"]
    served.presses("1")
    rung = [seat for seat in ("8002", "8003") if served.phones[seat].asked]
    assert len(rung) == 1
    served.phones[rung[0]].answers(486, "Busy Here")
    [other] = {"8002", "8003"} - {*rung}
    assert served.phones[other].asked == ["INVITE"]
    served.phones[other].answers()
    served.passes(4.5)
    keys(served, 4, "1")
    served.passes(2.5)
    assert "transfer.completed" in served.told
    assert state(served, other) is SeatState.TALKING
    nothing_left(served)


def test_the_queue_is_named_to_the_caller(house: House) -> None:
    served = served_under(house)
    keys(served, SEAT, "*39#")
    both = [getattr(command, "prompt", "") for command in served.commands]
    assert "may_i_transfer?target=报修" in both


def test_nobody_of_a_queue_is_at_work(house: House) -> None:
    served = served_under(house)
    for seat in ("8002", "8003"):
        served.controller.switchboard.turn(seat, SeatState.AWAY, served.now)
    agreed(served, "*39#")
    served.passes(3.0)
    assert heard(served, CALLER)[-1] == "target_not_there"
    assert "transfer.returned" in served.told
    nothing_left(served)


def test_a_queue_is_not_waited_for_for_ever(house: House) -> None:
    served = served_under(house)
    for seat in ("8002", "8003"):
        served.controller.switchboard.turn(seat, SeatState.TALKING, served.now)
    agreed(served, "*39#")
    served.passes(119.0)
    assert "transfer.returned" not in served.told
    served.passes(5.0)
    assert "transfer.returned" in served.told
    assert "call-1" not in served.controller.switchboard.queues
    nothing_left(served)


def test_the_caller_hangs_up_while_a_queue_is_looked_through(house: House) -> None:
    served = served_under(house)
    agreed(served, "*39#")
    nothing_left(served)
    assert "CANCEL" in served.phones["8002"].asked + served.phones["8003"].asked


def test_the_seat_takes_the_caller_back_from_a_queue(house: House) -> None:
    served = served_under(house)
    agreed(served, "*39#")
    keys(served, SEAT, "*2")
    served.passes(1.0)
    assert "transfer.failed" in served.told
    assert len(served.controller.switchboard.queues) == 0
    nothing_left(served)


@pytest.mark.rule("log-13")
def test_log_13_what_is_beyond_the_seat_goes_to_the_supervisor_on_duty(house_named: HouseNamed) -> None:
    served = served_under(house_named("logistics"))
    asked(served, "*0")
    assert [rule for rule, _ in facts(served, "transfer.asked")] == ["log-13"]
    served.presses("1")
    assert served.phones["8009"].asked == ["INVITE"]
    served.phones["8009"].answers()
    served.passes(4.5)
    keys(served, TARGET, "1")
    served.passes(2.5)
    assert "transfer.completed" in served.told
    nothing_left(served)


# --- how often ---


def passed_on(served: Exchange, times: int) -> int:
    """Pass the call on and on; the leg of who has it at last."""
    leg, seats = SEAT, ["8002", "8003", "8009"]
    for number in range(times):
        keys(served, leg, f"*3{seats[number]}#")
        served.passes(4.5)
        served.presses("1")
        served.phones[seats[number]].answers()
        served.passes(4.5)
        leg += 1
        keys(served, leg, "1")
        served.passes(30.0)
    assert served.told.count("transfer.completed") == times
    return leg


@pytest.mark.rule("crs-10")
def test_crs_10_a_third_time_details_are_taken_and_the_right_person_calls_back(house: House) -> None:
    served = served_under(house)
    leg = passed_on(served, 2)
    keys(served, leg, "*38009#")
    served.passes(4.5)
    assert [prompt for _, prompt in served.said()][-2:] == ["leave_number_for_right_person", "enter_number"]
    assert "INVITE" not in served.phones["8009"].asked
    keys(served, CALLER, "13800138000#")
    served.passes(30.0)
    served.presses("1")
    served.passes(2.5)
    [(rule, ticket)] = facts(served, "ticket.opened")
    assert (rule, ticket["for"]) == ("crs-10", "8009")
    assert served.phones["8003"].asked[-1] == "BYE"
    assert served.said()[-1][1] == "anything_else"
    nothing_left(served)


def test_who_leaves_no_number_then_stays_with_the_seat(house: House) -> None:
    served = served_under(house)
    keys(served, passed_on(served, 2), "*38009#")
    served.passes(120.0)
    assert "ticket.opened" not in served.told
    assert served.told[-1] == "call.joined" or "call.joined" in served.told[-4:]
    nothing_left(served)


def test_a_seat_that_hangs_up_meanwhile_leaves_nobody_alone(house: House) -> None:
    served = served_under(house)
    keys(served, passed_on(served, 2), "*38009#")
    served.phones["8003"].hangs_up()
    served.passes(100.0)
    assert "anything_else" in [prompt for _, prompt in served.said()]
    nothing_left(served)


# --- who wants nothing that the house does ---


@pytest.mark.rule("csr-30")
def test_csr_30_who_stays_after_the_words_is_left_to_the_attendant(house: House) -> None:
    served = served_under(house)
    does(served, Asked(Act.NUISANCE))
    at = served.now
    assert served.said()[-1][1] == "out_of_scope"
    served.passes(11.9)
    assert "BYE" not in served.phones["8001"].asked
    served.passes(0.2)
    assert served.said()[-1] == (round(at + 12.0, 3), "to_attendant")
    assert served.phones["8001"].asked[-1] == "BYE"
    served.passes(2.0)
    assert served.said()[-1][1] == "main_menu"
    served.presses("1")
    assert served.said()[-1][1] == "opening_hours"
    nothing_left(served)


@pytest.mark.rule("gas-18")
def test_gas_18_the_gas_hotline_has_words_of_its_own(house_named: HouseNamed) -> None:
    served = served_under(house_named("gas-hotline"))
    does(served, Asked(Act.NUISANCE))
    assert served.said()[-1][1] == "please_hang_up"
    assert [rule for rule, _ in facts(served, "nuisance.told")] == ["gas-18"]
    nothing_left(served)


def test_a_seat_that_leaves_such_a_caller_leaves_it_to_the_attendant(house: House) -> None:
    served = served_under(house)
    does(served, Asked(Act.NUISANCE))
    served.passes(3.0)
    served.phones["8001"].hangs_up()
    served.passes(2.5)
    assert [prompt for _, prompt in served.said()][-2:] == ["to_attendant", "main_menu"]
    nothing_left(served)


def test_a_seat_that_goes_on_with_the_call_keeps_it(house: House) -> None:
    served = served_under(house)
    does(served, Asked(Act.NUISANCE))
    served.passes(3.0)
    keys(served, SEAT, "*2")
    served.passes(60.0)
    assert served.said()[-1][1] == "out_of_scope"
    assert state(served, "8001") is SeatState.TALKING
    nothing_left(served)


# --- without the rule ---


@pytest.mark.parametrize("mode", ["off", "observe"])
def test_without_the_rule_a_transfer_is_a_plain_one(house: House, mode: str) -> None:
    served = served_under(house.in_modes({"csr-24": mode}))  # type: ignore[dict-item]
    keys(served, SEAT, "*38002#")
    assert served.phones["8002"].asked == ["INVITE"]
    served.phones["8002"].answers()
    served.passes(0.1)
    assert Join(CALLER, TARGET) in served.commands
    assert "transfer.completed" in served.told
    would = [details["would"] for _, details in facts(served, "rule.observed")]
    assert would == (["ask"] if mode == "observe" else [])
    served.passes(5.0)
    served.phones["8002"].hangs_up()
    served.passes(1.0)
    nothing_left(served)


def test_a_plain_transfer_that_nobody_takes_leads_back(house: House) -> None:
    served = served_under(house.in_modes({"csr-24": "off"}))
    served.phones["8001"].refers("8002")
    served.phones["8002"].answers(486, "Busy Here")
    served.passes(1.0)
    assert served.phones["8001"].notified()[-1] == ("SIP/2.0 486 Busy Here", "terminated")
    assert "OpenGate 1" in served.sound()
    served.passes(11.0)
    served.phones["8001"].refers("8002")
    served.phones["8001"].hangs_up()
    served.passes(25.0)
    assert len(served.phones["8001"].invites) == 2, "whoever it was, the caller is not lost"
    nothing_left(served)


def test_the_words_of_the_seats_leg_are_not_the_callers(house: House) -> None:
    served = served_under(house)
    agreed(served, "*38002*")
    served.tells(SEAT, PromptFinished("still_transferring"))
    assert "INVITE" not in served.phones["8002"].asked
