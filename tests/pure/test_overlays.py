"""Recordings of the admin's own: a misspelt name, a silent file and a forbidden word are found at `check`."""

from pathlib import Path

import pytest

from callflow import config, resources
from callflow.adapters.prompts import PromptLibrary
from callflow.errors import SourceError
from callflow.etiquette.forbidden import Forbidden
from tests.pure.test_prompts import HEAD, tone

pytestmark = pytest.mark.pure

GREETING = "您好，工号{seat}，请问有什么可以帮助您？"


def overlay(folder: Path, text: str, house: str = "csr-standard") -> Path:
    """A configuration with one overlay; `DIGEST` in `text` stands for a recording with sound."""
    digest = tone(folder / "own" / "a.wav")
    prompts = HEAD + text.replace("DIGEST", f"file: a.wav, sha256: {digest}")
    (folder / "own" / "prompts.yaml").write_text(prompts, encoding="utf-8")
    flow = (resources.FLOWS / "hotline.yaml").read_text(encoding="utf-8")
    flow = flow.replace("house: csr-standard", f"house: {house}")
    (folder / "shop.yaml").write_text(flow, encoding="utf-8")
    path = folder / "callflow.yaml"
    path.write_text("callflow-config: 1\nflow: shop.yaml\nprompts: {overlays: [own]}\n", encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    try:
        config.read(path)
    except SourceError as error:
        return [str(fault).replace(f"{path.parent}/", "") for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("key", "meant"),
    [("godbye", "goodbye"), ("good_bye", "goodbye"), ("main_meny", "main_menu"), ("greting", "greeting")],
)
def test_a_misspelt_key_is_told_with_the_nearest(tmp_path: Path, key: str, meant: str) -> None:
    assert faults(overlay(tmp_path, f"  {key}: {{text: 再见。, DIGEST}}\n")) == [
        f"own/prompts.yaml:5:3: unknown prompt '{key}': no call says it, and it replaces nothing; "
        f"did you mean '{meant}'?"
    ]


def test_a_misspelt_list_is_told_too(tmp_path: Path) -> None:
    (told,) = faults(
        overlay(tmp_path, "  goodbye: {text: 再见。, DIGEST}\nlists: {digts: {1: {text: 幺, DIGEST}}}\n")
    )
    assert told.startswith("own/prompts.yaml:6:9: unknown list 'digts': no call says it")
    assert told.endswith("did you mean 'digits'?")


@pytest.mark.parametrize("key", ["main_menu_2", "opening_hours_of_the_branch"])
def test_what_nobody_says_and_is_no_slip_is_a_note(tmp_path: Path, key: str) -> None:
    path = overlay(tmp_path, f"  {key}: {{text: 再见。, DIGEST}}\n")
    (note,) = config.read(path).notes
    assert (note.line, note.column) == (5, 3)
    assert note.what.startswith(f"no call says the prompt '{key}', and it replaces nothing")


def test_a_key_of_another_flow_beside_it_is_good(tmp_path: Path) -> None:
    path = overlay(tmp_path, "  goodbye_a: {text: 再见。, DIGEST}\n")
    assert len(faults(path)) == 1
    other = (tmp_path / "shop.yaml").read_text(encoding="utf-8") + "  last: {do: say, say: goodbye_a}\n"
    (tmp_path / "other.yaml").write_text(other, encoding="utf-8")
    assert config.read(path).notes == ()


def test_a_silent_recording_is_found_with_its_configuration(tmp_path: Path) -> None:
    path = overlay(tmp_path, "  main_menu: {text: 请按一。, file: b.wav, sha256: ZEROS}\n")
    zeros = tone(tmp_path / "own" / "b.wav", 1.0, peak=0)
    own = tmp_path / "own" / "prompts.yaml"
    own.write_text(own.read_text(encoding="utf-8").replace("ZEROS", zeros), encoding="utf-8")
    (told,) = faults(path)
    assert told == (
        "own/prompts.yaml:5:33: b.wav: it is silent from its beginning to its end; record the words again"
    )


@pytest.mark.parametrize(
    ("key", "text", "house", "said"),
    [
        ("goodbye", "喂，说话呀，再不说话我就挂了啊", "csr-standard", "喂，说话呀，再不说话我就挂了啊"),
        (
            "no_sound",
            "您好！说话呀，再不说话，我就挂了啊。",
            "csr-standard",
            "喂，说话呀，再不说话我就挂了啊",
        ),
        ("greeting_again", "喂！说话呀！", "csr-standard", "喂，说话呀"),
        ("goodbye", "没事了吧，您挂下电话吧！", "csr-standard", "喂，没事了吧，您挂{x}电话吧"),
        ("goodbye", "不行就是不行，再见。", "gas-hotline", "不行就是不行"),
        ("goodbye", "不可以，完全不可以。", "logistics", "不可以，完全不可以"),
    ],
)
def test_forbidden_words_are_told_at_their_text(
    tmp_path: Path, key: str, text: str, house: str, said: str
) -> None:
    (told,) = faults(overlay(tmp_path, f"  {key}: {{text: {text}, DIGEST}}\n", house))
    column = len(f"  {key}: {{text: ") + 1
    by = house if said == "不行就是不行" else "csr-standard"
    what = f"the prompt '{key}' has words that {by} forbids: {said}; say it otherwise"
    assert told == f"own/prompts.yaml:5:{column}: {what}"


@pytest.mark.parametrize(
    "text",
    ["感谢来电，再见！", "如果您不知道分机号，请按零。", "请问您有什么需要？", "请说话。", "不行就是不行。"],
)
def test_decent_words_and_those_of_another_document_are_good(tmp_path: Path, text: str) -> None:
    assert faults(overlay(tmp_path, f"  goodbye: {{text: {text}, DIGEST}}\n")) == []


def test_our_own_prompts_have_nothing_that_any_document_forbids() -> None:
    shipped, book = PromptLibrary.load(resources.PROMPTS), resources.rulebook()
    forbidden = [Forbidden(said) for said in book.forbidden.values()]
    assert not [key for key in shipped.keys for each in forbidden if [*each.found_in(shipped.text(key))]]


def test_every_forbidden_utterance_is_found_in_itself() -> None:
    for utterances in resources.rulebook().forbidden.values():
        for said in utterances:
            assert said in Forbidden(utterances).found_in(f"您好。{said.replace('{x}', '总机')}！")
