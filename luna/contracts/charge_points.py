"""Messages between the process that charge points connect to and whoever reads or commands one."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from luna.contracts.message import Message

# What a path of OCPP may end with; a site names it as the host of a charge point.
Identity = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", min_length=1, max_length=64)]
ChargePointProtocol = Literal["1.6", "2.0.1"]
# A limit that Luna does not renew gives way to the safe one after that.
LIMIT_LASTS_S = 1800
MEASURANDS = (
    "Power.Active.Import",
    "Energy.Active.Import.Register",
    "Current.Import",
    "Voltage",
    "Current.Offered",
    "SoC",
)


class ChargePointTraits(Message):
    """Traits of a product that differ from OCPP, as its profile declares them."""

    connector: Annotated[int, Field(ge=1, le=9, description="the socket that is commanded")] = 1
    tag: Annotated[
        str, Field(min_length=1, max_length=20, description="with which Luna starts charging")
    ] = "luna"
    stack_level: Annotated[
        int | None,
        Field(ge=0, le=100, description="of charging profiles; null: the highest it takes"),
    ] = None
    profile_kind: Annotated[
        Literal["Absolute", "Relative"], Field(description="of charging profiles")
    ] = "Absolute"
    rate_unit: Annotated[
        Literal["A", "W"] | None,
        Field(description="in which a limit is sent; null: as the charge point says"),
    ] = None
    remote_start: Annotated[
        bool, Field(description="it charges only after Luna started the transaction")
    ] = False
    sample_interval_s: Annotated[
        int, Field(ge=5, le=900, description="how often it is to send what it measures")
    ] = 10
    measurands: Annotated[
        tuple[str, ...], Field(min_length=1, description="what it is to send, the first first")
    ] = MEASURANDS
    changes_availability: Annotated[
        bool, Field(description="whether it may be set back into service where it is out of it")
    ] = True
    most_a: Annotated[
        float | None,
        Field(
            ge=6,
            le=80,
            description="the most that it ever charges with, also without Luna; null: its own most",
        ),
    ] = None
    safe_a: Annotated[
        float,
        Field(ge=6, le=80, description="with which it charges once nobody commands it any more"),
    ] = 6.0
    one_period: Annotated[
        bool, Field(description="it takes a limit only without one that follows later")
    ] = False


class ChargePointLimit(Message):
    """Limits of a charge point; in a command null leaves one as it is."""

    current_a: Annotated[float | None, Field(ge=0, le=80, description="for each phase")] = None
    phases: Annotated[int | None, Field(ge=1, le=3, description="null: as the charger is")] = None
    power_w: Annotated[
        float | None, Field(ge=0, description="of all phases; counts where limits are in watts")
    ] = None
    charging: Annotated[int | None, Field(ge=0, le=1, description="1: it may charge")] = None
    own: Annotated[
        int | None, Field(ge=0, le=1, description="1: it charges as it would without Luna")
    ] = None


class ChargePointBoot(Message):
    """Identity that a charge point reports."""

    vendor: Annotated[str, Field(description="empty: it said nothing yet")] = ""
    model: str = ""
    serial: str = ""
    version: Annotated[str, Field(description="of its firmware")] = ""


class ChargePointState(Message):
    """Present state and measurements of a charge point."""

    connected: Annotated[int, Field(description="1: it has a connection to Luna")]
    status: Annotated[str, Field(description="in the words of its protocol")]
    car_state: Annotated[
        int | None, Field(description="0 unplugged, 1 plugged in, 2 charging, 3 fault")
    ]
    power_w: float | None
    energy_kwh: Annotated[float | None, Field(description="its counter")]
    session_kwh: Annotated[float | None, Field(description="since the car was plugged in")]
    current_a: Annotated[float | None, Field(description="of the phase with the most")]
    offered_a: Annotated[float | None, Field(description="that it allows for each phase")]
    phases: Annotated[int | None, Field(description="on which current flows")]
    soc: Annotated[float | None, Field(description="of the car, percent")]
    overridden: Annotated[
        int, Field(description="1: it offers less than its limit and than it offered before")
    ]
    transactions: Annotated[int, Field(description="that are kept")]
    limit: Annotated[
        ChargePointLimit | None,
        Field(description="that it accepted on this connection; null: none"),
    ]


class SeenChargePoint(Message):
    """A charge point that connected since the process started, or was accepted before."""

    identity: Identity
    address: Annotated[str, Field(description="from which it came; empty: it did not yet")]
    protocol: ChargePointProtocol | None
    boot: ChargePointBoot
    connected: bool
    accepted: Annotated[bool, Field(description="whether a site has it")]


class ListChargePoints(Message):
    """Ask for all charge points; changes nothing."""

    kind: Literal["list"] = "list"


class AskChargePoint(Message):
    """Ask for the state of a charge point that a site has."""

    kind: Literal["state"] = "state"
    identity: Identity
    traits: ChargePointTraits
    commands: Annotated[
        bool, Field(description="whether who asks commands it: its limit counts on")
    ] = False


class LimitChargePoint(Message):
    """Have a charge point of a site do something."""

    kind: Literal["limit"] = "limit"
    identity: Identity
    traits: ChargePointTraits
    limit: ChargePointLimit


ChargePointRequest = Annotated[
    ListChargePoints | AskChargePoint | LimitChargePoint, Field(discriminator="kind")
]
CHARGE_POINT_REQUESTS: TypeAdapter[ChargePointRequest] = TypeAdapter(ChargePointRequest)


class ChargePointAnswer(Message):
    """Answer of the process."""

    fault: Annotated[
        Literal["silent", "refused", "unreadable"] | None, Field(description="null: none")
    ] = None
    reason: Annotated[str, Field(description="of the fault, as the charge point says it")] = ""
    charge_points: Annotated[list[SeenChargePoint], Field(description="of a list")] = []
    state: Annotated[ChargePointState | None, Field(description="of the one asked for")] = None
