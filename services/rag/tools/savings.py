"""Tool: tells Luna's savings by the stored replays of its days."""

import re
from datetime import timedelta
from typing import ClassVar

from luna.contracts.site_tools import Chart, ChartSeries, ToolSource
from luna.energy.savings import LUNA, POSSIBLE, WITHOUT, Savings, share_of_possible
from luna.house.account import list_as_recorded
from luna.platform.database.savings import read_savings
from luna.words import say_policy
from luna.words.devices import list_devices
from services.rag.tools import cues
from services.rag.tools.declaration import Findings, PeriodArguments, Tool, ToolContext
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.telling import Teller


class SavingsArguments(PeriodArguments):
    """Arguments: the days.

    Without them the thirty before today. Clock times are no use here: a day is scored as a whole.
    """

    usual_days: ClassVar[tuple[int, int]] = (-30, -1)


def match_savings(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks what Luna saved."""
    if not question.has(cues.SAVINGS) or question.has(cues.NO_SAVINGS) or question.is_definition():
        return []
    periods = question.past_periods()
    if periods:
        first = periods[0].first.isoformat()
        last = periods[0].last.isoformat()
        return [MatchedCall("savings", {"first_day": first, "last_day": last})]
    if re.search(r"\bluna\b", question.text) or question.has(cues.OWN):
        return [MatchedCall("savings")]
    return []


def tell_savings(context: ToolContext, arguments: SavingsArguments) -> Findings:
    """Tell the days' costs with Luna, the inverter alone and perfect foresight.

    Only days with a complete replay count.
    """
    teller = Teller(context)
    period = arguments.period(context.today)
    saved = read_savings(
        context.connection,
        context.site,
        first=period.first,
        last=min(period.last, period.first + timedelta(days=365)),
    )
    path = f"/v1/sites/{context.site.name}/scores?from_day={period.first}&to_day={period.last}"
    source = ToolSource(
        what=f"daily scores of policies of site {context.site.name}",
        period=f"{period.first}/{period.last}",
        path=path,
    )
    days = teller.figure("days", saved.days, "count")
    if not saved.counted:
        return teller.miss("no_scores", (source,), period=teller.period(period), days=days)
    title = teller.period(period)
    _tell_part(teller, saved.done, "saved", title=title)
    _tell_part(teller, saved.proposed, "would_save", title=title)
    counted = teller.figure("counted_days", len(saved.counted), "count")
    teller.say("savings_counted", counted=counted, days=days)
    as_recorded = list_as_recorded(context.site)
    if as_recorded:
        devices = list_devices(as_recorded, context.numbers.language)
        teller.say("savings_as_recorded", devices=devices)
    series = []
    for name in (LUNA, WITHOUT, POSSIBLE):
        title = say_policy(name, language=context.numbers.language)
        costs: list[float | None] = [day.cost[name] for day in saved.counted]
        series.append(ChartSeries(name=title, unit="cost", kind="bar", values=costs))
    chart = Chart(
        title=teller.phrase("chart_savings"),
        starts=[day.day.isoformat() for day in saved.counted],
        by="label",
        series=series,
    )
    return teller.finish(chart=chart, sources=(source,))


_CODES = {
    "saved": ("savings_saved", "savings_lost"),
    "would_save": ("savings_would_save", "savings_would_lose"),
}


def _tell_part(teller: Teller, part: Savings, name: str, *, title: str) -> None:
    """Tell the savings of some days of a period."""
    difference = part.saved
    if difference is None:
        return
    cost = part.cost
    count = teller.figure(f"{name}_days", len(part.counted), "count")
    figures = {
        "amount": teller.figure(name, abs(difference), "cost"),
        "luna": teller.figure(f"{name}_cost_{LUNA}", cost[LUNA], "cost"),
        "without": teller.figure(f"{name}_cost_{WITHOUT}", cost[WITHOUT], "cost"),
    }
    less, more = _CODES[name]
    teller.say(less if difference >= 0 else more, period=title, **figures)
    share = share_of_possible(cost)
    if share is not None:
        possible = teller.figure(f"{name}_possible", cost[WITHOUT] - cost[POSSIBLE], "cost")
        teller.say(
            "savings_share",
            share=teller.figure(f"{name}_share_of_possible", share, "share"),
            possible=possible,
        )
    teller.say(f"{name}_control", count=count)


TOOL = Tool(
    "savings",
    "What Luna saved, and what it would have saved on days on which it was not in control, "
    "by replays of recorded days: cost with Luna, with the inverter"
    " alone and with perfect foresight, and how many days count. Default: the last thirty days.",
    SavingsArguments,
    tell_savings,
)
