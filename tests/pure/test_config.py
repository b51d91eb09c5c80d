"""The configuration: what holds without one, where passwords come from, and each fault at its place."""

import hashlib
import os
from pathlib import Path

import pytest

from callflow import config, resources
from callflow.call.seats import Pauses
from callflow.config import Config, Setup
from callflow.errors import SourceError
from callflow.sip.address import Transport
from callflow.sip.locate import Target
from callflow.sip.trunks import TrunkPlan

pytestmark = pytest.mark.pure

HEAD = "callflow-config: 1\n"

FLOW = """\
callflow: 1
name: shop
title: 商店
house: csr-standard
start: greet
steps:
  greet: {do: greet, next: tell}
  tell: {do: say, say: our_hours, next: close}
  close: {do: close, more: tell}
"""

PROMPTS = "callflow-prompts: 1\nlocale: zh-CN\nvoice: studio\nprompts:\n"


def write(folder: Path, text: str, name: str = "callflow.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> Setup:
    return config.read(write(folder, HEAD + text))


def faults(folder: Path, text: str) -> list[str]:
    """The faults, without the path of the folder before the file's name."""
    with pytest.raises(SourceError) as caught:
        read(folder, text)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


def test_without_a_file_it_serves_the_hotline_on_loopback() -> None:
    setup = config.default()
    assert setup.config.sip.listen == ("127.0.0.1", 5060)
    assert setup.config.http.listen == ("127.0.0.1", 9464)
    assert setup.config.sip.allow == ("127.0.0.0/8",)
    assert (setup.flow.name, setup.house.name, setup.accounts) == ("hotline", "csr-standard", {})
    assert setup.said <= setup.prompts.keys
    assert setup.said >= {"greeting", "no_sound", "main_menu", "wrong_key", "hanging_up"}


def test_a_file_that_says_nothing_says_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "").config == config.default().config == Config()


def test_what_is_said_is_what_holds(tmp_path: Path) -> None:
    own = read(
        tmp_path,
        "sip: {listen: '0.0.0.0:5080', advertise: 192.0.2.1, allow: [10.0.0.0/8, 192.0.2.7/32]}\n"
        "media: {host: 192.0.2.2, ports: 30001-30006, hearing: {level: -40}}\n"
        "http: {listen: '127.0.0.1:0'}\n"
        "limits: {calls: 20}\n"
        "drain: 1m30s\n"
        "fields: {seat: '0042'}\n",
    )
    assert own.config.sip.listen == ("0.0.0.0", 5080)
    assert own.config.sip.allow == ("10.0.0.0/8", "192.0.2.7/32")
    assert own.config.media.ports == (30002, 30004, 30006)
    assert (own.thresholds.level, own.config.limits.calls, own.config.drain) == (-40.0, 20, 90.0)
    assert own.prompts.speech_text("greeting", own.config.fields).startswith("您好，工号零零四二，")


def test_how_long_a_silent_leg_is_waited_for_and_a_seat_left_alone(tmp_path: Path) -> None:
    own = read(
        tmp_path,
        "sip: {trunks: {far: {at: '192.0.2.1', media_timeout: 40s}, near: {at: '192.0.2.2'}}}\n"
        "media: {timeout: 0s}\n"
        "seats: {pauses: {declined: 1m, failed: 5s}}\n",
    )
    assert (own.config.media.timeout, own.media_timeouts) == (0.0, {"far": 40.0})
    assert own.config.seats.pauses.plan() == Pauses(60.0, 10.0, 5.0, 120.0)
    with pytest.raises(SourceError, match=r":3:18: .*0s \(never\) or at least 6s"):
        read(tmp_path, "\nmedia: {timeout: 5s}\n")


@pytest.mark.parametrize(
    "text",
    [
        "media: {hearing: {level: -40}}",
        "media: {hearing: {faint: -60}}",
        "media: {hearing: {level: -50, faint: -50}}",
        "sip: {trunks: {p: {at: x, hearing: {noisy: -40}}}}\nmedia: {hearing: {level: -60, faint: -55}}",
        "seats: {pauses: {failed: 3m}}",
        "seats: {pauses: {failed: 2m, longest: 2m}}",
        "sip: {digest: [sha-256, md5]}",
        "sip: {digest: [sha-256]}",
        "media: {timeout: 6s}",
    ],
)
def test_what_stands_alone_or_in_order_is_taken(tmp_path: Path, text: str) -> None:
    read(tmp_path, f"{text}\n")


