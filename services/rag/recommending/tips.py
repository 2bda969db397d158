"""Energy tips from a site's own days: what would have cost less, by how much a year, and from which
figures that follows.

Each tip is a function under ``@tip`` from site and days to what would have been saved each day; it
returns nothing where the data do not show it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from luna.energy.devices import DEVICE_KINDS
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from services.rag.recommending.daily_series import (
    LEAST_DAYS,
    SLOTS_PER_HOUR,
    RecordedDays,
    YearlyFigure,
    project_year,
)

# Below this a year nobody gets up for it, currency.
LEAST_SAVING = 5.0
_SEED = 1


@dataclass(frozen=True, slots=True)
class DailySaving:
    """What would have been saved each day, currency, shape ``(days,)``, and the figures that the
    tip's words tell.
    """

    key: str
    per_day: FloatArray
    figures: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Tip:
    """A tip with its saving a year; ``key`` tells two of the same code apart."""

    code: str
    key: str
    saving: YearlyFigure
    figures: Mapping[str, float | str]


TipFinder = Callable[[Site, RecordedDays], Iterator[DailySaving]]
_TIPS: dict[str, TipFinder] = {}


def tip(code: str) -> Callable[[TipFinder], TipFinder]:
    """Declare the function that finds tips of a code."""

    def declare(find: TipFinder) -> TipFinder:
        _TIPS[code] = find
        return find

    return declare


def find_tips(site: Site, days: RecordedDays) -> list[Tip]:
    """Return what a site's days show; nothing from fewer than ``LEAST_DAYS`` of them.

    Invariants: no saving, and no bound of its interval, exceeds what was paid; each is more than
    nothing at both ends of its interval.
    """
    if days.count < LEAST_DAYS or not days.knows("import_kwh", "export_kwh"):
        return []
    bill = project_year(days.paid, np.random.default_rng(_SEED)).value
    shared: dict[str, float | str] = {
        "days": days.count,
        "first": str(days.first),
        "last": str(days.last),
        "bill": bill,
    }
    tips = []
    for code, find in _TIPS.items():
        for each in find(site, days):
            saving = project_year(each.per_day, np.random.default_rng(_SEED)).at_most(bill)
            if saving.low > 0 and saving.value >= LEAST_SAVING:
                tips.append(Tip(code, each.key, saving, shared | dict(each.figures)))
    return tips


# The columns of what is used by devices that may wait, each with the slots within which that may be
# drawn.
MAY_WAIT = {
    series: round(kind.consumption.wait_hours * SLOTS_PER_HOUR)
    for kind in DEVICE_KINDS
    if kind.consumption.wait_hours
    for series in kind.submetered
}


@tip("shift_load")
def _shift_load(_: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """What devices bought that may wait, bought in the cheapest quarter-hours within that time of
    their beginning instead.
    """
    for name, slots_to_wait in MAY_WAIT.items():
        if name not in days.series:
            continue
        energy = np.minimum(
            np.nan_to_num(days.series[name]), np.nan_to_num(days.series["import_kwh"])
        )
        saved = np.zeros(days.count)
        for day in np.flatnonzero(days.per_day(energy) > 0):
            slots = np.flatnonzero(days.day == day)
            saved[day] = _save_by_waiting(energy[slots], days.import_price[slots], slots_to_wait)
        if energy.sum() > 0:
            paid = float((energy * days.import_price).sum() / energy.sum())
            key = name.removesuffix("_kwh")
            yield DailySaving(
                key,
                saved,
                {"device": key, "energy_kwh": float(energy.sum() / days.count), "price": paid},
            )


def _save_by_waiting(energy: FloatArray, price: FloatArray, slots_to_wait: int) -> float:
    """Return by how much the same energy, no faster than it was drawn at most, costs less in the
    cheapest of so many slots from its first on.
    """
    first = int(np.flatnonzero(energy)[0])
    window = slice(first, max(first + slots_to_wait, int(np.flatnonzero(energy)[-1]) + 1))
    order = np.argsort(price[window], kind="stable")
    remaining = energy.sum() - np.concatenate(
        [[0.0], np.cumsum(np.full(order.size - 1, energy.max()))]
    )
    moved = np.clip(remaining, 0.0, energy.max())
    return max(float((energy * price).sum() - (moved * price[window][order]).sum()), 0.0)


# Slots of the night, local clock, in which a house sleeps; its lowest tenth is what always runs.
_NIGHT_HOURS = (1.0, 5.0)
_STANDBY_KW = 0.1
_UNPLUGGED_KW = 0.02


@tip("standby")
def _find_standby(_: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """What runs all night: what every 20 W fewer would save, priced slot by slot."""
    night = (days.hour >= _NIGHT_HOURS[0]) & (days.hour < _NIGHT_HOURS[1])
    standby = float(np.quantile(days.series["load_kwh"][night], 0.1)) * SLOTS_PER_HOUR
    if standby > _STANDBY_KW:
        per_day = days.per_day(days.marginal_price * _UNPLUGGED_KW / SLOTS_PER_HOUR)
        yield DailySaving(
            "house", per_day, {"standby_w": standby * 1e3, "less_w": _UNPLUGGED_KW * 1e3}
        )


_USUAL_RESERVE = 0.1


@tip("battery_reserve")
def _lower_reserve(site: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """A reserve that held the battery back while energy was bought: what it would have saved, less
    what filling it again costs.
    """
    if len(site.batteries) != 1 or not days.knows("soc"):
        return
    battery = site.batteries[0]
    spare = (battery.min_soc - _USUAL_RESERVE) * battery.capacity_kwh
    if spare <= 0:
        return
    soc = days.series["soc"]
    price = days.import_price
    at_reserve = np.nan_to_num(soc, nan=1.0) <= battery.min_soc + 0.01
    bought = np.where(at_reserve, np.nan_to_num(days.series["import_kwh"]), 0.0)
    reach = np.minimum(bought, battery.discharge_limit_kw / SLOTS_PER_HOUR)
    delivered = np.minimum(days.per_day(reach), spare * battery.discharge_efficiency)
    worth = days.per_day(reach * price) / np.maximum(days.per_day(reach), 1e-9)
    refill = np.array([price[days.day == day].min() for day in range(days.count)]) / (
        battery.charge_efficiency * battery.discharge_efficiency
    )
    per_day = delivered * np.maximum(worth - np.maximum(refill, 0.0) - 2 * battery.wear_price, 0.0)
    yield DailySaving(
        battery.name,
        per_day,
        {
            "device": battery.name,
            "reserve": battery.min_soc,
            "days_held": float((days.per_day(bought) > 0).sum()),
        },
    )


@tip("negative_feed_in")
def _hold_back(site: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """Feeding in at negative prices: what it cost."""
    if not site.curtailable:
        return
    sold = np.nan_to_num(days.series["export_kwh"])
    fed = np.where(days.export_price < 0, sold, 0.0)
    yield DailySaving(
        "roof", days.per_day(fed * -days.export_price), {"energy_kwh": float(fed.sum())}
    )


# A washing or dishwashing run, and how often a week. Source: of the order of EU energy labels of
# 2021, 0.5 to 1.0 kWh a run.
_RUN_KWH = 0.8
_RUNS_PER_WEEK = 4.0
_RUN_SLOTS = 2 * SLOTS_PER_HOUR
_EVENING = (18.0, 22.0)


@tip("wash_in_sun")
def _wash_in_sun(_: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """An appliance's run in the evening, run in the two sunniest hours instead, four times a
    week.
    """
    if not days.knows("pv_kwh"):
        return
    spread = _RUN_KWH / _RUN_SLOTS
    surplus = np.minimum(np.nan_to_num(days.series["export_kwh"]), spread)
    in_sun = surplus * np.maximum(days.export_price, 0.0) + (spread - surplus) * days.import_price
    evening = (days.hour >= _EVENING[0]) & (days.hour < _EVENING[1])
    per_day = np.zeros(days.count)
    for day in range(days.count):
        own = days.day == day
        if not own[evening].any() or own.sum() < _RUN_SLOTS:
            continue
        cheapest = np.convolve(in_sun[own], np.ones(_RUN_SLOTS), "valid")
        usual = float(days.marginal_price[own & evening].mean()) * _RUN_KWH
        sunniest = int(
            np.convolve(
                np.nan_to_num(days.series["pv_kwh"])[own], np.ones(_RUN_SLOTS), "valid"
            ).argmax()
        )
        per_day[day] = max(usual - float(cheapest[sunniest]), 0.0)
    yield DailySaving(
        "appliance",
        per_day * _RUNS_PER_WEEK / 7,
        {"run_kwh": _RUN_KWH, "runs_per_week": _RUNS_PER_WEEK},
    )
