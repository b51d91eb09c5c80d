"""The part of the configuration that is about SIP: where we listen, who may come, our trunks."""

import ipaddress
from pathlib import Path
from typing import Annotated, Final, Literal

import pydantic

from callflow.config_addresses import Domain, HostPort, Network, Peer, ReachedAt
from callflow.config_hearing import HearingConfig, Silence
from callflow.config_secrets import Secret
from callflow.document import Duration, Form, Shape
from callflow.sip.address import Transport
from callflow.sip.locate import Target
from callflow.sip.trunks import TrunkPlan

UserName = Annotated[
    str, pydantic.Field(pattern=r"^[\w.+-]+$"), Form("a name of letters, digits, . + - and _")
]
Realm = Annotated[
    str,
    pydantic.Field(pattern=r'^[^",\\\x00-\x1f\x7f-\x9f\u2028\u2029]{1,64}$'),
    Form('text of 1 to 64 characters, without " , \\ and control characters'),
]
_LOGIN: Final = Form("text of at most 128 characters, without control characters")
TrunkName = Annotated[str, pydantic.Field(pattern=r"^[\w.-]+$"), Form("a name of letters, digits, . - and _")]


def _md5_last(digest: tuple[str, ...]) -> tuple[str, ...]:
    if len({*digest}) < len(digest):
        raise ValueError("a digest is named twice; name each once")
    if "md5" in digest[:-1]:
        raise ValueError(
            "md5 must be the last, for phones that answer only the last challenge; write [sha-256, md5]"
        )
    return digest


class Account(Secret):
    """Who may register here."""


class TrunkAccount(Secret):
    """Ours, at a trunk."""

    user: UserName
    login: Annotated[str, pydantic.Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,128}$"), _LOGIN] = ""
    """The name for the password where it is not the user."""
    expires: Annotated[Duration, pydantic.Field(ge=60, le=86_400)] = 300.0
    register_: Annotated[bool, pydantic.Field(alias="register")] = True
    """Whether we tell the trunk where we are; else the password only answers its challenges."""


class TrunkConfig(Shape):
    """A PBX or provider that calls come from and go to."""

    at: Peer
    """A name (asked for by NAPTR, SRV and A), or an IPv4 address."""
    transport: Literal["udp", "tcp"] | None = None
    """By what, where the name's NAPTR and SRV shall not decide."""
    domain: Domain = ""
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
    advertise: ReachedAt | None = None
    """The address that peers reach us at, where `listen` is 0.0.0.0 or behind NAT."""
    tcp: bool = True
    """Whether TCP is spoken too, at the same port as UDP."""
    allow: tuple[Network, ...] = ("127.0.0.0/8",)
    """Whose packets are read at all."""
    digest: Annotated[
        tuple[Literal["sha-256", "md5"], ...],
        pydantic.Field(min_length=1),
        pydantic.AfterValidator(_md5_last),
    ] = ("md5",)
    """What phones may prove their password by; some give up at a challenge that they do not know."""
    realm: Realm = "callflow"
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
