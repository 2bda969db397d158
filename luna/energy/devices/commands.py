"""Models of device control: values to write, and connections by profile.

Values are written to entities of Home Assistant or to MQTT topics.
``luna.contracts.device_template`` renders a set-point into these values.
"""

from collections.abc import Collection, Sequence
from string import Formatter
from typing import Annotated, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from luna.energy.refusals import invalid_part

Place = Annotated[
    str,
    Field(
        min_length=1, max_length=255, description="an entity of Home Assistant, or a topic of MQTT"
    ),
]
# Places of devices with a profile begin so: ``profile:NAME`` of a battery, ``profile:vehicle:NAME``
# and ``profile:load:NAME`` of the others.
PROFILED = "profile:"
# What goes into the car at a charger with a profile is read at the place of the charger with this.
CAR_OF = "#car"
# A device's own name for one of Luna's modes.
Word = Annotated[str, Field(max_length=255)]


class ControlPart(BaseModel):
    """A part of a site's section ``control``."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True
    )


class ViaProxy(ControlPart):
    """A port at which other programs find a device in Luna's place."""

    port: Annotated[int, Field(ge=1, le=65535, description="where it is found")]
    listen: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9.:_-]+$",
            max_length=253,
            description="address of this machine; 0.0.0.0: all of them",
        ),
    ] = "127.0.0.1"
    writes: Annotated[
        bool, Field(description="whether other programs may write; else they read alone")
    ] = False


class Via(ControlPart):
    """A device that Luna speaks to itself, by the profile of its product."""

    profile: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9_]*$", max_length=64, description="as luna devices list names it"
        ),
    ]
    host: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9.:_-]+$",
            max_length=253,
            description=(
                "its name or address in the network; of a serial line its name below /dev, such as "
                "ttyUSB0"
            ),
        ),
    ]
    port: Annotated[int | None, Field(ge=1, le=65535, description="empty: the profile's")] = None
    unit: Annotated[
        int | None,
        Field(
            ge=0,
            le=255,
            description=(
                "its number on the bus, or of its output or loadpoint; empty: the profile's"
            ),
        ),
    ] = None
    prefix: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_./:-]+$",
            max_length=120,
            description=(
                "MQTT: how the device's topics begin, or the id of its portal; sma_multicast: the "
                "meter's serial number"
            ),
        ),
    ] = None
    secret: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z][a-z0-9_-]*$",
            max_length=64,
            description="the file below devices/secrets of the data folder that holds its password",
        ),
    ] = None
    proxy: Annotated[
        ViaProxy | None,
        Field(
            description=(
                "where other programs find it in Luna's place, over Modbus TCP; empty: nowhere"
            )
        ),
    ] = None

    @property
    def address(self) -> str:
        """Host, port and unit as in the names of its sensors: ``192.168.1.20:1502/3``."""
        port = "" if self.port is None else f":{self.port}"
        unit = "" if self.unit is None else f"/{self.unit}"
        return f"{self.host}{port}{unit}"


class DeviceWrite(ControlPart):
    """One value that is written; those of a device in their order."""

    placeholders: ClassVar[tuple[str, ...]] = ()

    to: Place
    value: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="text with placeholders such as {mode} or {power_w}",
        ),
    ]
    service: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$",
            description="of Home Assistant; empty: what the entity's kind takes",
        ),
    ] = None
    field: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9_]+$",
            description="of the service's data that takes the value; empty: as that kind names it",
        ),
    ] = None
    read_back: Annotated[
        Place | None, Field(description="where what holds is read; empty: at the entity itself")
    ] = None
    # Subclasses narrow the type to their kind's modes.
    when: tuple[str, ...] = ()

    @field_validator("value")
    @classmethod
    def _known_placeholders(cls, value: str) -> str:
        strangers = sorted(
            {name for _, name, _, _ in Formatter().parse(value) if name is not None}
            - set(cls.placeholders)
        )
        if strangers:
            raise invalid_part(
                "control-placeholder", placeholder=strangers[0], names=", ".join(cls.placeholders)
            )
        return value


class DeviceControl(Protocol):
    """The control entry of one device, or of all of a kind together."""

    @property
    def device(self) -> str | None:
        """The device's name; None: all devices of the kind."""

    @property
    def writes(self) -> Sequence[DeviceWrite]:
        """The writes, in order; none where Luna speaks to the device itself."""

    @property
    def via(self) -> Via | None:
        """The connection of a device that Luna speaks to itself."""

    @property
    def place(self) -> str:
        """The place of a device that Luna speaks to itself."""


def require_modes(modes: Collection[str], needed: tuple[str, ...]) -> None:
    """Check that ``modes`` contain all ``needed`` ones.

    Raises:
        ValueError: names the first mode that is missing.
    """
    missing = [mode for mode in needed if mode not in modes]
    if missing:
        raise invalid_part("control-mode-missing", mode=missing[0])
