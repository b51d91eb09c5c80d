"""Each carried rule is held by tests that fail without it: shown by taking the rule away and running them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from callflow import resources
from callflow.cli.rules import carriers
from callflow.etiquette.house import CARRIED

pytestmark = pytest.mark.pure

TESTS = Path(__file__).parent.parent
WHERE = ("test_rules.py", "test_transfers.py", "test_transfer_rules.py", "test_line_rules.py")
RULES = [str(TESTS / "conversation" / name) for name in WHERE]


def named_in_tests() -> set[str]:
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        found |= set(re.findall(r'mark\.rule\("([a-z]+-\d+)"\)', path.read_text(encoding="utf-8")))
    return found


def test_every_carried_rule_is_named_by_a_test() -> None:
    assert set(CARRIED) <= named_in_tests()


def test_what_the_machines_say_they_carry_is_what_a_house_can_switch() -> None:
    assert set(carriers()) == set(CARRIED)


def test_every_carried_rule_stands_in_the_table_of_rules() -> None:
    known = {rule["id"] for rule in resources.read_document(resources.RULES).data["rules"]}
    assert set(CARRIED) <= known


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    """By its name, how each test ended whose rule was off."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    quietly = ["-p", "no:cacheprovider", "--no-header", "--tb=no", "-q", "-rA"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *quietly, *RULES, "--without-own-rule"],
        cwd=TESTS.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    ended = re.findall(r"^([A-Z]+) \S+::(\w+)", run.stdout, re.MULTILINE)
    assert ended, run.stdout + run.stderr
    return {name: how for how, name in ended}


@pytest.mark.parametrize("rule", CARRIED)
def test_without_the_rule_its_tests_fail(rule: str, outcomes: dict[str, str]) -> None:
    # All that name the rule fail, none is merely skipped, and they did run.
    own = {name: how for name, how in outcomes.items() if name.startswith(f"test_{rule.replace('-', '_')}_")}
    assert own
    assert set(own.values()) == {"FAILED"}, own
