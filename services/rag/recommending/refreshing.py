"""Looks anew for what can be recommended, each site in a transaction of its own."""

from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine

from luna.contracts.recommendations import RefreshRecommendationsReply, RefreshRecommendationsRequest
from luna.energy.errors import LunaError
from luna.platform.database import recommendations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.task_context import isolate
from services.rag.embedding import Embedder
from services.rag.recommending.stock import Stock

# Showings of which nothing was ever reported are of no use after that.
UNSEEN_FOR = timedelta(days=30)

log = structlog.get_logger("luna.rag")


def refresh(database: Engine, request: RefreshRecommendationsRequest, *, embedder: Embedder | None, now: datetime) -> RefreshRecommendationsReply:
    """Write the items of one site or of all, withdraw what no longer holds, forget showings that nobody saw; run twice, it changes nothing the second time.

    Raises:
        NotFoundError: no such site.
    """
    stock = Stock(embedder, now)
    with unit_of_work(database) as connection:
        recommendations.forget_unseen(connection, now=now, age=UNSEEN_FOR)
        counts = [stock.refresh_documents(connection)]
        if request.site_id is not None:
            sites.key_of(connection, request.site_id)
        site_ids = sites.names(connection) if request.site_id is None else [request.site_id]
    looked_at = {site_id: isolate(partial(_refresh_site, database, stock, site_id), partial(_note, site_id)) for site_id in site_ids}
    counts += [count for count in looked_at.values() if count is not None]
    written, withdrawn = (sum(each) for each in zip(*counts, strict=True))
    failed = [site_id for site_id, count in looked_at.items() if count is None]
    return RefreshRecommendationsReply(sites=len(site_ids), written=written, withdrawn=withdrawn, failed=failed)


def refresh_documents(database: Engine, *, embedder: Embedder | None, now: datetime) -> None:
    """Write the items of documents alone: one that was just read can be recommended at once."""
    with unit_of_work(database) as connection:
        Stock(embedder, now).refresh_documents(connection)


def _refresh_site(database: Engine, stock: Stock, site_id: str) -> tuple[int, int] | None:
    with unit_of_work(database) as connection:
        return stock.refresh_site(connection, site_id)


def _note(site_id: str, error: Exception) -> None:
    log.warning("a site's recommendations could not be looked at", site=site_id, error=str(error), exc_info=None if isinstance(error, LunaError) else error)
