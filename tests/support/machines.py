"""Drives a rule's machine on numbers: what it does, and when."""

from typing import Any

from callflow.actions import Action
from callflow.etiquette.machine import Machine
from callflow.events import Event, Heard, LineHeard

Done = tuple[float, Action]


def run_until(machine: Machine[Any], end: float) -> list[Done]:
    """Let time pass to `end`: every action, with its time."""
    done: list[Done] = []
    while machine.deadline is not None and machine.deadline <= end:
        at = machine.deadline
        done += [(round(at, 6), action) for action in machine.tick(at)]
    return done


def play(machine: Machine[Any], *happenings: tuple[float, Event], end: float) -> list[Done]:
    """Hand over the events at their times and let time pass between them and to `end`."""
    done: list[Done] = []
    for at, event in happenings:
        done += run_until(machine, at)
        done += [(round(at, 6), action) for action in machine.receive(event, at)]
    return [*done, *run_until(machine, end)]


def sound(at: float, seconds: float) -> tuple[tuple[float, Event], tuple[float, Event]]:
    """A sound of that length; its end is told 0.4 s later, as the plane does."""
    begins = (at, LineHeard(Heard.SOUND, at))
    return begins, (at + seconds + 0.4, LineHeard(Heard.SILENCE, at + seconds))
