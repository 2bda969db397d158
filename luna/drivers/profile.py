"""Define the schema of a device profile in YAML: points, readings and modes.

Units and bounds are validated.

A *point* is a number of the device, in registers or in a JSON document; a *reading* is a sum of
points under one of Luna's names; a *mode* is the ordered writes that make the device act as Luna's
mode of that name.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from luna.contracts.charge_points import ChargePointTraits
from luna.drivers.json_values import look_up, put_at
from luna.drivers.points import DeviceIdentity
from luna.drivers.write_limits import RESERVED_WRITES, WRITES_PER_DAY
from luna.energy.devices.battery import Mode
from luna.energy.devices.pv import PvMode
from luna.energy.devices.switched import LoadMode
from luna.energy.devices.vehicle import VehicleMode
from luna.energy.refusals import invalid_part

PointName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]
SignedPoint = Annotated[
    str,
    Field(
        pattern=r"^-?[A-Za-z][A-Za-z0-9_]*$",
        max_length=41,
        description="a leading minus: counted the other way",
    ),
]
Register = Annotated[int, Field(ge=0, le=65535)]
RegisterTable = Literal["holding", "input"]
NumberType = Literal["int16", "uint16", "int32", "uint32", "uint64", "float32", "float64", "acc32"]
PointType = Literal[NumberType, "text"]
PointUnit = Literal["W", "kW", "Wh", "kWh", "%", "s", "A"]
# Empty: a state, or a number of phases.
ReadingUnit = Literal[PointUnit, ""]
# Readings are never negative: each direction has its own.
# ac_output_w and ac_input_w: the inverter's AC side, with PV and battery behind it; min_soc: the
# device's own reserve; car_…: of a charge point, offered_a: the current per phase that it allows
# now; load_on and heater_…: of a switched load.
ReadingName = Literal[
    "soc",
    "min_soc",
    "charge_w",
    "discharge_w",
    "pv_w",
    "ac_output_w",
    "ac_input_w",
    "import_w",
    "export_w",
    "phase_1_w",
    "phase_2_w",
    "phase_3_w",
    "load_w",
    "import_kwh",
    "export_kwh",
    "pv_kwh",
    "car_w",
    "car_kwh",
    "session_kwh",
    "car_plugged",
    "car_charging",
    "car_soc",
    "offered_a",
    "phases_used",
    "load_on",
    "heater_w",
    "heater_kwh",
]
LimitName = Literal["charge_w", "discharge_w", "capacity_kwh", "most_a"]
_UNITS_BY_END: Mapping[str, PointUnit] = {"soc": "%", "_kwh": "kWh", "_w": "W", "_a": "A"}
# What a state of a charge point means for a reading: 0 unplugged, 1 plugged, 2 charging; in 3, a
# fault, neither is known.
STATE_READINGS: Mapping[str, Mapping[float, float]] = {
    "car_plugged": {0.0: 0.0, 1.0: 1.0, 2.0: 1.0},
    "car_charging": {0.0: 0.0, 1.0: 0.0, 2.0: 1.0},
}


def _unit_of(name: str) -> ReadingUnit:
    for end, unit in _UNITS_BY_END.items():
        if name.endswith(end):
            return unit
    return ""


READING_UNITS: Mapping[str, ReadingUnit] = {
    name: _unit_of(name) for name in (*get_args(ReadingName), *get_args(LimitName))
}
# Factor from a point's unit to a reading's, where they differ.
_FACTORS: Mapping[tuple[ReadingUnit, ReadingUnit], float] = {
    ("kW", "W"): 1000.0,
    ("Wh", "kWh"): 0.001,
}
MODES: tuple[Mode, ...] = get_args(Mode)
ProfileMode = Literal[Mode, VehicleMode, LoadMode, PvMode]
# Modes that a profile of these kinds has to have.
SWITCHED_MODES: Mapping[str, tuple[ProfileMode, ...]] = {
    "charge_point": ("charge", "stop"),
    "switched_load": ("on", "off"),
    "pv_inverter": ("free", "limit"),
}
# In which a device of these kinds is left to itself; of the others it is own.
OWN_MODES: Mapping[str, ProfileMode] = {
    "battery_inverter": "self_consumption",
    "pv_inverter": "free",
}
ProfileKind = Literal["battery_inverter", "meter", "charge_point", "switched_load", "pv_inverter"]
_DAY_S = 86_400
# Surplus of the house from these; with the AC side, the inverter's output if its battery were idle.
SURPLUS_READINGS: tuple[ReadingName, ...] = ("charge_w", "discharge_w", "import_w", "export_w")
FLOW_READINGS: tuple[ReadingName, ...] = (*SURPLUS_READINGS, "ac_output_w", "ac_input_w")
# Of each phase of the grid connection, negative while it feeds in: a fuse needs both directions.
SIGNED_READINGS: tuple[ReadingName, ...] = ("phase_1_w", "phase_2_w", "phase_3_w")


def split_sign(entry: str) -> tuple[int, str]:
    """Return sign and point name of a reading's entry."""
    return (-1, entry[1:]) if entry.startswith("-") else (1, entry)


