"""A transfer as a small world: caller, seat, target and the network, who may act in every order there is.

The world's times are relative, so that its states are finitely many, and all of them can be looked at.
"""

from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any, TypeVar

import pydantic

from callflow.actions import Action, Conclude, DropTarget, Gate, JoinTarget, RingTarget, Say, StopSaying
from callflow.etiquette.briefing import Briefing
from callflow.etiquette.consent import Asking, Question
from callflow.etiquette.not_there import NotThere
from callflow.etiquette.transfer import Phase, Transfer
from callflow.events import (
    DigitPressed,
    Event,
    HoldRequested,
    HungUp,
    OfSeat,
    OfTarget,
    Outcome,
    Party,
    PromptFinished,
    SeatHungUp,
    SeatResumed,
    TargetAnswered,
    TargetBusy,
    TargetDeclined,
    TargetHungUp,
    TargetRinging,
    TransferRequested,
    Way,
    WordsKept,
)

PLAIN = (str, int, bool, type(None))
TO_A_SEAT = TransferRequested("8002")
PROMPT = 2.0
"""Seconds that words last which are heard to their end."""


class Violation(AssertionError):
    """What must never be."""


@dataclass
class World:
    machine: Transfer
    target: str = "idle"
    """`idle`, `rung`, `talking` or `gone`."""
    seat: str = "there"
    saying: dict[Party, tuple[str, float]] = field(default_factory=dict)
    """To whom what is being said, and for how long yet."""
    wordless: float = 0.0
    """Seconds since the caller heard a word begin or end."""
    shut: bool = False
    """Whether the caller does not hear the seat."""
    asked_caller: bool = False
    """Whether the caller has heard the question to its end."""
    asked_target: bool = False
    caller_agreed: bool = False
    target_agreed: bool = False
    caller_there: bool = True
    just_rung: bool = False
    """Whether it is known only now if anybody of a queue is free."""
    over: bool = False
    trace: tuple[str, ...] = ()

    def twin(self) -> "World":
        """The same once more, to go another way; what never changes is shared."""
        machine = _with_own_words(self.machine)
        machine._asking = machine._asking and _with_own_words(machine._asking)
        machine._briefing = machine._briefing and _with_own_words(machine._briefing)
        machine._telling = copy(machine._telling)
        machine._not_there = machine._not_there and _with_own_words(machine._not_there)
        return replace(self, machine=machine, saying=dict(self.saying))

    def acts(self) -> Iterator[tuple[str, Callable[["World"], None]]]:
        """Everything that can happen now."""
        if self.over:
            return
        yield from self._keys()
        if self.caller_there:
            yield "caller hangs up", World.caller_leaves
        if self.seat != "gone":
            yield "seat hangs up", lambda world: world.seat_does("gone", SeatHungUp(30.0, 0.0))
            yield "seat asks again", lambda world: world.happens(TransferRequested("8002"))
        if self.seat == "there":
            yield "seat holds", lambda world: world.seat_does("deaf", HoldRequested(Way.PHONE))
        if self.seat == "deaf":
            yield "seat resumes", lambda world: world.seat_does("there", SeatResumed(Way.PHONE))
        if self.target == "rung":
            yield "target rings", lambda world: world.happens(OfTarget(TargetRinging()))
            yield "target answers", lambda world: world.target_does("talking", TargetAnswered())
            yield "target is busy", lambda world: world.target_does("gone", TargetDeclined("busy"))
            yield "target is away", lambda world: world.target_does("gone", TargetDeclined("away"))
        if self.just_rung:
            yield "nobody is free", lambda world: world.happens(OfTarget(TargetBusy()))
        if self.target == "talking":
            yield "target hangs up", lambda world: world.target_does("gone", TargetHungUp())
        for party in self.saying:
            yield f"nobody tells that the {party} has heard it", partial(World.loses, party=party)
        yield "time passes", World.time_passes

    def _keys(self) -> Iterator[tuple[str, Callable[["World"], None]]]:
        for key in "12":
            if self.caller_there:
                yield f"caller presses {key}", partial(World.caller_presses, key=key)
            if self.target == "talking":
                yield f"target presses {key}", partial(World.target_presses, key=key)
        if self.machine.phase is Phase.RETURNING:
            yield "caller presses 4", partial(World.caller_presses, key="4")
        if self.machine.seat_tells:
            yield "the seat's words are kept", lambda world: world.happens(WordsKept(4.0))
            yield "the seat said nothing", lambda world: world.happens(WordsKept(0.0))
            yield "seat presses #", lambda world: world.happens(OfSeat(DigitPressed("#")))

    # --- what they do ---

    def caller_presses(self, key: str) -> None:
        self.caller_agreed |= key == "1" and self.asked_caller and self.machine.phase is Phase.ASKING
        self.happens(DigitPressed(key))

    def target_presses(self, key: str) -> None:
        self.target_agreed |= key == "1" and self.asked_target
        self.happens(OfTarget(DigitPressed(key)))

    def caller_leaves(self) -> None:
        self.caller_there = False
        self.happens(HungUp(Party.CALLER))
        if self.machine.phase is not Phase.DONE:
            raise Violation("the caller is gone, and the transfer goes on")
        self.over = True

    def seat_does(self, state: str, event: Event) -> None:
        self.seat = state
        self.happens(event)

    def target_does(self, state: str, event: Event) -> None:
        self.target = state
        self.happens(OfTarget(event))

    def time_passes(self) -> None:
        """Up to the next thing that happens by itself: words that end, or a deadline."""
        ends = [left for _, left in self.saying.values()]
        deadline = self.machine.deadline
        if deadline is None and not ends:
            raise Violation("nobody is responsible, and nothing will ever happen")
        step = min([*ends, *([deadline] if deadline is not None else [])])
        self.machine.postpone(-step)
        self._forget_what_is_not_read()
        self.saying = {party: (prompt, left - step) for party, (prompt, left) in self.saying.items()}
        self.wordless += step if self.shut and Party.CALLER not in self.saying else 0.0
        over = [party for party, (_, left) in self.saying.items() if left <= 0]
        for party in over:
            prompt, _ = self.saying.pop(party)
            self.heard(party, prompt)
        if not over:
            self.done(self.machine.tick(0.0))

    def _forget_what_is_not_read(self) -> None:
        """Times that are set anew before they count tell no two worlds apart."""
        phase = self.machine.phase
        if phase is not Phase.RINGING:
            self.machine._ring_ends = 0.0
        if phase not in (Phase.TELLING, Phase.RINGING, Phase.BRIEFING):
            self.machine._word_due = 0.0

    def loses(self, party: Party) -> None:
        """The news of the words' end is lost."""
        del self.saying[party]

    def heard(self, party: Party, prompt: str) -> None:
        """Somebody has heard words to their end."""
        if party is Party.CALLER:
            self.wordless = 0.0
            self.asked_caller |= prompt == "may_i_transfer"
            self.happens(PromptFinished(prompt))
        elif party is Party.TARGET:
            self.happens(OfTarget(PromptFinished(prompt)))
        elif self.machine.seat_tells:
            self.happens(OfSeat(PromptFinished(prompt)))

    def happens(self, event: Event) -> None:
        self.done(self.machine.receive(event, 0.0))

    # --- what is done, and must never be ---

    def done(self, actions: list[Action]) -> None:
        for action in actions:
            if self.over:
                raise Violation(f"{action} after the end")
            match action:
                case Say(prompt=prompt, to=to):
                    self._says(prompt, to)
                case StopSaying():
                    self.saying.pop(Party.CALLER, None)
                case Gate(shut=shut):
                    self.shut = bool(shut)
                    self.wordless = self.wordless if shut else 0.0
                case RingTarget():
                    if not self.caller_agreed:
                        raise Violation("a target is rung for a caller who has not agreed")
                    self.target, self.just_rung = "rung", True
                case DropTarget():
                    self.target = "gone"
                    self.saying.pop(Party.TARGET, None)
                case JoinTarget():
                    self._joined()
                case Conclude(outcome=outcome):
                    self._concluded(outcome)
        if self.wordless > 30.0 + PROMPT and not self.over:
            raise Violation(f"{self.wordless} s without a word")

    def _says(self, prompt: str, to: tuple[Party, ...]) -> None:
        for party in to:
            if party is not Party.SEAT or self.machine.seat_tells:
                # What a seat hears beside the caller nobody waits for.
                self.saying[party] = prompt, PROMPT
        if Party.CALLER in to:
            self.wordless = 0.0
        # The target's question names the keys, so they count from its beginning.
        self.asked_target |= prompt == "will_you_take_it"

    def _joined(self) -> None:
        if not self.caller_agreed:
            raise Violation("joined without the caller's consent")
        if not self.target_agreed:
            raise Violation("joined without the target's consent")
        if self.target != "talking" or not self.caller_there:
            raise Violation("joined with nobody")

    def _concluded(self, outcome: Outcome) -> None:
        self.over = True
        if outcome is not Outcome.TRANSFERRED and self.target in ("rung", "talking"):
            raise Violation("a target is left alone")
        stays = outcome not in (Outcome.TRANSFERRED, Outcome.MESSAGE_WANTED)
        if (outcome is Outcome.TRANSFEROR_GONE) is not (self.seat == "gone") and stays:
            raise Violation(f"{outcome}, but the seat is {self.seat}")


