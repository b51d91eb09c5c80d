"""What a new plane must be told to go on where the old one died: every leg, whom it hears, and what was said.

Keys that were being sent are not sent again: half of a number twice is another number. That they will
never be told of as sent is told instead.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Final

from callflow.events import PromptFinished, PromptStopped
from callflow.media.messages import (
    CloseLeg,
    Command,
    Confer,
    DigitsSent,
    HearTones,
    IgnoreTones,
    Join,
    KeepFrom,
    KeepKeys,
    Latched,
    LegCommand,
    ListenClosely,
    ListenNoLonger,
    LoadPrompt,
    MoveLeg,
    OpenGate,
    OpenLeg,
    Part,
    PassKeys,
    Play,
    PlayBoth,
    PlayMusic,
    PlayTone,
    Record,
    Report,
    SendDigits,
    SetGain,
    ShutGate,
    StopMusic,
    StopPlaying,
    StopRecording,
    ToneFinished,
    Unlatched,
    UnloadPrompt,
)

_SETS: Final[dict[type[LegCommand], str]] = {
    ShutGate: "gate",
    PlayMusic: "music",
    KeepKeys: "keys",
    SetGain: "gain",
    HearTones: "tones",
    Record: "recording",
    ListenClosely: "listening",
    KeepFrom: "kept_from",
}
"""What each setting is about."""
_UNSETS: Final[dict[type[LegCommand], str]] = {
    OpenGate: "gate",
    StopMusic: "music",
    PassKeys: "keys",
    IgnoreTones: "tones",
    StopRecording: "recording",
    ListenNoLonger: "listening",
}


@dataclass(slots=True)
class _Leg:
    opened: OpenLeg
    """As it would have to be opened now."""
    partner: int | None = None
    conference: frozenset[int] = frozenset()
    """All members; the leg is one."""
    settings: dict[str, LegCommand] = field(default_factory=dict)
    """What is other than a new leg has it."""
    saying: Play | PlayTone | None = None
    superseded: int = 0
    """Prompts whose end will still be told, and is not the end of `saying`."""
    presses: bool = False


class Memory:
    """Follows what the plane is told and what it tells."""

    def __init__(self) -> None:
        self._prompts: dict[str, LoadPrompt] = {}
        self._legs: dict[int, _Leg] = {}

    @property
    def legs(self) -> int:
        """Legs that have been opened and not closed."""
        return len(self._legs)

    def note(self, command: Command) -> None:
        """The plane is told this."""
        match command:
            case LoadPrompt(prompt=prompt):
                self._prompts[prompt] = command
            case UnloadPrompt(prompt=prompt):
                self._prompts.pop(prompt, None)
            case OpenLeg(leg=leg) if leg not in self._legs:
                self._legs[leg] = _Leg(command)
            case LegCommand(leg=leg) if leg in self._legs:
                self._note_leg(self._legs[leg], command)

    def hear(self, report: Report) -> None:
        """The plane tells this."""
        leg = self._legs.get(report.leg)
        match report.event:
            case PromptFinished() | PromptStopped() if leg and leg.superseded:
                leg.superseded -= 1
            case PromptFinished() | PromptStopped() | ToneFinished() if leg:
                leg.saying = None
            case Latched(source=source) if leg:
                leg.opened = replace(leg.opened, source=source)
            case Unlatched() if leg:
                leg.opened = replace(leg.opened, source=0)
            case DigitsSent() if leg:
                leg.presses = False

    def lose(self, now: float) -> list[Report]:
        """The plane has died: what it will never tell, and somebody may wait for."""
        lost = [Report(now, number, DigitsSent("")) for number, leg in self._legs.items() if leg.presses]
        for leg in self._legs.values():
            leg.presses, leg.superseded = False, 0
        return lost

    def commands(self) -> list[Command]:
        """What makes a new plane like the old one; what was being said begins again."""
        legs = self._legs.values()
        settings = [command for leg in legs for command in leg.settings.values()]
        saying = [leg.saying for leg in legs if leg.saying]
        # To be joined opens the gates, so it comes before what shuts them.
        return [*self._prompts.values(), *(leg.opened for leg in legs), *self._joined(), *settings, *saying]

    def _joined(self) -> list[Command]:
        groups = {frozenset(self._both(number)) for number in self._legs}
        pairs = sorted(sorted(group) for group in groups if len(group) == 2)
        conferences = sorted(
            sorted(group) for group in {leg.conference for leg in self._legs.values()} if group
        )
        return [
            *(Join(one, other) for one, other in pairs),
            *(Confer(first, tuple(others)) for first, *others in conferences),
        ]

    def _note_leg(self, leg: _Leg, command: LegCommand) -> None:
        match command:
            case MoveLeg():
                leg.opened = _moved(leg.opened, command)
            case Join() | Confer() | Part() | CloseLeg():
                self._note_company(command)
            case Play() | PlayBoth() | PlayTone() | SendDigits() | StopPlaying():
                self._note_said(leg, command)
            case _:
                _note_setting(leg.settings, command)

    def _note_company(self, command: LegCommand) -> None:
        match command:
            case Join(leg=leg, other=other) if other in self._legs and other != leg:
                for one, partner in ((leg, other), (other, leg)):
                    self._part(one)
                    self._legs[one].partner = partner
                    self._legs[one].settings.pop("gate", None)
                    self._legs[one].settings.pop("kept_from", None)
            case Confer(leg=leg, others=others) if set(others) - {leg} and set(others) <= set(self._legs):
                for one in {leg, *others}:
                    self._part(one)
                    self._legs[one].settings.pop("gate", None)
                    self._legs[one].settings.pop("kept_from", None)
                for one in {leg, *others}:
                    self._legs[one].conference = frozenset({leg, *others})
            case Part(leg=leg):
                self._part(leg)
            case CloseLeg(leg=leg):
                self._part(leg)
                del self._legs[leg]

    def _part(self, leg: int) -> None:
        left = self._legs[leg].conference
        for one in self._both(leg):
            self._legs[one].partner = None
        for one in left:
            # Who is alone hears nobody: there is no conference of one.
            rest = left - {leg} if one != leg and len(left) > 2 else frozenset[int]()
            self._legs[one].conference = rest
            if not rest:
                self._legs[one].settings.pop("kept_from", None)

    def _both(self, leg: int) -> list[int]:
        """The leg, and its partner if it has one."""
        partner = self._legs[leg].partner
        return [leg] if partner is None else [leg, partner]

    def _note_said(self, leg: _Leg, command: LegCommand) -> None:
        match command:
            case Play(prompt=prompt) if prompt in self._prompts:
                _say(leg, command)
            case PlayBoth(prompt=prompt) if prompt in self._prompts:
                for one in self._both(command.leg):
                    _say(self._legs[one], Play(one, prompt))
            case PlayTone():
                _say(leg, command)
            case SendDigits() if leg.opened.event_type is not None:
                _say(leg, None)
                leg.presses = True
            case StopPlaying():
                _say(leg, None)


def _moved(opened: OpenLeg, command: MoveLeg) -> OpenLeg:
    """The leg as it would have to be opened after the command."""
    moved = {each.name: getattr(command, each.name) for each in fields(command)}
    port = opened.port if command.port is None else command.port
    if command.remote is None and not command.listens:
        # A side that holds by the address 0.0.0.0 is where it was.
        moved |= {"remote": opened.remote, "expects": opened.expects}
    stays = port == opened.port and moved["remote"] == opened.remote
    return replace(opened, **{**moved, "port": port, "source": opened.source if stays else 0})


def _say(leg: _Leg, command: Play | PlayTone | None) -> None:
    leg.superseded += isinstance(leg.saying, Play)
    leg.saying = command


def _note_setting(settings: dict[str, LegCommand], command: LegCommand) -> None:
    if type(command) in _SETS:
        settings[_SETS[type(command)]] = command
    elif type(command) in _UNSETS:
        settings.pop(_UNSETS[type(command)], None)
