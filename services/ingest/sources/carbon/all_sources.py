"""All carbon sources, the preferred one first; importing them takes a while."""

from collections.abc import Mapping

from luna.contracts.data import CarbonService
from services.ingest.sources.carbon import (
    electricity_maps,
    energinet,
    energy_charts,
    uk_carbon_intensity,
)
from services.ingest.sources.carbon.declaration import CarbonSourceDeclaration

# In the order of ``CarbonService``.
CARBON_SOURCES: Mapping[CarbonService, CarbonSourceDeclaration] = {
    "uk_carbon_intensity": uk_carbon_intensity.SOURCE,
    "energinet": energinet.SOURCE,
    "energy_charts": energy_charts.SOURCE,
    "electricity_maps": electricity_maps.SOURCE,
}
