"""The limits of rules.yaml: what they demand of a house, and what of them is the documents' own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from callflow import document, resources
from callflow.document import Shape
from callflow.errors import SourceError
from callflow.etiquette.audit import judge
from callflow.etiquette.house import CARRIED, House
from callflow.etiquette.limit import Limit
from callflow.etiquette.rulebook import Rulebook
from callflow.etiquette.verdict import Judgement
from callflow.facts import Fact

pytestmark = pytest.mark.pure

ORIGIN = Path(__file__).parents[4] / "shared" / "etiquette"
"""Beside the checkout, where it is there at all."""
BOOK = resources.rulebook()


def own_house(tmp_path: Path, text: str, extends: str = "csr-standard") -> Path:
    path = tmp_path / "own.yaml"
    head = f"callflow-house: 1\nname: own\ntitle: 我们\nextends: {extends}\n"
    path.write_text(f"{head}{text}\n", encoding="utf-8")
    return path


WEAKER = [
    (
        "csr-standard",
        "silent_line: {pause: 1ms}",
        "5:22",
        "weaker than csr-04, which wants at least 5s: ",
    ),
    ("csr-standard", "silent_line: {pause: 4900ms}", "5:22", "csr-04"),
    ("csr-standard", "closing: {pause: 4s}", "5:18", "csr-36, which wants at least 5s"),
    ("csr-standard", "hold: {every: 31s}", "5:15", "csr-23, which wants at most 30s: 31s is not"),
    ("csr-standard", "answering: {within: 4s}", "5:21", "csr-01, which wants at most 3s"),
    ("csr-standard", "faint_line: {asks: []}", "5:20", "csr-06, which wants at least 1: 0 is not"),
    ("csr-standard", "faint_line: {pause: 3s}", "5:21", "csr-06"),
    ("csr-standard", "noisy_line: {pause: 4s}", "5:21", "csr-07"),
    ("gas-hotline", "hold: {every: 16s}", "5:15", "gas-10, which wants exactly 15s"),
    ("gas-hotline", "hold: {every: 14s}", "5:15", "gas-10, which wants exactly 15s"),
    ("gas-hotline", "noisy_line: {asks: [gas_please_speak]}", "5:20", "gas-06, which wants at least 2"),
    ("gas-hotline", "faint_line: {pause: 2s}", "5:21", "gas-06, which wants at least 3s"),
    ("gas-hotline", "silent_line: {asks: []}", "5:21", "gas-05"),
    ("gas-hotline", "silent_line: {rule: csr-04, pause: 2s}", "5:36", "csr-04"),
    ("handset-hotline", "hold: {every: 40s}", "5:15", "hst-02, which wants at most 30s"),
    ("handset-hotline", "transfer: {busy_waiting: null}", "5:26", "hst-03, which wants one to be there"),
    ("logistics", "hold: {refusing: 'no'}", "5:18", "log-02, which wants exactly 'callback'"),
    ("service-course", "hold: {estimate: null}", "5:18", "crs-03, which wants one to be there"),
    ("service-course", "transfer: {who: null}", "5:17", "crs-05"),
    (
        "csr-standard",
        "hold: {rules: {remind: csr-01}}",
        "5:24",
        "csr-01 is no rule of hold.rules.",
    ),
    ("csr-standard", "seat_closing: {rule: csr-04}", "5:22", "csr-04 is no rule of seat_closing"),
    # Another document's rule does not lift the limit of the house that is extended.
    (
        "csr-standard",
        "hold: {rules: {remind: log-02}, every: 60s}",
        "5:40",
        "csr-23, which wants at most 30s: 60s is not",
    ),
    ("gas-hotline", "hold: {rules: {remind: csr-23}, every: 30s}", "5:40", "gas-10, which wants exactly 15s"),
    ("gas-hotline", "hold: {rules: {remind: csr-23}, every: 25s}", "5:40", "gas-10, which wants exactly 15s"),
    ("logistics", "hold: {rules: {ask: csr-23}, refusing: 'no'}", "5:40", "log-02, which wants exactly"),
    ("csr-standard", "faint_line: {rule: gas-06, asks: [speak_up, speak_up], pause: 3s}", "5:63", "csr-06"),
    ("handset-hotline", "transfer: {rule: csr-24, busy_waiting: null}", "5:40", "hst-03"),
    (
        "csr-standard",
        "silent_line: {rule: gas-05, asks: [gas_connected_please_speak], pause: 1ms}",
        "5:72",
        "csr-04, which wants at least 5s: 0.001s is not",
    ),
    # What a document leaves open has a floor all the same where the rule may end a call.
    (
        "gas-hotline",
        "silent_line: {pause: 1ms}",
        "5:22",
        "gas-05 may end a call: at least 3s is safe here, and 0.001s is not; a caller needs time to answer",
    ),
    (
        "csr-standard",
        "no_response: {rule: log-04, last: log_cannot_hear, pause: 1ms}",
        "5:59",
        "log-04 may end",
    ),
    ("logistics", "no_response: {pause: 2900ms}", "5:22", "log-04 may end a call: at least 3s is safe here"),
    ("logistics", "no_response: {listen: 1ms}", "5:23", "before the question is repeated"),
    ("csr-standard", "faint_line: {listen: 2s}", "5:22", "csr-06 may end a call: at least 3s is safe"),
    ("csr-standard", "noisy_line: {listen: 1s}", "5:22", "csr-07 may end a call: at least 3s is safe"),
    ("csr-standard", "closing: {answer_within: 2s}", "5:26", "csr-36 may end a call: at least 3s is safe"),
    (
        "csr-standard",
        "nuisance: {rule: xyz-99}",
        "5:18",
        "xyz-99 is no rule of nuisance; one of csr-30, ",
    ),
]


@pytest.mark.parametrize(("extends", "text", "place", "why"), WEAKER)
def test_a_house_that_is_weaker_than_its_document_is_refused_at_its_line(
    tmp_path: Path, extends: str, text: str, place: str, why: str
) -> None:
    path = own_house(tmp_path, text, extends)
    with pytest.raises(SourceError) as caught:
        resources.read_house(path)
    [fault] = [str(fault) for fault in caught.value.faults]
    assert fault.startswith(f"{path}:{place}: ")
    assert why in fault


@pytest.mark.parametrize(
    ("extends", "text"),
    [
        ("csr-standard", "silent_line: {pause: 8s}"),
        ("csr-standard", "hold: {every: 20s}"),
        ("csr-standard", "answering: {within: 2s}"),
        ("csr-standard", "faint_line: {asks: [speak_up, speak_up], listen: 3s}"),
        ("csr-standard", "closing: {answer_within: 3s}"),
        ("csr-standard", "rules: {csr-04: off, csr-36: observe}"),
        ("gas-hotline", "silent_line: {pause: 3s}"),
        ("gas-hotline", "hold: {rules: {remind: csr-23}, every: 15s}"),
        ("csr-standard", "hold: {rules: {remind: gas-10}, every: 15s}"),
        ("csr-standard", "silent_line: {rule: gas-05, asks: [gas_connected_please_speak]}"),
        ("csr-standard", "no_response: {rule: log-04, last: log_cannot_hear, pause: 3s, listen: 3s}"),
        ("logistics", "no_response: null"),
        ("logistics", "hold: {every: 45s}"),
        ("csr-standard", "nuisance: {wait: 1s}"),
    ],
)
def test_what_is_stricter_or_not_in_the_document_is_the_houses_own(
    tmp_path: Path, extends: str, text: str
) -> None:
    assert resources.read_house(own_house(tmp_path, text, extends)).name == "own"


def test_what_a_house_has_from_another_is_told_at_that_others_line(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("callflow-house: 1\nname: base\ntitle: x\nextends: csr-standard\nhold: {every: 45s}\n")
    with pytest.raises(SourceError, match=rf"{base}:5:15: weaker than csr-23"):
        resources.read_house(own_house(tmp_path, "closing: {pause: 6s}", "base"))


def test_a_limit_holds_through_every_house_between(tmp_path: Path) -> None:
    for name, base, text in (
        ("far", "gas-hotline", "seat_closing: {pause: 400ms}"),
        ("near", "far", "hold: {rules: {remind: csr-23}}"),
    ):
        head = f"callflow-house: 1\nname: {name}\ntitle: x\nextends: {base}\n"
        (tmp_path / f"{name}.yaml").write_text(head + text + "\n", encoding="utf-8")
    own = own_house(tmp_path, "hold: {rules: {remind: log-02}, every: 20s}", "near")
    with pytest.raises(SourceError) as caught:
        resources.read_house(own)
    assert [str(each) for each in caught.value.faults] == [
        f"{own}:5:40: weaker than gas-10, which wants exactly 15s: 20s is not"
    ]


def test_who_replaces_one_of_ours_is_held_to_it_too(tmp_path: Path) -> None:
    own = own_house(tmp_path, "hold: {rules: {remind: log-02}, every: 60s}")
    own.write_text(
        own.read_text(encoding="utf-8").replace("name: own", "name: csr-standard"), encoding="utf-8"
    )
    with pytest.raises(SourceError, match="weaker than csr-23, which wants at most 30s"):
        resources.read_house(own)


def test_the_audit_judges_by_the_base_and_by_what_is_safe(tmp_path: Path, house: House) -> None:
    own = resources.read_house(own_house(tmp_path, "hold: {rules: {remind: log-02}, every: 30s}"))
    weak = own.in_mode("observe").model_copy(update={"hold": own.hold.model_copy(update={"every": 60.0})})
    assert BOOK.strictest(weak).hold.every == 30.0
    hasty = house.closing.model_copy(update={"answer_within": 0.5})
    assert BOOK.strictest(house.model_copy(update={"closing": hasty})).closing.answer_within == 3.0


@pytest.mark.parametrize("name", resources.house_names())
def test_our_own_houses_are_as_strict_as_their_documents(name: str) -> None:
    path = resources.HOUSES / f"{name}.yaml"
    assert resources.read_house(path).name == name


def test_the_audit_judges_by_the_document_and_a_stricter_house_by_its_own(house: House) -> None:
    weak = house.model_copy(update={"hold": house.hold.model_copy(update={"every": 60.0})})
    assert BOOK.strictest(weak).hold.every == 30.0
    strict = house.model_copy(update={"hold": house.hold.model_copy(update={"every": 20.0})})
    assert BOOK.strictest(strict) == strict
    assert BOOK.strictest(house) == house

    def held(seconds: float) -> list[Fact]:
        times = [("consent.given", 0.0), ("hold.started", 1.0), ("hold.ended", 1.0 + seconds)]
        return [Fact(at, "c", "caller", name, "csr-23", {}) for name, at in times]

    def verdict(judged_by: House, seconds: float) -> Judgement:
        found = judge(held(seconds), judged_by, BOOK)
        return next(each.judgement for each in found if each.rule == "csr-23")

    assert verdict(weak, 29.0) is Judgement.KEPT
    assert verdict(weak, 45.0) is Judgement.BROKEN
    assert verdict(strict, 25.0) is Judgement.BROKEN


@pytest.mark.parametrize(("rule", "broken"), [("csr-04", False), ("csr-24", True), ("csr-30", True)])
def test_a_rule_ends_a_call_only_where_its_document_says_so(house: House, rule: str, broken: bool) -> None:
    ended = Fact(9.0, "c", "caller", "call.ended", rule, {"by": "callflow", "reason": "x"})
    why = [each.why for each in judge([ended], house, BOOK) if each.rule == rule]
    assert ("ended the call, which its document does not say" in why) is broken
    by_caller = Fact(9.0, "c", "caller", "call.ended", rule, {"by": "caller", "reason": ""})
    assert not any("document" in each.why for each in judge([by_caller], house, BOOK))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "one of at_least"),
        ("{at_least: 5s, at_most: 6s, source: x}", "one of at_least"),
        ("{at_least: 5s}", "needs its words as source"),
        ("{assumed: 5s, source: x}", "what is assumed has none"),
        ("{at_least: 5 s, source: x}", "not a duration"),
    ],
)
def test_a_limit_has_one_direction_and_the_words_that_say_so(text: str, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        document.parse(text, "x").read_as(Limit)


# --- what is the documents' own ---


def quotes(told: object) -> Iterator[str]:
    """Every quotation in a part of the limits."""
    match told:
        case dict():
            for name, value in told.items():
                is_quote = name in ("source", "may_end") and isinstance(value, str) and value != "assumed"
                yield from [value] if is_quote else quotes(value)
        case list():
            for value in told:
                yield from quotes(value)


def numbers(told: object) -> Iterator[tuple[float, str]]:
    """Each number that limits, with the quotation that is to contain it."""
    match told:
        case dict() if "source" in told:
            for direction in ("at_least", "at_most", "exactly"):
                if re.match(r"\d", str(told.get(direction, ""))):
                    yield float(re.match(r"\d+", str(told[direction]))[0]), told["source"]  # type: ignore[index]
        case dict():
            for value in told.values():
                yield from numbers(value)


CHINESE = {1: "一", 2: "两兩二", 3: "三"}


def test_each_number_stands_in_its_quotation() -> None:
    data = resources.read_document(resources.RULES).data["limits"]
    for rule, bounds in data.items():
        for number, quote in numbers(bounds):
            written = [f"{number:g}", *CHINESE.get(int(number), "")]
            # To be asked once, or to hear something once more, the document says by saying it.
            assert number == 1 or any(each in quote for each in written), (rule, number, quote)


def test_every_carried_rule_says_what_it_governs_and_no_limit_is_about_nothing() -> None:
    flows_and_queues = {"csr-25"}
    for rule in CARRIED:
        assert rule in flows_and_queues or BOOK.limits[rule].governs or BOOK.limits[rule].order, rule
    known = {rule.id for rule in BOOK.rules}
    assert set(BOOK.limits) <= known
    for rule, bounds in BOOK.limits.items():
        for selector, limits in bounds.governs.items():
            part = _model("hold" if selector.startswith("hold.rules.") else selector)
            assert set(limits) <= set(part.model_fields), (rule, selector)


def _model(selector: str) -> Any:
    """The class of a part of a house; of one that is a rule's id and nothing else, that of no fields."""
    model: Any = House
    for name in selector.split("."):
        annotation = model.model_fields[name].annotation
        shapes = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
        model = next((each for each in shapes if issubclass(each, Shape)), Shape)
    return model


