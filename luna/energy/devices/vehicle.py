"""Vehicles with their chargers: models, sensor roles and control."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self, get_args

from pydantic import Field, model_validator

from luna.energy.devices.battery import require_chargeable
from luna.energy.devices.commands import (
    PROFILED,
    ControlPart,
    DeviceWrite,
    Place,
    Via,
    Word,
    require_modes,
)
from luna.energy.devices.kind import (
    DeviceAssumption,
    DeviceCommands,
    DeviceConsumption,
    DeviceDefaults,
    DeviceKind,
    DeviceNotes,
    DevicePlanContent,
    NamedDevice,
)
from luna.energy.part import Efficiency, EnergyKwh, Fraction, MoneyBounds, Name, Part, PowerKw
from luna.energy.refusals import invalid_part
from luna.energy.sensor_roles import SensorRole, Sensors

# Source: ADAC Ecotest of January 2021, charging losses included: the ten most frugal of 27 cars,
# mostly small ones, took 16.3 to 19.0, mean 17.9.
CAR_KWH_PER_100_KM = 18.0
DAYS_PER_YEAR = 365.25
MOST_OF_ONE_PHASE_KW = 7.4


class Charger(Part):
    """A vehicle's charger: numbers of phases, and currents per phase.

    With two numbers of phases it switches between them.
    """

    phases: Annotated[
        tuple[Literal[1, 3], ...],
        Field(
            min_length=1,
            max_length=2,
            description="[1], [3], or [1, 3] where it switches by itself",
        ),
    ] = (3,)
    min_current_a: Annotated[
        float,
        Field(
            ge=0,
            le=500,
            description="least current per phase; vehicles take no less than 6 A (IEC 61851-1)",
        ),
    ] = 6.0
    max_current_a: Annotated[float, Field(gt=0, le=500)] = 16.0
    voltage_v: Annotated[float, Field(ge=100, le=400, description="between phase and neutral")] = (
        230.0
    )
    phase: Annotated[
        Literal[1, 2, 3],
        Field(description="phase of the connection that it uses where it charges with one"),
    ] = 1
    circuit: Annotated[
        Name | None,
        Field(description="one of grid.circuits, whose fuse it shares with other chargers"),
    ] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_current_a > self.max_current_a:
            raise invalid_part(
                "bounds-crossed",
                least=self.min_current_a,
                most=self.max_current_a,
                lower="min_current_a",
                upper="max_current_a",
                unit="A",
            )
        return self

    @property
    def power_ranges(self) -> tuple[tuple[float, float], ...]:
        """Least and highest power with each number of phases, kW, fewest phases first."""
        currents = (self.min_current_a, self.max_current_a)
        ranges = []
        for count in sorted(set(self.phases)):
            least, most = (count * current * self.voltage_v / 1000 for current in currents)
            ranges.append((least, most))
        return tuple(ranges)

    def phases_at(self, power_kw: float) -> int:
        """Return the fewest phases that deliver a power; the most where none do."""
        counts = sorted(set(self.phases))
        for count, (_, most) in zip(counts, self.power_ranges, strict=True):
            if power_kw <= most + 1e-6:
                return count
        return counts[-1]


class ElectricVehicle(NamedDevice):
    """A vehicle with its charger; sessions (from, to, target) are state, not configuration."""

    name: Name = "car"
    capacity_kwh: EnergyKwh
    min_charge_kw: Annotated[
        PowerKw,
        Field(
            description=(
                "usual: 6 A of one phase, 1.4 kW, of three where it charges with more than 7.4 "
                "kW, 4.1 kW"
            )
        ),
    ] = 4.1
    charge_limit_kw: PowerKw = 11.0
    charge_efficiency: Efficiency = 0.9
    discharge_limit_kw: PowerKw = 0.0
    discharge_efficiency: Efficiency = 0.9
    min_soc: Annotated[
        Fraction, Field(description="what it keeps for itself when it supplies the house")
    ] = 0.2
    max_soc: Annotated[Fraction, Field(gt=0, description="never charged beyond")] = 1.0
    wear_price: Annotated[
        float, MoneyBounds(10), Field(description="currency per kWh given to the house")
    ] = 0.05
    charger: Charger | None = None
    from_battery: Annotated[
        Literal["never", "if_it_pays"],
        Field(description="whether the house's battery discharges into it"),
    ] = "if_it_pays"
    start_price: Annotated[
        float,
        MoneyBounds(10),
        Field(
            description="what one start less is worth, currency; a switch between phases is a start"
        ),
    ] = 0.0
    min_run_minutes: Annotated[
        int, Field(ge=0, le=1440, description="shortest charge; only a departure cuts it short")
    ] = 0
    km_per_year: Annotated[
        float | None,
        Field(
            ge=100,
            le=300_000,
            description="with it one of which no session is known is planned as usual",
        ),
    ] = None
    kwh_per_100_km: Annotated[
        float, Field(ge=5, le=100, description="from the grid, losses of charging among it")
    ] = CAR_KWH_PER_100_KM

    @model_validator(mode="before")
    @classmethod
    def _by_its_phases(cls, fields: Any) -> Any:
        """Default ``min_charge_kw`` to the minimum of one phase.

        This holds where a charger is given, or where the limit fits one phase, which carries at
        most 32 A (IEC 61851-1).
        """
        if not isinstance(fields, Mapping) or "min_charge_kw" in fields:
            return fields
        limit = fields.get("charge_limit_kw")
        fits_one_phase = isinstance(limit, int | float) and limit <= MOST_OF_ONE_PHASE_KW
        if fields.get("charger") is not None or fits_one_phase:
            return {**fields, "min_charge_kw": 1.4}
        return fields

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        require_chargeable(self.min_charge_kw, self.charge_limit_kw)
        if self.min_soc > self.max_soc:
            raise invalid_part(
                "shares-crossed",
                least=self.min_soc,
                most=self.max_soc,
                lower="min_soc",
                upper="max_soc",
            )
        if not self.power_ranges:
            raise invalid_part(
                "charger-powers",
                min_charge_kw=self.min_charge_kw,
                charge_limit_kw=self.charge_limit_kw,
            )
        return self

    @property
    def power_ranges(self) -> tuple[tuple[float, float], ...]:
        """Ranges of charging power, kW, ascending and disjoint; 0 is always possible."""
        if self.charger:
            offered = self.charger.power_ranges
        else:
            offered = ((self.min_charge_kw, self.charge_limit_kw),)
        possible = []
        for offered_least, offered_most in offered:
            least = max(offered_least, self.min_charge_kw)
            most = min(offered_most, self.charge_limit_kw)
            if least <= most:
                possible.append((least, most))
        if len(possible) > 1:
            one_phase, more_phases = possible
            if more_phases[0] <= one_phase[1]:
                return ((one_phase[0], more_phases[1]),)
        return tuple(possible)

    @property
    def daily_need_soc(self) -> float:
        """State of charge that a usual day takes, at most ``max_soc``.

        0 without ``km_per_year``.
        """
        from_grid_kwh = (self.km_per_year or 0.0) / DAYS_PER_YEAR * self.kwh_per_100_km / 100
        return min(from_grid_kwh * self.charge_efficiency / self.capacity_kwh, self.max_soc)

    @property
    def soc_per_km(self) -> float | None:
        """State of charge that a kilometre of range stands for.

        None where nobody said what the vehicle uses.
        """
        if self.kwh_per_100_km == CAR_KWH_PER_100_KM:
            return None
        stored_kwh = self.kwh_per_100_km * self.charge_efficiency / 100
        return stored_kwh / self.capacity_kwh

    @property
    def most_charge_kw(self) -> float:
        """Highest charging power, kW."""
        return self.power_ranges[-1][1]


def _sum_charge_kw(vehicles: Sequence[ElectricVehicle]) -> float:
    return sum(max(vehicle.charge_limit_kw, vehicle.min_charge_kw) for vehicle in vehicles)


class VehicleSensorRoles(Part):
    """Sensor roles of vehicles and their chargers."""

    vehicle_consumption: Annotated[
        Sensors,
        SensorRole(
            "energy",
            "vehicle_kwh",
            "submetered",
            _sum_charge_kw,
            mark=9,
            comment="charged into vehicles; no part of load_kwh",
        ),
    ] = ()
    vehicle_soc: Annotated[Sensors, SensorRole("level")] = ()
    vehicle_connected: Annotated[Sensors, SensorRole("state")] = ()
    vehicle_range: Annotated[Sensors, SensorRole("state")] = ()


# ``own``: the charger's own control, without commands.
VehicleMode = Literal["own", "charge", "stop", "give"]


class VehicleWrite(DeviceWrite):
    """A value for a charger."""

    placeholders: ClassVar[tuple[str, ...]] = ("mode", "power_kw", "power_w", "current_a", "phases")

    when: tuple[VehicleMode, ...] = ()


class VehicleControl(ControlPart):
    """Control of a vehicle's charger."""

    vehicle: Annotated[
        str, Field(min_length=1, max_length=64, description="the name it has under vehicles")
    ]
    via: Annotated[
        Via | None,
        Field(
            description=(
                "Luna speaks to the charger itself: then its profile knows modes and writes, and "
                "vehicles.charger is needed"
            )
        ),
    ] = None
    soc: Annotated[
        Place | None,
        Field(
            description=(
                "where the car's state of charge is read, percent; needed where it gives to "
                "the house"
            )
        ),
    ] = None
    modes: Annotated[
        dict[VehicleMode, Word],
        Field(
            description=(
                "what the charger calls charge, stop, and where it can, give and a rule of its own"
            )
        ),
    ] = {}
    writes: Annotated[tuple[VehicleWrite, ...], Field(max_length=16)] = ()
    wakes: Annotated[
        bool,
        Field(
            description=(
                "a car that draws nothing is woken once, by a short stop and start of its charge"
            )
        ),
    ] = True

    @model_validator(mode="after")
    def _can_be_switched(self) -> Self:
        if self.via is not None:
            if self.modes or self.writes or self.soc:
                raise invalid_part("control-via-and-writes")
            return self
        if not self.writes:
            raise invalid_part("control-writes-missing")
        require_modes(self.modes, ("charge", "stop"))
        if "give" in self.modes and self.soc is None:
            raise invalid_part("soc-unread")
        return self

    @property
    def device(self) -> str:
        """The name of the device."""
        return self.vehicle

    @property
    def known_modes(self) -> frozenset[VehicleMode]:
        """The modes that the charger supports; a profile never gives to the house."""
        return frozenset(self.modes if self.via is None else ("own", "charge", "stop"))

    @property
    def place(self) -> str:
        """Target of the set-points of a charger with a profile, among entities and topics."""
        return f"{PROFILED}vehicle:{self.vehicle}"


