"""The part of the configuration that is about how much is taken on."""

from typing import Annotated

import pydantic

from callflow.document import Shape


class PerSourceConfig(Shape):
    """What one IPv4 address may take. Hosts that `sip.allow` names singly, and trunks, have no such limit."""

    calls_per_second: Annotated[float, pydantic.Field(ge=0.1, le=1000)] = 50.0
    """New calls, in the long run."""
    burst: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 200
    """New calls at once, before that rate holds."""
    connections: Annotated[int, pydantic.Field(ge=1, le=2000)] = 500
    """SIP connections over TCP that it has opened."""


class LimitsConfig(Shape):
    calls: Annotated[int, pydantic.Field(ge=1, le=4000)] = 500
    per_source: PerSourceConfig = PerSourceConfig()
