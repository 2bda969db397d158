"""Where each series comes from, under which licence, and what was done to it: in both languages, for README and report."""

from luna.contracts.demo import Bilingual, Provenance
from services.ingest.demo_data.packages import EV2GYM, SIMBENCH
from services.ingest.demo_data.series import Series

LICENCE_PRICES: Bilingual = {"en": "ENTSO-E Transparency Platform data; package MIT", "de": "Daten der ENTSO-E-Transparenzplattform; Paket MIT"}
LICENCE_PROFILES: Bilingual = {"en": "Open Database License 1.0 (ODbL)", "de": "Open Database License 1.0 (ODbL)"}


def describe_prices(series: Series) -> Provenance:
    """Return where the prices come from."""
    filled = series.filled_hours
    return Provenance(
        series={"en": "Prices", "de": "Preise"},
        source={"en": f"Day-ahead, Netherlands, from {EV2GYM.name} {EV2GYM.version}", "de": f"Day-Ahead, Niederlande, aus {EV2GYM.name} {EV2GYM.version}"},
        licence=LICENCE_PRICES,
        period={"en": "2023, hourly", "de": "2023, stündlich"},
        changes={
            "en": "EUR/MWh to EUR/kWh; each hour held for four quarter-hours; known from 13:00 of the day before",
            "de": "EUR/MWh in EUR/kWh; jede Stunde gilt vier Viertelstunden; bekannt ab 13:00 des Vortags",
        },
        quality={
            "en": f"{series.price.size - filled:,} of {series.price.size:,} hours; {filled} missing, mean of its neighbours",
            "de": f"{series.price.size - filled:,} von {series.price.size:,} Stunden; {filled} fehlte, Mittel der Nachbarn".replace(",", ".", 2),
        },
        sha256=EV2GYM.sha256,
    )


def describe_load(profile: str, yearly_kwh: float, site: str) -> Provenance:
    """Return where a site's load comes from."""
    return _describe_profile({"en": f"Household load, {site}", "de": f"Haushaltslast, {site}"}, profile, yearly_kwh)


def describe_solar(profile: str, yearly_kwh: float, site: str) -> Provenance:
    """Return where a site's solar output comes from."""
    return _describe_profile({"en": f"Solar, {site}", "de": f"Solarstrom, {site}"}, profile, yearly_kwh)


def _describe_profile(series: Bilingual, profile: str, yearly_kwh: float) -> Provenance:
    source = f"{SIMBENCH.name} {SIMBENCH.version}, {profile}"
    english, german = f"{yearly_kwh:,.0f}", f"{yearly_kwh:,.0f}".replace(",", ".")
    return Provenance(
        series=series,
        source={"en": source, "de": source},
        licence=LICENCE_PROFILES,
        period={"en": "2016, 15 min", "de": "2016, 15 min"},
        changes={
            "en": f"shifted by 2,555 days: weekdays and clock changes fit 2023; 31 December repeats 3 January 2016; scaled to {english} kWh a year",
            "de": f"um 2.555 Tage verschoben: Wochentage und Uhrumstellung passen zu 2023; 31.12. wiederholt 3.1.2016; auf {german} kWh im Jahr skaliert",
        },
        quality={"en": "all quarter-hours present", "de": "alle Viertelstunden vorhanden"},
        sha256=SIMBENCH.sha256,
    )
