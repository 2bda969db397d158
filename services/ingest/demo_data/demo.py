"""The demo's two sites with their measured year and common prices."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from luna.contracts.job import Bilingual, Provenance
from luna.energy.economics.prices import publication_times
from luna.energy.observations import Observations
from luna.energy.site import Site, parse_site
from luna.energy.timeline import FloatArray, InstantArray, hold_price
from luna.platform.packages import Progress
from services.ingest.demo_data.series import SLOTS, DemoSeries, load_series
from services.ingest.demo_data.sources import EV2GYM, SIMBENCH, ZONE, fit_to_year, scale_to_year

LICENCE_PRICES: Bilingual = {
    "en": "ENTSO-E Transparency Platform data; package MIT",
    "de": "Daten der ENTSO-E-Transparenzplattform; Paket MIT",
}
LICENCE_PROFILES: Bilingual = {
    "en": "Open Database License 1.0 (ODbL)",
    "de": "Open Database License 1.0 (ODbL)",
}


def describe_prices(series: DemoSeries) -> Provenance:
    """Return the provenance of the prices."""
    filled = series.filled_hours
    hours = series.price.size
    present = hours - filled
    # Thousands have a point in German.
    german_counts = f"{present:,} von {hours:,} Stunden".replace(",", ".")
    return Provenance(
        series={"en": "Prices", "de": "Preise"},
        source={
            "en": f"Day-ahead, Netherlands, from {EV2GYM.name} {EV2GYM.version}",
            "de": f"Day-Ahead, Niederlande, aus {EV2GYM.name} {EV2GYM.version}",
        },
        licence=LICENCE_PRICES,
        period={"en": "2023, hourly", "de": "2023, stündlich"},
        changes={
            "en": (
                "EUR/MWh to EUR/kWh; each hour held for four quarter-hours; known from 13:00 "
                "of the day before"
            ),
            "de": (
                "EUR/MWh in EUR/kWh; jede Stunde gilt vier Viertelstunden; bekannt ab 13:00 "
                "des Vortags"
            ),
        },
        quality={
            "en": f"{present:,} of {hours:,} hours; {filled} missing, mean of its neighbours",
            "de": f"{german_counts}; {filled} fehlte, Mittel der Nachbarn",
        },
        sha256=EV2GYM.sha256,
    )


def describe_load(profile: str, yearly_kwh: float, site: str) -> Provenance:
    """Return the provenance of a site's load."""
    title: Bilingual = {"en": f"Household load, {site}", "de": f"Haushaltslast, {site}"}
    return _describe_profile(title, profile, yearly_kwh)


def describe_solar(profile: str, yearly_kwh: float, site: str) -> Provenance:
    """Return the provenance of a site's solar output."""
    title: Bilingual = {"en": f"Solar, {site}", "de": f"Solarstrom, {site}"}
    return _describe_profile(title, profile, yearly_kwh)


def _describe_profile(series: Bilingual, profile: str, yearly_kwh: float) -> Provenance:
    source = f"{SIMBENCH.name} {SIMBENCH.version}, {profile}"
    english = f"{yearly_kwh:,.0f}"
    german = f"{yearly_kwh:,.0f}".replace(",", ".")
    return Provenance(
        series=series,
        source={"en": source, "de": source},
        licence=LICENCE_PROFILES,
        period={"en": "2016, 15 min", "de": "2016, 15 min"},
        changes={
            "en": (
                "shifted by 2,555 days: weekdays and clock changes fit 2023; 31 December "
                f"repeats 3 January 2016; scaled to {english} kWh a year"
            ),
            "de": (
                "um 2.555 Tage verschoben: Wochentage und Uhrumstellung passen zu 2023; "
                f"31.12. wiederholt 3.1.2016; auf {german} kWh im Jahr skaliert"
            ),
        },
        quality={"en": "all quarter-hours present", "de": "alle Viertelstunden vorhanden"},
        sha256=SIMBENCH.sha256,
    )


