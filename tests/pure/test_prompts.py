"""The prompts: what is wrong with a recording is found at start, and nothing is said by halves."""

import hashlib
import json
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from callflow import resources
from callflow.adapters import voice
from callflow.adapters.prompt_manifest import characters, pieces, read
from callflow.adapters.prompts import (
    RATE,
    CannotSpeak,
    PromptLibrary,
    Samples,
    decode,
    fewest,
    level,
    loudness,
)
from callflow.cli.prompts import prompts
from callflow.errors import SourceError

pytestmark = pytest.mark.pure

SHIPPED = Path(__file__).parents[2] / "prompts" / "zh-CN"

HEAD = "callflow-prompts: 1\nlocale: zh-CN\nvoice: studio\nprompts:\n"


def tone(path: Path, seconds: float = 0.5, *, rate: int = RATE, channels: int = 1, peak: float = 0.1) -> str:
    """Write a 1 kHz tone and tell its sha256."""
    samples = peak * 32767 * np.sin(2000 * np.pi * np.arange(round(seconds * rate)) / rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(np.repeat(samples.astype("<i2"), channels).tobytes())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def house(directory: Path, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "prompts.yaml").write_text(text, encoding="utf-8")
    return directory


def small_house(directory: Path) -> Path:
    """A house with one plain prompt, one with a slot, and the digits 0 and 1."""
    hello = tone(directory / "hello.wav")
    zero = tone(directory / "digits" / "0.wav", 0.2)
    one = tone(directory / "digits" / "1.wav", 0.3)
    return house(
        directory,
        f"""{HEAD}
  hello: {{text: 您好。, file: hello.wav, sha256: {hello}}}
  seat:
    text: 工号{{seat}}，为您服务。
    slots: {{seat: digits}}
    parts: [{{file: hello.wav, sha256: {hello}}}, {{file: hello.wav, sha256: {hello}}}]
lists:
  digits:
    0: {{text: 零, file: digits/0.wav, sha256: {zero}}}
    1: {{text: 幺, file: digits/1.wav, sha256: {one}}}
""",
    )


def faults(directory: Path, *overlays: Path) -> list[str]:
    """What `load` finds wrong, each as `line:column: what`."""
    with pytest.raises(SourceError) as error:
        PromptLibrary.load(directory, *overlays)
    return [f"{fault.line}:{fault.column}: {fault.what}" for fault in error.value.faults]


# --- the prompts that ship -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> PromptLibrary:
    return PromptLibrary.load(SHIPPED)


@pytest.mark.parametrize(
    ("rule", "key", "words"),
    [
        ("csr-01", "greeting", "您好，工号{seat}，很高兴为您服务，请问有什么可以帮助您？"),
        ("csr-04", "greeting_again", "您好，请问有什么可以帮助您？"),
        ("csr-04", "no_sound", "对不起，您的电话没有声音，请您换一部电话再次打来，好吗？再见！"),
        ("csr-35", "anything_else", "请问还有什么可以帮助您？"),
        ("csr-35", "goodbye", "感谢您的来电，若有问题请再次来电，谢谢，再见！"),
        ("csr-36", "hanging_up", "对不起，我挂线了。"),
    ],
)
def test_the_prescribed_words_are_spoken_as_prescribed(
    shipped: PromptLibrary, rule: str, key: str, words: str
) -> None:
    assert shipped.text(key) == words, rule


def test_nothing_that_the_standard_flow_says_is_missing(shipped: PromptLibrary) -> None:
    said = {"main_menu", "opening_hours", "contact_details", "wrong_key", "press_1_for_help"}
    assert shipped.missing(said) == frozenset()
    assert shipped.missing(["greeting", "song"]) == {"song"}


def test_every_seat_number_can_be_greeted_with(shipped: PromptLibrary) -> None:
    assert shipped.fields("greeting") == {"seat"}
    read_aloud = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
    for number in [*read_aloud, *(f"{each:02}" for each in range(100)), "8001", "8016", "180018"]:
        words = "".join(read_aloud[digit] for digit in number)
        spoken = shipped.speech_text("greeting", {"seat": number})
        assert spoken == f"您好，工号{words}，很高兴为您服务，请问有什么可以帮助您？"


def test_a_digit_is_spoken_alone_only_where_no_pair_is_left_for_it(shipped: PromptLibrary) -> None:
    lengths = {one.name: one.clip.seconds for one in shipped.recorded}

    def spoken_as(*entries: str) -> float:
        around = lengths["greeting.1"] + lengths["greeting.2"] + 0.25
        return around + sum(lengths[f"digits/{entry}"] + 0.06 for entry in entries)

    for number, entries in (
        ("8001", ["8001"]),
        ("80016", ["8001", "6"]),
        ("08001", ["0", "8001"]),
        ("8016", ["80", "16"]),
        ("123", ["12", "3"]),
    ):
        found = shipped.duration("greeting", {"seat": number})
        # 60 ms before each piece of the number, 250 ms for the comma after it.
        assert found == pytest.approx(spoken_as(*entries), abs=0.001), number


@pytest.mark.parametrize(
    ("value", "entries", "cover"),
    [
        ("", ["1"], ()),
        ("12", ["1", "2"], ("1", "2")),
        ("12", ["1", "2", "12"], ("12",)),
        ("123", ["1", "3", "12", "23"], ("12", "3")),
        # The longest first would end in three pieces, or in none at all.
        ("12345", ["123", "12", "345", "4", "5"], ("12", "345")),
        ("1234", ["123", "12", "34"], ("12", "34")),
        ("13", ["1", "2"], None),
    ],
)
def test_a_value_is_covered_by_the_fewest_entries(
    value: str, entries: list[str], cover: tuple[str, ...] | None
) -> None:
    assert fewest(value, entries) == cover


def test_a_caller_speaks_with_another_voice_than_the_house() -> None:
    callers = PromptLibrary.load(resources.CALLERS)
    assert callers.text("where_are_you_open") == "喂，您好，我想问一下你们几点上班？"
    assert 0.25 <= callers.duration("wei", {}) <= 0.4
    for one in callers.recorded:
        assert one.clip.loudness == pytest.approx(-24, abs=1), one.name
        assert min(one.clip.edges) > -50, one.name
    assert read(resources.CALLERS)[1].voice != read(resources.PROMPTS)[1].voice


def test_every_recording_sounds_from_its_first_20_ms_to_its_last(shipped: PromptLibrary) -> None:
    for one in shipped.recorded:
        assert min(one.clip.edges) > -50, one.name


def test_all_recordings_are_equally_loud_and_none_clips(shipped: PromptLibrary) -> None:
    for one in shipped.recorded:
        assert one.clip.loudness == pytest.approx(-24, abs=0.2), one.name
        assert np.abs(one.clip.samples.astype(int)).max() <= 32767 * 10 ** (-3 / 20), one.name


def test_the_voice_keeps_to_the_telephone_band(shipped: PromptLibrary) -> None:
    samples = shipped.pcm("no_sound", {}).astype(float)
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    outside = power[(frequency < 100) | (frequency > 3800)].sum()
    assert outside < power.sum() / 1000


# --- speaking with slots ---------------------------------------------------------------------------


def test_a_value_is_spoken_digit_by_digit_with_pauses_where_the_text_has_them(tmp_path: Path) -> None:
    library = PromptLibrary.load(small_house(tmp_path / "house"))
    # 0.5 s of words, 0.06 s, 幺 0.3 s, 0.06 s, 零 0.2 s, 0.25 s for the comma, 0.5 s of words.
    assert library.duration("seat", {"seat": "10"}) == pytest.approx(
        0.5 + 0.06 + 0.3 + 0.06 + 0.2 + 0.25 + 0.5
    )
    assert library.speech_text("seat", {"seat": "10"}) == "工号幺零，为您服务。"
    assert library.pcm("seat", {"seat": "1"}).dtype == np.int16


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"seat": "12"}, "{seat} of 'seat' is '12': '2' is not in 'digits'"),
        ({"seat": ""}, "the prompt 'seat' needs a value for {seat}"),
        ({}, "the prompt 'seat' needs a value for {seat}"),
    ],
)
def test_what_cannot_be_said_is_refused_and_never_silence(
    tmp_path: Path, fields: dict[str, str], why: str
) -> None:
    library = PromptLibrary.load(small_house(tmp_path / "house"))
    for say in (library.pcm, library.speech_text, library.duration):
        with pytest.raises(CannotSpeak) as error:
            say("seat", fields)
        assert str(error.value) == why