def unit_factor(point: "Point", reading: str) -> float:
    """Return the factor from a point's unit to a reading's, 0 where units do not fit."""
    unit = READING_UNITS[reading]
    own_unit = point.unit or ""
    if own_unit == unit:
        return 1.0
    return _FACTORS.get((own_unit, unit), 0.0)


class ProfilePart(BaseModel):
    """A part of a profile; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CoveredProduct(ProfilePart):
    """Product covered by a profile."""

    brand: Annotated[str, Field(min_length=1, max_length=60)]
    models: Annotated[
        str, Field(min_length=1, max_length=200, description="as the maker names them")
    ]


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


DocumentFormat = Literal["json", "sml"]


class HttpTransport(ProfilePart):
    """JSON documents over HTTP, of the device itself alone."""

    kind: Literal["http"]
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    auth: Annotated[
        Literal["basic", "digest", "header"],
        Field(description="how a secret is shown, where the site names one"),
    ] = "digest"
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
        Field(description="sml: messages of a German meter, whose numbers are named by OBIS code"),
    ] = "json"
    unit: Annotated[
        int,
        Field(
            ge=0,
            le=255,
            description="stands for {unit} in paths, where a device has several: its first",
        ),
    ] = 0
    patience_s: Annotated[float, Field(gt=0, le=30)] = 5.0


DocumentPlace = Annotated[str, Field(pattern=r"^[^\s+#]+$", max_length=255)]


# Placeholder in topics for the device's topic prefix, which the site names.
PREFIX_PART = "{prefix}"
# Placeholder in paths of HTTP for one of several relays or charge points behind an address.
UNIT_PART = "{unit}"
# Placeholder for the number in a request of HTTP, or in a message of MQTT, that writes.
VALUE_PART = "{value}"
WriteMethod = Literal["GET", "PUT", "POST"]


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


class StatusBit(ProfilePart):
    """A bit of a register, the least significant first."""

    register_: Annotated[Register, Field(alias="register")]
    bit: Annotated[int, Field(ge=0, le=15)]


class SignBits(ProfilePart):
    """Bits of a register that tell the direction of a power.

    For devices that report, or once reported, the power without a sign.

    With one of them set the power counts that way; with none its own sign counts. Both, or a bit
    against a minus, is unknown. One bit alone always tells: while it is not set, the power is
    negative.
    """

    register_: Annotated[Register, Field(alias="register")]
    positive_bit: Annotated[int, Field(ge=0, le=15)]
    negative_bit: Annotated[
        int | None, Field(ge=0, le=15, description="empty: the other bit alone tells it")
    ] = None


class PortGroup(ProfilePart):
    """Group of a SunSpec model that repeats per port; only ports of some types count."""

    length: Annotated[int, Field(ge=1, le=200, description="registers of one port")]
    type_register: Annotated[
        Register, Field(description="where the first port begins, with its type")
    ]
    types: Annotated[
        tuple[int, ...],
        Field(min_length=1, description="a point is the sum of the ports of these types"),
    ]


def _name_codes(codes: object) -> object:
    """Return codes by their text in JSON, as a document has them."""
    if not isinstance(codes, Mapping):
        return codes
    return {code if isinstance(code, str) else json.dumps(code): n for code, n in codes.items()}


class Point(ProfilePart):
    """A number of the device, in its unit."""

    scale: Annotated[float, Field(gt=0)] = 1.0
    unit: PointUnit | None = None
    low: float | None = None
    high: float | None = None
    persistence: Annotated[
        Literal["volatile", "flash", "unknown"] | None,
        Field(
            description=(
                "where a written value is kept; needed of each written point; all but volatile "
                "is written where it differs alone"
            )
        ),
    ] = None
    budget_per_day: Annotated[
        int | None,
        Field(
            ge=2 * RESERVED_WRITES,
            le=86_400,
            description=(
                f"most writes in 24 hours; empty: {WRITES_PER_DAY}, of a volatile point any number"
            ),
        ),
    ] = None
    invalid: Annotated[
        tuple[float, ...],
        Field(
            description=(
                "raw numbers, before scale, with which the device reports that it has no "
                "value; beside those of the profile"
            )
        ),
    ] = ()
    write_only: Annotated[
        bool,
        Field(
            description=(
                "the device does not say what it holds: while connected, what was sent counts "
                "as held"
            )
        ),
    ] = False

    codes: Annotated[
        Mapping[str, float],
        BeforeValidator(_name_codes),
        Field(
            description=(
                "the number that each text or number of the device stands for; anything else is "
                "unknown; of several that stand for one the first is written"
            )
        ),
    ] = {}

    def code_of(self, value: float) -> str | None:
        """Return the device's text or number for a value, None where no code stands for it."""
        return next((code for code, number in self.codes.items() if number == value), None)

    @property
    def budget(self) -> int | None:
        """How often it may be written in 24 hours, None: any number of times."""
        if self.budget_per_day:
            return self.budget_per_day
        return None if self.persistence == "volatile" else WRITES_PER_DAY


