"""What seats' phones do beside answering: service numbers, calls to colleagues and out."""

from dataclasses import replace

import pytest

from callflow import resources
from callflow.call.dial_plan import CallsOut
from callflow.call.seats import SeatPlan, SeatState
from callflow.config import read_flow
from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.verdict import Judgement
from callflow.events import DigitPressed
from callflow.flow.model import Flow
from callflow.media.messages import Join, PacketsStopped, Play
from tests.support.exchange import sdp
from tests.support.switchroom import CALLS_OUT, PASSWORD, Handset, Switchroom

pytestmark = pytest.mark.conversation

NUMBER = "02112345678"


@pytest.fixture
def service() -> tuple[Flow, House]:
    return read_flow(resources.FLOWS / "service.yaml")


@pytest.fixture
def room(service: tuple[Flow, House]) -> Switchroom:
    return Switchroom(*service, "8001", "8002", desks=["desk"])


def desk(room: Switchroom, seat: str = "8001") -> Handset:
    return room.handsets[f"p{seat}"]


def nothing_left(room: Switchroom) -> None:
    room.passes(400.0)
    assert room.controller.in_hand() == dict.fromkeys(room.controller.in_hand(), 0)


def talks_to_somebody_outside(room: Switchroom, seconds: float = 30.0) -> Handset:
    phone = desk(room)
    phone.dials(NUMBER)
    room.trunk.rings()
    room.passes(2.0)
    room.trunk.answers()
    room.passes(seconds)
    assert phone.heard == ["100", "407", "100", "180", "200"]
    return phone


# --- who may ---------------------------------------------------------------------------------------


def test_a_phone_that_proves_nothing_reaches_nobody(room: Switchroom) -> None:
    phone = desk(room)
    phone.password = "guessed"
    for number in (NUMBER, "8002", "*52"):
        phone.heard.clear()
        phone.dials(number)
        assert phone.heard == ["100", "407", "100", "407"]
    assert (room.trunk.asked, desk(room, "8002").asked) == ([], [])
    assert room.facts == []
    nothing_left(room)


def test_a_proof_for_one_number_is_none_for_another(room: Switchroom) -> None:
    """Who overheard it must not call abroad with it."""
    phone = desk(room)
    phone.proves_for = "8002"
    phone.dials(NUMBER)
    assert phone.heard == ["100", "407", "100", "407"]
    assert room.trunk.asked == []


@pytest.mark.parametrize("number", ["0044123", "12345", "8009", "13812", "anna"])
def test_what_is_not_allowed_is_refused(room: Switchroom, number: str) -> None:
    desk(room).dials(number)
    assert desk(room).heard[-1] == "403"
    assert room.trunk.asked == []
    assert room.fact("seat.refused") == {"wish": "call", "why": "not_allowed"}
    nothing_left(room)


def test_a_phone_that_nobody_sits_at_calls_nobody_but_for_help(room: Switchroom) -> None:
    phone = room.handsets["desk"]
    phone.dials(NUMBER)
    assert phone.heard[-1] == "403"
    phone.dials("110")
    assert room.trunk.invites[-1].uri == "sip:110@provider.example"
    room.trunk.answers()
    assert phone.heard[-1] == "200"
    room.passes(60.0)
    # Nobody asks an officer whether the phone may hold.
    phone.holds_call()
    room.passes(10.0)
    assert room.said() == []
    phone.says("BYE")
    assert room.trunk.asked[-1] == "BYE"
    nothing_left(room)


@pytest.mark.parametrize(
    "shows", ["", "sip:anonymous@anonymous.invalid", "sip:p8002@198.51.100.1", "sip:02187654321@h", "tel:1"]
)
@pytest.mark.parametrize("number", ["110", "%31%31%30"])
def test_a_registered_phone_calls_for_help_without_a_proof_whoever_it_says_it_is(
    room: Switchroom, shows: str, number: str
) -> None:
    phone = desk(room)
    phone.password, phone.shows = "changed yesterday", shows
    phone.dials(number)
    assert room.trunk.invites[-1].uri == "sip:110@provider.example"
    room.trunk.answers()
    assert (phone.heard[0], phone.heard[-1], "407" in phone.heard) == ("100", "200", False)
    phone.says("BYE")
    nothing_left(room)


