"""Tool: tells the energies that a site used, made, traded and stored over a period."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.rag.tools import cues, energies
from services.rag.tools.declaration import Findings, PeriodArguments, Tool, ToolContext
from services.rag.tools.energies import METERED, SERIES, Energies, SeriesName
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import Column, draw, price_source, series_source
from services.rag.tools.telling import ROUNDS_TO_ALL, Teller

# The metered devices come with ``load``.
USUAL = tuple(name for name in SERIES if name not in METERED)


class ConsumptionArguments(PeriodArguments):
    """Arguments: energies and their period."""

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
    past = question.past_periods()
    names_energy = (
        question.has(cues.ELECTRIC)
        or question.has(cues.OWN)
        or bool(cues.find_series(question.text))
    )
    if not past or not names_energy:
        return []
    return [MatchedCall("consumption", past[0].as_arguments() | {"cost": True})]


def match_energy(question: PlainQuestion) -> list[MatchedCall]:
    """Return the calls of a question about amounts of energy, past or expected."""
    series = cues.find_series(question.text)
    if (not series and not question.has(cues.BALANCE)) or question.has(cues.DIVIDED):
        return []
    past = question.past_periods()
    if past:
        chosen = {} if question.has(cues.BALANCE) else {"series": list(series)}
        return [MatchedCall("consumption", chosen | period.as_arguments()) for period in past[:2]]
    periods = question.periods()
    expected = [name for name in series if name in ("load", "pv")]
    if not periods or not expected:
        return []
    return [MatchedCall("forecast", {"series": expected} | periods[0].as_arguments())]


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
    if arguments.cost:
        tell_bill(teller, context, recorded, title=title)
        title = ""
    tell_energies(teller, recorded, available, title=title, end=window.end)
    missing = [name for name in (arguments.series or ()) if name not in available]
    if missing:
        missing_names = ", ".join(teller.phrase(f"series_{name}") for name in missing)
        teller.say("series_unknown", list=missing_names)
    if arguments.series is None:
        share = recorded.account.self_sufficiency
        if share is not None:
            teller.say("self_sufficiency", share=teller.figure("self_sufficiency", share, "share"))
    least = min(recorded.coverage(name) for name in available)
    teller.say_partly("partly_recorded", "share_known", least)
    estimated = max(recorded.estimated(name) for name in available)
    if estimated > 1 - ROUNDS_TO_ALL:
        teller.say("partly_estimated", share=teller.figure("share_estimated", estimated, "share"))
    priced = (price_source(context, recorded.timeline),) if arguments.cost else ()
    columns: list[Column] = []
    for name in available:
        values = recorded.values(name)
        columns.append((name, "kwh", "bar", values, "sum"))
    chart = draw(teller, "chart_energies", recorded.timeline, columns)
    return teller.finish(chart=chart, sources=(*sources, *priced))


def tell_energies(
    teller: Teller,
    recorded: Energies,
    names: Sequence[SeriesName],
    *,
    title: str,
    end: datetime,
    prefix: str = "",
) -> None:
    """Tell the energies of a period; one that is not over yet, with the last instant recorded.

    Where devices have meters of their own, the whole consumption comes first and its parts follow.
    An empty title: a sentence before has named the period.
    """
    amounts = []
    if "load" in names and recorded.has_metered_devices:
        total = teller.figure(f"{prefix}consumption_kwh", recorded.account.consumption_kwh, "kwh")
        amounts.append(teller.phrase("amount_consumption", kwh=total))
    for name in names:
        code = f"amount_{name}"
        if name == "load" and recorded.has_metered_devices:
            code = "amount_house"
        amount = teller.figure(f"{prefix}{name}_kwh", recorded.total(name), "kwh")
        amounts.append(teller.phrase(code, kwh=amount))
    code = "energies" if title else "energies_untitled"
    teller.say(code, period=title, list=", ".join(amounts))
    if recorded.timeline.end < end:
        teller.say("so_far", until=teller.moment(f"{prefix}until", recorded.timeline.end, day=True))


def tell_bill(
    teller: Teller,
    context: ToolContext,
    recorded: Energies,
    *,
    title: str = "",
    prefix: str = "",
) -> float | None:
    """Tell and return the cost of energies; None where prices or meter are unknown.

    An empty title: a sentence before has named the period.
    """
    account = recorded.account
    cost = account.energy_cost
    if cost is None:
        teller.say("cost_unknown_of" if title else "cost_unknown", period=title)
        return None
    figures = {
        "import_cost": teller.figure(f"{prefix}import_cost", account.import_cost, "cost"),
        "export_earning": teller.figure(f"{prefix}export_earning", -account.export_cost, "cost"),
        "total": teller.figure(f"{prefix}net_cost", cost, "cost"),
    }
    teller.say("bill_of" if title else "bill", period=title, **figures)
    if context.site.tariff.peaks:
        teller.say("bill_without_peaks")
    teller.say_partly("bill_partly", f"{prefix}share_priced", account.priced)
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