class RegisterPoint(Point):
    """A number in one or two registers: raw × scale × 10^exponent."""

    register_: Annotated[
        Register,
        Field(
            alias="register",
            description="an address; of a SunSpec model the offset in it, ID and length included",
        ),
    ]
    model: Annotated[
        tuple[int, ...],
        Field(
            description=(
                "SunSpec models, of which the first that the device has holds it; empty: none"
            )
        ),
    ] = ()
    ports: Annotated[
        PortGroup | None,
        Field(description="the point is in each port of the model; register is the first port's"),
    ] = None
    table: Annotated[
        RegisterTable | None, Field(description="where it is read; empty: the transport's")
    ] = None
    type: PointType
    count: Annotated[
        int | None,
        Field(ge=1, le=60, description="of type text: its registers, of two letters each"),
    ] = None
    write_register: Annotated[
        Register | None,
        Field(description="where it is written, if not where it is read; not of a SunSpec model"),
    ] = None
    write_type: Annotated[
        NumberType | None, Field(description="as what it is written there; empty: as it is read")
    ] = None
    word_order: Annotated[
        Literal["big", "little"],
        Field(description="little: of two registers the first is the less significant"),
    ] = "big"
    exponent_register: Annotated[
        Register | None,
        Field(description="where the exponent lies: an address, or an offset in the same model"),
    ] = None
    absent: Annotated[
        float | None,
        Field(
            description=(
                "what the device's number for no value counts as, such as 0 of a string that a "
                "smaller model lacks; empty: unknown"
            )
        ),
    ] = None
    while_bit: Annotated[
        StatusBit | None,
        Field(description="it counts while this bit of the same table is set, else it is 0"),
    ] = None
    sign_bits: Annotated[
        SignBits | None,
        Field(
            description=(
                "which way it flows, where its own sign does not always tell it; of the same table"
            )
        ),
    ] = None

    @model_validator(mode="after")
    def _has_a_width(self) -> Self:
        if (self.type == "text") != (self.count is not None and bool(self.codes)):
            raise invalid_part("profile-text-point", register=self.register_)
        return self

    @field_validator("model", mode="before")
    @classmethod
    def _as_tuple(cls, model: object) -> object:
        return (model,) if isinstance(model, int) else model


class JsonPoint(Point):
    """A number in a JSON document: raw × scale."""

    at: Annotated[
        DocumentPlace,
        Field(
            description=(
                "the document: a path of HTTP with its query, a topic of MQTT, telegram (P1), or "
                "emeter/{prefix} (sma_multicast); {prefix} is what the site names; {unit} in a "
                "path the unit that it names, else the transport's"
            )
        ),
    ]
    field_: Annotated[
        str,
        Field(
            alias="field",
            pattern=r"^[^\s.]+(\.[^\s.]+)*$|^$",
            max_length=255,
            description=(
                "names with dots between, * for a member of any name, a number for a place in a "
                "list; empty: all of it"
            ),
        ),
    ] = ""
    write_to: Annotated[
        DocumentPlace | None,
        Field(
            description=(
                "needed of each written point; MQTT: the topic that takes it, as write_body or in "
                "a document of that field; HTTP: the path with its query, in which {value} is the "
                "number"
            )
        ),
    ] = None
    write_method: Annotated[WriteMethod, Field(description="HTTP: of the request that writes")] = (
        "GET"
    )
    write_body: Annotated[
        str | None,
        Field(
            max_length=1000,
            description=(
                "what the request or message carries, in which {value} is the number; HTTP: "
                "JSON, or a form; MQTT: empty: a document of the field"
            ),
        ),
    ] = None
    write_codes: Annotated[
        Mapping[str, float],
        BeforeValidator(_name_codes),
        Field(
            description=(
                "the number that each text stands for in a request or message that writes, where "
                "the device reports it by other codes"
            )
        ),
    ] = {}
    write_decimals: Annotated[
        int, Field(ge=0, le=6, description="of the number in the request, or in write_body")
    ] = 0
    absent: Annotated[
        float | None,
        Field(
            description=(
                "MQTT: what it counts as where the device said everything (done) but this; "
                "empty: unknown"
            )
        ),
    ] = None

    @property
    def written_codes(self) -> Mapping[str, float]:
        """The texts that a request or message carries, by what they stand for; empty: numbers."""
        return self.write_codes or self.codes

    def at_unit(self, unit: int) -> "JsonPoint":
        """Return the point of one of several relays or charge points behind an address."""
        number = str(unit)
        write_to = self.write_to
        if write_to is not None:
            write_to = write_to.replace(UNIT_PART, number)
        return self.model_copy(
            update={"at": self.at.replace(UNIT_PART, number), "write_to": write_to}
        )