def test_a_trunk_is_a_name_or_an_address_and_maybe_an_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUNK_WORD", "xyzzy")
    text = (
        "sip:\n  trunks:\n    pbx: {at: '192.0.2.1:5080', transport: tcp, keepalive: false}\n"
        "    provider: {at: sip.example.net, domain: example.net, "
        "account: {user: '4001', password_env: TRUNK_WORD, expires: 10m}}\n"
    )
    setup = read(tmp_path, text)
    assert setup.trunks == (
        TrunkPlan("pbx", "192.0.2.1", keepalive=False),
        TrunkPlan("provider", "example.net", "4001", "xyzzy", registers=True, expires=600),
    )
    trunks = setup.config.sip.trunks
    assert trunks["pbx"].target == Target("192.0.2.1", 5080, Transport.TCP)
    assert trunks["provider"].target == Target("sip.example.net")
    assert "xyzzy" not in repr(setup)


@pytest.mark.parametrize(
    ("trunk", "told"),
    [
        ("{at: 'sip.example.net:0'}", "is not HOST or HOST:PORT, as sip.example.net or 192.0.2.1:5060"),
        ("{at: ''}", "is not HOST or HOST:PORT"),
        ("{at: }", "an empty value is not HOST or HOST:PORT"),
        ("{at: 127.0.0.900}", "'127.0.0.900' is not HOST or HOST:PORT"),
        ("{at: '127.0.0.900:5060'}", "'127.0.0.900:5060' is not HOST or HOST:PORT"),
        ("{at: '127.0.0.1/32'}", "is not HOST or HOST:PORT"),
        ("{at: 10.0.1}", "is not HOST or HOST:PORT"),
        ("{at: 5060}", "5060 is not HOST or HOST:PORT"),
        ("{at: 0.0.0.0}", "is not HOST or HOST:PORT"),
        ("{at: 224.0.0.1}", "is not HOST or HOST:PORT"),
        ("{at: 255.255.255.255}", "is not HOST or HOST:PORT"),
        ("{at: _foo bar}", "is not HOST or HOST:PORT"),
        ("{at: _sip._udp.example.net}", "is not HOST or HOST:PORT"),
        ("{at: -x.example.net}", "is not HOST or HOST:PORT"),
        ("{at: a..b}", "is not HOST or HOST:PORT"),
        ("{at: 'sip:pbx.example.net'}", "is not HOST or HOST:PORT"),
        ("{at: '[::1]'}", "is not HOST or HOST:PORT"),
        ("{at: 电话}", "is not HOST or HOST:PORT"),
        (f"{{at: {'a' * 64}}}", "is not HOST or HOST:PORT"),
        (f"{{at: {'a.' * 127}net}}", "is not HOST or HOST:PORT"),
        ("{at: x, transport: tls}", "'tls' is not known here; known are tcp, udp"),
        ("{at: x, account: {user: u}}", "one of password, password_file and password_env"),
        ("{at: x, account: {user: u, password_env: NOBODY_HAS_THIS}}", "the environment has no"),
        (
            "{at: x, account: {user: u, password: p, expires: 5s}}",
            "'5s' is out of range; from 1m to 24h is right here",
        ),
    ],
)
def test_a_trunk_that_cannot_be_is_a_fault(tmp_path: Path, trunk: str, told: str) -> None:
    [fault] = faults(tmp_path, f"sip:\n  trunks:\n    pbx: {trunk}\n")
    assert told in fault
    assert fault.startswith("callflow.yaml:4:")


def test_a_flow_beside_the_file_comes_before_ours(tmp_path: Path) -> None:
    write(tmp_path, FLOW.replace("our_hours", "opening_hours"), "hotline.yaml")
    assert read(tmp_path, "").flow.name == "shop"


# --- passwords -------------------------------------------------------------------------------------


def test_a_password_comes_from_a_file_the_environment_or_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "from-a-file\n", "secret")
    monkeypatch.setenv("SHOP_PASSWORD", "from-the-environment")
    own = read(
        tmp_path,
        "sip:\n  accounts:\n    1001: {password_file: secret}\n    1002: {password_env: SHOP_PASSWORD}\n"
        "    1003: {password: in-place}\n",
    )
    assert own.accounts == {"1001": "from-a-file", "1002": "from-the-environment", "1003": "in-place"}
    assert "in-place" not in repr(own.config)


