"""Flexible loads of a site: appliances, water heaters and heat pumps."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.energy.refusals import invalid_part
from luna.energy.site.part import MoneyBounds, Name, Part, PowerKw, Price
from luna.energy.site.tariff import ClockWindow


class ComfortWindow(ClockWindow):
    """Energy that is wanted between two clock times, such as hot water by 07:00."""

    energy_kwh: Annotated[float, Field(gt=0, le=10_000)]


class DeferrableLoad(Part):
    """A load that may wait: a water heater or another appliance with a daily energy, or, with ``profile_kw``, a programme that runs once when asked."""

    name: Name
    kind: Literal["water_heater", "deferrable"] = "deferrable"
    power_kw: Annotated[float, Field(gt=0, le=1_000)]
    energy_kwh_per_day: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    max_gap_hours: Annotated[float, Field(gt=0, le=168)] = 24.0
    min_on_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    min_off_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    start_price: Annotated[float, MoneyBounds(10), Field(description="what one start less is worth, currency")] = 0.0
    allowed: Annotated[list[ClockWindow], Field(max_length=24, description="the only local times at which it may be on; empty: any")] = []
    forbidden: Annotated[list[ClockWindow], Field(max_length=24, description="local times at which it may not be on")] = []
    comfort: Annotated[list[ComfortWindow], Field(max_length=24, description="energy wanted between two local times, part of the day's")] = []
    price_limit: Annotated[Price | None, Field(description="on only where a bought kWh costs at most this, or PV surplus carries it")] = None
    surplus_only: Annotated[bool, Field(description="on only where forecast PV surplus carries it")] = False
    extra_value: Annotated[
        Annotated[float, MoneyBounds(100)] | None,
        Field(description="worth of a kWh that it gets: beyond its needs it runs where a kWh costs less; empty: it runs no more"),
    ] = None
    most_kwh_per_day: Annotated[float | None, Field(gt=0, le=10_000, description="with extra_value: as much as it takes in a day; empty: any")] = None
    profile_kw: Annotated[list[Annotated[PowerKw, Field(gt=0)]], Field(max_length=288, description="a programme: mean power step by step")] = []
    profile_minutes: Annotated[Literal[1, 5, 10, 15, 30, 60], Field(description="how long each step of profile_kw takes")] = 15

    @model_validator(mode="after")
    def _fits_into_a_day(self) -> Self:
        if self.energy_kwh_per_day > 24 * self.power_kw:
            raise invalid_part("energy-beyond-power", energy_kwh_per_day=self.energy_kwh_per_day, most_kwh=24 * self.power_kw)
        if self.most_kwh_per_day is not None and self.most_kwh_per_day < self.energy_kwh_per_day:
            raise invalid_part("most-below-energy", most_kwh_per_day=self.most_kwh_per_day, energy_kwh_per_day=self.energy_kwh_per_day)
        return self

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        beside = ("energy_kwh_per_day", "max_gap_hours", "min_on_minutes", "min_off_minutes", "comfort", "extra_value", "most_kwh_per_day")
        given = [name for name in beside if self.profile_kw and getattr(self, name) != type(self).model_fields[name].default]
        if given:
            raise invalid_part("not-with-programme", given=given[0])
        if self.profile_kw and max(self.profile_kw) > self.power_kw:
            raise invalid_part("programme-beyond-power", profile_kw=max(self.profile_kw), power_kw=self.power_kw)
        return self

    @property
    def programme_hours(self) -> float:
        """How long its programme takes; 0 where it has none."""
        return len(self.profile_kw) * self.profile_minutes / 60


Celsius = Annotated[float, Field(ge=-60, le=120)]


class CopPoint(Part):
    """Heat per kWh of electricity at an outdoor temperature; 1 is what an immersion heater makes of it."""

    outdoor_c: Annotated[float, Field(ge=-60, le=60)]
    cop: Annotated[float, Field(ge=0.5, le=12)]


class ComfortBand(ClockWindow):
    """Between which temperatures the store is kept from one clock time to another."""

    min_c: Celsius
    max_c: Celsius

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _require_band(self.min_c, self.max_c)
        return self


class HeatStore(Part):
    """What holds the heat: a tank, or the house itself with its walls."""

    capacity_kwh_per_k: Annotated[float, Field(gt=0, le=10_000, description="water: 1.16 per 1,000 litres")]
    min_c: Celsius
    max_c: Celsius
    bands: Annotated[list[ComfortBand], Field(max_length=24, description="other temperatures by the clock; the first that fits decides")] = []
    loss_kw_per_k: Annotated[float, Field(ge=0, le=1_000, description="for each K warmer than what surrounds it; of a house its UA")] = 0.0
    surroundings_c: Annotated[Celsius | None, Field(description="temperature of what surrounds it; empty: outdoors")] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _require_band(self.min_c, self.max_c)
        return self


class HeatPump(Part):
    """A heat pump, or an immersion heater, with the store that it warms."""

    name: Name = "heat_pump"
    power_kw: Annotated[float, Field(gt=0, le=1_000, description="the most electricity it takes")]
    min_power_kw: Annotated[float, Field(ge=0, le=1_000, description="the least while it is on; power_kw where it is on or off")] = 0.0
    # Source: typical air-to-water pumps at 35 °C, rating points of EN 14511.
    cop: Annotated[list[CopPoint], Field(min_length=1, max_length=24, description="linear between points, steady beyond")] = [
        CopPoint(outdoor_c=-7, cop=2.7),
        CopPoint(outdoor_c=2, cop=3.5),
        CopPoint(outdoor_c=7, cop=4.4),
        CopPoint(outdoor_c=12, cop=5.0),
    ]
    min_on_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    min_off_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    heat_demand_kw: Annotated[float, Field(ge=0, le=1_000, description="heat drawn from the store, where the outlook does not say it")] = 0.0
    store: HeatStore

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_power_kw > self.power_kw:
            raise invalid_part("power-bounds-crossed", min_power_kw=self.min_power_kw, power_kw=self.power_kw)
        if any(one.outdoor_c >= other.outdoor_c for one, other in pairwise(self.cop)):
            raise invalid_part("cop-points")
        return self


def _require_band(min_c: float, max_c: float) -> None:
    if min_c >= max_c:
        raise invalid_part("temperatures-crossed", min_c=min_c, max_c=max_c)
