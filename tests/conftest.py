"""What all tests share: their categories, and a house that can be had without one of its rules."""

import os
from collections.abc import Callable, Generator

import pytest

from callflow import config, resources
from callflow.config import Setup
from callflow.etiquette.house import House
from callflow.flow.model import Flow

CATEGORIES = frozenset({"pure", "conversation", "sockets", "interop"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-own-rule",
        action="store_true",
        help="give each test that names a rule a house in which that rule is off",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for marker, variable in (("long", "CALLFLOW_DEMOS"), ("faults", "CALLFLOW_FAULTS")):
        if os.environ.get(variable) != "all":
            long = [item for item in items if item.get_closest_marker(marker)]
            items[:] = [item for item in items if item not in long]
            config.hook.pytest_deselected(items=long)
    lost = {
        item.location[0] for item in items if len(CATEGORIES & {m.name for m in item.iter_markers()}) != 1
    }
    if lost:
        raise pytest.UsageError(f"modules without exactly one of {sorted(CATEGORIES)}: {sorted(lost)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    is_skipped = report.skipped and not hasattr(report, "wasxfail")
    if is_skipped and os.environ.get("CALLFLOW_NO_SKIPS") and not item.get_closest_marker("beside"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report


def taken_away(request: pytest.FixtureRequest, house: House) -> House:
    """The house as the command line wants it for this test."""
    named = request.node.get_closest_marker("rule")
    taken = request.config.getoption("--without-own-rule") and named
    return house.without(named.args[0]) if taken else house


@pytest.fixture
def house(request: pytest.FixtureRequest) -> House:
    """csr-standard."""
    return taken_away(request, resources.read_house(resources.HOUSES / "csr-standard.yaml"))


@pytest.fixture
def house_named(request: pytest.FixtureRequest) -> Callable[[str], House]:
    """A house by its name."""

    def read(name: str) -> House:
        return taken_away(request, resources.read_house(resources.HOUSES / f"{name}.yaml"))

    return read


@pytest.fixture
def hotline() -> Flow:
    flow, _ = config.read_flow(resources.FLOWS / "hotline.yaml")
    return flow


@pytest.fixture
def setup() -> Setup:
    """What runs without a configuration file."""
    return config.default()
