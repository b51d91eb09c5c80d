"""One call on its way through a flow: events in, actions out, one deadline."""

from collections.abc import Mapping

from callflow.actions import Action, CheckLine, Close, FindSeat, Greet, Note, Say, TakeMessage, TakeNumber
from callflow.errors import CallflowError
from callflow.events import (
    CallArrived,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    LineHeard,
    LineJudged,
    LineState,
    NobodyThere,
    Outcome,
    PromptFinished,
    PromptStarted,
    RuleConcluded,
)
from callflow.flow.model import (
    CloseStep,
    Flow,
    GreetStep,
    MenuStep,
    MessageStep,
    SayStep,
    SeatStep,
    Step,
    TakeNumberStep,
)

LONGEST = 30.0
"""Seconds that a prompt of unknown length may last."""
MARGIN = 5.0
"""Seconds by which a prompt may end late before the flow goes on without its end."""
_HEAR_OUT = 5.0
"""Seconds for which a caller who spoke up is listened to before the flow speaks again."""


class FlowRun:
    """A caller's place in a flow."""

    def __init__(self, flow: Flow, lengths: Mapping[str, float] | None = None) -> None:
        """`lengths` are those of the prompts, in seconds; without them every prompt is waited for."""
        self._flow = flow
        self._lengths = lengths
        self._name: str | None = None
        self._said = 0
        """How often the menu in hand has been said."""
        self._greeted = False
        self._alive = False
        self._sounding = False
        self._key_ahead: str | None = None
        self._told = False
        """Whether the caller has been told anything to its end since the step began."""
        self._alone = True
        """Whether nobody has been heard, and no key pressed, since then."""
        self._asked: str | None = None
        """Where the flow goes on when it is known whether somebody is there who gave no answer."""
        self._hears_out = False
        """Whether a caller who was there after all still speaks."""
        self.deadline: float | None = None

    @property
    def step(self) -> str | None:
        """The step in hand; None before the call arrived and after it ended."""
        return self._name

    @property
    def awaits_key(self) -> bool:
        """Whether a question has been asked to its end, and a key is the answer."""
        return self._name is not None and self.deadline is not None and isinstance(self._step, MenuStep)

    def stop(self) -> None:
        """Leave the flow for good."""
        self._name, self.deadline = None, None

    def postpone(self, seconds: float) -> None:
        """Time stood still for so long."""
        if self.deadline is not None:
            self.deadline += seconds

    def receive(self, event: Event, now: float) -> list[Action]:
        """What the flow does next. Events that the step in hand does not wait for change nothing."""
        self._note(event)
        match event:
            case CallArrived():
                return self._timed(self._go(self._flow.start), now)
            case HungUp():
                self.stop()
        if self._name is None:
            return []
        if self._asked and isinstance(event, RuleConcluded):
            return self._timed(self._checked(event.outcome, self._asked, now), now)
        return self._timed(self._at_step(event, now), now)

    def _note(self, event: Event) -> None:
        if isinstance(event, LineHeard):
            self._sounding = event.heard is Heard.SOUND
        self._told |= isinstance(event, PromptFinished)
        self._alone &= not (self._sounding or is_sign_of_life(event))

    def _at_step(self, event: Event, now: float) -> list[Action]:
        match self._step:
            case GreetStep() as step:
                return self._greeting(step, event, now)
            case SayStep(say=prompt, next=to):
                if event == PromptStarted(prompt):
                    self.deadline = None
                return self._go(to) if event == PromptFinished(prompt) else []
            case MenuStep() as step:
                return self._menu(step, event, now)
            case SeatStep() as step:
                return self._seat(step, event)
            case TakeNumberStep() as step:
                return self._number(step, event)
            case MessageStep(next=to):
                return self._go(to) if event == RuleConcluded(Outcome.MESSAGE_OVER) else []
            case CloseStep(more=to):
                return self._go(to) if event == RuleConcluded(Outcome.HELP_WANTED) else []

    def tick(self, now: float) -> list[Action]:
        if self.deadline is None or now < self.deadline:
            return []
        self.deadline = None
        match self._step:
            case GreetStep(next=to):
                return self._timed(self._go(to), now)
            case MenuStep() as step:
                return self._timed(self._say_menu_again(step), now)
            case SayStep(say=prompt, next=to):
                overdue = Note("prompt.overdue", None, {"prompt": prompt})
                return [overdue, *self._timed(self._go(to), now)]
        raise CallflowError(f"the step {self._name!r} has no deadline")

    def _timed(self, actions: list[Action], now: float) -> list[Action]:
        """A step that says something has a latest end: the plane may never tell that it was heard."""
        if self._lengths is None or self._name is None or self.deadline is not None:
            return actions
        if isinstance(self._step, SayStep):
            self.deadline = now + self._lengths.get(self._step.say, LONGEST) + MARGIN
        return actions

    @property
    def _step(self) -> Step:
        assert self._name is not None
        return self._flow.steps[self._name]

    def _go(self, name: str) -> list[Action]:
        self._name, self.deadline = name, None
        self._told, self._alone, self._asked, self._hears_out = False, not self._sounding, None, False
        match self._step:
            case GreetStep():
                return [Greet()]
            case SayStep(say=prompt):
                return [Say(prompt)]
            case CloseStep():
                return [Close()]
            case SeatStep(queue=queue, answer=answer, matter=matter):
                return [FindSeat(queue, unanswered=answer == "with_seat", matter=matter)]
            case TakeNumberStep() as step:
                return [TakeNumber(step.asks, step.read_back, step.thanks, step.rule)]
            case MessageStep() as step:
                return [TakeMessage(step.say, step.taken, step.not_taken, step.at_most)]
            case MenuStep(say=prompt, keys=keys):
                key, self._key_ahead = self._key_ahead, None
                if key in keys:
                    return self._go(keys[key])
                self._said = 1
                return [Say(prompt)]

    def _greeting(self, step: GreetStep, event: Event, now: float) -> list[Action]:
        match event:
            case DigitPressed(digit=digit):
                # Who knows the menu need not hear it first.
                self._key_ahead = digit
                return self._go(step.next)
            case RuleConcluded(outcome=Outcome.GREETED):
                self._greeted = True
            case RuleConcluded(outcome=Outcome.ALIVE):
                self._alive = True
            case LineHeard():
                pass
            case _:
                return []
        if not (self._greeted and self._alive):
            return []
        if not self._sounding:
            return self._go(step.next)
        # The caller is speaking: hear it out before going on.
        self.deadline = self.deadline or now + _HEAR_OUT
        return []

    def _seat(self, step: SeatStep, event: Event) -> list[Action]:
        match event:
            case NobodyThere():
                return self._go(step.nobody)
            case RuleConcluded(outcome=Outcome.CALLBACK_WANTED):
                return self._go(step.callback or step.next)
            case RuleConcluded(outcome=Outcome.MESSAGE_WANTED):
                return self._go(step.message or step.next)
            case RuleConcluded(outcome=Outcome.ATTENDANT_WANTED):
                return self._go(step.attendant or step.next)
            case RuleConcluded(outcome=Outcome.CLOSING_WANTED | Outcome.TOO_OFTEN):
                return self._go(step.next)
        return []

    def _number(self, step: TakeNumberStep, event: Event) -> list[Action]:
        match event:
            case RuleConcluded(outcome=Outcome.NUMBER_TAKEN):
                return self._go(step.next)
            case RuleConcluded(outcome=Outcome.NUMBER_NOT_TAKEN):
                return self._unanswered(step.otherwise)
        return []

    def _menu(self, step: MenuStep, event: Event, now: float) -> list[Action]:
        match event:
            case DigitPressed(digit=digit) if digit in step.keys:
                return self._go(step.keys[digit])
            case DigitPressed():
                self._asked = None
                return self._wrong_key(step)
            case LineHeard(heard=Heard.SILENCE) if self._hears_out:
                self.deadline = now
            case PromptFinished(prompt=prompt) if prompt == step.say:
                self.deadline = now + step.within
            case PromptFinished(prompt=prompt) if prompt == step.otherwise.say:
                return self._say_menu_again(step)
        return []

    def _wrong_key(self, step: MenuStep) -> list[Action]:
        self.deadline = None
        if self._said >= step.otherwise.times:
            return self._go(step.otherwise.then)
        return [Say(step.otherwise.say)]

    def _say_menu_again(self, step: MenuStep) -> list[Action]:
        if self._said >= step.otherwise.times:
            return self._unanswered(step.otherwise.then)
        self._said += 1
        self._hears_out = False
        return [Say(step.say)]

    # --- nobody has answered ---

    def _unanswered(self, to: str) -> list[Action]:
        """Go on to `to`; but who has not been heard at all since the step began may not be there any more."""
        if not (self._told and self._alone):
            return self._go(to)
        self._asked = to
        return [CheckLine()]

    def _checked(self, outcome: Outcome, to: str, now: float) -> list[Action]:
        """Whoever is there after all has the menu once more, when it has been heard out."""
        self._asked = None
        if outcome is not Outcome.ALIVE or not isinstance(self._step, MenuStep):
            return self._go(to)
        self._said, self._hears_out = self._step.otherwise.times - 1, self._sounding
        self.deadline = now + (_HEAR_OUT if self._sounding else 0.0)
        return []


def is_sign_of_life(event: Event) -> bool:
    """Whether it tells that somebody is there."""
    match event:
        case DigitPressed() | LineHeard(heard=Heard.SOUND):
            return True
        case LineJudged(state=LineState.SPEECH | LineState.FAINT | LineState.NOISY):
            return True
    return False
