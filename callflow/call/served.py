"""The flow of a call that begins in the middle: a seat has called, and the two speak already."""

from callflow.flow.model import Flow, Limits

NO_QUEUE = "nobody"
"""Stands for the queue of a seat that serves none: whoever is led there is told that nobody is there."""


def served(queue: str, limits: Limits) -> Flow:
    """Where a caller goes whom the seat has left: back to a queue, at last to the house's closing."""
    return Flow.model_validate(
        {
            "callflow": 1,
            "name": "called_by_seat",
            "title": "座席呼出",
            "house": "",
            "limits": limits,
            "start": "serve",
            "steps": {
                "serve": {"do": "seat", "queue": queue or NO_QUEUE, "nobody": "sorry", "next": "close"},
                "sorry": {"do": "say", "say": "nobody_there", "next": "close"},
                "close": {"do": "close", "more": "serve"},
            },
        }
    )
