"""The command line: what it says, in words and in JSON, and its exit status 0, 1 or 2."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from callflow import __version__, resources
from callflow.cli import main
from callflow.demo.scenarios import DEMOS
from callflow.etiquette.house import CARRIED

pytestmark = pytest.mark.pure

COMMANDS = ["check", "demo", "phone", "prompts", "rules", "run", "simulate"]

FLOW = (resources.FLOWS / "hotline.yaml").read_text(encoding="utf-8")
OWN_HOUSE = "callflow-house: 1\nname: own\ntitle: 我们的规矩\nextends: csr-standard\n"
GOOD = {
    "config.yaml": "callflow-config: 1\nfields: {seat: '17'}\n",
    "flow.yaml": FLOW,
    "house.yaml": OWN_HOUSE + "rules: {csr-36: off}\n",
}
SAID = {
    "config.yaml": "configuration: flow hotline, house csr-standard, 16 prompts",
    "flow.yaml": "flow hotline: 5 steps under house csr-standard",
    "house.yaml": "house own, without csr-36, observing csr-06, csr-07",
}


def callflow(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def objects(result: Result) -> list[dict[str, Any]]:
    """Standard output as JSON, one object a line."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_help_names_every_command_and_each_has_help_of_its_own() -> None:
    said = callflow("--help")
    assert said.exit_code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in said.stdout
        own = callflow(command, "--help")
        assert (own.exit_code, own.stderr) == (0, "")
        assert own.stdout.startswith(f"Usage: main {command} ")
    assert callflow("-h").stdout == said.stdout
    assert callflow("--version").stdout == f"callflow, version {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["chek"],
        ["check"],
        ["check", "--jason", "x.yaml"],
        ["simulate", "loud-line"],
        ["simulate", "silent-line", "more"],
        ["rules", "--house", "csr-standart"],
        ["prompts", "build", "no_such_prompt"],
        ["run", "a.yaml", "b.yaml"],
    ],
)
def test_wrongly_called_is_status_2_and_nothing_is_done(words: list[str]) -> None:
    result = callflow(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: " in result.stderr


# --- check -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
def test_check_finds_a_good_file_good(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, GOOD[name])
    assert callflow("check", path).stdout == f"good {path}: {SAID[name]}\n"
    result = callflow("check", "--json", path)
    assert (result.exit_code, objects(result)) == (0, [{"file": str(path), "good": SAID[name]}])


def test_check_finds_all_that_ships_good() -> None:
    shipped = [
        *resources.FLOWS.glob("*.yaml"),
        *resources.HOUSES.glob("*.yaml"),
        resources.PROMPTS / "prompts.yaml",
        resources.CALLERS / "prompts.yaml",
    ]
    result = callflow("check", *shipped)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("good ") == len(shipped) >= 4


HOUSE_OF_OURS = "callflow-house: 1\nname: gas-hotline\ntitle: 我们的规矩\nextends: gas-hotline\n"


def test_check_says_where_a_house_stands_in_the_place_of_ours(tmp_path: Path) -> None:
    house = write(tmp_path, "mine.yaml", HOUSE_OF_OURS)
    flow = write(tmp_path, "flow.yaml", FLOW.replace("csr-standard", "gas-hotline"))
    told = callflow("check", house, flow).stdout
    assert told.count("gas-hotline (that of mine.yaml, in place of ours)") == 2


def test_check_tells_two_houses_that_a_flow_may_mean(tmp_path: Path) -> None:
    for name in ("mine.yaml", "yours.yaml"):
        write(tmp_path, name, HOUSE_OF_OURS.replace("name: gas-hotline", "name: mine"))
    flow = write(tmp_path, "flow.yaml", FLOW.replace("csr-standard", "mine"))
    result = callflow("check", flow)
    assert result.exit_code == 1
    assert [line.rpartition("/")[2] for line in result.stderr.splitlines()] == [
        "mine.yaml:2:7: yours.yaml is a house of this name too; rename or remove one",
        "yours.yaml:2:7: mine.yaml is a house of this name too; rename or remove one",
    ]


def test_check_says_what_recordings_a_flow_alone_wants(tmp_path: Path) -> None:
    flow = write(tmp_path, "flow.yaml", FLOW.replace("say: opening_hours", "say: own_words"))
    result = callflow("check", flow)
    assert result.exit_code == 0
    assert "; its configuration must have recordings of own_words" in result.stdout
    # A configuration beside it has them, or is what is wrong.
    write(tmp_path, "config.yaml", "callflow-config: 1\nprompts: {overlays: [nowhere]}\n")
    assert callflow("check", flow).stdout == result.stdout


def test_check_tells_a_prompt_of_ours_that_a_flow_alone_misspells(tmp_path: Path) -> None:
    flow = write(tmp_path, "flow.yaml", FLOW.replace("say: opening_hours", "say: opening_huors"))
    result = callflow("check", flow)
    assert result.exit_code == 1
    told = "the prompt 'opening_huors' has no audio; did you mean 'opening_hours'?"
    assert told in result.stderr


def test_check_takes_recordings_of_a_configuration_beside_a_house(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    sound = (resources.PROMPTS / "seat_ready.wav").read_bytes()
    (own / "a.wav").write_bytes(sound)
    made = f"{{text: 请稍等, file: a.wav, sha256: {hashlib.sha256(sound).hexdigest()}}}"
    write(
        own,
        "prompts.yaml",
        f"callflow-prompts: 1\nlocale: zh-CN\nvoice: x\nprompts: {{one_moment: {made}}}\n",
    )
    house = write(tmp_path, "mine.yaml", HOUSE_OF_OURS + "neutral: one_moment\n")
    assert callflow("check", house).exit_code == 1
    write(tmp_path, "config.yaml", "callflow-config: 1\nprompts: {overlays: [own]}\n")
    assert callflow("check", house).exit_code == 0


@pytest.mark.parametrize(
    ("name", "text", "place", "what"),
    [
        ("config.yaml", "callflow-config: 1\nsip: {listen: here}\n", (2, 15),
         "'here' is not HOST:PORT, as 127.0.0.1:5060"),
        ("flow.yaml", FLOW.replace("start: greet", "start: gret"), (9, 8),
         "there is no step 'gret'; did you mean 'greet'?"),
        ("flow.yaml", FLOW.replace("house: csr-standard", "house: csr"), (6, 8),
         "there is no house 'csr'; known are csr-standard, gas-hotline, handset-hotline, logistics, "
            "service-course"),
        ("house.yaml", OWN_HOUSE + "closing: {pause: 5}\n", (5, 18),
         "5 is not a duration; write it with its unit, as 5s, 300ms or 2m; "
         "more than 0s and at most 1m is right here"),
        ("prompts.yaml", "callflow-prompts: 1\nlocale: zh-CN\nvoice: own\nprompts: {hi: {text: 您好}}",
         (4, 15), "hi has no file yet; `callflow prompts build` makes one"),
        ("other.yaml", "version: 3\n", (1, 1),
         "what is this? a file of ours says one of"
         " `callflow-config: 1`, `callflow: 1`, `callflow-house: 1`, `callflow-prompts: 1`"),
        ("list.yaml", "- callflow\n", (1, 1),
         "what is this? a file of ours says one of"
         " `callflow-config: 1`, `callflow: 1`, `callflow-house: 1`, `callflow-prompts: 1`"),
        ("broken.yaml", "callflow: 1\nname: 'x\n", (2, 7),
         "the quotation mark that opens here is not closed"),
        ("[old].yaml", "", (1, 1), "the file is empty"),
    ],
)  # fmt: skip
def test_check_tells_what_is_wrong_and_where(
    tmp_path: Path, name: str, text: str, place: tuple[int, int], what: str
) -> None:
    path = write(tmp_path, name, text)
    line, column = place
    plain = callflow("check", path)
    assert (plain.exit_code, plain.stdout) == (1, "")
    assert plain.stderr == f"{path}:{line}:{column}: {what}\n"
    told = callflow("check", "--json", path)
    assert (told.exit_code, told.stderr) == (1, "")
    assert objects(told) == [{"file": str(path), "line": line, "column": column, "what": what}]


def test_check_goes_through_all_files_and_fails_if_one_is_wrong(tmp_path: Path) -> None:
    good, odd = write(tmp_path, "house.yaml", GOOD["house.yaml"]), write(tmp_path, "[b].yaml", OWN_HOUSE)
    missing = tmp_path / "missing.yaml"
    result = callflow("check", missing, good, odd)
    assert result.exit_code == 1
    assert (
        result.stdout
        == f"good {good}: {SAID['house.yaml']}\ngood {odd}: house own, observing csr-06, csr-07\n"
    )
    assert result.stderr == f"{missing}:1:1: cannot be read: No such file or directory\n"


@pytest.mark.parametrize("words", [["check"], ["run"], ["simulate", "--config"], ["simulate", "--flow"]])
def test_a_file_that_may_not_be_read_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    path = write(tmp_path, "own.yaml", "callflow-config: 1\n")
    reads = Path.read_text

    def refuses(file: Path, **how: Any) -> str:
        if file == path:
            raise PermissionError(13, "Permission denied", str(path))
        return reads(file, **how)

    # The tests may be root, whom nothing is refused.
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(Path, "read_text", refuses)
    result = callflow(*words, path)
    assert (result.exit_code, result.stderr) == (1, f"{path}:1:1: cannot be read: Permission denied\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [("one\ntwo\n", "has 2 lines"), ("\n", "the password is empty"), (None, "cannot be read")],
)
def test_the_phones_password_file_is_read_as_those_of_a_configuration(
    tmp_path: Path, text: str | None, why: str
) -> None:
    secret = tmp_path / "secret"
    if text is not None:
        secret.write_text(text)
    result = callflow("phone", "--password-file", secret, "8001")
    assert result.exit_code == 2
    assert why in " ".join(result.stderr.replace("│", "").split())


# --- rules -----------------------------------------------------------------------------------------


def test_rules_are_those_of_the_documents() -> None:
    listed = objects(callflow("rules", "--json"))
    assert len(listed) == len({rule["id"] for rule in listed}) == 149
    assert {rule["id"] for rule in objects(callflow("rules", "--house", "gas-hotline", "--json"))} == {
        rule["id"] for rule in listed if rule["house"] == "gas-hotline"
    }
    assert "149 rules" in callflow("rules").stdout


def test_rules_carried_are_those_that_a_machine_carries() -> None:
    carried = {rule["id"]: rule["carried"] for rule in objects(callflow("rules", "--carried", "--json"))}
    assert list(carried) == [rule for rule in carried if rule in CARRIED]
    assert set(carried) == set(CARRIED)
    assert carried["csr-04"] == "etiquette.silent_line, etiquette.seats_check"
    assert carried["csr-36"] == "etiquette.closing, etiquette.parting, etiquette.seat_closing"
    assert carried["gas-10"] == "etiquette.hold"


# --- simulate --------------------------------------------------------------------------------------


@pytest.mark.parametrize("demo", DEMOS)
def test_simulate_keeps_every_prescribed_time_exactly(demo: str) -> None:
    result = callflow("simulate", demo, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    told = objects(result)
    results = [each for each in told if "measures" in each]
    assert [each["scenario"] for each in results] == [scenario.name for scenario in DEMOS[demo]]
    for each in results:
        assert (each["good"], each["faults"], each["recording"]) == (True, [], None)
        for measure in each["measures"]:
            assert measure["good"]
            assert measure["caller"] is None
            wanted = 0.0 if measure["at_most"] else measure["prescribed"]
            assert measure["ledger"] == wanted
    facts = [each for each in told if "fact" in each]
    assert len(facts) + len(results) == len(told)
    assert sum(fact["fact"] == "call.ended" for fact in facts) == len(results)


def test_simulate_measures_what_the_rules_prescribe() -> None:
    def measures(demo: str) -> list[tuple[str, str, str, float]]:
        last = objects(callflow("simulate", demo, "--json"))[-1]
        return [(each["rule"], each["from"], each["to"], each["prescribed"]) for each in last["measures"]]

    assert measures("silent-line") == [
        ("csr-01", "arrival", "answer", 3.0),
        ("csr-04", "greeting", "greeting_again", 5.0),
        ("csr-04", "greeting_again", "no_sound", 5.0),
        ("csr-04", "no_sound", "hang_up", 5.0),
    ]
    assert measures("no-hang-up") == [
        ("csr-01", "arrival", "answer", 3.0),
        ("csr-36", "press_1_for_help", "hanging_up", 5.0),
        ("csr-36", "hanging_up", "hang_up", 5.0),
    ]


def test_simulate_for_a_person_tells_the_words_with_their_times() -> None:
    result = callflow("simulate", "silent-line")
    assert result.exit_code == 0
    assert (
        "0.200  greeting 您好，工号八零零幺，很高兴为您服务，请问有什么可以帮助您？ csr-01\n" in result.stdout
    )
    assert "ended by callflow silent_line csr-04\n" in result.stdout
    assert "WRONG" not in result.stdout


def test_simulate_fails_where_the_call_does_not_come_to_its_end(tmp_path: Path) -> None:
    own = GOOD["flow.yaml"].replace("house: csr-standard", "house: own")
    write(tmp_path, "own.yaml", OWN_HOUSE + "rules: {csr-04: off}\n")
    result = callflow("simulate", "silent-line", "--json", "--flow", write(tmp_path, "flow.yaml", own))
    assert result.exit_code == 1
    (wrong,) = [each for each in objects(result) if "measures" in each]
    assert wrong["good"] is False
    assert wrong["faults"] == [
        "csr-04 is off here: what is not enforced is not done",
        "ended by callflow (caller_stayed)",
        "greeting_again was not said to its end, or out of order",
    ]


@pytest.mark.parametrize(("mode", "told"), [("observe", "only observed"), ("off", "off")])
def test_simulate_of_a_configuration_plays_what_is_in_force_there(
    tmp_path: Path, mode: str, told: str
) -> None:
    """csr-06 and its like are only observed unless somebody asks for them: `run` would not end the call."""
    own = write(
        tmp_path,
        "own.yaml",
        f"callflow-config: 1\nmanners: {{default: enforce, rules: {{csr-06: {mode}}}}}\n",
    )
    result = callflow("simulate", "quiet-line", "--json", "--config", own)
    (wrong,) = [each for each in objects(result) if "measures" in each]
    assert (result.exit_code, wrong["good"]) == (1, False)
    assert wrong["faults"][0] == f"csr-06 is {told} here: what is not enforced is not done"
    said = [fact["prompt"] for fact in objects(result) if fact.get("fact") == "prompt.started"]
    assert "too_quiet" not in said
    enforced = write(
        tmp_path, "force.yaml", "callflow-config: 1\nmanners: {default: enforce, rules: {csr-06: enforce}}\n"
    )
    assert callflow("simulate", "quiet-line", "--config", enforced).exit_code == 0


def test_simulate_of_what_is_wrong_tells_where(tmp_path: Path) -> None:
    flow = write(tmp_path, "flow.yaml", FLOW.replace("say: main_menu", "say: main_menus"))
    result = callflow("simulate", "--flow", flow)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{flow}:17:10: the prompt 'main_menus' has no audio; did you mean 'main_menu'?\n"
    own = write(tmp_path, "config.yaml", "callflow-config: 1\nfields: {}\n")
    told = callflow("simulate", "--json", "--config", own)
    assert (told.exit_code, objects(told)[0]["line"]) == (1, 2)


def test_check_prints_notes_to_standard_error(tmp_path: Path) -> None:
    accounts = "sip: {accounts: {desk: {password: x}}}\n"
    text = f'callflow-config: 1\n{accounts}seats:\n  at: {{"8001": {{phone: desk}}}}\n'
    path = write(tmp_path, "config.yaml", text)
    for option in ((), ("--json",)):
        result = callflow("check", *option, path)
        assert result.exit_code == 0
        assert f"{path}:4:8: note: the page of seat 8001 stays closed" in result.stderr
        assert "note:" not in result.stdout