def test_an_unknown_key_is_refused_with_what_is_near(tmp_path: Path) -> None:
    library = PromptLibrary.load(small_house(tmp_path / "house"))
    with pytest.raises(CannotSpeak, match="there is no prompt 'helo'; did you mean 'hello'"):
        library.pcm("helo", {})


def test_a_text_falls_into_words_slots_and_pauses() -> None:
    found = [(piece.text, piece.is_slot, piece.after_mark) for piece in pieces("您好，{a}{b}，请按{c}。")]
    assert found == [
        ("您好，", False, False),
        ("a", True, True),
        ("b", True, False),
        ("请按", False, True),
        ("c", True, False),
    ]
    assert characters("工号{seat}，请按1。") == 5


# --- overlays --------------------------------------------------------------------------------------


def test_a_house_replaces_a_key_by_its_own_recording(tmp_path: Path) -> None:
    base = small_house(tmp_path / "base")
    own = tone(tmp_path / "own" / "seat.wav", 1.0)
    overlay = house(tmp_path / "own", f"{HEAD}  seat: {{text: 欢迎致电。, file: seat.wav, sha256: {own}}}\n")
    library = PromptLibrary.load(base, overlay)
    assert library.text("seat") == "欢迎致电。"
    assert library.fields("seat") == frozenset()
    assert library.duration("seat", {}) == 1.0
    assert library.text("hello") == "您好。"
    assert [one.name for one in library.recorded] == ["hello", "seat", "digits/0", "digits/1"]


