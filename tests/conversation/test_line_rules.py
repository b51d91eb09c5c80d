"""The rules of bad lines in whole calls, on the virtual clock. Without its rule each test here fails."""

from collections.abc import Callable, Sequence

import pytest

from callflow import config, resources
from callflow.call.call import Call
from callflow.call.desk_view import Act, Asked
from callflow.call.ledger import Ledger
from callflow.call.simulate import Act as Cue
from callflow.call.simulate import Simulation, hangs_up, is_found, presses, speaks
from callflow.etiquette.audit import judge
from callflow.etiquette.house import House
from callflow.etiquette.modes import Modes
from callflow.etiquette.verdict import Judgement
from callflow.events import DigitPressed, Heard, LineHeard, LineJudged, LineState, OpinionGiven
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.media.messages import PlayBoth, SetGain
from tests.support.exchange import Exchange

pytestmark = pytest.mark.conversation

Named = Callable[[str], House]
SECONDS = 3.0
"""How long every prompt lasts in a call without seats; with them it is two."""
FAINT, NOISY, SPEECH, SILENT = LineState.FAINT, LineState.NOISY, LineState.SPEECH, LineState.SILENT


def enforced(house: House) -> House:
    """With all in force that is only observed."""
    observed = [rule for rule in house.rules if house.observes(rule)]
    return house.in_modes(dict.fromkeys(observed, "enforce"))


def call(flow: Flow, house: House, *cues: Cue) -> list[Fact]:
    ledger = Ledger("c")
    Simulation(Call(flow, house, ledger), lambda prompt: SECONDS, cues).run()
    return list(ledger)


def said(facts: Sequence[Fact]) -> list[tuple[float, str]]:
    started = [fact for fact in facts if fact.fact == "prompt.started"]
    return [(round(fact.at, 3), str(fact.details["prompt"])) for fact in started]


def prompts(facts: Sequence[Fact]) -> list[str]:
    return [prompt for _, prompt in said(facts)]


def ended(facts: Sequence[Fact]) -> tuple[float, str, str]:
    last = facts[-1]
    assert last.fact == "call.ended"
    return round(last.at, 3), str(last.rule), str(last.details["reason"])


def is_kept(facts: Sequence[Fact], house: House, rule: str) -> bool:
    judged = {verdict.rule: verdict for verdict in judge(facts, house)}
    assert all(verdict.judgement is Judgement.KEPT for verdict in judged.values()), judged
    return rule in judged


# --- alone with callflow ---


@pytest.mark.rule("csr-06")
def test_csr_06_who_is_too_quiet_is_asked_told_and_released(hotline: Flow, house: House) -> None:
    house = enforced(house)
    facts = call(hotline, house, is_found(FAINT, 1.0, mark="greeting"), hangs_up(200.0))
    assert said(facts) == [(0.2, "greeting"), (4.2, "speak_up"), (12.2, "too_quiet")]
    assert ended(facts) == (20.2, "csr-06", "faint_line")
    assert is_kept(facts, house, "csr-06")


@pytest.mark.rule("csr-06")
def test_csr_06_who_speaks_up_goes_on_to_the_menu(hotline: Flow, house: House) -> None:
    heard = (is_found(FAINT, 1.0, mark="greeting"), is_found(SPEECH, 2.0, mark="speak_up"))
    facts = call(hotline, enforced(house), *heard, hangs_up(1.0, mark="main_menu"))
    assert said(facts) == [(0.2, "greeting"), (4.2, "speak_up"), (9.2, "main_menu")]


@pytest.mark.rule("csr-07")
def test_csr_07_noise_is_told_of_and_ended(hotline: Flow, house: House) -> None:
    house = enforced(house)
    facts = call(hotline, house, is_found(NOISY, 1.0), hangs_up(200.0))
    assert said(facts) == [(0.2, "greeting"), (8.2, "too_noisy")]
    assert ended(facts) == (16.2, "csr-07", "noisy_line")
    assert is_kept(facts, house, "csr-07")


