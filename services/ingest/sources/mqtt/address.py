"""Where the broker is: ``mqtt://user@host:port/prefix``, or ``mqtts://`` for TLS."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from luna.errors import InvalidInputError

# Source: Home Assistant, "MQTT discovery": the default prefix.
PREFIX = "homeassistant"
PORTS = {"mqtt": 1883, "mqtts": 8883}
_REMEDY = "Give it as mqtt://user@host:1883, or mqtts://user@host:8883 for TLS; a discovery prefix other than homeassistant stands behind the port."


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker, who asks it, and the prefix of its discovery messages."""

    host: str
    port: int
    user: str | None = None
    password: SecretStr | None = None
    tls: bool = False
    prefix: str = PREFIX

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_broker(url: str, password: SecretStr | None = None) -> Broker:
    """Return the broker at ``url``; ``password`` goes before one that stands in the URL.

    Raises:
        InvalidInputError: no address of a broker; its value stays unsaid, for it may hold a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise InvalidInputError("is no address of an MQTT broker", field="mqtt_url", remedy=_REMEDY)
    own = SecretStr(unquote(parts.password)) if parts.password else None
    return Broker(
        host=parts.hostname,
        port=_port(parts),
        user=unquote(parts.username) if parts.username else None,
        password=password if password and password.get_secret_value() else own,
        tls=parts.scheme == "mqtts",
        prefix=parts.path.strip("/") or PREFIX,
    )


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or PORTS[parts.scheme]
    except ValueError as exc:
        raise InvalidInputError("has no usable port", field="mqtt_url", remedy=_REMEDY) from exc
