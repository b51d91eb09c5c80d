"""Broken files and what `callflow check` says of each, at its line and column, in words of ours."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from callflow.cli import main

pytestmark = pytest.mark.pure

FLOW = """\
callflow: 1
name: shop
title: 商店
house: csr-standard
limits: {call: 30m}
start: greet
steps:
  greet: {do: greet, next: menu}
  menu:
    do: menu
    say: main_menu
    keys: {1: hours, 2: people, "#": close}
    within: 5s
    otherwise: {say: wrong_key, times: 2, then: close}
  hours: {do: say, say: opening_hours, next: close}
  people: {do: seat, queue: service, nobody: close, next: close}
  close: {do: close, more: menu}
"""
HOUSE = """\
callflow-house: 1
name: mine
title: 我们的规矩
extends: gas-hotline
rules: {csr-16: off}
silent_line:
  pause: 6s
  repeat_after_greeting: 2
hold:
  question: [gas_please_wait]
  reminder: gas_still_working
  every: 15s
"""
CONFIG = """\
callflow-config: 1
sip:
  listen: 127.0.0.1:5060
  accounts: {seat1: {password: opensesame}}
media:
  ports: 20000-20031
  process: own
seats:
  at:
    "8001": {phone: seat1, skills: [gas], trainee: false, priority: 3, password: sesame}
  queues: {service: {skills: [gas], ring_for: 20s}}