@pytest.mark.rule("csr-07")
def test_csr_07_a_key_in_the_middle_of_the_words_goes_on(hotline: Flow, house: House) -> None:
    pressed = presses("1", 6.5, mark="greeting")
    facts = call(hotline, enforced(house), is_found(NOISY, 1.0), pressed, hangs_up(1.0, mark="opening_hours"))
    assert prompts(facts)[:3] == ["greeting", "too_noisy", "opening_hours"]
    assert [fact.at for fact in facts if fact.fact == "prompt.stopped"] == [pytest.approx(9.7)]


@pytest.mark.rule("gas-05")
def test_gas_05_a_silent_line_hears_three_sentences(hotline: Flow, house_named: Named) -> None:
    house = house_named("gas-hotline")
    facts = call(hotline, house, hangs_up(200.0))
    assert said(facts) == [
        (0.2, "greeting"),
        (8.2, "gas_connected"),
        (16.2, "gas_connected_please_speak"),
        (24.2, "gas_cannot_hear_redial"),
    ]
    assert ended(facts) == (32.2, "gas-05", "silent_line")
    assert is_kept(facts, house, "gas-05")


@pytest.mark.rule("gas-06")
def test_gas_06_who_cannot_be_made_out_is_asked_twice_and_released_after_three_seconds(
    hotline: Flow, house_named: Named
) -> None:
    house = enforced(house_named("gas-hotline"))
    facts = call(hotline, house, is_found(NOISY, 1.0), hangs_up(200.0))
    assert said(facts) == [
        (0.2, "greeting"),
        (8.2, "gas_please_speak"),
        (16.2, "gas_please_speak"),
        (24.2, "gas_cannot_make_out_redial"),
    ]
    assert ended(facts) == (30.2, "gas-06", "noisy_line")
    assert is_kept(facts, house, "gas-06")


@pytest.mark.rule("log-04")
def test_log_04_who_does_not_answer_in_the_middle_of_a_call_is_told_and_released(
    hotline: Flow, house_named: Named
) -> None:
    house = house_named("logistics")
    facts = call(hotline, house, *speaks(1.0, mark="greeting"), hangs_up(200.0))
    assert prompts(facts) == ["greeting", "main_menu", "main_menu", "log_cannot_hear"]
    told = said(facts)[-1][0]
    assert ended(facts) == (round(told + SECONDS + 5.0, 3), "log-04", "silent_line")
    assert is_kept(facts, house, "log-04")


@pytest.mark.rule("log-04")
def test_log_04_who_answers_after_all_has_the_menu_once_more(hotline: Flow, house_named: Named) -> None:
    cues = [*speaks(1.0, mark="greeting"), *speaks(2.0, mark="log_cannot_hear")]
    facts = call(hotline, house_named("logistics"), *cues, hangs_up(200.0))
    assert prompts(facts)[:5] == ["greeting", "main_menu", "main_menu", "log_cannot_hear", "main_menu"]
    assert prompts(facts)[5] == "anything_else", "and then what the flow does, because somebody is there"


def test_a_house_without_words_for_it_goes_on_as_the_flow_says(hotline: Flow, house: House) -> None:
    facts = call(hotline, house, *speaks(1.0, mark="greeting"))
    assert prompts(facts)[:4] == ["greeting", "main_menu", "main_menu", "anything_else"]


def test_who_keys_a_wrong_number_is_not_told_that_nothing_is_heard(house_named: Named) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    for keys, told in (("", "log_cannot_hear"), ("12#", "nobody_there")):
        exchange = Exchange(flow, house_named("logistics"))
        exchange.calls()
        exchange.passes(5.0)
        for key in keys:
            exchange.presses(key)
        exchange.passes(80.0)
        words = [prompt for _, prompt in exchange.said()]
        assert told in words
        assert ("log_cannot_hear" in words) is (told == "log_cannot_hear")


# --- only observed ---


