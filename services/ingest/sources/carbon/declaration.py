"""Declaration of a carbon source: zones, token setting and factory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.ingest.sources.source import CarbonSource
from services.ingest.sources.web import Web


@dataclass(frozen=True, slots=True)
class GridPlace:
    """The place of a site in the grid.

    Args:
        country: ISO 3166; None: unknown.
        markets: bidding zones of its tariff, by their names in tariffs.
    """

    country: str | None
    markets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CarbonAccess:
    """Access to a source: HTTP client, and token (empty: none needed)."""

    web: Web
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CarbonSourceDeclaration:
    """A source of carbon intensities: ``SOURCE`` of its module, listed in ``CARBON_SOURCES``.

    Args:
        zones: bidding zone or country → the source's name of the zone.
        open: returns the source.
        setting: field of ``Settings`` with its token; None: it needs none.
        names_others: whether its name of any other country is the country's code.
    """

    zones: Mapping[str, str]
    open: Callable[[CarbonAccess], CarbonSource]
    setting: str | None = None
    names_others: bool = False

    def find_zone(self, place: GridPlace) -> str | None:
        """Return the source's zone of a place, that of its market first; None without one."""
        for market in place.markets:
            if market in self.zones:
                return self.zones[market]
        if place.country is None:
            return None
        other = place.country if self.names_others else None
        return self.zones.get(place.country, other)
