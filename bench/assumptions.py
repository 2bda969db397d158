"""What it is worth to tell Luna something of a home instead of having it assumed: plans of days
before which nothing was measured.

Run as ``python -m bench.assumptions``, with names of what is told for those alone. Each day is
lived through once by a planner that was told, and once by one that assumes; what comes of either
plan is judged on the same house. It has a battery and a tariff by the clock: at one price all day
no forecast is worth anything. ``WORTH`` of ``luna/energy/site/assumptions.py`` holds the shares of
all bills together, rounded down; it is what the pages say.

Houses are recorded ones. What none of them is known to have is put into them: what heats, trees
before the arrays, batteries that lose more or less. Nobody recorded how many live there: persons
are those whose usual consumption is nearest the home's own, which is the best that telling them can
be.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pvlib

from bench.citylearn import AZIMUTH_DEG, SEED, TILT_DEG
from bench.closed_loop.grid import TARIFFS
from bench.forecast import Case, list_homes, list_houses
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast
from luna.energy.physics.limits import SiteLimits
from luna.energy.site import Household, Site
from luna.energy.site.household import YEARLY_KWH_BY_PERSONS
from luna.energy.timeline import (
    SLOT,
    FloatArray,
    InstantArray,
    Timeline,
    align,
    local_days,
    local_midnight,
)
from services.forecaster.inputs.context import NO_CONTEXT
from services.forecaster.inputs.rough_sky import find_place
from services.forecaster.inputs.standard_profile import YEAR_HOURS, season_c
from services.forecaster.model.baseline import LIKE_DAYS, Baseline
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices
from services.planner.problem.problem import Problem
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData, ReplaySpec, run

EVERY = 4
DAYS_OF_MONTH = (4, 18)
DAY = timedelta(days=1)
HOUR_SLOTS = timedelta(hours=1) // SLOT
BATTERY = {
    "capacity_kwh": 8,
    "min_soc": 0.1,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
    "wear_price": 0.005,
}
NOTHING = Observations.of(np.array([], dtype="datetime64[s]"), {})
# What batteries give back of what they took: old lead and inverters of their own on both sides, or
# one inverter for all.
ROUND_TRIPS = (0.75, 0.85, 0.96)
# Trees: how high they stand above the horizon, from which azimuth on (180: in the west alone), and
# what people say of them.
TREES = {"in the west": (35.0, 180.0, "evening"), "all around": (35.0, 0.0, "heavy")}
LIGHT_BEHIND_TREES = 0.3


@dataclass(frozen=True, slots=True)
class Heated:
    """A house that a heat pump warms: its area, its heat per degree below its limit, how strong the
    pump is, and how warm its water has to be.
    """

    heated_m2: float
    loss_kw_per_k: float
    limit_c: float
    pump_kw: float
    flow_c: float


# A new house of 110 m², one of the nineties of 150 m², an old one of 180 m²: 45, 80 and 130 kWh of
# heat per m² and year or so.
HEATED = (
    Heated(110, 0.065, 13, 1.2, 33),
    Heated(150, 0.14, 15, 2.5, 40),
    Heated(180, 0.26, 16, 4.0, 50),
)
HOT_WATER_KWH_PER_DAY = 6.0
# Weather around the season: how far, and how alike a day is the one before.
WEATHER_C = 4.0
SAME_NEXT_DAY = 0.75
# Of a Carnot process between outdoors and its water. Source: usual of air-water pumps by EN 14511.
PUMP_QUALITY = 0.42


@dataclass(frozen=True, slots=True)
class AssumedHouse:
    """A house that is lived in, the sites that it is taken for, and by what is told those with it
    and without.

    Of a site without a location nobody fetches weather.
    """

    label: str
    house: Case
    sites: Mapping[str, Site]
    compared: Mapping[str, tuple[str, str]]


def measure(only: Sequence[str] = ()) -> dict[str, Any]:
    """Return by what is told and by house the bill with it, without it, and the share of the bill
    that telling it is worth; and that over houses.
    """
    cases = {case.name: case for case in [*list_homes(), *list_houses()]}
    found: dict[str, dict[str, Any]] = {}
    for each in list_assumed(cases):
        asked = {told: pair for told, pair in each.compared.items() if not only or told in only}
        days = list_days(each.house)
        bills = {
            name: _live(each.house, each.sites[name], days)
            for name in dict.fromkeys(chain(*asked.values()))
        }
        for told, (known, unknown) in asked.items():
            bill = {"told": bills[known], "assumed": bills[unknown]}
            found.setdefault(told, {})[each.label] = {
                "days": len(days),
                **bill,
                "worth": _pool([bill]),
            }
    worth = {told: _pool(list(houses.values())) for told, houses in found.items()}
    return {"homes": found, "worth": worth, "missing": [] if "sunlit" in cases else ["citylearn"]}


def _pool(homes: Sequence[Mapping[str, float]]) -> float:
    """Return the worth over all bills together: the sun leaves some homes so little of theirs that
    a share of it says nothing.
    """
    told, assumed = (sum(home[name] for home in homes) for name in ("told", "assumed"))
    return (assumed - told) / abs(told)


def list_assumed(cases: Mapping[str, Case]) -> Iterator[AssumedHouse]:
    """Yield the houses of which something can be told."""
    for name, case in cases.items():
        # It has the load of another home.
        if name == "sunlit":
            yield _face(case)
            yield from (_plant(case, place) for place in TREES)
        else:
            yield _consume(case)
    yield from (_warm(cases[name], heated) for name in ("home", "feed_in") for heated in HEATED)
    yield from (
        _lose(case, round_trip)
        for name, case in cases.items()
        if name in {"home", "citylearn"}
        for round_trip in ROUND_TRIPS
    )


def _consume(case: Case) -> AssumedHouse:
    """Return a home of which a year's consumption is told, or who live there."""
    house = _furnish(case)
    year_kwh = _year_kwh(case)
    persons = 1 + int(np.argmin(np.abs(np.array(YEARLY_KWH_BY_PERSONS) - year_kwh)))
    says = {
        "year": Household(yearly_kwh=round(year_kwh)),
        "persons": Household(persons=persons),
        "nothing": Household(),
    }
    compared = {
        "yearly_kwh": ("year", "nothing"),
        "persons": ("persons", "nothing"),
        "yearly_kwh_by_persons": ("year", "persons"),
    }
    return AssumedHouse(
        case.name,
        house,
        {name: _say(house, household) for name, household in says.items()},
        compared,
    )


