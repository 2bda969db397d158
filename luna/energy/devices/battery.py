"""Stationary batteries: model, sensor roles and control."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from luna.energy.devices.commands import (
    PROFILED,
    ControlPart,
    DeviceWrite,
    Place,
    Via,
    require_modes,
)
from luna.energy.devices.kind import (
    DeviceAssumption,
    DeviceCommands,
    DeviceDefaults,
    DeviceKind,
    DevicePlanContent,
    NamedDevice,
)
from luna.energy.part import (
    PER_EURO,
    Efficiency,
    EnergyKwh,
    Fraction,
    MoneyBounds,
    Name,
    Part,
    PowerKw,
)
from luna.energy.refusals import invalid_part
from luna.energy.sensor_roles import SensorRole, Sensors

# No battery charges a hundred times its capacity in an hour: a higher power was given in watts.
MOST_C_RATE = 100.0


class DepthWear(Part):
    """Wear by discharging in one segment of a battery's depth.

    The segment reaches from the one before to ``to_depth``.
    """

    to_depth: Annotated[float, Field(gt=0, le=1, description="share of the capacity")]
    price: Annotated[float, MoneyBounds(10), Field(description="currency per kWh discharged")]


class Battery(NamedDevice):
    """A stationary battery. Charge and discharge are measured at its terminals (AC)."""

    name: Name = "battery"
    capacity_kwh: EnergyKwh
    min_soc: Fraction = 0.0
    max_soc: Fraction = 1.0
    charge_limit_kw: PowerKw
    discharge_limit_kw: PowerKw
    charge_efficiency: Efficiency = 0.95
    discharge_efficiency: Efficiency = 0.95
    wear_price: Annotated[
        float, MoneyBounds(10), Field(description="currency per kWh charged and per kWh discharged")
    ] = 0.0
    wear_by_depth: Annotated[
        tuple[DepthWear, ...],
        Field(
            max_length=16,
            description=(
                "instead of wear_price: from the shallowest segment to the deepest, each as "
                "dear or dearer"
            ),
        ),
    ] = ()
    max_cycles_per_day: Annotated[
        float | None,
        Field(
            ge=0,
            le=24,
            description=(
                "full cycles a local day: discharged energy over what lies between min_soc and "
                "max_soc; empty: any number"
            ),
        ),
    ] = None
    min_charge_kw: PowerKw = 0.0
    charge_from_grid: bool = True
    discharge_to_grid: bool = True
    taper_from_soc: Annotated[
        Fraction, Field(description="from here to full, charging power falls linearly")
    ] = 1.0
    taper_to_share: Annotated[
        Fraction, Field(description="share of the charging power that is left when full")
    ] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_soc >= self.max_soc:
            raise invalid_part(
                "shares-crossed",
                least=self.min_soc,
                most=self.max_soc,
                lower="min_soc",
                upper="max_soc",
            )
        require_chargeable(self.min_charge_kw, self.charge_limit_kw)
        if self.wear_by_depth:
            depths = [segment.to_depth for segment in self.wear_by_depth]
            prices = [segment.price for segment in self.wear_by_depth]
            if self.wear_price:
                raise invalid_part("wear-priced-twice")
            if depths != sorted(set(depths)) or depths[-1] != 1:
                raise invalid_part("wear-depths", depths=depths)
            if prices != sorted(prices):
                raise invalid_part("wear-prices-fall", prices=prices)
        for name in ("charge_limit_kw", "discharge_limit_kw"):
            if getattr(self, name) > MOST_C_RATE * self.capacity_kwh:
                raise invalid_part(
                    "power-in-watts",
                    name=name,
                    power_kw=getattr(self, name),
                    capacity_kwh=self.capacity_kwh,
                )
        return self

    @property
    def usable_kwh(self) -> float:
        """Energy between ``min_soc`` and ``max_soc``, kWh: one full cycle."""
        return (self.max_soc - self.min_soc) * self.capacity_kwh

    @property
    def round_trip(self) -> float:
        """Share of a charged kWh that it gives again."""
        return self.charge_efficiency * self.discharge_efficiency


def require_chargeable(min_charge_kw: float, charge_limit_kw: float) -> None:
    """Check that the least charging power is not above the highest.

    Raises:
        ValueError: names both.
    """
    if min_charge_kw > charge_limit_kw:
        raise invalid_part(
            "bounds-crossed",
            least=min_charge_kw,
            most=charge_limit_kw,
            lower="min_charge_kw",
            upper="charge_limit_kw",
            unit="kW",
        )


def _sum_charge_kw(batteries: Sequence[Battery]) -> float:
    return sum(battery.charge_limit_kw for battery in batteries)


def _sum_discharge_kw(batteries: Sequence[Battery]) -> float:
    return sum(battery.discharge_limit_kw for battery in batteries)


class BatterySensorRoles(Part):
    """Sensor roles of batteries."""

    total_battery_charge: Annotated[
        Sensors,
        SensorRole(
            "energy",
            "charge_kwh",
            "sink",
            _sum_charge_kw,
        ),
    ] = ()
    total_battery_discharge: Annotated[
        Sensors,
        SensorRole(
            "energy",
            "discharge_kwh",
            "source",
            _sum_discharge_kw,
        ),
    ] = ()
    battery_soc: Annotated[Sensors, SensorRole("level", "soc")] = ()


Mode = Literal["self_consumption", "save", "supply", "hold", "charge", "export"]
# All batteries are controlled together.
BATTERIES = "batteries"
# Placeholders of a written value; powers and levels are whole numbers, but for those in kW.
PLACEHOLDERS = ("mode", "power_kw", "power_w", "target_percent", "floor_percent", "ceiling_percent")
# Required of every battery: the fall-back mode, and the mode while its state of charge is unknown.
NEEDED_MODES: tuple[Mode, ...] = ("self_consumption", "hold")


# Suffix of the place where the state of charge of a battery with a driver profile is read.
SOC_OF = "#soc"


class ControlWrite(DeviceWrite):
    """A value for a battery."""

    placeholders: ClassVar[tuple[str, ...]] = PLACEHOLDERS

    when: Annotated[
        tuple[Mode, ...], Field(description="written in these modes alone; empty: in all")
    ] = ()


class BatteryControl(ControlPart):
    """Commands and sensors by which one battery is controlled."""

    battery: Annotated[
        str, Field(min_length=1, max_length=64, description="the name it has under batteries")
    ]
    via: Annotated[
        Via | None,
        Field(description="Luna speaks to it itself: then its profile knows soc, modes and writes"),
    ] = None
    soc: Annotated[
        Place | None,
        Field(
            description="where its state of charge is read just before it is told anything, percent"
        ),
    ] = None
    modes: Annotated[
        dict[Mode, Annotated[str, Field(max_length=255)]],
        Field(description="what the inverter calls Luna's modes"),
    ] = {}
    writes: Annotated[tuple[ControlWrite, ...], Field(max_length=16)] = ()

    @model_validator(mode="after")
    def _can_be_left_alone(self) -> Self:
        if self.via is not None:
            if self.modes or self.writes or self.soc:
                raise invalid_part("control-via-and-writes")
            return self
        if not self.writes:
            raise invalid_part("control-writes-missing")
        require_modes(self.modes, NEEDED_MODES)
        return self

    @property
    def known_modes(self) -> frozenset[Mode]:
        """The modes that its inverter supports; a profile supports all."""
        return frozenset(get_args(Mode) if self.via is not None else self.modes)

    @property
    def soc_place(self) -> str | None:
        """Entity, topic or profile that its state of charge is read from."""
        return self.soc if self.via is None else f"{self.place}{SOC_OF}"

    @property
    def place(self) -> str:
        """Target of the set-points of a battery with a profile, among entities and topics."""
        return f"{PROFILED}{self.battery}"

    @property
    def device(self) -> str:
        """The name of the device."""
        return self.battery


# Round trip: the default of a site's file, and of set-up.
_USUAL_EFFICIENCIES = (0.9025, 0.9)
# Default of set-up for a battery's reserve, share of its capacity.
USUAL_RESERVE = 0.1
# Defaults of set-up for the cost of a usable kWh, installed, in euros, and for the number of full
# cycles: of the order of offers for lithium iron phosphate in 2025 and of their data sheets; from
# memory, not looked up.
USUAL_EURO_PER_KWH = 400.0
USUAL_CYCLES = 6_000.0
_WEAR_DIGITS = 6


def wear_price_of(price: float, usable_kwh: float, cycles: float) -> float:
    """Return the wear price of a kWh charged or discharged.

    It is the battery's price over all that goes in and out until its cycles are spent.

    Args:
        price: of the battery, in any currency; the result is in the same.
        usable_kwh: energy of one full cycle.
        cycles: full cycles that it lasts.
    """
    return round(price / (2.0 * usable_kwh * cycles), _WEAR_DIGITS)


def usual_wear_price(currency: str) -> float:
    """Return the wear price that set-up assumes, in a currency.

    Every battery has the same, for price and energy both grow with it.
    """
    return wear_price_of(USUAL_EURO_PER_KWH * PER_EURO.get(currency, 1.0), 1.0, USUAL_CYCLES)


def has_usual_wear(battery: Battery) -> bool:
    """Return whether a battery's wear is the assumed one, in whatever currency."""
    return any(battery.wear_price == usual_wear_price(currency) for currency in PER_EURO)


