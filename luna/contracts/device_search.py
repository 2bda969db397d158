"""Devices found in a home's network, with the profiles that fit them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request

NetworkName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        description=(
            "a private network of at most 1,024 addresses, such as 192.168.1.0/24, or one "
            "address in it"
        ),
    ),
]
DevicePort = Annotated[
    int | None,
    Field(
        ge=1, le=65535, description="at which each address is asked; null: those of the profiles"
    ),
]
SecretName = Annotated[
    str | None,
    Field(
        pattern=r"^[a-z][a-z0-9_-]*$",
        max_length=64,
        description=(
            "the file below devices/secrets of the data folder that holds the password of the "
            "one device or broker that is named; null: none"
        ),
    ),
]


class NetworkDevice(Message):
    """A device that answered, and the profile by which Luna speaks to it."""

    host: Annotated[
        str, Field(description="its address, or the name by which a charge point connects to Luna")
    ]
    port: Annotated[int | None, Field(description="null: a charge point that connects to Luna")] = (
        None
    )
    unit: Annotated[int | None, Field(description="its number on the bus; null: the profile's")] = (
        None
    )
    prefix: Annotated[
        str | None, Field(description="MQTT: how its topics begin at the broker that is its host")
    ] = None
    secret: SecretName = None
    maker: Annotated[str, Field(description="as it says itself; empty: it says nothing")] = ""
    model: str = ""
    serial: str = ""
    profile: str
    title: Annotated[str, Field(description="what the profile is of")]
    kind: Annotated[
        Literal["battery_inverter", "meter", "charge_point", "switched_load", "pv_inverter"],
        Field(description="what it is"),
    ]
    level: Annotated[
        Literal["owner", "maker", "reported", "simulator"],
        Field(description="the strongest evidence for its profile"),
    ] = "simulator"
    commanded: Annotated[
        bool, Field(description="whether Luna can command it; else it only reads it")
    ] = True
    reads: Annotated[list[str], Field(description="what Luna reads of it")]
    charge_limit_kw: Annotated[
        float | None,
        Field(description="the most that it charges with, as it says; null: it does not"),
    ] = None
    discharge_limit_kw: Annotated[
        float | None, Field(description="the most that it gives, as it says; null: it does not")
    ] = None
    capacity_kwh: Annotated[
        float | None, Field(description="what its battery holds, as it says; null: it does not")
    ] = None


class FoundDevices(Message):
    """The devices found in a network."""

    network: str
    devices: Annotated[list[NetworkDevice], Field(description="in the order of their addresses")]
    missing_extra: Annotated[
        str | None,
        Field(
            description=(
                "what is not installed, with which devices that announce themselves at other "
                "ports are found as well; null: nothing"
            )
        ),
    ] = None


class FindDevicesRequest(Request):
    """Ask the addresses of a network for devices that a profile knows.

    Nothing is written to any of them.
    """

    task: ClassVar[str] = "ingest.devices.find"
    reply: ClassVar[type[Message]] = FoundDevices

    network: NetworkName
    port: DevicePort = None
    secret: SecretName = None
