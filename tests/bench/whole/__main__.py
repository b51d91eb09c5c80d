"""`make bench-whole`: the product as an admin runs it, beside plain relays; figures to `bench.json`.

python -m tests.bench.whole [--only joined,calls,held,weights] [--levels 50,100] [--asterisk] [--docs]
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tests.bench.whole import asterisk, calls, held, joined, report, rtpengine, weights

RESULTS = Path("bench.json")
DOCS = Path(__file__).parents[3] / "docs"
PARTS = ("joined", "calls", "held", "weights")


async def measure(
    results: report.Results, parts: set[str], levels: tuple[int, ...], folder: Path, *, beside: bool
) -> None:
    """All parts; what has been measured is written after each step. `beside`: Asterisk takes turns."""
    if "joined" in parts:
        for level in levels:
            _tell(f"{level} joined calls")
            results.windows += await joined.measure(level, folder, beside=beside)
            results.write(RESULTS)
    if "calls" in parts:
        for seats, rate in calls.PASSED_ON:
            _tell(f"{rate} calls a second to {seats} seats")
            results.rounds += await calls.passed_on(seats, rate, folder, beside=beside)
            results.write(RESULTS)
        for rate in calls.PROMPTS:
            _tell(f"{rate} calls a second with a prompt")
            results.rounds += await calls.prompted(rate, folder, beside=beside)
            results.write(RESULTS)
    if "held" in parts:
        _tell(f"{held.CALLS} joined calls, {held.HELD} of them held")
        results.held.append(await held.measure(folder))
        results.write(RESULTS)
    if "weights" in parts:
        for _ in range(weights.ROUNDS):
            _tell("starts and memory")
            results.weights += [*weights.starts(folder), *weights.commands(folder)]
        results.weights += await weights.of_calls(folder)


@click.command()
@click.option("--only", default=",".join(PARTS), help="Parts, by commas: joined, calls, held, weights.")
@click.option("--levels", default=",".join(map(str, joined.LEVELS)), help="Joined calls, by commas.")
@click.option("--asterisk", "beside", is_flag=True, help="Asterisk takes turns (`make bench-asterisk`).")
@click.option("--add", is_flag=True, help="Add to the figures that bench.json has.")
@click.option("--docs", is_flag=True, help="Write the tables and pictures into docs/.")
def main(only: str, levels: str, beside: bool, add: bool, docs: bool) -> None:
    """Measure the product whole."""
    if beside and not asterisk.is_here():
        raise click.ClickException(
            f"there is no Asterisk in {asterisk.ROOT}: `make bench-asterisk` puts it there"
        )
    if not rtpengine.is_here():
        _tell("rtpengine is not installed (Debian: rtpengine-daemon): measured without it")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    results = report.Results.read(RESULTS) if add else report.Results(report.machine(commit))
    if beside:
        results.machine["asterisk"] = asterisk.version().removeprefix("Asterisk ")
    with tempfile.TemporaryDirectory() as folder:
        wanted = tuple(int(level) for level in levels.split(","))
        asyncio.run(measure(results, set(only.split(",")), wanted, Path(folder), beside=beside))
    results.write(RESULTS)
    sys.stdout.write(report.tables(results))
    if docs:
        pictures = DOCS / "performance"
        pictures.mkdir(exist_ok=True)
        results.write(pictures / "bench.json")
        report.draw(results, pictures)


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


main()
