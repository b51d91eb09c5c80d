"""csr-23 and its like, as transcripts: no way of pressing Hold puts a caller on hold without consent."""

from typing import Any

import pytest

from callflow import resources
from callflow.actions import (
    Action,
    BeginHold,
    CancelRecall,
    Conclude,
    EndHold,
    Gate,
    HandToQueue,
    Note,
    Notice,
    Recall,
    ReleaseSeat,
    ReplaceSeat,
    Say,
    StopSaying,
    TellSeat,
    TellSupervisor,
)
from callflow.errors import IllegalEvent
from callflow.etiquette.hold import Hold, Phase
from callflow.etiquette.house import House
from callflow.events import (
    AnswerAttested,
    CallAnswered,
    DigitPressed,
    Event,
    Heard,
    HoldRequested,
    HungUp,
    LineHeard,
    Outcome,
    Party,
    RecallAnswered,
    RecallFailed,
    SeatHungUp,
    SeatLost,
    SeatResumed,
    TransferRefused,
    TransferRequested,
    Way,
)
from tests.pure.etiquette.stage import CODE, NO, PHONE, YES, Stage

pytestmark = pytest.mark.pure

BOTH = (Party.CALLER, Party.SEAT)
SEAT_UNHEARD, NOBODY_HEARD = Gate(frozenset({Party.SEAT})), Gate(frozenset(BOTH))
BOTH_HEARD = Gate(frozenset())
BACK, BACK_BY_CODE = SeatResumed(Way.PHONE), SeatResumed(Way.CODE)
GONE = SeatHungUp(talked=60.0, unheard=0.0)
YIELDED = Conclude("csr-23", Outcome.YIELDED)
QUEUED = Conclude("csr-23", Outcome.QUEUED)
HELD_AT = 7.0
"""Asked at 0 s, question and hint heard at 4 s, yes at 5 s, thanks heard at 7 s."""


def on(house: House, **changes: Any) -> Stage:
    return Stage(Hold(house.hold.model_copy(update=changes), house.recall))


def held(house: House, request: HoldRequested = PHONE, **changes: Any) -> Stage:
    stage = on(house, **changes)
    stage.happen(request)
    stage.wait(5.0).happen(YES)
    return stage.wait(2.0)


def refused(house: House, **changes: Any) -> Stage:
    stage = on(house, **changes)
    stage.happen(PHONE)
    stage.wait(5.0).happen(NO)
    return stage


def shipped(name: str) -> House:
    return resources.read_house(resources.HOUSES / f"{name}.yaml")


@pytest.mark.rule("csr-23")
def test_csr_23_the_whole_hold_by_the_phones_own_key(house: House) -> None:
    stage = held(house).wait(65.0)
    stage.happen(BACK)
    stage.wait(99.0)
    assert stage.done == [
        (0.0, SEAT_UNHEARD),
        (0.0, Note("seat.unhearing", "csr-23")),
        (0.0, Note("hold.asked", "csr-23", {"way": Way.PHONE})),
        (0.0, TellSeat(Notice.ASKING)),
        (0.0, Say("may_i_hold", "csr-23")),
        (2.0, Say("press_1_to_wait", "csr-23")),
        (5.0, Note("consent.given", "csr-23", {"asked": 1, "how": "key"})),
        (5.0, Say("hold_thanks", "csr-23")),
        (7.0, Note("hold.started", "csr-23", {"minutes": None})),
        (7.0, NOBODY_HEARD),
        (7.0, BeginHold(None)),
        (7.0, TellSeat(Notice.CALLER_WAITS)),
        (37.0, Note("hold.reminded", "csr-23")),
        (37.0, Say("still_working", "csr-23")),
        (67.0, Note("hold.limit", "csr-23", {"step": "warning"})),
        (67.0, TellSeat(Notice.CALLER_WAITS_LONG)),
        (67.0, Note("hold.reminded", "csr-23")),
        (67.0, Say("still_working", "csr-23")),
        (72.0, Note("hold.resumed", "csr-23", {"seconds": 65.0})),
        (72.0, EndHold()),
        (72.0, NOBODY_HEARD),
        (72.0, Say("sorry_to_keep_you", "csr-23", BOTH)),
        (74.0, Say("thanks_for_waiting", "csr-23", BOTH)),
        (76.0, BOTH_HEARD),
    ]
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.JOINED, None)