@pytest.mark.parametrize("written", [b"\xef\xbb\xbfsesame\r\n", b"sesame", b"\n sesame \n\n"])
def test_an_editors_mark_and_line_ends_are_no_part_of_a_password(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "secret").write_bytes(written)
    assert read(tmp_path, "sip: {accounts: {1001: {password_file: secret}}}\n").accounts == {"1001": "sesame"}


@pytest.mark.parametrize(
    ("at", "host"),
    [
        ("pbx1", "pbx1"),
        ("my_pbx", "my_pbx"),
        ("SIP.Example.net.", "sip.example.net"),
        ("3cx.example.net", "3cx.example.net"),
        ("xn--fiq.example", "xn--fiq.example"),
        ("192.0.2.255", "192.0.2.255"),
    ],
)
def test_a_trunk_is_named_by_what_dns_may_know(tmp_path: Path, at: str, host: str) -> None:
    setup = read(tmp_path, f"sip: {{trunks: {{pbx: {{at: '{at}'}}}}}}\n")
    assert setup.config.sip.trunks["pbx"].target == Target(host)


@pytest.mark.parametrize(
    ("account", "told"),
    [
        ("{}", "4:11: an account has one of password, password_file and password_env"),
        ("{password: a, password_env: B}",
         "4:11: an account has one of password, password_file and password_env"),
        ("{password_env: NOWHERE_SET}", "4:11: the environment has no NOWHERE_SET"),
        ("{password_file: none}", "4:11: none cannot be read: No such file or directory"),
        ("{password_file: latin}", "4:11: latin is not UTF-8"),
        ("{password_file: two}",
         "4:11: two has 2 lines; the file of a password has one line, the password"),
        ("{password_file: old_mac}",
         "4:11: old_mac has 2 lines; the file of a password has one line, the password"),
        ("{password_file: long}",
         "4:11: long is longer than 4096 bytes; the file of a password has one line, the password"),
        ("{password_file: wide}", "4:11: wide has the invisible character U+0000; remove it"),
        ("{password_file: hidden}", "4:11: hidden has the invisible character U+200B; remove it"),
        ("{password_file: bare_mark}", "4:11: the password is empty; anybody could register"),
        ("{password_file: pipe}",
         "4:11: pipe cannot be read: it is a pipe, a socket or a device, and no file"),
        ("{password_file: /dev/zero}",
         "4:11: /dev/zero cannot be read: it is a pipe, a socket or a device, and no file"),
        ("{password_file: empty}", "4:11: the password is empty; anybody could register"),
        ("{password: ''}", "4:11: the password is empty; anybody could register"),
        # The fault does not show what it found.
        ("{password: 4711}", "4:22: a password is text; put it in quotes"),
    ],
)  # fmt: skip
def test_a_password_that_is_none_is_a_fault(tmp_path: Path, account: str, told: str) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    (tmp_path / "two").write_bytes(b"one\r\ntwo\r\n")
    (tmp_path / "old_mac").write_bytes(b"one\rtwo\r")
    (tmp_path / "long").write_bytes(b"x" * 5000)
    (tmp_path / "wide").write_bytes("ab".encode("utf-16-le"))
    (tmp_path / "hidden").write_bytes("a\u200bb".encode())
    (tmp_path / "bare_mark").write_bytes(b"\xef\xbb\xbf\n")
    os.mkfifo(tmp_path / "pipe")
    write(tmp_path, "\n", "empty")
    assert faults(tmp_path, f"sip:\n  accounts:\n    1001: {account}\n") == [f"callflow.yaml:{told}"]


