"""Who may ask the web side for what: names, origins, cookies, the trace; and requests that are none."""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from callflow import config, resources
from callflow.adapters import control, http_forms
from callflow.cli import main
from callflow.config import Setup, with_flow
from callflow.config_http import HttpConfig
from callflow.config_seats import SeatsConfig
from callflow.demo.stage import on_free_ports
from callflow.service import Service, running

pytestmark = pytest.mark.sockets

SEATS = {
    "at": {
        "8001": {"phone": "desk", "password": "sesame"},
        "8009": {"phone": "chief", "supervisor": True, "password": "hers"},
        "8010": {"phone": "mute"},
    },
    "queues": {"service": {}},
}
ACCOUNTS = {"desk": "parsley", "chief": "sage", "mute": "thyme"}
LOGIN = "seat=8001&password=sesame"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _own_runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))


def setup_with(**http: object) -> Setup:
    setup = config.default()
    people = setup.config.model_copy(update={"seats": SeatsConfig.model_validate(SEATS)})
    setup = with_flow(replace(setup, config=people), resources.FLOWS / "service.yaml")
    setup = on_free_ports(setup, "unused")
    served = HttpConfig.model_validate({"listen": "127.0.0.1:0", **http})
    passwords = {"8001": "sesame", "8009": "hers"}
    served_setup = setup.config.model_copy(update={"http": served})
    return replace(setup, config=served_setup, accounts=ACCOUNTS, passwords=passwords)


@asynccontextmanager
async def serving(**http: object) -> AsyncIterator[Service]:
    async with asyncio.timeout(60), running(setup_with(**http)) as one:
        yield one


class Client:
    """Speaks HTTP by hand: what no well-behaved client would send."""

    def __init__(self, service: Service, host: str = "127.0.0.1") -> None:
        self.address = host, service.http.address[1]
        self.name = f"{host}:{self.address[1]}"

    async def send(self, data: bytes) -> tuple[int, dict[str, str], str]:
        """Status, header fields by their names in lower case, and text."""
        async with asyncio.timeout(15):
            reader, writer = await asyncio.open_connection(*self.address)
            try:
                writer.write(data)
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
        return int(first.split()[1]), fields, body.decode("utf-8", "replace")

    async def ask(
        self, method: str, path: str, body: bytes | str = b"", **fields: str
    ) -> tuple[int, dict[str, str], str]:
        """`fields` by their names with `_` for `-`; Host, Content-Length and Connection of our own."""
        body = body.encode() if isinstance(body, str) else body
        given = {"Host": self.name, "Connection": "close", "Content-Length": str(len(body))}
        given |= {name.replace("_", "-"): value for name, value in fields.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return await self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)

    async def log_in(self, form: str = LOGIN, **fields: str) -> tuple[int, dict[str, str], str]:
        return await self.ask("POST", "/seat/login", form, **{"Content_Type": FORM, **fields})

    async def cookie(self, form: str = LOGIN) -> str:
        status, fields, _ = await self.log_in(form)
        assert status == 200
        return fields["set-cookie"].partition(";")[0]


# --- names and origins ---


HOSTS = [
    ("127.0.0.1:{port}", 200),
    ("127.0.0.1", 200),
    ("localhost:{port}", 200),
    ("LocalHost", 200),
    ("[::1]:{port}", 200),
    ("desk.example.net", 200),
    ("DESK.example.net:443", 200),
    ("evil.example.com", 403),
    ("evil.example.com:{port}", 403),
    ("127.0.0.1.evil.example.com", 403),
    ("localhost.evil.example.com", 403),
    ("desk.example.net.evil.example.com", 403),
    ("192.0.2.1", 403),
    ("127.0.0.1@evil.example.com", 403),
    ("evil.example.com#127.0.0.1", 403),
    ("", 403),
]


async def test_pages_are_served_under_known_names_alone() -> None:
    async with serving(names=["desk.example.net"]) as service:
        client = Client(service)
        for host, status in HOSTS:
            named = host.format(port=client.address[1])
            for path, usual in (("/seat", 200), ("/seat/me", 401)):
                got, _, text = await client.ask("GET", path, Host=named)
                assert got == (usual if status == 200 else status), host
                assert status == 200 or "http.names" in text
            assert (await client.log_in(Host=named))[0] == status, host


async def test_two_names_at_once_or_none_are_refused() -> None:
    async with serving() as service:
        client = Client(service)
        hosts = f"Host: {client.name}\r\nHost: evil.example.com\r\n"
        two = f"GET /seat HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"
        assert (await client.send(two.encode()))[0] in (400, 403)
        assert (await client.send(b"GET /seat HTTP/1.0\r\n\r\n"))[0] == 403