@pytest.mark.rule("csr-23")
def test_csr_23_by_feature_code_the_seat_hears_and_attests(house: House) -> None:
    stage = on(house)
    stage.happen(CODE)
    stage.wait(5.0).happen(AnswerAttested(yes=True, seat="8001"))
    stage.wait(4.0).happen(BACK_BY_CODE)
    stage.wait(9.0)
    assert stage.times(SEAT_UNHEARD) == []
    assert stage.times(NOBODY_HEARD)[0] == HELD_AT
    assert {action.to for _, action in stage.done if isinstance(action, Say)} == {BOTH}
    assert stage.facts == [
        (0.0, "hold.asked"),
        (5.0, "consent.given"),
        (7.0, "hold.started"),
        (9.0, "hold.resumed"),
    ]
    assert stage.times(BOTH_HEARD)[-1] == 13.0


@pytest.mark.parametrize("way", [*Way])
@pytest.mark.parametrize("answer", [NO, None, DigitPressed("0"), SeatResumed(Way.PHONE), GONE])
@pytest.mark.rule("csr-23")
def test_csr_23_without_consent_nobody_is_held(house: House, way: Way, answer: Event | None) -> None:
    stage = on(house)
    stage.happen(HoldRequested(way))
    stage.wait(5.0)
    if answer:
        stage.happen(answer)
    stage.wait(500.0)
    assert BeginHold(None) not in [action for _, action in stage.done]
    assert "hold.started" not in [fact for _, fact in stage.facts]


@pytest.mark.rule("csr-23")
def test_csr_23_a_refusal_calls_a_deaf_seat_back(house: House) -> None:
    stage = refused(house).wait(3.0)
    stage.happen(RecallAnswered())
    stage.wait(9.0)
    assert stage.done[6:] == [
        (5.0, Note("consent.refused", "csr-23", {"asked": 1, "how": "key"})),
        (5.0, Note("hold.refused", "csr-23", {"callback": False})),
        (5.0, TellSeat(Notice.CALLER_WILL_NOT_WAIT)),
        (5.0, NOBODY_HEARD),
        (5.0, Recall(20.0)),
        (5.0, Say("calling_seat_back", "csr-23")),
        (7.0, Say("press_3_for_callback", "csr-23")),
        (8.0, ReplaceSeat()),
        (8.0, NOBODY_HEARD),
        (8.0, Say("sorry_to_keep_you", "csr-23", BOTH)),
        (10.0, Say("thanks_for_waiting", "csr-23", BOTH)),
        (12.0, BOTH_HEARD),
    ]
    assert stage.machine.phase is Phase.JOINED


@pytest.mark.rule("csr-23")
def test_csr_23_silence_is_asked_twice_and_is_a_refusal(house: House) -> None:
    stage = on(house)
    stage.happen(PHONE)
    stage.wait(30.0)
    assert stage.times(Recall(20.0)) == [24.0]
    assert stage.said[:4] == [
        (0.0, "may_i_hold"),
        (2.0, "press_1_to_wait"),
        (12.0, "may_i_hold"),
        (14.0, "press_1_to_wait"),
    ]


@pytest.mark.rule("csr-23")
def test_csr_23_a_seat_that_is_not_reached_leaves_the_caller_to_the_queue(house: House) -> None:
    stage = refused(house).wait(100.0)
    assert stage.done[13:] == [
        (25.0, CancelRecall()),
        (25.0, Note("recall.failed", "csr-23")),
        (25.0, Say("seat_not_reached", "csr-23")),
        (27.0, Say("press_4_for_message", "csr-23")),
        (45.0, ReleaseSeat()),
        (45.0, HandToQueue("seat_not_back")),
        (45.0, QUEUED),
    ]
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.DONE, None)


def test_a_busy_seat_is_not_rung_to_the_end(house: House) -> None:
    stage = refused(house).wait(1.0)
    stage.happen(RecallFailed(486))
    stage.wait(99.0)
    assert stage.said[-2:] == [(6.0, "seat_not_reached"), (8.0, "press_4_for_message")]
    assert stage.times(CancelRecall()) == []
    assert stage.times(QUEUED) == [26.0]


@pytest.mark.parametrize(
    ("at", "key", "outcome"),
    [
        (5.5, "3", Outcome.CALLBACK_WANTED),
        (44.0, "3", Outcome.CALLBACK_WANTED),
        (30.0, "4", Outcome.MESSAGE_WANTED),
    ],
)
def test_what_the_house_offers_can_be_taken_to_the_end(
    house: House, at: float, key: str, outcome: Outcome
) -> None:
    stage = refused(house).wait(at - 5.0)
    done = stage.happen(DigitPressed(key))
    assert done[0] == Note("offer.taken", "csr-23", {"offer": outcome.removesuffix("_wanted")})
    assert done[-2:] == [ReleaseSeat(), Conclude("csr-23", outcome)]
    assert (CancelRecall() in done) == (at < 25.0)
    assert stage.wait(99.0).machine.phase is Phase.DONE


