"""Deferrable appliances: water heaters, daily loads and programmes on request."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from luna.energy.clock_window import ClockWindow
from luna.energy.devices.kind import (
    DeviceAssumption,
    DeviceConsumption,
    DeviceDefaults,
    DeviceKind,
    DevicePlanContent,
    DeviceUseKind,
    NamedDevice,
)
from luna.energy.devices.switched import ON_OFF, SWITCHED, SwitchedFlow
from luna.energy.part import MoneyBounds, Name, Part, PowerKw, Price
from luna.energy.reason import ReasonReply
from luna.energy.refusals import invalid_part
from luna.energy.sensor_roles import SensorRole, Sensors
from luna.energy.timeline import Instant


class ComfortWindow(ClockWindow):
    """Energy that is wanted between two clock times, such as hot water by 07:00."""

    energy_kwh: Annotated[float, Field(gt=0, le=10_000)]


class DeferrableLoad(NamedDevice):
    """A load that may wait: a water heater or another daily load.

    With ``profile_kw`` it is a programme that runs once when asked.
    """

    name: Name
    kind: Literal["water_heater", "deferrable"] = "deferrable"
    power_kw: Annotated[float, Field(gt=0, le=1_000)]
    energy_kwh_per_day: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    max_gap_hours: Annotated[float, Field(gt=0, le=168)] = 24.0
    min_on_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    min_off_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    start_price: Annotated[
        float, MoneyBounds(10), Field(description="what one start less is worth, currency")
    ] = 0.0
    allowed: Annotated[
        list[ClockWindow],
        Field(max_length=24, description="the only local times at which it may be on; empty: any"),
    ] = []
    forbidden: Annotated[
        list[ClockWindow], Field(max_length=24, description="local times at which it may not be on")
    ] = []
    comfort: Annotated[
        list[ComfortWindow],
        Field(
            max_length=24, description="energy wanted between two local times, part of the day's"
        ),
    ] = []
    price_limit: Annotated[
        Price | None,
        Field(
            description="on only where a bought kWh costs at most this, or PV surplus carries it"
        ),
    ] = None
    surplus_only: Annotated[
        bool, Field(description="on only where forecast PV surplus carries it")
    ] = False
    extra_value: Annotated[
        Annotated[float, MoneyBounds(100)] | None,
        Field(
            description=(
                "worth of a kWh that it gets: beyond its needs it runs where a kWh costs less; "
                "empty: it runs no more"
            )
        ),
    ] = None
    most_kwh_per_day: Annotated[
        float | None,
        Field(
            gt=0,
            le=10_000,
            description="with extra_value: as much as it takes in a day; empty: any",
        ),
    ] = None
    profile_kw: Annotated[
        list[Annotated[PowerKw, Field(gt=0)]],
        Field(max_length=288, description="a programme: mean power step by step"),
    ] = []
    profile_minutes: Annotated[
        Literal[1, 5, 10, 15, 30, 60], Field(description="how long each step of profile_kw takes")
    ] = 15

    @model_validator(mode="after")
    def _fits_into_a_day(self) -> Self:
        if self.energy_kwh_per_day > 24 * self.power_kw:
            raise invalid_part(
                "energy-beyond-power",
                energy_kwh_per_day=self.energy_kwh_per_day,
                most_kwh=24 * self.power_kw,
            )
        if self.most_kwh_per_day is not None and self.most_kwh_per_day < self.energy_kwh_per_day:
            raise invalid_part(
                "bounds-crossed",
                most=self.most_kwh_per_day,
                least=self.energy_kwh_per_day,
                lower="energy_kwh_per_day",
                upper="most_kwh_per_day",
                unit="kWh",
            )
        return self

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        beside = (
            "energy_kwh_per_day",
            "max_gap_hours",
            "min_on_minutes",
            "min_off_minutes",
            "comfort",
            "extra_value",
            "most_kwh_per_day",
        )
        if not self.profile_kw:
            return self
        for name in beside:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise invalid_part("not-with-programme", given=name)
        if max(self.profile_kw) > self.power_kw:
            raise invalid_part(
                "programme-beyond-power", profile_kw=max(self.profile_kw), power_kw=self.power_kw
            )
        return self

    @property
    def programme_hours(self) -> float:
        """Duration of its programme, hours; 0 without one."""
        return len(self.profile_kw) * self.profile_minutes / 60

    @property
    def least_run(self) -> timedelta:
        """Shortest run once it is on; a programme runs to its end."""
        return max(timedelta(minutes=self.min_on_minutes), timedelta(hours=self.programme_hours))

    @property
    def ends_itself(self) -> bool:
        """Whether its own thermostat ends a run."""
        return self.kind == "water_heater"


def _sum_water_heaters_kw(loads: Sequence[DeferrableLoad]) -> float:
    return sum(load.power_kw for load in loads if load.kind == "water_heater")


class ApplianceSensorRoles(Part):
    """Sensor roles of appliances."""

    water_heater_consumption: Annotated[
        Sensors,
        SensorRole(
            "energy",
            "water_heater_kwh",
            "submetered",
            _sum_water_heaters_kw,
            mark=11,
        ),
    ] = ()


class LoadRun(Part):
    """One run of a programme: begun at ``from`` or later (empty: any time), over at ``by``."""

    from_: Annotated[Instant | None, Field(alias="from")] = None
    by: Instant


class LoadState(Part):
    """Energy used today by an appliance, and how long it has been on or off.

    Energy counts since local midnight; empty: as if it had run evenly. ``runs`` are what a
    programme is asked for; the one that runs now (``on_hours``) is none of them.
    """

    energy_today_kwh: Annotated[float, Field(ge=0, le=10_000)] | None = None
    off_hours: Annotated[float, Field(ge=0, le=168)] = 0.0
    on_hours: Annotated[float, Field(ge=0, le=168)] = 0.0
    runs: Annotated[list[LoadRun], Field(max_length=16)] = []

    @model_validator(mode="after")
    def _on_or_off(self) -> Self:
        if self.on_hours and self.off_hours:
            raise invalid_part("on-and-off", on_hours=self.on_hours, off_hours=self.off_hours)
        return self


class LoadFlow(SwitchedFlow, Part):
    """Use of an appliance that may wait, in one slot."""

    energy_kwh: float
    on: bool
    reason: Annotated[ReasonReply | None, Field(description="why it runs or waits")] = None


# Defaults of set-up for a water heater, its power and its daily energy: hot water of three persons,
# and losses of the tank.
USUAL_HEATER_KW = 3.0
USUAL_HEATER_KWH = 6.0


def _assume(load: DeferrableLoad, _: Any) -> Iterator[DeviceAssumption]:
    if load.kind != "water_heater" or load.profile_kw:
        return
    if load.power_kw == USUAL_HEATER_KW:
        yield DeviceAssumption("heater_power", {"kw": load.power_kw})
    if load.energy_kwh_per_day == USUAL_HEATER_KWH:
        yield DeviceAssumption("hot_water", {"kwh": load.energy_kwh_per_day})


def _find_meter(load: DeferrableLoad) -> str | None:
    return "water_heater_consumption" if load.kind == "water_heater" else None


def _find_use(load: DeferrableLoad) -> DeviceUseKind:
    return "heater" if load.kind == "water_heater" else "appliance"


APPLIANCE = DeviceKind(
    "load",
    "loads",
    DeferrableLoad,
    power_kw=lambda load: load.power_kw,
    sensors=ApplianceSensorRoles,
    commands=SWITCHED,
    actions=ON_OFF,
    consumption=DeviceConsumption(meter=_find_meter, kind=_find_use, wait_hours=8.0),
    plan=DevicePlanContent(
        state=LoadState,
        flow=LoadFlow,
        flows={"energy_kwh": "appliance_kw"},
    ),
    defaults=DeviceDefaults(assume=_assume),
)
