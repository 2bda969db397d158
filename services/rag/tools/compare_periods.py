"""Tool: compares two periods."""

import re
from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from luna.contracts.message import Message
from luna.contracts.site_tools import Chart, ChartSeries, Unit
from luna.energy.timeline import Day
from services.rag.tools import cues, energies
from services.rag.tools.consumption import tell_bill, tell_energies
from services.rag.tools.declaration import DayPeriod, Findings, Tool, ToolContext, require_order
from services.rag.tools.energies import SERIES, Energies, SeriesName
from services.rag.tools.price_course import price_kind
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import price_source, series_source
from services.rag.tools.telling import ROUNDS_TO_ALL, Teller


class CompareArguments(Message):
    """Two spans of local days, each with both ends included."""

    first_day: Annotated[Day, Field(description="first local day of the one period")]
    last_day: Annotated[Day | None, Field(description="its last day; default: the first")] = None
    other_first_day: Annotated[
        Day, Field(description="first local day of the period to compare it with")
    ]
    other_last_day: Annotated[Day | None, Field(description="its last day; default: the first")] = (
        None
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        require_order(self.first_day, self.last_day or self.first_day)
        require_order(self.other_first_day, self.other_last_day or self.other_first_day)
        return self


def match_comparison(question: PlainQuestion) -> list[MatchedCall]:
    """Return the calls of a question that compares two periods, or a period with the previous."""
    if not (question.has(cues.COMPARE) or question.has(cues.BEFORE)):
        return []
    periods = _find_compared(question)
    if len(periods) < 2:
        return []
    if question.has(cues.PRICE) and not question.has(cues.COST):
        kind = {"price": price_kind(question)}
        return [MatchedCall("price_course", kind | period.as_arguments()) for period in periods]
    one, other = (period.past(question.today) for period in periods)
    if one is None or other is None:
        return []
    names_energy = bool(cues.find_series(question.text)) or question.has(cues.BALANCE)
    if not names_energy and not question.has(cues.COST):
        return []
    days = {
        "first_day": one.first,
        "last_day": one.last,
        "other_first_day": other.first,
        "other_last_day": other.last,
    }
    return [MatchedCall("compare_periods", {name: day.isoformat() for name, day in days.items()})]


def _find_compared(question: PlainQuestion) -> list[DayPeriod]:
    """Return the first two periods to compare; fewer where no second one is meant."""
    periods = question.periods()
    today = question.today
    if len(periods) == 1:
        # "Compared with the previous week" means the current week beside it.
        if re.search(r"zur vorwoche|to the previous week|with the previous week", question.text):
            monday = today - timedelta(days=today.weekday())
            periods.insert(0, DayPeriod(monday, today))
        elif re.search(
            r"zum vormonat|to the previous month|with the previous month", question.text
        ):
            periods.insert(0, DayPeriod(today.replace(day=1), today))
    if question.has(cues.BEFORE) and len(periods) == 1:
        if re.search(r"monat|month", question.text):
            last = periods[0].first.replace(day=1) - timedelta(days=1)
            periods.append(DayPeriod(last.replace(day=1), last))
        else:
            back = 7 if re.search(r"woche|week", question.text) else 1
            periods.append(periods[0].shift(-max(back, periods[0].days)))
    return periods[:2]


def tell_comparison(context: ToolContext, arguments: CompareArguments) -> Findings:
    """Tell the energies and costs of two periods, and their differences."""
    teller = Teller(context)
    period = DayPeriod(arguments.first_day, arguments.last_day or arguments.first_day)
    other_period = DayPeriod(
        arguments.other_first_day, arguments.other_last_day or arguments.other_first_day
    )
    window = period.timeline(context.zone)
    other_window = other_period.timeline(context.zone)
    one = energies.read(context, window)
    other = energies.read(context, other_window)
    both = [name for name in one.available(SERIES) if other.coverage(name) > 0]
    sources = []
    for recorded in (one, other):
        flows = [f"{name}_kwh" for name in both or SERIES]
        sources += [series_source(context, flow, recorded.timeline) for flow in flows]
    title = teller.period(period)
    other_title = teller.period(other_period, "other_")
    if not both:
        return teller.miss("nothing_to_compare", tuple(sources), one=title, other=other_title)
    cost_title = title
    if "load" in both:
        difference = one.account.consumption_kwh - other.account.consumption_kwh
        _tell_difference(teller, "load", difference, "kwh", title=title)
        # The sentence before has named the period.
        cost_title = ""
    cost = one.account.energy_cost
    other_cost = other.account.energy_cost
    if cost is not None and other_cost is not None:
        _tell_difference(teller, "cost", cost - other_cost, "cost", title=cost_title)
    teller.begin_line()
    tell_energies(teller, one, both, title=title, end=window.end)
    tell_bill(teller, context, one)
    teller.begin_line()
    tell_energies(teller, other, both, title=other_title, end=other_window.end, prefix="other_")
    tell_bill(teller, context, other, prefix="other_")
    teller.begin_line()
    least = min(min(one.coverage(name), other.coverage(name)) for name in both)
    teller.say_partly("partly_recorded", "share_known", least)
    estimated = max(max(one.estimated(name), other.estimated(name)) for name in both)
    if estimated > 1 - ROUNDS_TO_ALL:
        teller.say("partly_estimated", share=teller.figure("share_estimated", estimated, "share"))
    sources += [price_source(context, one.timeline), price_source(context, other.timeline)]
    series = [_draw_totals(title, one, both), _draw_totals(other_title, other, both)]
    labels = [teller.phrase(f"series_{name}") for name in both]
    chart = Chart(title=teller.phrase("chart_comparison"), starts=labels, by="label", series=series)
    return teller.finish(chart=chart, sources=tuple(sources))


def _draw_totals(title: str, recorded: Energies, names: list[SeriesName]) -> ChartSeries:
    totals: list[float | None] = [recorded.total(name) for name in names]
    return ChartSeries(name=title, unit="kwh", kind="bar", values=totals)


def _tell_difference(
    teller: Teller, quantity: str, difference: float, unit: Unit, *, title: str
) -> None:
    figure = teller.figure(f"{quantity}_difference", abs(difference), unit)
    code = f"{quantity}_more" if difference >= 0 else f"{quantity}_less"
    if title:
        code = f"{code}_of"
    teller.say(code, period=title, difference=figure)


TOOL = Tool(
    "compare_periods",
    "Two past periods beside each other: energy used, made, bought and sold in each, what "
    "each cost by the tariff, and the differences.",
    CompareArguments,
    tell_comparison,
)