def test_an_offer_that_was_not_made_cannot_be_taken(house: House) -> None:
    assert refused(house).wait(1.0).happen(DigitPressed("4")) == []


@pytest.mark.parametrize("at", [6.0, 30.0])
def test_a_seat_that_resumes_by_itself_is_welcome(house: House, at: float) -> None:
    stage = refused(house).wait(at - 5.0)
    done = stage.happen(BACK)
    assert (CancelRecall() in done) == (at < 25.0)
    assert stage.wait(9.0).times(BOTH_HEARD) == [at + 4.0]


def test_an_answer_that_crosses_our_cancel_counts(house: House) -> None:
    stage = refused(house).wait(21.0)
    assert stage.happen(RecallAnswered())[0] == ReplaceSeat()


def test_a_leg_answered_too_late_is_ended(house: House) -> None:
    stage = refused(house).wait(99.0)
    assert stage.happen(RecallAnswered()) == [CancelRecall()]
    assert on(house).happen(RecallAnswered()) == [CancelRecall()]


@pytest.mark.parametrize("answer", [NO, AnswerAttested(yes=False, seat="8001"), None])
def test_a_seat_that_hears_goes_on_talking_when_the_caller_will_not_wait(
    house: House, answer: Event | None
) -> None:
    stage = on(house)
    stage.happen(CODE)
    stage.wait(5.0)
    if answer:
        stage.happen(answer)
    else:
        stage.wait(30.0)
    assert stage.machine.phase is Phase.JOINED
    assert not any(isinstance(action, Recall) for _, action in stage.done)
    assert stage.done[-2:] == [
        (stage.done[-1][0], BOTH_HEARD),
        (stage.done[-1][0], Say("no_need_to_wait", "csr-23", BOTH)),
    ]


def test_a_question_that_was_answered_is_not_cut_short_by_the_end(house: House) -> None:
    stage = on(house)
    stage.happen(CODE)
    stage.wait(5.0).happen(NO)
    assert stage.happen(HungUp(Party.CALLER)) == []


def test_a_seat_that_resumes_while_the_caller_is_asked_is_joined_at_once(house: House) -> None:
    stage = on(house)
    stage.happen(PHONE)
    done = stage.wait(1.0).happen(BACK)
    cut_short = Note("consent.unanswered", "csr-23", {"asked": 1, "why": "cut_short"})
    assert done == [cut_short, StopSaying(), BOTH_HEARD]
    assert stage.wait(99.0).machine.phase is Phase.JOINED


def test_a_page_cannot_wake_a_deaf_phone_but_it_can_be_rung(house: House) -> None:
    stage = held(house).wait(1.0)
    assert stage.happen(BACK_BY_CODE) == [TellSeat(Notice.PHONE_ON_HOLD), Recall(20.0)]
    assert stage.happen(BACK_BY_CODE) == [TellSeat(Notice.PHONE_ON_HOLD)]
    stage.wait(20.0)
    assert stage.done[-2:] == [(28.0, CancelRecall()), (28.0, Note("recall.failed", "csr-23"))]
    stage.happen(BACK_BY_CODE)
    assert stage.happen(RecallAnswered())[0] == ReplaceSeat()
    # The new leg hears: so a page may hold and resume it.
    stage.wait(9.0).happen(CODE)
    stage.wait(9.0).happen(YES)
    stage.wait(9.0).happen(BACK_BY_CODE)
    assert stage.wait(9.0).machine.phase is Phase.JOINED


def test_while_it_is_asked_or_called_back_a_deaf_seat_is_told_which_key_helps(house: House) -> None:
    told = [TellSeat(Notice.PHONE_ON_HOLD)]
    stage = on(house)
    stage.happen(PHONE)
    assert stage.happen(BACK_BY_CODE) == told
    assert refused(house).happen(BACK_BY_CODE) == told


@pytest.mark.parametrize("gone", [GONE, SeatLost()])
@pytest.mark.parametrize("at", [1.0, 5.0, 9.0, 100.0])
@pytest.mark.rule("csr-23")
def test_csr_23_a_seat_that_is_gone_is_apologised_for(house: House, gone: Event, at: float) -> None:
    stage = on(house)
    stage.happen(PHONE)
    for happens, event in sorted([(5.0, YES), (at, gone)], key=lambda entry: entry[0]):
        if happens <= at:
            stage.wait(happens - stage.now).happen(event)
    stage.wait(99.0)
    assert (at, Note("seat.lost", "csr-23", {"hung_up": gone == GONE})) in stage.done
    assert ((at, "consent.unanswered") in stage.facts) == (at < 5.0)
    assert stage.said[-1] == (at, "seat_gone")
    assert stage.done[-2:] == [(at + 2.0, HandToQueue("seat_not_back")), (at + 2.0, QUEUED)]
    # Whoever hung up has no leg left to be ended.
    assert stage.times(ReleaseSeat()) == []
    assert stage.times(EndHold()) == ([at] if at >= HELD_AT else [])