def _kind_of_point(value: Any) -> str:
    is_document = isinstance(value, Mapping) and "at" in value
    return "json" if isinstance(value, JsonPoint) or is_document else "register"


AnyPoint = Annotated[
    Annotated[RegisterPoint, Tag("register")] | Annotated[JsonPoint, Tag("json")],
    Discriminator(_kind_of_point),
]


# Parts of a set-point that a write can carry, see ``setpoint_parts.py``.
PartName = Literal[
    "power_w",
    "power_percent",
    "ac_power_w",
    "value",
    "reversion_s",
    "reversion_min",
    "current_a",
    "phases",
]
# Parts of a command for a charge point, a load or a solar inverter, see ``command_writes.py``.
COMMAND_PARTS: frozenset[PartName] = frozenset(
    {"power_w", "power_percent", "value", "reversion_s", "reversion_min", "current_a", "phases"}
)


class PointWrite(ProfilePart):
    """A value for a point: a number, or a part of the set-point."""

    write: PointName
    value: Annotated[float | None, Field(description="always this")] = None
    put: Annotated[
        PartName | None,
        Field(
            description="this part of the set-point; ac_power_w: what the inverter gives on its AC "
            "side while the battery does as it is to do; current_a: per phase of a charge point; "
            "phases: with which it charges, 1 or 3; "
            "value: what another point says, such as the most that the battery takes"
        ),
    ] = None
    of: Annotated[
        PointName | None,
        Field(description="value: that other point; power_percent: the point whose value is 100 %"),
    ] = None
    sign: Literal[1, -1] = 1

    @model_validator(mode="after")
    def _is_one_value(self) -> Self:
        has_one_value = (self.value is None) != (self.put is None)
        needs_point = self.put in {"power_percent", "value"}
        if not has_one_value or needs_point != (self.of is not None):
            raise invalid_part("profile-write-value", point=self.write)
        return self


def _by_language(text: object) -> object:
    return {SPOKEN_BY_ALL: text} if isinstance(text, str) else text


# Text for the owner: one for all languages, or one per language; English where the reader's is
# missing.
SPOKEN_BY_ALL = "en"
OwnerText = Annotated[
    Mapping[str, Annotated[str, Field(min_length=1, max_length=300)]], BeforeValidator(_by_language)
]


def pick_text(text: Mapping[str, str], language: str) -> str:
    """Return an owner's text in a language, else in English, else in any."""
    return text.get(language) or text.get(SPOKEN_BY_ALL) or next(iter(text.values()), "")


class Reversion(ProfilePart):
    """Behaviour of the device once nobody commands it any more."""

    after_s: Annotated[
        int | None,
        Field(
            ge=1,
            le=86_400,
            description=(
                "it falls back to self_consumption, or own, after that long; empty: it stays as "
                "it is"
            ),
        ),
    ]
    resend_s: Annotated[
        int | None,
        Field(
            ge=1, le=3600, description="how often a command is said again; empty: once is enough"
        ),
    ] = None
    stays_in: Annotated[
        tuple[ProfileMode, ...], Field(description="modes that it keeps whatever after_s says")
    ] = ()
    heartbeat: Annotated[
        PointName | None,
        Field(
            description=(
                "a point that is counted on every second, or it falls back; where the device has it"
            )
        ),
    ] = None
    device_heartbeat: Annotated[
        PointName | None,
        Field(
            description=(
                "a point that the device counts on by itself: one that stands still for "
                "after_s is taken as no answer; where the device has it"
            )
        ),
    ] = None

    @model_validator(mode="after")
    def _is_resent_in_time(self) -> Self:
        if self.after_s is not None and (self.resend_s is None or 2 * self.resend_s > self.after_s):
            raise invalid_part("profile-resend-late", after_s=self.after_s)
        if self.device_heartbeat is not None and self.after_s is None:
            raise invalid_part("profile-heartbeat-endless", point=self.device_heartbeat)
        return self