MARKET = "NL"
# A hundred days for replays: models of the demo learn only from the days before.
TEST_FIRST_DAY = date(2023, 9, 1)
TEST_LAST_DAY = date(2023, 12, 9)


@dataclass(frozen=True, slots=True)
class DemoPrices:
    """Day-ahead prices of one market, one value per quarter-hour.

    ``published_at`` says when each became known.
    """

    market: str
    currency: str
    starts: InstantArray
    price: FloatArray
    published_at: InstantArray
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class DemoSite:
    """A site with its measured year and the provenance of the figures."""

    site: Site
    observations: Observations
    provenance: list[Provenance]


@dataclass(frozen=True, slots=True)
class DemoData:
    """Sites and prices of the demo."""

    sites: list[DemoSite]
    prices: DemoPrices


@dataclass(frozen=True, slots=True)
class _Household:
    """Specification of a demo site: profiles, their yearly energies, and the feed-in tariff."""

    name: str
    load: str
    load_kwh: float
    plant: str
    pv_kwh: float
    peak_kw: float
    export: dict[str, Any]


HOUSEHOLDS = (
    _Household(
        name="home",
        load="H0-A",
        load_kwh=4000,
        plant="PV3",
        pv_kwh=5700,
        peak_kw=6,
        export={"kind": "spot", "market": MARKET},
    ),
    _Household(
        name="feed_in",
        load="H0-C",
        load_kwh=3500,
        plant="PV8",
        pv_kwh=4500,
        peak_kw=5,
        export={"kind": "fixed", "price": 0.07},
    ),
)


def load_demo(folder: Path, *, progress: Progress | None = None) -> DemoData:
    """Return the demo's sites, observations and prices for the local year 2023.

    Args:
        folder: where packages and the compact copy are cached.
        progress: called with bytes done, bytes in all and the package while something is
            downloaded.

    Raises:
        MachineError: a package is neither cached nor downloadable, or is not the pinned one.
    """
    series = load_series(folder, progress=progress)
    return DemoData(
        sites=[build_site(household, series) for household in HOUSEHOLDS],
        prices=build_prices(series),
    )


def build_prices(series: DemoSeries) -> DemoPrices:
    """Return the prices on quarter-hours."""
    return DemoPrices(
        market=MARKET,
        currency="EUR",
        starts=SLOTS.starts,
        price=hold_price(series.price, 4),
        published_at=publication_times(SLOTS.starts, ZONE),
        provenance=describe_prices(series),
    )


def build_site(household: _Household, series: DemoSeries) -> DemoSite:
    """Return the site of a household with its year."""
    energies = {
        "load_kwh": _fit(series, household.load, household.load_kwh),
        "pv_kwh": _fit(series, household.plant, household.pv_kwh),
    }
    provenance = [
        describe_load(household.load, household.load_kwh, household.name),
        describe_solar(household.plant, household.pv_kwh, household.name),
    ]
    observations = Observations.of(SLOTS.starts, energies)
    return DemoSite(_describe_site(household), observations, provenance)


def _describe_site(household: _Household) -> Site:
    battery = {
        "name": "battery",
        "capacity_kwh": 10,
        "charge_limit_kw": 5,
        "discharge_limit_kw": 5,
        "charge_efficiency": 0.95,
        "discharge_efficiency": 0.95,
        "wear_price": 0.01,
    }
    roof = {"name": "roof", "peak_kw": household.peak_kw, "curtailable": True}
    tariff = {
        "import": {"kind": "spot", "market": MARKET, "markup": 0.13},
        "export": household.export,
    }
    return parse_site(
        {
            "name": household.name,
            "timezone": "Europe/Amsterdam",
            "currency": "EUR",
            "location": {"latitude": 52.1, "longitude": 5.2},
            "batteries": [battery],
            "pv": [roof],
            "tariff": tariff,
        }
    )


def _fit(series: DemoSeries, profile: str, yearly_kwh: float) -> FloatArray:
    fitted = fit_to_year(series.profile_starts, series.profiles[profile], SLOTS)
    return scale_to_year(fitted, yearly_kwh)
