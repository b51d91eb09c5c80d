"""The demos of a phone's own Transfer key: pyVoIP calls, and baresip is at both seats."""

from collections.abc import Iterable

import pytest

from tests.support.demos import Demos, Played, assert_on_time

pytestmark = [pytest.mark.sockets, pytest.mark.timed, pytest.mark.acceptance]

long = pytest.mark.long

Way = tuple[str, str]
"""Who sends a tone, and who hears it."""
BOTH: frozenset[Way] = frozenset({("caller", "seat"), ("seat", "caller")})
TRANSFERRED: frozenset[Way] = frozenset({("caller", "target"), ("target", "caller")})
NOBODY: frozenset[Way] = frozenset()


def assert_well_played(played: Played) -> None:
    assert played.result["faults"] == []
    assert_on_time(played.result)
    assert played.status == 0


def assert_heard(played: Played, *wanted: tuple[str, frozenset[Way]]) -> None:
    """Each step: who sends at once, by the letters of their parts, and which of them are heard by whom."""
    tones = iter(played.result["tones"])
    for senders, ways in wanted:
        # Each tone is looked for in both other recordings.
        step = [next(tones) for _ in range(2 * len(senders))]
        assert {tone["by"][0] for tone in step} == {*senders}
        assert {(tone["by"], tone["to"]) for tone in step if tone["wanted"]} == ways
        assert_levels(step)
    assert not [*tones]


def assert_levels(tones: Iterable[dict[str, object]]) -> None:
    """Whoever had to be heard was heard in full, and who had not was not at all."""
    for tone in tones:
        if tone["wanted"]:
            assert tone["level_db"] == pytest.approx(-20, abs=2)
        else:
            assert isinstance(tone["level_db"], float)
            assert tone["level_db"] < -50


def transfers(played: Played) -> list[str]:
    return [
        fact["fact"].removeprefix("transfer.")
        for fact in played.facts
        if fact["fact"].startswith(("transfer.", "consent."))
    ]


def said_to(played: Played, leg: str) -> list[str]:
    return [fact["prompt"] for fact in played.told("prompt.started") if fact["leg"] == leg]


@pytest.mark.rule("csr-24")
def test_the_transfer_key_asks_the_caller_and_the_target(demos: Demos) -> None:
    played = demos["transfer"]
    assert_well_played(played)
    assert transfers(played) == [
        "asked",
        "consent.given",
        "offered",
        "briefed",
        "accepted",
        "completed",
    ]
    assert said_to(played, "target") == ["transfer_brief", "press_1_to_take", "connecting_you"]
    assert said_to(played, "caller")[-2:] == ["still_transferring", "connecting_you"]
    assert_heard(played, ("cs", BOTH), ("cs", NOBODY), ("cst", NOBODY), ("ct", TRANSFERRED))


@pytest.mark.rule("csr-24")
def test_a_seat_that_hangs_up_after_its_key_makes_nothing_blind(demos: Demos) -> None:
    played = demos["transfer-first-seat-hangs-up"]
    assert_well_played(played)
    assert transfers(played)[-4:] == ["briefed", "transferor_left", "accepted", "completed"]
    assert_heard(played, ("cs", BOTH), ("ct", NOBODY), ("ct", TRANSFERRED))
    (agreed,) = played.told("transfer.accepted")
    left, again = played.told("transfer.transferor_left")[0], played.told("call.joined")[1]
    assert left["at"] < agreed["at"] < again["at"]


@long
@pytest.mark.rule("csr-24")
def test_a_target_that_declines_gives_the_caller_back(demos: Demos) -> None:
    played = demos["transfer-declined"]
    assert_well_played(played)
    assert transfers(played)[-3:] == ["briefed", "declined", "returned"]
    assert said_to(played, "caller")[-1] == "target_not_there"
    assert_heard(played, ("cs", BOTH), ("cs", BOTH))


@long
@pytest.mark.rule("csr-24")
def test_a_target_that_does_not_answer_gives_the_caller_back(demos: Demos) -> None:
    played = demos["transfer-no-answer"]
    assert_well_played(played)
    assert transfers(played)[-3:] == ["offered", "failed", "returned"]
    assert_heard(played, ("cs", BOTH), ("cs", NOBODY), ("cs", BOTH))
    rung = [m for m in played.result["measures"] if m["from"] == "still_transferring"]
    assert [m["prescribed"] for m in rung] == [20.0]
    assert not said_to(played, "target")


@long
@pytest.mark.rule("csr-24")
def test_a_caller_who_does_not_want_it_stays(demos: Demos) -> None:
    played = demos["transfer-caller-says-no"]
    assert_well_played(played)
    assert transfers(played) == ["asked", "consent.refused", "failed"]
    assert_heard(played, ("cs", BOTH), ("cs", BOTH))


@long
@pytest.mark.rule("csr-24")
def test_a_seat_that_has_spoken_with_the_target_asks_both_all_the_same(demos: Demos) -> None:
    played = demos["transfer-attended"]
    assert_well_played(played)
    assert transfers(played) == [
        "consent.given",
        "asked",
        "consent.given",
        "offered",
        "briefed",
        "accepted",
        "completed",
    ]
    speaks_with_target: frozenset[Way] = frozenset({("seat", "target"), ("target", "seat")})
    assert_heard(
        played, ("cs", BOTH), ("st", speaks_with_target), ("c", NOBODY), ("cst", NOBODY), ("ct", TRANSFERRED)
    )