# From the strongest evidence to the weakest.
EvidenceKind = Literal["owner", "maker", "reported", "simulator"]
# Enough to command a device that nobody has tried at this home.
PROVEN_KINDS: frozenset[EvidenceKind] = frozenset({"owner", "maker"})


class ProfileEvidence(ProfilePart):
    """Evidence for a profile."""

    kind: Annotated[
        EvidenceKind,
        Field(description="reported: by another project's template, which nobody has verified"),
    ]
    source: Annotated[str, Field(min_length=1, max_length=300)]
    backs: Annotated[
        Literal["all", "readings"],
        Field(description="readings: it says nothing of what is written"),
    ] = "all"


class ProductText(ProfilePart):
    """Texts about the product in SunSpec model 1."""

    maker: Annotated[str, Field(min_length=1, max_length=32)]
    models: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=32)], ...],
        Field(min_length=1, description="its model contains one of them"),
    ]

    def matches_identity(self, identity: DeviceIdentity) -> bool:
        """Return whether a device says that it is this product."""
        model = identity.model.casefold()
        if identity.maker.casefold() != self.maker.casefold():
            return False
        return any(text.casefold() in model for text in self.models)


class IdentityNumber(ProfilePart):
    """A number that a product says of itself, such as the code of its model."""

    register_: Annotated[Register, Field(alias="register")]
    table: Annotated[
        RegisterTable | None, Field(description="where it is read; empty: the transport's")
    ] = None
    type: NumberType
    ranges: Annotated[
        tuple[tuple[int, int], ...],
        Field(min_length=1, description="of one of which it has to be, both ends included"),
    ]


class IdentityText(ProfilePart):
    """A text that a product says of itself."""

    register_: Annotated[Register, Field(alias="register")]
    table: Annotated[
        RegisterTable | None, Field(description="where it is read; empty: the transport's")
    ] = None
    count: Annotated[int, Field(ge=1, le=60, description="registers, of two letters each")]
    text: Annotated[re.Pattern[str], Field(description="all of it, as a regular expression")]
    names: Annotated[
        Literal["model", "serial"] | None, Field(description="what it is; empty: neither")
    ] = None
    example: Annotated[
        str, Field(min_length=1, max_length=120, description="what the simulator says")
    ]


class IdentityField(ProfilePart):
    """Field of a JSON document that identifies a product.

    A number, true and false by their letters.
    """

    at: Annotated[
        DocumentPlace,
        Field(
            description=(
                "the document: a path of HTTP, or a topic of MQTT that begins as those of the "
                "device do"
            )
        ),
    ]
    field_: Annotated[
        str,
        Field(
            alias="field", max_length=255, description="names with dots between; empty: all of it"
        ),
    ] = ""
    text: Annotated[re.Pattern[str], Field(description="all of it, as a regular expression")]
    names: Annotated[
        Literal["model", "serial"] | None, Field(description="what it is; empty: neither")
    ] = None
    example: Annotated[bool | int | str, Field(description="what the simulator says")]

    def read(self, document: Any) -> str | None:
        """Return the document's value as text, None where it is another product's."""
        value = look_up(document, self.field_)
        document_text = value if isinstance(value, str) else json.dumps(value)
        return document_text if self.text.fullmatch(document_text) else None


class ProductIdentity(ProfilePart):
    """Identity of a product without SunSpec: all of these fields must match."""

    units: Annotated[
        tuple[Annotated[int, Field(ge=0, le=255)], ...],
        Field(description="numbers on the bus to look at beside the transport's"),
    ] = ()
    registers: Annotated[
        tuple[IdentityNumber | IdentityText, ...], Field(description="over Modbus")
    ] = ()
    documents: Annotated[tuple[IdentityField, ...], Field(description="over HTTP and MQTT")] = ()
    prefix: Annotated[
        re.Pattern[str] | None,
        Field(
            description=(
                "MQTT: how the topics of such a device begin, as a regular expression; empty: "
                "anyhow"
            )
        ),
    ] = None

    @model_validator(mode="after")
    def _has_fitting_examples(self) -> Self:
        for rule in self.registers:
            if isinstance(rule, IdentityText) and not rule.text.fullmatch(rule.example):
                raise invalid_part("profile-example", place=str(rule.register_))
        for field in self.documents:
            if field.read(put_at(None, field.field_, field.example)) is None:
                raise invalid_part("profile-example", place=field.at)
        return self

    def read_documents(self, documents: Mapping[str, Any], maker: str) -> DeviceIdentity | None:
        """Return a device's identity from documents by their places, None for another product."""
        texts = {rule: rule.read(documents.get(rule.at)) for rule in self.documents}
        if None in texts.values():
            return None
        named = {rule.names: text for rule, text in texts.items()}
        return DeviceIdentity(
            maker=maker,
            model=named.get("model") or "",
            version="",
            serial=named.get("serial") or "",
        )


