"""What a price source declares of itself: its markets, its token, its currencies, and how it is opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from luna.energy.timeline import parse_zone
from services.ingest.sources.source import PriceSource
from services.ingest.sources.web import Web

# The coupled auction sells the days of Central European Time, also in Portugal and Finland. Source: SDAC, operational procedures.
COUPLED = "Europe/Brussels"
# What people also write.
_ALIASES = {"DE": "DE-LU", "LU": "DE-LU", "GER": "DE-LU"}


@dataclass(frozen=True, slots=True)
class Access:
    """What a source is opened with: the way there, its token (empty: it needs none), and the currency wanted."""

    web: Web
    token: str = field(repr=False)
    currency: str


@dataclass(frozen=True, slots=True)
class PriceSourceDeclaration:
    """A source of day-ahead prices, declared as ``SOURCE`` in the module of its name and listed in ``PriceService`` of ``luna/contracts/data.py``.

    Args:
        codes: the markets that it has, by their names in tariffs, and what it calls each.
        open: returns the source.
        setting: the field of ``Settings`` that holds its token; None: it needs none.
        currencies: those it publishes in; None: others as well, and it refuses by itself what it does not have.
        clock: the zone whose days its markets auction.
    """

    codes: Mapping[str, str]
    open: Callable[[Access], PriceSource]
    setting: str | None = None
    currencies: frozenset[str] | None = None
    clock: str = COUPLED

    def publishes(self, market: str, currency: str) -> bool:
        """Whether it may have a market's prices in this currency."""
        return market in self.codes and (self.currencies is None or currency in self.currencies)


@dataclass(frozen=True, slots=True)
class Market:
    """A bidding zone under its name in tariffs; ``clock`` is the zone whose days are auctioned, the day before."""

    name: str
    clock: str = COUPLED

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days are auctioned."""
        return parse_zone(self.clock)


def canonical_market(name: str) -> str:
    """Return the name that stands in the tables for what a tariff writes."""
    return _ALIASES.get(name.upper().replace("_", "-"), name.replace("_", "-"))