async def test_metrics_and_probes_are_served_under_any_name() -> None:
    async with serving() as service:
        client = Client(service)
        for path in ("/metrics", "/livez", "/readyz"):
            assert (await client.ask("GET", path, Host="metrics.example.org"))[0] == 200


ORIGINS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"Origin": "http://{name}"}, True),
    ({"Origin": "HTTP://{name}"}, True),
    ({"Sec_Fetch_Site": "same-origin"}, True),
    ({"Origin": "https://desk.example.net"}, True),
    ({"Origin": "https://desk.example.net:8443"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "http://evil.example.com"}, False),
    ({"Origin": "http://127.0.0.1:1"}, False),
    ({"Origin": "http://localhost"}, False),
    ({"Origin": "http://{name}.evil.example.com"}, False),
    ({"Origin": "http://{name}@evil.example.com"}, False),
    ({"Origin": "ftp://{name}"}, False),
    ({"Origin": "{name}"}, False),
    ({"Sec_Fetch_Site": "cross-site"}, False),
    ({"Sec_Fetch_Site": "same-site"}, False),
]


async def test_requests_of_foreign_pages_are_refused() -> None:
    async with serving(names=["desk.example.net"]) as service:
        client = Client(service)
        cookie = await client.cookie()
        for told, is_taken in ORIGINS:
            fields = {name: value.format(name=client.name) for name, value in told.items()}
            assert (await client.log_in(**fields))[0] == (200 if is_taken else 403), told
            away = await client.ask(
                "POST", "/seat/do", "act=away", Content_Type=FORM, Cookie=cookie, **fields
            )
            assert away[0] == (204 if is_taken else 403), told
            upgrade = {"Upgrade": "websocket", "Sec_WebSocket_Key": "x", "Sec_WebSocket_Version": "13"}
            opened = await client.ask("GET", "/seat/me", Cookie=cookie, **{**upgrade, **fields})
            assert opened[0] == (200 if is_taken else 403), told


async def test_every_answer_has_the_security_headers() -> None:
    async with serving() as service:
        client = Client(service)
        asked = [
            ("GET", "/seat"),
            ("GET", "/seat/me"),
            ("GET", "/trace"),
            ("GET", "/nowhere"),
            ("GET", "/metrics"),
        ]
        for method, path in [*asked, ("PUT", "/seat"), ("POST", "/seat/login")]:
            _, fields, _ = await client.ask(method, path)
            assert "frame-ancestors 'none'" in fields["content-security-policy"], path
            assert fields["x-content-type-options"] == "nosniff"
            assert fields["x-frame-options"] == "DENY"
            assert fields["referrer-policy"] == "no-referrer"


# --- cookies, passwords and proxies ---


async def test_the_cookie_is_strict_and_secure_behind_tls() -> None:
    async with serving() as service:
        _, fields, _ = await Client(service).log_in(X_Forwarded_Proto="https")
        words = [word.strip().lower() for word in fields["set-cookie"].split(";")]
        assert {"httponly", "samesite=strict", "path=/"} <= {*words}
        assert "secure" not in words
    for http in ({"tls": True}, {"proxies": ["127.0.0.1/32"]}):
        async with serving(**http) as service:
            _, fields, _ = await Client(service).log_in(X_Forwarded_Proto="https")
            assert "; secure" in fields["set-cookie"].lower()
            _, fields, _ = await Client(service).log_in(X_Forwarded_Proto="http")
            assert ("; secure" in fields["set-cookie"].lower()) == ("tls" in http)


async def test_a_phone_s_password_opens_no_page() -> None:
    async with serving() as service:
        client = Client(service)
        for seat, password in (("8001", "parsley"), ("8010", "thyme"), ("8010", "")):
            status, _, text = await client.log_in(f"seat={seat}&password={password}")
            assert (status, "phone" in text) == (403, True)


# --- the trace ---


async def test_the_trace_is_for_supervisors_who_have_logged_in() -> None:
    async with serving() as service:
        client = Client(service)
        for path in ("/trace", "/trace/x"):
            assert (await client.ask("GET", path))[0] == 401
            assert (await client.ask("GET", path, Cookie="callflow_session=guess"))[0] == 401
            assert (await client.ask("GET", path, Cookie=await client.cookie()))[0] == 403
        cookie = await client.cookie("seat=8009&password=hers")
        status, _, text = await client.ask("GET", "/trace", Cookie=cookie)
        assert (status, text) == (200, '{"calls": []}')
        assert (await client.ask("GET", "/trace/x", Cookie=cookie))[0] == 404
        assert (await client.ask("POST", "/seat/logout", Cookie=cookie))[0] == 204
        assert (await client.ask("GET", "/trace", Cookie=cookie))[0] == 401


