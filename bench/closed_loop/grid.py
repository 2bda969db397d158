"""The grid of closed loops: every kind of battery, tariff, meter and forecast is one declaration
here.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from typing import Any

from bench.closed_loop.forecasts import ForecastKind, issue_forecasts
from bench.closed_loop.meters import Meter, MeterKind
from bench.closed_loop.weeks import (
    WEEKS,
    ZONE,
    data_timeline,
    market_prices,
    recorded_energy,
    seeded_rng,
    week_timeline,
)
from luna.energy.site import Site, parse_site
from luna.energy.timeline import Timeline
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices

Document = dict[str, Any]

_ROOF: Document = {"name": "roof", "peak_kw": 8}
_BATTERY: Document = {
    "name": "battery",
    "capacity_kwh": 8,
    "min_soc": 0.1,
    # A meter that errs tells of more than that.
    "max_soc": 0.95,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.95,
    "wear_price": 0.005,
}
_SECOND: Document = _BATTERY | {
    "name": "second",
    "capacity_kwh": 4,
    "charge_limit_kw": 2,
    "discharge_limit_kw": 2.5,
    "charge_efficiency": 0.92,
}
_TAPERED: Document = _BATTERY | {"taper_from_soc": 0.8, "taper_to_share": 0.2}
_DEPTHS = [
    {"to_depth": 0.3, "price": 0.005},
    {"to_depth": 0.7, "price": 0.03},
    {"to_depth": 1.0, "price": 0.07},
]

# What differs from a site with one battery and a roof.
BATTERIES: dict[str, Document] = {
    "one": {},
    "two": {"batteries": [_BATTERY, _SECOND]},
    "taper": {"batteries": [_TAPERED]},
    "least_power": {"batteries": [_BATTERY | {"min_charge_kw": 1.0}]},
    "wear_by_depth": {"batteries": [_BATTERY | {"wear_price": 0.0, "wear_by_depth": _DEPTHS}]},
    "hybrid": {
        "inverters": [
            {"name": "inverter", "ac_limit_kw": 4, "pv": ["roof"], "batteries": ["battery"]}
        ]
    },
    "no_exchange": {
        "batteries": [_BATTERY | {"charge_from_grid": False, "discharge_to_grid": False}]
    },
    "export_limit": {"grid": {"export_limit_kw": 2}},
    "no_feed_in": {"grid": {"export_limit_kw": 0}},
    "taper_no_feed_in": {"batteries": [_TAPERED], "grid": {"export_limit_kw": 0}},
    "two_export_limit": {"batteries": [_BATTERY, _SECOND], "grid": {"export_limit_kw": 2}},
    "not_curtailable": {"pv": [_ROOF | {"curtailable": False}], "grid": {"export_limit_kw": 4}},
}

_CLOCK = {
    "kind": "time_of_use",
    "default": 0.3,
    "bands": [
        {"from": "00:00", "to": "06:00", "price": 0.18},
        {"from": "17:00", "to": "20:00", "price": 0.42},
    ],
}
_SPOT = {"kind": "spot", "market": "DA"}
_NEGATIVE = {"kind": "spot", "market": "DA-NEGATIVE"}


def _fixed(price: float) -> Document:
    return {"kind": "fixed", "price": price}


TARIFFS: dict[str, Document] = {
    "flat": {"import": _fixed(0.3), "export": _fixed(0.08)},
    "flat_unpaid": {"import": _fixed(0.3), "export": _fixed(0.0)},
    "time_of_use": {"import": _CLOCK, "export": _fixed(0.08)},
    "spot": {"import": _SPOT | {"markup": 0.13}, "export": _fixed(0.07)},
    "spot_both": {"import": _SPOT | {"markup": 0.13}, "export": _SPOT},
    "negative": {"import": _NEGATIVE | {"markup": 0.02}, "export": _NEGATIVE},
}

METERS: dict[str, MeterKind] = {
    "exact": MeterKind(),
    "noise": MeterKind(noise_soc=0.02),
    "offset": MeterKind(offset_soc=0.03),
    "drift": MeterKind(standby_kw=0.02),
    "coarse_1": MeterKind(step_soc=0.01),
    "coarse_5": MeterKind(step_soc=0.05),
}

FORECASTS: dict[str, ForecastKind] = {
    "good": ForecastKind(),
    "noisy": ForecastKind(hourly=0.5, daily=0.3, smoothing_hours=2),
    "dark": ForecastKind(pv=0.3),
    "rosy": ForecastKind(pv=2.5),
    "steady_bias": ForecastKind(load=0.6),
}
# In the short form, those that must not lose anywhere come more often.
_FORECAST_TURNS = ("good", "noisy", "dark", "good", "noisy", "rosy", "good", "noisy", "steady_bias")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One closed loop of the grid, by the names of its kinds, in one of the weeks."""

    battery: str
    tariff: str
    meter: str
    forecast: str
    week: str

    @property
    def name(self) -> str:
        """What it is called; the week is its own."""
        return f"{self.battery}/{self.tariff}/{self.meter}/{self.forecast}"

    @property
    def flat(self) -> bool:
        """Whether a kWh costs the same at any time: then nothing is better than self-consumption,
        whatever is forecast.
        """
        return self.tariff.startswith("flat")

    @property
    def biased(self) -> bool:
        """Whether its forecasts err to one side."""
        return FORECASTS[self.forecast].biased


