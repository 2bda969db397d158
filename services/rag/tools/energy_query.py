"""Tool: one query over a home's energy and money.

It tells a quantity of a period in a form (sum, mean, course, extremes, ranking of days, share,
causes of a cost), or compares it with another period, the plan or the forecast.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from luna.contracts.site_tools import Chart, ChartSeries, ToolSource
from luna.energy.timeline import SLOT, Day, FloatArray, Timeline
from luna.platform.database import forecasts, plans
from services.rag.tools import energies
from services.rag.tools.declaration import (
    DayPeriod,
    Findings,
    PeriodArguments,
    Tool,
    ToolContext,
    require_order,
)
from services.rag.tools.energies import METERED, SERIES, Energies, SeriesName
from services.rag.tools.energy_reasons import Premise, tell_reasons
from services.rag.tools.energy_telling import (
    COST,
    tell_bill,
    tell_course,
    tell_days,
    tell_difference,
    tell_energies,
    tell_extreme,
    tell_mean,
    tell_share,
    unit_of,
    values_of,
    write_amount,
)
from services.rag.tools.reading import Column, draw, price_source, series_source
from services.rag.tools.telling import ROUNDS_TO_ALL, Teller

# The metered devices come with ``load``.
USUAL = tuple(name for name in SERIES if name not in METERED)
Form = Literal["sum", "mean", "course", "highest", "lowest", "days", "share", "reasons"]
Versus = Literal["plan", "forecast"]
# Longer ones would read a plan or a forecast for every day of a year.
MOST_VERSUS_DAYS = 31


class EnergyArguments(PeriodArguments):
    """Arguments: quantities, their period, the form, and what to compare with."""

    series: Annotated[
        tuple[SeriesName, ...] | None,
        Field(
            max_length=len(SERIES),
            description="load: used, by the house and by devices with a meter of their own; "
            f"{', '.join(METERED)}: by one of those alone;"
            " pv: made by the sun; import, export: bought and sold; charge, discharge: of "
            "the batteries; default: all",
        ),
    ] = None
    cost: Annotated[bool, Field(description="also what was paid and earned by the tariff")] = False
    form: Annotated[
        Form,
        Field(
            description="sum; mean: of a day; course: over the period and over the day; highest, "
            "lowest: power with its time; days: those with most; share: of the use, of pv: used at "
            "home; reasons: of the cost. All but sum take the first series, or the cost"
        ),
    ] = "sum"
    count: Annotated[int, Field(ge=1, le=10, description="how many days, of form days")] = 1
    least: Annotated[bool, Field(description="form days: those with least instead of most")] = False
    premise: Annotated[
        Premise | None, Field(description="form reasons: what whoever asks takes the cost to be")
    ] = None
    versus: Annotated[
        Versus | None,
        Field(
            description="compare load or pv with what was expected before each of at most "
            f"{MOST_VERSUS_DAYS} days"
        ),
    ] = None
    other_first_day: Annotated[
        Day | None, Field(description="first local day of a period to compare with")
    ] = None
    other_last_day: Annotated[Day | None, Field(description="its last day; default: the first")] = (
        None
    )

    @model_validator(mode="after")
    def _compares_one(self) -> Self:
        if self.other_last_day is not None and self.other_first_day is None:
            raise ValueError("other_last_day needs other_first_day")
        if self.other_first_day is not None and self.versus is not None:
            raise ValueError("compare with a period, the plan or the forecast")
        require_order(self.other_first_day, self.other_last_day or self.other_first_day)
        return self

    @property
    def quantity(self) -> str:
        """The quantity of forms that tell one."""
        if self.series:
            return self.series[0]
        return COST if self.cost else "load"


def tell_query(context: ToolContext, arguments: EnergyArguments) -> Findings:
    """Tell the answer of a query; the first two sentences hold it, the others are details."""
    if arguments.other_first_day is not None:
        return tell_comparison(context, arguments)
    teller = Teller(context)
    period = arguments.period(context.today)
    recorded = energies.read(context, period.timeline(context.zone))
    if arguments.form == "reasons":
        return tell_reasons(teller, context, period, recorded, premise=arguments.premise)
    if arguments.versus is not None:
        return tell_versus(teller, context, arguments, recorded)
    if arguments.form == "sum":
        return tell_sum(teller, context, arguments, recorded)
    return tell_quantity(teller, context, arguments, recorded)


def tell_quantity(
    teller: Teller, context: ToolContext, arguments: EnergyArguments, recorded: Energies
) -> Findings:
    """Tell one quantity in a form other than a sum."""
    period = arguments.period(context.today)
    name = arguments.quantity
    flow = "import" if name == COST else name
    sources = (series_source(context, f"{flow}_kwh", recorded.timeline),)
    if not np.isfinite(values_of(recorded, name)).any():
        return teller.miss("nothing_recorded", sources, period=teller.period(period))
    if arguments.form == "share" and not tell_share(teller, recorded, name, period):
        return teller.miss("nothing_recorded", sources, period=teller.period(period))
    chart = tell_form(teller, arguments, recorded, period)
    if chart is None:
        column: Column = (name, unit_of(name), "bar", values_of(recorded, name), "sum")
        chart = draw(teller, "chart_energies", recorded.timeline, [column])
    if recorded.timeline.end < period.timeline(context.zone).end:
        teller.say("so_far", until=teller.moment("until", recorded.timeline.end, day=True))
    tell_gaps(teller, [recorded], [flow])
    return teller.finish(chart=chart, sources=sources)


def tell_form(
    teller: Teller, arguments: EnergyArguments, recorded: Energies, period: DayPeriod
) -> Chart | None:
    """Tell one quantity in a form other than sum and share; return the chart of a ranking."""
    name = arguments.quantity
    form = arguments.form
    # Power has no cost: its highest is a day's.
    if form == "days" or (name == COST and form in ("highest", "lowest", "course")):
        least = arguments.least or form == "lowest"
        return tell_days(teller, recorded, name, count=arguments.count, lowest=least, period=period)
    title = teller.period(period)
    if form == "mean":
        tell_mean(teller, recorded, name, period)
    elif form in ("highest", "lowest"):
        tell_extreme(teller, recorded, name, lowest=form == "lowest", title=title)
    elif form == "course":
        total = write_amount(teller, name, f"{_figure_of(name)}_kwh", _total(recorded, name))
        teller.say("energies", period=title, list=total)
        tell_course(teller, recorded, name)
    return None


def tell_sum(
    teller: Teller, context: ToolContext, arguments: EnergyArguments, recorded: Energies
) -> Findings:
    """Tell energies of a period, self-sufficiency and, where asked, what they cost."""
    period = arguments.period(context.today)
    end = period.timeline(context.zone).end
    requested = tuple(dict.fromkeys(arguments.series or USUAL))
    available = recorded.available(requested)
    sources = tuple(
        series_source(context, f"{name}_kwh", recorded.timeline) for name in available or requested
    )
    if not available:
        return teller.miss("nothing_recorded", sources, period=teller.period(period))
    # Figures are listed in the order of the sentence.
    title = teller.period(period)
    if arguments.cost:
        tell_bill(teller, context, recorded, title=title)
        title = ""
    tell_energies(teller, recorded, available, title=title, end=end)
    missing = [name for name in (arguments.series or ()) if name not in available]
    if missing:
        missing_names = ", ".join(teller.phrase(f"series_{name}") for name in missing)
        teller.say("series_unknown", list=missing_names)
    if arguments.series is None:
        share = recorded.account.self_sufficiency
        if share is not None:
            teller.say("self_sufficiency", share=teller.figure("self_sufficiency", share, "share"))
    tell_gaps(teller, [recorded], available)
    priced = (price_source(context, recorded.timeline),) if arguments.cost else ()
    columns: list[Column] = []
    for name in available:
        values = recorded.values(name)
        columns.append((name, "kwh", "bar", values, "sum"))
    chart = draw(teller, "chart_energies", recorded.timeline, columns)
    return teller.finish(chart=chart, sources=(*sources, *priced))


def tell_gaps(teller: Teller, periods: Sequence[Energies], names: Sequence[SeriesName]) -> None:
    """Tell how much of the time is not recorded, or estimated, in the worst of periods."""
    pairs = list(product(periods, names))
    least = min(recorded.coverage(name) for recorded, name in pairs)
    teller.say_partly("partly_recorded", "share_known", least)
    estimated = max(recorded.estimated(name) for recorded, name in pairs)
    if estimated > 1 - ROUNDS_TO_ALL:
        teller.say("partly_estimated", share=teller.figure("share_estimated", estimated, "share"))


def tell_comparison(context: ToolContext, arguments: EnergyArguments) -> Findings:
    """Tell the difference between two periods, then the energies and costs of each."""
    teller = Teller(context)
    period = arguments.period(context.today)
    other_first = arguments.other_first_day or period.first
    other_period = DayPeriod(other_first, arguments.other_last_day or other_first)
    window = period.timeline(context.zone)
    other_window = other_period.timeline(context.zone)
    one = energies.read(context, window)
    other = energies.read(context, other_window)
    both = [name for name in one.available(SERIES) if other.coverage(name) > 0]
    sources = _list_sources(context, (one, other), both)
    title = teller.period(period)
    other_title = teller.period(other_period, "other_")
    if not both:
        return teller.miss("nothing_to_compare", sources, one=title, other=other_title)
    _tell_differences(teller, arguments, one, other, title=title)
    teller.begin_line()
    tell_energies(teller, one, both, title=title, end=window.end)
    tell_bill(teller, context, one)
    teller.begin_line()
    tell_energies(teller, other, both, title=other_title, end=other_window.end, prefix="other_")
    tell_bill(teller, context, other, prefix="other_")
    teller.begin_line()
    tell_gaps(teller, (one, other), both)
    series = [_draw_totals(title, one, both), _draw_totals(other_title, other, both)]
    labels = [teller.phrase(f"series_{name}") for name in both]
    chart = Chart(title=teller.phrase("chart_comparison"), starts=labels, by="label", series=series)
    return teller.finish(chart=chart, sources=sources)


def _tell_differences(
    teller: Teller, arguments: EnergyArguments, one: Energies, other: Energies, *, title: str
) -> None:
    """Tell the differences of the named quantities; without any, of use and cost."""
    whole_title = title
    names = list(arguments.series or ())
    if arguments.cost or not names:
        names = [COST, *names] if arguments.cost else ["load", COST]
    for name in names:
        values = values_of(one, name)
        other_values = values_of(other, name)
        if not np.isfinite(values).any() or not np.isfinite(other_values).any():
            continue
        difference = _total(one, name) - _total(other, name)
        is_phrased = name in ("load", COST)
        tell_difference(teller, name, difference, title=title if is_phrased else whole_title)
        # The sentence before has named the period.
        title = ""


def _list_sources(
    context: ToolContext, periods: Sequence[Energies], names: Sequence[SeriesName]
) -> tuple[ToolSource, ...]:
    sources = []
    for recorded in periods:
        for name in names or SERIES:
            sources.append(series_source(context, f"{name}_kwh", recorded.timeline))
    prices = [price_source(context, recorded.timeline) for recorded in periods]
    return (*sources, *prices)


def _draw_totals(title: str, recorded: Energies, names: Sequence[SeriesName]) -> ChartSeries:
    totals: list[float | None] = [recorded.total(name) for name in names]
    return ChartSeries(name=title, unit="kwh", kind="bar", values=totals)


def _figure_of(name: str) -> str:
    return "consumption" if name == "load" else name


def _total(recorded: Energies, name: str) -> float:
    """Return a quantity's sum as the account counts it."""
    if name == "load":
        return recorded.account.consumption_kwh
    if name == COST:
        return recorded.account.energy_cost or 0.0
    return recorded.total(name)


