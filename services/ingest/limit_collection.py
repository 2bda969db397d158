"""Fetching of the limits that grid operators announce in events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.data import FetchLimitsReply, FetchLimitsRequest, SiteLimitsReply
from luna.contracts.operator_limits import FARTHEST, NewLimit
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site
from luna.platform.address_policy import OWN_SERVER
from luna.platform.clock import Clock
from luna.platform.database import operator_limits, sites, source_cursors
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.ingest.sources import openadr
from services.ingest.sources.ieee2030 import controls as der
from services.ingest.sources.ieee2030.identity import read_identity
from services.ingest.sources.ieee2030.server import UtilityServer
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Web

log = structlog.get_logger("luna.ingest")
# The cursor of a server stands where it is read again, that of an event where it was reported last.
_POLL = "poll"


@dataclass(frozen=True, slots=True)
class LimitCollection:
    """Fetches what the grid operators of sites announce.

    No transaction is open during the requests. A site whose server does not answer keeps the limits
    that are stored.

    Args:
        engine: of the database.
        settings: hold token and certificate.
        clock: the source of the current time.
        transport: sends requests; tests pass one with recorded replies.
    """

    engine: Engine
    settings: Settings
    clock: Clock
    transport: httpx.BaseTransport | None = None

    def fetch(self, request: FetchLimitsRequest) -> FetchLimitsReply:
        """Fetch the limits of the sites that name a server, and store them."""
        with unit_of_work(self.engine) as connection:
            stored = sites.load_all(connection).sites
        replies = []
        for site in stored:
            if request.site_id not in {None, site.name}:
                continue
            for fetch in (self._fetch_openadr, self._fetch_ieee2030):
                try:
                    reply = fetch(site)
                except (SourceError, SourceRefusedError) as error:
                    log.warning("limits are not fetched", site_id=site.name, error=str(error))
                    reply = SiteLimitsReply(site_id=site.name, fault=str(error))
                if reply is not None:
                    replies.append(reply)
        return FetchLimitsReply(sites=replies)

    def _fetch_openadr(self, site: Site) -> SiteLimitsReply | None:
        declared = site.grid.openadr
        if declared is None:
            return None
        web = Web("OpenADR", transport=self.transport, purpose=OWN_SERVER)
        token = self.settings.openadr_token
        events = openadr.OpenAdrEvents(
            declared.url, "" if token is None else token.get_secret_value(), web
        )
        limits = events.fetch(declared.program, now=self.clock.now())
        with unit_of_work(self.engine) as connection:
            return store_limits(connection, site, limits, source=openadr.NAME, now=self.clock.now())

    def _fetch_ieee2030(self, site: Site) -> SiteLimitsReply | None:
        """Fetch the controls of a utility's server when it is due, and answer to them."""
        declared = site.grid.ieee2030
        if declared is None:
            return None
        now = self.clock.now()
        with unit_of_work(self.engine) as connection:
            cursors = source_cursors.read(connection, site.name, der.NAME)
            standing = operator_limits.read_standing(connection, site.name, now=now)
        if cursors.get(_POLL, now) > now:
            return None
        server = self._reach_utility(site, declared.url)
        announced = server.read(now=now)
        pieces = der.arrange(announced.controls)
        limits = list(der.list_limits(pieces, standing, now=now))
        read_again = min(now + announced.poll, der.find_next(pieces, now=now))
        with unit_of_work(self.engine) as connection:
            reply = store_limits(connection, site, limits, source=der.NAME, now=now)
            source_cursors.move(connection, site.name, der.NAME, _POLL, complete_until=read_again)
            source_cursors.forget(connection, site.name, der.NAME, before=now - FARTHEST)
        responses = der.list_responses(announced.controls, pieces, cursors, now=now)
        try:
            for due in responses:
                server.respond(due, now=now)
                self._note_response(site, due)
        except (SourceError, SourceRefusedError) as error:
            log.warning("a response is not accepted", site_id=site.name, error=str(error))
            return reply.model_copy(update={"fault": str(error)})
        return reply

    def _note_response(self, site: Site, due: der.DueResponse) -> None:
        with unit_of_work(self.engine) as connection:
            source_cursors.move(
                connection,
                site.name,
                der.NAME,
                due.control.mrid,
                complete_until=due.reported_until,
            )

    def _reach_utility(self, site: Site, url: str) -> UtilityServer:
        certificate = self.settings.ieee2030_certificate
        identity = read_identity("" if certificate is None else certificate.get_secret_value())
        rated_kw = sum(array.peak_kw for array in site.pv)
        rated_kw += sum(battery.discharge_limit_kw for battery in site.batteries)
        web = Web("IEEE 2030.5", purpose=OWN_SERVER, certificates=identity.context)
        return UtilityServer(url, identity.lfdi, rated_kw, web)


def store_limits(
    connection: Connection,
    site: Site,
    limits: Sequence[NewLimit],
    *,
    source: str,
    now: datetime,
) -> SiteLimitsReply:
    """Store announced limits, and release those that are announced no longer; idempotent."""
    faults = []
    announced = {limit.limit_id for limit in limits}
    for standing in operator_limits.read_standing(connection, site.name, now=now):
        if standing.source == source and standing.limit_id not in announced:
            operator_limits.release(connection, site.name, standing.limit_id, now=now)
    for limit in limits:
        try:
            operator_limits.store(connection, site.name, limit, source=source, now=now)
        except InvalidInputError as error:
            faults.append(str(error))
    fault = faults[0] if faults else None
    return SiteLimitsReply(site_id=site.name, limits=len(limits) - len(faults), fault=fault)
