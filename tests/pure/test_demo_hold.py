"""The demos with seats must be able to fail: what they would say of calls that went wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from callflow import config
from callflow.adapters import ear
from callflow.adapters.ear import RATE, Reception
from callflow.adapters.prompts import PromptLibrary
from callflow.adapters.seat_phone_recording import Track, tone
from callflow.adapters.softphone import CallReport
from callflow.demo.hold_measures import rows_of
from callflow.demo.hold_scenarios import SEATED
from callflow.demo.listening import (
    ABSENT_DB,
    FOUND_DB,
    HZ,
    Heard,
    Recorded,
    Toned,
    heard,
    level,
    steady_level,
)
from callflow.demo.seated import When
from callflow.demo.transfer_measures import rows_of as rows_of_transfer
from callflow.demo.transfer_scenarios import TRANSFERS
from callflow.etiquette.house import House
from callflow.events import Party
from callflow.facts import Detail, Fact

pytestmark = pytest.mark.pure

NOTHING = Reception(0, 0, 0, 0, 0.0, 0, 0)
WITH_SEATS = {**SEATED, **TRANSFERS}


@pytest.fixture(scope="module")
def prompts() -> PromptLibrary:
    return config.default().prompts


def fact(at: float, name: str, leg: str = "caller", **details: Detail) -> Fact:
    return Fact(at, "call", leg, name, None, details)


def said(at: float, prompt: str, seconds: float = 2.0, leg: str = "caller") -> list[Fact]:
    return [
        fact(at, "prompt.started", leg, prompt=prompt),
        fact(at + seconds, "prompt.finished", leg, prompt=prompt),
    ]


def a_hold(second: float = 40.0, third: float = 70.0) -> list[Fact]:
    """Asked at 2.0, held at 10.0, and reminded then."""
    return [
        fact(2.0, "seat.unhearing"),
        fact(2.0, "hold.asked"),
        *said(2.0, "may_i_hold", 3.0),
        *said(8.0, "hold_thanks"),
        fact(10.0, "hold.started"),
        *said(second, "still_working"),
        *said(third, "still_working"),
        fact(73.0, "hold.resumed"),
        *said(73.0, "sorry_to_keep_you"),
        fact(75.0, "call.joined"),
    ]


def a_transfer(failed: float = 30.0) -> list[Fact]:
    """Rung from 10.0 on, and not picked up."""
    return [
        fact(10.0, "transfer.offered"),
        *said(10.0, "still_transferring", 3.0),
        fact(failed, "transfer.failed", why="no_answer"),
        *said(failed, "target_not_there"),
    ]


def as_heard(facts: list[Fact], *, late: float = 0.0) -> CallReport:
    """What a caller's socket says who heard just that, the reminders `late` seconds later."""
    words = [f for f in facts if f.fact.startswith("prompt.")]
    spans = [
        (begun.at + late * (begun.details["prompt"] == "still_working"), over.at)
        for begun, over in zip(words[::2], words[1::2], strict=True)
    ]
    return CallReport(0.0, 1.0, spans, NOTHING, None, None, None)


def test_a_hold_as_prescribed_is_good(house: House) -> None:
    rows = [*rows_of(a_hold(), house, as_heard(a_hold()), None)]
    assert [(r.measure.begins, r.measure.ends, r.heard, r.good) for r in rows] == [
        ("hold.started", "reminder", 30.0, True),
        ("reminder", "reminder", 30.0, True),
        ("a word", "the next word", 30.0, True),
    ]


@pytest.mark.parametrize(
    ("second", "third", "good"),
    [
        (40.3, 70.3, [False, True, False]),
        (40.0, 70.3, [True, False, True]),
        (39.0, 69.0, [False, True, True]),
    ],
)
def test_a_reminder_too_late_or_too_early_is_found_out(
    house: House, second: float, third: float, good: list[bool]
) -> None:
    facts = a_hold(second, third)
    assert [row.good for row in rows_of(facts, house, as_heard(facts), None)] == good


def test_what_the_caller_did_not_hear_is_not_good(house: House) -> None:
    rows = [*rows_of(a_hold(), house, as_heard(a_hold(), late=0.2), None)]
    assert [row.good for row in rows] == [False, True, False]
    deaf = [*rows_of(a_hold(), house, CallReport(0.0, 1.0, [], NOTHING, None, None, None), None)]
    assert not any(row.good for row in deaf)


def test_a_word_that_is_missing_is_missed(house: House) -> None:
    facts = [f for f in a_hold() if f.details.get("prompt") != "still_working"]
    (row,) = rows_of(facts, house, as_heard(facts), None)
    assert (row.measure.measured, row.good) == (63.0, False)


