"""Two thousand broken YAML files of every kind crash nothing, and each is told in words of ours."""

from pathlib import Path

import pytest

from tests.search.yaml_files import Base, bases, judged, search

pytestmark = pytest.mark.pure

COUNT, PARTS = 2000, 8


@pytest.mark.parametrize("part", range(PARTS))
def test_broken_files_are_told_what_is_wrong(tmp_path: Path, part: int) -> None:
    assert [*search(COUNT // PARTS, tmp_path, seed=part)] == []


@pytest.mark.parametrize("base", bases(), ids=lambda base: base.name)
def test_the_files_that_are_broken_there_are_told_well_before(tmp_path: Path, base: Base) -> None:
    path = tmp_path / base.name
    path.write_text(base.text, encoding="utf-8")
    assert [*judged(base, path)] == []
