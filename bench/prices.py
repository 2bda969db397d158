"""The worth of a price by its components, on the demo's home and its market: a grid fee by the
clock, and energy billed by the hour; and the CPU time that eight components take.

Run as ``python -m bench.prices``: the second week of each month; ``python -m bench.prices full``:
every day of the year. Plans are made anew every hour; load and PV are known ahead, so that prices
are measured and no forecaster.

The grid fee and the levies are those of 2026, on the market's prices of 2023. These are hourly:
where energy is billed by the hour, a market with quarter-hours is drawn from them.
"""

import json
import sys
import time
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bench.scenes import MARKET, Home, build_scene, load_home
from bench.timing import compare, race, time_call
from luna.energy.economics.prices import price_slots
from luna.energy.local_times import slot_times
from luna.energy.physics.mode import Mode
from luna.energy.public_holidays import load_holidays
from luna.energy.schedule import PlainPolicy, Policy
from luna.energy.simulator import Trajectory, price, simulate
from luna.energy.site import OWN_IMPORT, ImportRule, SeriesPrice, Tariff
from luna.energy.tariffs.calendar import CalendarComponent
from luna.energy.tariffs.component import Component
from luna.energy.tariffs.components import ComponentsPrice
from luna.energy.tariffs.fixed import FixedComponent
from luna.energy.tariffs.spot import BillingMinutes, SpotComponent
from luna.energy.timeline import local_days
from luna.platform.grid_fees.published import find_published
from services.planner.compiled import load_kernels
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.knowledge import PriceVintages
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.replay import ReplayData, Rules
from services.planner.replay.policies import ModelPredictive

Window = tuple[date, date]

YEAR = 2023
WEEKS = tuple((date(YEAR, month, 8), date(YEAR, month, 14)) for month in range(1, 13))
MONTHS = tuple(
    (date(YEAR, month, 1), date(YEAR, month, monthrange(YEAR, month)[1])) for month in range(1, 13)
)
SLOTS_PER_HOUR = 4
# The fees of this day are moved to the demo's year.
FEE_DAY = date(2026, 7, 1)
VAT = 0.19
ZONE = ZoneInfo("Europe/Berlin")
# Below this a month is not dearer but equal, currency.
_LITTLE_MONEY = 1e-6

SPEED_WINDOW = (date(YEAR, 3, 1), date(YEAR, 3, 31))
HALF_FULL_KWH = 5.0
# Of all hours of the day.
BETWEEN_PLANS = timedelta(hours=7)
PLANS = 100
PLAN_ROUNDS = 3
CALLS = 5


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return what knowing each price saves by month, and the CPU time of eight components."""
    load_kernels()
    load_holidays()
    # First, so that nothing about a year is known yet.
    year = measure_year()
    home = load_home()
    windows = MONTHS if full else WEEKS
    return {
        "days": sum((last - first).days + 1 for first, last in windows),
        "grid_fee": measure_grid_fee(home, windows),
        "hourly": measure_hourly_billing(home, windows),
        "plan": measure_plans(home, SPEED_WINDOW),
        "year": year,
    }


def measure_grid_fee(home: Home, windows: Sequence[Window]) -> dict[str, Any]:
    """Return each month's costs of plans that know the hours of the grid fee, and of plans that
    take its standard price for all hours.
    """
    fee = find_grid_fee()
    levies = find_levies()
    by_clock = add_up(build_spot(), fee, *levies)
    flat = add_up(build_spot(), flatten(fee), *levies)
    months = {}
    for first, last in windows:
        scene = build_scene(home, first, last, tariff="B")
        billed = put_under(scene, by_clock)
        rules = Rules.of(billed)
        known = settle(follow_plans(billed), rules)
        blind = settle(follow_plans(put_under(scene, flat)), rules)
        months[str(first.month)] = _compare_costs(known, blind)
    return {"months": months, **_sum_months(months)}


def measure_hourly_billing(home: Home, windows: Sequence[Window]) -> dict[str, Any]:
    """Return each month's costs of plans that know that energy is billed by the hour, and of plans
    by quarter-hours: as billed, and as they promised.
    """
    fees = (flatten(find_grid_fee()), *find_levies())
    by_quarter_hour = add_up(build_spot(), *fees)
    by_hour = add_up(build_spot(60), *fees)
    months = {}
    for first, last in windows:
        scene = build_scene(home, first, last, tariff="B")
        market = {MARKET: draw_quarter_hours(scene.prices.books[MARKET])}
        billed = put_under(scene, by_hour, market)
        rules = Rules.of(billed)
        planned = put_under(scene, by_quarter_hour, market)
        lived = follow_plans(planned)
        imported, _ = planned.prices.actual(planned.timeline)
        known = settle(follow_plans(billed), rules)
        blind = settle(lived, rules)
        costs = {
            "promised": settle(lived, replace(rules, import_price=imported)),
            "without_battery": settle(rest(billed, rules), rules),
        }
        months[str(first.month)] = _compare_costs(known, blind) | costs
    totals = {
        name: sum(month[name] for month in months.values())
        for name in ("promised", "without_battery")
    }
    return {"months": months, **_sum_months(months), **totals}


def _compare_costs(known: float, blind: float) -> dict[str, float]:
    gain = blind - known
    return {"known": known, "blind": blind, "gain": gain, "gain_percent": 100 * gain / abs(blind)}


def _sum_months(months: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    gains = [month["gain"] for month in months.values()]
    known = sum(month["known"] for month in months.values())
    blind = sum(month["blind"] for month in months.values())
    return {
        **_compare_costs(known, blind),
        "worst_gain": min(gains),
        "dearer_months": sum(gain < -_LITTLE_MONEY for gain in gains),
    }


def follow_plans(scene: ReplayData) -> Trajectory:
    """Return what a scene's days become by plans that know its own prices."""
    knowledge = SiteKnowledge(scene.site, scene.foresight, scene.prices)
    policy = ModelPredictive(knowledge, scene.timeline, SLOTS_PER_HOUR)
    return _live(policy, scene, Rules.of(scene))


