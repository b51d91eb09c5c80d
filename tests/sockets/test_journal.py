"""The journal's file: what is read back after the program has gone."""

import stat
from pathlib import Path

import pytest

from callflow.adapters.journal import JournalFile, read
from callflow.call.journal import CallEntry, FactEntry, Journalled

pytestmark = pytest.mark.sockets


def entry(call: str, step: str = "greet") -> CallEntry:
    return CallEntry(call, "hotline", step, None, (), 900.0, ())


def written(path: Path, *changes: Journalled | FactEntry) -> None:
    journal = JournalFile(path)
    for change in changes:
        journal.write(change)
    journal.close()
    assert journal.lost == 0


def test_the_last_line_of_each_call_is_what_stands(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert read(path) == {}
    changes = [Journalled(call, entry(call, step)) for call in ("a", "b") for step in ("greet", "menu")]
    written(path, *changes, Journalled("a", None))
    assert read(path) == {"b": entry("b", "menu")}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_was_cut_off_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path, Journalled("a", entry("a")), Journalled("b", entry("b")))
    whole = path.read_text()
    path.write_text(whole[:-20] + "\n3\n[]\n")
    assert read(path) == {"a": entry("a")}


def test_what_stood_is_kept_by_the_next_program(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path, Journalled("a", entry("a")))
    written(path, Journalled("b", entry("b")))
    assert sorted(read(path)) == ["a", "b"]


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path, *(Journalled("a", entry("a", str(n))) for n in range(5000)))
    assert read(path) == {"a": entry("a", "4999")}
    assert len(path.read_text().splitlines()) <= 1001


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        JournalFile(tmp_path / "nowhere" / "journal")


CONSENT = FactEntry("a", 1, 12.5, "consent.given", "csr-23", {"how": "key", "asked": 1})


def test_who_waits_for_a_consent_is_told_when_it_can_be_read_back(tmp_path: Path) -> None:
    path, found = tmp_path / "journal", []
    journal = JournalFile(path)
    journal.on_kept = lambda entry: found.append((entry, path.read_text().splitlines()[-1]))
    journal.write(CONSENT)
    journal.close()
    assert found == [(CONSENT, CONSENT.as_json())]


def test_a_consent_stays_as_long_as_its_call(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    grown = [Journalled("b", entry("b", str(n))) for n in range(3000)]
    written(path, Journalled("a", entry("a")), CONSENT, *grown)
    assert CONSENT.as_json() in path.read_text().splitlines()
    over = tmp_path / "over"
    written(over, Journalled("a", entry("a")), CONSENT, Journalled("a", None), *grown, *grown)
    assert CONSENT.as_json() not in over.read_text().splitlines()


def test_a_disk_that_refuses_tells_nobody_that_it_has_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    found: list[FactEntry] = []
    journal = JournalFile(path)
    journal.on_kept = found.append
    path.unlink()
    path.mkdir()
    journal.write(CONSENT)
    journal.close()
    assert (found, journal.lost) == ([], 1)
