"""What lies ahead of a plan, and the state in which it begins."""

from collections.abc import Callable
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, Field, GetPydanticSchema, model_validator
from pydantic_core import PydanticCustomError, core_schema

from luna.contracts.forecast import ForecastVersion
from luna.contracts.message import Message
from luna.energy.devices import DEVICE_KINDS, Mode, by_name
from luna.energy.instant import Instant
from luna.energy.outlook import PROBABILITY_TOLERANCE
from luna.energy.part import PRICE, with_sections
from luna.energy.plausibility import ENERGY_ROUNDING_KWH, SOC_ROUNDING
from luna.energy.refusals import invalid_part
from luna.energy.timeline import FloatArray

MAX_SLOTS = 12 * 24 * 14


MAX_COURSES = 100


MOST_KWH = 100_000


def _round_energies(value: Any) -> Any:
    """Return a list with energies just below zero as zero; anything else as it is."""
    if not isinstance(value, list):
        return value
    return [0.0 if isinstance(each, int | float) and -ENERGY_ROUNDING_KWH <= each < 0 else each for each in value]


Energies = Annotated[list[Annotated[float, Field(ge=0, le=MOST_KWH)]], Field(min_length=1, max_length=MAX_SLOTS), BeforeValidator(_round_energies)]


Prices = Annotated[list[Annotated[float, PRICE]], Field(min_length=1, max_length=MAX_SLOTS)]


# What may pass the connection in a slot, kW; null: what the connection carries anyway.
SlotLimits = Annotated[list[Annotated[float, Field(ge=0, le=10_000)] | None], Field(min_length=1, max_length=MAX_SLOTS)]


class ForecastSource(Message):
    """Which forecast load and PV are from; ``fallback_reason`` says why that is not a fresh one of the site's active version, null where it is."""

    version: ForecastVersion
    issued_at: Instant
    fallback_reason: Annotated[str, Field(max_length=512)] | None = None


# Of the energies of courses that the planner makes, kWh: what is smaller than a tenth of a watt-hour is rounding.
COURSE_DIGITS = 4


def _unequal(message: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("unequal_length", "{said}", {"said": message, "remedy": remedy})


def _read_courses(given: Any, read: Callable[[Any], list[list[float]]]) -> FloatArray:
    """Return courses as an array, ``(courses, slots)``; as such the planner gives them itself."""
    if isinstance(given, np.ndarray):
        if given.ndim != 2 or not ((given >= 0) & (given <= MOST_KWH)).all():
            raise invalid_part("course-energies", most_kwh=MOST_KWH)
        return given
    courses = read(given)
    lengths = {len(course) for course in courses}
    if len(lengths) > 1:
        remedy = "Give every course as many values as load_kwh of the outlook has."
        raise _unequal(f"courses have {min(lengths)} to {max(lengths)} values; every course needs one value per slot", remedy)
    return np.array(courses, dtype=np.float64).reshape(len(courses), max(lengths, default=0))


# Lists of energies in every message; here an array, for there are thousands of them.
Courses = Annotated[
    FloatArray,
    GetPydanticSchema(
        lambda _source, handler: core_schema.no_info_wrap_validator_function(
            _read_courses,
            handler.generate_schema(Annotated[list[Energies], Field(max_length=MAX_COURSES)]),
            serialization=core_schema.plain_serializer_function_ser_schema(np.ndarray.tolist, return_schema=handler.generate_schema(list[list[float]])),
        )
    ),
]


class CoursesMessage(Message):
    """Courses that load and PV may take instead of the expected one; what the probabilities lack to one is the expected course's."""

    probability: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1, max_length=MAX_COURSES)]
    load_kwh: Courses
    pv_kwh: Courses

    def __eq__(self, other: object) -> bool:
        return self.model_dump() == other.model_dump() if isinstance(other, CoursesMessage) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    @model_validator(mode="after")
    def _fit(self) -> Self:
        courses = len(self.probability)
        for name in ("load_kwh", "pv_kwh"):
            if len(getattr(self, name)) != courses:
                given = len(getattr(self, name))
                raise _unequal(
                    f"{name} has {given} courses, probability has {courses}", f"Give one probability per course: {given} of them, or {courses} of {name}."
                )
        if sum(self.probability) > 1 + PROBABILITY_TOLERANCE:
            raise invalid_part("probabilities-sum", probability=sum(self.probability))
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
    load_includes: Annotated[list[str], Field(max_length=32, description="devices that are part of load_kwh and therefore not placed")] = []
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
        lengths: dict[str, int] = {}
        for name in type(self).model_fields:
            values = getattr(self, name)
            if name != "load_includes" and isinstance(values, list):
                lengths[name] = len(values)
        for name, demand in self.heat_demand_kwh.items():
            lengths[f"heat_demand_kwh.{name}"] = len(demand)
        for kind, given in (("scenarios", self.scenarios), ("errors", self.errors)):
            if given is not None:
                lengths |= {f"a course of {kind}.load_kwh": given.load_kwh.shape[1], f"a course of {kind}.pv_kwh": given.pv_kwh.shape[1]}
        if set(lengths.values()) != {slots}:
            wrong = {name: length for name, length in lengths.items() if length != slots}
            counts = ", ".join(f"{name} has {length} values" for name, length in wrong.items())
            remedy = f"Give {slots} values, one per slot as load_kwh has them, for {' and '.join(wrong)}; or shorten all to {min(slots, *wrong.values())}."
            raise _unequal(f"{counts}, load_kwh has {slots}; every series needs one value per slot", remedy)
        return self