manners: enforce
flow: service.yaml
limits: {calls: 500}
drain: 180s
"""
GOOD = {"shop.yaml": FLOW, "mine.yaml": HOUSE, "callflow.yaml": CONFIG}

BROKEN: list[tuple[str, str, str, list[str]]] = [
    # What is no YAML; keys; values; what hangs together.
    (
        "shop.yaml",
        "name: shop",
        "name：shop",
        ["shop.yaml:2:5: a full-width colon '：' follows 'name'; write ':' and a space"],
    ),
    (
        "shop.yaml",
        "title: 商店",
        "title 商店",
        ["shop.yaml:3:1: the key 'title' has no colon; write ':' and a space after it"],
    ),
    (
        "shop.yaml",
        "start: greet",
        "start:greet",
        ["shop.yaml:6:6: the colon after 'start' has no space after it; write ':' and a space"],
    ),
    (
        "shop.yaml",
        "    within: 5s",
        "\twithin: 5s",
        ["shop.yaml:13:1: a tab indents this line; indent with spaces"],
    ),
    (
        "shop.yaml",
        "next: menu}",
        "next: menu",
        ["shop.yaml:8:10: the { that opens here is not closed"],
    ),
    (
        "shop.yaml",
        "say: opening_hours, next",
        "say: opening_hours，next",
        ["shop.yaml:15:38: a full-width comma '，' stands here; write ','"],
    ),
    (
        "shop.yaml",
        "say: main_menu",
        "say: 'main_menu",
        ["shop.yaml:11:10: the quotation mark that opens here is not closed"],
    ),
    (
        "shop.yaml",
        "title: 商店",
        "title: 商店: 一号",
        [
            "shop.yaml:3:10: a second colon in one line; a value with a colon and a space "
            "in it belongs in quotes",
        ],
    ),
    (
        "shop.yaml",
        "    do: menu",
        "   do: menu",
        [
            "shop.yaml:11:5: this line is indented deeper than the one above, which has a "
            "value already; indent both alike",
        ],
    ),
    (
        "shop.yaml",
        "title: 商店",
        "title: @商店",
        ["shop.yaml:3:8: '@' cannot begin a value; put the text in quotes"],
    ),
    (
        "shop.yaml",
        "title: 商店",
        "title: *商店",
        ["shop.yaml:3:9: '&' and '*' have a meaning of their own in YAML; put the text in quotes"],
    ),
    (
        "shop.yaml",
        "close: {do: close, more: menu}",
        "close: {do：close, more: menu}",
        ["shop.yaml:17:13: a full-width colon '：' follows 'do'; write ':' and a space"],
    ),
    (
        "shop.yaml",
        "close: {do: close, more: menu}",
        "close: {do close, more: menu}",
        ["shop.yaml:17:11: the key 'do' has no colon; write ':' and a space after it"],
    ),
    (
        "shop.yaml",
        "close: {do: close, more: menu}",
        "close: {do: close, more: menu}\n---\n",
        ["shop.yaml:18:1: a second document begins here; a file has one: remove this line"],
    ),
    (
        "mine.yaml",
        "  every: 15s",
        "  every：15s",
        ["mine.yaml:12:8: a full-width colon '：' follows 'every'; write ':' and a space"],
    ),
    (
        "mine.yaml",
        "  pause: 6s\n",
        "  pause 6s\n",
        ["mine.yaml:7:3: the key 'pause' has no colon; write ':' and a space after it"],
    ),
    (
        "mine.yaml",
        "title: 我们的规矩",
        'title: "我们\\的规矩"',
        [
            "mine.yaml:3:11: in double quotes \\ begins an escape, and this is none; write "
            "\\\\, or use single quotes",
        ],
    ),
    (
        "shop.yaml",
        "house: csr-standard",
        "hose: csr-standard",
        [
            "shop.yaml:1:1: the key 'house' is missing here",
            "shop.yaml:4:1: unknown key 'hose'; did you mean 'house'? Known are callflow, "
            "house, limits, name, start, steps, title",
        ],
    ),
    (
        "shop.yaml",
        "times: 2",
        "time: 2",
        ["shop.yaml:14:33: unknown key 'time'; did you mean 'times'? Known are say, then, times"],
    ),
    (
        "shop.yaml",
        "name: shop",
        "name: shop\nname: shop",
        ["shop.yaml:3:1: the key 'name' is given twice"],
    ),
    (
        "shop.yaml",
        "say: opening_hours, ",
        "",
        ["shop.yaml:15:3: the key 'say' is missing here"],
    ),
    (
        "mine.yaml",
        "reminder:",
        "remindr:",
        ["mine.yaml:11:3: unknown key 'remindr'; did you mean 'reminder'?"],
    ),
    (
        "callflow.yaml",
        "drain:",
        "drian:",
        ["callflow.yaml:15:1: unknown key 'drian'; did you mean 'drain'?"],
    ),
    (
        "shop.yaml",
        "within: 5s",
        "within: 5",
        [
            "shop.yaml:13:13: 5 is not a duration; write it with its unit, as 5s, 300ms or "
            "2m; more than 0s and at most 2m is right here",
        ],
    ),
    (
        "shop.yaml",
        "within: 5s",
        "within: ５s",
        [
            "shop.yaml:13:13: '５s' is not a duration; write 5s; more than 0s and at most 2m is right here",
        ],
    ),
    (
        "shop.yaml",
        "within: 5s",
        "within: 5秒",
        [
            "shop.yaml:13:13: '5秒' is not a duration; write 5s; more than 0s and at most 2m is right here",
        ],
    ),
    (
        "shop.yaml",
        "within: 5s",
        "within: 3m",
        ["shop.yaml:13:13: '3m' is out of range; more than 0s and at most 2m is right here"],
    ),
    (
        "shop.yaml",
        "times: 2",
        "times: 012",
        ["shop.yaml:14:40: '012' is not a whole number; write 12"],
    ),
    (
        "shop.yaml",
        "times: 2",
        "times: 2.0",
        ["shop.yaml:14:40: 2.0 is not a whole number; write 2"],
    ),
    (
        "shop.yaml",
        "times: 2",
        "times: ２",
        ["shop.yaml:14:40: '２' is not a whole number; write 2"],
    ),
    (
        "shop.yaml",
        "times: 2",
        "times: 9",
        ["shop.yaml:14:40: 9 is out of range; from 1 to 5 is right here"],
    ),
    (
        "shop.yaml",
        "{1: hours",
        "{１: hours",
        ["shop.yaml:12:12: '１' is typed in full-width signs or quotation marks; write 1"],
    ),
    (
        "shop.yaml",
        "{1: hours",
        "{12: hours",
        ["shop.yaml:12:12: '12' is not a key of a telephone: one of 0 to 9, *, #, A to D"],
    ),
    (
        "shop.yaml",
        "title: 商店",
        "title: 4008",
        ["shop.yaml:3:8: 4008 is a number and no text; put it in quotes"],
    ),
    (
        "shop.yaml",
        "do: say",
        "do: speak",
        [
            "shop.yaml:15:15: 'speak' is not known here; did you mean 'seat'? Known are "
            "close, greet, menu, message, say, seat, take_number",
        ],
    ),
    (
        "shop.yaml",
        "  hours: {do: say, say: opening_hours, next: close}",
        "  hours: opening_hours",
        ["shop.yaml:15:10: keys with values belong here, not 'opening_hours'"],
    ),
    (
        "mine.yaml",
        "csr-16: off",
        "csr-16: of",
        [
            "mine.yaml:5:17: 'of' is not known here; did you mean 'off'? Known are enforce, observe, off",
        ],
    ),
    (
        "mine.yaml",
        "csr-16: off",
        "csr-160: off",
        ["mine.yaml:5:9: 'csr-160' is not carried; did you mean 'csr-16'?"],
    ),
    (
        "mine.yaml",
        "[gas_please_wait]",
        "gas_please_wait",
        ["mine.yaml:10:13: a list belongs here; write [gas_please_wait]"],
    ),
    (
        "mine.yaml",
        "[gas_please_wait]",
        "[]",
        ["mine.yaml:10:13: at least one belongs here, and there is none"],
    ),
    (
        "callflow.yaml",
        "calls: 500",
        "calls: 1_000",
        ["callflow.yaml:14:17: '1_000' is not a whole number; write 1000"],
    ),
    (
        "callflow.yaml",
        "trainee: false",
        "trainee: no",
        ["callflow.yaml:10:52: 'no' is neither true nor false; write false"],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: localhost",
        ["callflow.yaml:3:11: 'localhost' is not HOST:PORT, as 127.0.0.1:5060"],
    ),
    (
        "callflow.yaml",
        "ports: 20000-20031",
        "ports: 20000～20031",
        [
            "callflow.yaml:6:10: '20000～20031' is not a range of ports, as 20000-20031; write 20000-20031",
        ],
    ),
    (
        "callflow.yaml",
        "process: own",
        "process: outside",
        [
            "callflow.yaml:7:12: 'outside' is not known here; did you mean 'inside'? Known are inside, own",
        ],
    ),
    (
        "callflow.yaml",
        "manners: enforce",
        "manners: {default: on}",
        ["callflow.yaml:12:20: 'on' is not known here; known are enforce, observe, off"],
    ),
    (
        "callflow.yaml",
        "{password: opensesame}",
        "opensesame",
        ["callflow.yaml:4:21: keys with values belong here, not a password alone"],
    ),
    (
        "shop.yaml",
        "next: menu",
        "next: menue",
        ["shop.yaml:8:28: there is no step 'menue'; did you mean 'menu'?"],
    ),
    (
        "shop.yaml",
        "then: close",
        "then: menu",
        [
            "shop.yaml:14:49: from here the flow comes back to 'menu' for ever, though "
            "nobody does anything; lead to another step",
        ],
    ),
    (
        "shop.yaml",
        "more: menu",
        "more: greet",
        ["shop.yaml:17:28: a caller is greeted only once"],
    ),
    (
        "mine.yaml",
        "gas_still_working",
        "gas_stil_working",
        [
            "mine.yaml:11:13: the prompt 'gas_stil_working' has no audio; did you mean 'gas_still_working'?",
        ],
    ),
    (
        "mine.yaml",
        "gas_still_working",
        "queue_place",
        [
            "mine.yaml:11:13: nothing fills the slot {ahead} of the prompt 'queue_place' "
            "here; name another prompt",
        ],
    ),
    (
        "mine.yaml",
        "extends: gas-hotline",
        "extends: gas-hotlin",
        ["mine.yaml:4:10: there is no house 'gas-hotlin'; did you mean 'gas-hotline'?"],
    ),
    (
        "callflow.yaml",
        "phone: seat1",
        "phone: seat2",
        [
            "callflow.yaml:10:21: there is no account 'seat2' under sip.accounts; did you mean 'seat1'?",
        ],
    ),
    (
        "callflow.yaml",
        "{skills: [gas], ring_for",
        "{skills: [water], ring_for",
        [
            "callflow.yaml:11:30: no seat can serve the queue 'service': none under "
            "seats.at has water among its skills",
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: 127.0.0.1:20002",
        [
            "callflow.yaml:6:10: 20002 is among the audio's ports, and SIP listens there; "
            "give it a port outside of them",
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: 0.0.0.0:5060\n  advertise: 192.0.2.1",
        [
            "callflow.yaml:3:11: only this machine is let in, and SIP listens at 0.0.0.0: "
            "nobody could reach it; name your PBX, as allow: [192.0.2.1/32]",
        ],
    ),
    (
        "callflow.yaml",
        "drain: 180s",
        "journal: nowhere/callflow.journal",
        ["callflow.yaml:15:10: there is no folder 'nowhere'"],
    ),
    (
        "callflow.yaml",
        "drain: 180s",
        "journal: callflow.yaml",
        [
            "callflow.yaml:15:10: 'callflow.yaml' is there and is no journal; "
            "name a file of the journal's own",
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "advertise: 0.0.0.0",
        [
            "callflow.yaml:3:14: nothing can be sent to '0.0.0.0'; "
            "write the address that peers reach us at, as 192.0.2.10",
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "allow: []",
        [
            "callflow.yaml:3:10: nobody is let in: nobody could reach it; "
            "name who may come, as allow: [127.0.0.0/8]",
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "allow: [10.0.0.0/8]",
        [
            "callflow.yaml:3:10: SIP listens at 127.0.0.1, where only this machine can come, and it is not "
            "let in: nobody could reach it; add 127.0.0.0/8, or let SIP listen at an address of your network",
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "trunks: {p: {at: 127.0.0.900}}",
        [
            "callflow.yaml:3:20: '127.0.0.900' is not HOST or HOST:PORT, "
            "as sip.example.net or 192.0.2.1:5060",
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        'realm: "a\\r\\nX: y"',
        [
            "callflow.yaml:3:10: 'a\\r\\nX: y' is not text of 1 to 64 characters, "
            'without " , \\ and control characters',
        ],
    ),
    (
        "callflow.yaml",
        "seats:",
        'seats:\n  calls_out: {emergency: ["110"]}',
        [
            "callflow.yaml:9:15: no call can leave, no emergency call either: there is no trunk; "
            "name one under sip.trunks and here, as trunks: [provider]",
        ],
    ),
    (
        "callflow.yaml",
        "drain: 180s",
        "http: {control: /nonexistent/x.sock}",
        ["callflow.yaml:15:17: there is no folder '/nonexistent'"],
    ),
    (
        "callflow.yaml",
        "drain: 180s",
        "drain: 012s",
        ["callflow.yaml:15:8: '012s' is not a duration; write 12s; from 0s to 1h is right here"],
    ),
    (
        "callflow.yaml",
        "drain: 180s",
        "recordings: nowhere",
        ["callflow.yaml:15:13: there is no folder 'nowhere'"],
    ),
    (
        "callflow.yaml",
        "flow: service.yaml",
        "flow: servise.yaml",
        ["callflow.yaml:13:7: there is no flow 'servise.yaml'; did you mean 'service.yaml'?"],
    ),
    (
        "shop.yaml",
        "callflow: 1",
        "callflow：1",
        ["shop.yaml:1:9: a full-width colon '：' follows 'callflow'; write ':' and a space"],
    ),
    (
        "shop.yaml",
        "callflow: 1",
        "callfow: 1",
        [
            "shop.yaml:1:1: what is this? a file of ours says one of `callflow-config: 1`, "
            "`callflow: 1`, `callflow-house: 1`, `callflow-prompts: 1`; did you mean "
            "'callflow'?",
        ],
    ),
    (
        "shop.yaml",
        "  menu:",
        "  menu",
        ["shop.yaml:9:3: the key 'menu' has no colon; write ':' and a space after it"],
    ),
    (
        "shop.yaml",
        "name: shop",
        "name:　shop",
        ["shop.yaml:2:5: the colon after 'name' has no space after it; write ':' and a space"],
    ),
    (
        "shop.yaml",
        "start: greet",
        "start:",
        ["shop.yaml:6:7: text belongs here, not an empty value"],
    ),
    (
        "shop.yaml",
        "hours: {do: say",
        "hours:{do: say",
        ["shop.yaml:15:8: the colon after 'hours' has no space after it; write ':' and a space"],
    ),
    (
        "shop.yaml",
        "close: {do: close, more: menu}",
        "close: ｛do: close, more: menu｝",
        ["shop.yaml:17:10: a full-width bracket '｛' stands here; write '{'"],
    ),
    (
        "shop.yaml",
        "close: {do: close, more: menu}",
        "close: {do: close more: menu}",
        ["shop.yaml:17:25: a comma, or the closing }, is missing before this"],
    ),
    (
        "shop.yaml",
        "title: 商店",
        "title: {店: 商{店}}",
        ["shop.yaml:3:13: a bracket stands inside of a text; put the text in quotes"],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: 127.0.0.1：5060",
        [
            "callflow.yaml:3:11: '127.0.0.1：5060' is not HOST:PORT, as 127.0.0.1:5060; write 127.0.0.1:5060",
        ],
    ),
    (
        "callflow.yaml",
        '"8001": {',
        "“8001”: {",
        [
            "callflow.yaml:10:5: '“8001”' is typed in full-width signs or quotation marks; write 8001",
        ],
    ),
    (
        "callflow.yaml",
        "skills: [gas], trainee",
        "skills: [gas，water], trainee",
        [
            "callflow.yaml:10:37: 'gas，water' is not a name of letters, digits and -; a "
            "full-width comma '，' stands here; write ','",
        ],
    ),
    (
        "callflow.yaml",
        "manners: enforce",
        "manners: {queues: {service: [csr-23]}}",
        [
            "callflow.yaml:12:29: 'enforce', 'observe' or 'off', or keys with values, "
            "belong here, not a list",
        ],
    ),
    # Spaces, hyphens and tags that YAML takes for something else.
    (
        "shop.yaml",
        "callflow: 1",
        " callflow: 1",
        ["shop.yaml:1:1: 1 space before the first line, and fewer before line 2; indent both alike"],
    ),
    (
        "mine.yaml",
        "callflow-house: 1\nname: mine",
        "  callflow-house: 1\n  name: mine",
        ["mine.yaml:1:1: 2 spaces before the first line, and fewer before line 3; indent both alike"],
    ),
    (
        "shop.yaml",
        "    do: menu",
        "\u00a0\u00a0do: menu",
        [
            "shop.yaml:10:1: a no-break space (U+00A0) stands here, which YAML takes for a letter; "
            "write plain spaces"
        ],
    ),
    (
        "mine.yaml",
        "  every: 15s",
        "\u3000every: 15s",
        [
            "mine.yaml:12:1: a full-width space (U+3000) stands here, which YAML takes for a letter; "
            "write plain spaces"
        ],
    ),
    (
        "callflow.yaml",
        "  ports: 20000-20031",
        "  \u00a0ports: 20000-20031",
        [
            "callflow.yaml:6:3: a no-break space (U+00A0) stands here, which YAML takes for a letter; "
            "write plain spaces"
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: 127.0.0.1:5060\n  allow:\n    -127.0.0.0/8",
        [
            "callflow.yaml:5:5: a list belongs here, and '-' begins an item only with a space after it; "
            "write [127.0.0.0/8]"
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: 127.0.0.1:5060\n  allow:\n    -127.0.0.0/8\n    -10.0.0.0/8",
        [
            "callflow.yaml:5:5: a list belongs here, and '-' begins an item only with a space after it; "
            "write [127.0.0.0/8, 10.0.0.0/8]"
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: 127.0.0.1:5060\n  allow:\n    - 127.0.0.0/8\n    -10.0.0.0/8",
        ["callflow.yaml:6:5: '-' begins an item only with a space after it; write - 10.0.0.0/8"],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: 127.0.0.1:5060\n  allow:\n    -\u00a0127.0.0.0/8",
        [
            "callflow.yaml:5:5: a list belongs here, and '-' begins an item only with a space after it; "
            "write [127.0.0.0/8]"
        ],
    ),
    (
        "callflow.yaml",
        "listen: 127.0.0.1:5060",
        "listen: 127.0.0.1:5060\n  digest: [sha256]",
        ["callflow.yaml:4:12: 'sha256' is not known here; did you mean 'sha-256'? Known are md5, sha-256"],
    ),
    (
        "callflow.yaml",
        "password: opensesame",
        "password: !secret",
        ["callflow.yaml:4:32: '!' has a meaning of its own in YAML; put the text in quotes"],
    ),
    (
        "callflow.yaml",
        "password: opensesame",
        "password: !secret opensesame",
        ["callflow.yaml:4:32: '!' has a meaning of its own in YAML; put the text in quotes"],
    ),
    (
        "callflow.yaml",
        "manners: enforce",
        "manners: {rules: {csr-4: off}}",
        ["callflow.yaml:12:19: 'csr-4' is not carried; did you mean 'csr-04'?"],
    ),
    (
        "callflow.yaml",
        "drain: 180s",
        "prompts: {overlays: [nowhere]}",
        ["callflow.yaml:15:22: there is no prompts.yaml in the folder 'nowhere'"],
    ),
]


def check(folder: Path, name: str, text: str) -> list[str]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(path)])
    # A note, as of a page that nobody can open, is no fault.
    faults = [line for line in result.stderr.splitlines() if ": note: " not in line]
    assert result.exit_code == bool(faults)
    return [line.replace(f"{folder}/", "") for line in faults]


@pytest.mark.parametrize("name", GOOD)
def test_the_files_are_good_before_they_are_broken(tmp_path: Path, name: str) -> None:
    assert check(tmp_path, name, GOOD[name]) == []


@pytest.mark.parametrize(("name", "right", "wrong", "told"), BROKEN)
def test_each_broken_file_is_told_at_its_place(
    tmp_path: Path, name: str, right: str, wrong: str, told: list[str]
) -> None:
    assert right in GOOD[name]
    assert check(tmp_path, name, GOOD[name].replace(right, wrong, 1)) == told


def test_there_are_forty_and_more() -> None:
    assert len({(name, wrong) for name, _, wrong, _ in BROKEN}) == len(BROKEN) >= 40
