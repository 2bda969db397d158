"""Fetch day-ahead prices: what sites need, from those who have it, into the database with the instant of publication."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from luna.contracts import FetchPricesReply, FetchPricesRequest, MarketPricesReply
from luna.energy.economics import publication_times
from luna.energy.errors import NotFoundError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, floor_to, local_midnight
from luna.platform.clock import Clock
from luna.platform.database import prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.prices import StoredSeries
from luna.platform.settings import Settings
from luna.platform.simulated_home import REAL_MARKET, is_simulated
from services.ingest.sources.prices.publication import on_quarter_hours
from services.ingest.sources.prices.registry import choose_sources, market_named
from services.ingest.sources.source import PriceSheet, PriceSource, SourceError, SourceRefusedError, SourceUnreachedError

# Results are out at 12:57 on a regular day, the first of them from 12:45 on. Source: SDAC, operational timetable.
AUCTION_ENDS = time(12, 45)
# What plans look back at, and a little more.
DAYS_BACK = 10
# Once an hour, in the first run that begins in it, the past is completed and revisions are looked for.
HOURLY_RUN = timedelta(minutes=10)
# Half a cent per MWh: services round differently.
ROUNDING = 5e-6
NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True)
class Need:
    """What is wanted: a market's quarter-hours in a currency."""

    market: str
    currency: str
    timeline: Timeline


@dataclass(slots=True)
class CollectedPrices:
    """What was found, on the need's timeline: price (NaN: none) and when it was published (NaT: not said); how much from whom, and who failed why.

    ``reached`` says whether any service answered, were it with a fault.
    """

    need: Need
    price: FloatArray
    published_at: InstantArray
    sources: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    reached: bool = False

    @classmethod
    def nothing(cls, need: Need) -> "CollectedPrices":
        """Return a find without prices."""
        return cls(need, np.full(need.timeline.count, np.nan), np.full(need.timeline.count, NEVER))