def rest(scene: ReplayData, rules: Rules) -> Trajectory:
    """Return what a scene's days become while the battery rests."""
    return _live(PlainPolicy(Mode.HOLD, rules.curtailment), scene, rules)


def _live(policy: Policy, scene: ReplayData, rules: Rules) -> Trajectory:
    return simulate(policy, scene.actuals, limits=rules.limits, stored_kwh=rules.initial_kwh)


def settle(trajectory: Trajectory, rules: Rules) -> float:
    """Return the cost of a trajectory less the worth of what it gained in the battery."""
    costs = price(
        trajectory,
        import_price=rules.import_price,
        export_price=rules.export_price,
        wear_price=rules.wear_price,
    )
    gained_kwh = trajectory.flows.stored_kwh[:, 0, -1].sum() - rules.initial_kwh.sum()
    return float(costs.total.sum() - rules.terminal_value * gained_kwh)


def add_up(*components: Component) -> ComponentsPrice:
    """Return the price that is the sum of components."""
    return ComponentsPrice.model_validate({"kind": "components", "components": components})


def build_spot(billing_minutes: BillingMinutes = 15) -> SpotComponent:
    """Return the market's price with VAT."""
    return SpotComponent(
        kind="spot", name="energy", market=MARKET, vat=VAT, billing_minutes=billing_minutes
    )


def find_grid_fee() -> CalendarComponent:
    """Return the grid fee by the clock of Westnetz."""
    fees = [fee for fee in _find_fees("Westnetz") if isinstance(fee, CalendarComponent)]
    return fees[0]


def find_levies() -> tuple[Component, ...]:
    """Return Germany's levies and its electricity tax."""
    return tuple(_find_fees("levies"))


def _find_fees(operator: str) -> Iterator[Component]:
    """Yield the components that hold on ``FEE_DAY``, from the demo's year on."""
    tariff = find_published("DE", operator)
    for product in tariff.products if tariff is not None else ():
        for component in product.components:
            if component.holds_on(FEE_DAY):
                dates = {"valid_from": date(YEAR, 1, 1), "valid_to": None}
                yield component.model_copy(update=dates)


def flatten(fee: CalendarComponent) -> FixedComponent:
    """Return a fee with its standard price at all hours."""
    return FixedComponent(name=fee.name, price=fee.price, unit=fee.unit, vat=fee.vat)


