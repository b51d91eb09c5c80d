"""`callflow hear`: recordings of any make are heard; a trunk's thresholds are read back as printed."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from callflow.adapters.listening import listen, suggested
from callflow.adapters.recordings import CannotHear, read, recordings
from callflow.cli.hear import hear
from callflow.codec import Law
from callflow.config_hearing import HearingConfig
from callflow.events import Heard, LineHeard, LineState
from callflow.media.g711 import encode
from callflow.media.thresholds import Thresholds
from tests.support.rtp_packets import Samples, noise, quiet, speech, tone

pytestmark = pytest.mark.pure

CALL = np.concatenate([quiet(2.0), speech(1.5, -25.0, 3), quiet(2.0)])


def written(path: Path, samples: Samples, rate: int = 8000, width: int = 2, channels: int = 1) -> Path:
    """A WAV of it, each sample as often as the rate asks."""
    wide = np.repeat(samples.astype(np.int64), rate // 8000)
    scaled = wide // 256 + 128 if width == 1 else wide << 8 * (width - 2)
    data = scaled.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width]
    frames = np.repeat(data[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as sound:
        sound.setparams((channels, width, rate, len(wide), "NONE", ""))
        sound.writeframes(frames.tobytes())
    return path


def sounds(path: Path) -> list[float]:
    """When a person was heard, since when."""
    told = listen(read(path), Thresholds()).told
    return [event.since for _, event in told if isinstance(event, LineHeard) and event.heard is Heard.SOUND]


@pytest.mark.parametrize(
    ("rate", "width", "channels"), [(8000, 2, 1), (16000, 2, 2), (48000, 3, 1), (8000, 1, 1)]
)
def test_a_recording_is_heard_whatever_its_format(
    tmp_path: Path, rate: int, width: int, channels: int
) -> None:
    path = written(tmp_path / "call.wav", CALL, rate, width, channels)
    assert len(read(path)) == len(CALL)
    (since,) = sounds(path)
    assert since == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(("ending", "law"), [(".ulaw", Law.PCMU), (".alaw", Law.PCMA)])
def test_raw_audio_of_a_line_is_heard(tmp_path: Path, ending: str, law: Law) -> None:
    path = tmp_path / f"call{ending}"
    path.write_bytes(encode(CALL, law).tobytes())
    (since,) = sounds(path)
    assert since == pytest.approx(2.0, abs=0.1)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.wav").write_bytes(b"RIFF")
    with pytest.raises(CannotHear):
        read(tmp_path / "other.wav")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CannotHear):
        recordings(empty)


def test_a_folder_is_heard_and_told_as_json(tmp_path: Path) -> None:
    written(tmp_path / "a.wav", CALL)
    written(tmp_path / "b.wav", tone(3.0, -20.0, 450.0))
    told = CliRunner().invoke(hear, [str(tmp_path), "--json"])
    assert told.exit_code == 0
    speaks, sings = (json.loads(line) for line in told.output.splitlines())
    assert speaks["voice"] == pytest.approx(-23, abs=3)
    assert "sound" in {one.get("heard") for one in speaks["told"]}
    assert (sings["voice"], sings["told"][0]["state"]) == (None, LineState.TONE)


def test_a_table_is_told_of_a_recording(tmp_path: Path) -> None:
    told = CliRunner().invoke(hear, [str(written(tmp_path / "a.wav", CALL))], env={"COLUMNS": "140"})
    assert told.exit_code == 0
    assert "speech" in told.output


def test_a_noisy_trunk_gets_thresholds_of_its_own_that_the_configuration_reads(tmp_path: Path) -> None:
    hiss = noise(5.5, -42.0, 4)[: len(CALL)]
    written(tmp_path / "a.wav", np.clip(CALL.astype(int) + hiss, -32768, 32767).astype(np.int16))
    told = CliRunner().invoke(hear, [str(tmp_path), "--trunk", "provider"])
    assert told.exit_code == 0
    printed = yaml.safe_load(told.output)["sip"]["trunks"]["provider"]["hearing"]
    thresholds = HearingConfig.model_validate(printed).over(Thresholds())
    assert thresholds.noisy > Thresholds().noisy
    heard = listen(read(tmp_path / "a.wav"), thresholds)
    assert {state for _, state in heard.states()} <= {LineState.SPEECH, LineState.SILENT}


def test_a_trunk_that_is_like_most_keeps_the_usual() -> None:
    assert suggested([listen(CALL, Thresholds())], Thresholds()) == Thresholds()
    assert suggested([], Thresholds()) == Thresholds()


def test_a_trunk_says_only_what_is_other_than_usual() -> None:
    usual = Thresholds(level=-50.0)
    own = HearingConfig.model_validate({"faint": -47}).over(usual)
    assert (own.level, own.faint, own.clear) == (-50.0, -47.0, usual.clear)


def test_without_matplotlib_a_plot_is_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    path = written(tmp_path / "a.wav", CALL)
    told = CliRunner().invoke(hear, [str(path), "--plot", str(tmp_path / "a.png")])
    assert told.exit_code == 1
    assert "callflow-sip[plot]" in told.stderr
