"""Sentences on the energies and the cost of a period, in each form that a question may want."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from luna.contracts.site_tools import Chart, ChartSeries, Unit
from luna.energy.account import CONSUMERS, consumption
from luna.energy.account_statistics import mean_by_hour, rank_days
from luna.energy.timeline import SLOTS_PER_DAY, SLOTS_PER_HOUR, FloatArray
from services.rag.tools.declaration import DayPeriod, ToolContext
from services.rag.tools.energies import Energies, SeriesName
from services.rag.tools.reading import share_finite, slot_start, sum_finite
from services.rag.tools.telling import Teller

COST = "cost"
# A day of which less is known is no day with little.
LEAST_KNOWN = 0.9


def values_of(recorded: Energies, name: str) -> FloatArray:
    """Return a quantity per quarter-hour: the cost, or an energy, ``load`` with all devices."""
    if name == COST:
        return recorded.slots.cost
    return consumption(recorded.slots) if name == "load" else recorded.values(name)


def unit_of(name: str) -> Unit:
    """Return the unit of a quantity's sum."""
    return "cost" if name == COST else "kwh"


def write_amount(
    teller: Teller, name: str, figure_name: str, value: float, *, unit: Unit = "kwh"
) -> str:
    """Record an amount and return it with its name: "3 kWh sold to the grid"; a cost alone."""
    if name == COST:
        return teller.figure(figure_name, value, "cost")
    return teller.phrase(f"amount_{name}", kwh=teller.figure(figure_name, value, unit))


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


def tell_mean(teller: Teller, recorded: Energies, name: str, period: DayPeriod) -> None:
    """Tell a quantity of a mean day."""
    values = values_of(recorded, name)
    is_over = recorded.timeline.end >= period.timeline(teller.numbers.zone).end
    days = period.days if is_over else recorded.timeline.count / SLOTS_PER_DAY
    mean = sum_finite(values) / (days * share_finite(values))
    amount = write_amount(teller, name, f"daily_{name}", mean)
    teller.say("daily_mean", period=teller.period(period), amount=amount)


def tell_extreme(
    teller: Teller, recorded: Energies, name: SeriesName, *, lowest: bool, title: str = ""
) -> None:
    """Tell the quarter-hour with the highest or lowest power, and its time.

    An empty title: a sentence before has named the period.
    """
    values = values_of(recorded, name)
    place = int(np.nanargmin(values) if lowest else np.nanargmax(values))
    kind = "lowest" if lowest else "highest"
    power = float(values[place]) * SLOTS_PER_HOUR
    teller.say(
        f"{kind}_power_of" if title else f"{kind}_power",
        period=title,
        amount=write_amount(teller, name, f"{kind}_kw", power, unit="kw"),
        at=teller.moment(f"{kind}_at", slot_start(recorded.timeline, place), day=True),
    )


def tell_days(
    teller: Teller,
    recorded: Energies,
    name: str,
    *,
    count: int,
    lowest: bool,
    period: DayPeriod,
) -> Chart:
    """Tell and draw the days with the highest or lowest sums, in order."""
    values = values_of(recorded, name)
    zone = teller.numbers.zone
    least_known = LEAST_KNOWN if lowest else 0.0
    ranked = rank_days(values, recorded.timeline, zone, least_known=least_known)
    if lowest:
        ranked.reverse()
    named = []
    for number, (day, value) in enumerate(ranked[:count], start=1):
        amount = write_amount(teller, name, f"value_{number}", value)
        named.append(teller.phrase("ranked_day", day=teller.day(f"day_{number}", day), of=amount))
    kind = "lowest" if lowest else "highest"
    list_of_days = ", ".join(named)
    code = f"{kind}_day" if len(named) == 1 else f"{kind}_days"
    teller.say(code, period=teller.period(period), list=list_of_days)
    shown = ChartSeries(
        name=teller.phrase(f"series_{name}"),
        unit=unit_of(name),
        kind="bar",
        values=[value for _, value in ranked[:count]],
    )
    days = [day.isoformat() for day, _ in ranked[:count]]
    return Chart(title=teller.phrase("chart_energies"), starts=days, by="label", series=[shown])


def tell_share(teller: Teller, recorded: Energies, name: SeriesName, period: DayPeriod) -> bool:
    """Tell a part of the use, or of the solar energy; return whether it is known."""
    title = teller.period(period)
    account = recorded.account
    if name == "pv":
        share = account.own_use
        if share is None:
            return False
        own_kwh = account.energy("pv") - account.energy("export")
        own = teller.figure("own_solar_kwh", own_kwh, "kwh")
        figures = {"share": teller.figure("own_use", share, "share"), "kwh": own}
        teller.say("own_use_of", period=title, **figures)
        return True
    total = account.consumption_kwh
    if name in CONSUMERS and name != "load" and total > 0:
        energy_kwh = account.energy(name)
        share_text = teller.figure("share_of_use", energy_kwh / total, "share")
        amount = write_amount(teller, name, f"{name}_kwh", energy_kwh)
        teller.say("share_of_use", period=title, share=share_text, amount=amount)
        return True
    share = account.self_sufficiency
    if share is None:
        return False
    figure = teller.figure("self_sufficiency", share, "share")
    teller.say("self_sufficiency_of", period=title, share=figure)
    return True


def tell_course(teller: Teller, recorded: Energies, name: SeriesName) -> None:
    """Tell the highest and lowest power, and the hours of the day with most and least."""
    tell_extreme(teller, recorded, name, lowest=False)
    means = mean_by_hour(values_of(recorded, name), recorded.timeline, teller.numbers.zone)
    most = int(np.nanargmax(means))
    least = int(np.nanargmin(means))
    clocks = {}
    for kind, hour in (("most", most), ("least", least)):
        clocks[f"{kind}_from"] = teller.clock(f"{kind}_from", f"{hour:02d}:00")
        clocks[f"{kind}_to"] = teller.clock(f"{kind}_to", f"{hour + 1:02d}:00")
    teller.say("course_hours", **clocks)
    tell_extreme(teller, recorded, name, lowest=True)


def tell_difference(
    teller: Teller, name: str, difference: float, *, title: str = "", of: str = "other"
) -> None:
    """Tell by how much a quantity is above or below another.

    An empty title: a sentence before has named the period. ``of``: the other one is of a period,
    the plan or the forecast.
    """
    amount = teller.figure(f"{name}_difference", abs(difference), unit_of(name))
    code = "more" if difference >= 0 else "less"
    if of == "other" and name in ("load", COST):
        sentence = f"{name}_{code}_of" if title else f"{name}_{code}"
        teller.say(sentence, period=title, difference=amount)
        return
    what = teller.phrase(f"series_{name}")
    teller.say(f"difference_{code}_{of}", period=title, what=what, difference=amount)
