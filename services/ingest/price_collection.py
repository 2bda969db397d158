"""Fetching of missing day-ahead prices from the price sources.

They are stored with their instant of publication.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from luna.contracts import FetchPricesReply, FetchPricesRequest, MarketPricesReply
from luna.energy.economics.prices import publication_times
from luna.energy.market_publication import find_settled
from luna.energy.plausibility import absurd_price
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, floor_to, local_midnight
from luna.platform.clock import Clock
from luna.platform.database import prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.prices import LastPublished, StoredSeries
from luna.platform.settings import Settings
from luna.simulated_home.site import REAL_MARKET, is_simulated
from services.ingest.collected_prices import NEVER, CollectedPrices, Need
from services.ingest.price_records import (
    find_concerned,
    quarantine_absurd,
    record_corrections,
)
from services.ingest.sources.prices.declaration import Market, canonical_market
from services.ingest.sources.prices.publication import on_quarter_hours
from services.ingest.sources.prices.registry import (
    choose_sources,
    lacking_tokens,
    list_markets,
    market_named,
)
from services.ingest.sources.source import (
    PriceSheet,
    PriceSource,
    SourceError,
    SourceRefusedError,
    SourceUnreachedError,
)

# Requests begin before the usual time of publication: results that are usually out at 13:00 come
# from 12:45 on. Source: SDAC, operational timetable.
LEAD = timedelta(minutes=15)
# A little more than plans look back.
DAYS_BACK = 10
# Past days and revisions are requested once an hour, by a run within this time after the full hour.
HOURLY_RUN = timedelta(minutes=10)
# Of prices that are forecasts: the current hour, which reacts at once, is requested in every run;
# estimates are corrected within a day.
CHANGED_BACK = timedelta(hours=1)
CHANGED_AHEAD = timedelta(hours=2)
CORRECTED_BACK = timedelta(days=1)
# Currency per kWh, half a cent per MWh: services round differently.
ROUNDING = 5e-6


def expected_window(now: datetime, market: Market) -> Timeline:
    """Return the quarter-hours of a market whose prices should be known at ``now``.

    They begin some days back, and include tomorrow from shortly before its prices are out.
    """
    zone = market.zone
    local = now.astimezone(zone)
    may_be_out = datetime.combine(local.date(), market.published, zone) - LEAD
    days_ahead = 2 if local >= may_be_out else 1
    start = local_midnight(local.date() - timedelta(days=DAYS_BACK), zone)
    end = local_midnight(local.date() + timedelta(days=days_ahead), zone)
    return Timeline(start, SLOT, (end - start) // SLOT)


def missing_window(
    stored: FloatArray, expected: Timeline, *, now: datetime, zone: ZoneInfo
) -> Timeline | None:
    """Return the window to request at ``now``, or None.

    It spans the gaps from today on, at first and once an hour also those of the days before. Once
    an hour without gaps, it spans all that may have been revised: also yesterday, which a source
    may correct.

    Args:
        stored: prices on ``expected``, NaN where none.
    """
    today = expected.index_of(local_midnight(now.astimezone(zone).date(), zone))
    hourly = _is_hourly(now)
    missing = np.flatnonzero(np.isnan(stored))
    is_first = bool(np.isnan(stored).all())
    if not hourly and not is_first:
        missing = missing[missing >= today]
    if missing.size:
        first = int(missing[0])
        last = int(missing[-1])
        return expected.window(first, last - first + 1)
    if hourly:
        before = local_midnight(now.astimezone(zone).date() - CORRECTED_BACK, zone)
        yesterday = expected.index_of(before)
        return expected.window(yesterday, expected.count - yesterday)
    return None


def changing_window(expected: Timeline, *, now: datetime) -> Timeline:
    """Return the window of forecasts and estimates to request again at ``now``.

    They are those of the hours around it, once an hour those from the day before on.
    """
    first = now - CHANGED_BACK
    end = min(now + CHANGED_AHEAD, expected.end)
    if _is_hourly(now):
        first = now - CORRECTED_BACK
        end = expected.end
    start = floor_to(first, SLOT)
    return Timeline(start, SLOT, (end - start) // SLOT)


def _is_hourly(now: datetime) -> bool:
    return now - floor_to(now, timedelta(hours=1)) < HOURLY_RUN


def _join(first: Timeline | None, second: Timeline) -> Timeline:
    """Return the shortest timeline of quarter-hours that spans both."""
    if first is None:
        return second
    start = min(first.start, second.start)
    end = max(first.end, second.end)
    return Timeline(start, SLOT, (end - start) // SLOT)


def collect(
    sources: Sequence[PriceSource], need: Need, away: dict[str, str] | None = None
) -> CollectedPrices:
    """Return the prices of the sources, each requested for the slots that those before it lack.

    A source that fails is noted and left out.

    Args:
        sources: the preferred one first.
        need: the requested market and window.
        away: errors by name of the sources that were not reached in this run; these are skipped,
            and those of this need are added.
    """
    away = {} if away is None else away
    collected = CollectedPrices.nothing(need)
    if not sources:
        # Nobody to wait for: asking again soon would change nothing.
        collected.reached = True
        collected.faults.append(f"No service has prices of {need.market} in {need.currency}.")
    for source in sources:
        missing = np.flatnonzero(np.isnan(collected.price))
        if not missing.size:
            break
        if source.name in away:
            collected.faults.append(away[source.name])
            continue
        first = int(missing[0])
        last = int(missing[-1])
        span = need.timeline.window(first, last - first + 1)
        try:
            sheets = source.fetch(need.market, span.start, span.end)
        except SourceUnreachedError as error:
            away[source.name] = str(error)
            collected.faults.append(str(error))
            continue
        except (SourceError, SourceRefusedError) as error:
            collected.reached = True
            collected.faults.append(str(error))
            continue
        collected.reached = True
        _add_sheets(collected, source.name, sheets)
    return collected


def _add_sheets(collected: CollectedPrices, source: str, sheets: Sequence[PriceSheet]) -> None:
    """Fill the slots that still lack a price from the sheets of a source."""
    currency = collected.need.currency
    was_missing = np.isnan(collected.price)
    other_currencies = {sheet.currency for sheet in sheets} - {currency}
    if other_currencies:
        collected.faults.append(
            f"{source}: answers in {', '.join(sorted(other_currencies))}, wanted is {currency}."
        )
    # Long products first, to be overwritten: where a source has both, the short ones are the
    # traded ones.
    usable = [sheet for sheet in sheets if sheet.currency == currency]
    usable.sort(key=attrgetter("minutes"), reverse=True)
    for sheet in usable:
        _add_sheet(collected, source, sheet, was_missing)
    collected.sources[source] += int((was_missing & np.isfinite(collected.price)).sum())


def _add_sheet(
    collected: CollectedPrices, source: str, sheet: PriceSheet, was_missing: NDArray[np.bool_]
) -> None:
    timeline = collected.need.timeline
    currency = collected.need.currency
    farthest = absurd_price(currency)
    starts, price = on_quarter_hours(sheet)
    # An absurd price leaves its slots to the next source.
    is_absurd = np.abs(price) > farthest
    if is_absurd.any():
        collected.faults.append(
            f"{source}: {is_absurd.sum()} quarter-hours are beyond "
            f"{farthest:g} {currency}/kWh and left out."
        )
    places = ((starts - timeline.starts[0]) // np.timedelta64(SLOT)).astype(np.int64)
    inside = (places >= 0) & (places < timeline.count)
    inside[inside] = was_missing[places[inside]]
    left_out = inside & is_absurd
    absurd = collected.absurd.setdefault(source, {})
    absurd.update(zip(places[left_out].tolist(), price[left_out].tolist(), strict=True))
    inside &= ~is_absurd
    collected.price[places[inside]] = price[inside]
    collected.source[places[inside]] = source
    if sheet.published_at is None:
        collected.published_at[places[inside]] = NEVER
    else:
        published_at = np.datetime64(sheet.published_at.replace(tzinfo=None), "us")
        collected.published_at[places[inside]] = published_at


def date_prices(
    collected: CollectedPrices, stored: FloatArray, *, now: datetime, market: Market
) -> tuple[NDArray[np.bool_], InstantArray]:
    """Return which prices are new or revised, and when each of them became known.

    A new price became known at its stated publication. Without one, it becomes known now for a
    future slot, and at the usual time of publication for a slot that has begun; where a market's
    prices are forecasts, at the slot's end. A revised price becomes known now.

    Args:
        stored: stored prices, NaN where none.
        now: the instant of the fetch.
        market: with its usual time of publication.

    Invariants: nothing is dated after ``now``; a price equal to the stored one up to rounding is
        not new.
    """
    starts = collected.need.timeline.starts
    is_revision = (
        np.isfinite(collected.price)
        & np.isfinite(stored)
        & (np.abs(collected.price - stored) > ROUNDING)
    )
    # An hour at the mean of its stored quarter-hours is no revision: it is from a service with
    # hourly prices, requested while the others were away. The mean is rounded as well.
    _, hour = np.unique(starts.astype("datetime64[h]"), return_inverse=True)
    mean_by_hour = np.bincount(hour, weights=stored) / np.bincount(hour)
    deviates = ~(np.abs(collected.price - mean_by_hour[hour]) <= 2 * ROUNDING)
    has_deviation = np.bincount(hour, weights=deviates) > 0
    is_revision &= has_deviation[hour]
    is_new = np.isfinite(collected.price) & np.isnan(stored)
    moment = np.datetime64(now.replace(tzinfo=None), "us")
    published = np.where(collected.published_at <= starts, collected.published_at, NEVER)
    usual = publication_times(starts, market.zone, market.published)
    if market.publication != "day_ahead":
        usual = starts + np.timedelta64(SLOT)
    observed = np.where(starts > moment, moment, usual)
    known_from = np.where(np.isnat(published), observed, published)
    known_from = np.where(is_revision, moment, known_from)
    return is_new | is_revision, np.minimum(known_from, moment)


def find_confirmed(
    collected: CollectedPrices, stored: LastPublished, *, now: datetime, market: Market
) -> NDArray[np.bool_]:
    """Return a mask of stored forecasts that a source confirms after delivery."""
    if market.publication != "forecast":
        return np.zeros(collected.price.size, dtype=bool)
    starts = collected.need.timeline.starts
    is_over = starts + np.timedelta64(SLOT) <= np.datetime64(now.replace(tzinfo=None))
    is_settled = find_settled(market.publication, starts, stored.published_at, now)
    is_known = np.isfinite(collected.price) & np.isfinite(stored.price)
    return is_known & is_over & ~is_settled


LONGEST_WINDOW = timedelta(days=3 * 366)

log = structlog.get_logger("luna.ingest")


def fetch_prices(
    engine: Engine,
    request: FetchPricesRequest,
    settings: Settings,
    *,
    clock: Clock,
    transport: httpx.BaseTransport | None = None,
) -> FetchPricesReply:
    """Fetch the requested prices, or those that sites lack.

    No transaction is open during the requests to services.

    The reply lists the faults of services. Where ``outside_services`` is off, only a named market
    is fetched.

    Raises:
        NotFoundError: no service has the named market.
        InvalidInputError: the window or the named service is unusable.
    """
    if request.market is None and not settings.outside_services:
        return FetchPricesReply(markets=[])
    with unit_of_work(engine) as connection:
        needs = list_needs(connection, request, now=clock.now())
    collected = gather_all(needs, request, settings, transport=transport)
    with unit_of_work(engine) as connection:
        return store_prices(connection, collected, now=clock.now())


def tell(reply: FetchPricesReply) -> FetchPricesReply:
    """Log a reply, one line per market, and return it.

    An unreachable service is no error of Luna.
    """
    if not reply.reached:
        log.info("prices not fetched: nobody is reached", faults=reply.markets[0].faults)
        return reply
    for market in reply.markets:
        log.info("prices fetched", **market.model_dump(mode="json"))
    return reply


def list_needs(connection: Connection, request: FetchPricesRequest, *, now: datetime) -> list[Need]:
    """Return the windows to request: the named window, or what each market lacks at ``now``.

    Raises:
        NotFoundError: no service has the named market.
        InvalidInputError: the window is reversed, too long or off the quarter-hours.
    """
    stored = sites.load_all(connection).sites
    # The tariffs' markets in each site's currency; a simulated home's prices come from the real
    # market.
    of_sites = {StoredSeries(REAL_MARKET, site.currency) for site in stored if is_simulated(site)}
    for site in stored:
        of_sites |= {StoredSeries(market, site.currency) for market in site.tariff.markets}
    window = _requested_window(request)
    needs = []
    for series in _choose_series(request, sorted(of_sites)):
        timeline = window
        if timeline is None:
            market = market_named(series.name)
            expected = expected_window(now, market)
            known = prices.read(connection, series.name, expected, currency=series.currency)
            timeline = missing_window(known, expected, now=now, zone=market.zone)
            if market.publication == "forecast":
                timeline = _join(timeline, changing_window(expected, now=now))
        if timeline is not None:
            needs.append(Need(series.name, series.currency, timeline))
    return needs


def _choose_series(
    request: FetchPricesRequest, of_sites: Sequence[StoredSeries]
) -> list[StoredSeries]:
    """Return the requested market in its currencies, or all of the sites that services have."""
    if not request.market:
        # Others are an owner's own markets, whose prices come from files.
        return [series for series in of_sites if canonical_market(series.name) in list_markets()]
    if request.currency:
        return [StoredSeries(request.market, request.currency)]
    named = [series for series in of_sites if series.name == request.market]
    return named or [StoredSeries(request.market, market_named(request.market).currency)]


def _requested_window(request: FetchPricesRequest) -> Timeline | None:
    first = request.first
    end = request.end
    if first is None and end is None:
        return None
    if first is None or end is None or not first < end <= first + LONGEST_WINDOW:
        raise refuse("window-of-days", field="first", days=LONGEST_WINDOW.days)
    if (end - first) % SLOT or first.timestamp() % SLOT.total_seconds():
        raise refuse("prices-off-grid", field="first", value=first.isoformat())
    return Timeline(first, SLOT, (end - first) // SLOT)


def gather_all(
    needs: Sequence[Need],
    request: FetchPricesRequest,
    settings: Settings,
    *,
    transport: httpx.BaseTransport | None = None,
) -> list[CollectedPrices]:
    """Fetch prices market by market.

    A service that was not reached is skipped for the other markets.

    Raises:
        InvalidInputError: the named service does not have a market, or lacks its token.
    """
    collected = []
    away: dict[str, str] = {}
    for need in needs:
        sources = choose_sources(
            market_named(need.market),
            need.currency,
            settings,
            named=request.source,
            transport=transport,
        )
        market_prices = collect(sources, need, away)
        if not sources:
            # A token helps where there is a service that needs one.
            lacking = lacking_tokens(need.market, need.currency)
            market_prices.faults = lacking or market_prices.faults
        collected.append(market_prices)
    return collected


def store_prices(
    connection: Connection, collected: Sequence[CollectedPrices], *, now: datetime
) -> FetchPricesReply:
    """Store new and revised prices, and record what was corrected after delivery; idempotent."""
    stored_sites = sites.load_all(connection).sites
    markets = []
    for market in collected:
        need = market.need
        stored = prices.read_last_published(
            connection, need.market, need.timeline, currency=need.currency
        )
        declared = market_named(need.market)
        changed, published_at = date_prices(market, stored.price, now=now, market=declared)
        is_confirmed = find_confirmed(market, stored, now=now, market=declared) & ~changed
        published_at[is_confirmed] = np.datetime64(now.replace(tzinfo=None), "us")
        chosen = changed | is_confirmed
        starts = need.timeline.starts
        prices.upsert(
            connection,
            need.market,
            starts=starts[chosen],
            price=market.price[chosen],
            currency=need.currency,
            published_at=published_at[chosen],
        )
        was_settled = find_settled(declared.publication, starts, stored.published_at, now)
        is_corrected = changed & was_settled
        concerned = find_concerned(stored_sites, need)
        record_corrections(
            connection, market, concerned, before=stored.price, is_corrected=is_corrected
        )
        quarantine_absurd(connection, market, concerned)
        is_missing = np.isnan(stored.price)
        reply = MarketPricesReply(
            market=need.market,
            currency=need.currency,
            first=need.timeline.start,
            end=need.timeline.end,
            added=int((changed & is_missing).sum()),
            revised=int((changed & ~is_missing).sum()),
            corrected=int(is_corrected.sum()),
            missing=int((is_missing & np.isnan(market.price)).sum()),
            sources={source: count for source, count in market.sources.items() if count},
            faults=market.faults,
        )
        markets.append(reply)
    reached = not collected or any(market.reached for market in collected)
    return FetchPricesReply(markets=markets, reached=reached)
