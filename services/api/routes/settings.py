"""The settings of this installation, and where they differ from the defaults."""

from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr
from pydantic_core import to_jsonable_python

from luna.contracts.message import Message
from luna.platform.settings import Settings
from services.api.gateway import CurrentGateway
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routing import ResourceRouter

router = ResourceRouter("settings", route_class=CheckedRoute)


class SettingReply(Message):
    """One setting of the gateway's process."""

    name: Annotated[str, Field(description="its name")]
    variable: Annotated[str, Field(description="the environment variable that sets it")]
    description: Annotated[str, Field(description="what it means")]
    secret: Annotated[bool, Field(description="whether its value is kept back")]
    given: Annotated[bool, Field(description="whether it has a value")]
    value: Annotated[
        str | int | float | bool | list[Any] | None,
        Field(description="durations as ISO 8601; null for a secret, or where there is none"),
    ]
    default: Annotated[
        str | int | float | bool | list[Any] | None,
        Field(description="what it is where nobody sets it"),
    ]
    differs: Annotated[bool, Field(description="whether it is other than the default")]


class SettingList(Message):
    """Every setting, in the order of the reference."""

    settings: Annotated[list[SettingReply], Field(description="one per setting")]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


@router.operation(
    "List the settings",
    Operation("GET", "/v1/settings", "administer", alone="a terminal sees its environment"),
)
def list_settings(gateway: CurrentGateway) -> SettingList:
    """Return every setting with its value, its default and whether they differ.

    Secrets are left out. They are changed where the process is started.
    """
    settings = []
    for name, field in Settings.model_fields.items():
        value = getattr(gateway.settings, name)
        default = field.get_default(call_default_factory=True)
        secret = "SecretStr" in str(field.annotation)
        settings.append(
            SettingReply(
                name=name,
                variable=f"LUNA_{name.upper()}",
                description=field.description or "",
                secret=secret,
                given=value is not None,
                value=None if secret else _plain(value),
                default=None if secret else _plain(default),
                differs=value != default,
            )
        )
    return SettingList(settings=settings)


def _plain(value: object) -> Any:
    if isinstance(value, SecretStr):
        return None
    plain = to_jsonable_python(value)
    if not isinstance(plain, str) or "://" not in plain:
        return plain
    # Strip the user part of addresses: it may hold a password.
    parts = urlsplit(plain)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
