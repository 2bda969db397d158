"""Storing of the demo's year, never among an owner's own data."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from luna.contracts.job import DemoLoadReply, DemoSiteReply
from luna.energy.errors import ConflictError
from luna.energy.observations import SERIES
from luna.energy.timeline import SLOT, FloatArray
from luna.platform.database import observations, prices, recorded_span, sites
from luna.platform.packages import Progress
from services.ingest.demo_data.demo import (
    TEST_FIRST_DAY,
    TEST_LAST_DAY,
    DemoData,
    DemoPrices,
    DemoSite,
    load_demo,
)
from services.ingest.demo_data.series import SLOTS

# The same year computed on another machine differs in its last digits.
RELATIVE_TOLERANCE = 1e-9
REMEDY = (
    "Run the demo on servers of its own: `luna demo` without --on-servers. If these are its "
    "own, remove their folder."
)


def load_and_store(
    connection: Callable[[], Connection], cache: Path, *, progress: Progress
) -> DemoLoadReply:
    """Return the demo's sites and origins once its year is stored.

    Args:
        connection: opened after the download, so that no transaction waits for it.
        cache: folder of downloaded packages.
        progress: receives bytes while something is downloaded, then the name of the series being
            stored.

    Raises:
        MachineError: a package is neither cached nor downloadable.
        ConflictError: an owner's site or prices have the demo's name; nothing was changed.
    """
    demo = load_demo(cache, progress=progress)
    written = store_demo(connection(), demo, progress=progress)
    replies = []
    for demo_site in demo.sites:
        reply = DemoSiteReply(
            site=demo_site.site,
            yearly_load_kwh=float(demo_site.observations.load_kwh.sum()),
            yearly_pv_kwh=float(demo_site.observations.pv_kwh.sum()),
            provenance=demo_site.provenance,
        )
        replies.append(reply)
    return DemoLoadReply(
        sites=replies,
        price_provenance=demo.prices.provenance,
        test_first_day=TEST_FIRST_DAY,
        test_last_day=TEST_LAST_DAY,
        rows_written=written,
    )


def store_demo(connection: Connection, demo: DemoData, *, progress: Progress) -> int:
    """Store prices, sites and observations, and return the number of new and changed rows.

    Invariants: a second time changes nothing.

    Raises:
        ConflictError: as in ``load_and_store``.
    """
    check_prices(connection, demo.prices)
    for demo_site in demo.sites:
        check_site(connection, demo_site)
    steps = 1 + len(demo.sites)
    progress(0, steps, "prices")
    market = demo.prices
    written = prices.upsert(
        connection,
        market.market,
        starts=market.starts,
        price=market.price,
        currency=market.currency,
        published_at=market.published_at,
    )
    rows = written.inserted + written.updated
    for number, demo_site in enumerate(demo.sites, start=1):
        name = demo_site.site.name
        progress(number, steps, name)
        sites.save(connection, demo_site.site)
        rows += observations.upsert(connection, name, demo_site.observations)
    return rows


def check_prices(connection: Connection, market: DemoPrices) -> None:
    """Check that every price stored for the demo's year is the demo's.

    Raises:
        ConflictError: one is not.
    """
    starts, _, price = prices.read_revisions(
        connection, market.market, SLOTS, currency=market.currency
    )
    slot = ((starts - SLOTS.starts[0]) // np.timedelta64(SLOT)).astype(np.int64)
    if not _agrees(price, market.price[slot]):
        raise ConflictError(
            "prices of this market are stored that are not the demo's",
            field="market",
            value=market.market,
            remedy=REMEDY,
        )


def check_site(connection: Connection, demo: DemoSite) -> None:
    """Check that no site of this name is stored, or only the demo's with its own observations.

    Raises:
        ConflictError: the site is an owner's, or holds observations of one.
    """
    name = demo.site.name
    if name not in sites.names(connection):
        return
    if sites.load(connection, name) != demo.site:
        raise ConflictError(
            "a site of this name is stored with another configuration than the demo's",
            field="site",
            value=name,
            remedy=REMEDY,
        )
    span = recorded_span.of_site(connection, name)
    stored = observations.read_series(connection, name, SLOTS, SERIES + observations.PRICES)
    unknown = np.full(SLOTS.count, np.nan)
    is_own = all(
        _agrees(values, getattr(demo.observations, series, unknown))
        for series, values in stored.items()
    )
    exceeds_year = span is not None and (span[0] < SLOTS.start or span[1] > SLOTS.end)
    if not is_own or exceeds_year:
        raise ConflictError(
            "the site holds observations that are not the demo's",
            field="site",
            value=name,
            remedy=REMEDY,
        )


def _agrees(stored: FloatArray, demo: FloatArray) -> bool:
    """Return whether every stored value is the demo's."""
    is_equal = np.isclose(stored, demo, rtol=RELATIVE_TOLERANCE, atol=0.0)
    return bool((np.isnan(stored) | is_equal).all())