def test_who_has_not_registered_there_calls_for_help_with_a_proof_alone(room: Switchroom) -> None:
    """At the same host another port is another phone; and what has expired is no registration."""
    phone = desk(room)
    phone.password = "guessed"
    phone.address = (phone.address[0], 5999)
    phone.dials("110")
    assert phone.heard == ["100", "407", "100", "407"]
    phone = desk(room, "8002")
    phone.password = "guessed"
    room.now = 2e9
    phone.dials("110")
    assert phone.heard == ["100", "407", "100", "407"]
    assert room.trunk.asked == []


def test_guesses_slow_a_phone_s_calls_and_no_call_for_help(room: Switchroom) -> None:
    phone = desk(room)
    phone.password = "guessed"
    for _ in range(12):
        phone.heard.clear()
        phone.dials(NUMBER)
    assert phone.heard == ["100", "407", "100", "503"]
    assert room.trunk.asked == []
    # A call for help from where it has registered is asked for nothing.
    phone.dials("110")
    room.trunk.answers()
    assert phone.heard[-1] == "200"
    phone.says("BYE")
    # There its right password counts, too.
    phone.password = PASSWORD
    phone.dials(NUMBER)
    room.trunk.answers()
    assert phone.heard[-1] == "200"
    phone.says("BYE")
    nothing_left(room)


def test_help_is_called_even_when_there_are_calls_enough(service: tuple[Flow, House]) -> None:
    room = Switchroom(*service, "8001", most_calls=0)
    desk(room).dials(NUMBER)
    assert desk(room).heard[-1] == "503"
    desk(room).dials("120")
    room.trunk.answers()
    assert desk(room).heard[-1] == "200"


@pytest.mark.parametrize("leg", [1, 2])
def test_no_silence_ends_an_emergency_call(room: Switchroom, leg: int) -> None:
    """Who is in need may be unable to speak, and whoever helps may mute its line."""
    phone = desk(room)
    phone.dials("120")
    room.trunk.answers()
    room.passes(5.0)
    room.tells(leg, PacketsStopped())
    room.passes(300.0)
    assert (room.trunk.asked.count("BYE"), phone.asked.count("BYE")) == (0, 0)
    assert room.said() == []
    phone.says("BYE")
    nothing_left(room)


@pytest.mark.parametrize("number", ["119", NUMBER, "8002"])
def test_a_call_beside_a_caller_changes_nothing_for_the_caller(room: Switchroom, number: str) -> None:
    """Its phone is in two calls, the seat in one: when the second ends it does not write the first up."""
    room.calls()
    room.passes(1.0)
    phone = desk(room)
    phone.answers()
    room.passes(30.0)
    phone.dials(number)
    other = desk(room, "8002") if number == "8002" else room.trunk
    other.answers()
    room.passes(5.0)
    other.hangs_up()
    assert room.state("8001") is SeatState.TALKING
    room.says("BYE", cseq=2)
    assert room.state("8001") is SeatState.WRAP_UP


def test_calls_on_their_way_count(service: tuple[Flow, House]) -> None:
    room = Switchroom(*service, "8001", "8002", most_calls=1)
    desk(room).dials(NUMBER)
    desk(room, "8002").dials(NUMBER)
    assert desk(room, "8002").heard[-1] == "503"
    assert len(room.trunk.invites) == 1


# --- out -------------------------------------------------------------------------------------------


def test_a_call_out_bears_the_houses_number_and_joins_at_once(room: Switchroom) -> None:
    talks_to_somebody_outside(room, 1.0)
    [invite] = room.trunk.invites
    assert (invite.uri, invite.from_.uri.user) == (f"sip:{NUMBER}@provider.example", "02187654321")
    assert invite.headers.get("p-asserted-identity") == "<sip:02187654321@provider.example>"
    assert invite.headers.get("max-forwards") == "69"
    assert "p8001" not in invite.to_bytes().decode()
    assert room.sound()[-2:] == ["OpenGate 2", "OpenGate 1"]
    assert room.said() == []
    told = [name for name in room.told if name.startswith("call.")]
    assert told == ["call.dialled", "call.ringing", "call.picked_up", "call.joined"]
    assert room.fact("call.dialled") == {"seat": "8001", "called": NUMBER}
    assert room.state("8001") is SeatState.TALKING


