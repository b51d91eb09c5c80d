"""Ports, addresses, folders and queues that cannot be as a configuration wants them."""

import os
import socket
from pathlib import Path

import pytest

from callflow import config
from callflow.errors import SourceError

pytestmark = pytest.mark.pure


def faults(folder: Path, text: str) -> list[str]:
    path = folder / "c.yaml"
    path.write_text("callflow-config: 1\n" + text, encoding="utf-8")
    return [fault.replace(f"{folder}/", "") for fault in faults_of(path)]


def faults_of(path: Path) -> list[str]:
    try:
        config.read(path)
    except SourceError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sip: {listen: '127.0.0.1:20010'}",
         ["c.yaml:2:15: 20010 is among the audio's ports, and SIP listens there;"
          " give it a port outside of them"]),
        # The odd ports are RTCP's.
        ("media: {ports: 5050-5061}\nsip: {listen: '127.0.0.1:5061'}",
         ["c.yaml:2:16: 5061 is among the audio's ports, and SIP listens there;"
          " give it a port outside of them"]),
        ("http: {listen: '127.0.0.1:20031'}",
         ["c.yaml:2:16: 20031 is among the audio's ports, and the web side listens there;"
          " give it a port outside of them"]),
        ("media: {ports: 9460-9470}",
         ["c.yaml:2:16: 9464 is among the audio's ports, and the web side listens there;"
          " give it a port outside of them"]),
        ("media: {ports: 9460-9470, host: 127.0.0.2}", []),
        ("media: {ports: 9460-9470, host: 0.0.0.0}\nhttp: {listen: '127.0.0.3:9465'}",
         ["c.yaml:2:16: 9465 is among the audio's ports, and the web side listens there;"
          " give it a port outside of them"]),
        ("sip: {listen: '127.0.0.1:9464'}",
         ["c.yaml:1:1: SIP listens at 9464 by TCP already; choose another port"]),
        ("sip: {listen: '127.0.0.1:9464', tcp: false}", []),
        ("http: {listen: '127.0.0.1:0'}\nsip: {listen: '127.0.0.1:0'}", []),
    ],
)  # fmt: skip
def test_a_port_is_not_wanted_twice(tmp_path: Path, text: str, told: list[str]) -> None:
    assert faults(tmp_path, text + "\n") == told


ALONE = (
    "only this machine is let in, and SIP listens at {}: nobody could reach it; "
    "name your PBX, as allow: [192.0.2.1/32]"
)


PHONES = ALONE.partition("; ")[0].replace("nobody could reach it", "no phone could register")
PHONES += "; name your phones, as allow: [192.0.2.0/24]"
ELSEWHERE = (
    "SIP listens at {}, where only this machine can come, and it is not let in: {}; "
    "add 127.0.0.0/8, or let SIP listen at an address of your network"
)
NOBODY = "nobody is let in: {}; name who may come, as allow: [{}]"


@pytest.mark.parametrize(
    ("sip", "told"),
    [
        ("{listen: '0.0.0.0:5060', advertise: 192.0.2.1}", "2:15: " + ALONE.format("0.0.0.0")),
        ("{listen: '192.0.2.1:5060'}", "2:15: " + ALONE.format("192.0.2.1")),
        (
            "{listen: '192.0.2.1:5060', allow: [127.0.0.1/32, 127.1.0.0/16]}",
            "2:40: " + ALONE.format("192.0.2.1"),
        ),
        ("{listen: '192.0.2.1:5060', allow: [127.0.0.1/32, 10.0.0.0/8]}", ""),
        ("{listen: '192.0.2.1:5060', allow: [0.0.0.0/0]}", ""),
        ("{listen: '127.0.0.1:5060', allow: [0.0.0.0/0]}", ""),
        ("{listen: '127.0.0.5:5060'}", ""),
        ("{listen: '127.0.0.5:5060', allow: [127.0.0.6/32, 10.0.0.0/8]}", ""),
        # A trunk is let in wherever it is found.
        ("{listen: '192.0.2.1:5060', trunks: {pbx: {at: 192.0.2.9}}}", ""),
        ("{listen: '192.0.2.1:5060', allow: [], trunks: {pbx: {at: 192.0.2.9}}}", ""),
        # A phone is not.
        (
            "{listen: '192.0.2.1:5060', trunks: {pbx: {at: 192.0.2.9}}, accounts: {1: {password: x}}}",
            "2:15: " + PHONES.format("192.0.2.1"),
        ),
        (
            "{allow: [127.0.0.0/8], listen: '192.0.2.1:5060', trunks: {p: {at: x}}, "
            "accounts: {1: {password: x}}}",
            "2:14: " + PHONES.format("192.0.2.1"),
        ),
        ("{allow: []}", "2:14: " + NOBODY.format("nobody could reach it", "127.0.0.0/8")),
        (
            "{allow: [], accounts: {1: {password: x}}}",
            "2:14: " + NOBODY.format("nobody could reach it", "127.0.0.0/8"),
        ),
        (
            "{allow: [], accounts: {1: {password: x}}, trunks: {p: {at: x}}}",
            "2:14: " + NOBODY.format("no phone could register", "127.0.0.0/8"),
        ),
        (
            "{allow: [0.0.0.0/32, 224.0.0.0/4], listen: '192.0.2.1:5060'}",
            "2:14: " + NOBODY.format("nobody could reach it", "192.0.2.0/24"),
        ),
        ("{allow: [10.0.0.0/8]}", "2:14: " + ELSEWHERE.format("127.0.0.1", "nobody could reach it")),
        (
            "{allow: [10.0.0.0/8], accounts: {1: {password: x}}, trunks: {p: {at: x}}}",
            "2:14: " + ELSEWHERE.format("127.0.0.1", "no phone could register"),
        ),
    ],
)
def test_who_listens_for_others_lets_others_in(tmp_path: Path, sip: str, told: str) -> None:
    assert faults(tmp_path, f"sip: {sip}\n") == ([f"c.yaml:{told}"] if told else [])