@pytest.mark.beside
@pytest.mark.skipif(not ORIGIN.is_dir(), reason="the documents are not beside this checkout")
def test_words_and_numbers_are_those_of_the_origin() -> None:
    ours = resources.read_document(resources.RULES).data
    theirs = document.parse((ORIGIN / "rules.yaml").read_text(encoding="utf-8"), "origin").data
    for part in ("houses", "forbidden", "rules"):
        assert ours[part] == theirs[part]
    houses = {rule.id: BOOK.houses[rule.house].source for rule in BOOK.rules}
    for rule, bounds in ours["limits"].items():
        source = re.sub(r"\s", "", (ORIGIN / "sources" / houses[rule]).read_text(encoding="utf-8"))
        for quote in quotes(bounds):
            assert re.sub(r"\s", "", quote) in source, (rule, quote)
    assert isinstance(BOOK, Rulebook)


def test_a_rule_whose_text_has_a_number_or_an_end_has_its_limits() -> None:
    """What a reader finds there, a program finds too: as a limit, or as assumed."""
    silent = {
        # Their numbers count questions, days of warranty and the like, which no call is held to.
        *("hst-18", "hst-04", "hst-11", "log-23", "gas-22", "crs-12", "gas-40"),
    }
    for rule in BOOK.rules:
        text = " ".join((rule.do, *rule.steps))
        if rule.id not in silent and re.search(r"\d+ ?(s|h|%|min)\b|hang up$|\bend the call", text):
            assert rule.id in BOOK.limits, (rule.id, text)