def test_an_overlay_may_speak_a_slot_with_the_list_below_it(tmp_path: Path) -> None:
    base = small_house(tmp_path / "base")
    own = tone(tmp_path / "own" / "seat.1.wav", 1.0)
    overlay = house(
        tmp_path / "own",
        f"{HEAD}  seat: {{text: '{{seat}}号。', slots: {{seat: digits}}, "
        f"parts: [{{file: seat.1.wav, sha256: {own}}}]}}\n",
    )
    assert PromptLibrary.load(base, overlay).speech_text("seat", {"seat": "01"}) == "零幺号。"


def test_a_number_that_was_recorded_whole_is_spoken_whole(tmp_path: Path) -> None:
    base = small_house(tmp_path / "base")
    own = tone(tmp_path / "own" / "10.wav", 0.9)
    overlay = house(
        tmp_path / "own",
        f"{HEAD}  hi: {{text: 喂, file: 10.wav, sha256: {own}}}\n"
        f"lists:\n  digits:\n    10: {{text: 幺零, file: 10.wav, sha256: {own}}}\n",
    )
    library = PromptLibrary.load(base, overlay)
    assert library.speech_text("seat", {"seat": "0101"}) == "工号零幺零幺，为您服务。"
    # Words, 零, 幺零 whole, 幺, words; three joins and one comma.
    assert library.duration("seat", {"seat": "0101"}) == pytest.approx(
        0.5 + 0.2 + 0.9 + 0.3 + 0.5 + 0.18 + 0.25
    )


# --- every bad manifest, with its line -------------------------------------------------------------


