"""All price sources, the preferred one first; importing them takes a while."""

from collections.abc import Mapping

from luna.contracts.data import PriceService
from services.ingest.sources.prices import (
    amber,
    awattar,
    comed,
    comed_day_ahead,
    elering,
    energinet,
    energy_charts,
    entsoe,
    esios,
    nord_pool,
    octopus,
    octopus_intelligent,
    omie,
    ostrom,
    smart_energy,
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
    "octopus": octopus.SOURCE,
    "elering": elering.SOURCE,
    "energinet": energinet.SOURCE,
    "omie": omie.SOURCE,
    "comed": comed.SOURCE,
    "comed_day_ahead": comed_day_ahead.SOURCE,
    "esios": esios.SOURCE,
    "smart_energy": smart_energy.SOURCE,
    "ostrom": ostrom.SOURCE,
    "amber": amber.SOURCE,
    "octopus_intelligent": octopus_intelligent.SOURCE,
}
