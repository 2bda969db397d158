"""Choice of the services to request a place's carbon intensity from, in order of preference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx

from luna.contracts.data import CarbonService
from luna.energy.errors import InvalidInputError
from luna.platform.settings import Settings
from services.ingest.sources.carbon.declaration import (
    CarbonAccess,
    CarbonSourceDeclaration,
    GridPlace,
)
from services.ingest.sources.source import CarbonSource
from services.ingest.sources.web import Web, read_token

# Between two requests to a service.
INTERVAL = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class ZonedSource:
    """A service, and its name of the zone to request."""

    source: CarbonSource
    zone: str


def carbon_sources() -> Mapping[CarbonService, CarbonSourceDeclaration]:
    """Return the declaration of each service, the preferred one first."""
    from services.ingest.sources.carbon.all_sources import CARBON_SOURCES

    return CARBON_SOURCES


def choose_sources(
    place: GridPlace,
    settings: Settings,
    *,
    named: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> list[ZonedSource]:
    """Return the services with the carbon intensity of a place, the preferred one first.

    Args:
        place: country and markets of the site.
        settings: hold the tokens; a service that needs one and has none is left out.
        named: only this service.
        transport: carries requests; tests pass one with recorded replies.

    Raises:
        InvalidInputError: the service named does not have this place, or lacks its token.
    """
    chosen = []
    for name, source in carbon_sources().items():
        if named not in {None, name}:
            continue
        zone = source.find_zone(place)
        token = read_token(settings, source.setting)
        lacks_token = source.setting is not None and not token
        if named is not None and zone is None:
            raise InvalidInputError(
                f"has no carbon intensity of {place.country}",
                field="source",
                value=named,
                remedy="Choose another service, or none.",
            )
        if named is not None and lacks_token:
            raise InvalidInputError(
                "needs a token",
                field="source",
                value=named,
                remedy=f"Set LUNA_{str(source.setting).upper()}.",
            )
        if zone is None or lacks_token:
            continue
        access = CarbonAccess(Web(name, transport, INTERVAL), token)
        chosen.append(ZonedSource(source.open(access), zone))
    return chosen
