"""How often the ears were right, by condition, with the bounds that so many trials allow."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Final

from callflow.events import LineState
from tests.hearing.trial import Outcome

_Z: Final = 1.96
"""Of 95 %."""


@dataclass(frozen=True, slots=True)
class Score:
    """Of `trials`, so many `hits`."""

    what: str
    hits: int
    trials: int
    wanted: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """95 % (Wilson; for none or all of them the rule of three)."""
        if not self.trials:
            return 0.0, 1.0
        three = min(3 / self.trials, 1.0)
        if self.hits in (0, self.trials):
            return (0.0, three) if self.hits == 0 else (1 - three, 1.0)
        share, n = self.hits / self.trials, self.trials
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n))
        return middle - half, middle + half


def must_live(outcome: Outcome) -> bool:
    """A person whom everybody on the line would hear: at 5 dB above the noise and -40 dBFS, or better."""
    episode = outcome.episode
    return episode.lives and episode.snr >= 5 and episode.level >= -40 and outcome.rendered.came


def is_noisy(outcome: Outcome) -> bool:
    return _is_drowned(outcome) and outcome.episode.noise != "buzz"


def is_buzzing(outcome: Outcome) -> bool:
    """In a buzz at 217 Hz, as periodic as a monotonous voice: known for a limit of the ears."""
    return _is_drowned(outcome) and outcome.episode.noise == "buzz"


def _is_drowned(outcome: Outcome) -> bool:
    return outcome.episode.kind == "talk" and outcome.episode.snr <= 0


def is_faint(outcome: Outcome) -> bool:
    episode = outcome.episode
    return episode.kind == "talk" and not episode.noise and episode.level <= -45


def is_clean(outcome: Outcome) -> bool:
    return outcome.episode.lives and not outcome.episode.noise and outcome.episode.level >= -40


def slandered(outcome: Outcome) -> bool:
    """A clear voice that was once called noisy or faint."""
    return any(state in (LineState.NOISY, LineState.FAINT) for _, state in outcome.states)


def main_scores(outcomes: list[Outcome]) -> Iterator[Score]:
    """What the ears are held to."""
    yield _score("callers at 5 dB and -40 dBFS or better hung up on", outcomes, must_live, _ended, "0")
    yield _score("  the same by the ears alone", outcomes, must_live, _unheard)
    yield _score("  the same without the detector (strict)", outcomes, must_live, _ended_strictly, "0")
    yield _score("dead lines recognised in time", outcomes, _is_dead, _ended, "99.5 %")
    yield _score("  the same by the ears alone", outcomes, _is_dead, _unheard)
    yield _score("  the same without the detector (strict)", outcomes, _is_dead, _ended_strictly)
    noisy, faint = (_called(state) for state in (LineState.NOISY, LineState.FAINT))
    yield _score("speech at 0 dB or worse called noisy", outcomes, is_noisy, noisy, "95 %")
    yield _score("  the same beside a mobile phone that buzzes", outcomes, is_buzzing, noisy)
    yield _score("speech at -45 to -52 dBFS called faint", outcomes, is_faint, faint, "95 %")
    yield _score("clean speech called noisy or faint", outcomes, is_clean, slandered, "0.5 % at most")


def by_condition(outcomes: Iterable[Outcome]) -> Iterator[Score]:
    """Of each kind of line: how many calls were ended."""
    ended, trials = Counter[str](), Counter[str]()
    for outcome in outcomes:
        trials[outcome.episode.condition] += 1
        ended[outcome.episode.condition] += outcome.ended
    for condition in sorted(trials):
        yield Score(condition, ended[condition], trials[condition])


def confusion(outcomes: Iterable[Outcome]) -> dict[str, Counter[str]]:
    """Of each kind of line, what it was called at the end of the first pause in which somebody spoke."""
    called: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        episode = outcome.episode
        if episode.kind == "word":
            continue
        if episode.kind == "talk":
            kind = f"in {episode.noise} at {episode.snr:.0f} dB" if episode.noise else "clean"
            kind = "faint" if is_faint(outcome) else kind
            called[f"talk {kind}"][outcome.state_when_spoken] += 1
        else:
            called[episode.kind][outcome.state_at(outcome.rendered.pauses[0][1] - 1)] += 1
    return called


def _score(
    what: str,
    outcomes: Iterable[Outcome],
    counts: Callable[[Outcome], bool],
    hit: Callable[[Outcome], bool],
    wanted: str = "",
) -> Score:
    chosen = [outcome for outcome in outcomes if counts(outcome)]
    return Score(what, sum(map(hit, chosen)), len(chosen), wanted)


def _is_dead(outcome: Outcome) -> bool:
    return not outcome.episode.lives


def _ended(outcome: Outcome) -> bool:
    return outcome.ended


def _ended_strictly(outcome: Outcome) -> bool:
    return outcome.ended_without_detector


def _unheard(outcome: Outcome) -> bool:
    return outcome.sound_at is None


def _called(state: LineState) -> Callable[[Outcome], bool]:
    def called(outcome: Outcome) -> bool:
        return outcome.state_when_spoken is state

    return called
