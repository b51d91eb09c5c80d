"""What is wrong with the recordings that a configuration lays over ours: names nobody says, words nobody may.

A misspelt key in an overlay changes nothing: the recording that it was to replace is heard on.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from callflow import resources
from callflow.config_said import Sayings
from callflow.document import Document, did_you_mean
from callflow.errors import Fault, SourceError, Unknown
from callflow.etiquette.forbidden import Forbidden
from callflow.named_files import FLOW, HOUSE, head, read_text
from callflow.suggestions import is_slip


def overlay_faults(sayings: Sayings, folder: Path) -> Iterator[Fault]:
    """A fault for each misspelt key of an overlay, and for each prompt with words that the house forbids."""
    for kind, key, source in _unsaid(sayings):
        known = _known(sayings, kind)
        if _is_misspelt(key, known) and not _is_named_in(folder, key):
            what = f"unknown {kind} {key!r}: no call says it, and it replaces nothing"
            yield source.fault((f"{kind}s", key), what, at_key=True, unknown=Unknown(key, known))
    yield from _forbidden(sayings)


def overlay_notes(sayings: Sayings, folder: Path) -> Iterator[Fault]:
    """A note for each key of an overlay that is like no other, and that neither flow nor house names."""
    for kind, key, source in _unsaid(sayings):
        known = _known(sayings, kind)
        if not _is_misspelt(key, known) and not _is_named_in(folder, key):
            near = did_you_mean(key, known)
            what = f"no call says the {kind} {key!r}, and it replaces nothing"
            yield source.fault(
                (f"{kind}s", key), what + near if "did you mean" in near else what, at_key=True
            )


def _unsaid(sayings: Sayings) -> Iterator[tuple[str, str, Document]]:
    """What the overlays have more than what is below them, and nobody names: kind, key and place."""
    prompts = sayings.prompts
    named = {*sayings.said, *(use.key for use in sayings.house.prompt_uses)}
    spoken = {name for key in named & prompts.keys for name in prompts.lists_of(key)}
    for (kind, key), source in prompts.added.items():
        if key not in (named if kind == "prompt" else spoken):
            yield kind, key, source


def _known(sayings: Sayings, kind: str) -> frozenset[str]:
    """The names that such a key may have been meant for."""
    added = {key for each, key in sayings.prompts.added if each == kind}
    return (sayings.prompts.keys if kind == "prompt" else sayings.prompts.list_names) - added


def _is_misspelt(key: str, known: frozenset[str]) -> bool:
    # main_menu_2 is no slip for main_menu.
    return is_slip(key, {each for each in known if _without_digits(each) != _without_digits(key)})


def _without_digits(key: str) -> str:
    return re.sub(r"_?\d+", "", key)


def _is_named_in(folder: Path, key: str) -> bool:
    """Whether another flow or house beside the configuration names it: an overlay may be for several."""
    word = re.compile(rf"(?<!\w){re.escape(key)}(?!\w)")
    for path in sorted(folder.glob("*.yaml")):
        if head(path).kind in (FLOW, HOUSE) and word.search(_text(path)):
            return True
    return False


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except SourceError:
        return ""


def _forbidden(sayings: Sayings) -> Iterator[Fault]:
    """Of what calls may say, what a document of the house forbids; our own prompts have none of it."""
    forbidden = {
        document: Forbidden(said) for document, said in resources.rulebook().forbidden_in(sayings.house)
    }
    for key, source in sayings.prompts.written.items():
        if key not in sayings.said or Path(source.file).parent == resources.PROMPTS:
            continue
        text = sayings.prompts.text(key)
        for document, utterances in forbidden.items():
            # One utterance may be in another.
            said = max(utterances.found_in(text), key=len, default="")
            if said:
                what = f"the prompt {key!r} has words that {document} forbids: {said}; say it otherwise"
                yield source.fault(("prompts", key, "text"), what)
                break
