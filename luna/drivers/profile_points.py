"""Define the points of a profile: numbers in registers or documents, and their writes."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from luna.drivers.profile_part import (
    DocumentPlace,
    NumberType,
    PointName,
    PointType,
    ProfilePart,
    Register,
    RegisterTable,
)
from luna.drivers.readings import READING_UNITS, PointUnit, ReadingUnit
from luna.drivers.write_limits import RESERVED_WRITES, WRITES_PER_DAY
from luna.energy.refusals import invalid_part

# Factor from a point's unit to a reading's, where they differ.
_FACTORS: Mapping[tuple[ReadingUnit, ReadingUnit], float] = {
    ("kW", "W"): 1000.0,
    ("Wh", "kWh"): 0.001,
}
# Placeholder in topics for the device's topic prefix, which the site names.
PREFIX_PART = "{prefix}"
# Placeholder in paths of HTTP for one of several relays or charge points behind an address.
UNIT_PART = "{unit}"
# Placeholder for the number in a request of HTTP, or in a message of MQTT, that writes.
VALUE_PART = "{value}"
WriteMethod = Literal["GET", "PUT", "POST"]


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
    """A number in one or two registers: raw × scale × 10^exponent + offset."""

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
                "what a missing register or the device's number for no value counts as, such as "
                "0 of a string that a smaller model lacks; empty: unknown"
            )
        ),
    ] = None
    offset: Annotated[
        float,
        Field(description="in its unit: added to raw × scale, such as -32000 where 32000 is 0 W"),
    ] = 0.0
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

    def at_unit(self, unit: int, prefix: str = PREFIX_PART) -> "JsonPoint":
        """Return the point of one of several devices behind an address."""

        def expand(place: str) -> str:
            return place.replace(UNIT_PART, str(unit)).replace(PREFIX_PART, prefix)

        write_to = None if self.write_to is None else expand(self.write_to)
        return self.model_copy(update={"at": expand(self.at), "write_to": write_to})


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


def unit_factor(point: Point, reading: str) -> float:
    """Return the factor from a point's unit to a reading's, 0 where units do not fit."""
    unit = READING_UNITS[reading]
    own_unit = point.unit or ""
    if own_unit == unit:
        return 1.0
    return _FACTORS.get((own_unit, unit), 0.0)
