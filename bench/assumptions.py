"""What it is worth to tell Luna something of a home instead of having it assumed: plans of days before which nothing was measured, on recorded homes.

Run as ``python -m bench.assumptions``. Each day is lived through once by a planner whose forecasts rest on what was told, and once by one whose forecasts
rest on what is assumed; everything else is the same. The home has a battery and a tariff by the clock: at one price all day no forecast is worth anything.
``WORTH`` of ``luna/site/assumptions.py`` holds the mean over the homes, as shares of the bill, rounded down; it is what the pages say.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bench.citylearn import AZIMUTH_DEG, TILT_DEG
from bench.closed_loop.grid import TARIFFS
from bench.forecast import Case, list_homes, list_houses
from luna.observations import Observations
from luna.site import Household, Site
from luna.timeline import SLOT, FloatArray, Timeline, align, local_days, local_midnight
from services.forecaster.inputs.standard_profile import YEAR_HOURS
from services.forecaster.model.baseline import LIKE_DAYS, Baseline
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData, ReplaySpec, run

POLICY, EVERY = "mpc", 4
DAYS_OF_MONTH = (4, 18)
DAY = timedelta(days=1)
HOUR_SLOTS = timedelta(hours=1) // SLOT
BATTERY = {"capacity_kwh": 8, "min_soc": 0.1, "charge_limit_kw": 4, "discharge_limit_kw": 4, "wear_price": 0.005}
NOTHING = Observations.of(np.array([], dtype="datetime64[s]"), {})


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a home, and what is assumed where nobody tells it: two sites that forecasts are made for."""

    told: Site
    assumed: Site


def measure() -> dict[str, Any]:
    """Return by what is told and by home the bill with it, without it, and the share of the bill that telling it is worth; and the mean over homes."""
    cases = [*list_homes(), *list_houses()]
    found: dict[str, dict[str, Any]] = {}
    for case in cases:
        for name, told in list_told(case).items():
            found.setdefault(name, {})[case.name] = measure_worth(case, told)
    worth = {name: float(np.mean([each["worth"] for each in homes.values()])) for name, homes in found.items()}
    return {"homes": found, "worth": worth, "missing": [] if any(case.name == "sunlit" for case in cases) else ["citylearn"]}


def list_told(case: Case) -> dict[str, Told]:
    """Return what can be told of a recorded home: its year's consumption, and of arrays of which it is known how they face."""
    year_kwh = float(np.nanmean(case.observations.load_kwh)) * YEAR_HOURS * HOUR_SLOTS
    known = case.site.model_copy(update={"household": Household(yearly_kwh=round(year_kwh))})
    # It has the load of another home.
    if case.name == "sunlit":
        facing = [array.model_copy(update={"tilt_deg": TILT_DEG, "azimuth_deg": AZIMUTH_DEG}) for array in case.site.pv]
        return {"azimuth_deg": Told(known.model_copy(update={"pv": facing}), known)}
    return {"yearly_kwh": Told(known, case.site.model_copy(update={"household": Household()}))}


def measure_worth(case: Case, told: Told) -> dict[str, float]:
    """Return the bills of the same days with forecasts of either kind."""
    days = list_days(case)
    bills = {name: sum(_live(case, getattr(told, name), day) for day in days) for name in ("told", "assumed")}
    return {"days": len(days), **bills, "worth": (bills["assumed"] - bills["told"]) / abs(bills["told"])}


def list_days(case: Case) -> list[date]:
    """Return two days of each recorded month that has the day and the plan's horizon behind it."""
    first, last = (case.observations.starts[place].astype("datetime64[D]").item() for place in (0, -1))
    days = [first + number * DAY for number in range((last - first).days)]
    return [day for day in days if day.day in DAYS_OF_MONTH and first + DAY < day < last - 3 * DAY]


def _live(case: Case, expected: Site, day: date) -> float:
    """Return what a day costs that is planned anew each hour by forecasts for ``expected``, a site of which nothing was measured."""
    zone = ZoneInfo(case.site.timezone)
    window = local_days(day, day, zone)
    around = Timeline(window.start - DAY, SLOT, DAY // SLOT + window.count + HORIZON // SLOT)
    load, pv = (_fill(align(case.observations.starts, series, around)) for series in (case.observations.load_kwh, case.observations.pv_kwh))
    site = Site.model_validate({**_dump(case.site), "batteries": [BATTERY], "tariff": TARIFFS["time_of_use"]})
    instants = [local_midnight(day, zone) + hour * timedelta(hours=1) for hour in range(window.count // EVERY)]
    forecasts = ForecastArchive(list(Baseline(LIKE_DAYS, expected).issue_many(NOTHING, instants, context=case.context)))
    scene = ReplayData(site, window, PerfectForesight(around, load, pv), SitePrices(site, around, {}), forecasts)
    return run(scene, ReplaySpec([POLICY], EVERY, explain_loss=False)).reply.policies[POLICY].cost


def _dump(site: Site) -> Mapping[str, Any]:
    return site.model_dump(mode="json", by_alias=True, exclude={"tariff", "batteries", "objective"})


def _fill(series: FloatArray) -> FloatArray:
    """Bridge gaps: what was not measured went on as before and after it."""
    known = np.flatnonzero(np.isfinite(series))
    return np.interp(np.arange(series.size), known, series[known])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
