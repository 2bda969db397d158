"""Tool: tells the expected load and PV."""

import re
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import forecasts
from services.rag.tools import cues
from services.rag.tools.declaration import Findings, PeriodArguments, Tool, ToolContext
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import Column, draw, series_source, slot_start, sum_finite
from services.rag.tools.telling import Teller

Expected = Literal["load", "pv"]
LOW = 0.1
HIGH = 0.9


class ForecastArguments(PeriodArguments):
    """Arguments: series and period; without days, the rest of today and tomorrow."""

    usual_days: ClassVar[tuple[int, int]] = (0, 1)

    series: Annotated[
        tuple[Expected, ...] | None,
        Field(
            max_length=2,
            description="load: what the house uses; pv: what the sun brings; default: both",
        ),
    ] = None


def match_forecast(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks what load or sun will be."""
    series = [name for name in cues.find_series(question.text) if name in ("load", "pv")]
    periods = question.periods(forward=True)
    ahead = question.periods_ahead()
    names_forecast = re.search(r"prognose|vorhersage|forecast|predict", question.text) is not None
    if names_forecast and not series and not question.has(cues.WEATHER) and ahead:
        series = ["load", "pv"]
    if not series or not question.has(cues.FORECAST):
        return []
    if question.has(cues.SINCE) or question.has(cues.DIVIDED) or question.is_definition():
        return []
    arguments: dict[str, Any] = {"series": series}
    if ahead:
        return [MatchedCall("forecast", arguments | ahead[0].as_arguments())]
    if not names_forecast:
        return []
    # Of a day that is over, the forecast that was made for it.
    days = periods[0].as_arguments() if periods else {}
    return [MatchedCall("forecast", arguments | days)]


def tell_forecast(context: ToolContext, arguments: ForecastArguments) -> Findings:
    """Tell the forecast of a period with its 10–90 band, its version and its age."""
    teller = Teller(context)
    period = arguments.period(context.today)
    timeline = period.timeline(context.zone)
    # Days that are over are told by the forecast made before they began.
    known_at = timeline.start
    if timeline.end > context.now:
        # Of a day that runs, only the quarter-hours to come are told.
        known_at = context.now
        begin = max(timeline.start, floor_to(context.now, SLOT))
        timeline = Timeline(begin, SLOT, (timeline.end - begin) // SLOT)
    driving = forecasts.read_driving(context.connection, context.site, timeline, known_at=known_at)
    if driving is None or not np.isfinite(driving.forecast.load_kwh.expected).any():
        return teller.miss("no_forecast", period=teller.period(period))
    forecast = driving.forecast
    names = dict.fromkeys(arguments.series or ("load", "pv"))
    reached = np.isfinite(forecast.load_kwh.expected)
    end = slot_start(timeline, int(np.flatnonzero(reached)[-1]) + 1)
    teller.say(
        "forecast_window",
        begin=teller.moment("from", timeline.start, day=True),
        end=teller.end("to", end, begin=timeline.start),
    )
    columns: list[Column] = []
    for name in names:
        quantiles = forecast.load_kwh if name == "load" else forecast.pv_kwh
        expected = quantiles.expected
        columns.append((name, "kwh", "line", expected, "sum"))
        columns.append((f"{name}_p10", "kwh", "line", quantiles.p10, "sum"))
        columns.append((f"{name}_p90", "kwh", "line", quantiles.p90, "sum"))
        figures = {
            "expected": teller.figure(f"{name}_expected_kwh", sum_finite(expected), "kwh"),
            "low": teller.figure(f"{name}_p10_kwh", sum_finite(quantiles.p10), "kwh"),
            "high": teller.figure(f"{name}_p90_kwh", sum_finite(quantiles.p90), "kwh"),
            "low_level": teller.figure("low_level", LOW, "share"),
            "high_level": teller.figure("high_level", HIGH, "share"),
        }
        teller.say(f"forecast_{name}", **figures)
        if np.nanmax(expected) > 0:
            place = int(np.nanargmax(expected))
            power = float(expected[place]) / (SLOT.total_seconds() / 3600)
            at = teller.moment(f"{name}_peak_at", slot_start(forecast.timeline, place), day=True)
            teller.say("forecast_peak", power=teller.figure(f"{name}_peak_kw", power, "kw"), at=at)
    if not reached.all():
        teller.say("forecast_ends", until=teller.moment("known_until", end, day=True))
    issued = teller.moment("issued_at", forecast.issued_at, day=True)
    teller.say(
        "forecast_issued", version=teller.name("forecast_version", forecast.version), issued=issued
    )
    sources = tuple(
        series_source(context, f"slot_forecasts:{forecast.version}:{name}_kwh", timeline)
        for name in names
    )
    return teller.finish(chart=draw(teller, "chart_forecast", timeline, columns), sources=sources)


TOOL = Tool(
    "forecast",
    "What the house is expected to use (load) and PV to produce ahead, with the 10-90 % "
    "band, the highest power with its time, which forecast version says"
    " so and when it was issued. Default: the rest of today and tomorrow. Of past days: "
    "what was forecast before they began.",
    ForecastArguments,
    tell_forecast,
)