def test_a_directory_without_a_manifest_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path) == ["1:1: cannot be read: No such file or directory"]


def test_an_unknown_key_is_a_fault_where_it_stands(tmp_path: Path) -> None:
    bad = house(tmp_path, f"{HEAD}  hello:\n    text: 您好\n    volume: 3\n")
    assert faults(bad) == ["7:5: unknown key 'volume'; known are file, parts, sha256, slots, text"]


def test_a_missing_file_is_a_fault_at_its_name(tmp_path: Path) -> None:
    bad = house(tmp_path, f"{HEAD}  hello: {{text: 您好, file: hello.wav, sha256: {'0' * 64}}}\n")
    assert faults(bad) == ["5:27: hello.wav cannot be read: No such file or directory"]


def test_a_prompt_that_was_never_rendered_is_a_fault(tmp_path: Path) -> None:
    bad = house(tmp_path, f"{HEAD}  hello: {{text: 您好}}\n")
    assert faults(bad) == ["5:10: hello has no file yet; `callflow prompts build` makes one"]


def test_a_wrong_sha256_is_a_fault_that_tells_the_right_one(tmp_path: Path) -> None:
    right = tone(tmp_path / "hello.wav")
    bad = house(tmp_path, f"{HEAD}  hello:\n    text: 您好\n    file: hello.wav\n    sha256: {'0' * 64}\n")
    assert faults(bad) == [f"8:13: hello.wav has the sha256 {right}"]


@pytest.mark.parametrize(
    ("rate", "channels", "what"),
    [
        (16000, 1, "hello.wav: it is 16000 Hz, 1 channels, 16 bit; 8000 Hz, 1 channel, 16 bit PCM is right"),
        (8000, 2, "hello.wav: it is 8000 Hz, 2 channels, 16 bit; 8000 Hz, 1 channel, 16 bit PCM is right"),
    ],
)
def test_a_recording_in_another_format_is_a_fault(
    tmp_path: Path, rate: int, channels: int, what: str
) -> None:
    sha256 = tone(tmp_path / "hello.wav", rate=rate, channels=channels)
    bad = house(tmp_path, f"{HEAD}  hello: {{text: 您好, file: hello.wav, sha256: {sha256}}}\n")
    assert faults(bad) == [f"5:27: {what}"]


NO_WAV = "5:27: hello.wav: not a PCM WAV file; "
ALAW = b"fmt \x10\0\0\0\x06\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x02\0\0\0\x55\x55"
LACKS = "its header is damaged or cut off; copy it or save it again"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"ID3 not a wave file", "it does not begin as one: save it as WAV, 8000 Hz, 1 channel, 16 bit"),
        (b"RIFF\x04\0\0\0AVI ", "it does not begin as one: save it as WAV, 8000 Hz, 1 channel, 16 bit"),
        (b"RIFF\x04\0\0\0WAVE", LACKS),
        (b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0", LACKS),
        (b"RIFF\x26\0\0\0WAVE" + ALAW, "its samples are coded otherwise; save it as 16 bit PCM"),
    ],
)
def test_a_file_that_is_no_wav_is_a_fault_in_our_words(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "hello.wav").write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    bad = house(tmp_path, f"{HEAD}  hello: {{text: 您好, file: hello.wav, sha256: {sha256}}}\n")
    assert faults(bad) == [NO_WAV + why]


def test_a_sha256_may_be_in_capitals(tmp_path: Path) -> None:
    sha256 = tone(tmp_path / "hello.wav").upper()
    text = f"{HEAD}  hello: {{text: 您好, file: hello.wav, sha256: {sha256}}}\n"
    assert PromptLibrary.load(house(tmp_path, text)).keys == {"hello"}