def states_from(start: Callable[[], Transfer], wish: TransferRequested = TO_A_SEAT) -> int:
    """Every state that can be reached, each looked at once; how many there are. Raises `Violation`."""
    first = World(start())
    first.happens(wish)
    seen = {key(first)}
    ahead = deque([first])
    while ahead:
        world = ahead.popleft()
        for name, act in world.acts():
            then = world.twin()
            then.trace, then.just_rung = (*world.trace, name), False
            try:
                act(then)
            except Violation as violation:
                raise Violation(f"{violation}, after: {', '.join(then.trace)}") from None
            known = key(then)
            if known not in seen:
                seen.add(known)
                ahead.append(then)
    return len(seen)


Speaking = TypeVar("Speaking", Transfer, Asking, Briefing, NotThere)


def _with_own_words(machine: Speaking) -> Speaking:
    twin = copy(machine)
    if isinstance(twin, Transfer):
        twin._told = set(twin._told)
    twin._words = copy(machine._words)
    twin._words._left = machine._words._left.copy()
    return twin


def key(world: World) -> Any:
    """The world as something that equal ones have in common."""
    return tuple([frozen(value) for name, value in vars(world).items() if name != "trace"])


def frozen(value: Any) -> Any:
    kind = type(value)
    form = FORMS.get(kind)
    if form is None:
        form = FORMS[kind] = form_of(kind)
    return form(value)


def form_of(kind: type) -> Callable[[Any], Any]:
    """How a value of that type is told from others."""
    if kind is float:
        return partial(round, ndigits=3)
    if issubclass(kind, pydantic.BaseModel | Question):
        # What never changes is the same in all worlds.
        return lambda value: None
    if kind in PLAIN or issubclass(kind, Enum | Event | Say):
        return lambda value: value
    if kind is dict:
        return lambda value: tuple([(name, frozen(each)) for name, each in sorted(value.items())])
    if kind is set:
        return frozenset
    if kind in (tuple, list, deque):
        return lambda value: tuple([frozen(each) for each in value])
    if kind is NotThere:
        # Why somebody is not there makes no difference but in the words, and whether there is an offer.
        return lambda value: (value.phase, value.deadline, value.message_wanted, value._away is not None,
                              frozen(value._words))  # fmt: skip
    return lambda value: tuple([frozen(each) for each in vars(value).values()])


FORMS: dict[type, Callable[[Any], Any]] = {}
