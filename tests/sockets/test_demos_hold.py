"""The demos with a seat: pyVoIP calls, baresip serves, and each hears the other or not, as it must be."""

from itertools import pairwise

import pytest

from tests.support.demos import Demos, Played, assert_on_time

pytestmark = [pytest.mark.sockets, pytest.mark.timed, pytest.mark.acceptance]

long = pytest.mark.long


def assert_heard(played: Played) -> None:
    """Whoever had to be heard was heard in full, and who had not was not at all."""
    tones = played.result["tones"]
    assert {tone["by"] for tone in tones} == {"caller", "seat"}
    for tone in tones:
        if tone["wanted"]:
            assert tone["level_db"] == pytest.approx(-20, abs=2)
        else:
            assert tone["level_db"] < -50


def assert_well_played(played: Played) -> None:
    assert played.result["faults"] == []
    assert_on_time(played.result)
    assert played.status == 0


def joined(played: Played) -> list[float]:
    return [fact["at"] for fact in played.told("call.joined")]


@pytest.mark.rule("csr-23")
def test_a_caller_who_will_not_wait_is_joined_again(demos: Demos) -> None:
    played = demos["hold-refused"]
    assert_well_played(played)
    assert_heard(played)
    assert [f["fact"] for f in played.told("consent.refused", "consent.given", "hold.started")] == [
        "consent.refused"
    ]
    assert len(joined(played)) == 2


@pytest.mark.rule("csr-23")
def test_a_hold_by_code_is_attested_by_the_seat_that_hears(demos: Demos) -> None:
    played = demos["hold-by-code"]
    assert_well_played(played)
    # The phone is never on its own hold: here it is the plane alone that keeps the two apart.
    assert not played.told("seat.unhearing")
    assert_heard(played)
    assert [tone["wanted"] for tone in played.result["tones"]] == [False, False, True, True]
    (given,) = played.told("consent.given")
    assert (given["how"], given["seat"]) == ("seat", "8001")


@long
def test_a_planted_delay_after_the_seat_is_found_out(demos: Demos) -> None:
    played = demos["late-seat"]
    assert played.status == 1
    (measured,) = (m for m in played.result["measures"] if m["from"] == "seat.hung_up")
    assert measured["good"] is False
    assert measured["caller"] == pytest.approx(0.6, abs=0.1)


@long
@pytest.mark.rule("csr-23")
def test_a_caller_who_says_nothing_is_asked_twice_and_not_held(demos: Demos) -> None:
    played = demos["hold-unanswered"]
    assert_well_played(played)
    assert_heard(played)
    assert played.said("unanswered").count("may_i_hold") == 2
    assert not played.told("hold.started")
    assert len(joined(played)) == 2


@long
@pytest.mark.rule("csr-36")
def test_a_seat_that_hangs_up_first_does_not_drop_the_caller(demos: Demos) -> None:
    played = demos["seat-hangs-up"]
    assert_well_played(played)
    assert_heard(played)
    assert played.ended("seat-first")["fact"] in ("call.ended", "leg.quality")
    ended = played.ended("seat-first")
    assert (ended["by"], ended["reason"]) == ("callflow", "caller_stayed")
    pauses = [(m["from"], m["to"], m["prescribed"]) for m in played.result["measures"][1:]]
    assert ("seat.hung_up", "anything_else", 0.3) in pauses
    assert ("hanging_up", "hang_up", 5.0) in pauses


@long
@pytest.mark.rule("csr-23")
@pytest.mark.parametrize(("name", "every"), [("gas", 15.0), ("hold", 30.0)])
def test_a_hold_is_asked_for_reminded_of_and_thanked_for(demos: Demos, name: str, every: float) -> None:
    played = demos[name]
    assert_well_played(played)
    assert_heard(played)
    wanted = [tone["wanted"] for tone in played.result["tones"]]
    assert wanted == [True, True, False, False, True, True]
    at = [fact["at"] for fact in played.told("hold.started", "hold.reminded")]
    assert [b - a for a, b in pairwise(at)] == pytest.approx([every, every], abs=0.1)
    reminders = [m for m in played.result["measures"] if m["prescribed"] == every and not m["at_most"]]
    assert len(reminders) == 2


@long
@pytest.mark.rule("csr-23")
def test_a_caller_whose_seat_is_gone_is_never_left_without_a_word(demos: Demos) -> None:
    played = demos["hold-seat-vanishes"]
    assert_well_played(played)
    said = played.said("vanished")
    assert said[said.index("leave_number") :] == ["leave_number", "enter_number"]
    assert "still_working" in said
    (silence,) = (m for m in played.result["measures"] if m["from"] == "a word")
    assert silence["caller"] <= 30.1