def _warm(case: Case, heated: Heated) -> AssumedHouse:
    """Return a home with a heat pump put into it: its bill is known, and whether anybody says what
    heats, and how much that takes.
    """
    pump_kwh = _heat(case.observations.starts, case.site, heated)
    house = _furnish(
        replace(
            case,
            observations=replace(case.observations, load_kwh=case.observations.load_kwh + pump_kwh),
        )
    )
    heating_kwh = round(float(np.nanmean(pump_kwh)) * YEAR_HOURS * HOUR_SLOTS)
    bill = Household(yearly_kwh=round(_year_kwh(house)))
    pump = bill.model_copy(update={"heated_by": "heat_pump"})
    sites = {
        "bill": _say(house, bill),
        "pump": _say(house, pump),
        "year": _say(house, pump.model_copy(update={"heating_kwh": heating_kwh})),
    }
    label = f"{case.name}, {heated.heated_m2:g} m², {heating_kwh} kWh"
    return AssumedHouse(
        label, house, sites, {"heated_by": ("pump", "bill"), "heating_kwh": ("year", "pump")}
    )


def _face(case: Case) -> AssumedHouse:
    """Return the house whose arrays stand in its weather, of which is told how they face and where
    it is.
    """
    house, known = _know(case)
    facing = [
        array.model_copy(update={"tilt_deg": TILT_DEG, "azimuth_deg": AZIMUTH_DEG})
        for array in known.pv
    ]
    sites = {
        "known": known,
        "facing": known.model_copy(update={"pv": facing}),
        "nowhere": known.model_copy(update={"location": None}),
    }
    return AssumedHouse(
        case.name, house, sites, {"facing": ("facing", "known"), "location": ("known", "nowhere")}
    )


def _plant(case: Case, place: str) -> AssumedHouse:
    """Return the same house with trees before its arrays."""
    height_deg, from_deg, shading = TREES[place]
    pv_kwh = _shade(case, height_deg, from_deg) * case.observations.pv_kwh
    loss = 1 - float(np.nansum(pv_kwh) / np.nansum(case.observations.pv_kwh))
    house, known = _know(replace(case, observations=replace(case.observations, pv_kwh=pv_kwh)))
    told = known.model_copy(
        update={"pv": [array.model_copy(update={"shading": shading}) for array in known.pv]}
    )
    return AssumedHouse(
        f"{case.name}, trees {place}, {loss:.0%}",
        house,
        {"told": told, "known": known},
        {"shading": ("told", "known")},
    )


def _lose(case: Case, round_trip: float) -> AssumedHouse:
    """Return a home whose battery gives back another share than is assumed."""
    house, known = _know(case)
    losses = dict.fromkeys(("charge_efficiency", "discharge_efficiency"), round_trip**0.5)
    true = known.model_copy(
        update={"batteries": [battery.model_copy(update=losses) for battery in known.batteries]}
    )
    return AssumedHouse(
        f"{case.name}, {round_trip:.0%}",
        replace(house, site=true),
        {"true": true, "known": known},
        {"efficiency": ("true", "known")},
    )


def _know(case: Case) -> tuple[Case, Site]:
    """Return a furnished home, and the site that it is where its year's consumption is known."""
    house = _furnish(case)
    return house, _say(house, Household(yearly_kwh=round(_year_kwh(case))))


def _furnish(case: Case) -> Case:
    """Return a home with a battery and a tariff by the clock."""
    document = case.site.model_dump(
        mode="json", by_alias=True, exclude={"tariff", "batteries", "objective"}
    )
    return replace(
        case,
        site=Site.model_validate(
            document | {"batteries": [BATTERY], "tariff": TARIFFS["time_of_use"]}
        ),
    )


