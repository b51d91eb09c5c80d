"""Seats in the configuration: who sits where, who may call whom, and each fault at its place."""

from pathlib import Path

import pytest

from callflow import config
from callflow.config import Setup
from callflow.errors import SourceError

pytestmark = pytest.mark.pure

HEAD = """\
callflow-config: 1
sip:
  accounts: {seat1: {password: one}, seat2: {password: two}, desk: {password: three}}
  trunks: {provider: {at: sip.example.net, domain: example.net}}
seats:
"""


def read(folder: Path, seats: str) -> Setup:
    path = folder / "callflow.yaml"
    path.write_text(HEAD + seats, encoding="utf-8")
    return config.read(path)


def faults(folder: Path, seats: str) -> list[str]:
    with pytest.raises(SourceError) as caught:
        read(folder, seats)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


GOOD = """\
  phones: [desk]
  away_reasons: {1: 午休, "2": 培训}
  calls_out:
    trunks: [provider]
    caller_id: "02112345678"
    allow: ["0[1-9]*", "1[3-9]xxxxxxxxx"]
  at:
    "8001": {phone: seat1, caller_id: "02100000001", away: {forward: "8002", after: 10m}}
    "8002": {password: mine, pin: {password: "2468"}}
    "8003": {phone: seat2, password: sesame}
"""


def test_what_is_said_is_what_holds(tmp_path: Path) -> None:
    setup = read(tmp_path, GOOD)
    people = setup.config.seats
    assert (people.phones, people.away_reasons) == (("desk",), {"1": "午休", "2": "培训"})
    out = people.calls_out.plan(setup.trunks)
    assert ([trunk.name for trunk in out.trunks], out.caller_id) == (["provider"], "02112345678")
    assert out.emergency == ("110", "119", "120", "122")
    first = people.at["8001"].plan("8001")
    assert (first.phone, first.caller_id, first.forward, first.forward_after) == (
        *("seat1", "02100000001", "8002", 600.0),
    )
    second = people.at["8002"].plan("8002", setup.pins["8002"])
    assert (second.phone, second.pin) == (None, "2468")
    assert setup.seat_passwords == {"8002": "mine", "8003": "sesame"}


def test_passwords_and_pins_are_shown_nowhere(tmp_path: Path) -> None:
    shown = repr(read(tmp_path, GOOD))
    assert not any(secret in shown for secret in ("2468", "mine", "sesame"))


def test_the_words_of_service_numbers_are_loaded_where_there_are_seats(tmp_path: Path) -> None:
    assert {"seat_logged_in", "service_refused", "nobody_there"} <= read(tmp_path, GOOD).said
    assert "seat_logged_in" not in config.default().said


def test_supervisors_have_a_queue_and_queues_a_number_and_a_name(tmp_path: Path) -> None:
    setup = read(
        tmp_path,
        """\
  at: {"8001": {phone: seat1}, "8009": {phone: seat2, supervisor: true}}
  queues: {repairs: {number: "90", spoken: 报修}, others: {}}
""",
    )
    plans = {plan.name: plan for plan in setup.config.seats.queue_plans}
    assert [*plans] == ["repairs", "others", "supervisor"]
    assert (plans["repairs"].number, plans["repairs"].spoken) == ("90", "报修")
    assert plans["supervisor"].skills <= setup.config.seats.at["8009"].plan("8009").skills
    asked = {name for name, prompt, _ in setup.recordings if prompt == "may_i_transfer"}
    assert {f"may_i_transfer?target={each}" for each in ("8001", "报修", "主管")} <= asked


def test_what_is_known_of_callers_can_be_said(tmp_path: Path) -> None:
    setup = read(tmp_path, GOOD)
    assert "王" in setup.sayable["surname"]
    names = {name for name, _, _ in setup.recordings}
    assert {f"brief_matter?matter={matter}" for matter in setup.sayable["matter"]} <= names
    assert {"number_is"} <= setup.sayings.read_back


