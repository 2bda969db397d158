"""Parses the addresses of a home's own servers: MQTT broker and Home Assistant."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from luna.energy.refusals import refuse
from luna.platform.address_policy import BROKER, HOME_ASSISTANT, require_host, require_url_host
from luna.platform.settings import Settings

# Source: Home Assistant, "MQTT discovery": the default prefix.
PREFIX = "homeassistant"
PORTS = {"mqtt": 1883, "mqtts": 8883}
# Alike in every language.
_MQTT_FORM = (
    "mqtt://user@host:1883, mqtts://user@host:8883 (TLS), mqtt://user@host:1883/discovery_prefix"
)


@dataclass(frozen=True, slots=True)
class Broker:
    """Address and credentials of a broker, and the prefix of its discovery messages."""

    host: str
    port: int
    user: str | None = None
    password: SecretStr | None = None
    tls: bool = False
    prefix: str = PREFIX

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_broker(url: str, password: SecretStr | None = None) -> Broker:
    """Parse a broker's URL; ``password`` takes precedence over one in the URL.

    Raises:
        InvalidInputError: no address of a broker; the value is not shown, for it may hold a
            password.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise refuse("not-the-address", field="mqtt_url", server="MQTT", form=_MQTT_FORM)
    require_host(BROKER, parts.hostname, field="mqtt_url")
    own_password = SecretStr(unquote(parts.password)) if parts.password else None
    return Broker(
        host=parts.hostname,
        port=_port(parts),
        user=unquote(parts.username) if parts.username else None,
        password=password if password and password.get_secret_value() else own_password,
        tls=parts.scheme == "mqtts",
        prefix=parts.path.strip("/") or PREFIX,
    )


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or PORTS[parts.scheme]
    except ValueError as exc:
        raise refuse("not-the-address", field="mqtt_url", server="MQTT", form=_MQTT_FORM) from exc


@dataclass(frozen=True, slots=True)
class HomeAssistantAccess:
    url: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the access in the settings.

        Raises:
            InvalidInputError: no address, no HTTP address, or no token.
        """
        url = (settings.home_assistant_url or "").rstrip("/")
        if urlsplit(url).scheme not in {"http", "https"}:
            raise refuse(
                "not-the-address",
                field="LUNA_HOME_ASSISTANT_URL",
                value=settings.home_assistant_url,
                server="Home Assistant",
                form="http://homeassistant.local:8123",
            )
        require_url_host(HOME_ASSISTANT, url, field="LUNA_HOME_ASSISTANT_URL")
        if settings.home_assistant_token is None:
            raise refuse("home-assistant-without-token", field="LUNA_HOME_ASSISTANT_TOKEN")
        return cls(url, settings.home_assistant_token.get_secret_value())

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Return the host and port at which the server listens."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def socket_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/api/websocket"
