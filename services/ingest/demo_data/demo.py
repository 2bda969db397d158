"""The demo's two sites with their measured year and the prices they share."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from luna.contracts.demo import Provenance
from luna.economics import publication_times
from luna.observations import Observations
from luna.site import Site, parse_site
from luna.timeline import FloatArray, InstantArray, hold_price
from services.ingest.demo_data.packages import Progress
from services.ingest.demo_data.price_source import ZONE
from services.ingest.demo_data.profile_source import fit_to_year, scale_to_year
from services.ingest.demo_data.provenance import describe_load, describe_prices, describe_solar
from services.ingest.demo_data.series import SLOTS, Series, load_series

MARKET = "NL"
# A hundred days that no model of the demo learns from: everything before the first may be learned, any of them may be replayed.
TEST_FIRST_DAY = date(2023, 9, 1)
TEST_LAST_DAY = date(2023, 12, 9)


@dataclass(frozen=True, slots=True)
class DemoPrices:
    """Day-ahead prices of one market, one value per quarter-hour; ``published_at`` says when each became known."""

    market: str
    currency: str
    starts: InstantArray
    price: FloatArray
    published_at: InstantArray
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class DemoSite:
    """A site with its measured year and where the figures come from."""

    site: Site
    observations: Observations
    provenance: list[Provenance]


@dataclass(frozen=True, slots=True)
class DemoData:
    """Everything the demo starts from."""

    sites: list[DemoSite]
    prices: DemoPrices


@dataclass(frozen=True, slots=True)
class _Household:
    """How a demo site is made: which profiles, scaled to what, under which tariff."""

    name: str
    load: str
    load_kwh: float
    plant: str
    pv_kwh: float
    peak_kw: float
    export: dict[str, Any]


HOUSEHOLDS = (
    _Household("home", "H0-A", 4000, "PV3", 5700, 6, {"kind": "spot", "market": MARKET}),
    _Household("feed_in", "H0-C", 3500, "PV8", 4500, 5, {"kind": "fixed", "price": 0.07}),
)


def load_demo(folder: Path, *, progress: Progress | None = None) -> DemoData:
    """Return the demo's sites, observations and prices for the local year 2023.

    Args:
        folder: where packages and the compact copy are cached.
        progress: called with bytes done, bytes in all and the package while something is downloaded.

    Raises:
        MachineError: a package is neither cached nor downloadable, or is not the pinned one.
    """
    series = load_series(folder, progress=progress)
    return DemoData(sites=[build_site(household, series) for household in HOUSEHOLDS], prices=build_prices(series))


def build_prices(series: Series) -> DemoPrices:
    """Return the prices on quarter-hours."""
    return DemoPrices(MARKET, "EUR", SLOTS.starts, hold_price(series.price, 4), publication_times(SLOTS.starts, ZONE), describe_prices(series))


def build_site(household: _Household, series: Series) -> DemoSite:
    """Return one household with its year."""
    energies = {
        "load_kwh": _fit(series, household.load, household.load_kwh),
        "pv_kwh": _fit(series, household.plant, household.pv_kwh),
    }
    provenance = [
        describe_load(household.load, household.load_kwh, household.name),
        describe_solar(household.plant, household.pv_kwh, household.name),
    ]
    return DemoSite(_describe_site(household), Observations.of(SLOTS.starts, energies), provenance)


def _fit(series: Series, profile: str, yearly_kwh: float) -> FloatArray:
    return scale_to_year(fit_to_year(series.profile_starts, series.profiles[profile], SLOTS), yearly_kwh)


def _describe_site(household: _Household) -> Site:
    return parse_site(
        {
            "name": household.name,
            "timezone": "Europe/Amsterdam",
            "currency": "EUR",
            "location": {"latitude": 52.1, "longitude": 5.2},
            "batteries": [
                {
                    "name": "battery",
                    "capacity_kwh": 10,
                    "charge_limit_kw": 5,
                    "discharge_limit_kw": 5,
                    "charge_efficiency": 0.95,
                    "discharge_efficiency": 0.95,
                    "wear_price": 0.01,
                }
            ],
            "pv": [{"name": "roof", "peak_kw": household.peak_kw, "curtailable": True}],
            "tariff": {"import": {"kind": "spot", "market": MARKET, "markup": 0.13}, "export": household.export},
        }
    )
