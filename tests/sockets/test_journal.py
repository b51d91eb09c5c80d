"""The journal's file: what is read back after the program has gone."""

import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callflow.adapters.journal import JournalFile, read
from callflow.adapters.journal_lines import Change, load
from callflow.call.journal import CallEntry, CutOff, FactEntry, Journalled
from callflow.call.lasting import BindingEntry, Registered, SeatEntry
from tests.support.small_disk import fill, small_disk

pytestmark = pytest.mark.sockets


def entry(call: str, step: str = "greet") -> CallEntry:
    return CallEntry(call, "hotline", step, None, (), 900.0, ())


def written(path: Path, *changes: Change) -> None:
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


REGISTERED = Registered(
    "p8001", (BindingEntry("<sip:p8001@127.0.0.1:5070>", ("127.0.0.1", 5070, "UDP"), 1.8e9, "reg", 3),)
)
SITS = SeatEntry("8001", "p8001", "desk", "away", "午休", 1.7e9, None)


def test_registrations_and_seats_are_read_back_and_the_last_line_of_each_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    left = replace(SITS, seat="8002", phone=None, state="offline")
    nowhere = Registered("p8002", ())
    first = replace(REGISTERED, bindings=()), replace(left, state="ready")
    written(path, *first, REGISTERED, SITS, left, replace(REGISTERED, user="p8002"), nowhere)
    for _ in range(2):
        # What the next life does not change stands in its journal as well.
        earlier = load(path)
        assert earlier.registered == {"p8001": REGISTERED}
        assert earlier.seats == {"8001": SITS, "8002": left}
        assert earlier.spoilt == []
        written(path)


def test_a_harmed_line_is_told_and_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path, Journalled("a", entry("a")), REGISTERED)
    with path.open("a") as file:
        file.write('{"sits": {"seat": "8001"}}\n\0\0\0\n{"call": "b", "flow"')
    with capture_logs() as told:
        written(path)
    assert [(line["event"], line["lines"]) for line in told] == [("journal.spoilt", 2)]
    aside = tmp_path / "journal.spoilt"
    assert aside.read_text().splitlines() == ['{"sits": {"seat": "8001"}}', '{"call": "b", "flow"']
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert read(path) == {"a": entry("a")}
    assert load(path).spoilt == []


@pytest.mark.parametrize(
    "harm",
    [b"", b"\0" * 4096, b'{"ca', b'\0\0{"call":"b","fl\xff', b'{"sits":{"seat":"8001"}}\n{"over": "\n{"ke'],
)
def test_no_harm_to_a_journal_keeps_the_service_from_starting(tmp_path: Path, harm: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(harm)
    written(path, REGISTERED)
    assert load(path).registered == {"p8001": REGISTERED}


@pytest.mark.parametrize("name", ["journal", "journal.new"])
@pytest.mark.parametrize(
    "text", [b"\xff\xfe\x00garbage" * 99, b'[]\n7\nnull\n"x"\n', b"opensesame", b"[" * 9999]
)
def test_a_file_that_is_no_journal_is_left_as_it_is(tmp_path: Path, name: str, text: bytes) -> None:
    (tmp_path / name).write_bytes(text)
    with pytest.raises(FileExistsError, match="is no journal"):
        JournalFile(tmp_path / "journal")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {name: text}


def test_the_consents_of_a_call_that_was_cut_off_stay(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path, Journalled("a", entry("a")), CONSENT)
    written(path, CutOff("a"))
    written(path)
    grown = [Journalled("b", entry("b", str(n))) for n in range(3000)]
    written(path, *grown, Journalled("b", None))
    assert read(path) == {}
    assert load(path).kept == {"a": [CONSENT]}


def test_a_full_disk_costs_lines_and_what_they_said_is_written_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk / "journal"
        journal = JournalFile(path)
        kept: list[FactEntry] = []
        journal.on_kept = kept.append
        journal.write(Journalled("a", entry("a")))
        wait(lambda: read(path) == {"a": entry("a")})
        filler = fill(disk)
        for number in range(40):
            journal.write(Journalled("b", entry("b", f"{number}" * 200)))
        journal.write(CONSENT)
        wait(lambda: journal.lost > 0)
        assert kept == []
        filler.unlink()
        lost = journal.lost

        def is_mended() -> bool:
            journal.write(REGISTERED)
            return load(path).calls.get("b") == entry("b", "39" * 200)

        wait(is_mended)
        assert journal.lost == lost
        journal.close()
        earlier = load(path)
        assert (earlier.registered, earlier.spoilt) == ({"p8001": REGISTERED}, [])
        assert earlier.kept == {"a": [CONSENT]}


def test_a_disk_that_is_full_at_the_start_keeps_no_service_from_starting(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        written(disk / "journal", REGISTERED)
        filler = fill(disk)
        with capture_logs() as told:
            journal = JournalFile(disk / "journal")
        assert [line["event"] for line in told] == ["journal.failed"]
        assert journal.earlier.registered == {"p8001": REGISTERED}
        filler.unlink()
        journal.write(SITS)
        journal.close()
        assert (load(disk / "journal").seats, journal.lost) == ({"8001": SITS}, 0)


def wait(done: Callable[[], bool]) -> None:
    for _ in range(500):
        if done():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it never came true")