@pytest.mark.parametrize("command", ["list", "check"])
def test_what_ships_is_found_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "prompts" / "zh-CN").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(prompts, [command, "--json"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "greeting" in done.stdout


@pytest.mark.parametrize("peak", [0, 0.0001, 0.003])
def test_a_silent_recording_is_a_fault(tmp_path: Path, peak: float) -> None:
    digest = tone(tmp_path / "a.wav", peak=peak)
    text = f"{HEAD}  a: {{text: 您好。, file: a.wav, sha256: {digest}}}\n"
    assert faults(house(tmp_path, text)) == [
        "5:24: a.wav: it is silent from its beginning to its end; record the words again"
    ]


def test_a_level_that_never_changes_is_silence_too(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(np.full(RATE, 9000, "<i2").tobytes())
    with pytest.raises(ValueError, match="it is silent"):
        decode(path.read_bytes())


def test_a_recording_without_a_sample_is_a_fault(tmp_path: Path) -> None:
    sha256 = tone(tmp_path / "hello.wav", 0)
    bad = house(tmp_path, f"{HEAD}  hello: {{text: 您好, file: hello.wav, sha256: {sha256}}}\n")
    assert faults(bad) == ["5:27: hello.wav: it has no samples"]


@pytest.mark.parametrize("file", ["../hello.wav", "/hello.wav", "hello.mp3"])
def test_a_recording_lies_below_its_manifest(tmp_path: Path, file: str) -> None:
    bad = house(tmp_path, f"{HEAD}  hello: {{text: 您好, file: {file}, sha256: {'0' * 64}}}\n")
    assert faults(bad) == [
        f"5:27: '{file}' must be a .wav below the directory of prompts.yaml, as greeting.wav"
    ]


def test_parts_that_do_not_match_the_slots_are_a_fault(tmp_path: Path) -> None:
    text = (small_house(tmp_path) / "prompts.yaml").read_text(encoding="utf-8")
    bad = house(tmp_path, text.replace("工号{seat}，为您服务。", "工号{seat}。"))
    assert faults(bad) == ["10:12: the text has 1 pieces around its slots, but 2 parts are given"]


def test_parts_of_a_text_without_slots_are_a_fault(tmp_path: Path) -> None:
    sha256 = tone(tmp_path / "hello.wav")
    recording = f"file: hello.wav, sha256: {sha256}"
    bad = house(tmp_path, f"{HEAD}  hello: {{text: 您好, {recording}, parts: [{{{recording}}}]}}\n")
    (fault,) = faults(bad)
    assert fault.endswith("the text has 0 pieces around its slots, but 1 parts are given")


def test_a_slot_needs_a_list_that_exists(tmp_path: Path) -> None:
    text = (small_house(tmp_path) / "prompts.yaml").read_text(encoding="utf-8")
    bad = house(tmp_path, text.replace("{seat: digits}", "{seat: digit}"))
    assert faults(bad) == ["9:19: there is no list 'digit'; did you mean 'digits'?"]


def test_slots_are_those_of_the_text(tmp_path: Path) -> None:
    text = (small_house(tmp_path) / "prompts.yaml").read_text(encoding="utf-8")
    bad = house(tmp_path, text.replace("{seat: digits}", "{chair: digits}"))
    assert faults(bad) == [
        "8:11: the slot {seat} has no list; write slots: {seat: digits}",
        "9:13: the text has no slot {chair}",
    ]


def test_all_faults_of_all_directories_are_told_at_once(tmp_path: Path) -> None:
    first = house(tmp_path / "a", f"{HEAD}  a: {{text: 您好}}\n  b: {{text: 再见}}\n")
    second = house(tmp_path / "b", f"{HEAD}  c: {{text: 谢谢}}\n")
    assert len(faults(first, second)) == 3


# --- the sound -------------------------------------------------------------------------------------


def test_loudness_is_that_of_bs_1770() -> None:
    # EBU Tech 3341's first case, mono: 1 kHz at -23 dBFS peak is -26 LUFS in one channel (-23 in two).
    seconds = np.arange(5 * 48000) / 48000
    sine = 10 ** (-23 / 20) * np.sin(2000 * np.pi * seconds)
    assert loudness(sine, 48000) == pytest.approx(-26.0, abs=0.1)
    assert loudness(sine[::6], 8000) == pytest.approx(-26.0, abs=0.1)
    assert loudness(np.zeros(8000)) == -70.0
    assert level(sine) == pytest.approx(-26.0, abs=0.1)


def test_silence_at_the_ends_is_cut_and_pauses_inside_are_lengthened() -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.1, RATE)
    quiet = np.zeros(RATE // 5)
    trimmed = voice.trim(np.concatenate([quiet, sound, quiet, sound, quiet]))
    assert len(trimmed) / RATE == pytest.approx(2.2, abs=0.03)
    assert len(voice.lengthen_pauses(trimmed, 0.45)) / RATE == pytest.approx(2.45, abs=0.03)
    with pytest.raises(voice.VoiceError, match="silent"):
        voice.trim(quiet)


def test_the_telephone_band_keeps_speech_and_drops_the_rest() -> None:
    seconds = np.arange(24000) / 24000
    for frequency, kept in ((60, False), (300, True), (1000, True), (3300, True), (6000, False)):
        heard = voice.to_telephone(np.sin(2 * np.pi * frequency * seconds))
        assert (level(heard) > -10) == kept, frequency


def test_a_rendered_file_says_what_it_speaks() -> None:
    samples = np.arange(-400, 400, dtype=np.int16)
    for note in ("您好。 (x)", "您好。 (xy)"):
        data = voice.encode(samples, note)
        assert voice.note_in(data) == note
        assert (decode(data).samples == samples).all()
    assert voice.note_in(b"RIFF") is None


# --- callflow prompts ------------------------------------------------------------------------------


def test_list_tells_words_and_length_of_what_ships() -> None:
    done = CliRunner().invoke(prompts, ["list", "--directory", str(SHIPPED), "--json"])
    assert done.exit_code == 0
    rows = {row["key"]: row for row in json.loads(done.stdout)}
    assert rows["hanging_up"]["text"] == "对不起，我挂线了。"
    assert {"greeting.1", "greeting.2", "digits/0"} <= rows.keys()
    assert CliRunner().invoke(prompts, ["list", "--directory", str(SHIPPED)]).exit_code == 0


def test_check_finds_nothing_wrong_with_what_ships() -> None:
    done = CliRunner().invoke(prompts, ["check", "--directory", str(SHIPPED), "--json"])
    assert json.loads(done.stdout)["faults"] == []
    assert done.exit_code == 0


def test_check_tells_silent_ends_and_uneven_loudness(tmp_path: Path) -> None:
    directory = small_house(tmp_path)
    text = (directory / "prompts.yaml").read_text(encoding="utf-8")
    quiet = tone(directory / "hello.wav", peak=0.004)
    before = text.split("sha256: ", 1)[1][:64]
    house(directory, text.replace(before, quiet))
    done = CliRunner().invoke(prompts, ["check", "--directory", str(directory)])
    assert done.exit_code == 1
    assert f"{directory / 'prompts.yaml'}:6:28: its first 20 ms are silent" in done.stderr
    assert "its loudness is" in done.stderr


def test_check_tells_the_place_of_a_bad_manifest(tmp_path: Path) -> None:
    bad = house(tmp_path, f"{HEAD}  hello: {{text: 您好}}\n")
    done = CliRunner().invoke(prompts, ["check", "--directory", str(bad), "--json"])
    assert done.exit_code == 1
    (fault,) = json.loads(done.stdout)["faults"]
    assert (fault["line"], fault["column"]) == (5, 10)


def test_a_wrong_call_is_no_finding() -> None:
    runner = CliRunner()
    assert runner.invoke(prompts, ["check", "--loud"]).exit_code == 2
    assert runner.invoke(prompts, ["build", "--directory", str(SHIPPED), "grating"]).exit_code == 2
    for command in ("list", "check", "build"):
        assert runner.invoke(prompts, [command, "--help"]).exit_code == 0


PACED = """# the words of a small house
callflow-prompts: 1
locale: zh-CN
voice: zf_xiaobei
pace: {speed: 0.8, items: 1.0, comma: 450ms, stop: 600ms, at_most: 220}
prompts:
  hello: {text: 您好。}   # kept
  seat:
    text: 工号{seat}，为您服务。
    slots: {seat: digits}
lists:
  digits:
    "1": {text: 幺, file: one.wav, sha256: ""}
"""


class Hummer:
    """A voice for tests: hums for as long as a text has characters."""

    def __init__(self, kit: voice.Kit) -> None:
        pass

    def say(self, text: str, pace: object, *, speed: float) -> Samples:
        seconds = np.arange(round(RATE * 0.3 * characters(text))) / RATE
        return (3000 * np.sin(2000 * np.pi * seconds)).astype(np.int16)


@pytest.fixture
def build_args(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(voice, "Voice", Hummer)
    kit = [f"--{part}={tmp_path / part}" for part in ("model", "voice-file", "vocabulary")]
    return ["build", "--directory", str(house(tmp_path / "house", PACED)), "--json", *kit]


def test_build_renders_what_is_missing_and_enters_it_without_touching_the_rest(
    build_args: list[str], tmp_path: Path
) -> None:
    done = CliRunner().invoke(prompts, build_args)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rendered"] == ["hello", "seat.1", "seat.2", "digits/1"]
    library = PromptLibrary.load(tmp_path / "house")
    assert library.speech_text("seat", {"seat": "11"}) == "工号幺幺，为您服务。"
    text = (tmp_path / "house" / "prompts.yaml").read_text(encoding="utf-8")
    assert text.startswith("# the words of a small house\n")
    assert "text: 您好。}   # kept\n" in text
    assert yaml.safe_load(text)["lists"]["digits"]["1"]["file"] == "one.wav"

    again = CliRunner().invoke(prompts, build_args)
    assert json.loads(again.stdout)["rendered"] == []


def test_build_renders_changed_words_anew_and_nothing_else(build_args: list[str], tmp_path: Path) -> None:
    CliRunner().invoke(prompts, build_args)
    path = tmp_path / "house" / "prompts.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("您好。", "您好，再见。"), encoding="utf-8")
    checked = CliRunner().invoke(prompts, ["check", "--directory", str(tmp_path / "house")])
    assert checked.exit_code == 1
    assert "it was rendered as '您好。" in checked.stderr

    assert json.loads(CliRunner().invoke(prompts, [*build_args, "seat"]).stdout)["rendered"] == []
    assert json.loads(CliRunner().invoke(prompts, build_args).stdout)["rendered"] == ["hello"]
    assert PromptLibrary.load(tmp_path / "house").duration("hello", {}) == pytest.approx(1.2)


def test_build_never_writes_over_a_recording_that_is_not_its_own(
    build_args: list[str], tmp_path: Path
) -> None:
    own = tone(tmp_path / "house" / "hello.wav", 0.7)
    done = CliRunner().invoke(prompts, build_args)
    assert "hello" in json.loads(done.stdout)["unchanged"]
    assert hashlib.sha256((tmp_path / "house" / "hello.wav").read_bytes()).hexdigest() == own
    assert PromptLibrary.load(tmp_path / "house").duration("hello", {}) == pytest.approx(0.7)


def test_build_without_the_voice_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    kit = [f"--{part}={tmp_path / part}" for part in ("model", "voice-file", "vocabulary")]
    directory = house(tmp_path / "house", PACED)
    done = CliRunner().invoke(prompts, ["build", "--directory", str(directory), *kit])
    assert done.exit_code == 1
    assert "pip install 'callflow-sip[prompts]'" in done.stderr
