"""The part of the configuration that is about SIP: where we listen, who may come, our trunks."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from callflow.config_hearing import HearingConfig, Silence
from callflow.document import Duration, Form, Shape
from callflow.sip.address import Address, Transport
from callflow.sip.locate import Target
from callflow.sip.trunks import TrunkPlan
from callflow.suggestions import shown


def _address(text: object) -> Address:
    host, colon, port = str(text).rpartition(":")
    if not colon or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise ValueError(f"{shown(text)} is not HOST:PORT, as 127.0.0.1:5060")
    return _host(host), int(port)


def _host(text: object) -> str:
    try:
        return str(ipaddress.IPv4Address(str(text)))
    except ValueError:
        raise ValueError(f"{shown(text)} is not an IPv4 address, as 192.0.2.10") from None


def _network(text: object) -> str:
    try:
        return str(ipaddress.IPv4Network(str(text)))
    except ValueError:
        raise ValueError(f"{shown(text)} is not an IPv4 network, as 10.0.0.0/8") from None


def _password(text: object) -> str:
    # A fault shows what it finds; these do not.
    if not isinstance(text, str):
        raise ValueError("a password is text; put it in quotes")
    return text


HostPort = Annotated[Address, pydantic.BeforeValidator(_address)]
Host = Annotated[str, pydantic.BeforeValidator(_host)]
Network = Annotated[str, pydantic.BeforeValidator(_network)]
UserName = Annotated[
    str, pydantic.Field(pattern=r"^[\w.+-]+$"), Form("a name of letters, digits, . + - and _")
]
TrunkName = Annotated[str, pydantic.Field(pattern=r"^[\w.-]+$"), Form("a name of letters, digits, . - and _")]


class Secret(Shape):
    """A password: from a file, from the environment, or in place."""

    password: Annotated[str, pydantic.BeforeValidator(_password)] | None = pydantic.Field(None, repr=False)
    password_file: Path | None = None
    password_env: str | None = None

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> "Secret":
        if sum(given is not None for given in (self.password, self.password_file, self.password_env)) != 1:
            raise ValueError("an account has one of password, password_file and password_env")
        return self

    def secret(self, folder: Path) -> str:
        """The password. Raises `ValueError` where there is none to be had."""
        if self.password is not None:
            found = self.password
        elif self.password_env is not None:
            if self.password_env not in os.environ:
                raise ValueError(f"the environment has no {self.password_env}")
            found = os.environ[self.password_env]
        else:
            assert self.password_file is not None
            try:
                found = (folder / self.password_file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ValueError(f"{self.password_file} cannot be read: {error.strerror}") from None
            except UnicodeDecodeError:
                raise ValueError(f"{self.password_file} is not UTF-8") from None
        if not found:
            raise ValueError("the password is empty; anybody could register")
        return found


class Account(Secret):
    """Who may register here."""


class TrunkAccount(Secret):
    """Ours, at a trunk."""

    user: UserName
    login: str = ""
    """The name for the password where it is not the user."""
    expires: Annotated[Duration, pydantic.Field(ge=60, le=86_400)] = 300.0
    register_: Annotated[bool, pydantic.Field(alias="register")] = True
    """Whether we tell the trunk where we are; else the password only answers its challenges."""


def _trunk_target(text: object) -> Target:
    host, colon, port = str(text).partition(":")
    if not host or (colon and not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535)):
        raise ValueError(f"{shown(text)} is not HOST or HOST:PORT, as sip.example.net or 192.0.2.1:5060")
    return Target(host.lower(), int(port) if port else None)


class TrunkConfig(Shape):
    """A PBX or provider that calls come from and go to."""

    at: Annotated[Target, pydantic.BeforeValidator(_trunk_target)]
    """A name (asked for by NAPTR, SRV and A), or an IPv4 address."""
    transport: Literal["udp", "tcp"] | None = None
    """By what, where the name's NAPTR and SRV shall not decide."""
    domain: str = ""
    """The host of the URIs that we call there, where it is not the one in `at`."""
    account: TrunkAccount | None = None
    keepalive: bool = True
    """Whether it is asked every 30 s if it is there."""
    takes_replaces: bool = False
    """Whether a seat may transfer a caller to somebody there whom it has called past us (RFC 3891)."""
    media_timeout: Silence | None = None
    """Seconds without a packet after which a leg is judged, where that is other than `media.timeout`."""
    hearing: HearingConfig | None = None
    """How its lines are heard, where that is other than `media.hearing` says."""

    @property
    def target(self) -> Target:
        """What to look for."""
        transport = Transport(self.transport.upper()) if self.transport else None
        return Target(self.at.host, self.at.port, transport)

    def plan(self, name: str, folder: Path) -> TrunkPlan:
        """Raises `ValueError` where the account's password is not to be had."""
        domain = self.domain or self.at.host
        if self.account is None:
            return TrunkPlan(name, domain, keepalive=self.keepalive, takes_replaces=self.takes_replaces)
        account = self.account
        return TrunkPlan(
            name,
            domain,
            account.user,
            account.secret(folder),
            account.login,
            account.register_,
            int(account.expires),
            self.keepalive,
            self.takes_replaces,
        )


class SipConfig(Shape):
    listen: HostPort = ("127.0.0.1", 5060)
    advertise: Host | None = None
    """The address that peers reach us at, where `listen` is 0.0.0.0 or behind NAT."""
    tcp: bool = True
    """Whether TCP is spoken too, at the same port as UDP."""
    allow: tuple[Network, ...] = ("127.0.0.0/8",)
    """Whose packets are read at all."""
    digest: Annotated[tuple[Literal["sha-256", "md5"], ...], pydantic.Field(min_length=1)] = ("md5",)
    """What phones may prove their password by; some give up at a challenge that they do not know."""
    realm: Annotated[str, pydantic.Field(pattern=r'^[^",\\]+$'), Form('text without " , and \\')] = "callflow"
    accounts: dict[UserName, Account] = {}  # noqa: RUF012

    trunks: dict[TrunkName, TrunkConfig] = {}  # noqa: RUF012
    """The peers that we keep in touch with; they are allowed wherever they are."""

    @property
    def single_hosts(self) -> frozenset[str]:
        """The hosts that `allow` names one by one: the PBX, which many callers come by."""
        networks = (ipaddress.IPv4Network(network) for network in self.allow)
        return frozenset(str(network.network_address) for network in networks if network.prefixlen == 32)

    @pydantic.model_validator(mode="after")
    def _is_reachable(self) -> "SipConfig":
        if self.listen[0] == "0.0.0.0" and self.advertise is None:
            raise ValueError("with 0.0.0.0 to listen on, `advertise` must say where peers reach us")
        return self
