"""What a profile says of a product: YAML of a small closed set of words, validated with its units and bounds.

A *point* is a number of the device in one or two registers; a *reading* is a sum of points under one of Luna's names; a *mode* is the writes that have the
device do what Luna's mode of that name means, in their order.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from luna.energy.devices import Mode
from luna.energy.refusals import invalid_part

PointName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]
SignedPoint = Annotated[str, Field(pattern=r"^-?[A-Za-z][A-Za-z0-9_]*$", max_length=41, description="a leading minus: counted the other way")]
Register = Annotated[int, Field(ge=0, le=65535)]
RegisterTable = Literal["holding", "input"]
NumberType = Literal["int16", "uint16", "int32", "uint32", "float32", "acc32"]
PointUnit = Literal["W", "kW", "Wh", "kWh", "%", "s"]
# What Luna reads of a device; powers are never below zero, each direction is a reading of its own.
ReadingName = Literal["soc", "charge_w", "discharge_w", "pv_w", "import_w", "export_w", "load_w", "import_kwh", "export_kwh"]
READING_UNITS: Mapping[str, PointUnit] = {name: "%" if name == "soc" else "kWh" if name.endswith("_kwh") else "W" for name in get_args(ReadingName)}
# What a point in one unit is in a reading's.
_PER: Mapping[tuple[PointUnit | None, PointUnit], float] = {("kW", "W"): 1000.0, ("Wh", "kWh"): 0.001}
MODES: tuple[Mode, ...] = get_args(Mode)


def split_sign(entry: str) -> tuple[int, str]:
    """Return the sign by which a reading counts a point, and the point."""
    return (-1, entry[1:]) if entry.startswith("-") else (1, entry)


def unit_factor(point: "Point", reading: str) -> float:
    """Return what a point is multiplied by to be in a reading's unit, 0 where it cannot be."""
    unit = READING_UNITS[reading]
    return 1.0 if point.unit == unit else _PER.get((point.unit, unit), 0.0)


class ProfilePart(BaseModel):
    """A part of a profile; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CoveredProduct(ProfilePart):
    """What a profile covers."""

    brand: Annotated[str, Field(min_length=1, max_length=60)]
    models: Annotated[str, Field(min_length=1, max_length=200, description="as the maker names them")]


class DeviceTransport(ProfilePart):
    """How the device is reached, where the site says nothing else."""

    kind: Annotated[Literal["modbus_tcp", "modbus_rtu_tcp"], Field(description="the latter through a gateway that passes the frames of a serial line on")]
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    unit: Annotated[int, Field(ge=0, le=255, description="the device's number on the bus")] = 1
    table: Annotated[RegisterTable, Field(description="which registers are read, where a point says nothing else")] = "holding"
    patience_s: Annotated[float, Field(gt=0, le=30)] = 2.0


class StatusBit(ProfilePart):
    """A bit of a register, the least significant first."""

    register_: Annotated[Register, Field(alias="register")]
    bit: Annotated[int, Field(ge=0, le=15)]


class Point(ProfilePart):
    """A number of the device, in its unit."""

    scale: Annotated[float, Field(gt=0)] = 1.0
    unit: PointUnit | None = None
    low: float | None = None
    high: float | None = None
    persistence: Annotated[
        Literal["volatile", "flash", "unknown"] | None,
        Field(description="where a written value is kept; needed of each written point; flash is written where it differs alone"),
    ] = None
    write_only: Annotated[bool, Field(description="the device does not say what it holds: while connected, what was sent counts as held")] = False


class RegisterPoint(Point):
    """A number in one or two registers: raw × scale × 10^exponent."""

    register_: Annotated[Register, Field(alias="register", description="an address; of a SunSpec model the offset in it, ID and length included")]
    model: Annotated[tuple[int, ...], Field(description="SunSpec models, of which the first that the device has holds it; empty: none")] = ()
    table: Annotated[RegisterTable | None, Field(description="where it is read; empty: the transport's")] = None
    type: NumberType
    word_order: Annotated[Literal["big", "little"], Field(description="little: of two registers the first is the less significant")] = "big"
    exponent_register: Annotated[Register | None, Field(description="where the exponent lies: an address, or an offset in the same model")] = None
    while_bit: Annotated[StatusBit | None, Field(description="it counts while this bit of the same table is set, else it is 0")] = None

    @field_validator("model", mode="before")
    @classmethod
    def _as_tuple(cls, model: object) -> object:
        return (model,) if isinstance(model, int) else model


class PointWrite(ProfilePart):
    """A value for a point: a number, or a part of the set-point."""

    write: PointName
    value: Annotated[float | None, Field(description="always this")] = None
    put: Annotated[
        Literal["power_w", "power_percent", "value", "reversion_s", "reversion_min"] | None,
        Field(description="this part of the set-point; value: what another point says, such as the most that the battery takes"),
    ] = None
    of: Annotated[PointName | None, Field(description="value: that other point; power_percent: the point whose value is 100 %")] = None
    sign: Literal[1, -1] = 1

    @model_validator(mode="after")
    def _is_one_value(self) -> Self:
        if (self.value is None) == (self.put is None) or (self.put in {"power_percent", "value"}) != (self.of is not None):
            raise invalid_part("profile-write-value", point=self.write)
        return self


def _by_language(text: object) -> object:
    return {SPOKEN_BY_ALL: text} if isinstance(text, str) else text


# What an owner reads: a text for all, or one by language, of which English is said where a reader's is missing.
SPOKEN_BY_ALL = "en"
OwnerText = Annotated[Mapping[str, Annotated[str, Field(min_length=1, max_length=300)]], BeforeValidator(_by_language)]


def say(text: Mapping[str, str], language: str) -> str:
    """Return an owner's text in a language, else in English, else in whichever there is."""
    return text.get(language) or text.get(SPOKEN_BY_ALL) or next(iter(text.values()), "")