def test_a_seat_may_have_a_number_of_its_own(service: tuple[Flow, House]) -> None:
    room = Switchroom(*service, SeatPlan("8001", "p8001", caller_id="02100008001"))
    desk(room).dials(NUMBER)
    assert room.trunk.invites[-1].from_.uri.user == "02100008001"


def test_whom_a_seat_has_called_is_asked_before_it_waits(room: Switchroom) -> None:
    """csr-23 does not ask who has called whom."""
    phone = talks_to_somebody_outside(room)
    room.sound()
    phone.holds_call()
    assert room.sound() == ["OpenGate 2", "ShutGate 1"]
    room.passes(5.0)
    assert [prompt for _, prompt in room.said()] == ["may_i_hold", "press_1_to_wait"]
    assert {command.leg for command in room.commands if isinstance(command, Play)} <= {2}
    room.tells(2, DigitPressed("1"))
    room.passes(3.0)
    assert "hold.started" in room.told
    assert room.state("8001") is SeatState.HOLDING
    room.passes(65.0)
    assert [prompt for _, prompt in room.said()].count("still_working") == 2
    room.trunk.hangs_up()
    verdicts = judge(room.facts, read_flow(resources.FLOWS / "service.yaml")[1])
    assert {verdict.rule: verdict.why for verdict in verdicts}["csr-23"] == ""


def test_the_far_side_hangs_up_and_the_seat_writes_up(room: Switchroom) -> None:
    phone = talks_to_somebody_outside(room)
    room.trunk.hangs_up()
    assert phone.asked == ["BYE"]
    assert room.fact("call.ended") == {"by": "caller", "reason": ""}
    assert room.state("8001") is SeatState.WRAP_UP
    nothing_left(room)


@pytest.mark.parametrize("talked", [0.5, 5.0, 60.0])
def test_a_call_that_a_seat_has_made_ends_when_it_hangs_up(room: Switchroom, talked: float) -> None:
    """Also after a second, and at an answering machine: nobody is rung again, no queue is entered."""
    phone = talks_to_somebody_outside(room)
    room.passes(talked)
    rung = len(desk(room).invites)
    phone.says("BYE")
    room.passes(6.9)
    assert room.said()[-1][1] == "goodbye"
    assert room.trunk.asked[-1] != "BYE", "nobody is released without words and a pause"
    room.passes(0.2)
    assert room.trunk.asked[-1] == "BYE"
    facts = [fact for fact in room.facts if fact.call]
    assert [
        verdict
        for verdict in judge(facts, read_flow(resources.FLOWS / "service.yaml")[1])
        if verdict.judgement is Judgement.BROKEN
    ] == []
    assert room.fact("call.ended") == {"by": "callflow", "reason": "seat_hung_up"}
    room.passes(60.0)
    assert (len(desk(room).invites), desk(room, "8002").invites) == (rung, [])
    assert "queue.entered" not in room.told
    nothing_left(room)


def test_a_party_that_was_called_and_waits_is_not_put_into_a_queue_when_the_seat_hangs_up(
    room: Switchroom,
) -> None:
    phone = talks_to_somebody_outside(room)
    for key in "*1":
        room.tells(1, DigitPressed(key))
    room.passes(6.0)
    room.tells(2, DigitPressed("1"))
    room.passes(3.0)
    assert "hold.started" in room.told
    phone.says("BYE")
    room.passes(12.0)
    assert [prompt for _, prompt in room.said()][-2:] == ["seat_gone", "goodbye"]
    assert "queue.entered" not in room.told
    nothing_left(room)


def test_early_media_is_heard(room: Switchroom) -> None:
    phone = desk(room)
    phone.dials(NUMBER)
    room.trunk.progresses(183, sdp(host="192.0.2.200"))
    assert phone.heard[-1] == "183"
    assert b"m=audio" in phone.early
    assert [command for command in room.commands if isinstance(command, Join)] == [Join(2, 1)]
    room.trunk.progresses(180)
    assert phone.heard[-1] == "180"
    room.trunk.answers()
    room.passes(1.0)
    assert "call.joined" in room.told