@pytest.mark.parametrize(("begun", "good"), [(10.3, True), (10.6, False)])
def test_the_pause_after_the_seat_is_measured_from_its_own_phone(
    house: House, begun: float, good: bool
) -> None:
    facts = [fact(10.0, "seat.hung_up"), *said(begun, "anything_else")]
    (row,) = rows_of(facts, house, as_heard(facts), 10.0)
    assert row.heard == pytest.approx(begun - 10.0)
    assert row.good is good
    (unseen,) = rows_of(facts, house, as_heard(facts), None)
    assert not unseen.good


def test_a_tone_is_found_at_its_own_frequency_only() -> None:
    sent = tone(1000, 1.0, -20)
    assert level(sent, 1000) == pytest.approx(-20, abs=0.1)
    assert level(sent, 600) < -90
    assert level(np.zeros(RATE, np.int16), 1000) == -100.0


def test_speech_is_no_tone(prompts: PromptLibrary) -> None:
    speech = prompts.pcm("still_working", {})
    assert max(level(speech[:12000], hz) for hz in HZ.values()) < ABSENT_DB


@pytest.mark.parametrize(
    ("at", "heard_by", "good"),
    [
        (5.0, (Party.CALLER,), True),
        (5.0, (), False),
        (5.0, (Party.TARGET,), False),
        (9.0, (Party.CALLER,), False),
    ],
)
def test_a_tone_counts_where_it_was_sent(at: float, heard_by: tuple[Party, ...], good: bool) -> None:
    line = np.zeros(20 * RATE, np.int16)
    line[3 * RATE : 5 * RATE] = tone(600, 2.0, -20)
    recording = Recorded(line, began=2.0)
    assert heard(Toned(Party.SEAT, at, at + 2.0, heard_by), Party.CALLER, recording).good is good


def test_between_loud_and_silent_nothing_is_good() -> None:
    faint = (FOUND_DB + ABSENT_DB) / 2
    for wanted in ((Party.CALLER,), ()):
        assert not Heard(Toned(Party.SEAT, 0, 2, wanted), Party.CALLER, faint).good


def test_without_a_recording_nothing_was_heard() -> None:
    assert not heard(Toned(Party.SEAT, 0.0, 2.0, (Party.CALLER,)), Party.CALLER, None).good
    assert not Recorded(np.ones(80, np.int16), began=100.0).between(0.0, 1.0).any()


def test_a_recording_is_read_where_it_was_heard(tmp_path: Path) -> None:
    track = Track()
    track.heard(np.full(RATE, 7, np.int16).tobytes(), 11.0)
    # A little late is the reader; a second later is a stream that began anew.
    track.heard(np.full(80, 8, np.int16).tobytes(), 11.03)
    track.heard(np.full(80, 9, np.int16).tobytes(), 13.01)
    assert track.began == 10.0
    track.write_wav(tmp_path / "seat.wav")
    read = Recorded.read(tmp_path / "seat.wav", track.began)
    assert [*read.between(10.999, 11.011)] == [7] * 8 + [8] * 80 + [0] * 8
    assert [*read.between(12.999, 13.011)] == [0] * 8 + [9] * 80 + [0] * 8


def test_a_tone_that_the_line_cannot_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="4000 Hz"):
        tone(4000, 1.0, -20)


def test_the_callers_recording_begins_with_its_first_audio() -> None:
    packets = [
        ear.Packet(1.0 + n, kind, False, n, 0, 1, b"\xff") for n, kind in enumerate((101, ear.PCMA, ear.PCMU))
    ]
    assert ear.heard_from(packets) == 2.0
    assert ear.heard_from(packets[:1]) is None


def test_a_cue_is_the_nth_fact_of_its_name() -> None:
    facts = a_hold()
    cue = When("prompt.finished", "still_working", 2).found(facts)
    assert cue is not None
    assert cue.at == 72.0
    assert When("prompt.finished", "still_working", 3).found(facts) is None


@pytest.mark.parametrize("demo", WITH_SEATS)
@pytest.mark.parametrize("name", ["csr-standard", "gas-hotline", "handset-hotline", "logistics"])
def test_under_every_house_each_demo_waits_for_words_that_are_said(
    house_named: Callable[[str], House], prompts: PromptLibrary, demo: str, name: str
) -> None:
    house = house_named(name)
    scenario = WITH_SEATS[demo](house)
    cued = {act.when.prompt for act in scenario.acts if act.when.prompt}
    said_at_all = house.all_prompts | {"leave_number", "enter_number"}
    assert {*scenario.must_say, *scenario.target_hears, *cued} <= said_at_all
    assert not prompts.missing(said_at_all)