def test_a_seat_that_hangs_up_after_a_failed_recall_is_not_waited_for(house: House) -> None:
    stage = refused(house).wait(22.0)
    stage.happen(GONE)
    assert stage.wait(9.0).times(QUEUED) == [29.0]


def test_who_hangs_up_a_held_call_may_pick_up_the_one_that_rings(house: House) -> None:
    stage = refused(house).wait(2.0)
    assert stage.happen(GONE) == []
    assert stage.happen(RecallAnswered())[0] == ReplaceSeat()
    assert stage.wait(9.0).machine.phase is Phase.JOINED


def test_a_seat_that_leaves_during_the_words_of_return_is_gone(house: House) -> None:
    stage = held(house)
    stage.happen(BACK)
    stage.wait(1.0).happen(GONE)
    stage.wait(9.0)
    assert stage.times(BOTH_HEARD) == []
    assert stage.times(QUEUED) == [10.0]


@pytest.mark.parametrize(
    ("at", "facts"),
    [
        (1.0, ["consent.unanswered"]),
        (6.0, []),
        (9.0, ["hold.ended"]),
        (190.0, ["hold.ended"]),
    ],
)
def test_the_caller_may_hang_up_at_any_time(house: House, at: float, facts: list[str]) -> None:
    stage = on(house)
    stage.happen(PHONE)
    stage.wait(min(at, 5.0)).happen(*([YES] if at > 5.0 else []))
    done = stage.wait(at - stage.now).happen(HungUp(Party.CALLER))
    assert [action.fact for action in done if isinstance(action, Note)] == facts
    assert done[-1] == ReleaseSeat()
    assert (CancelRecall() in done) == (at == 190.0)
    assert stage.wait(999.0).done[-1] == (at, ReleaseSeat())


def test_a_caller_who_hangs_up_while_the_seat_is_rung_ends_both(house: House) -> None:
    assert refused(house).happen(HungUp(Party.CALLER)) == [CancelRecall(), ReleaseSeat()]
    assert refused(house).wait(21.0).happen(HungUp(Party.CALLER)) == [ReleaseSeat()]
    assert on(house).happen(HungUp(Party.CALLER)) == []


def test_a_wait_without_an_end_has_one(house: House) -> None:
    stage = held(house).wait(400.0)
    limits = [
        (at, action.details)
        for at, action in stage.done
        if isinstance(action, Note) and "limit" in action.fact
    ]
    assert limits == [
        (67.0, {"step": "warning"}),
        (187.0, {"step": "recall"}),
        (307.0, {"step": "escalation"}),
    ]
    assert stage.times(Recall(20.0)) == [187.0, 307.0]
    assert stage.times(CancelRecall()) == [207.0, 327.0]
    assert stage.times(TellSupervisor(Notice.CALLER_WAITS_LONG)) == [307.0]
    ended: dict[str, Any] = {"why": "limit", "seconds": 300.0}
    assert stage.times(Note("hold.ended", "csr-23", ended)) == [307.0]
    assert stage.times(QUEUED) == [347.0]
    reminders = [at for at, prompt in stage.said if prompt == "still_working"]
    assert reminders == [7.0 + 30.0 * n for n in range(1, 10)]


def test_a_recalled_seat_is_welcome(house: House) -> None:
    stage = held(house).wait(185.0)
    done = stage.happen(RecallAnswered())
    seconds: dict[str, Any] = {"seconds": 185.0}
    assert done[:3] == [ReplaceSeat(), Note("hold.resumed", "csr-23", seconds), EndHold()]
    assert stage.wait(9.0).machine.phase is Phase.JOINED


def test_a_recall_that_is_busy_is_not_waited_for(house: House) -> None:
    stage = held(house).wait(185.0)
    assert stage.happen(RecallFailed(486)) == [Note("recall.failed", "csr-23")]
    assert stage.happen(RecallFailed(486)) == []
    assert stage.wait(30.0).times(CancelRecall()) == []


def test_a_seat_that_is_rung_may_hang_up_the_held_call_first(house: House) -> None:
    stage = held(house).wait(185.0)
    assert stage.happen(GONE) == [Note("seat.lost", "csr-23", {"hung_up": True})]
    assert stage.wait(15.0).said[-1] == (207.0, "seat_gone")
    assert stage.times(CancelRecall()) == [207.0]
    stage.wait(9.0)
    assert (stage.times(ReleaseSeat()), stage.times(QUEUED)) == ([], [209.0])


