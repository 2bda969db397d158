"""Ask for a plan: what lies ahead, how to plan, and the whole request."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import (
    BeforeValidator,
    Field,
    GetPydanticSchema,
    ModelWrapValidatorHandler,
    model_validator,
)
from pydantic_core import PydanticCustomError, core_schema

from luna.contracts.forecast import ForecastSource
from luna.contracts.message import Message, Request
from luna.contracts.owner import ManualBlock, Reserve, Surroundings
from luna.contracts.plan.reply import Assumption, PlanReply, PriceSpan
from luna.contracts.plan.state import StateMessage
from luna.energy.errors import InvalidInputError
from luna.energy.outlook import PROBABILITY_TOLERANCE
from luna.energy.part import PRICE, Amount, MoneyBounds, require_in_currency
from luna.energy.plausibility import ENERGY_ROUNDING_KWH
from luna.energy.refusals import invalid_part
from luna.energy.site import Objective, Site
from luna.energy.timeline import FloatArray, Instant, parse_zone, site_clock
from luna.words.language import Language

MAX_SLOTS = 12 * 24 * 14


MAX_SCENARIOS = 100
# Beside the blocks of a request those that a stored site may have, and an order for each
# quarter-hour of two days.
MOST_BLOCKS = 768


MOST_KWH = 100_000


def _round_energies(value: Any) -> Any:
    """Return a list with energies just below zero as zero; keep anything else."""
    if not isinstance(value, list) or _has_no_negative(value):
        return value
    rounded = list(value)
    for place, energy in enumerate(value):
        if isinstance(energy, int | float) and -ENERGY_ROUNDING_KWH <= energy < 0:
            rounded[place] = 0.0
    return rounded


def _has_no_negative(value: list[Any]) -> bool:
    # Eight times as fast as a look at each of hundreds of numbers.
    with suppress(TypeError, ValueError):
        return bool(min(value) >= 0)
    return False


Energies = Annotated[
    list[Annotated[float, Field(ge=0, le=MOST_KWH)]],
    Field(min_length=1, max_length=MAX_SLOTS),
    BeforeValidator(_round_energies),
]


Prices = Annotated[list[Annotated[float, PRICE]], Field(min_length=1, max_length=MAX_SLOTS)]


# Power that may pass the connection in a slot, kW; null: the connection's own limit.
LimitSeries = Annotated[
    list[Annotated[float, Field(ge=0, le=10_000)] | None], Field(min_length=1, max_length=MAX_SLOTS)
]


# Of the energies of scenarios that the planner makes, kWh: what is smaller than a tenth of a
# watt-hour is rounding.
SCENARIO_DIGITS = 4


def _unequal(message: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("unequal_length", "{said}", {"said": message, "remedy": remedy})


def _read_scenarios(given: Any, read: Callable[[Any], list[list[float]]]) -> FloatArray:
    """Return scenarios as an array, ``(scenarios, slots)``, which the planner gives itself."""
    if isinstance(given, np.ndarray):
        if given.ndim != 2 or not ((given >= 0) & (given <= MOST_KWH)).all():
            raise invalid_part("scenario-energies", most_kwh=MOST_KWH)
        return given
    return _to_array(read(given))


def _read_changes(given: Any, read: Callable[[Any], list[list[float]]]) -> FloatArray:
    """Return changes of prices as an array, as ``_read_scenarios``."""
    return _to_array(read(given.tolist() if isinstance(given, np.ndarray) else given))


def _to_array(scenarios: list[list[float]]) -> FloatArray:
    lengths = {len(scenario) for scenario in scenarios}
    if len(lengths) > 1:
        remedy = "Give every scenario as many values as load_kwh of the outlook has."
        raise _unequal(
            (
                f"scenarios have {min(lengths)} to {max(lengths)} values; every scenario needs one "
                "value per slot"
            ),
            remedy,
        )
    return np.array(scenarios, dtype=np.float64).reshape(len(scenarios), max(lengths, default=0))


def _list_in_messages(
    read: Callable[[Any, Callable[[Any], list[list[float]]]], FloatArray], scenario: Any
) -> GetPydanticSchema:
    """Return the schema of an array that is a list in every message, with a row per scenario."""
    return GetPydanticSchema(
        lambda _source, handler: core_schema.no_info_wrap_validator_function(
            read,
            handler.generate_schema(Annotated[list[scenario], Field(max_length=MAX_SCENARIOS)]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                np.ndarray.tolist, return_schema=handler.generate_schema(list[list[float]])
            ),
        )
    )


# Here arrays, for there are thousands of values.
Scenarios = Annotated[FloatArray, _list_in_messages(_read_scenarios, Energies)]
# More than the expected price.
PriceChanges = Annotated[FloatArray, _list_in_messages(_read_changes, Prices)]


# Fields with a row per scenario.
_BY_PATH = ("load_kwh", "pv_kwh", "import_change", "export_change")


class ScenariosMessage(Message):
    """Scenarios that load, PV and prices may take instead of the expected one.

    What the probabilities lack to one is the expected scenario's.
    """

    probability: Annotated[
        list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1, max_length=MAX_SCENARIOS)
    ]
    load_kwh: Scenarios
    pv_kwh: Scenarios
    import_change: Annotated[
        PriceChanges | None,
        Field(description="how much more than expected a bought kWh costs; null: nothing"),
    ] = None
    export_change: Annotated[
        PriceChanges | None,
        Field(description="how much more than expected a sold kWh earns; with import_change"),
    ] = None

    @property
    def by_path(self) -> dict[str, FloatArray]:
        """The series with a row per scenario, by field."""
        series = {name: getattr(self, name) for name in _BY_PATH}
        return {name: values for name, values in series.items() if values is not None}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScenariosMessage):
            return NotImplemented
        return self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]

    @model_validator(mode="after")
    def _fit(self) -> Self:
        scenarios = len(self.probability)
        if (self.import_change is None) != (self.export_change is None):
            raise _unequal(
                "a scenario changes one of the prices alone",
                "Give import_change and export_change, or neither.",
            )
        for name, values in self.by_path.items():
            if len(values) != scenarios:
                given = len(values)
                raise _unequal(
                    f"{name} has {given} scenarios, probability has {scenarios}",
                    f"Give one probability per scenario: {given} of them, "
                    f"or {scenarios} of {name}.",
                )
        if sum(self.probability) > 1 + PROBABILITY_TOLERANCE:
            raise invalid_part("probabilities-sum", probability=sum(self.probability))
        return self


# Lists of an outlook that have no value per slot.
_NOT_BY_SLOT = frozenset({"load_includes", "price_spans"})


class Bias(Message):
    """The factors by which forecasts of load and PV have been multiplied.

    Forecasts of the last days were all too low, or all too high.
    """

    load_factor: Annotated[float, Field(gt=0, le=10)] = 1.0
    pv_factor: Annotated[float, Field(gt=0, le=10)] = 1.0


class OutlookMessage(Message):
    """Prices and forecasts ahead, one value per slot.

    Energies in kWh per slot, prices in currency per kWh.
    """

    load_kwh: Energies
    pv_kwh: Energies
    import_price: Prices
    export_price: Prices
    carbon_g_per_kwh: (
        Annotated[list[Annotated[float, Field(ge=0, le=10_000)]], Field(max_length=MAX_SLOTS)]
        | None
    ) = None
    load_p10_kwh: Energies | None = None
    load_p90_kwh: Energies | None = None
    pv_p10_kwh: Energies | None = None
    pv_p90_kwh: Energies | None = None
    import_limit_kw: Annotated[
        LimitSeries | None,
        Field(
            description=(
                "as an operator that dims asks for it; the lower of it and the connection's holds"
            )
        ),
    ] = None
    export_limit_kw: Annotated[
        LimitSeries | None, Field(description="as import_limit_kw, for feeding in")
    ] = None
    outdoor_temperature_c: (
        Annotated[list[Annotated[float, Field(ge=-60, le=60)]], Field(max_length=MAX_SLOTS)] | None
    ) = None
    heat_demand_kwh: Annotated[
        dict[str, Energies],
        Field(description="heat drawn from the store of each heat pump, by its name"),
    ] = {}
    prices_known_until: Instant | None = None
    typical_prices: Annotated[
        dict[str, str],
        Field(
            description=(
                "markets whose missing prices are typical ones, and the market whose figures "
                "these are"
            )
        ),
    ] = {}
    price_spans: Annotated[
        list[PriceSpan],
        Field(max_length=MAX_SLOTS, description="versions of the prices, market by market"),
    ] = []
    load_includes: Annotated[
        list[str],
        Field(
            max_length=32,
            description="devices that are part of load_kwh and therefore not scheduled",
        ),
    ] = []
    forecast: ForecastSource | None = None
    scenarios: ScenariosMessage | None = None
    errors: Annotated[
        ScenariosMessage | None,
        Field(
            description=(
                "scenarios by which forecasts erred lately: what is followed has to gain on them "
                "over the inverter alone"
            )
        ),
    ] = None
    bias: Bias | None = None

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        slots = len(self.load_kwh)
        lengths: dict[str, int] = {}
        for name in type(self).model_fields:
            values = getattr(self, name)
            if name not in _NOT_BY_SLOT and isinstance(values, list):
                lengths[name] = len(values)
        for name, demand in self.heat_demand_kwh.items():
            lengths[f"heat_demand_kwh.{name}"] = len(demand)
        for kind, given in (("scenarios", self.scenarios), ("errors", self.errors)):
            if given is not None:
                for name, values in given.by_path.items():
                    lengths[f"a scenario of {kind}.{name}"] = values.shape[1]
        if set(lengths.values()) != {slots}:
            wrong = {name: length for name, length in lengths.items() if length != slots}
            counts = ", ".join(f"{name} has {length} values" for name, length in wrong.items())
            remedy = (
                f"Give {slots} values, one per slot as load_kwh has them, for "
                f"{' and '.join(wrong)}; or shorten all to {min(slots, *wrong.values())}."
            )
            raise _unequal(
                f"{counts}, load_kwh has {slots}; every series needs one value per slot", remedy
            )
        return self


class Terminal(Message):
    """The rule for the end of the horizon.

    ``minimum_soc``/``equal_soc``: the SoC ``soc`` (default: the SoC at the start) is reached at
    least / exactly; ``value``: a stored kWh is worth ``value``, for all batteries or by name;
    ``automatic``: 0.6 × the mean import price.
    """

    kind: Literal["minimum_soc", "equal_soc", "value", "automatic"] = "automatic"
    soc: Annotated[float, Field(ge=0, le=1)] | None = None
    value: Annotated[float, PRICE] | dict[str, Annotated[float, PRICE]] | None = None

    @model_validator(mode="after")
    def _value_given(self) -> Self:
        if self.kind == "value" and self.value is None:
            raise invalid_part("terminal-value-missing")
        return self


class PlanOptions(Message):
    """Options of planning."""

    terminal: Terminal = Terminal()
    mip_gap: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            description=(
                "how near the optimum a plan has to be proven, as a share of its cost; empty: "
                "the first good plan, whose own gap says what is proven"
            ),
        ),
    ] = None
    prove: Annotated[
        bool,
        Field(
            description=(
                "search until the plan is proven to its gap or time is over, also where devices "
                "are scheduled; otherwise their first good schedules end the search"
            )
        ),
    ] = False
    time_limit_s: Annotated[
        float,
        Field(
            gt=0,
            le=600,
            description="by when the plan is there, with all that it is set beside, seconds",
        ),
    ] = 10.0
    language: Language = "en"
    objective: Annotated[
        Objective | None, Field(description="what counts beside money; empty: as the site says")
    ] = None
    switching_price: Annotated[
        Annotated[float, MoneyBounds(10)] | None,
        Field(description="instead of the objective's: what another mode of a battery has to gain"),
    ] = None
    compare_cheapest: Annotated[
        bool,
        Field(
            description=(
                "say what the objective costs beside the cheapest plan even where devices are "
                "scheduled: it takes as long again"
            )
        ),
    ] = False
    price_sessions: Annotated[
        bool,
        Field(
            description=(
                "say what each charging session's deadline costs; four linear solves a "
                "session, about as long as the plan"
            )
        ),
    ] = False
    uncertainty: Annotated[
        Literal["point", "scenarios"],
        Field(
            description=(
                "whether a battery is planned by what is expected, or by the mean value of "
                "stored energy over scenarios that load and PV may take"
            )
        ),
    ] = "point"
    risk: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description=(
                "which scenarios count: 0 all, 0.3 the dearest 70 %, 1 the dearest alone; "
                "scenarios only"
            ),
        ),
    ] = 0.0

    @model_validator(mode="after")
    def _risk_of_scenarios(self) -> Self:
        if self.risk and self.uncertainty == "point":
            raise invalid_part("risk-without-scenarios")
        return self


class PlanRequest(Request):
    """Plan a site.

    It is a stored one by ``site_id``, or the one in ``site`` with its ``outlook`` and ``state``.
    """

    task: ClassVar[str] = "planner.schedule.solve"

    site_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    site: Site | None = None
    start: Instant | None = None
    slot_minutes: Literal[5, 15, 30, 60] = 15
    first_slot_minutes: Annotated[float, Field(gt=0, le=60)] | None = None
    outlook: OutlookMessage | None = None
    state: StateMessage = StateMessage()
    options: PlanOptions = PlanOptions()
    manual: Annotated[
        list[ManualBlock],
        Field(
            max_length=MOST_BLOCKS,
            description=(
                "what the owner pins and forbids; a stored site's own blocks are added to these"
            ),
        ),
    ] = []
    surroundings: Surroundings = Surroundings()
    reserves: Annotated[
        list[Reserve],
        Field(
            max_length=64,
            description="what batteries should hold for a time; a site's strategy adds its own",
        ),
    ] = []

    assumptions: Annotated[
        list[Assumption],
        Field(
            max_length=64,
            description="what stands where a stored site knows nothing; the reply's notes say it",
        ),
    ] = []

    @model_validator(mode="wrap")
    @classmethod
    def _by_the_sites_clock(cls, document: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        site = document.get("site") if isinstance(document, dict) else None
        name: Any = None
        if isinstance(site, Site):
            name = site.timezone
        elif isinstance(site, dict):
            name = site.get("timezone")
        zone: ZoneInfo | None = None
        # An unknown zone is refused where the site itself is read.
        with suppress(InvalidInputError):
            zone = parse_zone(name) if isinstance(name, str) else None
        with nullcontext() if zone is None else site_clock(zone):
            return read(document)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.site is None) == (self.site_id is None):
            raise invalid_part("site-or-site-id")
        if self.site is not None and (self.outlook is None or self.start is None):
            raise invalid_part("site-without-outlook")
        if self.outlook is not None and self.site is not None:
            by_scenarios = self.options.uncertainty == "scenarios"
            if by_scenarios and self.outlook.scenarios is None:
                raise invalid_part("scenarios-missing")
        if self.first_slot_minutes is not None and self.first_slot_minutes > self.slot_minutes:
            raise invalid_part("first-slot-too-long")
        if self.site is not None:
            require_in_currency(self._list_prices(self.site.currency), self.site.currency)
        return self

    def _list_prices(self, currency: str) -> Iterator[Amount]:
        """Yield the terminal values, and the outlook's prices beyond their bounds."""
        if self.outlook is not None:
            least, most = PRICE.bounds(currency)
            for name in ("import_price", "export_price"):
                for number, price in enumerate(getattr(self.outlook, name)):
                    # Few of hundreds.
                    if not least <= price <= most:
                        yield Amount(("outlook", name, number), price, PRICE)
        place = ("options", "terminal", "value")
        worth = self.options.terminal.value
        if isinstance(worth, dict):
            for battery, value in worth.items():
                yield Amount((*place, battery) if battery else place, value, PRICE)
        elif worth is not None:
            yield Amount(place, worth, PRICE)

    @property
    def step(self) -> timedelta:
        """The length of a slot."""
        return timedelta(minutes=self.slot_minutes)


PlanRequest.reply = PlanReply