async def traced(service: Service, *words: str, password: str | None = None) -> Result:
    host, port = service.http.address
    environment = {"CALLFLOW_SEAT_PASSWORD": password}
    command = ["trace", "--server", f"http://{host}:{port}", *words]
    return await asyncio.to_thread(CliRunner().invoke, main, command, env=environment)


async def test_the_command_asks_the_control_socket_or_logs_in(tmp_path: Path) -> None:
    async with serving() as service:
        listed = await traced(service, "--json")
        assert listed.exit_code == 0
        socket_path = control.usual_path(service.http.address[1])
        assert stat.S_IMODE(socket_path.stat().st_mode) == 0o600
        assert (await traced(service, "nobody")).exit_code == 1
        socket_path.rename(tmp_path / "elsewhere")
        refused = await traced(service)
        assert (refused.exit_code, "--seat" in refused.output) == (1, True)
        assert (await traced(service, "--control", str(tmp_path / "elsewhere"))).exit_code == 0
        assert (await traced(service, "--seat", "8009", password="hers")).exit_code == 0
        for seat, password in (("8009", "guess"), ("8001", "sesame")):
            assert (await traced(service, "--seat", seat, password=password)).exit_code == 1
        assert (await traced(service, "--seat", "8009")).exit_code == 2


async def test_a_stale_control_socket_is_replaced_and_ours_removed(tmp_path: Path) -> None:
    path = tmp_path / "own.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with serving(control=str(path)) as service:
        assert (await traced(service, "--control", str(path))).exit_code == 0
        with pytest.raises(OSError, match="another controller"):
            async with serving(control=str(path)):
                pass
        assert (await traced(service, "--control", str(path))).exit_code == 0
    assert not path.exists()


async def test_no_control_socket_in_a_folder_that_others_may_write_to(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    os.chmod(tmp_path / "run", 0o777)
    with capture_logs() as told:
        async with serving() as service:
            assert (await traced(service)).exit_code == 1
    (line,) = [line for line in told if line["event"] == "control.unavailable"]
    assert (line["log_level"], "http.control" in line["help"]) == ("warning", True)


# --- requests that are none ---

BODIES: list[tuple[bytes, dict[str, str]]] = [
    (b"", {}),
    (b"", {"Content_Type": FORM}),
    (b"\xff\xfe\xfa", {"Content_Type": FORM}),
    (b"seat=%ff%fe&password=%80", {"Content_Type": FORM}),
    (b"seat=%zz&password=%", {"Content_Type": FORM}),
    (b"seat=8001&password=100%", {"Content_Type": FORM}),
    (b"seat=8001&seat=8002&password=sesame", {"Content_Type": FORM}),
    (b"seat", {"Content_Type": FORM}),
    (b"&&&&", {"Content_Type": FORM}),
    (b"a=1&" * 40 + b"b=1", {"Content_Type": FORM}),
    (b"seat=" + b"8" * 20_000, {"Content_Type": FORM}),
    (b"seat=8001&password=sesame", {"Content_Type": f"{FORM}; charset=klingon"}),
    (b"seat=8001&password=sesame", {"Content_Type": f"{FORM}; charset=utf-16"}),
    (b"seat=8001&password=sesame", {"Content_Type": "text/plain"}),
    (b"seat=8001&password=sesame", {"Content_Type": "\xff/\xfe"}),
    (b"seat=8001&password=sesame", {}),
    (b'{"seat": "8001"', {"Content_Type": "application/json"}),
    (b'{"seat": "8001", "password": "sesame"}', {"Content_Type": "application/json"}),
    (b"[" * 5000, {"Content_Type": "application/json"}),
    (b"--x\r\n\r\n", {"Content_Type": "multipart/form-data; boundary=x"}),
    (b"nothing", {"Content_Type": "multipart/form-data"}),
    (b"seat=1", {"Content_Type": FORM, "Content_Encoding": "gzip"}),
    (b"\x1f\x8b\x08\x00broken", {"Content_Type": FORM, "Content_Encoding": "gzip"}),
    (b"seat=1", {"Content_Type": FORM, "Content_Encoding": "deflate"}),
    (b"seat=1", {"Content_Type": FORM, "Content_Length": "-1"}),
    (b"seat=1", {"Content_Type": FORM, "Content_Length": "6, 6"}),
    (b"seat=1", {"Content_Type": FORM, "Content_Length": "999999999999999999999999"}),
    (b"seat=1", {"Content_Type": FORM, "Content_Length": "60"}),
    (b"zz\r\nseat=1\r\n0\r\n\r\n", {"Content_Type": FORM, "Transfer_Encoding": "chunked"}),
    (b"seat=1", {"Content_Type": FORM, "Transfer_Encoding": "chunked, chunked"}),
]
ACTS = [
    "act=hold&minutes=" + "9" * 5000,
    "act=hold&minutes=%EF%BC%95",
    "act=hold&minutes=-1",
    "act=hold&minutes=1e1",
    "act=hold&minutes=%C2%B2",
    "act=%00",
    "act=login&phone=" + "p" * 3000,
    "act=login&phone=a%00b",
    "act=transfer&target=" + "8" * 3000,
    "act=transfer&target=%E2%80%AE8001",
    "act=away&reason=a%0Ab",
    "act=describe&surname=" + "x" * 21,
    "act=HOLD",
]


@pytest.mark.parametrize("path", ["/seat/login", "/seat/do"])
async def test_malformed_forms_get_400_with_a_reason(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_forms, "PATIENCE", 0.5)
    async with serving() as service:
        client = Client(service)
        cookie = await client.cookie()
        with capture_logs() as told:
            for body, fields in BODIES:
                status, _, text = await client.ask("POST", path, body, Cookie=cookie, **fields)
                assert status == 400, (body[:40], fields, status, text)
                assert text.strip(), (body[:40], fields)
                assert "Traceback" not in text
        assert not [line for line in told if "exc_info" in line or line["log_level"] == "error"]


async def test_malformed_fields_get_400_with_a_reason() -> None:
    async with serving() as service:
        client = Client(service)
        cookie = await client.cookie()
        for form in ACTS:
            status, _, text = await client.ask("POST", "/seat/do", form, Content_Type=FORM, Cookie=cookie)
            assert status == 400, (form[:40], status, text)
            assert "should" in text


RAW = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET /seat HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /seat HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
    b"GET /seat HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \x00\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /seat HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    b"POST /seat/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0",
    b"INVITE sip:8001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1\r\n\r\n",
]
PATHS = [
    "/trace/%ff%fe",
    "/trace/%00",
    "/trace/../metrics",
    "/trace/" + "a" * 2000,
    "//seat",
    "/seat/%2e%2e/do",
    "/%",
]
COOKIES = [
    "callflow_session",
    "=",
    "callflow_session=\xff\xfe",
    ";;;;=;",
    "callflow_session=" + "x" * 4000,
    '"',
]