@pytest.mark.parametrize(
    ("seats", "place", "told"),
    [
        (
            '  at: {"8001": {phone: seat1}}\n  queues: {repairs: {number: "8001"}}\n',
            "7:30",
            "8001 is the number of seat 8001 already",
        ),
        ('  queues: {repairs: {number: "0"}}\n', "6:30", "0 is the number of the supervisor on duty already"),
        (
            '  queues: {repairs: {number: "90", spoken: 火箭}}\n  at: {"8001": {phone: seat1}}\n',
            "6:44",
            "is not in 'digits', 'departments'",
        ),
        ("  phones: [dask]\n", "6:12", "there is no account 'dask' under sip.accounts; did you mean 'desk'?"),
        ('  at: {"8001": {phone: seat9}}\n', "6:24", "there is no account 'seat9'"),
        ("  calls_out: {trunks: [provder]}\n", "6:24", "no trunk 'provder' under sip.trunks; did you mean"),
        ('  calls_out: {allow: ["0[1-9"]}\n', "6:23", "is no pattern of digits"),
        ('  calls_out: {allow: ["[9-1]"]}\n', "6:23", "runs backwards"),
        ('  calls_out: {emergency: ["911x"]}\n', "6:27", "is not a number of 2 to 8 digits"),
        ('  calls_out: {caller_id: "anna"}\n', "6:26", "is not a telephone number of 2 to 20 digits"),
        (
            '  calls_out: {allow: ["0*"]}\n',
            "6:15",
            "no call can leave, no emergency call either: no trunk is named here; "
            "add them, as trunks: [provider]",
        ),
        ('  calls_out: {allow: ["0*"], emergency: []}\n', "6:15", "no call can leave: no trunk is named"),
        (
            '  calls_out: {caller_id: "02112345678", emergency: ["112"]}\n',
            "6:41",
            "no call can leave, no emer",
        ),
        ('  calls_out:\n    caller_id: "02112345678"\n', "7:5", "no call can leave, no emergency call"),
        ("  calls_out: {trunks: []}\n", "6:15", "no call can leave, no emergency call either"),
        ("  calls_out: {}\n", "6:3", "no call can leave, no emergency call either"),
        (
            '  queues: {repairs: {number: "110"}}\n  at: {"8001": {phone: seat1}}\n',
            "6:30",
            "110 is an emergency number, and no call could be transferred to that queue",
        ),
        ("  away_reasons: {11: x}\n", "6:18", "is not one digit"),
        ('  at: {"8001": {}}\n', "6:16", "a seat without a phone needs a password"),
        ('  at: {"8001": {password: a, password_env: B}}\n', "6:16", "at most one of password"),
        ('  at: {"8001": {password_env: NOBODY_HAS_THIS}}\n', "6:16", "the environment has no"),
        ('  at: {"8001": {phone: desk, pin: {password: "12a4"}}}\n', "6:35", "a PIN is 1 to 16 digits"),
        ('  at: {"8001": {phone: desk, pin: {}}}\n', "6:35", "one of password, password_file"),
        ('  at: {"8001": {phone: desk}, "8002": {phone: desk}}\n', "6:47", "is the phone of 8001 already"),
        ('  at: {"110": {phone: desk}}\n', "6:8", "110 is an emergency number"),
        ('  at: {"8001": {phone: desk, away: {forward: "8009"}}}\n', "6:46", "there is no seat '8009'"),
        (
            '  at: {"1": {phone: desk, away: {forward: "2"}}, "2": {phone: seat1, away: {forward: "1"}}}\n',
            "6:43",
            "round in a circle: 1 → 2 → 1",
        ),
        ('  at: {"1": {phone: desk, away: {forward: "1"}}}\n', "6:43", "round in a circle: 1 → 1"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, seats: str, place: str, told: str) -> None:
    found = faults(tmp_path, seats)
    assert any(fault.startswith(f"callflow.yaml:{place}:") and told in fault for fault in found), found


def test_without_any_trunk_calls_out_name_where_one_belongs(tmp_path: Path) -> None:
    path = tmp_path / "callflow.yaml"
    path.write_text('callflow-config: 1\nseats:\n  calls_out:\n    emergency: ["110"]\n', encoding="utf-8")
    told = (
        "no call can leave, no emergency call either: there is no trunk; "
        "name one under sip.trunks and here, as trunks: [provider]"
    )
    with pytest.raises(SourceError) as caught:
        config.read(path)
    assert [str(fault) for fault in caught.value.faults] == [f"{path}:4:5: {told}"]


def test_where_nobody_may_call_out_no_trunk_is_wanted(tmp_path: Path) -> None:
    assert read(tmp_path, "  calls_out: {allow: [], emergency: []}\n").config.seats.calls_out.emergency == ()


def test_words_that_cannot_be_said_are_told(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "prompts.yaml").write_text(
        "callflow-prompts: 1\nlocale: zh-CN\nvoice: studio\nprompts: {}\n", encoding="utf-8"
    )
    found = faults(tmp_path, '  at: {"8001": {phone: desk}}\nprompts: {directory: own}\n')
    assert any("what seats dial is answered with 'seat_away', which has no audio" in fault for fault in found)


def test_calls_are_passed_on_so_often_and_no_oftener(tmp_path: Path) -> None:
    def chain(length: int) -> str:
        passing = [
            f'    "{n}": {{password: x, away: {{forward: "{n + 1}"}}}}\n' for n in range(1, length + 1)
        ]
        return f'  at:\n{"".join(passing)}    "{length + 1}": {{phone: desk}}\n'

    assert read(tmp_path, chain(5)).config.seats.at["5"].away is not None
    assert any("5 times at most" in fault for fault in faults(tmp_path, chain(6)))


def test_notes_name_closed_pages_and_shared_passwords(tmp_path: Path) -> None:
    setup = read(tmp_path, GOOD)
    (note,) = setup.notes
    assert (note.line, note.column) == (13, 5)
    assert note.what.startswith("the page of seat 8001 stays closed: a phone's password opens no page")
    setup = read(
        tmp_path, '  at: {"8001": {phone: seat1, password: one}, "8002": {phone: seat2, password: own}}\n'
    )
    assert [note.what for note in setup.notes] == [
        "the password of seat 8001's page is that of its phone; it should be another"
    ]
    assert config.default().notes == ()