class Reversion(ProfilePart):
    """What the device does when nobody commands it any more."""

    after_s: Annotated[int | None, Field(ge=1, le=86_400, description="it falls back to self_consumption after that long; empty: it stays as it is")]
    resend_s: Annotated[int | None, Field(ge=1, le=3600, description="how often a command is said again; empty: once is enough")] = None
    stays_in: Annotated[tuple[Mode, ...], Field(description="modes that it keeps whatever after_s says")] = ()

    @model_validator(mode="after")
    def _is_said_again_in_time(self) -> Self:
        if self.after_s is not None and (self.resend_s is None or 2 * self.resend_s > self.after_s):
            raise invalid_part("profile-resend-late", after_s=self.after_s)
        return self


class ProfileEvidence(ProfilePart):
    """What a profile rests on."""

    kind: Literal["simulator", "owner", "maker"]
    source: Annotated[str, Field(min_length=1, max_length=300)]


class SunSpecMap(ProfilePart):
    """Which models the product is known by, and how long they are where the simulator serves them."""

    identified_by: Annotated[tuple[int, ...], Field(min_length=1, description="models of which it has to have one")]
    lengths: Annotated[Mapping[int, Annotated[int, Field(ge=1, le=1000)]], Field(description="without ID and length")]
    base: Register = 40000


class SimulatedDevice(ProfilePart):
    """What the simulator's registers hold beside what its physics says."""

    values: Annotated[Mapping[PointName, float], Field(description="of points, in their units")] = {}
    exponents: Annotated[Mapping[PointName, Annotated[int, Field(ge=-10, le=10)]], Field(description="of points with an exponent of their own; else 0")] = {}


class DeviceProfile(ProfilePart):
    """A product, or a family of them, that Luna reads and commands."""

    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    kind: Literal["battery_inverter", "meter"]
    covers: Annotated[tuple[CoveredProduct, ...], Field(min_length=1)]
    transport: DeviceTransport
    sunspec: SunSpecMap | None = None
    points: Annotated[Mapping[PointName, RegisterPoint], Field(min_length=1)]
    reads: Annotated[Mapping[ReadingName, tuple[SignedPoint, ...]], Field(min_length=1, description="sums of points; what is below zero counts as nothing")]
    limits: Annotated[Mapping[Literal["charge_w", "discharge_w"], PointName], Field(description="the most that the device does")] = {}
    modes: Annotated[Mapping[Mode, tuple[PointWrite, ...]], Field(description="what is written in each mode, in order; of a meter nothing")] = {}
    reverts: Annotated[Reversion | None, Field(description="needed of what is commanded")] = None
    exclusive: Annotated[tuple[OwnerText, ...], Field(description="other masters that have to be switched off first")] = ()
    evidence: Annotated[tuple[ProfileEvidence, ...], Field(min_length=1)]
    simulated: SimulatedDevice = SimulatedDevice()

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> Self:
        for name in self._named_points():
            if name not in self.points:
                raise invalid_part("profile-point-unknown", point=name)
        self._can_be_read()
        if any(point.model and self.sunspec is None for point in self.points.values()):
            raise invalid_part("profile-sunspec-missing")
        if self.kind == "battery_inverter":
            self._can_be_commanded()
        elif self.modes:
            raise invalid_part("profile-meter-commanded")
        return self

    def _named_points(self) -> Iterator[str]:
        yield from self._read_points()
        yield from self.written_points
        yield from (*self.simulated.values, *self.simulated.exponents)

    def _read_points(self) -> Iterator[str]:
        yield from (point for entries in self.reads.values() for _, point in map(split_sign, entries))
        yield from self.limits.values()
        yield from (write.of for writes in self.modes.values() for write in writes if write.of is not None)

    def _can_be_read(self) -> None:
        for name in self._read_points():
            if self.points[name].write_only:
                raise invalid_part("profile-point-write-only", point=name)
        for reading, entries in self.reads.items():
            for _, name in map(split_sign, entries):
                if not unit_factor(self.points[name], reading):
                    raise invalid_part("profile-unit", point=name, reading=reading, unit=READING_UNITS[reading])

    def _can_be_commanded(self) -> None:
        for mode in MODES:
            if not self.modes.get(mode):
                raise invalid_part("profile-mode-missing", mode=mode)
        if self.reverts is None:
            raise invalid_part("profile-reverts-missing")
        if "soc" not in self.reads:
            raise invalid_part("profile-soc-missing")
        for name in self.written_points:
            if self.points[name].persistence is None:
                raise invalid_part("profile-persistence-missing", point=name)

    @property
    def written_points(self) -> tuple[str, ...]:
        """Every point that a command may write, once."""
        return tuple(dict.fromkeys(write.write for writes in self.modes.values() for write in writes))