def test_a_call_that_went_another_way_is_a_fault(house: House) -> None:
    scenario = SEATED["hold-refused"](house)
    ended = fact(9.0, "call.ended", by="caller", reason="")
    faults = [*scenario.faults([fact(1.0, "seat.unhearing"), fact(2.0, "hold.started"), ended])]
    assert faults == [
        "may_i_hold was not said to its end, or out of order",
        "hold.asked is not in the ledger, or out of order",
        "hold.started is in the ledger",
    ]
    assert [*scenario.phone_faults(["ringing", "answered", "ringing", "answered", "ended", "ended"])] == []
    assert len([*scenario.phone_faults(["ringing", "answered", "ended"])]) == 1
    once_more = ["ringing", "answered", "ringing", "answered", "ended", "ringing"]
    assert len([*scenario.phone_faults(once_more)]) == 1


def test_a_transfer_that_went_another_way_is_a_fault(house: House) -> None:
    scenario = TRANSFERS["transfer"](house)
    told = [fact(float(at), name) for at, name in enumerate(scenario.must_tell)]
    words = [line for prompt in scenario.must_say for line in said(20.0, prompt)]
    ended = fact(50.0, "call.ended", by="caller", reason="")
    to_target = [line for prompt in scenario.target_hears for line in said(20.0, prompt, leg="target")]
    assert [*scenario.faults([*told, *words, *to_target, ended])] == []
    # What one of the two was told, the other has not heard.
    assert [*scenario.faults([*told, *words, ended])] == [
        "transfer_brief was not said to the target, or out of order"
    ]
    assert scenario.must_say[-1] == "connecting_you"
    (unsaid,) = scenario.faults([*told, *words[:-2], *to_target, ended])
    assert unsaid == "connecting_you was not said to its end, or out of order"
    blind = [each for each in told if each.fact != "transfer.accepted"]
    (fault,) = scenario.faults([*blind, *words, *to_target, ended])
    assert fault == "transfer.accepted is not in the ledger, or out of order"


@pytest.mark.parametrize(("history", "faults"), [([], 0), (["ringing"], 1), (["ringing", "missed"], 1)])
def test_a_target_that_is_rung_unasked_is_a_fault(house: House, history: list[str], faults: int) -> None:
    scenario = TRANSFERS["transfer-caller-says-no"](house)
    assert len([*scenario.phone_faults(history, Party.TARGET)]) == faults


@pytest.mark.parametrize(("failed", "good"), [(30.0, True), (30.3, False), (29.0, False)])
def test_a_target_rung_too_long_or_too_short_is_found_out(house: House, failed: float, good: bool) -> None:
    facts = a_transfer(failed)
    silence, rung = rows_of_transfer(facts, house, as_heard(facts))
    assert (rung.measure.prescribed, rung.good) == (20.0, good)
    assert silence.good
    assert not [*rows_of_transfer(facts, house, CallReport(0.0, 1.0, [], NOTHING, None, None, None))][1].good


def test_words_to_the_target_are_no_words_to_the_caller(house: House) -> None:
    brief = said(25.0, "transfer_brief", leg="target")
    facts = [*a_transfer(50.0)[:3], *brief, *a_transfer(50.0)[3:]]
    silence, _ = rows_of_transfer(facts, house, as_heard([f for f in facts if f.leg == "caller"]))
    assert (silence.measure.measured, silence.good) == (37.0, False)


def test_a_shorter_patience_changes_no_word_and_no_interval(house: House) -> None:
    patience = SEATED["hold-seat-vanishes"](house).patience
    assert patience is not None
    short = patience.of(house)
    limits = {"warn_after": 60.0, "recall_after": 180.0, "escalate_after": 300.0}
    assert short.hold.model_copy(update=limits) == house.hold
    assert short.all_prompts == house.all_prompts
    assert short.hold.warn_after <= short.hold.recall_after < short.hold.escalate_after


def test_a_tone_whose_phase_turns_on_the_way_is_as_loud_as_before() -> None:
    at = np.arange(2 * RATE) / RATE
    sent = (0.1 * 32767 * np.sin(2 * np.pi * 1000 * at)).astype(np.int16)
    turned = np.concatenate([sent[:RATE], sent[RATE + 4 :]])
    assert level(sent, 1000.0) == pytest.approx(-20, abs=0.1)
    assert level(turned, 1000.0) < -30
    assert steady_level(turned, 1000.0) == pytest.approx(-20, abs=1)
