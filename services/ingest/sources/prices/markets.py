"""Which markets there are, and what each service calls them; the order is the order in which they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from luna.errors import NotFoundError
from luna.timeline import parse_zone

# The coupled auction sells the days of Central European Time, also in Portugal and Finland. Source: SDAC, operational procedures.
COUPLED = "Europe/Brussels"


@dataclass(frozen=True, slots=True)
class Market:
    """A bidding zone. ``codes`` says by service what it is called there; ``clock`` is the zone whose days are auctioned, the day before."""

    name: str
    codes: Mapping[str, str]
    clock: str = COUPLED

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days are auctioned."""
        return parse_zone(self.clock)


# What each service calls a bidding zone, where it differs from the name in tariffs.
# Source: ENTSO-E, "Areas" of the Transparency Platform's guide; energy-charts.info, /price; Nord Pool's data portal; aWATTar; Tibber, Home.address.country.
_ENTSOE = {
    "AT": "10YAT-APG------L",
    "BE": "10YBE----------2",
    "BG": "10YCA-BULGARIA-R",
    "CH": "10YCH-SWISSGRIDZ",
    "CZ": "10YCZ-CEPS-----N",
    "DE-LU": "10Y1001A1001A82H",
    "DK1": "10YDK-1--------W",
    "DK2": "10YDK-2--------M",
    "EE": "10Y1001A1001A39I",
    "ES": "10YES-REE------0",
    "FI": "10YFI-1--------U",
    "FR": "10YFR-RTE------C",
    "GR": "10YGR-HTSO-----Y",
    "HR": "10YHR-HEP------M",
    "HU": "10YHU-MAVIR----U",
    "IT-Calabria": "10Y1001C--00096J",
    "IT-Centre-North": "10Y1001A1001A70O",
    "IT-Centre-South": "10Y1001A1001A71M",
    "IT-North": "10Y1001A1001A73I",
    "IT-Sardinia": "10Y1001A1001A74G",
    "IT-Sicily": "10Y1001A1001A75E",
    "IT-South": "10Y1001A1001A788",
    "LT": "10YLT-1001A0008Q",
    "LV": "10YLV-1001A00074",
    "NL": "10YNL----------L",
    "NO1": "10YNO-1--------2",
    "NO2": "10YNO-2--------T",
    "NO3": "10YNO-3--------J",
    "NO4": "10YNO-4--------9",
    "NO5": "10Y1001A1001A48H",
    "PL": "10YPL-AREA-----S",
    "PT": "10YPT-REN------W",
    "RO": "10YRO-TEL------P",
    "SE1": "10Y1001A1001A44P",
    "SE2": "10Y1001A1001A45N",
    "SE3": "10Y1001A1001A46L",
    "SE4": "10Y1001A1001A47J",
    "SI": "10YSI-ELES-----O",
    "SK": "10YSK-SEPS-----K",
}
_NORDIC = ("DK1", "DK2", "FI", "NO1", "NO2", "NO3", "NO4", "NO5", "SE1", "SE2", "SE3", "SE4")
_NORD_POOL = {name: name for name in ("AT", "BE", "BG", "EE", "FR", "LT", "LV", "NL", "PL", *_NORDIC)} | {"DE-LU": "GER", "RO": "TEL"}
_AWATTAR = {"AT": "at", "DE-LU": "de"}
_TIBBER = {name: name for name in _NORDIC if name.startswith(("NO", "SE"))} | {"DE-LU": "DE", "NL": "NL"}

# The official source first, where there is a token; then those that have quarter-hours; Tibber knows two days and needs a customer.
PREFERENCE: Mapping[str, Mapping[str, str]] = {
    "entsoe": _ENTSOE,
    "energy_charts": {name: name for name in _ENTSOE},
    "nord_pool": _NORD_POOL,
    "awattar": _AWATTAR,
    "tibber": _TIBBER,
}
MARKETS: Mapping[str, Market] = {name: Market(name, {service: codes[name] for service, codes in PREFERENCE.items() if name in codes}) for name in _ENTSOE}
# What people also write.
_ALIASES = {"DE": "DE-LU", "LU": "DE-LU", "GER": "DE-LU"}


def market_named(name: str) -> Market:
    """Return the market that a tariff names.

    Raises:
        NotFoundError: none of the services knows it.
    """
    market = MARKETS.get(_ALIASES.get(name.upper().replace("_", "-"), name.replace("_", "-")))
    if market is None:
        raise NotFoundError("no service has prices of this market", field="market", value=name, remedy=f"Known are {', '.join(MARKETS)}; load others by file.")
    return market
