"""Callers' messages on disk, and on their way there from a real plane."""

import asyncio
import os
import stat
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from callflow.adapters.message_files import MessageFiles, line_of
from callflow.adapters.softphone import Softphone
from callflow.call.recorder import Message, Written
from callflow.codec import Law
from callflow.config import Setup, with_flow
from callflow.demo.stage import speech
from callflow.media.g711 import encode
from callflow.media.messages import Recorded
from tests.sockets.test_service import line, serving

pytestmark = [pytest.mark.sockets, pytest.mark.acceptance]

FLOW = """\
callflow: 1
name: away
title: 留言
house: csr-standard
start: greet
steps:
  greet: {do: greet, next: message}
  message: {do: message, at_most: 30s, next: close}
  close: {do: close, more: message}
"""


def piece(begun: float, *, law: Law = Law.PCMU, level: int = 8000, samples: int = 8000) -> Recorded:
    audio = encode(np.full(samples, level, np.int16), law)
    return Recorded(True, law.row, begun, audio.tobytes())


def write(folder: Path, *messages: Message) -> list[Written]:
    files, told = MessageFiles(folder), list[Written]()
    files.on_written = told.append
    refused = [files.write(message) for message in messages]
    files.close()
    assert refused == [None] * len(messages)
    return told


def read(path: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(str(path)) as sound:
        assert sound.getparams()[:3] == (1, 2, 8000)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.int16)


def test_a_message_is_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    assert write(tmp_path, Message("c", 3, (piece(5.0), piece(6.0, law=Law.PCMA)))) == [
        Written(3, "c-3.wav", 2.0)
    ]
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path) == pytest.approx(np.full(16_000, 8000), rel=0.05)


def test_where_nothing_came_the_line_is_silent() -> None:
    heard = line_of([piece(5.0), piece(8.0), piece(9.02)])
    assert heard.size == 5 * 8000
    silent = np.flatnonzero(np.abs(heard) < 100)
    assert (silent[0], silent[-1], silent.size) == (8000, 23_999, 16_000)


def test_a_full_disk_leaves_nothing_behind_and_the_next_message_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]

    def fsync(descriptor: int) -> None:
        if full:
            full.clear()
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    told = write(tmp_path, Message("a", 1, (piece(0.0),)), Message("b", 2, (piece(0.0),)))
    assert told == [Written(1, why="enospc"), Written(2, "b-2.wav", 1.0)]
    assert [path.name for path in tmp_path.iterdir()] == ["b-2.wav"]


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    assert write(tmp_path / "gone", Message("a", 1, (piece(0.0),))) == [Written(1, why="enoent")]


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    assert write(inside, Message("../../a", 1, (piece(0.0),)))[0].file == "a-1.wav"
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


@pytest.mark.parametrize("ends", ["by key", "by hanging up"])
async def test_what_a_caller_says_over_rtp_is_what_the_file_has(
    setup: Setup, tmp_path: Path, ends: str
) -> None:
    folder, flow = tmp_path / "messages", tmp_path / "away.yaml"
    folder.mkdir()
    flow.write_text(FLOW, encoding="utf-8")
    setup = replace(setup, config=setup.config.model_copy(update={"recordings": folder}))
    words = speech()
    async with (
        serving(with_flow(setup, flow)) as (service, facts),
        Softphone.open(line(service)) as phone,
    ):
        await phone.call("10086")
        await facts.said("greeting")
        await phone.press("1")
        await facts.said("message_after_tone")
        await asyncio.sleep(0.5)
        await phone.speak(encode(words, Law.PCMU).tobytes())
        await asyncio.sleep(0.3)
        await (phone.press("#") if ends == "by key" else phone.hang_up())
        ticket = await facts.first("ticket.opened")
        if ends == "by key":
            await facts.said("message_taken")
            await phone.hang_up()
        await facts.first("call.ended")
    (path,) = folder.iterdir()
    assert ticket.details["file"] == path.name
    heard = read(path)
    assert ticket.details["seconds"] == pytest.approx(heard.size / 8000, abs=0.001)
    # The words stand in the file as loud as they were said, wherever in it.
    loudest = np.convolve(heard.astype(float) ** 2, np.ones(words.size), "valid").max()
    assert loudest == pytest.approx((words.astype(float) ** 2).sum(), rel=0.2)
