"""Ports, addresses, folders and queues that cannot be as a configuration wants them."""

from pathlib import Path

import pytest

from callflow import config
from callflow.errors import SourceError

pytestmark = pytest.mark.pure


def faults(folder: Path, text: str) -> list[str]:
    path = folder / "c.yaml"
    path.write_text("callflow-config: 1\n" + text, encoding="utf-8")
    try:
        config.read(path)
    except SourceError as error:
        return [str(fault).replace(f"{folder}/", "") for fault in error.faults]
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
        ("{listen: '127.0.0.5:5060'}", ""),
        # A trunk is let in wherever it is found.
        ("{listen: '192.0.2.1:5060', trunks: {pbx: {at: 192.0.2.9}}}", ""),
    ],
)
def test_who_listens_for_others_lets_others_in(tmp_path: Path, sip: str, told: str) -> None:
    assert faults(tmp_path, f"sip: {sip}\n") == ([f"c.yaml:{told}"] if told else [])


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