def test_a_late_tick_makes_no_reminder_late(house: House) -> None:
    stage = held(house)
    assert stage.machine.tick(37.9)[-1] == Say("still_working", "csr-23")
    assert stage.machine.deadline == 67.0


def test_words_that_outlast_the_interval_are_not_cut_short(house: House) -> None:
    machine = held(house).machine
    assert machine.tick(37.0)[-1] == Say("still_working", "csr-23")
    # Nobody tells that they have ended: one reminder is left out, not all.
    machine.tick(67.0)
    assert machine.tick(67.0) == []
    assert machine.tick(97.0)[-1] == Say("still_working", "csr-23")


def test_thanks_whose_end_is_never_told_are_over_some_time(house: House) -> None:
    stage = on(house)
    stage.happen(PHONE)
    stage.wait(5.0).happen(YES)
    assert stage.machine.deadline == 35.0
    assert stage.machine.tick(35.0)[0] == Note("hold.started", "csr-23", {"minutes": None})


def test_time_that_stood_still_is_no_waiting(house: House) -> None:
    stage = held(house).wait(10.0)
    stage.machine.postpone(100.0)
    stage.wait(100.0 + 25.0)
    assert [at for at, prompt in stage.said if prompt == "still_working"] == [137.0]
    assert stage.times(TellSeat(Notice.CALLER_WAITS_LONG)) == []
    stage.happen(BACK)
    assert (142.0, Note("hold.resumed", "csr-23", {"seconds": 35.0})) in stage.done


@pytest.mark.parametrize("begun", [1.0, 6.0, 21.0])
def test_time_stands_still_for_every_part(house: House, begun: float) -> None:
    stage = refused(house) if begun > 5.0 else on(house)
    if begun < 5.0:
        stage.happen(PHONE)
    stage.wait(begun - stage.now)
    before = stage.machine.deadline
    stage.machine.postpone(100.0)
    assert before is not None
    assert stage.machine.deadline == before + 100.0
    stage.saying = None
    assert stage.machine.tick(before) == []


def test_a_phone_that_goes_deaf_in_the_middle_is_shut_off_and_attests_no_more(house: House) -> None:
    stage = on(house)
    stage.happen(CODE)
    assert stage.wait(5.0).happen(PHONE) == [SEAT_UNHEARD, Note("seat.unhearing", "csr-23")]
    assert stage.happen(AnswerAttested(yes=True, seat="8001")) == []
    assert stage.happen(PHONE) == []
    assert Recall(20.0) in stage.happen(NO)


def test_a_phone_that_goes_deaf_while_held_lets_nobody_be_heard(house: House) -> None:
    stage = held(house, CODE)
    assert stage.happen(PHONE) == [NOBODY_HEARD, Note("seat.unhearing", "csr-23")]
    assert stage.happen(BACK_BY_CODE) == [TellSeat(Notice.PHONE_ON_HOLD), Recall(20.0)]
    assert stage.happen(BACK)[0] == CancelRecall()


@pytest.mark.parametrize(("again", "gate"), [(PHONE, SEAT_UNHEARD), (CODE, BOTH_HEARD)])
def test_a_second_hold_during_the_words_of_return_is_asked_for(
    house: House, again: HoldRequested, gate: Gate
) -> None:
    stage = held(house)
    stage.happen(BACK)
    done = stage.wait(1.0).happen(again)
    asked = [action.prompt for action in done if isinstance(action, Say)]
    assert asked == ["may_i_hold"]
    gates = [action for action in done if isinstance(action, Gate)]
    assert gates == [gate if again == CODE else NOBODY_HEARD]
    stage.wait(99.0)
    assert [fact for _, fact in stage.facts].count("hold.started") == 1


@pytest.mark.parametrize(("later", "asked"), [(17.9, 1), (18.0, 2)])
def test_a_consent_is_good_for_another_hold_as_long_as_the_house_says(
    house: House, later: float, asked: int
) -> None:
    stage = held(house, consent_lasts=20.0)
    stage.happen(BACK)
    # Asked for or not: the phone's music is shut off at once.
    assert stage.wait(later).happen(PHONE)[0] == SEAT_UNHEARD
    stage.wait(5.0)
    facts = [fact for _, fact in stage.facts]
    assert (facts.count("hold.asked"), facts.count("hold.started")) == (asked, 3 - asked)
    assert [prompt for _, prompt in stage.said].count("hold_thanks") == 3 - asked


def test_by_itself_every_hold_is_asked_for(house: House) -> None:
    stage = held(house)
    stage.happen(BACK)
    stage.wait(4.0).happen(PHONE)
    assert [fact for _, fact in stage.facts].count("hold.asked") == 2


