"""The transfer's whole world, searched: and with any one of its guards taken away, the search finds it."""

from collections.abc import Callable

import pytest

from callflow.actions import Action, Conclude, JoinTarget
from callflow.etiquette import own_words
from callflow.etiquette.briefing import Answer, Briefing
from callflow.etiquette.consent import Asking, Consent
from callflow.etiquette.house import House
from callflow.etiquette.parameters import TransferManners
from callflow.etiquette.transfer import Transfer
from callflow.events import DigitPressed, Event, Outcome, TargetDeclined, TransferRequested
from tests.pure.etiquette.transfer_model import TO_A_SEAT, Violation, states_from

pytestmark = pytest.mark.pure

IN_ITS_OWN_WORDS = TransferRequested("8002", own_words=True)
MANNERS = TransferManners.model_validate(
    {
        "rule": "csr-24",
        "question": ["may_i_transfer"],
        "hint": "press_1_to_be_transferred",
        "every": "30s",
        "waiting": "transferring",
        "ring_for": "40s",
        "brief": ["transfer_brief"],
        "will_you_take_it": "will_you_take_it",
        "connecting": "connecting",
        "not_taken": "not_taken",
        "stays": "stays",
        "serving": "serving",
        "busy_waiting": "busy_waiting",
        "own_words": {"rule": "hst-05", "ask": "say_brief", "at_most": "2s"},
        "away": {
            "rule": "crs-06",
            "gone": "away",
            "back_in": "back_in",
            "offer": "press_4_for_message",
            "key": "4",
            "within": "4s",
        },
    }
)


@pytest.mark.parametrize(
    ("wish", "unhearing"), [(TO_A_SEAT, False), (TO_A_SEAT, True), (IN_ITS_OWN_WORDS, False)]
)
def test_nothing_that_they_do_joins_anybody_against_their_will(
    house: House, unhearing: bool, wish: TransferRequested, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All times fit one grid, or there would be many more worlds that differ in nothing else.
    monkeypatch.setattr(own_words, "TONE", 0.0)
    manners, hold = MANNERS, house.hold
    if wish.own_words:
        # That who is asked again is asked like the first time is seen without the seat's words already.
        manners = manners.model_copy(update={"asks": 1})
        hold = hold.model_copy(update={"consent": hold.consent.model_copy(update={"asks": 1})})
    states = states_from(lambda: Transfer(manners, hold, seat="8001", unhearing=unhearing), wish)
    print(f"{states} states")  # noqa: T201
    assert states > 1000


# --- guards taken away ---


def rings_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Asking.begin

    def agreed_at_once(self: Asking, now: float, *, sounding: bool) -> list[Action]:
        actions = begin(self, now, sounding=sounding)
        self.consent = Consent.GIVEN
        return actions

    monkeypatch.setattr(Asking, "begin", agreed_at_once)


def takes_silence_for_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    conclude = Asking._conclude
    monkeypatch.setattr(
        Asking, "_conclude", lambda self, consent, **details: conclude(self, Consent.GIVEN, **details)
    )


def takes_an_answer_for_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transfer, "_brief", Transfer._connect)


def takes_a_silent_target_for_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    conclude = Briefing._conclude

    def agreed(self: Briefing, answer: Answer) -> list[Action]:
        return conclude(self, Answer.AGREED if answer is Answer.UNANSWERED else answer)

    monkeypatch.setattr(Briefing, "_conclude", agreed)


def takes_a_key_before_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = Briefing.receive

    def hasty(self: Briefing, event: Event, now: float) -> list[Action]:
        return self._conclude(Answer.AGREED) if event == DigitPressed("1") else receive(self, event, now)

    monkeypatch.setattr(Briefing, "receive", hasty)


def becomes_blind_when_the_seat_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    left = Transfer._seat_left

    def blind(self: Transfer, event: Event, now: float) -> list[Action]:
        return [*left(self, event, now), JoinTarget(), *self._conclude(Outcome.TRANSFERRED)]

    monkeypatch.setattr(Transfer, "_seat_left", blind)


def forgets_that_the_seat_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transfer, "_seat_left", lambda self, event, now: [])


def leaves_the_target_ringing(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_back = Transfer._taken_back

    def careless(self: Transfer, now: float) -> list[Action]:
        return [action for action in taken_back(self, now) if isinstance(action, Conclude)]

    monkeypatch.setattr(Transfer, "_taken_back", careless)


def says_nothing_while_it_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    def mute(self: Transfer, at: float) -> list[Action]:
        self._word_due = at + self._manners.every
        return self._go_on(self.phase)

    monkeypatch.setattr(Transfer, "_say_again", mute)


def joins_a_target_that_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Transfer._failed

    def deaf(self: Transfer, declined: TargetDeclined, now: float, *first: Action) -> list[Action]:
        return [] if declined.why == "hung_up" else failed(self, declined, now, *first)

    monkeypatch.setattr(Transfer, "_failed", deaf)


def goes_on_without_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transfer, "_caller_left", lambda self, event: [])


def waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Transfer._go_on

    def timeless(self: Transfer, phase: object, *actions: Action) -> list[Action]:
        done = go_on(self, phase, *actions)  # type: ignore[arg-type]
        self.deadline = None
        return done

    monkeypatch.setattr(Transfer, "_go_on", timeless)


@pytest.mark.parametrize(
    "takes_away",
    [
        rings_without_asking,
        takes_silence_for_consent,
        takes_an_answer_for_agreement,
        takes_a_silent_target_for_agreement,
        takes_a_key_before_the_question,
        becomes_blind_when_the_seat_hangs_up,
        forgets_that_the_seat_is_gone,
        leaves_the_target_ringing,
        says_nothing_while_it_rings,
        joins_a_target_that_hung_up,
        goes_on_without_the_caller,
        waits_for_ever,
    ],
)
def test_a_guard_that_is_missing_is_found(
    house: House, monkeypatch: pytest.MonkeyPatch, takes_away: Callable[[pytest.MonkeyPatch], None]
) -> None:
    takes_away(monkeypatch)
    with pytest.raises(Violation):
        states_from(lambda: Transfer(MANNERS, house.hold, seat="8001", unhearing=False))