# --- every kind of fault ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sipp: {}", "2:1: unknown key 'sipp'; did you mean 'sip'?"),
        ("sip: {listen: 5060}", "2:15: 5060 is not HOST:PORT, as 127.0.0.1:5060"),
        ("sip: {listen: 'localhost:5060'}", "2:15: 'localhost' is not an IPv4 address, as 192.0.2.10"),
        ("sip: {listen: '127.0.0.1:65536'}", "2:15: '127.0.0.1:65536' is not HOST:PORT, as 127.0.0.1:5060"),
        ("sip: {listen: '0.0.0.0:5060'}",
         "2:6: with 0.0.0.0 to listen on, `advertise` must say where peers reach us"),
        ("sip: {allow: [10.0.0.1/8]}", "2:15: '10.0.0.1/8' is not an IPv4 network, as 10.0.0.0/8"),
        ("sip: {realm: 'a\"b'}",
         "2:14: 'a\"b' is not text of 1 to 64 characters, without \" , \\ and control characters"),
        ('sip: {realm: "a\\r\\nX: y"}',
         "2:14: 'a\\r\\nX: y' is not text of 1 to 64 characters, without \" , \\ and control characters"),
        (f"sip: {{realm: {'x' * 65}}}",
         f"2:14: '{'x' * 40}' is not text of 1 to 64 characters, without \" , \\ and control characters"),
        ("sip: {trunks: {p: {at: x, domain: 'a b'}}}", "2:35: 'a b' is not a host name, as example.net"),
        ('sip: {trunks: {p: {at: x, account: {user: u, password: p, login: "a\\r\\nX: y"}}}}',
         "2:66: 'a\\r\\nX: y' is not text of at most 128 characters, without control characters"),
        ("sip: {listen: '224.0.0.1:5060'}", "2:15: '224.0.0.1' is no machine's own address, as 192.0.2.10"),
        ("http: {listen: '255.255.255.255:80'}",
         "2:16: '255.255.255.255' is no machine's own address, as 192.0.2.10"),
        ("media: {host: 240.0.0.1}", "2:15: '240.0.0.1' is no machine's own address, as 192.0.2.10"),
        ("media: {ports: many}", "2:16: 'many' is not a range of ports, as 20000-20031"),
        ("media: {ports: 20010-20000}",
         "2:16: '20010-20000' must go upwards, to 65535 at most, and hold 1 to 256 even ports"),
        ("media: {ports: 0-999999999999}",
         "2:16: '0-999999999999' must go upwards, to 65535 at most, and hold 1 to 256 even ports"),
        ("media: {ports: 20000-20512}",
         "2:16: '20000-20512' must go upwards, to 65535 at most, and hold 1 to 256 even ports"),
        ("media: {ports: 20001-20001}",
         "2:16: '20001-20001' must go upwards, to 65535 at most, and hold 1 to 256 even ports"),
        ("media: {hearing: {level: 0}}", "2:26: 0 is out of range; from -70 to -20 is right here"),
        ("http: {names: ['desk:9464']}",
         "2:16: 'desk:9464' is not a host name without a port, as desk.example.net"),
        ("media: {timeout: 1.5s}",
         "2:18: '1.5s' must be 0s (never) or at least 6s, as people and phones pause; "
         "from 0s to 10m is right here"),
        ("media: {timeout: 5999ms}",
         "2:18: '5999ms' must be 0s (never) or at least 6s, as people and phones pause; "
         "from 0s to 10m is right here"),
        ("media: {timeout: 012s}",
         "2:18: '012s' is not a duration; write 12s; from 0s to 10m is right here"),
        ("sip: {digest: [md5, sha-256]}",
         "2:15: md5 must be the last, for phones that answer only the last challenge; write [sha-256, md5]"),
        ("sip: {digest: [sha-256, sha-256]}", "2:15: a digest is named twice; name each once"),
        ("seats: {pauses: {longest: 5s}}",
         "2:27: 5s is shorter than `failed`, 10s, which is doubled up to it; write at least 10s"),
        ("seats: {pauses: {failed: 3m, longest: 2m}}",
         "2:39: 2m is shorter than `failed`, 3m, which is doubled up to it; write at least 3m"),
        ("media: {hearing: {level: -20, faint: -60}}",
         "2:38: no voice can be faint: -60 (faint) is below -20 (level), where nothing is a sound; "
         "faint stands above level"),
        ("sip: {trunks: {p: {at: x, hearing: {level: -40}}}}\nmedia: {hearing: {faint: -45}}",
         "2:44: no voice can be faint: -45 (faint) is below -40 (level), where nothing is a sound; "
         "faint stands above level"),
        ("http: {names: [~]}", "2:16: an empty value is not a host name without a port, as desk.example.net"),
        ("http: {names: ['*.example.net']}",
         "2:16: '*.example.net' is not a host name without a port, as desk.example.net"),
        ("http: {control: own.sock}", "2:17: 'own.sock' is not an absolute path of at most 107 bytes"),
        ("http: {proxies: [proxy]}", "2:18: 'proxy' is not an IPv4 network, as 10.0.0.0/8"),
        ("limits: {calls: 0}", "2:17: 0 is out of range; from 1 to 4000 is right here"),
        ("drain: 180", "2:8: 180 is not a duration; write it with its unit, as 5s, 300ms or 2m; "
         "from 0s to 1h is right here"),
        ("flow: hotlin.yaml", "2:7: there is no flow 'hotlin.yaml'; did you mean 'hotline.yaml'?"),
        ("fields: {seat: 8001}", "2:16: 8001 is a number and no text; put it in quotes"),
        ("fields: {seat: '80x1'}", "2:9: {seat} of 'greeting' is '80x1': 'x' is not in 'digits'"),
        ("fields: {seat: ''}", "2:9: the prompt 'greeting' needs a value for {seat}"),
        ("fields: {chair: '1'}", "2:9: the prompt 'greeting' needs seat here"),
        ("fields: {}", "2:9: the prompt 'greeting' needs seat here"),
    ],
)  # fmt: skip
def test_each_fault_is_told_at_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert faults(tmp_path, text + "\n") == [f"callflow.yaml:{told}"]


