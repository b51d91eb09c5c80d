"""How long a configuration with a long flow takes to read, and whether that grows with its length."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from callflow import config
from tests.bench.stopwatch import Figure, beside, cpu
from tests.pure.test_growth import flow

STEPS = (1000, 2000)


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "callflow.yaml"
        path.write_text("callflow-config: 1\nflow: flow.yaml\n", encoding="utf-8")

        def read() -> int:
            config.read(path)
            return 1

        measured = []
        for steps in STEPS:
            (path.parent / "flow.yaml").write_text(flow(steps), encoding="utf-8")
            measured.append(cpu(f"a flow of {steps} steps, read and proved", read, "ms", 1e3))
    short, long = measured
    yield from (short, beside(long, short))