@pytest.mark.parametrize("at", [0.5, 3.0, 6.0, 8.0, 190.0])
def test_a_transfer_takes_the_place_of_the_hold(house: House, at: float) -> None:
    stage = on(house)
    stage.happen(PHONE)
    stage.wait(min(at, 5.0)).happen(*([YES] if at > 5.0 else []))
    stage.wait(at - stage.now)
    speaking = stage.saying is not None
    done = stage.happen(TransferRequested())
    assert done[-1] == YIELDED
    assert (StopSaying() in done) == speaking
    assert (EndHold() in done) == (at > HELD_AT)
    whys = [action.details["why"] for action in done if isinstance(action, Note) and "hold" in action.fact]
    assert whys == (["transfer"] if at > HELD_AT else [])
    assert (CancelRecall() in done) == (at == 190.0)
    assert not any(isinstance(action, (ReleaseSeat, Say, Gate)) for action in done)
    assert stage.wait(999.0).done[-1] == (at, YIELDED)


def test_a_transfer_takes_the_place_of_a_recall(house: House) -> None:
    assert refused(house).happen(TransferRequested()) == [CancelRecall(), StopSaying(), YIELDED]
    assert refused(house).wait(24.9).happen(TransferRequested()) == [YIELDED]
    assert on(house).happen(TransferRequested()) == [YIELDED]


def test_after_a_refused_transfer_a_deaf_seat_is_called_back(house: House) -> None:
    stage = on(house)
    done = stage.happen(TransferRefused(unhearing=True))
    assert done[:3] == [TellSeat(Notice.CALLER_WILL_NOT_WAIT), NOBODY_HEARD, Recall(20.0)]
    assert stage.happen(BACK_BY_CODE) == [TellSeat(Notice.PHONE_ON_HOLD)]
    assert on(house).happen(TransferRefused(unhearing=False)) == []


def test_a_caller_who_speaks_over_the_request_is_heard_out(house: House) -> None:
    stage = on(house)
    stage.happen(LineHeard(Heard.SOUND, 0.0), PHONE)
    stage.wait(13.0).happen(LineHeard(Heard.SILENCE, 13.0))
    assert stage.said[2:] == [(13.0, "may_i_hold")]


def test_the_seat_of_a_joined_call_leaves_it_to_the_closing(house: House) -> None:
    assert on(house).happen(GONE) == [Conclude("csr-23", Outcome.SEAT_LEFT)]


def test_music_where_the_house_has_some(house: House) -> None:
    assert (HELD_AT, BeginHold("waltz")) in held(house, music="waltz").done


def test_an_illegal_event_changes_nothing(house: House) -> None:
    stage = held(house)
    with pytest.raises(IllegalEvent, match="HELD"):
        stage.happen(CallAnswered())
    with pytest.raises(IllegalEvent, match="JOINED"):
        on(house).happen(CallAnswered())
    assert (stage.machine.phase, stage.machine.deadline) == (Phase.WAITING, 37.0)


# --- the other houses ---


@pytest.mark.rule("gas-09")
@pytest.mark.rule("gas-10")
@pytest.mark.rule("gas-11")
def test_gas_10_speaks_every_fifteen_seconds() -> None:
    stage = held(shipped("gas-hotline")).wait(60.0)
    stage.happen(BACK)
    rules = [(at, action.prompt, action.rule) for at, action in stage.done if isinstance(action, Say)]
    assert rules[0] == (0.0, "gas_please_wait", "gas-09")
    assert rules[3:] == [
        *((7.0 + 15.0 * n, "gas_still_working", "gas-10") for n in range(1, 5)),
        (67.0, "gas_thanks_for_patience", "gas-11"),
    ]


@pytest.mark.rule("gas-10")
def test_gas_10_also_while_the_seat_is_called_back() -> None:
    stage = refused(shipped("gas-hotline")).wait(60.0)
    assert stage.said[2:] == [
        (5.0, "calling_seat_back"),
        (7.0, "press_3_for_callback"),
        (20.0, "calling_seat_back"),
        (25.0, "seat_not_reached"),
        (40.0, "seat_not_reached"),
    ]


@pytest.mark.parametrize(("name", "rule"), [("logistics", "log-02"), ("service-course", "crs-03")])
@pytest.mark.rule("log-02")
@pytest.mark.rule("crs-03")
def test_the_caller_chooses_between_waiting_and_being_called_back(name: str, rule: str) -> None:
    stage = refused(shipped(name))
    assert stage.done[-4:] == [
        (5.0, Note("hold.refused", rule, {"callback": True})),
        (5.0, TellSeat(Notice.CALLER_WANTS_CALLBACK)),
        (5.0, ReleaseSeat()),
        (5.0, Conclude(rule, Outcome.CALLBACK_WANTED)),
    ]


