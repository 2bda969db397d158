"""Two periods beside each other."""

import re
from datetime import date, timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from luna.contracts.message import Message
from luna.contracts.site_tools import Chart, ChartSeries
from luna.energy.timeline import Day
from services.rag.tools import cues, energies
from services.rag.tools.consumption import tell_bill, tell_energies
from services.rag.tools.declaration import DayPeriod, Findings, Tool, ToolContext, require_order
from services.rag.tools.energies import SERIES
from services.rag.tools.price_course import price_kind
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import price_source, series_source
from services.rag.tools.telling import Teller


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
    """Return the calls of a question that compares two periods, or one with that before it."""
    if not (question.has(cues.COMPARE) or question.has(cues.BEFORE)):
        return []
    periods = question.periods()
    if len(periods) == 1:
        # The week or month that runs, where the one before it is what is compared with.
        if re.search(r"zur vorwoche|to the previous week|with the previous week", question.text):
            periods.insert(
                0,
                DayPeriod(
                    question.today - question.today.weekday() * timedelta(days=1), question.today
                ),
            )
        elif re.search(
            r"zum vormonat|to the previous month|with the previous month", question.text
        ):
            periods.insert(0, DayPeriod(question.today.replace(day=1), question.today))
    if question.has(cues.BEFORE) and len(periods) == 1:
        if re.search(r"monat|month", question.text):
            last = periods[0].first.replace(day=1) - timedelta(days=1)
            periods.append(DayPeriod(last.replace(day=1), last))
        else:
            back = 7 if re.search(r"woche|week", question.text) else 1
            periods.append(periods[0].shift(-max(back, periods[0].days)))
    if len(periods) < 2:
        return []
    if question.has(cues.PRICE) and not question.has(cues.COST):
        return [
            MatchedCall("price_course", {"price": price_kind(question)} | period.as_arguments())
            for period in periods[:2]
        ]
    one, other = (period.past(question.today) for period in periods[:2])
    if (
        one is None
        or other is None
        or not (
            cues.find_series(question.text) or question.has(cues.COST) or question.has(cues.BALANCE)
        )
    ):
        return []
    days = {
        "first_day": one.first,
        "last_day": one.last,
        "other_first_day": other.first,
        "other_last_day": other.last,
    }
    return [MatchedCall("compare_periods", {name: day.isoformat() for name, day in days.items()})]


def tell_comparison(context: ToolContext, arguments: CompareArguments) -> Findings:
    """Tell the energies and costs of two periods, and their differences."""
    teller = Teller(context)
    periods = [
        _period(arguments.first_day, arguments.last_day),
        _period(arguments.other_first_day, arguments.other_last_day),
    ]
    one, other = (energies.read(context, period.timeline(context.zone)) for period in periods)
    both = [name for name in one.available(SERIES) if other.coverage(name) > 0]
    sources = tuple(
        series_source(context, f"{name}_kwh", period_energies.timeline)
        for period_energies in (one, other)
        for name in both or SERIES
    )
    titles = [
        teller.period(period, prefix)
        for period, prefix in zip(periods, ("", "other_"), strict=True)
    ]
    if not both:
        return teller.miss("nothing_to_compare", sources, one=titles[0], other=titles[1])
    costs = []
    for period, period_energies, prefix, title in zip(
        periods, (one, other), ("", "other_"), titles, strict=True
    ):
        tell_energies(
            teller,
            period_energies,
            both,
            title=title,
            end=period.timeline(context.zone).end,
            prefix=prefix,
        )
        costs.append(tell_bill(teller, context, period_energies, prefix))
    if "load" in both:
        _tell_difference(
            teller, "load", one.account.consumption_kwh - other.account.consumption_kwh
        )
    if costs[0] is not None and costs[1] is not None:
        _tell_difference(teller, "cost", costs[0] - costs[1])
    least = min(period_energies.coverage(name) for period_energies in (one, other) for name in both)
    if least < 1:
        teller.say("partly_recorded", share=teller.figure("share_known", least, "share"))
    estimated = max(
        period_energies.estimated(name) for period_energies in (one, other) for name in both
    )
    if estimated > 0:
        teller.say("partly_estimated", share=teller.figure("share_estimated", estimated, "share"))
    priced = tuple(
        price_source(context, period_energies.timeline) for period_energies in (one, other)
    )
    labels = [teller.phrase(f"series_{name}") for name in both]
    series = [
        ChartSeries(name=title, unit="kwh", kind="bar", values=[each.total(name) for name in both])
        for each, title in zip((one, other), titles, strict=True)
    ]
    chart = Chart(title=teller.phrase("chart_comparison"), starts=labels, by="label", series=series)
    return teller.finish(chart=chart, sources=(*sources, *priced))


def _period(first: date, last: date | None) -> DayPeriod:
    return DayPeriod(first, last or first)


def _tell_difference(teller: Teller, what: str, difference: float) -> None:
    unit = "kwh" if what == "load" else "cost"
    figure = teller.figure(
        f"{what}_difference", abs(difference), "kwh" if unit == "kwh" else "cost"
    )
    teller.say(f"{what}_{'more' if difference >= 0 else 'less'}", difference=figure)


TOOL = Tool(
    "compare_periods",
    "Two past periods beside each other: energy used, made, bought and sold in each, what "
    "each cost by the tariff, and the differences.",
    CompareArguments,
    tell_comparison,
)
