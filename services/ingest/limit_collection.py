"""Fetching of the limits that grid operators announce in events."""

from collections.abc import Sequence
from datetime import datetime

import httpx
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.data import FetchLimitsReply, FetchLimitsRequest, SiteLimitsReply
from luna.contracts.operator_limits import NewLimit
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site
from luna.platform.address_policy import OWN_SERVER
from luna.platform.clock import Clock
from luna.platform.database import operator_limits, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.ingest.sources.openadr import NAME, OpenAdrEvents
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Web

log = structlog.get_logger("luna.ingest")


def fetch_limits(
    engine: Engine,
    request: FetchLimitsRequest,
    settings: Settings,
    *,
    clock: Clock,
    transport: httpx.BaseTransport | None = None,
) -> FetchLimitsReply:
    """Fetch the events of the sites' programmes and store their limits.

    No transaction is open during the requests. A site whose server does not answer keeps the limits
    that are stored.
    """
    web = Web("OpenADR", transport=transport, purpose=OWN_SERVER)
    token = settings.openadr_token
    with unit_of_work(engine) as connection:
        stored = sites.load_all(connection).sites
    replies = []
    for site in stored:
        declared = site.grid.openadr
        if declared is None or request.site_id not in {None, site.name}:
            continue
        events = OpenAdrEvents(declared.url, "" if token is None else token.get_secret_value(), web)
        try:
            limits = events.fetch(declared.program, now=clock.now())
        except (SourceError, SourceRefusedError) as error:
            log.warning("limits are not fetched", site_id=site.name, error=str(error))
            replies.append(SiteLimitsReply(site_id=site.name, fault=str(error)))
            continue
        with unit_of_work(engine) as connection:
            replies.append(store_limits(connection, site, limits, now=clock.now()))
    return FetchLimitsReply(sites=replies)


def store_limits(
    connection: Connection, site: Site, limits: Sequence[NewLimit], *, now: datetime
) -> SiteLimitsReply:
    """Store announced limits, and release those that are announced no longer; idempotent."""
    faults = []
    announced = {limit.limit_id for limit in limits}
    for standing in operator_limits.read_standing(connection, site.name, now=now):
        if standing.source == NAME and standing.limit_id not in announced:
            operator_limits.release(connection, site.name, standing.limit_id, now=now)
    for limit in limits:
        try:
            operator_limits.store(connection, site.name, limit, source=NAME, now=now)
        except InvalidInputError as error:
            faults.append(str(error))
    fault = faults[0] if faults else None
    return SiteLimitsReply(site_id=site.name, limits=len(limits) - len(faults), fault=fault)
