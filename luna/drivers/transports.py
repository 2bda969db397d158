"""Define how a device is reached: registers, documents, messages, telegrams, OCPP."""

from typing import Annotated, Literal

from pydantic import Field

from luna.contracts.charge_points import ChargePointTraits
from luna.drivers.profile_part import DocumentPlace, ProfilePart, RegisterTable


class ModbusTransport(ProfilePart):
    """Registers over Modbus TCP; where the site says nothing else."""

    kind: Annotated[
        Literal["modbus_tcp", "modbus_rtu_tcp"],
        Field(
            description="the latter through a gateway that passes the frames of a serial line on"
        ),
    ]
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    unit: Annotated[int, Field(ge=0, le=255, description="the device's number on the bus")] = 1
    table: Annotated[
        RegisterTable,
        Field(description="which registers are read, where a point says nothing else"),
    ] = "holding"
    patience_s: Annotated[float, Field(gt=0, le=30)] = 2.0
    writes_singly: Annotated[
        bool,
        Field(description="each register by a request of its own (function 6, and not 16)"),
    ] = False
    writes_together: Annotated[
        bool,
        Field(
            description=(
                "points at registers that follow each other by one request, of a device that takes "
                "a command as a whole"
            )
        ),
    ] = False


DocumentFormat = Literal["json", "sml", "text"]


class SessionLogin(ProfilePart):
    """Login by challenge and response (AVM, PBKDF2) for a session that each request names."""

    at: Annotated[DocumentPlace, Field(description="path with its query, where the challenge is")]
    parameter: Annotated[
        str,
        Field(pattern=r"^[a-z_]+$", max_length=30, description="of a query: the session's number"),
    ]


class HttpTransport(ProfilePart):
    """JSON documents over HTTP, of the device itself alone."""

    kind: Literal["http"]
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    auth: Annotated[
        Literal["basic", "digest", "header", "bearer"],
        Field(description="how a secret is shown, where the site names one"),
    ] = "digest"
    pinned: Annotated[
        bool,
        Field(
            description=(
                "over TLS, with a certificate of the device's own: its SHA-256 stands in the "
                "secret in the place of the user"
            )
        ),
    ] = False
    header: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9-]+$",
            max_length=60,
            description="of auth: header, which one carries the token",
        ),
    ] = "Authorization"
    documents: Annotated[
        DocumentFormat,
        Field(
            description=(
                "sml: messages of a German meter, whose numbers are named by OBIS code; text: a "
                "number or a word alone"
            )
        ),
    ] = "json"
    session: Annotated[
        SessionLogin | None,
        Field(description="of a device that wants a login, in the place of auth; empty: none"),
    ] = None
    unit: Annotated[
        int,
        Field(
            ge=0,
            le=255,
            description="stands for {unit} in paths, where a device has several: its first",
        ),
    ] = 0
    patience_s: Annotated[float, Field(gt=0, le=30)] = 5.0


class MqttRequest(ProfilePart):
    """Message that makes a device publish all its values again."""

    to: Annotated[DocumentPlace, Field(description="a topic; {prefix} is what the site names")]
    payload: Annotated[str, Field(max_length=255)] = ""
    every_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    done: Annotated[
        DocumentPlace | None,
        Field(description="the topic that says that everything was said; empty: none does"),
    ] = None


class MqttTransport(ProfilePart):
    """JSON messages of a broker, which is the host that the site names."""

    kind: Literal["mqtt"]
    port: Annotated[int, Field(ge=1, le=65535, description="8883: over TLS")] = 1883
    documents: Annotated[
        DocumentFormat,
        Field(description="sml: messages of a German meter, whose numbers are named by OBIS code"),
    ] = "json"
    request: Annotated[
        MqttRequest | None, Field(description="empty: the device speaks by itself")
    ] = None
    stale_s: Annotated[
        float, Field(gt=0, le=3600, description="a message older than that says nothing any more")
    ] = 120.0
    alive: Annotated[
        DocumentPlace | None,
        Field(
            description=(
                "of a device that publishes changes alone: a topic that it publishes every few "
                "seconds; while it does, what the broker keeps of the others counts"
            )
        ),
    ] = None
    patience_s: Annotated[float, Field(gt=0, le=30)] = 5.0


class OcppTransport(ChargePointTraits):
    """A charge point that connects to Luna by OCPP, by its identity as the host.

    What differs from product to product is declared here.
    """

    kind: Literal["ocpp"]


class P1Transport(ProfilePart):
    """Telegrams that a smart meter sends by itself from its P1 port."""

    kind: Annotated[
        Literal["p1_tcp", "p1_serial"],
        Field(
            description=(
                "the former through a converter that passes them on at a port; the latter at this "
                "machine, where the host that the site names is a file of /dev"
            )
        ),
    ]
    port: Annotated[int, Field(ge=1, le=65535, description="p1_tcp: of the converter")] = 8088
    baud: Annotated[Literal[9600, 115200], Field(description="p1_serial: speed of the line")] = (
        115200
    )
    stale_s: Annotated[
        float, Field(gt=0, le=3600, description="a telegram older than that says nothing any more")
    ] = 30.0
    patience_s: Annotated[float, Field(gt=0, le=30)] = 12.0


class MulticastTransport(ProfilePart):
    """Datagrams that a meter sends by itself to all of its network."""

    kind: Annotated[Literal["sma_multicast"], Field(description="in SMA's protocol EMETER")]
    group: Annotated[str, Field(pattern=r"^(22[4-9]|23\d)(\.\d{1,3}){3}$")] = "239.12.255.254"
    port: Annotated[int, Field(ge=1, le=65535)] = 9522
    stale_s: Annotated[
        float, Field(gt=0, le=3600, description="a datagram older than that says nothing any more")
    ] = 10.0
    patience_s: Annotated[float, Field(gt=0, le=30)] = 3.0


DeviceTransport = Annotated[
    ModbusTransport
    | HttpTransport
    | MqttTransport
    | OcppTransport
    | P1Transport
    | MulticastTransport,
    Field(discriminator="kind"),
]