async def test_malformed_requests_are_refused_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with serving() as service:
        client = Client(service)
        with capture_logs() as told:
            for data in RAW:
                status, _, text = await client.send(data)
                assert 400 <= status < 500, data[:60]
                assert "Traceback" not in text
            for path in PATHS:
                assert (await client.ask("GET", path))[0] in (401, 403, 404), path
            for cookie in COOKIES:
                assert (await client.ask("GET", "/seat/me", Cookie=cookie))[0] == 401, cookie
        assert not [line for line in told if "exc_info" in line or line["log_level"] == "error"]
        assert (await client.log_in())[0] == 200
    assert "Traceback" not in capsys.readouterr().err


async def test_a_fault_in_a_page_is_one_line_and_shows_the_client_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as service:
        client = Client(service)
        cookie = await client.cookie("seat=8009&password=hers")

        def breaks() -> None:
            raise KeyError("secret")

        monkeypatch.setattr(service.trace, "calls", breaks)
        with capture_logs() as told:
            status, _, text = await client.ask("GET", "/trace", Cookie=cookie)
        assert (status, "secret" in text) == (500, False)
        assert [line["event"] for line in told if line["log_level"] == "error"] == ["fault"]
        assert (await client.log_in())[0] == 200


async def test_the_event_stream_has_the_security_headers(tmp_path: Path) -> None:
    async with serving() as service:
        client = Client(service)
        cookie = await client.cookie()
        headers = {"Cookie": cookie}
        async with (
            aiohttp.ClientSession(f"http://{client.name}", headers=headers) as browser,
            browser.get("/seat/events") as stream,
        ):
            assert stream.headers["Cache-Control"] == "no-store"
            assert "frame-ancestors 'none'" in stream.headers["Content-Security-Policy"]
            assert (await stream.content.readline()).startswith(b"data: ")


async def test_a_fault_in_the_event_stream_breaks_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as service:
        client = Client(service)
        cookie = await client.cookie()

        def breaks(*_given: object) -> None:
            raise KeyError("secret")

        reader, writer = await asyncio.open_connection(*client.address)
        try:
            request = f"GET /seat/events HTTP/1.1\r\nHost: {client.name}\r\nCookie: {cookie}\r\n\r\n"
            writer.write(request.encode())
            await reader.readuntil(b"data: ")
            with capture_logs() as told:
                monkeypatch.setattr(service.controller, "desk_of", breaks)
                rest = await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()
        assert b"HTTP/1.1" not in rest
        assert b"secret" not in rest
        assert [line["event"] for line in told if line["log_level"] == "error"] == ["fault"]
