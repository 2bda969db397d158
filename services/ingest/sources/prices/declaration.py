"""Declaration of a price source: markets, token setting, currencies, and how it is opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from luna.energy.timeline import parse_zone
from services.ingest.sources.source import PriceSource
from services.ingest.sources.web import Web

# The coupled auction sells the days of Central European Time, also in Portugal and Finland. Source: SDAC, operational procedures.
COUPLED = "Europe/Brussels"
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
    """A source of day-ahead prices, declared as ``SOURCE`` in the module of its name and listed in ``PriceService`` of ``luna/contracts/data.py``.

    Args:
        codes: the markets that it has, by their names in tariffs, and what it calls each.
        open: returns the source.
        setting: field of ``Settings`` with its token; None: it needs none.
        currencies: that it publishes in; None: any, and the service refuses those it lacks.
        clock: time zone of its markets' auction days.
    """

    codes: Mapping[str, str]
    open: Callable[[Access], PriceSource]
    setting: str | None = None
    currencies: frozenset[str] | None = None
    clock: str = COUPLED

    def publishes(self, market: str, currency: str) -> bool:
        """Whether it may publish a market's prices in this currency."""
        return market in self.codes and (self.currencies is None or currency in self.currencies)


@dataclass(frozen=True, slots=True)
class Market:
    """A bidding zone under its name in tariffs; ``clock`` is the time zone of its auction days."""

    name: str
    clock: str = COUPLED

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the auction days."""
        return parse_zone(self.clock)


def canonical_market(name: str) -> str:
    """Return the stored name of a market for the spelling in a tariff."""
    return _ALIASES.get(name.upper().replace("_", "-"), name.replace("_", "-"))