def days_wanted(now: datetime, zone: ZoneInfo) -> Timeline:
    """Return the quarter-hours whose prices should be known at ``now``: some days back, and tomorrow from the end of the auction on."""
    local = now.astimezone(zone)
    last = 1 if local.time() >= AUCTION_ENDS else 0
    start, end = (local_midnight(local.date() + timedelta(days=days), zone) for days in (-DAYS_BACK, last + 1))
    return Timeline(start, SLOT, (end - start) // SLOT)


def window_due(known: FloatArray, wanted: Timeline, *, now: datetime, zone: ZoneInfo) -> Timeline | None:
    """Return what to ask for at ``now``: what is missing from today on, at first and once an hour also of the days before, or all that may have been revised.

    Args:
        known: prices on ``wanted``, NaN where none.
    """
    today = wanted.index_of(local_midnight(now.astimezone(zone).date(), zone))
    hourly = now - floor_to(now, timedelta(hours=1)) < HOURLY_RUN
    missing = np.flatnonzero(np.isnan(known))
    is_first = bool(np.isnan(known).all())
    missing = missing if hourly or is_first else missing[missing >= today]
    if missing.size:
        return wanted.window(int(missing[0]), int(missing[-1] - missing[0]) + 1)
    return wanted.window(today, wanted.count - today) if hourly else None


def collect(sources: Sequence[PriceSource], need: Need, away: dict[str, str] | None = None) -> CollectedPrices:
    """Return what the sources know, each asked for what those before it lack; a source that fails is noted and left out.

    Args:
        sources: the preferred one first.
        need: what is wanted.
        away: what was said by name of sources that were not reached in this run, which are not asked again; those of this need join them.
    """
    away = {} if away is None else away
    found = CollectedPrices.nothing(need)
    for source in sources:
        missing = np.flatnonzero(np.isnan(found.price))
        if not missing.size:
            break
        if source.name in away:
            found.faults.append(away[source.name])
            continue
        span = need.timeline.window(int(missing[0]), int(missing[-1] - missing[0]) + 1)
        try:
            sheets = source.fetch(need.market, span.start, span.end)
        except SourceUnreachedError as error:
            away[source.name] = str(error)
            found.faults.append(str(error))
            continue
        except (SourceError, SourceRefusedError) as error:
            found.reached = True
            found.faults.append(str(error))
            continue
        found.reached = True
        _take_over(found, source.name, sheets)
    return found


def _take_over(found: CollectedPrices, source: str, sheets: list[PriceSheet]) -> None:
    open_before = np.isnan(found.price)
    strange = {sheet.currency for sheet in sheets} - {found.need.currency}
    if strange:
        found.faults.append(f"{source}: answers in {', '.join(sorted(strange))}, wanted is {found.need.currency}.")
    # Long products first: where a source has both, the short ones are what was traded.
    for sheet in sorted(sheets, key=lambda sheet: -sheet.minutes):
        if sheet.currency == found.need.currency:
            slots, price = _place(sheet, found.need.timeline, open_before)
            found.price[slots] = price
            found.published_at[slots] = NEVER if sheet.published_at is None else np.datetime64(sheet.published_at.replace(tzinfo=None), "us")
    found.sources[source] += int((open_before & np.isfinite(found.price)).sum())


def _place(sheet: PriceSheet, timeline: Timeline, wanted: NDArray[np.bool_]) -> tuple[NDArray[np.int64], FloatArray]:
    starts, price = on_quarter_hours(sheet)
    slots = ((starts - timeline.starts[0]) // np.timedelta64(SLOT)).astype(np.int64)
    inside = (slots >= 0) & (slots < timeline.count)
    inside[inside] = wanted[slots[inside]]
    return slots[inside], price[inside]


def date_prices(found: CollectedPrices, known: FloatArray, *, now: datetime, zone: ZoneInfo) -> tuple[NDArray[np.bool_], InstantArray]:
    """Return which prices say something new, and when each of them became known.

    A new price of a slot to come became known when the service says, or now, when it was first seen; that of a slot that has begun when day-ahead prices are
    published as a rule, for nobody looked before; a revised one now.

    Args:
        known: the prices stored, NaN where none.

    Invariants: nothing is dated after ``now``; what is equal to the stored price, but for rounding, is not new.
    """
    starts = found.need.timeline.starts
    is_revision = np.isfinite(found.price) & np.isfinite(known) & (np.abs(found.price - known) > ROUNDING)
    is_new = np.isfinite(found.price) & np.isnan(known)
    moment = np.datetime64(now.replace(tzinfo=None), "us")
    said = np.where(found.published_at <= starts, found.published_at, NEVER)
    seen = np.where(starts > moment, moment, publication_times(starts, zone))
    first_known = np.where(np.isnat(said), seen, said)
    return is_new | is_revision, np.minimum(np.where(is_revision, moment, first_known), moment)


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
    if not reply.reached:
        log.info("prices not fetched: nobody is reached", faults=reply.markets[0].faults)
        return reply
    for market in reply.markets:
        log.info("prices fetched", **market.model_dump(mode="json"))
    return reply


def list_needs(connection: Connection, request: FetchPricesRequest, *, now: datetime) -> list[Need]:
    """Return what to ask for: the window named, or what each market lacks at ``now``.

    Raises:
        NotFoundError: no service has the market named.
        InvalidInputError: the window is upside down, too long or off the quarter-hours.
    """
    named = _find_series(sites.load_all(connection).sites)
    if request.market:
        of_sites = [each for each in named if each.name == request.market] or [StoredSeries(request.market, prices.USUAL_CURRENCY)]
        asked = [StoredSeries(request.market, request.currency)] if request.currency else of_sites
    else:
        asked = [each for each in named if _is_known(each.name)]
    due = ((each, _window_of(request) or _what_is_due(connection, each, now)) for each in asked)
    return [Need(each.name, each.currency, timeline) for each, timeline in due if timeline]


def gather_all(
    needs: Sequence[Need], request: FetchPricesRequest, settings: Settings, *, transport: httpx.BaseTransport | None = None
) -> list[CollectedPrices]:
    """Ask the services, market by market; one that is not reached is not asked for the next.

    Raises:
        InvalidInputError: the service named does not have a market, or lacks its token.
    """
    found = []
    away: dict[str, str] = {}
    for need in needs:
        sources = choose_sources(market_named(need.market), need.currency, settings, named=request.source, transport=transport)
        found.append(collect(sources, need, away))
    return found


def store_prices(connection: Connection, found: Sequence[CollectedPrices], *, now: datetime) -> FetchPricesReply:
    """Store what is new or revised; the same prices again change nothing."""
    reached = any(market.reached for market in found) or not found
    return FetchPricesReply(markets=[_store_market(connection, market, now) for market in found], reached=reached)


def _find_series(stored: Sequence[Site]) -> list[StoredSeries]:
    """Return the markets that tariffs name, each in every currency in which a site pays."""
    named = {StoredSeries(market, site.currency) for site in stored for market in site.tariff.markets}
    # A simulated home pays what the real market's prices are.
    return sorted(named | {StoredSeries(REAL_MARKET, site.currency) for site in stored if is_simulated(site)})


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
        raise refuse("prices-window", field="first", days=LONGEST_WINDOW.days)
    if (request.end - request.first) % SLOT or request.first.timestamp() % SLOT.total_seconds():
        raise refuse("prices-off-grid", field="first", value=request.first.isoformat())
    return Timeline(request.first, SLOT, (request.end - request.first) // SLOT)


def _what_is_due(connection: Connection, asked: StoredSeries, now: datetime) -> Timeline | None:
    zone = market_named(asked.name).zone
    wanted = days_wanted(now, zone)
    return window_due(prices.read(connection, asked.name, wanted, currency=asked.currency), wanted, now=now, zone=zone)


def _store_market(connection: Connection, found: CollectedPrices, now: datetime) -> MarketPricesReply:
    need = found.need
    known = prices.read(connection, need.market, need.timeline, currency=need.currency)
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
