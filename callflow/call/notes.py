"""What the ledger says of each event of a call, in the ledger's words."""

from typing import Final

from callflow.actions import Say
from callflow.call.ledger import Ledger
from callflow.events import (
    CallAnswered,
    CallArrived,
    DigitPressed,
    Event,
    LineHeard,
    LineJudged,
    NobodyThere,
    OfTarget,
    PromptFinished,
    PromptStarted,
    PromptStopped,
    RecallAnswered,
    RecallRinging,
    SeatAnswered,
    SeatDeclined,
    SeatHungUp,
    SeatLost,
    SeatRinging,
    TargetHungUp,
)
from callflow.facts import Detail

_TOLD: Final = ("ahead", "minutes")
"""The values in a prompt that its fact names: what a caller was promised. Others may be personal."""


class Notes:
    """Writes one call's ledger; remembers what a fact must say beside its event."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.queued_at: float | None = None
        """Since when the caller waits for a seat; None where it does not."""
        self.seat = ""
        """The number of the seat that serves the caller, or served last."""
        self._asked_for: dict[str, Say] = {}
        """Prompt → what was last wanted of it."""
        self._wanted_at: dict[str, float] = {}

    def wanted(self, say: Say, now: float) -> None:
        """The words are about to be said."""
        self._asked_for[say.prompt], self._wanted_at[say.prompt] = say, now

    def waited(self, now: float) -> float:
        """For how many seconds the caller has waited for a seat."""
        return 0.0 if self.queued_at is None else now - self.queued_at

    def event(self, event: Event, now: float) -> None:
        """Write what happened; what no ledger need hold is passed over."""
        write = self.ledger.write
        match event:
            case CallArrived(caller=caller, called=called, trunk=trunk):
                by = {"trunk": trunk} if trunk else {}
                write(now, "call.arrived", None, caller=caller, called=called, **by)
            case CallAnswered():
                write(now, "call.answered", "csr-01")
            case PromptStarted() | PromptFinished() | PromptStopped():
                self._prompt(event, now)
            case DigitPressed(digit=digit):
                write(now, "digit.pressed", digit=digit)
            case LineHeard(heard=heard, since=since):
                write(now, "line.heard", heard=heard, since=round(since, 3))
            case LineJudged():
                self._judged(event, now)
            case OfTarget(event=PromptStarted() | PromptFinished() | PromptStopped() as words):
                self._prompt(words, now, "target")
            case OfTarget(event=TargetHungUp()):
                self.ledger.write_of("target", now, "transfer.target_left")
            case _:
                self._seat(event, now)

    def _judged(self, event: LineJudged, now: float) -> None:
        details: dict[str, Detail] = {"state": event.state, "since": round(event.since, 3)}
        for name, decibels in (("level", event.level), ("floor", event.floor)):
            if decibels is not None:
                details[name] = round(decibels, 1)
        self.ledger.write(now, "line.judged", None, **details)

    def _prompt(
        self, event: PromptStarted | PromptFinished | PromptStopped, now: float, leg: str = "caller"
    ) -> None:
        prompt = event.prompt
        wanted = self._asked_for.get(prompt)
        rule = wanted.rule if wanted else None
        match event:
            case PromptStarted():
                waited = round(now - self._wanted_at.get(prompt, now), 4)
                told = (
                    {name: value for name, value in wanted.fields.items() if name in _TOLD} if wanted else {}
                )
                self.ledger.write_of(leg, now, "prompt.started", rule, prompt=prompt, waited=waited, **told)
            case PromptFinished():
                self.ledger.write_of(leg, now, "prompt.finished", rule, prompt=prompt)
            case PromptStopped():
                self.ledger.write_of(leg, now, "prompt.stopped", rule, prompt=prompt)

    def _seat(self, event: Event, now: float) -> None:
        write = self.ledger.write
        match event:
            case SeatRinging(seat=seat):
                write(now, "seat.ringing", seat=seat)
            case SeatDeclined(seat=seat, why=why):
                write(now, "seat.declined" if why == "declined" else "seat.failed", seat=seat, why=why)
            case SeatAnswered(seat=seat):
                self.seat = seat
                write(now, "seat.answered", "csr-01", seat=seat, waited=round(self.waited(now), 3))
            case RecallRinging():
                write(now, "recall.ringing", seat=self.seat)
            case RecallAnswered():
                write(now, "recall.answered", seat=self.seat)
            case NobodyThere(why=why):
                write(now, "queue.left", why=why, waited=round(self.waited(now), 3))
            case SeatHungUp() | SeatLost():
                write(now, "seat.left", seat=self.seat, hung_up=isinstance(event, SeatHungUp))