class _Controlled(Protocol):
    @property
    def vehicles(self) -> Sequence[VehicleControl]: ...


class _Charged(Protocol):
    @property
    def vehicles(self) -> Sequence[ElectricVehicle]: ...
    @property
    def control(self) -> _Controlled | None: ...


# Placeholders whose values need the vehicle's ``charger``.
_OF_CHARGERS = ("{current_a}", "{phases}")


def _check_chargers(site: _Charged) -> None:
    if site.control is None:
        return
    without_charger = {vehicle.name for vehicle in site.vehicles if vehicle.charger is None}
    for control in site.control.vehicles:
        if control.vehicle in without_charger and control.via is not None:
            raise invalid_part("control-via-no-charger", vehicle=control.vehicle)
        if control.vehicle in without_charger and _names_charger(control):
            raise invalid_part("control-no-charger", vehicle=control.vehicle)


def _names_charger(control: VehicleControl) -> bool:
    values = [write.value for write in control.writes]
    return any(placeholder in value for value in values for placeholder in _OF_CHARGERS)


def _assume(vehicle: ElectricVehicle, _: Any) -> Iterator[DeviceAssumption]:
    if vehicle.charger is None:
        yield DeviceAssumption("phases", {"least": vehicle.min_charge_kw})
    elif vehicle.charger.min_current_a == Charger.model_fields["min_current_a"].default:
        yield DeviceAssumption("least_current", {"ampere": vehicle.charger.min_current_a})
    if vehicle.charge_limit_kw == ElectricVehicle.model_fields["charge_limit_kw"].default:
        yield DeviceAssumption("charge_power", {"kw": vehicle.charge_limit_kw})
    if vehicle.km_per_year is None:
        yield DeviceAssumption("km_per_year")
    elif vehicle.kwh_per_100_km == CAR_KWH_PER_100_KM:
        yield DeviceAssumption("kwh_per_100_km", {"kwh": vehicle.kwh_per_100_km})


