"""Why a seat cannot have what its page asks for, as a word for machines."""

from collections.abc import Callable
from typing import Final

from callflow.call.desk_view import Act, Matter, View
from callflow.call.seats import SeatState

_IN_A_CALL: Final = (SeatState.RINGING, SeatState.TALKING, SeatState.HOLDING)
_ASKED: Final = (Matter.ASKED, Matter.TRANSFER_ASKED, Matter.AGREED)
_TRANSFERRED: Final = (Matter.TARGET_RINGS, Matter.TARGET_ASKED)


def why_not(act: Act, view: View) -> str:
    """Empty where a seat that sees `view` may do `act`."""
    return _REASONS.get(act, _speaks)(view)


def _moves(view: View) -> str:
    return "in_a_call" if view.state in _IN_A_CALL else ""


def _leaves(view: View) -> str:
    return _moves(view) or ("" if view.phone else "not_logged_in")


def _serves(view: View) -> str:
    if not view.caller:
        return "no_call"
    return "not_yours" if view.target or view.state == SeatState.RINGING else ""


def _answers(view: View) -> str:
    return _serves(view) or ("" if view.matter in (Matter.ASKED, Matter.TRANSFER_ASKED) else "nothing_asked")


def _resumes(view: View) -> str:
    waits = view.state == SeatState.HOLDING or view.deaf or view.matter in (*_ASKED, *_TRANSFERRED)
    return _serves(view) or ("" if waits else "nobody_waits")


def _is_checked(view: View) -> str:
    return _serves(view) or ("" if view.matter == Matter.LINE_CHECKED else "no_check")


def _transfers(view: View) -> str:
    if why := _serves(view):
        return why
    if view.unheard:
        return "not_heard_yet"
    if view.matter in _ASKED:
        return "caller_is_asked"
    return "transfer_runs" if view.matter in _TRANSFERRED else ""


def _speaks(view: View) -> str:
    """What may be done by a seat that speaks with its caller."""
    if why := _transfers(view):
        return why
    if view.state == SeatState.HOLDING:
        return "caller_waits"
    return "on_hold" if view.deaf else ""


def _accepts(view: View) -> str:
    if why := _declines(view):
        return why
    if view.state == SeatState.RINGING:
        return "not_answered"
    return "" if view.asked else "brief_plays"


def _declines(view: View) -> str:
    if not view.target:
        return "no_transfer"
    return "" if view.asked or view.state == SeatState.RINGING else "brief_plays"


_REASONS: Final[dict[Act, Callable[[View], str]]] = {
    Act.LOGIN: _moves,
    Act.LOGOUT: _moves,
    Act.READY: _leaves,
    Act.AWAY: _moves,
    Act.DESCRIBE: _serves,
    Act.YES: _answers,
    Act.NO: _answers,
    Act.RESUME: _resumes,
    Act.STOP: _is_checked,
    Act.TRANSFER: _transfers,
    Act.ACCEPT: _accepts,
    Act.DECLINE: _declines,
}