def _say(house: Case, household: Household) -> Site:
    return house.site.model_copy(update={"household": household})


def _year_kwh(case: Case) -> float:
    return float(np.nanmean(case.observations.load_kwh)) * YEAR_HOURS * HOUR_SLOTS


def _heat(starts: InstantArray, site: Site, heated: Heated) -> FloatArray:
    """Return what a heat pump takes in each slot, kWh: it runs at its power until the heat that was
    lost is made, two slots at least.
    """
    rng = np.random.default_rng(SEED)
    slots = starts.astype("datetime64[s]").astype(np.int64) // 900
    day = (slots - slots[0]) // 96
    noise = rng.standard_normal(int(day[-1]) + 2)
    for place in range(1, noise.size):
        noise[place] = (
            SAME_NEXT_DAY * noise[place - 1] + np.sqrt(1 - SAME_NEXT_DAY**2) * noise[place]
        )
    outdoor_c = season_c(slots, site.location or find_place(site.timezone)) + WEATHER_C * np.interp(
        (slots - slots[0]) / 96, np.arange(noise.size), noise
    )
    heat_kwh = (
        heated.loss_kw_per_k * np.maximum(heated.limit_c - outdoor_c, 0)
        + HOT_WATER_KWH_PER_DAY / 24
    ) / 4
    electricity = heat_kwh / (
        PUMP_QUALITY * (heated.flow_c + 273.15) / np.maximum(heated.flow_c - outdoor_c, 15.0)
    )
    taken = np.zeros(slots.size)
    owed = 0.0
    is_on = False
    for place, kwh in enumerate(electricity):
        owed += kwh
        is_on = owed >= (0.0 if is_on else 2) * heated.pump_kw / 4
        taken[place] = min(owed, heated.pump_kw / 4) if is_on else 0.0
        owed -= taken[place]
    return taken


def _shade(case: Case, height_deg: float, from_deg: float) -> FloatArray:
    """Return the share of the output that trees leave in each slot: of the beam nothing, where the
    sun stands behind them.
    """
    place = case.site.location or find_place(case.site.timezone)
    instants = pd.DatetimeIndex(case.observations.starts + np.timedelta64(450, "s"), tz="UTC")
    sun = pvlib.solarposition.get_solarposition(instants, place.latitude, place.longitude)
    behind = (sun["apparent_elevation"].to_numpy() < height_deg) & (
        sun["azimuth"].to_numpy() >= from_deg
    )
    return np.where(behind, LIGHT_BEHIND_TREES, 1.0)


def list_days(case: Case) -> list[date]:
    """Return two days of each recorded month that has the day and the plan's horizon behind it."""
    first, last = (
        case.observations.starts[place].astype("datetime64[D]").item() for place in (0, -1)
    )
    days = [first + number * DAY for number in range((last - first).days)]
    return [day for day in days if day.day in DAYS_OF_MONTH and first + DAY < day < last - 3 * DAY]


def _live(house: Case, planned: Site, days: Sequence[date]) -> float:
    """Return what days cost in a house that are planned anew each hour for another site, by
    forecasts for one of which nothing was measured.
    """
    zone = ZoneInfo(house.site.timezone)
    windows = [local_days(day, day, zone) for day in days]
    hours = [
        [
            local_midnight(day, zone) + hour * timedelta(hours=1)
            for hour in range(window.count // EVERY)
        ]
        for day, window in zip(days, windows, strict=True)
    ]
    issued = iter(_issue(house, planned, [instant for day in hours for instant in day]))
    return sum(
        _live_day(house, planned, window, list(islice(issued, len(day))))
        for window, day in zip(windows, hours, strict=True)
    )


def _issue(house: Case, planned: Site, instants: Sequence[datetime]) -> list[Forecast]:
    context = NO_CONTEXT if planned.location is None else house.context
    return list(Baseline(LIKE_DAYS, planned).issue_many(NOTHING, instants, context=context))


def _live_day(house: Case, planned: Site, window: Timeline, issued: list[Forecast]) -> float:
    around = Timeline(window.start - DAY, SLOT, DAY // SLOT + window.count + HORIZON // SLOT)
    load, pv = (
        _fill(align(house.observations.starts, series, around))
        for series in (house.observations.load_kwh, house.observations.pv_kwh)
    )
    scene = ReplayData(
        house.site,
        window,
        PerfectForesight(around, load, pv),
        SitePrices(house.site, around, {}),
        ForecastArchive(issued),
    )
    spec = ReplaySpec(
        ["planned"], EVERY, agents={"planned": partial(_plan_for, planned)}, explain_loss=False
    )
    return run(scene, spec).reply.policies["planned"].cost


def _plan_for(planned: Site, problem: Problem, prices: SitePrices) -> Plan:
    """Return the planner's decision for the site that it takes the house for."""
    del prices
    return decide(replace(problem, site=planned, limits=SiteLimits.of(planned)), Solver())


def _fill(series: FloatArray) -> FloatArray:
    """Bridge gaps: what was not measured went on as before and after it."""
    known = np.flatnonzero(np.isfinite(series))
    return np.interp(np.arange(series.size), known, series[known])


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1:]), indent=2))