def put_under(
    scene: ReplayData, rule: ImportRule, books: Mapping[str, PriceVintages] | None = None
) -> ReplayData:
    """Return a scene under another rule of import, and with other prices if given."""
    tariff = scene.site.tariff.model_copy(update={"import_": rule})
    site = scene.site.model_copy(update={"tariff": tariff})
    prices = replace(scene.prices, site=site, books=books or scene.prices.books)
    return replace(scene, site=site, prices=prices)


def draw_quarter_hours(hourly: PriceVintages) -> PriceVintages:
    """Return a market whose quarter-hours rise and fall within the hour as its hours do.

    Invariants: the mean of each hour stays.
    """
    hours = hourly.price.reshape(-1, SLOTS_PER_HOUR)[:, 0]
    slope = np.gradient(hours)
    middle = (np.arange(SLOTS_PER_HOUR) + 0.5) / SLOTS_PER_HOUR - 0.5
    quarters = hours[:, None] + slope[:, None] * middle
    return replace(hourly, price=quarters.ravel())


def build_eight() -> ComponentsPrice:
    """Return a bill of eight components: spot by the hour, a fee by the clock that knows holidays,
    and what holds from a date on.
    """
    fee = find_grid_fee().model_copy(update={"holidays": "DE-NW"})
    markup = FixedComponent(name="markup", price=0.015, vat=VAT)
    concession_fee = FixedComponent(name="concession fee", price=0.0159, vat=VAT)
    return add_up(build_spot(60), markup, fee, concession_fee, *find_levies())


def measure_plans(home: Home, window: Window) -> dict[str, Any]:
    """Return the CPU time of plans by eight components, and by one that has the same prices."""
    scene = build_scene(home, *window, tariff="B")
    # All prices are known early, so that both make the same plans.
    known = scene.prices.books[MARKET]
    long_ago = np.zeros(known.slot.size, dtype="datetime64[us]")
    market = replace(known, published_at=long_ago)
    eight = put_under(scene, build_eight(), {MARKET: market})
    imported, _ = eight.prices.actual(eight.prices.timeline)
    own = replace(market, price=imported[market.slot])
    one = put_under(scene, SeriesPrice(kind="series"), {OWN_IMPORT: own})
    works = {"one": partial(_plan_at, one), "eight": partial(_plan_at, eight)}
    instants = [scene.timeline.start + place * BETWEEN_PLANS for place in range(PLANS)]
    times = race(works, instants, rounds=PLAN_ROUNDS, clock_s=time.process_time)
    return {
        "components": len(eight.site.tariff.import_.components),
        "one_p50_ms": float(np.median(times["one"])),
        "eight_p50_ms": float(np.median(times["eight"])),
        "more_ms": float(np.median(times["eight"] - times["one"])),
        "ratio": compare(times["eight"], times["one"]),
    }


def _plan_at(scene: ReplayData, now: datetime) -> Plan:
    # On site no plan begins at an instant of another one.
    slot_times.cache_clear()
    knowledge = SiteKnowledge(scene.site, scene.foresight, scene.prices)
    return decide(knowledge.build_problem(now, np.array([HALF_FULL_KWH])), Solver())


def measure_year() -> dict[str, Any]:
    """Return the CPU time of pricing a year of quarter-hours with eight components."""
    tariff = Tariff.model_validate({"import": build_eight()})

    def price_year(year: int) -> None:
        timeline = local_days(date(year, 1, 1), date(year, 12, 31), ZONE)
        market = {MARKET: np.linspace(-0.05, 0.3, timeline.count)}
        price_slots(tariff, timeline, zone=ZONE, spot=market)

    first_ms = time_call(price_year, YEAR, clock_s=time.process_time)
    calls = [time_call(price_year, YEAR, clock_s=time.process_time) for _ in range(CALLS)]
    others = range(YEAR + 1, YEAR + 1 + CALLS)
    new = [time_call(price_year, year, clock_s=time.process_time) for year in others]
    return {
        "first_ms": first_ms,
        "p50_ms": float(np.median(calls)),
        "new_year_p50_ms": float(np.median(new)),
    }


if __name__ == "__main__":
    print(json.dumps(measure(full="full" in sys.argv), indent=2))
