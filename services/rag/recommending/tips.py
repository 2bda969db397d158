"""Energy tips from a site's own days, each with its saving a year and the figures behind it.

Each tip is a function under ``@tip`` from site and days to the savings of each day; it returns
nothing where the data do not show any.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from luna.energy.devices import DEVICE_KINDS
from luna.energy.site import Site
from luna.energy.timeline import SLOTS_PER_HOUR, FloatArray
from services.rag.recommending.daily_series import (
    LEAST_DAYS,
    RecordedDays,
    YearlyFigure,
    project_year,
)

# Below this a year nobody gets up for it, currency.
LEAST_SAVING = 5.0
_SEED = 1


@dataclass(frozen=True, slots=True)
class DailySaving:
    """The saving of each day, currency, shape ``(days,)``, and the figures of the tip's words."""

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
    """Return the tips that a site's days show; none from fewer than ``LEAST_DAYS``.

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
        for found in find(site, days):
            yearly = project_year(found.per_day, np.random.default_rng(_SEED))
            saving = yearly.at_most(bill)
            if saving.low > 0 and saving.value >= LEAST_SAVING:
                tips.append(Tip(code, found.key, saving, shared | dict(found.figures)))
    return tips


def _list_waiting() -> dict[str, int]:
    """Return the series of devices that may wait, each with its slots to wait."""
    waiting: dict[str, int] = {}
    for kind in DEVICE_KINDS:
        if kind.consumption.wait_hours:
            slots = round(kind.consumption.wait_hours * SLOTS_PER_HOUR)
            waiting |= dict.fromkeys(kind.submetered, slots)
    return waiting


MAY_WAIT = _list_waiting()


@tip("shift_load")
def _shift_load(_: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """Buy the energy of devices that may wait in their cheapest quarter-hours."""
    for name, slots_to_wait in MAY_WAIT.items():
        if name not in days.series:
            continue
        bought = np.nan_to_num(days.series["import_kwh"])
        drawn = np.nan_to_num(days.series[name])
        energy = np.minimum(drawn, bought)
        later = energy.copy()
        for day in np.flatnonzero(days.per_day(energy) > 0):
            slots = np.flatnonzero(days.day == day)
            later[slots] = _wait(energy[slots], days.import_price[slots], slots_to_wait)
        if energy.sum() > 0:
            spent = days.spend(bought)
            moved = later - energy
            # By the account, as blocks, allowances and prices of devices count them.
            saved = spent - days.spend(bought + moved)
            saved += days.charged.device_cost(name, drawn)
            saved -= days.charged.device_cost(name, drawn + moved)
            mean_price = np.divide(spent, bought, out=np.zeros(bought.size), where=bought > 0)
            paid = float((energy * mean_price).sum() / energy.sum())
            key = name.removesuffix("_kwh")
            figures: dict[str, float | str] = {
                "device": key,
                "energy_kwh": float(energy.sum() / days.count),
                "price": paid,
            }
            yield DailySaving(key, days.per_day(saved), figures)


def _wait(energy: FloatArray, price: FloatArray, slots_to_wait: int) -> FloatArray:
    """Return the energy of a device that draws it in the cheapest slots after its start.

    It draws no faster than it did at most.
    """
    drawing = np.flatnonzero(energy)
    first = int(drawing[0])
    window = slice(first, max(first + slots_to_wait, int(drawing[-1]) + 1))
    order = first + np.argsort(price[window], kind="stable")
    # The cheapest slots are filled one after the other until nothing remains.
    drawn_before = np.concatenate([[0.0], np.cumsum(np.full(order.size - 1, energy.max()))])
    later = np.zeros_like(energy)
    later[order] = np.clip(energy.sum() - drawn_before, 0.0, energy.max())
    return later


# Slots of the night, local clock, in which a house sleeps; its lowest tenth is what always runs.
_NIGHT_HOURS = (1.0, 5.0)
_STANDBY_KW = 0.1
_UNPLUGGED_KW = 0.02


@tip("standby")
def _find_standby(_: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """Run 20 W less of standby devices, priced slot by slot."""
    night = (days.hour >= _NIGHT_HOURS[0]) & (days.hour < _NIGHT_HOURS[1])
    standby = float(np.quantile(days.series["load_kwh"][night], 0.1)) * SLOTS_PER_HOUR
    if standby > _STANDBY_KW:
        less_kwh = _UNPLUGGED_KW / SLOTS_PER_HOUR
        bought = np.nan_to_num(days.series["import_kwh"])
        fewer = np.maximum(bought - less_kwh, 0.0)
        sold = np.where(bought > 0, 0.0, days.marginal_price * less_kwh)
        per_day = days.per_day(days.spend(bought) - days.spend(fewer) + sold)
        figures = {"standby_w": standby * 1e3, "less_w": _UNPLUGGED_KW * 1e3}
        yield DailySaving("house", per_day, figures)


_USUAL_RESERVE = 0.1


@tip("battery_reserve")
def _lower_reserve(site: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """Discharge the reserve while energy is bought, less the cost of charging it again."""
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
    lowest_price = np.array([price[days.day == day].min() for day in range(days.count)])
    refill = lowest_price / battery.round_trip
    gain = worth - np.maximum(refill, 0.0) - 2 * battery.wear_price
    per_day = delivered * np.maximum(gain, 0.0)
    figures: dict[str, float | str] = {
        "device": battery.name,
        "reserve": battery.min_soc,
        "days_held": float((days.per_day(bought) > 0).sum()),
    }
    yield DailySaving(battery.name, per_day, figures)


@tip("negative_feed_in")
def _hold_back(site: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """Feed nothing in at negative prices."""
    if not site.curtailable:
        return
    sold = np.nan_to_num(days.series["export_kwh"])
    fed = np.where(days.export_price < 0, sold, 0.0)
    per_day = days.per_day(fed * -days.export_price)
    yield DailySaving("roof", per_day, {"energy_kwh": float(fed.sum())})


# A washing or dishwashing run, and how often a week. Source: of the order of EU energy labels of
# 2021, 0.5 to 1.0 kWh a run.
_RUN_KWH = 0.8
_RUNS_PER_WEEK = 4.0
_RUN_SLOTS = 2 * SLOTS_PER_HOUR
_EVENING = (18.0, 22.0)


@tip("wash_in_sun")
def _wash_in_sun(_: Site, days: RecordedDays) -> Iterator[DailySaving]:
    """Run an appliance in the two sunniest hours instead of the evening, four times a week."""
    if not days.knows("pv_kwh"):
        return
    spread = _RUN_KWH / _RUN_SLOTS
    surplus = np.minimum(np.nan_to_num(days.series["export_kwh"]), spread)
    in_sun = surplus * np.maximum(days.export_price, 0.0) + (spread - surplus) * days.import_price
    evening = (days.hour >= _EVENING[0]) & (days.hour < _EVENING[1])
    per_day = np.zeros(days.count)
    produced = np.nan_to_num(days.series["pv_kwh"])
    for day in range(days.count):
        own = days.day == day
        pv = produced[own]
        if not pv.any() or not own[evening].any() or own.sum() < _RUN_SLOTS:
            continue
        cheapest = np.convolve(in_sun[own], np.ones(_RUN_SLOTS), "valid")
        usual = float(days.marginal_price[own & evening].mean()) * _RUN_KWH
        sunniest = int(np.convolve(pv, np.ones(_RUN_SLOTS), "valid").argmax())
        per_day[day] = max(usual - float(cheapest[sunniest]), 0.0)
    figures = {"run_kwh": _RUN_KWH, "runs_per_week": _RUNS_PER_WEEK}
    yield DailySaving("appliance", per_day * _RUNS_PER_WEEK / 7, figures)