def test_the_answer_of_a_183_stands_where_the_200_has_none(room: Switchroom) -> None:
    """RFC 6337 §3.1.1, for whom a seat calls."""
    phone = desk(room)
    phone.dials(NUMBER)
    room.trunk.progresses(183, sdp(host="192.0.2.200"))
    room.trunk.answers(bare=True)
    room.passes(1.0)
    assert (phone.heard[-1], room.trunk.asked) == ("200", ["INVITE", "ACK"])
    assert "call.joined" in room.told
    phone.says("BYE")
    nothing_left(room)


def test_who_gives_up_is_not_called_any_longer(room: Switchroom) -> None:
    phone = desk(room)
    phone.dials(NUMBER)
    room.trunk.rings()
    phone.cancels()
    assert room.trunk.asked == ["INVITE", "CANCEL", "ACK"]
    assert phone.heard[-1] == "487"
    assert room.fact("call.ended") == {"by": "seat", "reason": "cancelled"}
    assert room.state("8001") is SeatState.READY
    nothing_left(room)


def test_an_answer_that_crosses_the_cancel_is_ended(room: Switchroom) -> None:
    phone = desk(room)
    phone.dials(NUMBER)
    room.trunk.rings()
    room.trunk.takes = lambda request: room.trunk.asked.append(request.method)  # type: ignore[method-assign]
    phone.cancels()
    room.trunk.answers()
    assert room.trunk.asked[-2:] == ["ACK", "BYE"]
    assert phone.heard[-1] == "487"


@pytest.mark.parametrize(
    ("status", "told", "reason"),
    [(486, "486", "busy"), (404, "404", "no_such_number"), (603, "603", "declined"), (401, "502", "failed"),
     (302, "502", "failed"), (503, "503", "failed"), (487, "480", "failed")],
)  # fmt: skip
def test_how_it_failed_is_passed_back(room: Switchroom, status: int, told: str, reason: str) -> None:
    phone = desk(room)
    phone.dials(NUMBER)
    room.trunk.answers(status, "No")
    assert phone.heard[-1] == told
    assert room.fact("call.ended") == {"by": "callflow", "reason": reason}
    assert room.state("8001") is SeatState.READY
    nothing_left(room)


def test_a_trunk_that_does_not_work_leads_to_the_next(service: tuple[Flow, House]) -> None:
    first, second = CALLS_OUT.trunks[0], replace(CALLS_OUT.trunks[0], name="other", domain="other.example")
    room = Switchroom(*service, "8001", calls_out=replace(CALLS_OUT, trunks=(first, second)))
    phone = desk(room)
    phone.dials(NUMBER)
    room.trunk.answers(503, "Service Unavailable")
    assert [invite.uri for invite in room.trunk.invites][-1] == f"sip:{NUMBER}@other.example"
    room.trunk.answers()
    assert phone.heard[-1] == "200"
    room.trunk.hangs_up()
    nothing_left(room)


def test_who_was_rung_by_one_trunk_is_not_rung_by_the_next(service: tuple[Flow, House]) -> None:
    first, second = CALLS_OUT.trunks[0], replace(CALLS_OUT.trunks[0], name="other", domain="other.example")
    room = Switchroom(*service, "8001", calls_out=replace(CALLS_OUT, trunks=(first, second)))
    desk(room).dials(NUMBER)
    room.trunk.rings()
    room.trunk.answers(503, "Service Unavailable")
    assert (desk(room).heard[-1], len(room.trunk.invites)) == ("503", 1)


def test_without_a_trunk_nobody_is_called(service: tuple[Flow, House]) -> None:
    room = Switchroom(*service, "8001", calls_out=CallsOut(allow=("0*",)))
    desk(room).dials(NUMBER)
    assert desk(room).heard[-1] == "503"
    nothing_left(room)


def test_an_away_seat_that_calls_is_away_again(room: Switchroom) -> None:
    room.take(
        room.controller._work.off(room.controller.switchboard.turn("8001", SeatState.AWAY, 0.0, "x"), 0.0)
    )
    talks_to_somebody_outside(room)
    room.trunk.hangs_up()
    assert room.state("8001") is SeatState.AWAY


