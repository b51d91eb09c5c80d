"""What a seat's phone shows while its caller is asked, waits, or is to be given back."""

from collections.abc import Iterable, Mapping
from typing import Final

from callflow.actions import Notice
from callflow.sip.calls import Calls
from callflow.sip.happenings import Output
from callflow.sip.headers import NameAddress

WORDS: Final[Mapping[Notice, str]] = {
    Notice.ASKING: "正在询问客户是否等候",
    Notice.CALLER_WAITS: "客户同意等候",
    Notice.CALLER_WILL_NOT_WAIT: "客户不愿等候",
    Notice.CALLER_WANTS_CALLBACK: "客户要求回电",
    Notice.CALLER_WAITS_LONG: "客户等候已久",
    Notice.CALLER_STAYS: "客户不同意转接",
    Notice.TARGET_RINGS: "客户同意转接",
    Notice.TARGET_NOT_THERE: "对方未接听",
    Notice.TOO_OFTEN: "转接次数已满",
    Notice.SAY_BRIEF: "请说明来意",
    Notice.TAKEN_BACK: "已取消转接",
    Notice.PHONE_ON_HOLD: "请按电话上的恢复键",
}
"""Short enough for a desk phone's display."""


def show(calls: Calls, session: str, caller: NameAddress, notice: Notice | None, now: float) -> list[Output]:
    """Show a notice on the phone, or `caller` again: by UPDATE with another asserted identity (RFC 3325).

    A phone that takes no UPDATE gets a MESSAGE (RFC 3428), where it takes that; with neither the seat
    has its page.
    """
    if calls.allows(session, "UPDATE"):
        shown = str(shown_as(caller, notice))
        return calls.ask(session, "UPDATE", ("p-asserted-identity", shown), now=now)
    if notice is not None and calls.allows(session, "MESSAGE"):
        text = WORDS[notice].encode()
        return calls.ask(session, "MESSAGE", ("content-type", "text/plain;charset=UTF-8"), now=now, body=text)
    return []


def shown_as(caller: NameAddress, notice: Notice | None) -> NameAddress:
    """The caller with the notice for a name; the number stays."""
    return caller if notice is None else caller._replace(display=WORDS[notice])


def fields_with(fields: Iterable[tuple[str, str]], notice: Notice | None) -> tuple[tuple[str, str], ...]:
    """An INVITE's header fields, so that the asserted identity does not take the notice's place."""
    asserted = "p-asserted-identity"
    return tuple(
        (name, str(shown_as(NameAddress.parse(value), notice)) if name == asserted else value)
        for name, value in fields
    )
