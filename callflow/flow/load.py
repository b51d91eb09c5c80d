"""YAML text to `Flow`, with every complaint at its place."""

from callflow import document
from callflow.document import Document
from callflow.errors import Fault, SourceError
from callflow.flow.check import faults_of
from callflow.flow.model import Flow


def load(text: str, file: str) -> tuple[Flow, Document]:
    """The flow in `text`; `file` names it in faults. Raises `SourceError` with every fault."""
    source = document.parse(text, file)
    flow = source.read_as(Flow)
    faults: list[Fault] = faults_of(flow, source)
    if faults:
        raise SourceError(*sorted(faults))
    return flow, source
