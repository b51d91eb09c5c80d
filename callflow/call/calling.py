"""Who calls, as phones are to show it; and how a recording is called whose slots a call fills."""

from collections.abc import Mapping
from dataclasses import dataclass

from callflow.events import Event, PromptFinished, PromptStarted, PromptStopped
from callflow.sip.happenings import Invited
from callflow.sip.headers import NameAddress
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Calling:
    """Who calls, as a seat's phone is to show it."""

    caller: NameAddress
    called: str = ""
    """The number that the caller dialled."""
    hops_left: int = 70
    fields: tuple[tuple[str, str], ...] = ()
    """What else is passed on: who it really is or that nobody shall know, and who was called first."""


def calling_as(invited: Invited, host: str) -> Calling:
    """Who calls, and what of it is passed on (RFC 3323, 3325, 5806): nothing of who wants to be nobody."""
    diverted = (("diversion", f"<sip:{invited.diverted_from}@{host}>"),) if invited.diverted_from else ()
    if invited.private:
        nobody = NameAddress(Uri("sip", "anonymous", "anonymous.invalid"), "Anonymous")
        return Calling(nobody, invited.called, invited.hops_left, (("privacy", "id"), *diverted))
    who = NameAddress(Uri("sip", invited.caller, host), invited.display)
    asserted = ("p-asserted-identity", str(who))
    return Calling(who, invited.called, invited.hops_left, (asserted, *diverted))


def recording(prompt: str, fields: Mapping[str, str]) -> str:
    """The name under which the plane has a prompt whose slots are filled like that."""
    return "?".join([prompt, *(f"{name}={value}" for name, value in sorted(fields.items()))])


def heard_as(event: Event) -> Event:
    """What the plane tells of a prompt, with the prompt's own name, whatever its slots were filled with."""
    match event:
        case PromptStarted(prompt=prompt) | PromptFinished(prompt=prompt) | PromptStopped(prompt=prompt):
            return type(event)(prompt.partition("?")[0])
    return event