def tell_versus(
    teller: Teller, context: ToolContext, arguments: EnergyArguments, recorded: Energies
) -> Findings:
    """Tell load or PV beside what was expected of it at the beginning of each day."""
    period = arguments.period(context.today)
    name = "pv" if arguments.quantity == "pv" else "load"
    measured = values_of(recorded, name)
    expected = np.full(measured.size, np.nan)
    last = min(period.last, context.today)
    day = period.first
    while day <= last and (day - period.first).days < MOST_VERSUS_DAYS:
        slots = DayPeriod(day, day).timeline(context.zone)
        values = _read_expected(context, slots, name, arguments.versus or "forecast")
        place = (slots.start - recorded.timeline.start) // SLOT
        first = max(place, 0)
        count = max(min(place + values.size, expected.size) - first, 0)
        expected[first : first + count] = values[first - place : first - place + count]
        day += timedelta(days=1)
    both = np.isfinite(measured) & np.isfinite(expected)
    sources = (series_source(context, f"{name}_kwh", recorded.timeline),)
    if not both.any():
        missing = "no_forecast" if arguments.versus == "forecast" else "no_plan_of"
        return teller.miss(missing, sources, period=teller.period(period))
    title = teller.period(period)
    total = float(measured[both].sum())
    amount = write_amount(teller, name, f"{_figure_of(name)}_counted_kwh", total)
    teller.say("energies", period=title, list=amount)
    difference = total - float(expected[both].sum())
    of = "forecast" if arguments.versus == "forecast" else "plan"
    tell_difference(teller, name, difference, of=of)
    teller.say_partly("versus_partly", "share_compared", float(both.mean()))
    columns: list[Column] = [
        (name, "kwh", "bar", measured, "sum"),
        (f"{name}_expected", "kwh", "line", expected, "sum"),
    ]
    chart = draw(teller, "chart_energies", recorded.timeline, columns)
    return teller.finish(chart=chart, sources=sources)


