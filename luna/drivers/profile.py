"""Define the schema of a device profile in YAML: points, readings and modes.

Units and bounds are validated.

A *point* is a number of the device, in registers or in a JSON document; a *reading* is a sum of
points under one of Luna's names; a *mode* is the ordered writes that make the device act as Luna's
mode of that name.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from luna.drivers.product_identity import ProductIdentity, SunSpecMap
from luna.drivers.profile_part import NumberType, PointName, ProfilePart, Register
from luna.drivers.profile_points import (
    COMMAND_PARTS,
    PREFIX_PART,
    VALUE_PART,
    AnyPoint,
    JsonPoint,
    Point,
    PointWrite,
    RegisterPoint,
    unit_factor,
)
from luna.drivers.readings import (
    FLOW_READINGS,
    READING_UNITS,
    SURPLUS_READINGS,
    LimitName,
    ReadingName,
    SignedPoint,
    split_sign,
)
from luna.drivers.transports import DeviceTransport, HttpTransport, ModbusTransport, OcppTransport
from luna.energy.devices.battery import Mode
from luna.energy.devices.pv import PvMode
from luna.energy.devices.switched import LoadMode
from luna.energy.devices.vehicle import VehicleMode
from luna.energy.refusals import invalid_part

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


class CoveredProduct(ProfilePart):
    """Product covered by a profile."""

    brand: Annotated[str, Field(min_length=1, max_length=60)]
    models: Annotated[
        str, Field(min_length=1, max_length=200, description="as the maker names them")
    ]


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


class ChargerTraits(ProfilePart):
    """Limits of a charge point, where the site says nothing else."""

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
        if self.kind in {"battery_inverter", "pv_inverter", "switched_load"} and is_read:
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
            raise invalid_part("soc-unread")
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
    def safe_current_a(self) -> float | None:
        """The current that a charge point falls to without Luna, None: it keeps its command."""
        transport = self.transport
        if not isinstance(transport, OcppTransport) or transport.one_period:
            return None
        return transport.safe_a

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
