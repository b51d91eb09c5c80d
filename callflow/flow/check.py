"""What is wrong with a flow of the right shape: steps that are missing, not reached, or without an end."""

from collections.abc import Iterable

from callflow.document import Document
from callflow.errors import Fault, Unknown
from callflow.flow.model import CloseStep, Flow, GreetStep, SeatStep, ways_out


def faults_of(flow: Flow, source: Document) -> list[Fault]:
    """Every fault in how the steps hang together."""
    missing = _missing_steps(flow, source)
    if missing:
        # What is reachable can only be told of a flow whose ways all lead somewhere.
        return missing
    return [*_bad_start(flow, source), *_unreached(flow, source), *_no_close(flow, source)]


def missing_prompts(flow: Flow, source: Document, known: Iterable[str]) -> list[Fault]:
    """A fault for each prompt that the flow says and that has no audio."""
    keys = frozenset(known)
    return [
        source.fault(place, f"the prompt {prompt!r} has no audio", unknown=Unknown(prompt, keys))
        for place, prompt in flow.prompts.items()
        if prompt not in keys
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
    closing = {name for name, step in flow.steps.items() if isinstance(step, CloseStep)}
    grown = True
    while grown:
        leading = {name for name, step in flow.steps.items() if closing & {to for _, to in ways_out(step)}}
        grown = not leading <= closing
        closing |= leading
    return [
        source.fault(("steps", name), f"from {name!r} no way leads to a step that closes", at_key=True)
        for name in flow.steps
        if name not in closing
    ]