def _list_costly(vehicle: ElectricVehicle) -> tuple[str, ...]:
    if vehicle.discharge_limit_kw:
        return ("charge_efficiency", "wear_price")
    return ("charge_efficiency",)


# No block asks a vehicle to give: while it does, it does not charge.
_ORDERS = {"charge": "charge", "stop": "no_charge", "give": "no_charge"}


def _highest_power_kw(vehicle: ElectricVehicle) -> float:
    return max(vehicle.charge_limit_kw, vehicle.discharge_limit_kw)


VEHICLE = DeviceKind(
    "vehicle",
    "vehicles",
    ElectricVehicle,
    power_kw=_highest_power_kw,
    capacity_kwh=lambda vehicle: vehicle.capacity_kwh,
    sensors=VehicleSensorRoles,
    commands=DeviceCommands(
        "vehicles", "vehicle", VehicleControl, get_args(VehicleMode), orders=_ORDERS
    ),
    actions=frozenset({"charge", "no_charge"}),
    consumption=DeviceConsumption(
        meter=lambda _: "vehicle_consumption",
        kind=lambda _: "car",
        household_part="driving",
        wait_hours=8.0,
    ),
    plan=DevicePlanContent(
        flows={"charge_kwh": "vehicle_kw", "discharge_kwh": "vehicle_discharge_kw"},
        notes=DeviceNotes(
            assumed=("vehicle_soc_assumed", "vehicle_soc_full", "vehicle_usual"),
            doubted=(
                "vehicle_soc_doubted",
                "vehicle_soc_stale",
                "vehicle_soc_jumps",
                "vehicle_soc_unusable",
            ),
            levels=(
                "vehicle_soc_stands_still",
                "vehicle_soc_too_fast",
                "vehicle_soc_against_meter",
                "vehicle_soc_out_of_range",
            ),
            untaken=("vehicle_takes_nothing",),
        ),
    ),
    defaults=DeviceDefaults(assume=_assume, costly=_list_costly),
    check=_check_chargers,
)
