"""Who watches over a caller's line in one call: which checks are begun, and by whom.

Alone with the caller, callflow begins them by itself: after the greeting, and where the flow has got no
answer. While a seat is joined, only the seat does. What is switched off is not begun; what is only observed
is noted, but a seat that asks for it gets it: its own ears are nothing that would have to be calibrated.
"""

from typing import Any, Final

from callflow.actions import Action, Conclude, Note
from callflow.etiquette.house import House
from callflow.etiquette.line_script import Script
from callflow.etiquette.machine import Machine
from callflow.etiquette.no_response import NoResponse
from callflow.etiquette.seats_check import SeatsCheck
from callflow.etiquette.seats_words import SeatsWords
from callflow.etiquette.shadow import Shadow
from callflow.etiquette.silent_line import SilentLine
from callflow.events import LineHeard, LineJudged, LineRequested, LineWish, Outcome

UNCHECKED: Final = Conclude(None, Outcome.UNCHECKED)


class LineWatch:
    """One call's checks of its line, and what is known of it."""

    def __init__(self) -> None:
        self.at_fault = False
        """Whether it is our side that lets nothing of this call through."""
        self.seats_words: SeatsWords | None = None
        """What a seat may have said for it now."""
        self.judged: LineJudged | None = None
        """What the line was found to be last."""

    # --- what callflow begins by itself ---

    def after_greeting(self, house: House) -> list[Machine[Any]]:
        """The watch from the greeting on, and beside it what is only observed."""
        if not house.enforces("csr-01"):
            return []
        silence, greeting = house.silent_line, house.answering.greeting
        watch: list[Machine[Any]] = []
        if house.enforces(silence.rule):
            faint, noisy = (script if house.enforces(script.rule) else None for script in _unclear(house))
            script = Script.of_silence(silence)
            watch.append(SilentLine(script, greeting, faint=faint, noisy=noisy, at_fault=self.at_fault))
        rules = {silence.rule, *(script.rule for script in _unclear(house))}
        observed = sorted(rule for rule in rules if house.observes(rule))
        return [*watch, *([Shadow(self.ideal(house), *observed, hears=greeting)] if observed else [])]

    def ideal(self, house: House) -> SilentLine:
        """The watch as it would be where all its rules were in force."""
        faint, noisy = (None if house.mode(each.rule) == "off" else each for each in _unclear(house))
        silent = Script.of_silence(house.silent_line)
        return SilentLine(silent, house.answering.greeting, faint=faint, noisy=noisy)

    def no_response(self, house: House, now: float) -> tuple[NoResponse | None, list[Action]]:
        """log-04: the check, if the house has one, and how it begins; else that there is none."""
        manners = house.no_response
        if manners is None or house.mode(manners.rule) == "off":
            return None, [UNCHECKED]
        if house.observes(manners.rule):
            would = {"would": "say", "prompt": manners.last}
            return None, [Note("rule.observed", manners.rule, would), UNCHECKED]
        script = Script.of(manners, Outcome.SILENT, house.silent_line.our_fault)
        check = NoResponse.of(script, at_fault=self.at_fault)
        return check, check.begin(now)

    # --- what a seat begins ---

    def words(self, house: House) -> SeatsWords:
        """What a seat may have said for it; the volume stays as it was when another seat comes."""
        volume = self.seats_words.volume if self.seats_words else 0
        lift, louder = house.mode("csr-05") != "off", house.mode("csr-10") != "off"
        self.seats_words = SeatsWords(house.seats_words, volume, lift=lift, louder=louder)
        return self.seats_words

    def asked(
        self, wanted: LineRequested, house: House, sound: LineHeard | None, now: float
    ) -> tuple[SeatsCheck | None, list[Action]]:
        """The check that the seat wants, if it wants one that the house has, and how it begins."""
        script = _wanted(wanted.wish, house)
        if script is None or house.mode(script.rule) == "off":
            return None, []
        check = SeatsCheck(script, wanted.wish, self.judged, self.at_fault)
        return check, check.begin(now, sounding=sound is not None)


def _unclear(house: House) -> tuple[Script, Script]:
    """What is said on a faint line, and on a noisy one."""
    return Script.of(house.faint_line, Outcome.FAINT), Script.of(house.noisy_line, Outcome.NOISY)


def _wanted(wish: LineWish, house: House) -> Script | None:
    match wish:
        case LineWish.TOO_QUIET:
            return _unclear(house)[0]
        case LineWish.TOO_NOISY:
            return _unclear(house)[1]
        case LineWish.SILENT if house.no_response:
            return Script.of(house.no_response, Outcome.SILENT, house.silent_line.our_fault)
        case LineWish.SILENT:
            return Script.of_silence(house.silent_line)
    return None
