"""What lies ahead of a plan: prices and forecasts, one value per slot."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from luna.contracts.forecast import ForecastVersion
from luna.contracts.message import Instant, Message
from luna.outlook import PROBABILITY_TOLERANCE

MAX_SLOTS = 12 * 24 * 14


MAX_COURSES = 100


Energies = Annotated[list[Annotated[float, Field(ge=0, le=100_000)]], Field(min_length=1, max_length=MAX_SLOTS)]


Prices = Annotated[list[Annotated[float, Field(ge=-100, le=100)]], Field(min_length=1, max_length=MAX_SLOTS)]


# What may pass the connection in a slot, kW; null: what the connection carries anyway.
SlotLimits = Annotated[list[Annotated[float, Field(ge=0, le=10_000)] | None], Field(min_length=1, max_length=MAX_SLOTS)]


class ForecastSource(Message):
    """Which forecast load and PV are from; ``fallback_reason`` says why that is not a fresh one of the site's active version, null where it is."""

    version: ForecastVersion
    issued_at: Instant
    fallback_reason: Annotated[str, Field(max_length=512)] | None = None


class CoursesMessage(Message):
    """Courses that load and PV may take instead of the expected one; what the probabilities lack to one is the expected course's."""

    probability: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1, max_length=MAX_COURSES)]
    load_kwh: Annotated[list[Energies], Field(max_length=MAX_COURSES)]
    pv_kwh: Annotated[list[Energies], Field(max_length=MAX_COURSES)]

    @model_validator(mode="after")
    def _fit(self) -> Self:
        courses = len(self.probability)
        for name in ("load_kwh", "pv_kwh"):
            if len(getattr(self, name)) != courses:
                raise ValueError(f"{name} has {len(getattr(self, name))} courses, probability has {courses}")
        if sum(self.probability) > 1 + PROBABILITY_TOLERANCE:
            raise ValueError(f"probabilities add up to {sum(self.probability):g}, one at most")
        return self


class Bias(Message):
    """By what load and PV as they were forecast have been multiplied, because forecasts of the last days were all too low, or all too high."""

    load_factor: Annotated[float, Field(gt=0, le=10)] = 1.0
    pv_factor: Annotated[float, Field(gt=0, le=10)] = 1.0


class OutlookMessage(Message):
    """Prices and forecasts ahead, one value per slot; energies in kWh per slot, prices in currency per kWh."""

    load_kwh: Energies
    pv_kwh: Energies
    import_price: Prices
    export_price: Prices
    carbon_g_per_kwh: Annotated[list[Annotated[float, Field(ge=0, le=10_000)]], Field(max_length=MAX_SLOTS)] | None = None
    load_p10_kwh: Energies | None = None
    load_p90_kwh: Energies | None = None
    pv_p10_kwh: Energies | None = None
    pv_p90_kwh: Energies | None = None
    import_limit_kw: Annotated[SlotLimits | None, Field(description="as an operator that dims asks for it; the lower of it and the connection's holds")] = None
    export_limit_kw: Annotated[SlotLimits | None, Field(description="as import_limit_kw, for feeding in")] = None
    outdoor_temperature_c: Annotated[list[Annotated[float, Field(ge=-60, le=60)]], Field(max_length=MAX_SLOTS)] | None = None
    heat_demand_kwh: Annotated[dict[str, Energies], Field(description="heat drawn from the store of each heat pump, by its name")] = {}
    prices_known_until: Instant | None = None
    load_includes: Annotated[list[str], Field(max_length=32, description="appliances that are part of load_kwh and therefore not placed")] = []
    forecast: ForecastSource | None = None
    scenarios: CoursesMessage | None = None
    errors: Annotated[
        CoursesMessage | None,
        Field(description="courses by which forecasts erred lately: what is followed has to gain on them over the inverter alone"),
    ] = None
    bias: Bias | None = None

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        slots = len(self.load_kwh)
        for name in type(self).model_fields:
            series = getattr(self, name)
            if isinstance(series, list) and name != "load_includes" and len(series) != slots:
                raise ValueError(f"{name} has {len(series)} values, load_kwh has {slots}; every series needs one value per slot")
        for name, demand in self.heat_demand_kwh.items():
            if len(demand) != slots:
                raise ValueError(f"heat_demand_kwh.{name} has {len(demand)} values, load_kwh has {slots}; every series needs one value per slot")
        courses = [(kind, name) for kind in ("scenarios", "errors") if getattr(self, kind) for name in ("load_kwh", "pv_kwh")]
        for kind, name in courses:
            wrong = next((len(course) for course in getattr(getattr(self, kind), name) if len(course) != slots), None)
            if wrong is not None:
                raise ValueError(f"a course of {kind}.{name} has {wrong} values, load_kwh has {slots}; every course needs one value per slot")
        return self