def test_a_seat_that_calls_is_not_rung(service: tuple[Flow, House]) -> None:
    room = Switchroom(*service, "8001")
    desk(room).dials(NUMBER)
    room.calls()
    room.passes(5.0)
    assert desk(room).invites == []


def test_a_service_that_ends_refuses_who_is_not_answered_yet(room: Switchroom) -> None:
    phone = desk(room)
    phone.dials(NUMBER)
    room.trunk.rings()
    room.take(room.controller.part("service_stops", room.now))
    assert phone.heard[-1] == "503"
    assert "CANCEL" in room.trunk.asked
    nothing_left(room)


# --- to each other ---------------------------------------------------------------------------------


def test_colleagues_speak_and_nobody_is_asked(room: Switchroom) -> None:
    one, other = desk(room), desk(room, "8002")
    one.dials("8002")
    assert other.invites[-1].from_.uri.user == "8001"
    other.rings()
    assert (room.state("8001"), room.state("8002")) == (SeatState.TALKING, SeatState.RINGING)
    other.answers()
    assert one.heard[-2:] == ["180", "200"]
    assert room.state("8002") is SeatState.TALKING
    other.holds()
    one.holds_call()
    room.passes(30.0)
    assert room.said() == []
    other.hangs_up()
    assert one.asked == ["BYE"]
    assert (room.state("8001"), room.state("8002")) == (SeatState.READY, SeatState.READY)
    nothing_left(room)


def test_who_called_its_colleague_may_hang_up_first(room: Switchroom) -> None:
    desk(room).dials("8002")
    desk(room, "8002").answers()
    desk(room).says("BYE")
    assert desk(room, "8002").asked[-1] == "BYE"
    assert room.state("8002") is SeatState.READY
    nothing_left(room)


def test_who_gives_up_lets_the_colleagues_phone_fall_silent(room: Switchroom) -> None:
    desk(room).dials("8002")
    desk(room, "8002").rings()
    desk(room).cancels()
    assert desk(room, "8002").asked == ["INVITE", "CANCEL", "ACK"]
    assert (room.state("8001"), room.state("8002")) == (SeatState.READY, SeatState.READY)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (SeatState.TALKING, "486"),
        (SeatState.WRAP_UP, "486"),
        (SeatState.AWAY, "480"),
        (SeatState.OFFLINE, "480"),
    ],
)
def test_who_cannot_be_called_is_not_rung(room: Switchroom, state: SeatState, status: str) -> None:
    room.controller.switchboard.seats.turn("8002", state, 0.0)
    desk(room).dials("8002")
    assert (desk(room).heard[-1], desk(room, "8002").asked) == (status, [])
    assert room.state("8002") is state
    nothing_left(room)


def test_who_calls_itself_is_busy(room: Switchroom) -> None:
    desk(room).dials("8001")
    assert desk(room).heard[-1] == "486"


@pytest.mark.rule("crs-09")
def test_a_seat_that_is_away_for_long_is_forwarded(service: tuple[Flow, House]) -> None:
    away = SeatPlan("8002", "p8002", forward="8003", forward_after=600.0)
    room = Switchroom(*service, "8001", away, "8003")
    room.controller.switchboard.seats.turn("8002", SeatState.AWAY, 0.0)
    room.passes(599.0)
    desk(room).dials("8002")
    assert desk(room).heard[-1] == "480"
    room.passes(1.0)
    desk(room).dials("8002")
    assert (desk(room, "8002").asked, desk(room, "8003").asked) == ([], ["INVITE"])
    fact = next(fact for fact in room.facts if fact.fact == "seat.forwarded")
    assert (fact.rule, fact.leg, fact.details) == ("crs-09", "seat 8002", {"to": "8003"})


# --- service numbers -------------------------------------------------------------------------------


def hears(room: Switchroom, phone: Handset, number: str) -> str:
    """The prompt that answers a service number."""
    room.commands.clear()
    phone.dials(number)
    assert phone.heard[-1] == "200"
    room.passes(4.0)
    assert phone.asked[-1] == "BYE"
    [played] = [command.prompt for command in room.commands if isinstance(command, Play)]
    return played


