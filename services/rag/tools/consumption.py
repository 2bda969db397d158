"""What a site used, made, bought, sold and stored over a period."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.rag.tools import cues, energies
from services.rag.tools.declaration import Findings, PeriodArguments, Tool, ToolContext
from services.rag.tools.energies import METERED, SERIES, Energies, SeriesName
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import Column, draw, price_source, series_source
from services.rag.tools.telling import Teller

# The metered devices come with ``load``.
USUAL = tuple(name for name in SERIES if name not in METERED)


class ConsumptionArguments(PeriodArguments):
    """Which energies, and when."""

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


def match_cost(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks what electricity cost."""
    bought = question.has(cues.GOODS) or (
        question.has(cues.EQUIPMENT) and not question.has(cues.ELECTRIC)
    )
    if not question.has(cues.COST) or bought or question.has(cues.DIVIDED):
        return []
    periods = [past for period in question.periods() if (past := period.past(question.today))]
    if not periods or not (
        question.has(cues.ELECTRIC) or question.has(cues.OWN) or cues.find_series(question.text)
    ):
        return []
    return [MatchedCall("consumption", periods[0].as_arguments() | {"cost": True})]


def match_energy(question: PlainQuestion) -> list[MatchedCall]:
    """Return the calls of a question that asks how much energy was used, made, bought or sold, or
    will be.
    """
    series = cues.find_series(question.text)
    if (not series and not question.has(cues.BALANCE)) or question.has(cues.DIVIDED):
        return []
    periods = question.periods()
    past = [part for period in periods if (part := period.past(question.today))]
    if past:
        chosen = {} if question.has(cues.BALANCE) else {"series": list(series)}
        return [MatchedCall("consumption", chosen | part.as_arguments()) for part in past[:2]]
    expected = [name for name in series if name in ("load", "pv")]
    return (
        [MatchedCall("forecast", {"series": expected} | periods[0].as_arguments())]
        if periods and expected
        else []
    )


def tell_consumption(context: ToolContext, arguments: ConsumptionArguments) -> Findings:
    """Tell energies of a period, self-sufficiency and, where asked, what they cost."""
    teller = Teller(context)
    period = arguments.period(context.today)
    window = period.timeline(context.zone)
    recorded = energies.read(context, window)
    requested = tuple(dict.fromkeys(arguments.series or USUAL))
    available = recorded.available(requested)
    sources = tuple(
        series_source(context, f"{name}_kwh", recorded.timeline) for name in available or requested
    )
    if not available:
        return teller.miss("nothing_recorded", sources, period=teller.period(period))
    # Figures are listed in the order of the sentence.
    title = teller.period(period)
    tell_energies(teller, recorded, available, title=title, end=window.end)
    missing = [name for name in (arguments.series or ()) if name not in available]
    if missing:
        teller.say(
            "series_unknown", list=", ".join(teller.phrase(f"series_{name}") for name in missing)
        )
    if arguments.series is None:
        share = recorded.account.self_sufficiency
        if share is not None:
            teller.say("self_sufficiency", share=teller.figure("self_sufficiency", share, "share"))
    if arguments.cost:
        tell_bill(teller, context, recorded)
    least = min(recorded.coverage(name) for name in available)
    if least < 1:
        teller.say("partly_recorded", share=teller.figure("share_known", least, "share"))
    estimated = max(recorded.estimated(name) for name in available)
    if estimated > 0:
        teller.say("partly_estimated", share=teller.figure("share_estimated", estimated, "share"))
    priced = (price_source(context, recorded.timeline),) if arguments.cost else ()
    columns: list[Column] = [
        (name, "kwh", "bar", recorded.values(name), "sum") for name in available
    ]
    return teller.finish(
        chart=draw(teller, "chart_energies", recorded.timeline, columns),
        sources=(*sources, *priced),
    )


def tell_energies(
    teller: Teller,
    recorded: Energies,
    names: Sequence[SeriesName],
    *,
    title: str,
    end: datetime,
    prefix: str = "",
) -> None:
    """Tell what a period of this title used, and until when that is, where the period ends later.

    Where devices have meters of their own, the whole consumption comes first and its parts follow.
    """
    amounts = []
    if "load" in names and recorded.has_metered_devices:
        total = teller.figure(f"{prefix}consumption_kwh", recorded.account.consumption_kwh, "kwh")
        amounts.append(teller.phrase("amount_consumption", kwh=total))
    for name in names:
        code = (
            "amount_house" if name == "load" and recorded.has_metered_devices else f"amount_{name}"
        )
        amounts.append(
            teller.phrase(
                code, kwh=teller.figure(f"{prefix}{name}_kwh", recorded.total(name), "kwh")
            )
        )
    teller.say("energies", period=title, list=", ".join(amounts))
    if recorded.timeline.end < end:
        teller.say("so_far", until=teller.moment(f"{prefix}until", recorded.timeline.end, day=True))


def tell_bill(
    teller: Teller, context: ToolContext, recorded: Energies, prefix: str = ""
) -> float | None:
    """Tell what energies cost, and return it; None where prices or meter are unknown."""
    account = recorded.account
    cost = account.energy_cost
    if cost is None:
        teller.say("cost_unknown")
        return None
    figures = {
        "import_cost": teller.figure(f"{prefix}import_cost", account.import_cost, "cost"),
        "export_earning": teller.figure(f"{prefix}export_earning", -account.export_cost, "cost"),
        "total": teller.figure(f"{prefix}net_cost", cost, "cost"),
    }
    teller.say("bill", **figures)
    if context.site.tariff.peaks:
        teller.say("bill_without_peaks")
    if account.priced < 1:
        teller.say(
            "bill_partly", share=teller.figure(f"{prefix}share_priced", account.priced, "share")
        )
    return cost


TOOL = Tool(
    "consumption",
    "What the site measured over a past period or today so far: energy used by the house, "
    "the car and other metered devices, made by PV, bought from and sold"
    " to the grid, charged into and out of batteries, and its self-sufficiency; with "
    "cost=true also what was paid and earned for it.",
    ConsumptionArguments,
    tell_consumption,
)
