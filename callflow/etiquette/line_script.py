"""What is said on a line on which nobody is made out: one rule's words, each with its pause, then the end."""

from dataclasses import dataclass
from typing import Final

from callflow.etiquette.parameters import SilentLineManners, UnclearLineManners
from callflow.events import Ending, Outcome

_ENDINGS: Final[dict[Outcome, Ending]] = {
    Outcome.SILENT: "silent_line",
    Outcome.FAINT: "faint_line",
    Outcome.NOISY: "noisy_line",
}


@dataclass(frozen=True, slots=True)
class Word:
    prompt: str
    pause: float
    """Seconds for which the line is listened to, from the prompt's end."""
    our_fault: str = ""
    """What is said in its place where it is our side that lets nothing through."""


@dataclass(frozen=True, slots=True)
class Script:
    """One rule's words, in order."""

    rule: str
    words: tuple[Word, ...]
    outcome: Outcome
    """As what the line is released: silent, faint or noisy."""

    @property
    def reason(self) -> Ending:
        """Why the call ends, as the ledger says it."""
        return _ENDINGS[self.outcome]

    @property
    def is_silent(self) -> bool:
        """Whether it is for a line without any sign of life."""
        return self.outcome is Outcome.SILENT

    @classmethod
    def of_silence(cls, manners: SilentLineManners) -> "Script":
        """csr-04, gas-05."""
        *asks, last = manners.prompts
        words = (*(Word(prompt, manners.pause) for prompt in asks),)
        return cls(manners.rule, (*words, Word(last, manners.pause, manners.our_fault)), Outcome.SILENT)

    @classmethod
    def of(cls, manners: UnclearLineManners, outcome: Outcome, our_fault: str = "") -> "Script":
        """csr-06, csr-07, gas-06, log-04."""
        words = (*(Word(prompt, manners.listen) for prompt in manners.asks),)
        return cls(manners.rule, (*words, Word(manners.last, manners.pause, our_fault)), outcome)