@dataclass(frozen=True, slots=True)
class Case:
    """What a scenario's policies are made from: the site, the week, what happened, what was known
    when, and how the state of charge is measured.
    """

    site: Site
    timeline: Timeline
    foresight: PerfectForesight
    prices: SitePrices
    forecasts: ForecastArchive
    meter: Meter


def list_grid(only: str = "*", *, week: str | None = None) -> list[Scenario]:
    """Return the scenarios whose name matches ``only``, each in the week that its place gives it,
    or in ``week``.

    Weeks take turns along every kind, so that any two kinds meet in each of them.
    """
    weeks = list(WEEKS)
    found = []
    for kinds in product(*(enumerate(names) for names in (BATTERIES, TARIFFS, METERS, FORECASTS))):
        place = sum(place for place, _ in kinds)
        battery, tariff, meter, forecast = (name for _, name in kinds)
        found.append(Scenario(battery, tariff, meter, forecast, week or weeks[place % len(weeks)]))
    return [scenario for scenario in found if fnmatchcase(scenario.name, only)]


def list_short_grid() -> list[Scenario]:
    """Return the short form: every battery under every other tariff, one of them flat.

    Meters and forecasts take turns.
    """
    grid = {scenario.name: scenario for scenario in list_grid()}
    tariffs = list(TARIFFS)
    meters = list(METERS)
    names = []
    for row, battery in enumerate(BATTERIES):
        for column, tariff in enumerate(tariffs[row % 2 :: 2]):
            # Steps of three along batteries and one along tariffs; after three batteries it begins
            # one further on, so that tariffs meet every forecast.
            forecast = _FORECAST_TURNS[(3 * row + row // 3 + column) % len(_FORECAST_TURNS)]
            names.append(
                f"{battery}/{tariff}/{meters[(row + 2 * column) % len(meters)]}/{forecast}"
            )
    return [grid[name] for name in names]


def build_case(scenario: Scenario) -> Case:
    """Return what a scenario's policies are made from."""
    site = describe_site(scenario.battery, scenario.tariff)
    timeline = week_timeline(scenario.week)
    books = {
        name: book
        for name, book in market_prices(scenario.week).items()
        if name in site.tariff.markets
    }
    meter = Meter.of(
        METERS[scenario.meter],
        site,
        slots=timeline.count,
        rng=seeded_rng("meter", scenario.meter, scenario.week),
    )
    prices = SitePrices(site, data_timeline(scenario.week), books)
    return Case(
        site,
        timeline,
        recorded_energy(scenario.week),
        prices,
        issue_forecasts(FORECASTS[scenario.forecast], scenario.week),
        meter,
    )


@cache
def describe_site(battery: str, tariff: str) -> Site:
    """Return the site of a kind of battery under a kind of tariff."""
    site = {
        "name": "home",
        "timezone": ZONE.key,
        "batteries": [_BATTERY],
        "pv": [_ROOF],
        "tariff": TARIFFS[tariff],
    }
    return parse_site(site | BATTERIES[battery])