@pytest.mark.parametrize(
    ("state", "would"),
    [
        (FAINT, [("csr-06", "speak_up"), ("csr-06", "too_quiet"), ("csr-06", "faint_line")]),
        (NOISY, [("csr-07", "too_noisy"), ("csr-07", "noisy_line")]),
    ],
)
def test_what_is_observed_is_noted_and_the_call_goes_on(
    hotline: Flow, house: House, state: LineState, would: list[tuple[str, str]]
) -> None:
    facts = call(hotline, house, is_found(state, 1.0, mark="greeting"), hangs_up(40.0))
    noted = [fact for fact in facts if fact.fact == "rule.observed"]
    told = [(fact.rule, fact.details.get("prompt") or fact.details["reason"]) for fact in noted]
    assert told == would
    assert prompts(facts)[:2] == ["greeting", "main_menu"]
    assert "opinion.given" not in [fact.fact for fact in facts], "where nothing is said nobody is asked"


def test_who_is_made_out_would_not_have_been_released(hotline: Flow, house: House) -> None:
    heard = (is_found(FAINT, 1.0, mark="greeting"), is_found(SPEECH, 4.0, mark="greeting"))
    facts = call(hotline, house, *heard, hangs_up(40.0))
    would = [fact.details["would"] for fact in facts if fact.fact == "rule.observed"]
    assert would == ["say"]


# --- with a seat ---


@pytest.fixture
def joined(house: House) -> Exchange:
    return served(house)


def served(house: House) -> Exchange:
    """A caller who speaks with seat 8001."""
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, "8001")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].rings()
    exchange.phones["8001"].answers()
    exchange.passes(30.0)
    assert "call.joined" in exchange.told
    exchange.commands.clear()
    return exchange


def keys(exchange: Exchange, digits: str) -> None:
    for digit in digits:
        exchange.tells(2, DigitPressed(digit))


def hears(exchange: Exchange, state: LineState) -> None:
    exchange.tells(1, LineJudged(state, exchange.now))


def told(exchange: Exchange) -> list[tuple[str, str]]:
    """Which checks began, and what ended them."""
    checks = [fact for fact in exchange.facts if fact.fact.startswith("line_check.")]
    return [(fact.fact, str(fact.details.get("why", fact.rule))) for fact in checks]


@pytest.mark.rule("csr-05")
def test_csr_05_the_seat_asks_the_caller_to_lift_the_handset(joined: Exchange) -> None:
    keys(joined, "*44")
    assert PlayBoth(1, "lift_handset") in joined.commands
    joined.passes(60.0)
    assert joined.hears[-1] == "200", "words only"


@pytest.mark.rule("csr-06")
def test_csr_06_a_seat_has_a_quiet_caller_asked_and_released(joined: Exchange) -> None:
    hears(joined, FAINT)
    keys(joined, "*45")
    assert PlayBoth(1, "speak_up") in joined.commands
    joined.passes(7.1)
    assert PlayBoth(1, "too_quiet") in joined.commands
    joined.passes(7.1)
    assert joined.hears[-1] == "BYE"
    assert joined.phones["8001"].asked[-1] == "BYE"
    assert joined.facts[-1].rule == "csr-06" or "call.ended" in joined.told


@pytest.mark.rule("csr-07")
def test_csr_07_a_seat_has_a_noisy_caller_told_and_released(joined: Exchange) -> None:
    keys(joined, "*46")
    assert PlayBoth(1, "too_noisy") in joined.commands
    joined.passes(6.9)
    assert joined.hears[-1] == "200"
    joined.passes(0.2)
    assert joined.hears[-1] == "BYE"
    (end,) = (fact for fact in joined.facts if fact.fact == "call.ended")
    assert (end.rule, end.details["reason"]) == ("csr-07", "noisy_line")


@pytest.mark.rule("log-04")
def test_log_04_a_seat_that_hears_nothing_has_it_told(house_named: Named) -> None:
    exchange = served(house_named("logistics"))
    keys(exchange, "*47")
    assert PlayBoth(1, "log_cannot_hear") in exchange.commands
    exchange.passes(7.1)
    assert exchange.hears[-1] == "BYE"