def test_prompts_that_the_house_or_the_flow_say_and_nobody_recorded(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    write(tmp_path / "own", PROMPTS.removesuffix("prompts:\n"), "prompts.yaml")
    write(tmp_path, FLOW, "shop.yaml")
    house = resources.house_at(resources.HOUSES / "csr-standard.yaml")
    told = faults(tmp_path, "flow: shop.yaml\nprompts: {directory: own}\n")
    assert told == [
        "shop.yaml:8:24: the prompt 'our_hours' has no audio",
        *map(
            str,
            sorted(
                {
                    house.source.fault(use.path, f"the prompt {use.key!r} has no audio")
                    for use in house.house.prompt_uses
                    if house.house.is_needed(use, with_seats=False)
                }
            ),
        ),
    ]


def test_one_wrong_file_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    write(tmp_path / "own", PROMPTS + "  hello: {text: 您好}\n", "prompts.yaml")
    write(tmp_path, FLOW.replace("next: tell", "next: tall"), "shop.yaml")
    text = "flow: shop.yaml\nprompts: {overlays: [own]}\nsip: {accounts: {a: {password_env: NOWHERE_SET}}}\n"
    assert faults(tmp_path, text) == [
        "callflow.yaml:4:21: the environment has no NOWHERE_SET",
        "shop.yaml:7:28: there is no step 'tall'; did you mean 'tell'?",
        "own/prompts.yaml:5:10: hello has no file yet; `callflow prompts build` makes one",
    ]


def test_a_flow_under_a_house_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, FLOW.replace("csr-standard", "csr-standart"), "shop.yaml")
    told = "shop.yaml:4:8: there is no house 'csr-standart'; did you mean 'csr-standard'?"
    assert faults(tmp_path, "flow: shop.yaml\n") == [told]


def test_another_flow_in_the_same_set_up_is_held_to_the_same(tmp_path: Path, setup: Setup) -> None:
    good = write(tmp_path, FLOW.replace("our_hours", "opening_hours"), "good.yaml")
    assert config.with_flow(setup, good).flow.name == "shop"
    with pytest.raises(SourceError, match=r"bad\.yaml:8:24: the prompt 'our_hours' has no audio"):
        config.with_flow(setup, write(tmp_path, FLOW, "bad.yaml"))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "1:1: cannot be read: No such file or directory"),
        (b"a: caf\xe9", "1:1: not UTF-8 at byte 6; save the file as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, data: bytes | None, told: str) -> None:
    path = tmp_path / "callflow.yaml"
    if data:
        path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        config.read(path)
    assert [str(fault) for fault in caught.value.faults] == [f"{path}:{told}"]


SERVED = """\
sip: {accounts: {p1: {password: opensesame}}}
seats: {at: {"8001": {phone: p1}}, queues: {service: {}}}
flow: served.yaml
"""


@pytest.mark.parametrize("house", [path.stem for path in resources.HOUSES.glob("*.yaml")])
def test_every_house_has_audio_for_all_that_it_may_say_to_who_is_served(tmp_path: Path, house: str) -> None:
    flow = (resources.FLOWS / "service.yaml").read_text(encoding="utf-8")
    write(tmp_path, flow.replace("csr-standard", house), "served.yaml")
    setup = read(tmp_path, SERVED)
    spoken = {name for name, prompt, fields in setup.recordings if len(setup.prompts.pcm(prompt, fields))}
    assert setup.house.hold.reminder in spoken
    assert "greeting?seat=8001" in spoken
    named = {f"{prompt}?minutes={n}" for prompt in setup.house.hold.question for n in (1, 30)}
    assert named <= spoken or not setup.house.hold.estimate


MANNERS = """\
seats: {at: {"8001": {password: sesame}}, queues: {service: {}}}
manners:
  rules: {csr-16: off}
  queues: {service: {csr-23: observe}}
"""


def test_manners_are_one_switch_or_several(tmp_path: Path) -> None:
    assert read(tmp_path, "manners: off\n").house.mode("csr-23") == "off"
    setup = read(tmp_path, MANNERS)
    assert (setup.house.mode("csr-16"), setup.house.mode("csr-23")) == ("off", "enforce")
    assert setup.modes.house(setup.house, queue="service").mode("csr-23") == "observe"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            "{csr-16: of}",
            "callflow.yaml:4:19: 'of' is not known here; did you mean 'off'? Known are enforce, observe, off",
        ),
        (
            "{csr-61: off}",
            "callflow.yaml:4:11: 'csr-61' is not carried; none of the 37 known",
        ),
    ],
)
def test_modes_of_rules_that_are_none(tmp_path: Path, changed: str, told: str) -> None:
    assert told in "\n".join(faults(tmp_path, MANNERS.replace("{csr-16: off}", changed)))


