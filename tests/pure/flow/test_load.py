"""A flow from YAML: the good one, and each way to be wrong with its place."""

import pytest

from callflow.errors import SourceError
from callflow.flow.load import load
from callflow.flow.model import CloseStep, Flow, GreetStep, MenuStep, SayStep, WrongKey

pytestmark = pytest.mark.pure

GOOD = """\
callflow: 1
name: shop
title: 商店
house: csr-standard
start: greet
steps:
  greet: {do: greet, next: menu}
  menu:
    do: menu
    say: main_menu
    keys:
      1: hours
      "#": close
    within: 5s
    otherwise: {say: wrong_key, then: close}
  hours: {do: say, say: opening_hours, next: close}
  close: {do: close, more: menu}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(SourceError) as caught:
        load(text, "shop.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_a_good_flow_is_what_it_says() -> None:
    flow, _ = load(GOOD, "shop.yaml")
    assert (flow.name, flow.house, flow.start, flow.limits.call) == ("shop", "csr-standard", "greet", 1800.0)
    assert flow.steps == {
        "greet": GreetStep(do="greet", next="menu"),
        "menu": MenuStep.model_construct(
            do="menu",
            say="main_menu",
            keys={"1": "hours", "#": "close"},
            within=5.0,
            otherwise=WrongKey(say="wrong_key", times=2, then="close"),
        ),
        "hours": SayStep(do="say", say="opening_hours", next="close"),
        "close": CloseStep(do="close", more="menu"),
    }


def test_the_flow_that_ships_is_good(hotline: Flow) -> None:
    assert hotline.steps.keys() == {"greet", "menu", "opening_hours", "contact_details", "close"}


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        # The steps do not hang together.
        ("next: menu", "next: menue", ["7:28: there is no step 'menue'; did you mean 'menu'?"]),
        ("start: greet", "start: gret", ["5:8: there is no step 'gret'; did you mean 'greet'?"]),
        ('"#": close', '"#": clothes', ["13:12: there is no step 'clothes'; did you mean 'close'?"]),
        ("then: close", "then: x", ["15:39: there is no step 'x'; known are close, greet, hours, menu"]),
        ("1: hours", "1: close", ["16:3: no way leads to the step 'hours'"]),
        ("start: greet", "start: menu", [
            "5:8: a flow starts by greeting, or with a seat that does; 'menu' has no `do: greet`",
            "7:3: no way leads to the step 'greet'",
            "7:3: only the start greets",
        ]),
        ("more: menu", "more: greet", ["17:28: a caller is greeted only once"]),
        ("hours: {do: say, say: opening_hours, next: close}", "hours: {do: greet, next: close}",
         ["16:3: only the start greets"]),
        ("opening_hours, next: close", "opening_hours, next: hours",
         ["16:3: from 'hours' no way leads to a step that closes"]),
        # A step is not of its shape.
        ("1: hours", "x: hours", ["12:7: 'x' is not a key of a telephone: one of 0 to 9, *, #, A to D"]),
        ("1: hours", "12: hours", ["12:7: '12' is not a key of a telephone: one of 0 to 9, *, #, A to D"]),
        ("within: 5s", "within: 5",
         ["14:13: 5 is not a duration; write it with its unit, as 5s, 300ms or 2m; "
          "more than 0s and at most 2m is right here"]),
        ("within: 5s", "within: 121s",
         ["14:13: '121s' is out of range; more than 0s and at most 2m is right here"]),
        ("within: 5s", "within: 0s",
         ["14:13: '0s' is out of range; more than 0s and at most 2m is right here"]),
        ("title: 商店", "titel: 商店",
         ["1:1: the key 'title' is missing here",
          "3:1: unknown key 'titel'; did you mean 'title'? Known are"
          " callflow, house, limits, name, start, steps, title"]),
        ("next: close", "next: close, then: menu", ["16:53: unknown key 'then'; known are do, next, say"]),
        (", then: close", "", ["15:5: the key 'then' is missing here"]),
        ("callflow: 1", "callflow: 2", ["1:11: 1 is right here, not 2"]),
        ("1: hours", "1: hours\n      1: close", ["13:7: the key '1' is given twice"]),
    ],
)  # fmt: skip
def test_each_fault_is_told_at_its_place(right: str, wrong: str, told: list[str]) -> None:
    assert right in GOOD
    assert faults(GOOD.replace(right, wrong, 1)) == [f"shop.yaml:{each}" for each in told]


def test_a_flow_without_a_closing_is_told_so_at_every_step() -> None:
    text = GOOD.replace("close: {do: close, more: menu}", "close: {do: say, say: goodbye, next: menu}")
    assert faults(text) == [
        f"shop.yaml:{line}:3: from {step!r} no way leads to a step that closes"
        for line, step in ((7, "greet"), (8, "menu"), (16, "hours"), (17, "close"))
    ]


LOOPS = """\
callflow: 1
name: shop
title: 商店
house: csr-standard
start: serve
steps:
  serve: {do: seat, queue: service, nobody: sorry, next: menu}
  sorry: {do: say, say: nobody_there, next: close}
  menu:
    do: menu
    say: main_menu
    keys: {1: menu, 2: number, 3: close}
    within: 5s
    otherwise: {say: wrong_key, then: close}
  number: {do: take_number, say: leave_number, next: close, otherwise: close}
  close: {do: close, more: menu}
"""


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("", "", []),
        # What the caller does leads back as often as it likes; what nobody does leads on.
        ("then: close", "then: menu", ["14:39: 'menu'"]),
        ("otherwise: close", "otherwise: number", ["15:72: 'number'"]),
        ("nobody_there, next: close", "nobody_there, next: serve", ["7:45: 'serve'", "8:45: 'sorry'"]),
        ("leave_number, next: close, otherwise: close", "leave_number, next: close, otherwise: menu", []),
        ("next: menu", "next: serve", []),
    ],
)
def test_a_flow_that_goes_round_without_anybody_is_a_fault(right: str, wrong: str, told: list[str]) -> None:
    text = LOOPS.replace(right, wrong, 1) if right else LOOPS
    if not told:
        assert load(text, "shop.yaml")[0].name == "shop"
        return
    whole = "from here the flow comes back to {} for ever, though nobody does anything; lead to another step"
    expected = []
    for each in told:
        place, _, name = each.rpartition(" ")
        expected.append(f"shop.yaml:{place} {whole.format(name)}")
    assert faults(text) == expected


def test_a_flow_of_two_that_lead_to_each_other_is_told_at_both() -> None:
    text = LOOPS.replace("then: close", "then: number").replace("otherwise: close", "otherwise: menu")
    assert [told.split(": ")[0] for told in faults(text)] == ["shop.yaml:14:39", "shop.yaml:15:72"]


def test_a_queue_that_nobody_serves_leads_on() -> None:
    text = LOOPS.replace("nobody: sorry", "nobody: serve").replace("3: close", "3: sorry")
    assert [told.split(": ")[0] for told in faults(text)] == ["shop.yaml:7:45"]


def test_a_menu_on_the_way_of_who_waits_for_a_seat_is_no_circle() -> None:
    text = LOOPS.replace("then: close", "then: serve").replace("nobody: sorry", "nobody: menu")
    text = text.replace("  sorry: {do: say, say: nobody_there, next: close}\n", "")
    assert load(text, "shop.yaml")[0].start == "serve"