NOWHERE = "nothing can be sent to '{}'; write the address that peers reach us at, as 192.0.2.10"
THEIRS = (
    "other machines would be told to send to {}, which is each of them itself; "
    "write the address that they reach this machine at, as 192.0.2.10"
)
LAN = "listen: '0.0.0.0:5060', allow: [127.0.0.0/8, 10.0.0.0/8]"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        *(
            (f"sip: {{advertise: {host}}}", "2:18: " + NOWHERE.format(host))
            for host in ("0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.0.1", "240.0.0.1", "255.255.255.255")
        ),
        ("media: {advertise: 0.0.0.0}", "2:20: " + NOWHERE.format("0.0.0.0")),
        (f"sip: {{advertise: 127.0.0.1, {LAN}}}", "2:18: " + THEIRS.format("127.0.0.1")),
        (
            "sip: {advertise: 127.0.0.1, listen: '0.0.0.0:5060', trunks: {p: {at: 192.0.2.9}}}",
            "2:18: " + THEIRS.format("127.0.0.1"),
        ),
        (
            f"sip: {{advertise: 192.0.2.1, {LAN}}}\nmedia: {{advertise: 127.0.0.1}}",
            "3:20: " + THEIRS.format("127.0.0.1"),
        ),
        (
            f"sip: {{advertise: 192.0.2.1, {LAN}}}\nmedia: {{host: 127.0.0.1}}",
            "3:15: " + THEIRS.format("127.0.0.1"),
        ),
        (f"sip: {{advertise: 192.0.2.1, {LAN}}}\nmedia: {{host: 127.0.0.1, advertise: 192.0.2.1}}", ""),
        (f"sip: {{advertise: 192.0.2.1, {LAN}}}\nmedia: {{host: 0.0.0.0}}", ""),
        # All is on this machine, as far as can be known of a name.
        ("sip: {advertise: 127.0.0.1, listen: '0.0.0.0:5060', trunks: {p: {at: pbx1}}}", ""),
        ("sip: {advertise: 127.0.0.1}", ""),
    ],
)
def test_peers_are_told_to_send_to_where_we_are(tmp_path: Path, text: str, told: str) -> None:
    assert faults(tmp_path, f"{text}\n") == ([f"c.yaml:{told}"] if told else [])


SEATS = (
    "seats:\n  at: {'8001': {password: x, skills: [gas, water]}, '8009': {password: x, supervisor: true}}\n"
)


@pytest.mark.parametrize(
    ("queue", "told"),
    [
        ("{}", ""),
        ("{skills: [gas]}", ""),
        ("{skills: [gas, water]}", ""),
        ("{skills: [supervisor]}", ""),
        ("{skills: [gass]}", "none under seats.at has gass among its skills"),
        ("{skills: [gas, supervisor]}", "none under seats.at has gas, supervisor among its skills"),
    ],
)
def test_a_queue_has_a_seat_that_serves_it(tmp_path: Path, queue: str, told: str) -> None:
    whole = [f"c.yaml:5:23: no seat can serve the queue 'service': {told}"] if told else []
    assert faults(tmp_path, f"{SEATS}  queues:\n    service: {queue}\n") == whole


