"""The calls in which a seat presses its phone's Transfer key: each as the house's words would have it.

The key asks for a blind transfer (REFER without Replaces), and gets a spoken one: the caller agrees, the
target agrees, and only then are the two joined.
"""

from collections.abc import Callable
from typing import Final

from callflow.demo.seated import Act, SeatedScenario, Verb, When
from callflow.etiquette.house import House
from callflow.events import Party

CALLER, SEAT, TARGET = Party.CALLER, Party.SEAT, Party.TARGET
NUMBER: Final = "8002"
"""The target's."""
ANSWERED: Final = ("ringing", "answered")
WHILE_IT_RINGS: Final = When("transfer.offered", after=5.0)
RINGS_FOR: Final = 9.0
"""Seconds, where it is long enough for tones meanwhile."""
OFFERED: Final = ("transfer.asked", "consent.given", "transfer.offered")
BRIEFED: Final = (*OFFERED, "transfer.briefed")
BOTH_AGREED: Final = ("transfer.accepted", "call.joined", "transfer.completed")
GIVEN_BACK: Final = ("transfer.returned", "call.joined")
NOT_BEFORE_IT_AGREES: Final = ("transfer.accepted", "transfer.completed")
NOT_GIVEN_BACK: Final = ("transfer.failed", "transfer.returned")


def _tones(when: When, one: Party, other: Party) -> tuple[Act, ...]:
    """The two send a tone at once: each hears the other, and a third hears neither."""
    return (
        Act(one, Verb.TONE, when, heard_by=(other,)),
        Act(other, Verb.TONE, when, heard_by=(one,)),
    )


def _unheard(when: When, *who: Party) -> tuple[Act, ...]:
    """Each sends a tone that nobody hears."""
    return tuple(Act(each, Verb.TONE, when) for each in who)


def _asked(house: House, key: str) -> tuple[Act, ...]:
    """The two speak, the seat presses Transfer, and the caller answers the question."""
    return (
        *_tones(When("call.joined"), CALLER, SEAT),
        Act(SEAT, Verb.TRANSFER, When("call.joined", after=5.0), NUMBER),
        Act(CALLER, Verb.PRESS, When("prompt.finished", house.transfer.hint), key),
    )


def _ends(when: When, one: Party, other: Party) -> tuple[Act, ...]:
    """The two speak, and the caller hangs up."""
    hangs_up = When(when.fact, when.prompt, when.nth, when.after + 4.0)
    return (*_tones(when, one, other), Act(CALLER, Verb.HANG_UP, hangs_up))


def _asked_target(house: House, after: float) -> When:
    return When("prompt.finished", house.transfer.will_you_take_it, after=after)


def completed(house: House) -> SeatedScenario:
    manners = house.transfer
    return SeatedScenario(
        "completed",
        "a seat presses Transfer on its phone; the caller agrees, and the target does",
        (),
        CALLER,
        "",
        (*manners.question, manners.hint, manners.waiting, manners.connecting),
        acts=(
            *_asked(house, house.hold.consent.yes),
            *_unheard(WHILE_IT_RINGS, CALLER, SEAT),
            *_unheard(_asked_target(house, 0.5), CALLER, SEAT, TARGET),
            Act(TARGET, Verb.PRESS, _asked_target(house, 3.5), manners.take),
            *_ends(When("transfer.completed"), CALLER, TARGET),
        ),
        must_tell=(*BRIEFED, *BOTH_AGREED),
        never=(*NOT_GIVEN_BACK, "seat.left"),
        phone_tells=(*ANSWERED, "ended"),
        transfer_told=200,
        target_answers=(RINGS_FOR,),
        target_tells=ANSWERED,
        target_hears=(*manners.brief, manners.will_you_take_it, manners.connecting),
    )


def declined(house: House) -> SeatedScenario:
    manners = house.transfer
    return SeatedScenario(
        "declined",
        "the target hears who comes, and will not take the call",
        (),
        CALLER,
        "",
        (*manners.question, manners.hint, manners.waiting, manners.not_taken),
        acts=(
            *_asked(house, house.hold.consent.yes),
            Act(TARGET, Verb.PRESS, _asked_target(house, 1.0), manners.decline),
            *_ends(When("transfer.returned"), CALLER, SEAT),
        ),
        must_tell=(*BRIEFED, "transfer.declined", *GIVEN_BACK),
        never=NOT_BEFORE_IT_AGREES,
        phone_tells=ANSWERED,
        transfer_told=603,
        target_answers=(3.0,),
        target_tells=(*ANSWERED, "ended"),
        target_hears=(*manners.brief, manners.will_you_take_it),
    )