@pytest.mark.rule("gas-05")
def test_gas_05_a_seat_that_hears_nothing_has_it_told(house_named: Named) -> None:
    exchange = served(house_named("gas-hotline"))
    keys(exchange, "*47")
    exchange.passes(21.1)
    words = [prompt for _, prompt in exchange.said()]
    assert words[-3:] == ["gas_connected", "gas_connected_please_speak", "gas_cannot_hear_redial"]
    assert exchange.hears[-1] == "BYE"


@pytest.mark.rule("csr-10")
def test_csr_10_the_seat_is_heard_louder_by_key_and_by_page(joined: Exchange) -> None:
    keys(joined, "*41")
    joined.take(joined.controller.desk_asks("8001", Asked(Act.LOUDER), joined.now))
    keys(joined, "*42")
    gains = [command for command in joined.commands if isinstance(command, SetGain)]
    assert gains == [SetGain(2, 3.0), SetGain(2, 6.0), SetGain(2, 3.0)]
    noted = [fact.details["decibels"] for fact in joined.facts if fact.fact == "volume.changed"]
    assert noted == [3, 6, 3]
    assert not any(isinstance(command, PlayBoth) for command in joined.commands), "the seat says it itself"


@pytest.mark.rule("csr-10")
def test_csr_10_the_apology_is_words_of_their_own(joined: Exchange) -> None:
    keys(joined, "*43")
    assert PlayBoth(1, "sorry_how_can_i_help") in joined.commands


def test_the_volume_stays_when_the_seat_comes_back(joined: Exchange) -> None:
    keys(joined, "*41")
    joined.phones["8001"].holds()
    joined.passes(4.5)
    joined.presses("2")
    joined.passes(3.0)
    joined.phones["8001"].rings()
    joined.phones["8001"].answers()
    joined.passes(5.0)
    again = [command for command in joined.commands if isinstance(command, SetGain)]
    assert [command.decibels for command in again] == [3.0, 3.0]
    assert again[0].leg != again[1].leg


def test_the_volume_stays_when_another_seat_takes_the_call(house: House) -> None:
    flow, _ = config.read_flow(resources.FLOWS / "service.yaml")
    exchange = Exchange(flow, house, "8001", "8002")
    exchange.calls()
    exchange.passes(1.0)
    exchange.phones["8001"].answers()
    exchange.passes(30.0)
    keys(exchange, "*41*38002#")
    exchange.passes(4.5)
    exchange.presses("1")
    exchange.phones["8002"].answers()
    exchange.passes(6.0)
    exchange.tells(3, DigitPressed("1"))
    exchange.passes(5.0)
    assert "transfer.completed" in exchange.told
    gains = [command for command in exchange.commands if isinstance(command, SetGain)]
    assert gains[-1] == SetGain(3, 3.0)
    for digit in "*41":
        exchange.tells(3, DigitPressed(digit))
    assert exchange.commands[-1] == SetGain(3, 6.0)


@pytest.mark.parametrize(
    ("modes", "ends"),
    [
        (Modes(), "menu"),
        (Modes(trunks={"provider": {"csr-07": "enforce"}}), "noisy_line"),
        (Modes(trunks={"another": {"csr-07": "enforce"}}), "menu"),
        (Modes(trunks={"provider": "off"}), "menu"),
    ],
)
def test_an_admin_enforces_it_for_a_trunk_that_is_heard_right(
    hotline: Flow, house: House, modes: Modes, ends: str
) -> None:
    exchange = Exchange(hotline, house, modes=modes, trunk="provider")
    exchange.calls()
    hears(exchange, NOISY)
    exchange.passes(14.5)
    ended_as = [str(fact.details["reason"]) for fact in exchange.facts if fact.fact == "call.ended"]
    if ends == "menu":
        assert ended_as == []
        assert exchange.said()[-1][1] == "main_menu"
    else:
        assert ended_as == [ends]


