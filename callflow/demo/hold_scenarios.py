"""The calls in which a seat wants to hold, or leaves: each as the house's words would have it."""

from collections.abc import Callable
from typing import Final

from callflow.demo.seated import Act, Patience, SeatedScenario, Verb, When
from callflow.etiquette.house import House
from callflow.events import Party

CALLER, SEAT = Party.CALLER, Party.SEAT
ANSWERED: Final = ("ringing", "answered")
RUNG_ANEW: Final = (*ANSWERED, *ANSWERED, "ended")
"""The phone is rung once more, picked up, and its first call ended by us."""


def _tones(fact: str, *, heard: bool = True, nth: int = 1, after: float = 1.0) -> tuple[Act, ...]:
    """Both send a tone at once, each for the other to hear, or not."""
    when, both = When(fact, nth=nth, after=after), ((CALLER, SEAT), (SEAT, CALLER))
    return tuple(Act(who, Verb.TONE, when, heard_by=(other,) if heard else ()) for who, other in both)


def _presses(house: House, keys: str, who: Party = CALLER) -> Act:
    return Act(who, Verb.PRESS, When("prompt.finished", house.hold.hint), keys)


def _hold_after(seconds: float) -> Act:
    return Act(SEAT, Verb.HOLD, When("call.joined", after=seconds))


_LEAVES_AFTER_RETURN: Final = Act(CALLER, Verb.HANG_UP, When("call.joined", nth=2, after=5.0))


def held(house: House) -> SeatedScenario:
    hold = house.hold
    return SeatedScenario(
        "held",
        "a seat presses Hold on its phone, and the caller agrees to wait",
        (),
        CALLER,
        "",
        (*hold.question, hold.hint, hold.thanks, hold.reminder, hold.reminder, *house.recall.back),
        acts=(
            *_tones("call.joined"),
            _hold_after(5.0),
            _presses(house, hold.consent.yes),
            *_tones("hold.started", heard=False, after=5.0),
            Act(SEAT, Verb.RESUME, When("prompt.finished", hold.reminder, nth=2)),
            *_tones("call.joined", nth=2),
            _LEAVES_AFTER_RETURN,
        ),
        must_tell=(
            "call.joined",
            "seat.unhearing",
            "hold.asked",
            "consent.given",
            "hold.started",
            "hold.reminded",
            "hold.reminded",
            "hold.resumed",
            "call.joined",
        ),
        phone_tells=ANSWERED,
    )


def refused(house: House) -> SeatedScenario:
    hold = house.hold
    return SeatedScenario(
        "refused",
        "a caller who will not wait: the seat's phone is rung anew",
        (),
        CALLER,
        "",
        (*hold.question, hold.hint, house.recall.calling, *house.recall.back),
        acts=(
            _hold_after(2.0),
            _presses(house, hold.consent.no),
            *_tones("call.joined", nth=2),
            _LEAVES_AFTER_RETURN,
        ),
        answers=(1.0, 6.0),
        must_tell=("seat.unhearing", "hold.asked", "consent.refused", "hold.refused", "call.joined"),
        never=("hold.started",),
        phone_tells=RUNG_ANEW,
    )


def unanswered(house: House) -> SeatedScenario:
    hold = house.hold
    asked = (*hold.question, hold.hint) * hold.consent.asks
    return SeatedScenario(
        "unanswered",
        "a caller who says nothing when asked: that is no",
        (),
        CALLER,
        "",
        (*asked, house.recall.calling, *house.recall.back),
        acts=(_hold_after(2.0), *_tones("call.joined", nth=2), _LEAVES_AFTER_RETURN),
        answers=(1.0, 6.0),
        must_tell=("seat.unhearing", "hold.asked", "consent.unanswered", "hold.refused", "call.joined"),
        never=("hold.started",),
        phone_tells=RUNG_ANEW,
    )


def vanished(house: House) -> SeatedScenario:
    hold, recall = house.hold, house.recall
    return SeatedScenario(
        "vanished",
        "a seat's phone is gone while the caller waits (rung anew after 35 s, given up after 50 s)",
        (),
        CALLER,
        "",
        (hold.thanks, hold.reminder, recall.calling, recall.not_reached, house.queue.first, "leave_number"),
        acts=(
            _hold_after(2.0),
            _presses(house, hold.consent.yes),
            Act(SEAT, Verb.VANISH, When("hold.started", after=5.0)),
            Act(CALLER, Verb.HANG_UP, When("prompt.finished", "enter_number")),
        ),
        must_tell=("consent.given", "hold.started", "hold.reminded", "hold.limit", "queue.left"),
        never=("hold.resumed",),
        phone_tells=ANSWERED,
        patience=Patience(
            warn_after=20.0, recall_after=35.0, escalate_after=50.0, ring_for=10.0, offer_for=10.0
        ),
        queue=(("longest_wait", "10s"),),
    )


def seat_first(house: House) -> SeatedScenario:
    closing = house.closing
    return SeatedScenario(
        "seat-first",
        "a seat hangs up first, and the caller stays",
        (),
        Party.CALLFLOW,
        "caller_stayed",
        (closing.anything_else, closing.hint, closing.hanging_up),
        acts=(
            *_tones("call.joined"),
            Act(SEAT, Verb.HANG_UP, When("call.joined", after=4.0)),
        ),
        must_tell=("call.joined", "seat.hung_up", "call.ended"),
        never=("seat.lost",),
        phone_tells=(*ANSWERED, "ended"),
    )


def by_code(house: House) -> SeatedScenario:
    hold = house.hold
    hint_heard = When("prompt.finished", hold.hint, after=0.5)
    attested = When("prompt.finished", hold.hint, after=3.0)
    return SeatedScenario(
        "by-code",
        "a seat dials *1, hears the caller's spoken yes, attests it with 1, and comes back with *2",
        (),
        CALLER,
        "",
        (*hold.question, hold.hint, hold.thanks, *house.recall.back),
        acts=(
            Act(SEAT, Verb.PRESS, When("call.joined", after=2.0), "*1"),
            Act(CALLER, Verb.SPEAK, hint_heard),
            Act(SEAT, Verb.PRESS, attested, "1"),
            *_tones("hold.started", heard=False, after=5.0),
            Act(SEAT, Verb.PRESS, When("hold.started", after=12.0), "*2"),
            *_tones("call.joined", nth=2),
            _LEAVES_AFTER_RETURN,
        ),
        must_tell=(
            "hold.asked",
            "consent.given",
            "hold.started",
            "hold.resumed",
            "call.joined",
        ),
        never=("seat.unhearing",),
        phone_tells=ANSWERED,
    )


SEATED: dict[str, Callable[[House], SeatedScenario]] = {
    "hold": held,
    "hold-refused": refused,
    "hold-unanswered": unanswered,
    "hold-seat-vanishes": vanished,
    "seat-hangs-up": seat_first,
    "hold-by-code": by_code,
}
"""Demo → its call under a house."""
