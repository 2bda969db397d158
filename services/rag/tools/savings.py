"""What Luna saved, by the stored replays of its days."""

import re
from datetime import timedelta
from typing import ClassVar

from luna.contracts.site_tools import Chart, ChartSeries, ToolSource
from luna.energy.savings import LUNA, POSSIBLE, WITHOUT, share_of_possible
from luna.platform.database.savings import read_savings
from luna.words import say_policy
from services.rag.tools import cues
from services.rag.tools.declaration import Findings, PeriodArguments, Tool, ToolContext
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.telling import Teller


class SavingsArguments(PeriodArguments):
    """Which days; without them the thirty before today. Clock times are no use here: a day is scored as a whole."""

    usual_days: ClassVar[tuple[int, int]] = (-30, -1)


def match_savings(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks what Luna saved."""
    if not question.has(cues.SAVINGS) or question.has(cues.NO_SAVINGS) or question.is_definition():
        return []
    periods = [past for period in question.periods() if (past := period.past(question.today))]
    if not periods and not re.search(r"\bluna\b", question.text) and not question.has(cues.OWN):
        return []
    return [MatchedCall("savings", {name: value for name, value in periods[0].as_arguments().items() if name.endswith("_day")} if periods else {})]


def tell_savings(context: ToolContext, arguments: SavingsArguments) -> Findings:
    """Tell what the days cost with Luna, with the inverter alone and with perfect foresight, and how many of them count."""
    teller, period = Teller(context), arguments.period(context.today)
    saved = read_savings(context.connection, context.site, first=period.first, last=min(period.last, period.first + timedelta(days=365)))
    path = f"/v1/sites/{context.site.name}/scores?from_day={period.first}&to_day={period.last}"
    source = ToolSource(what=f"daily scores of policies of site {context.site.name}", period=f"{period.first}/{period.last}", path=path)
    days = teller.figure("days", saved.days, "count")
    if not saved.counted:
        return teller.miss("no_scores", (source,), period=teller.period(period), days=days)
    cost = saved.cost
    costs = {name: teller.figure(f"cost_{name}", cost[name], "cost") for name in (LUNA, WITHOUT, POSSIBLE)}
    counted = teller.figure("counted_days", len(saved.counted), "count")
    teller.say("savings_counted", period=teller.period(period), counted=counted, days=days)
    difference = cost[WITHOUT] - cost[LUNA]
    amount = teller.figure("saved", abs(difference), "cost")
    teller.say("savings_saved" if difference >= 0 else "savings_lost", amount=amount, luna=costs[LUNA], without=costs[WITHOUT])
    share = share_of_possible(cost)
    if share is not None:
        teller.say("savings_share", share=teller.figure("share_of_possible", share, "share"), possible=costs[POSSIBLE])
    series = [
        ChartSeries(name=say_policy(name, language=context.numbers.language), unit="cost", kind="bar", values=[day.cost[name] for day in saved.counted])
        for name in (LUNA, WITHOUT, POSSIBLE)
    ]
    chart = Chart(title=teller.phrase("chart_savings"), starts=[day.day.isoformat() for day in saved.counted], by="label", series=series)
    return teller.finish(chart=chart, sources=(source,))


TOOL = Tool(
    "savings",
    "What Luna saved over past days, by replays of the recorded days: cost with Luna, with the inverter alone and with perfect foresight, and how many days"
    " count. Default: the last thirty days.",
    SavingsArguments,
    tell_savings,
)
