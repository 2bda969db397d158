"""Appliances that may wait: what they need, when they may run, and what they are spared."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.site.part import Name, Part, PowerKw, Price
from luna.site.tariff import ClockWindow


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
    start_price: Annotated[float, Field(ge=0, le=10, description="what one start less is worth, currency")] = 0.0
    allowed: Annotated[list[ClockWindow], Field(max_length=24, description="the only local times at which it may be on; empty: any")] = []
    forbidden: Annotated[list[ClockWindow], Field(max_length=24, description="local times at which it may not be on")] = []
    comfort: Annotated[list[ComfortWindow], Field(max_length=24, description="energy wanted between two local times, part of the day's")] = []
    price_limit: Annotated[Price | None, Field(description="on only where a bought kWh costs at most this, or PV surplus carries it")] = None
    surplus_only: Annotated[bool, Field(description="on only where forecast PV surplus carries it")] = False
    extra_value: Annotated[
        float | None, Field(ge=0, le=100, description="worth of a kWh that it gets: beyond its needs it runs where a kWh costs less; empty: it runs no more")
    ] = None
    most_kwh_per_day: Annotated[float | None, Field(gt=0, le=10_000, description="with extra_value: as much as it takes in a day; empty: any")] = None
    profile_kw: Annotated[list[Annotated[PowerKw, Field(gt=0)]], Field(max_length=288, description="a programme: mean power step by step")] = []
    profile_minutes: Annotated[Literal[1, 5, 10, 15, 30, 60], Field(description="how long each step of profile_kw takes")] = 15

    @model_validator(mode="after")
    def _fits_into_a_day(self) -> Self:
        if self.energy_kwh_per_day > 24 * self.power_kw:
            raise ValueError(f"energy_kwh_per_day {self.energy_kwh_per_day} exceeds what power_kw gives in a day, {24 * self.power_kw}")
        if self.most_kwh_per_day is not None and self.most_kwh_per_day < self.energy_kwh_per_day:
            raise ValueError(f"most_kwh_per_day {self.most_kwh_per_day:g} lies below energy_kwh_per_day {self.energy_kwh_per_day:g}")
        return self

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        beside = ("energy_kwh_per_day", "max_gap_hours", "min_on_minutes", "min_off_minutes", "comfort", "extra_value", "most_kwh_per_day")
        given = [name for name in beside if self.profile_kw and getattr(self, name) != type(self).model_fields[name].default]
        if given:
            raise ValueError(f"{given[0]} does not go with profile_kw: a programme runs once, from begin to end, when state.loads.NAME.runs asks for it")
        if self.profile_kw and max(self.profile_kw) > self.power_kw:
            raise ValueError(f"profile_kw goes up to {max(self.profile_kw):g}, beyond power_kw {self.power_kw:g}")
        return self

    @property
    def programme_hours(self) -> float:
        """How long its programme takes; 0 where it has none."""
        return len(self.profile_kw) * self.profile_minutes / 60
