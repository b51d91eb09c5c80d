"""What a leg is told to be: who hears whom, how it is heard, and what is said to it."""

from callflow.media.dtmf import KEYS
from callflow.media.g711 import gain_row
from callflow.media.messages import (
    AskOpinion,
    Confer,
    HearTones,
    IgnoreTones,
    Join,
    KeepFrom,
    KeepKeys,
    LegCommand,
    ListenClosely,
    ListenNoLonger,
    OpenGate,
    Part,
    PassKeys,
    Play,
    PlayBoth,
    PlayMusic,
    PlayTone,
    PromptUnknown,
    Record,
    SendDigits,
    SetGain,
    ShutGate,
    StopMusic,
    StopPlaying,
    StopRecording,
)
from callflow.media.parts import NO_EVENTS, Parts
from callflow.media.tones import Tone


class Orders:
    """Carries out the commands that leave a leg where it is; `slots` has the slot of each leg."""

    def __init__(self, parts: Parts, slots: dict[int, int]) -> None:
        self._parts = parts
        self._slots = slots

    def carry_out(self, command: LegCommand, now: float) -> bool:
        """Do what a leg of `slots` is told; whether it was possible."""
        return self._join(command, now) or self._set(command, now) or self._say(command, now)

    def _join(self, command: LegCommand, now: float) -> bool:
        """Commands of who hears whom; whether it was one, and possible."""
        slot, bridge, mixer = self._slots[command.leg], self._parts.bridge, self._parts.mixer
        match command:
            case Join(other=other, leg=leg) if other in self._slots and other != leg:
                for one in (slot, self._slots[other]):
                    mixer.leave(one)
                bridge.join(slot, self._slots[other], now)
            case Confer(others=others, leg=leg) if set(others) - {leg} and set(others) <= set(self._slots):
                self._confer([slot, *(self._slots[other] for other in set(others) - {leg})], now)
            case KeepFrom(others=others) if set(others) <= set(self._slots):
                mixer.keep_from(slot, [self._slots[other] for other in others])
            case Part():
                mixer.leave(slot)
                bridge.part(slot, now)
            case _:
                return False
        return True

    def _set(self, command: LegCommand, now: float) -> bool:
        """Commands of how a leg is heard; whether it was one."""
        slot, bridge = self._slots[command.leg], self._parts.bridge
        match command:
            case ShutGate():
                bridge.shut(slot, now)
            case OpenGate():
                bridge.gate[slot] = True
            case KeepKeys():
                bridge.keys_pass[slot] = False
            case PassKeys():
                bridge.keys_pass[slot] = True
            case Record():
                self._parts.taps.open(slot)
            case StopRecording():
                self._parts.untap(slot, now)
            case ListenClosely() | AskOpinion() | ListenNoLonger():
                return self._overhear(slot, command, now)
            case HearTones():
                self._parts.inband.listen(slot)
            case IgnoreTones():
                self._parts.inband.ignore(slot)
            case SetGain(decibels=decibels):
                bridge.gain[slot] = gain_row(decibels)
            case _:
                return False
        return True

    def _overhear(self, slot: int, command: LegCommand, now: float) -> bool:
        """Commands about the second pair of ears; whether it was possible."""
        overhearing = self._parts.overhearing
        match command:
            case ListenClosely():
                overhearing.open(slot)
            case AskOpinion() if overhearing.listens(slot):
                self._parts.tell(slot, now, overhearing.rest(slot))
            case ListenNoLonger():
                overhearing.close(slot)
            case _:
                return False
        return True

    def _say(self, command: LegCommand, now: float) -> bool:
        """Commands of what we say; whether it was one, and possible."""
        slot, bridge, speaker = self._slots[command.leg], self._parts.bridge, self._parts.speaker
        match command:
            case Play(prompt=prompt) if prompt in speaker.player:
                speaker.stop(slot, now)
                speaker.play(slot, prompt)
            case PlayBoth(prompt=prompt) if prompt in speaker.player:
                for one in {slot, max(int(bridge.partner[slot]), -1)} - {-1}:
                    speaker.stop(one, now)
                    speaker.play(one, prompt)
            case PlayMusic(prompt=prompt) if prompt in speaker.player:
                speaker.play_music(slot, prompt)
                return True
            case Play() | PlayBoth() | PlayMusic():
                self._miss(command, now)
                return False
            case StopMusic():
                speaker.stop_music(slot)
                return True
            case PlayTone(hertz=hertz, level=level, seconds=seconds):
                speaker.stop(slot, now)
                speaker.sound(slot, Tone(hertz, level, seconds))
            case SendDigits(digits=digits) if self._can_press(slot, digits):
                if not speaker.presses(slot):
                    speaker.stop(slot, now)
                speaker.press(slot, digits)
            case StopPlaying():
                speaker.stop(slot, now)
                return True
            case _:
                return False
        bridge.hush(slot, now)
        return True

    def _miss(self, command: Play | PlayBoth | PlayMusic, now: float) -> None:
        """A prompt is to be said that is not there: nothing is said any more, and that is told."""
        slot = self._slots[command.leg]
        partner = int(self._parts.bridge.partner[slot])
        is_music = isinstance(command, PlayMusic)
        for one in {slot, partner} - {-1} if isinstance(command, PlayBoth) else {slot}:
            if not is_music:
                self._parts.speaker.stop(one, now)
            self._parts.tell(one, now, PromptUnknown(command.prompt, is_music))

    def _can_press(self, slot: int, digits: str) -> bool:
        takes_keys = self._parts.agreed.event_type[slot] != NO_EVENTS
        return bool(takes_keys) and digits != "" and set(digits) <= set(KEYS)

    def _confer(self, slots: list[int], now: float) -> None:
        for slot in slots:
            self._parts.bridge.part(slot, now)
            self._parts.bridge.gate[slot] = True
        self._parts.mixer.confer(slots)