@pytest.mark.rule("log-02")
def test_log_02_silence_chooses_nothing() -> None:
    stage = on(shipped("logistics"))
    stage.happen(PHONE)
    assert stage.wait(25.0).times(Recall(20.0)) == [24.0]


@pytest.mark.rule("crs-03")
def test_crs_03_a_seat_that_hears_arranges_the_callback_itself() -> None:
    stage = on(shipped("service-course"))
    stage.happen(CODE)
    stage.wait(5.0).happen(NO)
    assert stage.times(TellSeat(Notice.CALLER_WANTS_CALLBACK)) == [5.0]
    assert stage.machine.phase is Phase.JOINED


@pytest.mark.parametrize(("minutes", "told"), [(None, 3), (10, 10)])
@pytest.mark.rule("crs-04")
def test_crs_04_the_wait_is_announced_in_minutes(minutes: int | None, told: int) -> None:
    stage = held(shipped("service-course"), HoldRequested(Way.PHONE, minutes))
    fields = {"minutes": str(told)}
    assert (0.0, Say("crs_minutes_or_callback", "crs-03", fields=fields)) in stage.done
    assert (0.0, Note("hold.estimated", "crs-04", {"minutes": told})) in stage.done
    assert (HELD_AT, Note("hold.started", "crs-03", {"minutes": told})) in stage.done
    stage.wait(900.0)
    assert stage.times(Recall(20.0))[0] == HELD_AT + told * 60.0
    assert stage.times(TellSupervisor(Notice.CALLER_WAITS_LONG)) == [HELD_AT + told * 60.0 + 120.0]


def test_a_house_without_estimates_names_none(house: House) -> None:
    stage = held(house, HoldRequested(Way.PHONE, 10)).wait(400.0)
    assert stage.times(TellSupervisor(Notice.CALLER_WAITS_LONG)) == [307.0]
    assert all(not action.fields for _, action in stage.done if isinstance(action, Say))


@pytest.mark.rule("hst-02")
def test_hst_02_the_reason_the_question_a_message_and_another_call() -> None:
    stage = on(shipped("handset-hotline"))
    stage.happen(PHONE)
    stage.wait(7.0).happen(NO)
    stage.wait(30.0)
    assert [prompt for _, prompt in stage.said] == [
        "hst_engineer_will_answer",
        "hst_will_you_wait",
        "press_1_to_wait",
        "calling_seat_back",
        "press_4_for_message",
        "seat_not_reached",
        "press_5_to_call_again",
    ]
    assert stage.happen(DigitPressed("5"))[-1] == Conclude("hst-02", Outcome.CLOSING_WANTED)


@pytest.mark.parametrize(("name", "rule"), [("logistics", "log-03"), ("service-course", "crs-14")])
@pytest.mark.rule("log-03")
@pytest.mark.rule("crs-14")
def test_the_words_of_return_are_the_houses(name: str, rule: str) -> None:
    stage = held(shipped(name))
    done: list[Action] = stage.happen(BACK)
    assert [action.rule for action in done if isinstance(action, (Say, Note))] == [rule, rule]


def test_a_caller_who_could_choose_may_still_choose_while_held() -> None:
    logistics = shipped("logistics")
    stage = held(logistics).wait(10.0)
    assert stage.happen(DigitPressed(logistics.hold.consent.no)) == [
        Note("offer.taken", "log-02", {"offer": "callback"}),
        Note("hold.ended", "log-02", {"why": "offer", "seconds": 10.0}),
        EndHold(),
        ReleaseSeat(),
        Conclude("log-02", Outcome.CALLBACK_WANTED),
    ]
    assert stage.machine.phase is Phase.DONE


def test_what_a_reminder_names_may_be_taken_from_then_on(house: House) -> None:
    stage = held(house, offers_from=2).wait(31.0)
    key = house.recall.offers[0].key
    assert stage.happen(DigitPressed(key)) == []
    stage.wait(32.0)
    assert stage.said[-2:] == [(HELD_AT + 60.0, "still_working"), (HELD_AT + 62.0, "press_3_for_callback")]
    taken = stage.happen(DigitPressed(key))
    assert taken[0] == Note("offer.taken", "csr-23", {"offer": "callback"})
    assert StopSaying() in taken
    assert taken[-1] == Conclude("csr-23", Outcome.CALLBACK_WANTED)


def test_a_key_that_nobody_named_takes_nothing_from_a_caller_who_waits(house: House) -> None:
    stage = held(house).wait(100.0)
    assert [action for key in "0123456789*#" for action in stage.happen(DigitPressed(key))] == []
    assert not stage.machine.awaits_key