class SunSpecMap(ProfilePart):
    """Models that identify the product, and their lengths in the simulator."""

    identified_by: Annotated[
        tuple[int, ...], Field(min_length=1, description="models of which it has to have one")
    ]
    lengths: Annotated[
        Mapping[int, Annotated[int, Field(ge=1, le=1000)]],
        Field(description="without ID and length"),
    ]
    product: Annotated[
        ProductText | None,
        Field(
            description=(
                "searching, this profile is for that product alone, and before those for any"
            )
        ),
    ] = None
    base: Register = 40000
    units: Annotated[
        tuple[Annotated[int, Field(ge=0, le=255)], ...],
        Field(description="numbers on the bus to look at beside the transport's"),
    ] = ()


class ChargerTraits(ProfilePart):
    """What a charge point can do, where the site says nothing else."""

    phases: Annotated[
        tuple[Literal[1, 3], ...],
        Field(min_length=1, max_length=2, description="[1, 3]: it switches by command"),
    ] = (3,)
    least_a: Annotated[
        float,
        Field(ge=1, le=32, description="per phase; below it a charge is commanded as stop"),
    ] = 6.0
    most_a: Annotated[float, Field(ge=1, le=80, description="per phase")] = 16.0


class SimulatedDevice(ProfilePart):
    """Registers of the simulated device beyond its physics."""

    values: Annotated[
        Mapping[PointName, float], Field(description="of points, in their units")
    ] = {}
    exponents: Annotated[
        Mapping[PointName, Annotated[int, Field(ge=-10, le=10)]],
        Field(description="of points with an exponent of their own; else 0"),
    ] = {}
    registers: Annotated[
        Mapping[int, Mapping[Register, Register]],
        Field(description="of SunSpec models, by offset: what is no point"),
    ] = {}
    falls_back_to: Annotated[
        Mapping[PointName, float],
        Field(
            description=(
                "of points, in their units: what the device writes itself when it falls back; "
                "empty: the fixed values of self_consumption, or own"
            )
        ),
    ] = {}


