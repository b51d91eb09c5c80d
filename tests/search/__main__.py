"""`make search`: a hundred thousand broken YAML files; minutes, so never a test."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.search.yaml_files import search


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.search", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many files to break")
    parser.add_argument("--seed", type=int, default=1, help="begins another series of files")
    parser.add_argument("--most", type=int, default=20, help="stop after so many that are read wrongly")
    asked = parser.parse_args()
    console, found = Console(highlight=False), 0
    with tempfile.TemporaryDirectory() as folder:
        for wrong in search(asked.count, Path(folder), asked.seed):
            console.print(wrong, markup=False)
            found += 1
            if found >= asked.most:
                break
    console.print(f"{asked.count} broken files, seed {asked.seed}: {found or 'none'} read wrongly")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
