"""What a call wants of the second pair of ears, as a command to the plane."""

from callflow.actions import AskOpinion, ListenClosely, ListenNoLonger
from callflow.media import messages
from callflow.media.messages import Command


def listening(action: ListenClosely | AskOpinion | ListenNoLonger, leg: int) -> Command:
    """The command for the leg that the plane calls so."""
    match action:
        case ListenClosely():
            return messages.ListenClosely(leg)
        case AskOpinion():
            return messages.AskOpinion(leg)
        case ListenNoLonger():
            return messages.ListenNoLonger(leg)
