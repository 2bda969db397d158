"""Days of both homes by the second: savings with the loop, by the plan alone, limits and car.

A plan comes each quarter-hour from the real planner, with forecasts that differ from the meters.
``luna bench steering`` lives two days in each home, with ``--full`` a fortnight; by itself it is
``luna bench steering-fortnight``.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from bench.steering.forecasts import DayAheadForecast, count_days, join_days
from bench.steering.home import LivedDay, LivedHome, live_day
from bench.steering.planned_home import (
    CAR_EFFICIENCY,
    CAR_KWH,
    IMPORT_LIMIT_KW,
    START,
    TRIPS_KWH,
    LoopControl,
    PlanControl,
    PlannedControl,
    PlannedDays,
    UnplannedControl,
    describe_site,
)
from bench.steering.profiles import (
    HOUR_S,
    QUARTER_S,
    QUARTERS,
    SECONDS,
    HomeDay,
    Profile,
    draw_days,
)
from bench.steering.surplus import PEAK_KW
from luna.energy.steering import describe_devices

FortnightHome = Literal["car", "battery"]
SEED = 51
SHORT_DAYS = 2
LONG_DAYS = 14
# Days beyond the last that plans look into.
_DAYS_AFTER = 2
EXPORT_PRICE = 0.08
FLAT_PRICE = 0.30
# A stored kWh at the end is worth a share of the mean import price (docs/decisions/0004).
TERMINAL_SHARE = 0.6
_BATTERY_EFFICIENCY = 0.95
START_SOC = 0.3
# Above a limit is what is more than 3 % above it, for longer than devices may take to follow.
_TOLERANCE = 1.03
_FOLLOWS_S = 10

Control = PlannedControl | UnplannedControl
CONTROLS: dict[str, Callable[[PlannedDays], Control]] = {
    "loop": LoopControl,
    "plan": PlanControl,
    "without_luna": UnplannedControl,
}


@dataclass(frozen=True, slots=True)
class Lived:
    """What one way to live the days came to; energies in kWh, costs in euros."""

    cost: float
    import_kwh: float
    export_kwh: float
    self_consumption: float
    car_kwh: float
    car_missed_kwh: float
    seconds_above: int
    longest_above_s: int
    most_starts: float
    writes: int
    plans: int
    cpu_s: float


def measure_fortnight(
    home: FortnightHome, *, days: int = SHORT_DAYS, seed: int = SEED
) -> dict[str, Any]:
    """Return what days in a home cost with the loop, by the plan alone, and without Luna."""
    planned, profile = draw_planned(home, days=days, seed=seed)
    lived = {name: _live(planned, profile, make) for name, make in CONTROLS.items()}
    figures = {
        name: {field: getattr(one, field) for field in Lived.__slots__}
        for name, one in lived.items()
    }
    without = lived["without_luna"].cost
    return {
        "home": home,
        "days": days,
        "seed": seed,
        **figures,
        "saved_with_loop": round(without - lived["loop"].cost, 2),
        "saved_by_plan": round(without - lived["plan"].cost, 2),
        "loop_gains": round(lived["plan"].cost - lived["loop"].cost, 2),
    }


def draw_planned(home: FortnightHome, *, days: int, seed: int) -> tuple[PlannedDays, HomeDay]:
    """Return what is planned with, and the seconds that are lived."""
    drawn = draw_days(seed, days + _DAYS_AFTER, peak_kw=PEAK_KW)
    rng = np.random.default_rng([seed, 7])
    import_price = np.full((days + _DAYS_AFTER) * QUARTERS, FLAT_PRICE)
    if home == "battery":
        import_price = _draw_prices(rng, days + _DAYS_AFTER)
    planned = PlannedDays(
        site=describe_site(has_battery=home == "battery"),
        forecast=DayAheadForecast.draw(drawn, seed, peak_kw=PEAK_KW),
        import_price=import_price,
        export_price=np.full(import_price.size, EXPORT_PRICE),
        trips_kwh=rng.uniform(*TRIPS_KWH, days),
    )
    return planned, join_days(drawn[:days])


def _draw_prices(rng: np.random.Generator, days: int) -> Profile:
    """Return prices of a tariff by the hour: dear evenings, cheap noons, days that differ."""
    hour = np.arange(24)
    evening = np.exp(-0.5 * ((hour - 19) / 1.8) ** 2)
    morning = np.exp(-0.5 * ((hour - 7.5) / 1.3) ** 2)
    noon = np.exp(-0.5 * ((hour - 13) / 2.4) ** 2)
    by_day = []
    for _ in range(days):
        level = 0.27 + rng.normal(0.0, 0.02)
        shape = 0.11 * evening + 0.06 * morning - rng.uniform(0.03, 0.11) * noon
        by_day.append(level + shape + rng.normal(0.0, 0.006, hour.size))
    return np.repeat(np.round(np.concatenate(by_day), 4), QUARTERS // 24)


def _live(planned: PlannedDays, profile: HomeDay, make: Callable[[PlannedDays], Control]) -> Lived:
    begun_s = time.process_time()
    control = make(planned)
    devices = describe_devices(planned.site)
    home = LivedHome(devices, battery_soc=START_SOC, date=START.date())
    days = count_days(profile)
    lived = live_day(home, profile, control, end=days * SECONDS)
    imported_kw = np.maximum(lived.net_kw, 0.0)
    exported_kw = np.maximum(-lived.net_kw, 0.0)
    above = _runs_above(lived.net_kw > _TOLERANCE * IMPORT_LIMIT_KW)
    pv_kwh = float(lived.pv_kw.sum()) / HOUR_S
    export_kwh = float(exported_kw.sum()) / HOUR_S
    return Lived(
        cost=round(_price(planned, lived, control), 2),
        import_kwh=round(float(imported_kw.sum()) / HOUR_S, 1),
        export_kwh=round(export_kwh, 1),
        self_consumption=round(1.0 - export_kwh / pv_kwh, 4),
        car_kwh=round(float(lived.car_kw.sum()) / HOUR_S, 1),
        car_missed_kwh=round(sum(control.car.missed_kwh), 2),
        seconds_above=sum(run for run in above if run > _FOLLOWS_S),
        longest_above_s=max(above, default=0),
        most_starts=round(lived.starts / days, 1),
        writes=lived.writes,
        plans=control.plans,
        cpu_s=round(time.process_time() - begun_s, 1),
    )


def _price(planned: PlannedDays, lived: LivedDay, control: Control) -> float:
    """Return what was bought, less what was fed in and what is stored more than at the start."""
    quarters = lived.net_kw.size // QUARTER_S
    net_kwh = lived.net_kw.reshape(quarters, QUARTER_S) / HOUR_S
    bought_kwh = np.maximum(net_kwh, 0.0).sum(axis=1)
    sold_kwh = np.maximum(-net_kwh, 0.0).sum(axis=1)
    cost = float(bought_kwh @ planned.import_price[:quarters])
    cost -= float(sold_kwh @ planned.export_price[:quarters])
    charged_kwh = float(np.maximum(lived.battery_kw, 0.0).sum()) / HOUR_S
    discharged_kwh = float(np.maximum(-lived.battery_kw, 0.0).sum()) / HOUR_S
    # What it gives of what it stored more, and what the car took beyond its trips.
    stored_kwh = _BATTERY_EFFICIENCY**2 * charged_kwh - discharged_kwh
    stored_kwh += control.car.soc * CAR_KWH / CAR_EFFICIENCY
    worth_price = TERMINAL_SHARE * float(planned.import_price[:quarters].mean())
    return cost - worth_price * stored_kwh


def _runs_above(above: np.ndarray[Any, np.dtype[np.bool_]]) -> list[int]:
    """Return the lengths of the times above a limit, seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], above.astype(np.int8), [0]))))
    return [int(end - begin) for begin, end in edges.reshape(-1, 2)]


def measure_both(*, full: bool = False, days: float | None = None) -> dict[str, Any]:
    """Return the figures of both homes: two days, a fortnight, or so many ``days``."""
    count = LONG_DAYS if full else SHORT_DAYS
    if days:
        count = max(int(days), 1)
    return {home: measure_fortnight(home, days=count) for home in get_args(FortnightHome)}