@pytest.mark.parametrize("end", ["key", "speech", "stop", "hold", "transfer", "page"])
def test_whatever_ends_a_check_leaves_the_two_together(joined: Exchange, end: str) -> None:
    hears(joined, NOISY)
    keys(joined, "*46")
    joined.passes(1.0)
    match end:
        case "key":
            joined.presses("5")
        case "speech":
            hears(joined, SPEECH)
        case "stop":
            keys(joined, "*40")
        case "hold":
            keys(joined, "*1")
        case "transfer":
            keys(joined, "*38001#")
            keys(joined, "*40")
        case "page":
            joined.take(joined.controller.desk_asks("8001", Asked(Act.STOP), joined.now))
    assert "prompt.stopped" in joined.told
    stopped, why = told(joined)[-1]
    assert stopped == "line_check.stopped"
    assert why == (end if end in ("key", "speech") else "seat")
    joined.passes(3.0)
    assert "call.ended" not in joined.told


def test_the_question_of_a_hold_is_not_silenced_by_the_end_of_a_check(joined: Exchange) -> None:
    keys(joined, "*46")
    joined.passes(1.0)
    keys(joined, "*1")
    joined.passes(1.9)
    assert joined.said()[-1][1] == "may_i_hold"
    joined.passes(3.0)
    assert joined.said()[-1][1] == "press_1_to_wait"


def test_who_hangs_up_ends_a_check(joined: Exchange) -> None:
    keys(joined, "*46")
    joined.passes(1.0)
    joined.says("BYE", cseq=2)
    joined.passes(30.0)
    assert [fact.details["by"] for fact in joined.facts if fact.fact == "call.ended"] == ["caller"]


def test_a_seat_that_leaves_while_a_line_is_checked_leaves_a_caller_who_is_asked(joined: Exchange) -> None:
    keys(joined, "*46")
    joined.passes(3.0)
    joined.phones["8001"].hangs_up()
    joined.passes(1.0)
    assert told(joined)[-1] == ("line_check.stopped", "seat")
    assert joined.said()[-1][1] == "anything_else"


def test_whom_the_second_ears_have_heard_stays_with_the_seat(joined: Exchange) -> None:
    joined.opinion = OpinionGiven(alive=True)
    keys(joined, "*46")
    joined.passes(30.0)
    assert told(joined)[-1] == ("line_check.stopped", "opinion")
    assert "call.ended" not in joined.told


def test_nothing_begins_by_itself_while_a_seat_is_joined(house: House) -> None:
    exchange = served(enforced(house))
    for state in (NOISY, FAINT, SILENT):
        hears(exchange, state)
        exchange.tells(1, LineHeard(Heard.SILENCE, exchange.now))
        exchange.passes(60.0)
    assert told(exchange) == []
    assert "call.ended" not in exchange.told


def test_a_check_that_is_switched_off_is_not_begun(house: House) -> None:
    exchange = served(house.without("csr-05", "csr-06", "csr-07", "csr-10", "csr-04"))
    for digit in "12345670":
        keys(exchange, f"*4{digit}")
    exchange.passes(30.0)
    assert told(exchange) == []
    assert not any(isinstance(command, PlayBoth | SetGain) for command in exchange.commands)


def test_nobody_is_asked_for_while_the_caller_answers_another_question(joined: Exchange) -> None:
    keys(joined, "*1")
    joined.passes(1.0)
    keys(joined, "*46")
    assert told(joined) == []


def test_the_page_shows_that_the_line_is_checked(joined: Exchange) -> None:
    joined.take(joined.controller.desk_asks("8001", Asked(Act.TOO_NOISY), joined.now))
    assert joined.controller.desk_of("8001", joined.now).matter == "line_checked"
    joined.take(joined.controller.desk_asks("8001", Asked(Act.STOP), joined.now))
    assert joined.controller.desk_of("8001", joined.now).matter == ""


def test_every_check_of_a_seat_is_judged_kept(house: House) -> None:
    for code, state, rule in (("*45", FAINT, "csr-06"), ("*46", NOISY, "csr-07"), ("*47", SILENT, "csr-04")):
        exchange = served(house)
        hears(exchange, state)
        keys(exchange, code)
        exchange.passes(40.0)
        assert is_kept([fact for fact in exchange.facts if fact.call], house, rule)
