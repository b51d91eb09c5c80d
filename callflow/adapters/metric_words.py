"""The words that series are told apart by: closed sets, made of the types that the code uses.

A rate over a series that was not there before its first event misses that event; so every series begins at
zero, and a word that nobody foresaw counts as `other`.
"""

from typing import Final, get_args

from callflow.call.feature_codes import FeatureCodes
from callflow.call.seats import Trouble
from callflow.errors import CallflowError
from callflow.etiquette.consent import Consent
from callflow.etiquette.line_check import Sign
from callflow.events import Ending, LineState, Party
from callflow.sip.refusal import METHODS, OTHER_METHODS

OTHER: Final = "other"

ENDINGS: Final = (*get_args(Ending), *(f"{party}_hung_up" for party in Party))
"""Every way in which a call can end."""

_OF_PROCESSES: Final = tuple(
    f"{process}_{what}"
    for process in ("media_process", "second_opinion")
    for what in ("died", "hung", "failed")
)
_OF_ACCEPTING: Final = tuple(
    f"{side}_{why}" for side in ("accept", "http_accept") for why in ("emfile", "enfile", "enobufs", "enomem")
)
_OF_CALLS: Final = (
    "illegal_event", "message_lost", "leg_without_call", "seat_without_call",
    "prompt_unknown", "prompt_overdue",
)  # fmt: skip
_OF_PYTHON: Final = (
    "AssertionError", "AttributeError", "IndexError", "KeyError", "OSError", "RuntimeError", "TypeError",
    "UnicodeDecodeError", "ValueError", "ZeroDivisionError",
)  # fmt: skip
"""Errors that a fault of ours mostly shows itself by; each counts by its class."""

STATUSES: Final = (
    "400", "401", "402", "403", "404", "405", "406", "407", "408", "410", "412", "413", "414", "415",
    "416", "417", "420", "421", "422", "423", "424", "425", "428", "429", "430", "433", "436", "437",
    "438", "439", "440", "469", "470", "480", "481", "482", "483", "484", "485", "486", "487", "488",
    "489", "491", "493", "494", "500", "501", "502", "503", "504", "505", "513", "555", "580", "600",
    "603", "604", "606", "607", "608",
)  # fmt: skip
"""The status codes of refusals: IANA's registry of SIP response codes, from 400."""

SIGNALLING: Final = {
    "request": (*METHODS, *OTHER_METHODS, OTHER),
    "response": tuple(f"{number}xx" for number in range(1, 7)),
    "rejected": STATUSES,
    "dropped": ("bad_via", "keepalive", "malformed", "not_allowed", "not_sip", "stray_response"),
    "odd": (
        "ack_with_wrong_to_tag", "answered_on_hold", "bye_unanswered", "fault", "gone",
        "info_key_beside_telephone_event", "late_answer", "no_ack", "no_answer", "no_refresh", "stray_ack",
        *(f"feature_code_{key}" for key in (*FeatureCodes.CODES, "3*")),
    ),
    "media": (
        "leg_asked", "leg_lost", "no_other_port", "no_packets", "no_port", "packets_stopped", "source_lost",
        "source_taken",
    ),
}  # fmt: skip
"""The kinds of counted SIP and audio events, by counter; faults are apart."""

CHECKS: Final = ("ended", *get_args(Sign), *LineState)
"""The outcomes of a line check: the caller is released, or something stops the check before."""
CONSENTS: Final = (
    *((Consent.GIVEN, how) for how in ("key", "seat", "voice")),
    *((Consent.REFUSED, how) for how in ("key", "seat", "voice")),
    (Consent.UNANSWERED, "none"),
)
"""How questions to callers can end, and by what."""
TRANSFERS: Final = (
    "completed", *Trouble, *(f"caller_{consent}" for consent in Consent if consent is not Consent.GIVEN),
    "unanswered", "no_answer", "hung_up", "away", "taken_back", "caller_hung_up", "not_in_force", "too_often",
)  # fmt: skip
"""The outcomes of a requested transfer."""


def _own_errors(root: type[Exception] = CallflowError) -> list[str]:
    return [root.__name__, *(name for each in root.__subclasses__() for name in _own_errors(each))]


def faults() -> tuple[str, ...]:
    """Every kind of fault that is counted by a name of its own."""
    named = (*_OF_CALLS, *_OF_PROCESSES, *_OF_ACCEPTING, *_OF_PYTHON, *_own_errors(), OTHER)
    return tuple(dict.fromkeys(named))
