"""What is wrong with a flow of the right shape: steps that are missing, not reached, or without an end."""

from collections.abc import Iterator, Mapping, Sequence

from callflow.document import Document
from callflow.errors import Fault, Unknown
from callflow.flow.model import (
    CloseStep,
    Flow,
    GreetStep,
    MenuStep,
    MessageStep,
    SayStep,
    SeatStep,
    Step,
    TakeNumberStep,
    ways_out,
)


def faults_of(flow: Flow, source: Document) -> list[Fault]:
    """Every fault in how the steps hang together."""
    missing = _missing_steps(flow, source)
    if missing:
        # What is reachable can only be told of a flow whose ways all lead somewhere.
        return missing
    return [
        *_bad_start(flow, source),
        *_unreached(flow, source),
        *(_no_close(flow, source) or _endless(flow, source)),
    ]


def _missing_steps(flow: Flow, source: Document) -> list[Fault]:
    ways: list[tuple[tuple[str, ...], str]] = [(("start",), flow.start)]
    for name, step in flow.steps.items():
        ways += [(("steps", name, *place), to) for place, to in ways_out(step)]
    return [
        source.fault(place, f"there is no step {to!r}", unknown=Unknown(to, flow.steps))
        for place, to in ways
        if to not in flow.steps
    ]


def _bad_start(flow: Flow, source: Document) -> list[Fault]:
    faults = []
    start_greets = isinstance(flow.steps[flow.start], GreetStep)
    if not start_greets and not isinstance(flow.steps[flow.start], SeatStep):
        what = f"a flow starts by greeting, or with a seat that does; {flow.start!r} has no `do: greet`"
        faults.append(source.fault(("start",), what))
    for name, step in flow.steps.items():
        if isinstance(step, GreetStep) and name != flow.start:
            faults.append(source.fault(("steps", name), "only the start greets", at_key=True))
        if isinstance(step, SeatStep) and step.answer == "with_seat" and name != flow.start:
            what = "only the start can wait before the answer: here the call is answered already"
            faults.append(source.fault(("steps", name, "answer"), what))
        for place, to in ways_out(step):
            if to == flow.start and start_greets:
                faults.append(source.fault(("steps", name, *place), "a caller is greeted only once"))
    return faults


def _unreached(flow: Flow, source: Document) -> list[Fault]:
    reached, ahead = set(), [flow.start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += [to for _, to in ways_out(flow.steps[name])]
    return [
        source.fault(("steps", name), f"no way leads to the step {name!r}", at_key=True)
        for name in flow.steps
        if name not in reached
    ]


def _no_close(flow: Flow, source: Document) -> list[Fault]:
    """Steps from which the caller can never come to the closing: a call that only the limit ends."""
    leading: dict[str, list[str]] = {}
    for name, step in flow.steps.items():
        for _, to in ways_out(step):
            leading.setdefault(to, []).append(name)
    closing = set[str]()
    ahead = [name for name, step in flow.steps.items() if isinstance(step, CloseStep)]
    while ahead:
        name = ahead.pop()
        if name not in closing:
            closing.add(name)
            ahead += leading.get(name, ())
    return [
        source.fault(("steps", name), f"from {name!r} no way leads to a step that closes", at_key=True)
        for name in flow.steps
        if name not in closing
    ]


def _endless(flow: Flow, source: Document) -> list[Fault]:
    """Ways that come back to where they began without anything that a caller or a seat does, for ever."""
    silent = {name: [*_of_itself(step)] for name, step in flow.steps.items()}
    found: list[Fault] = []
    for circle in _circles({name: [to for _, to in ways] for name, ways in silent.items()}):
        asks = any(isinstance(flow.steps[name], MenuStep | TakeNumberStep) for name in circle)
        waits = any(isinstance(flow.steps[name], SeatStep) for name in circle)
        if asks and waits:
            # Who waits for a seat and is asked meanwhile is not left alone.
            continue
        for name in circle:
            for place, to in silent[name]:
                if to in circle:
                    what = f"from here the flow comes back to {name!r} for ever, though nobody does anything"
                    found.append(source.fault(("steps", name, *place), f"{what}; lead to another step"))
    return found


def _of_itself(step: Step) -> Iterator[tuple[tuple[str, ...], str]]:
    """The ways out of a step that need nobody to do anything."""
    match step:
        case SayStep() | MessageStep():
            yield ("next",), step.next
        case MenuStep():
            yield ("otherwise", "then"), step.otherwise.then
        case TakeNumberStep():
            yield ("otherwise",), step.otherwise
        case SeatStep():
            yield ("nobody",), step.nobody


def _circles(ways: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """The sets of steps that lead to each other, where each step has one way out at most."""
    circles: list[set[str]] = []
    seen = set[str]()
    for name in ways:
        passed: dict[str, None] = {}
        here: str | None = name
        while here is not None and here not in seen:
            seen.add(here)
            passed[here] = None
            here = next(iter(ways[here]), None)
        if here in passed:
            trail = [*passed]
            circles.append(set(trail[trail.index(here) :]))
    return circles
