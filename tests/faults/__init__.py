"""Faults with real calls up: see `office` for how to write another."""

import pytest

pytest.register_assert_rewrite("tests.faults.office")