def unanswered(house: House) -> SeatedScenario:
    manners = house.transfer
    return SeatedScenario(
        "no-answer",
        "the target's phone rings, and nobody picks it up",
        (),
        CALLER,
        "",
        (*manners.question, manners.hint, manners.waiting, manners.not_taken),
        acts=(
            *_asked(house, house.hold.consent.yes),
            *_unheard(WHILE_IT_RINGS, CALLER, SEAT),
            *_ends(When("transfer.returned"), CALLER, SEAT),
        ),
        must_tell=(*OFFERED, "transfer.failed", *GIVEN_BACK),
        never=("transfer.briefed", *NOT_BEFORE_IT_AGREES),
        phone_tells=ANSWERED,
        transfer_told=408,
        target_answers=(None,),
        target_tells=("ringing", "missed"),
    )


def refused(house: House) -> SeatedScenario:
    manners = house.transfer
    return SeatedScenario(
        "caller-says-no",
        "the caller does not want to be transferred, and stays",
        (),
        CALLER,
        "",
        (*manners.question, manners.hint, manners.stays),
        acts=(
            *_asked(house, house.hold.consent.no),
            *_ends(When("prompt.finished", manners.stays), CALLER, SEAT),
        ),
        must_tell=("transfer.asked", "consent.refused", "transfer.failed"),
        never=("transfer.offered", *NOT_BEFORE_IT_AGREES),
        phone_tells=ANSWERED,
        transfer_told=603,
        target_answers=(1.0,),
    )


def left(house: House) -> SeatedScenario:
    """Whoever hangs up after the REFER expects a blind transfer: it is none all the same."""
    manners = house.transfer
    return SeatedScenario(
        "first-seat-hangs-up",
        "the seat hangs up while the target is asked; the target agrees all the same",
        (),
        CALLER,
        "",
        (*manners.question, manners.hint, manners.waiting, manners.connecting),
        acts=(
            *_asked(house, house.hold.consent.yes),
            Act(SEAT, Verb.HANG_UP, When("transfer.briefed")),
            *_unheard(_asked_target(house, 0.5), CALLER, TARGET),
            Act(TARGET, Verb.PRESS, _asked_target(house, 3.5), manners.take),
            *_ends(When("transfer.completed"), CALLER, TARGET),
        ),
        must_tell=(*BRIEFED, "transfer.transferor_left", *BOTH_AGREED),
        never=NOT_GIVEN_BACK,
        phone_tells=(*ANSWERED, "ended"),
        target_answers=(3.0,),
        target_tells=ANSWERED,
        target_hears=(*manners.brief, manners.will_you_take_it, manners.connecting),
    )


def attended(house: House) -> SeatedScenario:
    """The seat has spoken with the target when it presses the key: both are asked all the same."""
    manners, hold = house.transfer, house.hold
    return SeatedScenario(
        "attended",
        "a seat holds its caller, speaks with a colleague, and then presses Transfer",
        (),
        CALLER,
        "",
        (*hold.question, hold.hint, hold.thanks, *manners.question, manners.hint, manners.waiting,
         manners.connecting),
        acts=(
            *_tones(When("call.joined"), CALLER, SEAT),
            Act(SEAT, Verb.CONSULT, When("call.joined", after=5.0), NUMBER),
            Act(CALLER, Verb.PRESS, When("prompt.finished", hold.hint), hold.consent.yes),
            *_tones(When("hold.started", after=4.0), SEAT, TARGET),
            *_unheard(When("hold.started", after=7.5), CALLER),
            Act(SEAT, Verb.COMPLETE, When("hold.started", after=11.0)),
            Act(CALLER, Verb.PRESS, When("prompt.finished", manners.hint), hold.consent.yes),
            *_unheard(_asked_target(house, 0.5), CALLER, SEAT, TARGET),
            Act(TARGET, Verb.PRESS, _asked_target(house, 3.5), manners.take),
            *_ends(When("transfer.completed"), CALLER, TARGET),
        ),
        must_tell=("hold.asked", "consent.given", "hold.started", *BRIEFED, *BOTH_AGREED),
        never=(*NOT_GIVEN_BACK, "seat.left"),
        phone_tells=(*ANSWERED, "ended"),
        transfer_told=200,
        target_answers=(1.0,),
        target_tells=ANSWERED,
        target_hears=(*manners.brief, manners.will_you_take_it, manners.connecting),
    )  # fmt: skip


TRANSFERS: dict[str, Callable[[House], SeatedScenario]] = {
    "transfer": completed,
    "transfer-declined": declined,
    "transfer-no-answer": unanswered,
    "transfer-caller-says-no": refused,
    "transfer-first-seat-hangs-up": left,
    "transfer-attended": attended,
}
"""Demo → its call under a house."""