def test_a_queue_without_any_seat_is_told(tmp_path: Path) -> None:
    told = "c.yaml:2:27: no seat can serve the queue 'service': there is none under seats.at"
    assert faults(tmp_path, "seats: {queues: {service: {}}}\n") == [told]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("journal", "j", ""),
        ("journal", "there/j", ""),
        ("journal", "nowhere/j", "there is no folder 'nowhere'"),
        ("journal", "there", "'there' is a folder; the journal is a file"),
        ("journal", "c.yaml/j", "there is no folder 'c.yaml'"),
        ("journal", "c.yaml", "'c.yaml' is there and is no journal; name a file of the journal's own"),
        ("journal", "/dev/null", "'/dev/null' is no file; the journal is one"),
        ("journal", "x" * 300, "cannot be written: File name too long"),
        ("recordings", "there", ""),
        ("recordings", "nowhere", "there is no folder 'nowhere'"),
        ("recordings", "c.yaml", "there is no folder 'c.yaml'"),
    ],
)
def test_what_is_to_be_written_can_be(tmp_path: Path, key: str, value: str, told: str) -> None:
    (tmp_path / "there").mkdir()
    found = faults(tmp_path, f"{key}: {value}\n")
    assert len(found) == bool(told)
    for fault in found:
        assert fault.startswith(f"c.yaml:2:{len(key) + 3}: ")
        assert told in fault
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["c.yaml", "there"]


@pytest.mark.parametrize("key", ["journal", "recordings"])
def test_a_place_that_refuses_files_is_told(tmp_path: Path, key: str) -> None:
    # Nobody may write there, not even root.
    target = "/proc/self/j" if key == "journal" else "/proc/self"
    (fault,) = faults(tmp_path, f"{key}: {target}\n")
    assert fault.startswith(f"c.yaml:2:{len(key) + 3}: ")
    assert "cannot be written" in fault


@pytest.mark.parametrize(
    "text",
    [
        "opensesame\n",
        "callflow: 1\nname: shop\n",
        '{"fact": "call.arrived", "call": "x"}\n',
        '{"call": "x", "fact": "call.arrived"}\n',
        "[[[[[[",
    ],
)
@pytest.mark.parametrize("name", ["j", "j.new"])
def test_a_journal_takes_the_place_of_no_other_file(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    what = f"'{name}' is there and is no journal; name a file of the journal's own"
    assert faults(tmp_path, "journal: j\n") == [f"c.yaml:2:10: {what}"]
    assert (tmp_path / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 512,
        '{"call":"1","fl',
        '{"ke',
        '{"over": "1"}\n{"call":"b","flow"',
        '\0\0\0\n\ufffd\ufffd\n{"cut_off": "1"}\n',
        '{"sits":{"seat":"8001"}}\n',
    ],
)
def test_a_journal_that_a_crash_has_harmed_is_taken(tmp_path: Path, text: str) -> None:
    (tmp_path / "j").write_text(text, encoding="utf-8")
    assert faults(tmp_path, "journal: j\n") == []


def test_a_pipe_is_no_journal_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "j")
    assert faults(tmp_path, "journal: j\n") == ["c.yaml:2:10: 'j' is no file; the journal is one"]


@pytest.mark.parametrize(
    ("control", "told"),
    [
        ("{}/control.sock", ""),
        ("{}/left.sock", ""),
        # systemd makes that folder.
        ("/run/callflow/own.sock", ""),
        ("{}", "'{}' is a folder; name a socket in it, as '{}/control.sock'"),
        ("{}/c.yaml", "'{}/c.yaml' is there and is no socket; name one that may be made"),
        ("{}/astray", "'{}/astray' is there and is no socket; name one that may be made"),
        ("{}/nowhere/x.sock", "there is no folder '{}/nowhere'"),
        ("{}/c.yaml/x.sock", "there is no folder '{}/c.yaml'"),
        ("/proc/self/x.sock", "no socket can be made in '/proc/self': No such file or directory"),
    ],
)
def test_the_control_socket_can_be_made(tmp_path: Path, control: str, told: str) -> None:
    (tmp_path / "astray").symlink_to(tmp_path / "gone")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left.sock"))
    path = tmp_path / "c.yaml"
    path.write_text(f"callflow-config: 1\nhttp: {{control: '{control}'}}\n".replace("{}", str(tmp_path)))
    told = told.replace("{}", str(tmp_path))
    assert faults_of(path) == ([f"{path}:2:17: {told}"] if told else [])
