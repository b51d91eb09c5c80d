"""Callers that do what the RFC lets them do, and what the network does to them: sipp calls the service."""

from pathlib import Path

import pytest

from callflow.config import Setup
from tests.support.leftovers import counted, oddities, serving
from tests.support.sipp import complaints, needs_sipp, sipp

pytestmark = [pytest.mark.interop, needs_sipp]

CALLS = 10
RINGS = {"cancels.xml": 1.0, "invites_thrice.xml": 1.0}
"""Seconds that the service rings, where the scenario needs it to."""
OPTIONS = {"acknowledges_late.xml": ("-nr",), "invites_thrice.xml": ("-nr",)}
"""sipp hides repeated messages from a scenario, unless it is told to repeat none either."""


@pytest.mark.parametrize(
    "scenario",
    [
        "cancels.xml",
        "cancels_too_late.xml",
        "invites_thrice.xml",
        "acknowledges_late.xml",
        "asks_for_an_offer.xml",
        "holds_and_resumes.xml",
        "refreshes.xml",
    ],
)
async def test_each_invite_is_one_call_with_one_end(setup: Setup, tmp_path: Path, scenario: str) -> None:
    async with serving(setup, ring_for=RINGS.get(scenario, 0.0)) as service:
        options = OPTIONS.get(scenario, ())
        status = await sipp(scenario, service.sip_address, tmp_path, *options, calls=CALLS)
        assert (status, complaints(tmp_path)) == (0, "")
        assert counted(service, "callflow_calls_total") == CALLS
        assert counted(service, "callflow_calls_active") == 0
        assert oddities(service) == {}


async def test_a_wrong_password_gets_another_nonce_and_never_in(setup: Setup, tmp_path: Path) -> None:
    async with serving(setup) as service:
        status = await sipp("registers_wrongly.xml", service.sip_address, tmp_path, calls=CALLS)
        assert (status, complaints(tmp_path)) == (0, "")