class DeviceProfile(ProfilePart):
    """A product, or a family of them, that Luna reads and commands."""

    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    title: Annotated[
        str,
        Field(
            min_length=1,
            max_length=120,
            description="names alone; what it is, pages say in the reader's language, by kind",
        ),
    ]
    kind: ProfileKind
    covers: Annotated[tuple[CoveredProduct, ...], Field(min_length=1)]
    transport: DeviceTransport
    sunspec: SunSpecMap | None = None
    identified: ProductIdentity | None = None
    points: Annotated[Mapping[PointName, AnyPoint], Field(min_length=1)]
    reads: Annotated[
        Mapping[ReadingName, tuple[SignedPoint, ...]],
        Field(
            min_length=1,
            description=(
                "sums of points; below zero is 0 where another reading is the same sum with a "
                "minus, else unknown"
            ),
        ),
    ]
    invalid: Annotated[
        Mapping[NumberType | Literal["json"], tuple[float, ...]],
        Field(
            description=(
                "by type of number: with which the device reports that it has no value; an "
                "integer as its bits without a sign, or as the number"
            )
        ),
    ] = {}
    limits: Annotated[
        Mapping[LimitName, PointName],
        Field(description="the most that the device does, and what its battery holds"),
    ] = {}
    modes: Annotated[
        Mapping[ProfileMode, tuple[PointWrite, ...]],
        Field(
            description=(
                "what is written in each mode, in order; empty: it is only read, as any meter is"
            )
        ),
    ] = {}
    reverts: Annotated[Reversion | None, Field(description="needed of what is commanded")] = None
    charger: Annotated[
        ChargerTraits | None, Field(description="needed of a charge point, and of nothing else")
    ] = None
    decides_itself: Annotated[
        bool,
        Field(
            description=(
                "the device takes a command as a hint, as a heat pump does that is offered "
                "surplus: what it then draws is not judged"
            )
        ),
    ] = False
    exclusive: Annotated[
        tuple[OwnerText, ...], Field(description="other masters that have to be switched off first")
    ] = ()
    evidence: Annotated[tuple[ProfileEvidence, ...], Field(min_length=1)]
    simulated: SimulatedDevice = SimulatedDevice()

    @model_validator(mode="after")
    def _has_every_point(self) -> Self:
        names = [*self._read_points(), *self.written_points]
        names += [*self.simulated.values, *self.simulated.exponents]
        names += [*self.simulated.falls_back_to]
        for name in names:
            if name not in self.points:
                raise invalid_part("profile-point-unknown", point=name)
        self._can_be_read()
        over_modbus = isinstance(self.transport, ModbusTransport)
        for name, point in self.points.items():
            if isinstance(point, RegisterPoint) != over_modbus:
                raise invalid_part(
                    "profile-point-transport", point=name, transport=self.transport.kind
                )
        if self.identified is not None and bool(self.identified.registers) != over_modbus:
            raise invalid_part(
                "profile-point-transport", point="identified", transport=self.transport.kind
            )
        register_points = [
            point for point in self.points.values() if isinstance(point, RegisterPoint)
        ]
        if self.sunspec is None and any(point.model for point in register_points):
            raise invalid_part("profile-sunspec-missing")
        self._fits_its_kind()
        return self

    def _fits_its_kind(self) -> None:
        """Check the modes, and what a charge point or a battery needs beside them."""
        if (self.kind == "charge_point") != (self.charger is not None):
            raise invalid_part("profile-charger-traits")
        is_read = not self.modes and self.reverts is None
        if self.kind in {"battery_inverter", "pv_inverter"} and is_read:
            return
        if self.kind in SWITCHED_MODES:
            self._can_be_switched()
        elif self.kind == "battery_inverter":
            self._can_be_commanded()
        elif self.modes:
            raise invalid_part("profile-meter-commanded")

    def _list_writes(self) -> list[PointWrite]:
        return [write for writes in self.modes.values() for write in writes]

    def _read_points(self) -> Iterator[str]:
        for entries in self.reads.values():
            for _, point in map(split_sign, entries):
                yield point
        yield from self.limits.values()
        for write in self._list_writes():
            if write.of is not None:
                yield write.of
        yield from self._heartbeats
        if self.reverts is not None and self.reverts.device_heartbeat is not None:
            yield self.reverts.device_heartbeat

    def _can_be_read(self) -> None:
        for name in self._read_points():
            if self.points[name].write_only:
                raise invalid_part("profile-point-write-only", point=name)
        limits = {limit: (point,) for limit, point in self.limits.items()}
        for reading, entries in (*self.reads.items(), *limits.items()):
            for _, name in map(split_sign, entries):
                if not unit_factor(self.points[name], reading):
                    raise invalid_part(
                        "profile-unit", point=name, reading=reading, unit=READING_UNITS[reading]
                    )

    def _can_be_switched(self) -> None:
        """Check the modes of a charge point, a switched load or a solar inverter."""
        needed = SWITCHED_MODES[self.kind]
        for mode in needed:
            if not self.modes.get(mode):
                raise invalid_part("profile-mode-missing", mode=mode)
        for mode in self.modes:
            if mode not in {*needed, self.own_mode}:
                raise invalid_part("profile-mode-foreign", mode=mode, kind=self.kind)
        for write in self._list_writes():
            if write.put is not None and write.put not in COMMAND_PARTS:
                raise invalid_part("profile-part-foreign", put=write.put, kind=self.kind)
        limiting = {write.put for write in self.modes.get("charge", ())}
        if self.kind == "charge_point" and not limiting & {"current_a", "power_w"}:
            raise invalid_part("profile-charge-unlimited")
        self._can_be_written()

    def _can_be_commanded(self) -> None:
        for mode in self.modes:
            if mode not in MODES:
                raise invalid_part("profile-mode-foreign", mode=mode, kind=self.kind)
        for write in self._list_writes():
            if write.put in {"current_a", "phases"}:
                raise invalid_part("profile-part-foreign", put=write.put, kind=self.kind)
        for mode in MODES:
            is_emulated = mode in {"save", "supply"} and self.knows_surplus
            if not self.modes.get(mode) and not is_emulated:
                raise invalid_part("profile-mode-missing", mode=mode)
        commands_ac_power = any(write.put == "ac_power_w" for write in self._list_writes())
        if commands_ac_power and not set(FLOW_READINGS) <= set(self.reads):
            raise invalid_part("profile-flows-missing", names=", ".join(FLOW_READINGS))
        if "soc" not in self.reads:
            raise invalid_part("profile-soc-missing")
        self._can_be_written()

    def _can_be_written(self) -> None:
        if self.reverts is None:
            raise invalid_part("profile-reverts-missing")
        for name in self.written_points:
            point = self.points[name]
            if point.persistence is None:
                raise invalid_part("profile-persistence-missing", point=name)
            if isinstance(point, JsonPoint):
                self._can_be_sent(name, point)
        self._can_be_kept_up()

    def _can_be_sent(self, name: str, point: JsonPoint) -> None:
        if point.write_to is None:
            raise invalid_part("profile-write-to-missing", point=name)
        sends_value = VALUE_PART in point.write_to or VALUE_PART in (point.write_body or "")
        is_template = isinstance(self.transport, HttpTransport) or point.write_body is not None
        if is_template and not sends_value:
            raise invalid_part("profile-write-value-missing", point=name)

    def _can_be_kept_up(self) -> None:
        """Refuse a mode that needs more writes than the budgets of its points allow."""
        for mode, writes in self.modes.items():
            resend_s = self.resend_s(mode)
            if resend_s is None:
                continue
            writes_per_day = _DAY_S / resend_s
            budgets = [self.points[write.write].budget for write in writes]
            if all(budget is not None and budget < writes_per_day for budget in budgets):
                raise invalid_part("profile-budget-short", mode=mode, resend_s=resend_s)
            # The heartbeat is written more often than any command.
            if any(self.points[name].budget is not None for name in self._heartbeats):
                raise invalid_part("profile-budget-short", mode=mode, resend_s=resend_s)

    def invalid_of(self, point: Point) -> tuple[float, ...]:
        """Return the raw numbers that stand for "no value" of a point."""
        if not isinstance(point, RegisterPoint):
            return (*self.invalid.get("json", ()), *point.invalid)
        if point.type == "text":
            return point.invalid
        return (*self.invalid.get(point.type, ()), *point.invalid)

    @property
    def own_mode(self) -> ProfileMode:
        """The mode in which the device is left to itself."""
        return OWN_MODES.get(self.kind, "own")

    @property
    def switches_phases(self) -> bool:
        """Whether a command can choose with how many phases the device charges."""
        return any(write.put == "phases" for write in self.modes.get("charge", ()))

    def resend_s(self, mode: ProfileMode) -> int | None:
        """Return the interval at which a mode is resent, s.

        None: never, since the device keeps the mode or falls back to it.
        """
        if self.reverts is None or mode == self.own_mode or mode in self.reverts.stays_in:
            return None
        return self.reverts.resend_s

    @property
    def is_commanded(self) -> bool:
        """Whether Luna can command the product, and not only read it."""
        return bool(self.modes)

    @property
    def knows_surplus(self) -> bool:
        """Whether the device measures the surplus: it allows to emulate ``save`` and ``supply``."""
        return set(SURPLUS_READINGS) <= set(self.reads)

    @property
    def units(self) -> tuple[int, ...]:
        """Unit numbers on the bus at which a search tries the product; empty without a bus."""
        if not isinstance(self.transport, ModbusTransport):
            return ()
        further = () if self.identified is None else self.identified.units
        of_models = () if self.sunspec is None else self.sunspec.units
        return (self.transport.unit, *further, *of_models)

    @property
    def port(self) -> int | None:
        """The port that devices are reached at; None where they connect to Luna."""
        return None if isinstance(self.transport, OcppTransport) else self.transport.port

    @property
    def needs_prefix(self) -> bool:
        """Whether a site has to name the prefix of the device's topics."""
        for point in self.points.values():
            if isinstance(point, JsonPoint) and PREFIX_PART in point.at:
                return True
        return False

    @property
    def written_points(self) -> tuple[str, ...]:
        """The points that commands may write, heartbeats included, without duplicates."""
        names = [write.write for write in self._list_writes()]
        return tuple(dict.fromkeys([*names, *self._heartbeats]))

    @property
    def evidence_level(self) -> EvidenceKind:
        """The strongest evidence for what is written, or of a meter for what is read."""
        kinds = set()
        for evidence in self.evidence:
            if evidence.backs == "all" or not self.modes:
                kinds.add(evidence.kind)
        levels: tuple[EvidenceKind, ...] = get_args(EvidenceKind)
        return next((level for level in levels if level in kinds), levels[-1])

    @property
    def needs_trial(self) -> bool:
        """Whether a device is read only until a trial has moved it."""
        return bool(self.modes) and self.evidence_level not in PROVEN_KINDS

    @property
    def _heartbeats(self) -> tuple[str, ...]:
        if self.reverts is None or self.reverts.heartbeat is None:
            return ()
        return (self.reverts.heartbeat,)