def test_a_seat_logs_in_by_key_at_another_phone(room: Switchroom) -> None:
    phone = room.handsets["desk"]
    assert hears(room, phone, "*508001") == "seat_logged_in"
    assert room.state("8001") is SeatState.READY
    room.calls()
    room.passes(1.0)
    assert (phone.asked[-1], desk(room).asked) == ("INVITE", [])


def test_who_sat_there_is_logged_out(room: Switchroom) -> None:
    assert hears(room, desk(room, "8002"), "*508001") == "seat_logged_in"
    assert room.state("8002") is SeatState.OFFLINE
    turned = [fact for fact in room.facts if fact.leg == "seat 8002" and fact.fact == "seat.state"][-1]
    assert (turned.details["state"], turned.details["reason"]) == ("offline", "phone_taken")
    assert room.controller.switchboard.seats["8002"].phone is None


@pytest.mark.parametrize(
    ("code", "prompt", "state"),
    [
        ("*51", "seat_logged_out", SeatState.OFFLINE),
        ("*52", "seat_away", SeatState.AWAY),
        ("*521", "seat_away", SeatState.AWAY),
        ("*53", "seat_ready", SeatState.READY),
        ("*529", "service_refused", SeatState.READY),
        ("*509999", "service_refused", SeatState.READY),
        ("*99", "service_refused", SeatState.READY),
    ],
)
def test_what_a_seat_dials_is_done_and_said(
    room: Switchroom, code: str, prompt: str, state: SeatState
) -> None:
    assert hears(room, desk(room), code) == prompt
    assert room.state("8001") is state
    assert ("seat.refused" in room.told) is (prompt == "service_refused")
    nothing_left(room)


def test_the_reason_is_the_configurations(room: Switchroom) -> None:
    hears(room, desk(room), "*521")
    assert room.fact("seat.state")["reason"] == "午休"


def test_wrap_up_is_ended_by_key(room: Switchroom) -> None:
    room.controller.switchboard.seats.turn("8001", SeatState.WRAP_UP, 0.0)
    hears(room, desk(room), "*53")
    assert room.fact("seat.state")["before"] == "wrap_up"
    assert room.state("8001") is SeatState.READY


def test_a_seat_with_a_pin_needs_it_and_three_wrong_ones_lock_it(service: tuple[Flow, House]) -> None:
    room = Switchroom(*service, SeatPlan("8001", pin="2468"), desks=["desk"])
    phone = room.handsets["desk"]
    assert hears(room, phone, "*508001") == "service_refused"
    assert hears(room, phone, "*508001*2469") == "service_refused"
    assert hears(room, phone, "*508001*2468") == "seat_logged_in"
    for code in ("1111", "2222", "2468"):
        hears(room, phone, f"*508001*{code}")
    assert room.told[-1] == "seat.logged_in"
    for _ in range(3):
        assert hears(room, phone, "*508001*1111") == "service_refused"
    assert hears(room, phone, "*508001*2468") == "service_refused"
    assert room.fact("seat.refused")["why"] == "too_many_pins"
    room.passes(300.0)
    assert hears(room, phone, "*508001*2468") == "seat_logged_in"
    assert not any("2468" in str(fact) for fact in room.facts)


def test_a_seat_that_talks_cannot_be_moved(room: Switchroom) -> None:
    talks_to_somebody_outside(room)
    assert hears(room, room.handsets["desk"], "*508001") == "service_refused"
    assert room.fact("seat.refused") == {"wish": "login", "why": "busy"}
    # Nor is it away while it talks, and its phone stays its own.
    assert hears(room, desk(room), "*52") == "service_refused"
    seats = room.controller.switchboard.seats
    assert (seats["8001"].phone, room.state("8001")) == ("p8001", SeatState.TALKING)


def test_who_hangs_up_before_the_words_are_over_has_them_done_all_the_same(room: Switchroom) -> None:
    phone = desk(room)
    phone.dials("*51")
    room.passes(1.0)
    phone.says("BYE")
    room.passes(10.0)
    assert room.state("8001") is SeatState.OFFLINE
    assert phone.asked == []
    nothing_left(room)


def test_who_is_no_seats_phone_reaches_the_flow_as_ever(room: Switchroom) -> None:
    room.calls()
    assert "200" in room.hears
    assert "call.arrived" in room.told
    assert PASSWORD not in str(room.facts)
