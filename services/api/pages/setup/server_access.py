"""Address and secret of a server in the home (Home Assistant, MQTT broker), entered on pages.

The secret is stored, never shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from luna.platform.settings import Settings
from luna.platform.settings.stored import find_source, store_settings
from services.api.gateway import Gateway
from services.api.pages.setup.fields import FieldFault

# here: they can be entered; by_hand: an operator has set them; not_here: other machines or
# containers would not see the stored settings.
Access = Literal["here", "by_hand", "not_here"]


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """The settings of a server's address and secret, and the form fields for them.

    Args:
        url_setting, secret_setting: names of the settings.
        url_field, secret_field: names of the fields; ``field_<name>`` and ``hint_<name>`` are their
        phrases, ``kept_<secret_field>`` tells that one is stored.
        schemes: valid schemes of the address.
        needs_secret: whether the server requires a secret.
    """

    url_setting: str
    secret_setting: str
    url_field: str
    secret_field: str
    schemes: tuple[str, ...]
    needs_secret: bool

    def url(self, settings: Settings) -> str:
        """Return the configured address without its password."""
        return split_secret(getattr(settings, self.url_setting) or "")[0]

    def has_secret(self, settings: Settings) -> bool:
        """Return whether a secret is stored."""
        return getattr(settings, self.secret_setting) is not None

    def is_set(self, settings: Settings) -> bool:
        """Return whether the settings suffice to connect."""
        return bool(self.url(settings)) and (self.has_secret(settings) or not self.needs_secret)

    def find_access(self, settings: Settings) -> Access:
        """Return whether address and secret can be entered on the page."""
        if self.url(settings):
            source = find_source(settings, self.url_setting)
            if source not in {"page", "default"}:
                return "by_hand"
        # With embedded servers everything runs on this machine and reads the same settings file;
        # containers have a folder each.
        return "here" if settings.database_url is None else "not_here"

    def find_faults(self, settings: Settings, url: str) -> list[FieldFault]:
        """Return the faults of the typed address and of a missing secret.

        None if they cannot be entered on the page.
        """
        faults: list[FieldFault] = []
        if self.find_access(settings) != "here":
            return faults
        if not self.is_address(url or self.url(settings)):
            faults.append(FieldFault(self.url_field, self.url_field))
        if self.needs_secret and not self.has_secret(settings):
            faults.append(FieldFault(self.secret_field, "missing"))
        return faults

    def store(self, gateway: Gateway, typed: Mapping[str, str]) -> None:
        """Store a valid address, and the secret if one was entered."""
        url, url_secret = split_secret(typed.get(self.url_field, "").strip().rstrip("/"))
        secret = typed.get(self.secret_field, "").strip() or url_secret
        if self.find_access(gateway.settings) == "here" and self.is_address(url):
            changes = {self.url_setting: url}
            if secret:
                changes[self.secret_setting] = secret
            gateway.settings = store_settings(gateway.settings, changes)

    def is_address(self, url: str) -> bool:
        """Return whether a text is a valid address of this kind of server."""
        if not url.isascii() or any(mark.isspace() for mark in url):
            return False
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return False
        return parts.scheme in self.schemes and bool(parts.hostname) and port != 0


def split_secret(url: str) -> tuple[str, str]:
    """Split an address into the address without password, and the password."""
    try:
        parts = urlsplit(url)
        secret = parts.password or ""
    except ValueError:
        return url, ""
    if not secret:
        return url, ""
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}")), secret


HOME_ASSISTANT = ServerAccess(
    "home_assistant_url",
    "home_assistant_token",
    "url",
    "token",
    ("http", "https"),
    needs_secret=True,
)
BROKER = ServerAccess(
    "mqtt_url", "mqtt_password", "mqtt_url", "mqtt_password", ("mqtt", "mqtts"), needs_secret=False
)