def _assume(battery: Battery, _: Any) -> Iterator[DeviceAssumption]:
    share = battery.round_trip
    if any(abs(share - usual) < 1e-3 for usual in _USUAL_EFFICIENCIES):
        yield DeviceAssumption("efficiency", {"share": share})
    if battery.min_soc == USUAL_RESERVE:
        yield DeviceAssumption("reserve", {"share": battery.min_soc})
    if battery.charge_from_grid:
        yield DeviceAssumption("charges_from_grid")
    if battery.discharge_to_grid:
        yield DeviceAssumption("sells_to_grid")
    if not battery.wear_by_depth:
        yield from _assume_wear(battery)


def _assume_wear(battery: Battery) -> Iterator[DeviceAssumption]:
    if not battery.wear_price:
        yield DeviceAssumption("no_wear")
    elif has_usual_wear(battery):
        price = 2.0 * battery.wear_price
        cost = price * USUAL_CYCLES
        yield DeviceAssumption("wear", {"price": price, "cost": cost, "cycles": USUAL_CYCLES})


def _list_costly(battery: Battery) -> tuple[str, ...]:
    wear = () if battery.wear_by_depth else ("wear_price",)
    return (
        "min_soc",
        "charge_efficiency",
        "discharge_efficiency",
        *wear,
        "charge_from_grid",
        "discharge_to_grid",
    )


# The modes that trade, and self-consumption, move as much as the house leaves: a plan simulates
# them.
_ORDERS = {"hold": "hold", "save": "no_discharge", "supply": "no_charge"}


def _highest_power_kw(battery: Battery) -> float:
    return max(battery.charge_limit_kw, battery.discharge_limit_kw)


BATTERY = DeviceKind(
    "battery",
    "batteries",
    Battery,
    power_kw=_highest_power_kw,
    capacity_kwh=lambda battery: battery.capacity_kwh,
    sensors=BatterySensorRoles,
    commands=DeviceCommands(
        "batteries", BATTERIES, BatteryControl, get_args(Mode), together=True, orders=_ORDERS
    ),
    actions=frozenset({"charge", "discharge", "hold", "no_charge", "no_discharge"}),
    plan=DevicePlanContent(flows={"charge_kwh": "charge_kw", "discharge_kwh": "discharge_kw"}),
    defaults=DeviceDefaults(assume=_assume, costly=_list_costly),
)