def test_modes_for_a_queue_that_is_none(tmp_path: Path) -> None:
    told = "callflow.yaml:5:12: there is no queue 'servise' under seats.queues; did you mean 'service'?"
    text = MANNERS.replace("queues: {service: {csr-23", "queues: {servise: {csr-23")
    assert faults(tmp_path, text) == [told]


TAPED = FLOW.replace("{do: say, say: our_hours, next: close}", "{do: message, next: close}")
NO_FOLDER = "shop.yaml:8:14: a message needs a folder: say `recordings: DIR` in the configuration"


def test_messages_need_a_folder_that_is_there(tmp_path: Path) -> None:
    write(tmp_path, TAPED, "shop.yaml")
    assert faults(tmp_path, "flow: shop.yaml\n") == [NO_FOLDER]
    text = "flow: shop.yaml\nrecordings: tapes\n"
    told = faults(tmp_path, text)
    assert [each.partition(" '")[0] for each in told] == ["callflow.yaml:3:13: there is no folder"]
    (tmp_path / "tapes").mkdir()
    assert read(tmp_path, text).config.recordings == tmp_path / "tapes"


def test_another_flow_is_held_to_the_same(tmp_path: Path) -> None:
    flow = write(tmp_path, TAPED, "shop.yaml")
    with pytest.raises(SourceError) as caught:
        config.with_flow(config.default(), flow)
    assert [str(fault).partition("shop.yaml")[2] for fault in caught.value.faults] == [NO_FOLDER[9:]]


NUMBERED = FLOW.replace(
    "{do: say, say: our_hours, next: close}",
    "{do: take_number, say: leave_number, next: close, otherwise: close}",
)


def test_every_number_that_a_caller_may_key_can_be_read_back(tmp_path: Path) -> None:
    write(tmp_path, NUMBERED, "shop.yaml")
    setup = read(tmp_path, "flow: shop.yaml\n")
    names = setup.spell("number_is", {"number": "01234567890"})
    assert set(names) <= setup.spelling.keys()
    assert all(name.startswith("number_is?") for name in names)
    spoken = sum(len(setup.spelling[name]) for name in names)
    assert spoken >= len(setup.prompts.pcm("number_is", {"number": "01234567890"}))
    # What is only known in a call is wanted of nobody's configuration.
    assert "number" not in setup.config.fields


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("您的号码是{number}", "{number} of 'number_is' is '0123456789': '0' is not in 'few'"),
        ("您的号码", "the prompt 'number_is' reads a number back and has no slot {number}"),
    ],
)
def test_a_number_that_cannot_be_read_back_is_a_fault(tmp_path: Path, text: str, told: str) -> None:
    write(tmp_path, NUMBERED, "shop.yaml")
    own = tmp_path / "own"
    own.mkdir()
    sound = (resources.PROMPTS / "seat_ready.wav").read_bytes()
    (own / "a.wav").write_bytes(sound)
    made = f"file: a.wav, sha256: {hashlib.sha256(sound).hexdigest()}"
    slots = f"slots: {{number: few}}, parts: [{{{made}}}]" if "{" in text else made
    lists = f"lists: {{few: {{'1': {{text: 幺, {made}}}}}}}\n"
    write(own, f"{PROMPTS}  number_is: {{text: '{text}', {slots}}}\n{lists}", "prompts.yaml")
    assert faults(tmp_path, "flow: shop.yaml\nprompts: {overlays: [own]}\n") == [f"shop.yaml:8:9: {told}"]
