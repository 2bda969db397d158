"""Declaration of a price source: markets, token setting, currencies and factory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from zoneinfo import ZoneInfo

from luna.energy.economics.prices import DAY_AHEAD_PUBLISHED
from luna.energy.market_publication import PricePublication
from luna.energy.timeline import parse_zone
from services.ingest.sources.source import PriceSource
from services.ingest.sources.web import Web

# The coupled auction sells the days of Central European Time, also in Portugal and Finland. Source:
# SDAC, operational procedures.
COUPLED = "Europe/Brussels"
COUPLED_CURRENCY = "EUR"
# EIC codes. Source: ENTSO-E, "Areas" of the Transparency Platform's guide.
BIDDING_ZONES = {
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
# Common aliases of bidding zones.
_ALIASES = {"DE": "DE-LU", "LU": "DE-LU", "GER": "DE-LU"}


@dataclass(frozen=True, slots=True)
class Access:
    """Access to a source: HTTP client, token (empty: none needed), and requested currency."""

    web: Web
    token: str = field(repr=False)
    currency: str


@dataclass(frozen=True, slots=True)
class PriceSourceDeclaration:
    """A source of market prices: ``SOURCE`` of its module, listed in ``PRICE_SOURCES``.

    Args:
        codes: name of each of its markets in tariffs → the source's name of it.
        open: returns the source.
        setting: field of ``Settings`` with its token; None: it needs none.
        currencies: currencies of its prices; None: any, and the service refuses those it lacks.
        clock: time zone of its markets' auction days.
        published: time of the day before, on that clock, at which a day's prices are usually out.
        publication: how its prices are published; ``luna.energy.market_publication`` names it by
            market for everybody else.
    """

    codes: Mapping[str, str]
    open: Callable[[Access], PriceSource]
    setting: str | None = None
    currencies: frozenset[str] | None = None
    clock: str = COUPLED
    published: time = DAY_AHEAD_PUBLISHED
    publication: PricePublication = "day_ahead"

    @property
    def usual_currency(self) -> str:
        """The currency of its prices where nobody names one."""
        if self.currencies is None or COUPLED_CURRENCY in self.currencies:
            return COUPLED_CURRENCY
        return min(self.currencies)

    def publishes(self, market: str, currency: str) -> bool:
        """Return whether it may publish a market's prices in this currency."""
        has_currency = self.currencies is None or currency in self.currencies
        return market in self.codes and has_currency


@dataclass(frozen=True, slots=True)
class Market:
    """A bidding zone, or a supplier's tariff in a region, under its name in tariffs.

    Args:
        name: as tariffs spell it.
        clock: time zone of its auction days.
        published: time of the day before, on that clock, at which a day's prices are usually out.
        currency: of its prices where nobody names one.
        publication: how its prices are published.
    """

    name: str
    clock: str = COUPLED
    published: time = DAY_AHEAD_PUBLISHED
    currency: str = COUPLED_CURRENCY
    publication: PricePublication = "day_ahead"

    @property
    def zone(self) -> ZoneInfo:
        return parse_zone(self.clock)


def canonical_market(name: str) -> str:
    """Return the stored name of a market for the spelling in a tariff."""
    hyphenated = name.replace("_", "-")
    return _ALIASES.get(hyphenated.upper(), hyphenated)
