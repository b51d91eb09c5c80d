"""The demos are played once, side by side, for all modules that look at them."""

import os
from collections.abc import Iterator

import pytest

from tests.support.demos import Demos, Play

LATE = "tests.support.late_demo"
USUAL = {
    "transfer": Play("transfer"),
    "transfer-first-seat-hangs-up": Play("transfer-first-seat-hangs-up"),
    "hold-by-code": Play("hold-by-code"),
    "hold-refused": Play("hold-refused"),
    "silent-line": Play("silent-line"),
    "late": Play("silent-line", module=LATE),
    "speaks-up": Play("speaks-up"),
    "no-hang-up": Play("no-hang-up"),
}
"""The longest first, so that all are over the sooner."""
LONG = {
    "one-way-trunk": Play("one-way-trunk"),
    "noisy-line-by-seat": Play("noisy-line-by-seat"),
    "silent-gas": Play("silent-line", ("--house", "gas-hotline")),
    "quiet-line": Play("quiet-line"),
    "noisy-line": Play("noisy-line"),
    "quiet-line-speaks-up": Play("quiet-line-speaks-up"),
    "late-seat": Play("seat-hangs-up", module=LATE),
    "hold-seat-vanishes": Play("hold-seat-vanishes"),
    "hold": Play("hold"),
    "gas": Play("hold", ("--house", "gas-hotline")),
    "hold-unanswered": Play("hold-unanswered"),
    "transfer-attended": Play("transfer-attended"),
    "transfer-no-answer": Play("transfer-no-answer"),
    "transfer-declined": Play("transfer-declined"),
    "transfer-caller-says-no": Play("transfer-caller-says-no"),
    "seat-hangs-up": Play("seat-hangs-up"),
}
"""Up to two minutes; played where CALLFLOW_DEMOS=all says that there is time for them."""


@pytest.fixture(scope="session")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demos]:
    """By their names; `late…` are played with a planted delay."""
    plays = {**USUAL, **LONG} if os.environ.get("CALLFLOW_DEMOS") == "all" else USUAL
    demos = Demos(tmp_path_factory.mktemp("demos"), plays)
    yield demos
    demos.close()