def _read_expected(context: ToolContext, slots: Timeline, name: str, versus: Versus) -> FloatArray:
    """Return what was planned or forecast for a day before it began, NaN where unknown."""
    if versus == "plan":
        return _read_planned(context, slots, name)
    driving = forecasts.read_driving(context.connection, context.site, slots, known_at=slots.start)
    if driving is None:
        return np.full(slots.count, np.nan)
    forecast = driving.forecast
    return forecast.pv_kwh.expected if name == "pv" else forecast.load_kwh.expected


def _read_planned(context: ToolContext, slots: Timeline, name: str) -> FloatArray:
    """Return the planned energy of the plan in force at the first slot, NaN where it ends."""
    values = np.full(slots.count, np.nan)
    plan = plans.read_due(context.connection, context.site.name, slots.start)
    for slot in plan.slots if plan is not None else ():
        place = (slot.start - slots.start) // SLOT
        if not 0 <= place < slots.count:
            continue
        if name == "pv":
            values[place] = slot.pv_kwh - slot.curtailed_kwh
            continue
        values[place] = slot.load_kwh
        for _, flow in slot.scheduled:
            values[place] += max(flow.used_kwh, 0.0)
    return values


TOOL = Tool(
    "energy_query",
    "What the site measured over a past period or today so far: energy used by the house, "
    "the car and other metered devices, made by PV, bought from and sold"
    " to the grid, charged into and out of batteries, its self-sufficiency and its cost; as a sum, "
    "a mean day, a course, the highest or lowest power with its time, the days with most or "
    "least, a share, or with the causes of the cost; also beside another period, the plan or the "
    "forecast.",
    EnergyArguments,
    tell_query,
)
