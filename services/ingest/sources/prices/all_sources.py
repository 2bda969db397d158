"""All price sources, the preferred one first; importing them takes a while."""

from collections.abc import Mapping

from luna.contracts.data import PriceService
from services.ingest.sources.prices import (
    amber,
    awattar,
    energy_charts,
    entsoe,
    nord_pool,
    tibber,
)
from services.ingest.sources.prices.declaration import PriceSourceDeclaration

# In the order of ``PriceService``.
PRICE_SOURCES: Mapping[PriceService, PriceSourceDeclaration] = {
    "entsoe": entsoe.SOURCE,
    "energy_charts": energy_charts.SOURCE,
    "nord_pool": nord_pool.SOURCE,
    "awattar": awattar.SOURCE,
    "tibber": tibber.SOURCE,
    "amber": amber.SOURCE,
}
