"""A house read from YAML: extended, checked, and every fault at its place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from callflow import document, resources
from callflow.document import Document
from callflow.errors import SourceError
from callflow.etiquette import house_files as houses
from callflow.etiquette.house import CARRIED, House, Mode
from callflow.etiquette.modes import Modes

pytestmark = pytest.mark.pure


def read(text: str, **others: str) -> House:
    def find(name: str) -> Document:
        if name in others:
            return document.parse(others[name], f"{name}.yaml")
        return resources.read_document(resources.HOUSES / f"{name}.yaml")

    return houses.read(document.parse(text, "own.yaml"), find)


def faults(text: str, **others: str) -> list[str]:
    with pytest.raises(SourceError) as caught:
        read(text, **others)
    return [str(fault) for fault in caught.value.faults]


OWN = "callflow-house: 1\nname: own\ntitle: 我们的规矩\nextends: csr-standard\n"


def test_csr_standard_prescribes_five_seconds(house: House) -> None:
    assert house.silent_line.pause == house.closing.pause == 5.0
    assert house.answering.within == 3.0
    assert house.silent_line.prompts == ("greeting_again", "no_sound")


def test_a_house_says_only_what_differs() -> None:
    own = read(OWN + "silent_line: {pause: 8s}\n")
    assert (own.name, own.silent_line.pause, own.closing.pause) == ("own", 8.0, 5.0)
    assert own.silent_line.no_sound == "no_sound"


def test_a_house_switches_a_rule_off() -> None:
    own = read(OWN + "rules: {csr-36: off}\n")
    assert [rule for rule in CARRIED if own.mode(rule) == "off"] == ["csr-36"]
    assert read(OWN).enforces("csr-36")


def test_what_ends_calls_of_the_living_is_only_observed_until_an_admin_says_otherwise(
    house_named: Callable[[str], House],
) -> None:
    for name in resources.house_names():
        house = house_named(name)
        ends = {house.faint_line.rule, house.noisy_line.rule}
        assert {house.mode(rule) for rule in ends} == {"observe"}, name
        assert house.enforces(house.silent_line.rule)


def test_a_house_may_extend_a_house_that_extends() -> None:
    base = OWN.replace("own", "base") + "silent_line: {pause: 8s}\n"
    own = read(OWN.replace("csr-standard", "base") + "closing: {pause: 6s}\n", base=base)
    assert (own.silent_line.pause, own.closing.pause) == (8.0, 6.0)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("silent_line: {pause: 5}\n", "own.yaml:5:22: 5 is not a duration; write it with its unit"),
        (
            "silent_line: {pause: 0s}\n",
            "own.yaml:5:22: '0s' is out of range; more than 0s and at most 1m is right here",
        ),
        ("silent_line: {pauze: 5s}\n", "own.yaml:5:15: unknown key 'pauze'"),
        ("rules: {csr-4: off}\n", "own.yaml:5:9: 'csr-4' is not carried; did you mean 'csr-04'?"),
        ("rules: {csr-03: off}\n", "own.yaml:5:9: 'csr-03' is not carried; none of the 37 known ones"),
        ("rules: {scr-04: off}\n", "own.yaml:5:9: 'scr-04' is not carried; did you mean 'csr-04'?"),
        ("rules: {crs4: off}\n", "own.yaml:5:9: 'crs4' is not carried; did you mean 'crs-04'?"),
        ("rules: {CSR-004: off}\n", "own.yaml:5:9: 'CSR-004' is not carried; did you mean 'csr-04'?"),
        ("rules: {csr-04: on}\n", "own.yaml:5:17: 'on' is not known here; known are enforce, observe, off"),
        ("answering: {ring_for: 4s}\n", "own.yaml:5:12: ring_for must be shorter than within"),
        ("closing: {help_key: 11}\n", "own.yaml:5:21: "),
    ],
)
def test_a_fault_is_told_at_its_place(more: str, fault: str) -> None:
    (told,) = faults(OWN + more)
    assert told.startswith(fault)


NO_NAME = "the name of one house belongs here"


@pytest.mark.parametrize(
    ("extends", "told"),
    [
        (
            "extends: [csr-standard]",
            ["4:10: " + NO_NAME + ", not a list; write csr-standard"],
        ),
        ("extends: 5", ["4:10: " + NO_NAME + ", not 5, as csr-standard"]),
        ("extends:", ["4:9: " + NO_NAME + ", not an empty value, as csr-standard"]),
        ("extend: csr-standard", ["4:1: unknown key 'extend'; did you mean 'extends'?"]),
        (
            "",
            ["1:1: 13 parts of a house are missing; name the house that has them, as extends: csr-standard"],
        ),
    ],
)
def test_a_house_that_extends_no_house_is_told_that_alone(extends: str, told: list[str]) -> None:
    text = OWN.replace("extends: csr-standard", extends)
    assert faults(text) == [f"own.yaml:{each}" for each in told]
    assert any("unknown key 'pauze'" in each for each in faults(text + "closing: {pauze: 5s}\n"))


def test_every_fault_is_told_at_once() -> None:
    assert len(faults(OWN + "silent_line: {pause: 5, pauze: 1}\nclosing: {pause: x}\n")) == 3


def test_a_circle_of_houses_is_a_fault() -> None:
    first, second = OWN.replace("csr-standard", "b"), OWN.replace("csr-standard", "a")
    (told,) = faults(OWN.replace("csr-standard", "a"), a=first, b=second)
    assert told == (
        "a.yaml:4:10: 'own' extends itself: own extends own, and own extends own; "
        "let one of them extend another house"
    )


def test_a_house_by_a_name_that_climbs_is_not_found(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN.replace("csr-standard", "../../etc/passwd"), encoding="utf-8")
    with pytest.raises(SourceError, match=r"own\.yaml:4:10: there is no house"):
        resources.read_house(own)


def test_the_words_of_the_rules_are_those_of_the_source(house: House) -> None:
    prompts = resources.read_document(resources.PROMPTS / "prompts.yaml").data["prompts"]
    rules = {rule["id"]: rule for rule in resources.read_document(resources.RULES).data["rules"]}
    for rule, key, number in (
        ("csr-01", house.answering.greeting, 0),
        ("csr-04", house.silent_line.greeting_again, 0),
        ("csr-04", house.silent_line.no_sound, 2),
        ("csr-35", house.closing.anything_else, 0),
        ("csr-35", house.closing.goodbye, 1),
        ("csr-36", house.closing.hanging_up, 1),
    ):
        assert prompts[key]["text"] == rules[rule]["words"][number], key


@pytest.mark.parametrize("name", resources.house_names())
def test_every_house_asks_speaks_and_gives_back_by_its_own_rules(name: str) -> None:
    rules = {rule["id"]: rule for rule in resources.read_document(resources.RULES).data["rules"]}
    found = resources.read_house(resources.HOUSES / f"{name}.yaml")
    hold = found.hold
    named = {hold.rules.ask, hold.rules.remind, hold.rules.back}
    named |= {hold.estimate.rule} if hold.estimate else set()
    assert {rules[rule]["house"] for rule in named} == {name}
    assert rules[found.seat_closing.rule]["house"] in (name, "csr-standard")
    assert hold.every == (15.0 if name == "gas-hotline" else 30.0)
    assert (hold.consent.within, hold.consent.asks, hold.consent_lasts) == (8.0, 2, 0.0)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("hold: {consent: {no: '1'}}\n", "own.yaml:5:17: yes and no must be different keys"),
        ("hold: {every: 11s}\n", "own.yaml:5:7: consent.within must not be longer than two thirds of every"),
        ("hold: {warn_after: 4m}\n", "own.yaml:5:7: warn_after, recall_after and escalate_after must come"),
        ("hold: {recall_after: 5m}\n", "own.yaml:5:7: warn_after, recall_after and escalate_after must come"),
        ("hold: {question: []}\n", "own.yaml:5:18: "),
        ("hold: {rules: {ask: csr23}}\n", "own.yaml:5:21: "),
        ("hold: {consent: {no: '3'}}\n", "own.yaml:5:22: the keys of recall.offers and of hold.consent must"),
        (
            "recall: {offers: [{key: '3', prompt: press_3_for_callback, leads_to: callback},"
            " {key: '3', prompt: press_4_for_message, leads_to: message}]}\n",
            "own.yaml:5:87: the keys of recall.offers and of hold.consent must all differ; '3' is given",
        ),
        (
            "recall: {offers: [{key: '2', prompt: press_3_for_callback, leads_to: callback}]}\n",
            "own.yaml:5:25: the keys of recall.offers and of hold.consent must all differ; '2' is given",
        ),
    ],
)
def test_a_hold_that_cannot_be_is_a_fault(more: str, fault: str) -> None:
    (told,) = faults(OWN + more)
    assert told.startswith(fault)


def test_what_a_waiting_caller_may_hear_is_known_before(house: House) -> None:
    words = {"may_i_hold", "press_1_to_wait", "hold_thanks", "no_need_to_wait", "still_working"}
    words |= {"calling_seat_back", "seat_not_reached", "seat_gone", "sorry_to_keep_you", "thanks_for_waiting"}
    assert words | {"press_3_for_callback", "press_4_for_message"} <= house.all_prompts


ENDS = ("csr-06", "csr-07")


@pytest.mark.parametrize(
    ("said", "csr_06", "csr_23"),
    [
        # Each list goes from what is wide to what is narrow.
        ([], "observe", "enforce"),
        (["enforce"], "observe", "enforce"),
        (["observe"], "observe", "observe"),
        (["off"], "off", "off"),
        (["off", "enforce"], "observe", "enforce"),
        (["observe", "enforce"], "observe", "enforce"),
        (["off", "observe"], "observe", "observe"),
        (["enforce", "off"], "off", "off"),
        ([{"csr-06": "enforce"}], "enforce", "enforce"),
        ([{"csr-06": "enforce"}, "enforce"], "enforce", "enforce"),
        ([{"csr-06": "enforce"}, "off", "enforce"], "enforce", "enforce"),
        (["off", {"csr-06": "enforce"}], "enforce", "off"),
        ([{"csr-23": "off"}, "enforce"], "observe", "enforce"),
        ([{"csr-06": "off"}, "enforce"], "observe", "enforce"),
        (["enforce", {"csr-23": "observe"}], "observe", "observe"),
        (["off", "enforce", {"csr-23": "off"}], "observe", "off"),
    ],
)
def test_modes_add_up_from_wide_to_narrow(
    house_named: Callable[[str], House], said: list[Mode | dict[str, Mode]], csr_06: Mode, csr_23: Mode
) -> None:
    house = house_named("csr-standard")
    for some in said:
        house = house.in_mode(some) if isinstance(some, str) else house.in_modes(some)
    assert (house.mode("csr-06"), house.mode("csr-23")) == (csr_06, csr_23)


def test_a_queue_stands_over_a_trunk_and_both_over_the_default(house_named: Callable[[str], House]) -> None:
    house = house_named("gas-hotline").in_mode("off")
    modes = Modes({"sales": "enforce", "quiet": {"csr-23": "observe"}}, {"pbx": "observe"})
    for trunk, queue, mode in (
        *(("", "", "off"), ("pbx", "", "observe"), ("pbx", "sales", "enforce"), ("", "sales", "enforce")),
        *(("pbx", "other", "observe"), ("pbx", "quiet", "observe")),
    ):
        held = modes.house(house, trunk=trunk, queue=queue)
        assert held.mode("csr-36") == mode
        assert held.mode("gas-06") == ("off" if mode == "off" else "observe"), "the house's own exception"
    assert modes.house(house, queue="quiet").mode("csr-23") == "observe"
