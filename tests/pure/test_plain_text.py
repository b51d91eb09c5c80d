"""What peers write is shown, and steers no terminal."""

import base64
import json

import pytest
from click.testing import CliRunner

from callflow.adapters.plain_text import plain, plain_json
from callflow.adapters.trace import Message
from callflow.cli import trace
from callflow.cli.screen import write_json

pytestmark = pytest.mark.pure

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eabc\x7f\r\n\u2028"


@pytest.mark.parametrize("text", ["", "INVITE", "您好，工号八零零幺", "Ünïcödé 😀", "a b"])
def test_what_can_be_shown_is_shown_as_it_is(text: str) -> None:
    assert plain(text) == text


def test_what_would_steer_a_terminal_is_written_out() -> None:
    shown = plain(EVIL)
    assert shown.isprintable()
    assert shown == "\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202eabc\\x7f\\r\\n\\u2028"
    assert plain("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_json_keeps_its_value_and_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"text": EVIL + "您好"})
    written = capsys.readouterr().out
    assert written.rstrip("\n").isprintable()
    assert json.loads(written) == {"text": EVIL + "您好"}
    assert plain_json('"您好"') == '"您好"'


def test_a_traced_message_steers_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = f"{EVIL.split(chr(13))[0]} sip:x SIP/2.0\r\n\r\n"
    answers = [
        {"calls": [{"call": "[red]", "call_id": EVIL, "began": 0.0, "messages": 1}]},
        {"own": ["127.0.0.1", 5060], "messages": [given(evil), given(f"SIP/2.0 200 {evil}")]},
    ]
    monkeypatch.setattr(trace, "_ask", lambda url: answers.pop(0))
    for arguments in ([], ["call"]):
        told = CliRunner().invoke(trace.trace, arguments)
        assert told.exit_code == 0
        assert told.output.replace("\n", "").isprintable()


def given(text: str) -> dict[str, object]:
    message = Message(0.0, True, ("127.0.0.1", 5060), text.encode())
    data = base64.b64encode(message.data).decode()
    return {"at": 0.0, "incoming": True, "peer": ["127.0.0.1", 5060], "data": data}
