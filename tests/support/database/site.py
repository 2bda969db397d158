"""Sites in a database, what is forecast for them, and their plans."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import forecasts, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.milp.solver import Solver
from services.planner.service.plans import plan_and_store
from tests.support.database.databases import remove_site


def store_site(connection: Connection, **parts: Any) -> Site:
    """Store the site ``home`` in Berlin with these parts, as long as the connection's transaction,
    and return it.
    """
    site = parse_site({"name": "home", "timezone": "Europe/Berlin"} | parts)
    sites.save(connection, site)
    return site


@contextmanager
def stored_site(database: Engine, **parts: Any) -> Iterator[Site]:
    """Store the same for all connections.

    It is removed with all that is of it when the block ends.
    """
    with unit_of_work(database) as connection:
        site = store_site(connection, **parts)
    try:
        yield site
    finally:
        remove_site(database, site.name)


def issue_half_a_kilowatt(
    connection: Connection,
    site_id: str,
    issued_at: datetime,
    *,
    version: str = DEFAULT_VERSION,
    slots: int = 192,
) -> None:
    """Store a forecast of half a kilowatt and no sun."""
    load = Quantiles.exact(np.full(slots, 0.125))
    sun = Quantiles.exact(np.zeros(slots))
    forecasts.upsert(
        connection,
        site_id,
        [Forecast(Timeline(issued_at, SLOT, slots), issued_at, version, load, sun)],
    )


def plan_stored(
    connection: Connection,
    site_id: str,
    start: datetime,
    *,
    now: datetime | None = None,
    **parts: Any,
) -> PlanReply:
    """Plan a stored site at the plan's start, or later; ``parts`` are of the request."""
    request = PlanRequest.model_validate({"site_id": site_id, "start": start} | parts)
    return plan_and_store(request, lambda: connection, now=now or start, solver=Solver())