def test_while_time_stands_still_no_word_comes_due(house: House) -> None:
    stage = held(house).wait(10.0)
    stage.machine.postpone(100.0)
    stage.now += 100.0
    stage.wait(19.9)
    assert stage.said[-1][1] == "hold_thanks"
    stage.wait(0.2)
    assert stage.said[-1] == (HELD_AT + 130.0, "still_working")


def test_a_key_is_awaited_from_who_could_still_choose(house: House) -> None:
    assert held(shipped("logistics")).machine.awaits_key
    stage = held(house, offers_from=1)
    assert not stage.machine.awaits_key
    assert stage.wait(31.0).machine.awaits_key


def test_a_seat_that_has_gone_cannot_be_resumed_only_picked_up(house: House) -> None:
    stage = held(house).wait(180.0)
    assert Recall(20.0) in [action for _, action in stage.done]
    stage.happen(GONE)
    assert stage.happen(BACK) == []
    assert stage.machine.phase is Phase.WAITING
    assert ReplaceSeat() in stage.happen(RecallAnswered())


def test_on_the_way_back_no_word_comes_due_while_time_stands_still(house: House) -> None:
    stage = refused(house).wait(5.0)
    stage.machine.postpone(100.0)
    stage.now += 100.0
    stage.wait(14.9)
    assert CancelRecall() not in [action for _, action in stage.done]
    assert (125.0, CancelRecall()) in stage.wait(0.2).done
    said = stage.said[-1]
    stage.wait(5.0)
    stage.machine.postpone(100.0)
    stage.now += 100.0
    assert stage.wait(14.8).said[-1][0] < said[0] + 5.0
    assert HandToQueue("seat_not_back") in [action for _, action in stage.wait(0.3).done]


def test_what_is_offered_on_the_way_back_awaits_a_key(house: House) -> None:
    stage = refused(house)
    assert stage.machine.awaits_key
    assert stage.wait(25.0).machine.awaits_key
    bare = Stage(Hold(house.hold, house.recall.model_copy(update={"offers": ()})))
    bare.happen(PHONE)
    bare.wait(5.0).happen(NO)
    assert not bare.machine.awaits_key
    stage.happen(BACK)
    assert not stage.machine.awaits_key, "the words of return are being said"


def test_what_is_taken_stops_the_words(house: House) -> None:
    stage = refused(house)
    taken = stage.happen(DigitPressed(house.recall.offers[0].key))
    assert taken[:2] == [Note("offer.taken", "csr-23", {"offer": "callback"}), StopSaying()]


def test_words_on_the_way_back_that_outlast_the_interval_count_as_over(house: House) -> None:
    """A plane that never tells the end of a word must not silence all that follow."""
    recall = house.recall.model_copy(update={"ring_for": 60.0, "offers": ()})
    stage = Stage(Hold(house.hold.model_copy(update={"every": 15.0}), recall))
    stage.happen(PHONE)
    stage.wait(5.0).happen(NO)
    stage.saying = None
    stage.wait(14.9)
    assert stage.said[-1] == (5.0, "calling_seat_back")
    stage.wait(15.2)
    assert [at for at, prompt in stage.said if prompt == "calling_seat_back"] == [5.0, 35.0]


def test_a_seat_that_left_while_it_was_rung_cannot_resume(house: House) -> None:
    stage = refused(house)
    stage.happen(GONE)
    assert stage.happen(BACK) == []
    stage.wait(21.0)
    assert stage.said[-1][1] in ("seat_not_reached", "press_4_for_message")
    assert stage.happen(BACK) == []
    assert ReplaceSeat() in stage.happen(RecallAnswered())


def test_an_apology_whose_end_is_never_told_leads_to_the_queue_all_the_same(house: House) -> None:
    stage = held(house)
    stage.happen(GONE)
    stage.saying = None
    stage.wait(29.9)
    assert HandToQueue("seat_not_back") not in [action for _, action in stage.done]
    assert HandToQueue("seat_not_back") in [action for _, action in stage.wait(0.2).done]


def test_a_seat_that_is_rung_when_the_limit_comes_keeps_the_words_coming(house: House) -> None:
    """It asked for the caller by code, deaf as it is, and its phone has been ringing since."""
    stage = held(house).wait(175.0)
    stage.happen(BACK_BY_CODE)
    stage.wait(36.0)
    assert stage.said[-1] == (HELD_AT + 210.0, "still_working")


def test_why_a_wait_ended_is_told(house: House) -> None:
    stage = held(house).wait(3.0)
    ended = stage.happen(HungUp(Party.CALLER))
    assert Note("hold.ended", "csr-23", {"why": "caller", "seconds": 3.0}) in ended