Power = Annotated[float, Field(ge=0, le=100_000)]


class PeakState(Message):
    """What a component of the capacity tariff has counted this month.

    ``highest_kw`` are its highest intervals, or days but today where only the highest of a day counts; ``today_kw`` is then today's highest so far.
    """

    highest_kw: list[Power] = []
    today_kw: Power = 0.0
    interval_kwh: Annotated[float, Field(ge=0, le=100_000, description="imported so far in the interval that is running at the start")] = 0.0


def _round_soc(value: Any) -> Any:
    """Return a state of charge just beyond 0 or 1 as that bound; anything else as it is."""
    if isinstance(value, int | float) and -SOC_ROUNDING <= value <= 1 + SOC_ROUNDING:
        return min(max(value, 0.0), 1.0)
    return value


class BatteryState(Message):
    """How full a battery is."""

    soc: Annotated[float, Field(ge=0, le=1, description="share of the capacity; a percentage is refused"), BeforeValidator(_round_soc)]
    mode: Annotated[Mode | None, Field(description="in progress when the plan begins; heeded with a switching_price")] = None
    discharged_today_kwh: Annotated[
        float | None,
        Field(
            ge=0, le=1_000_000, description="given since local midnight, at its terminals, for max_cycles_per_day; empty: as recorded of a stored site, else 0"
        ),
    ] = None


Soc = Annotated[float, Field(ge=0, le=1)]


class VehicleSession(Message):
    """A stay of a vehicle at its charger: ``target_soc`` is wanted at its end; without one it charges from PV surplus alone.

    Up to ``limit_soc`` more is charged where a kWh costs less than it is worth. ``min_power_kw`` goes before both: until the vehicle is full it charges
    with at least this power, from whatever there is.
    """

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    target_soc: Soc | None = None
    limit_soc: Annotated[Soc | None, Field(description="never charged beyond in this stay; empty: the vehicle's max_soc")] = None
    min_soc: Annotated[Soc | None, Field(description="what it keeps when it supplies the house; empty: the vehicle's min_soc")] = None
    arrival_soc: Annotated[Soc | None, Field(description="expected when the stay begins; empty: what the stay before left, for the first one soc")] = None
    extra_value: Annotated[
        float | None,
        Field(
            ge=-100,
            le=100,
            description="worth of a kWh stored beyond the target; negative: what one has to bring; empty: 0.6 × the mean import price, 0 without limit_soc",
        ),
    ] = None
    min_power_kw: Annotated[
        float | None,
        Field(gt=0, le=10_000, description="charged with at least this until it is full; without a target_soc more comes from PV surplus alone (min+pv)"),
    ] = None
    session_id: Annotated[int | None, Field(description="set where the stay is stored: in later plans what is stored then holds")] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("target_soc", "min_soc"):
            wanted = getattr(self, name)
            if wanted is not None and self.limit_soc is not None and wanted > self.limit_soc:
                raise invalid_part("soc-beyond-limit", name=name, wanted=wanted, limit_soc=self.limit_soc)
        return self


class VehicleState(Message):
    """How full a vehicle is, when it is plugged in, and whether it is charging now: what goes on need not start again."""

    soc: Annotated[Soc, BeforeValidator(_round_soc)]
    sessions: list[VehicleSession] = []
    charging: bool = False


@with_sections({kind.section: by_name(kind.state) for kind in DEVICE_KINDS if kind.state})
class DeviceStates(Message):
    """What persists of devices, by their sections."""

    batteries: dict[str, BatteryState] = {}
    vehicles: dict[str, VehicleState] = {}


class StateMessage(DeviceStates):
    """What persists from slot to slot."""

    month_peaks_kw: list[Annotated[float, Field(ge=0, le=100_000)]] = []
    month_import_kwh: Annotated[float, Field(ge=0, le=10_000_000, description="drawn this local month so far, for a tariff in blocks")] = 0.0
    drawn_kwh: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=10_000_000)]],
        Field(description="by kind of import price: what its running period has drawn so far; month_import_kwh stands for one not named"),
    ] = {}
    peaks: Annotated[dict[str, PeakState], Field(description="by component of the capacity tariff; month_peaks_kw stands for the first one not named")] = {}
