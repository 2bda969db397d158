"""Fetch day-ahead prices: what sites need, from those who have it, into the database with the instant of publication."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx
import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts import FetchPricesReply, FetchPricesRequest, MarketPricesReply
from luna.database import prices, sites
from luna.database.engine import unit_of_work
from luna.errors import InvalidInputError, NotFoundError
from luna.settings import Settings
from luna.site import Site
from luna.timeline import SLOT, Clock, Timeline
from services.ingest.price_gathering import Found, Need, date_prices, days_wanted, gather, window_due
from services.ingest.sources.prices.choice import choose_sources
from services.ingest.sources.prices.markets import market_named

LONGEST_WINDOW = timedelta(days=3 * 366)

log = structlog.get_logger("luna.ingest")


def fetch_prices(
    engine: Engine, request: FetchPricesRequest, settings: Settings, *, clock: Clock, transport: httpx.BaseTransport | None = None
) -> FetchPricesReply:
    """Fetch what is asked for, or what sites need and nobody has fetched yet; no transaction is open while services are waited for.

    A service that fails is named in the reply. Where ``outside_services`` is off, nothing is fetched that nobody named.

    Raises:
        NotFoundError: no service has the market named.
        InvalidInputError: the window, or the service named, cannot be used.
    """
    if request.market is None and not settings.outside_services:
        return FetchPricesReply(markets=[])
    with unit_of_work(engine) as connection:
        needs = list_needs(connection, request, now=clock.now())
    found = gather_all(needs, request, settings, transport=transport)
    with unit_of_work(engine) as connection:
        return store_prices(connection, found, now=clock.now())


def tell(reply: FetchPricesReply) -> FetchPricesReply:
    """Write a reply into the log, a line for each market, and return it. That somebody outside is away is no error of ours."""
    for market in reply.markets:
        log.info("prices fetched", **market.model_dump(mode="json"))
    return reply


def list_needs(connection: Connection, request: FetchPricesRequest, *, now: datetime) -> list[Need]:
    """Return what to ask for: the window named, or what each market lacks at ``now``.

    Raises:
        NotFoundError: no service has the market named.
        InvalidInputError: the window is upside down, too long or off the quarter-hours.
    """
    currencies = _currencies(sites.load_all(connection))
    names = [request.market] if request.market else [name for name in currencies if _is_known(name)]
    wanted = []
    for name in names:
        currency = request.currency or currencies.get(name, "EUR")
        timeline = _window_of(request) or _what_is_due(connection, name, now)
        wanted += [Need(name, currency, timeline)] if timeline else []
    return wanted


def gather_all(needs: Sequence[Need], request: FetchPricesRequest, settings: Settings, *, transport: httpx.BaseTransport | None = None) -> list[Found]:
    """Ask the services, market by market.

    Raises:
        InvalidInputError: the service named does not have a market, or lacks its token.
    """
    found = []
    for need in needs:
        sources = choose_sources(market_named(need.market), need.currency, settings, named=request.source, transport=transport)
        found.append(gather(sources, need))
    return found


def store_prices(connection: Connection, found: Sequence[Found], *, now: datetime) -> FetchPricesReply:
    """Store what is new or revised; the same prices again change nothing."""
    return FetchPricesReply(markets=[_store_market(connection, market, now) for market in found])


def _currencies(stored: Sequence[Site]) -> dict[str, str]:
    """Return the currency of each market that a tariff names; where sites disagree, that of the first, for a market has one."""
    named = {market: site.currency for site in reversed(stored) for market in site.tariff.markets}
    return dict(sorted(named.items()))


def _is_known(market: str) -> bool:
    # A tariff may name a market of the owner's own, whose prices come from files.
    try:
        market_named(market)
    except NotFoundError:
        return False
    return True


def _window_of(request: FetchPricesRequest) -> Timeline | None:
    if request.first is None and request.end is None:
        return None
    if request.first is None or request.end is None or not request.first < request.end <= request.first + LONGEST_WINDOW:
        raise InvalidInputError(
            f"the time lies between a first and a later last instant, {LONGEST_WINDOW.days} days at most", field="first", remedy="Give both, in this order."
        )
    if (request.end - request.first) % SLOT or request.first.timestamp() % SLOT.total_seconds():
        raise InvalidInputError("not on a quarter-hour", field="first", value=request.first.isoformat(), remedy="Round to quarter-hours.")
    return Timeline(request.first, SLOT, (request.end - request.first) // SLOT)


def _what_is_due(connection: Connection, market: str, now: datetime) -> Timeline | None:
    zone = market_named(market).zone
    wanted = days_wanted(now, zone)
    return window_due(prices.read(connection, market, wanted), wanted, now=now, zone=zone)


def _store_market(connection: Connection, found: Found, now: datetime) -> MarketPricesReply:
    need = found.need
    known = prices.read(connection, need.market, need.timeline)
    chosen, published_at = date_prices(found, known, now=now, zone=market_named(need.market).zone)
    starts, price = need.timeline.starts[chosen], found.price[chosen]
    prices.upsert(connection, need.market, starts=starts, price=price, currency=need.currency, published_at=published_at[chosen])
    return MarketPricesReply(
        market=need.market,
        currency=need.currency,
        first=need.timeline.start,
        end=need.timeline.end,
        added=int((chosen & np.isnan(known)).sum()),
        revised=int((chosen & np.isfinite(known)).sum()),
        missing=int((np.isnan(known) & np.isnan(found.price)).sum()),
        sources={source: count for source, count in found.sources.items() if count},
        faults=found.faults,
    )
