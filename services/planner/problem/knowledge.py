"""Read prices and forecasts as known at an instant, without leaks from the future.

``actual`` and ``PerfectForesight`` alone read later values.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.contracts.plan import PriceSpan
from luna.energy.economics.prices import extend_prices, price_slots
from luna.energy.economics.typical_prices import TypicalPrices, expect_typical
from luna.energy.local_times import mean_by_interval
from luna.energy.market_publication import PricePublication, find_publication
from luna.energy.outlook import Forecast, Outlook
from luna.energy.policy import PRICE_FORECAST_MAX_AGE
from luna.energy.refusals import refuse
from luna.energy.site import OWN, Site
from luna.energy.tariffs.component import billed_name
from luna.energy.timeline import FloatArray, InstantArray, Timeline, repeat_last
from luna.words import say_instant
from services.planner.problem.price_skill import ComparedPrices, SourcePrices, compare_prices
from services.planner.problem.price_spans import split_spans

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CarbonVintages:
    """Every issue of a place's carbon intensity.

    The timeline begins days before the first instant that is planned. ``slot`` (position on the
    timeline), ``issued_at`` (``datetime64``, UTC) and ``g_per_kwh`` have one value per issue, in
    order of slot and issue.
    """

    timeline: Timeline
    slot: NDArray[np.int64]
    issued_at: InstantArray
    g_per_kwh: FloatArray

    def ahead(self, now: datetime, timeline: Timeline) -> FloatArray | None:
        """Return the intensity of ``timeline``, g/kWh, as issued by ``now``, or None."""
        issued = self.issued_at <= np.datetime64(now.replace(tzinfo=None))
        intensity = np.full(self.timeline.count, np.nan)
        intensity[self.slot[issued]] = self.g_per_kwh[issued]
        if not np.isfinite(intensity).any():
            return None
        first = self.timeline.index_of(timeline.start)
        until_end = intensity[: first + timeline.count]
        return carry_days(until_end, self.timeline)[-timeline.count :]


def carry_days(series: FloatArray, timeline: Timeline) -> FloatArray:
    """Return a series with its gaps filled from earlier days.

    A gap gets the value of the same slot of the last day that has one, or else the mean.
    """
    slots_per_day = round(24 / float(timeline.hours[-1]))
    rest = np.full(-series.size % slots_per_day, np.nan)
    days = np.append(series, rest).reshape(-1, slots_per_day)
    for before, after in pairwise(days):
        after[:] = np.where(np.isfinite(after), after, before)
    filled = days.ravel()[: series.size]
    return np.where(np.isfinite(filled), filled, np.nanmean(series))


@dataclass(frozen=True, slots=True)
class PriceVintages:
    """Every revision of a market's prices on a timeline.

    ``slot`` (position on the timeline), ``published_at`` (``datetime64``, UTC) and ``price``
    (currency/kWh) have one value per revision, in order of slot and publication. ``foreign`` are
    currencies other than the site's in which the market's prices are stored, unused.
    """

    timeline: Timeline
    slot: np.ndarray[tuple[int], np.dtype[np.int64]]
    published_at: InstantArray
    price: FloatArray
    foreign: tuple[str, ...] = ()

    def read(self, now: datetime, first: int, end: int) -> FloatArray:
        """Return the prices of slots ``first:end`` as published by ``now``, NaN without any."""
        # A replay reads months, a plan only days: search first, compare then.
        rows = slice(*np.searchsorted(self.slot, (first, end)))
        published = self.published_at[rows] <= np.datetime64(now.replace(tzinfo=None))
        price = np.full(end - first, np.nan)
        price[self.slot[rows][published] - first] = self.price[rows][published]
        return price

    def read_publications(self, now: datetime, first: int, end: int) -> InstantArray:
        """Return when each price of ``read`` was published, NaT without any."""
        rows = slice(*np.searchsorted(self.slot, (first, end)))
        published = self.published_at[rows] <= np.datetime64(now.replace(tzinfo=None))
        instants = np.full(end - first, np.datetime64("NaT", "us"))
        instants[self.slot[rows][published] - first] = self.published_at[rows][published]
        return instants

    def find_newest(self, now: datetime) -> datetime | None:
        """Return when the source last published a price by ``now``; None without any."""
        published = self.published_at[self.published_at <= np.datetime64(now.replace(tzinfo=None))]
        if not published.size:
            return None
        newest: datetime = published.max().astype("datetime64[us]").astype(datetime)
        return newest.replace(tzinfo=UTC)

    def actual(self, publication: PricePublication) -> FloatArray:
        """Return the price of every slot as settled, or else as finally published.

        Forecasts of a source that publishes again after delivery are left out.
        """
        price = np.full(self.timeline.count, np.nan)
        counts = np.ones(self.slot.size, dtype=bool)
        if publication == "forecast":
            ends = self.timeline.starts[self.slot] + np.timedelta64(self.timeline.step)
            counts = self.published_at >= ends
        price[self.slot[counts]] = self.price[counts]
        return price


@dataclass(frozen=True, slots=True)
class Prices:
    """Import and export price per slot.

    They are published until ``known_until``, and repeat the last known day after it. ``typical``
    maps the markets with typical prices in place of missing ones to the markets of these figures.
    """

    import_price: FloatArray
    export_price: FloatArray
    known_until: datetime
    typical: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _MarketAhead:
    """A market's price per slot.

    ``known`` is the number of slots before the first unpublished one, ``like`` the market whose
    typical prices stand for missing ones, in the slots ``is_typical``.
    """

    price: FloatArray
    known: int
    is_typical: NDArray[np.bool_]
    like: str | None = None


@dataclass(frozen=True, slots=True)
class SitePrices:
    """A site's import and export prices, and the grid's carbon intensity.

    The tariff is applied to the prices of its markets (``tariff.price_series``). ``books`` begin at
    least a day before the first instant that is planned. ``predicts``: typical prices stand for a
    market's missing ones, as in plans of a real home; a replay is refused instead.
    """

    site: Site
    timeline: Timeline
    books: Mapping[str, PriceVintages]
    carbon: CarbonVintages | None = None
    predicts: bool = False
    # A plan asks once per scenario.
    _compared: dict[tuple[str, datetime], ComparedPrices] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def ahead(
        self,
        now: datetime,
        timeline: Timeline,
        *,
        by_own: bool = False,
        unpublished: Mapping[str, FloatArray] | None = None,
    ) -> Prices:
        """Return the prices of ``timeline`` as published by ``now``.

        Later slots repeat the last known day.

        Args:
            now: the instant of the question.
            timeline: the slots.
            by_own: Luna's own prices in place of every forecast of a source, not only of those
                that were worse.
            unpublished: prices of slots of ``timeline`` without a published one, by market, NaN
                where they are not known either.

        Raises:
            InvalidInputError: a price is missing before the end of what is published.
        """
        start = self.timeline.index_of(timeline.start)
        end = start + timeline.count
        # The last known day is repeated, so one day before the start suffices.
        first = max(start - DAY // timeline.step, 0)
        known_end = end
        typical: dict[str, str] = {}
        whole = {}
        for market, book in self.books.items():
            price = book.read(now, first, end)
            compared = self.compare(market, now)
            uses_own = np.isfinite(compared.own) if by_own else compared.replaced
            price = np.where(uses_own[first:end], compared.own[first:end], price)
            if unpublished is not None and market in unpublished:
                ahead_of_plan = price[start - first :]
                price[start - first :] = np.where(
                    np.isnan(ahead_of_plan), unpublished[market], ahead_of_plan
                )
            ahead = self._look_ahead(market, price, first, start)
            known_end = min(known_end, first + ahead.known)
            whole[market] = ahead.price
            if ahead.like is not None:
                typical[market] = ahead.like
        billed = self._average_billed(whole, end)
        spot = {name: price[-timeline.count :] for name, price in (whole | billed).items()}
        imported, exported = self._price_slots(timeline, spot)
        known_until = min(self.timeline.start + known_end * self.timeline.step, timeline.end)
        return Prices(imported, exported, known_until, typical)

    def list_spans(self, now: datetime, timeline: Timeline) -> list[PriceSpan]:
        """Return which version of each market's prices ``ahead`` returns when."""
        start = self.timeline.index_of(timeline.start)
        end = start + timeline.count
        first = max(start - DAY // timeline.step, 0)
        spans: list[PriceSpan] = []
        for market, book in self.books.items():
            ahead = self._look_ahead(market, book.read(now, first, end), first, start)
            published_at = book.read_publications(now, start, end)
            compared = self.compare(market, now)
            replaced = compared.replaced[start:end]
            published_at[replaced] = np.datetime64("NaT")
            is_typical = ahead.is_typical[start - first :] | (
                replaced & compared.is_typical[start:end]
            )
            spans += split_spans(
                market, timeline, published_at=published_at, is_typical=is_typical, now=now
            )
        return spans

    def find_stale(self, now: datetime) -> dict[str, datetime]:
        """Return the markets whose forecasts are too old at ``now``, with their last publication.

        Only sources whose prices change until delivery publish all day.
        """
        stale = {}
        for market, book in self.books.items():
            newest = book.find_newest(now)
            if find_publication(market) != "forecast" or newest is None:
                continue
            if now - newest > PRICE_FORECAST_MAX_AGE:
                stale[market] = newest
        return stale

    def compare_each(self, now: datetime) -> dict[str, ComparedPrices]:
        """Return ``compare`` of every market."""
        return {market: self.compare(market, now) for market in self.books}

    def compare(self, market: str, now: datetime) -> ComparedPrices:
        """Return what settled prices say of a source's forecasts.

        Nothing but in plans of a real home, and of sources whose prices are forecasts until
        delivery.
        """
        if not self.predicts or find_publication(market) != "forecast":
            return ComparedPrices.nothing(self.timeline.count)
        if (market, now) not in self._compared:
            self._compared[market, now] = self._compare_forecasts(market, now)
        return self._compared[market, now]

    def _compare_forecasts(self, market: str, now: datetime) -> ComparedPrices:
        book = self.books[market]
        published = SourcePrices(book.timeline, book.slot, book.published_at, book.price)
        usual = self._expect_typical(market, 0, self.timeline.count)
        return compare_prices(published, now, None if usual is None else usual.price)

    def _average_billed(self, prices: Mapping[str, FloatArray], end: int) -> dict[str, FloatArray]:
        """Return the means of the markets that are billed by longer intervals.

        ``prices`` end at the slot ``end``, each with its own first slot.
        """
        zone = ZoneInfo(self.site.timezone)
        means = {}
        for market, minutes in self.site.tariff.billed_intervals:
            price = prices[market]
            window = self.timeline.window(end - price.size, price.size)
            mean = mean_by_interval(price, window, zone, minutes=minutes)
            means[billed_name(market, minutes)] = mean
        return means

    def _price_slots(
        self, timeline: Timeline, spot: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Return import and export price by the tariff and the markets' prices."""
        return price_slots(self.site.tariff, timeline, zone=ZoneInfo(self.site.timezone), spot=spot)

    def _look_ahead(self, market: str, price: FloatArray, first: int, start: int) -> _MarketAhead:
        """Return the prices of a market, the missing ones replaced.

        ``first`` and ``start`` are the slots at which they and the plan begin.
        """
        usual = self._expect_typical(market, first, price.size)
        if usual is None:
            return self._repeat_last_day(market, price, first, start)
        slots_per_day = DAY // self.timeline.step
        before_plan = start - first
        is_missing = np.isnan(price)
        missing_ahead = np.flatnonzero(is_missing[before_plan:])
        known = before_plan + int(missing_ahead[0]) if missing_ahead.size else price.size
        published = np.flatnonzero(~is_missing)
        # Typical prices fill gaps. Beyond the end the last day is repeated, unless less than a day
        # is known.
        count = int(published[-1]) + 1 if published.size >= slots_per_day else price.size
        is_filled = is_missing & (np.arange(price.size) < count)
        filled = np.where(is_filled, usual.price, price)
        like = usual.like if is_filled[before_plan:].any() else None
        extended = extend_prices(filled, count, slots_per_day=slots_per_day)
        return _MarketAhead(extended, known, is_filled, like)

    def _repeat_last_day(
        self, market: str, price: FloatArray, first: int, start: int
    ) -> _MarketAhead:
        published = np.flatnonzero(np.isfinite(price))
        count = 0
        begin = 0
        if published.size:
            count = int(published[-1]) + 1
            # A new site may have no prices of yesterday: the known ones are repeated.
            begin = min(int(published[0]), start - first)
        # Without any price the whole timeline counts as missing.
        self._require_whole(market, price[begin : count or None], first + begin)
        extended = extend_prices(
            price[begin:], count - begin, slots_per_day=DAY // self.timeline.step
        )
        return _MarketAhead(extended, count, np.zeros(price.size, dtype=bool))

    def _expect_typical(self, market: str, first: int, count: int) -> TypicalPrices | None:
        """Return the typical prices of a market's slots.

        None where a missing price is refused: in replays, of own series, and in another currency.
        """
        if not self.predicts or market.startswith(OWN) or self.books[market].foreign:
            return None
        return expect_typical(
            market,
            self.timeline.window(first, count),
            zone=ZoneInfo(self.site.timezone),
            currency=self.site.currency,
            is_southern=self.site.is_southern,
        )

    def _require_whole(self, market: str, price: FloatArray, first: int) -> None:
        """Refuse gaps in a market's prices."""
        gaps = np.flatnonzero(np.isnan(price))
        if not gaps.size:
            return
        zone = ZoneInfo(self.site.timezone)
        gap_start = self.timeline.start + (first + int(gaps[0])) * self.timeline.step
        since = gap_start.astimezone(zone)
        name = market.removeprefix(OWN)
        figures: dict[str, Any] = {
            "count": int(gaps.size),
            "when": say_instant(since, zone),
            "since": since,
        }
        reason = "prices-missing"
        foreign = self.books[market].foreign
        if foreign:
            is_own = market.startswith(OWN)
            reason = "own-prices-in-other-currency" if is_own else "prices-in-other-currency"
            figures["market"] = name
            figures["known"] = tuple(foreign)
            figures["currency"] = self.site.currency
        raise refuse(reason, field=f"prices.{name}", value=since.isoformat(), **figures)

    def actual(self, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return import and export price of ``timeline`` as finally published.

        Raises:
            InvalidInputError: a slot has no price.
        """
        first = self.timeline.index_of(timeline.start)
        slots = slice(first, first + timeline.count)
        whole = {}
        for market, book in self.books.items():
            whole[market] = book.actual(find_publication(market))
        billed = self._average_billed(whole, self.timeline.count)
        spot = {name: price[slots] for name, price in (whole | billed).items()}
        imported, exported = self._price_slots(timeline, spot)
        missing = np.flatnonzero(np.isnan(imported + exported))
        if missing.size:
            slot_start = list(timeline)[int(missing[0])]
            local_start = slot_start.astimezone(ZoneInfo(self.site.timezone))
            raise refuse("slot-price-missing", field="import_price", value=local_start.isoformat())
        return imported, exported

    def mean_import_price(self, now: datetime, days: int = 7) -> float:
        """Return the mean import price of up to ``days`` days, as published by ``now``.

        Without published prices it is the mean of typical ones, or else 0.
        """
        past = self.import_prices_before(now, days=days)
        past = past[np.isfinite(past)]
        if not past.size and self.predicts:
            past = self._typical_import_prices(now, days)
        return float(past.mean()) if past.size else 0.0

    def _typical_import_prices(self, now: datetime, days: int) -> FloatArray:
        """Return the import price of typical days before ``now``; empty where a market has none."""
        first, past = self._days_before(now, days)
        spot = {}
        for market in self.books:
            usual = self._expect_typical(market, first, past.count)
            if usual is None:
                return np.empty(0)
            spot[market] = usual.price
        imported, _ = self._price_slots(past, spot)
        return imported

    def _days_before(self, now: datetime, days: int) -> tuple[int, Timeline]:
        """Return the first slot and the timeline of up to ``days`` days before ``now``."""
        slot = self.timeline.index_of(now)
        first = max(slot - days * (DAY // self.timeline.step), 0)
        return first, self.timeline.window(first, max(slot - first, 1))

    def import_prices_before(self, now: datetime, *, days: int) -> FloatArray:
        """Return the import prices of up to ``days`` days, as published by ``now``, or NaN."""
        first, past = self._days_before(now, days)
        spot = {
            market: book.read(now, first, first + past.count) for market, book in self.books.items()
        }
        imported, _ = self._price_slots(past, spot)
        return imported


class EnergyOutlook(Protocol):
    """A source of expected load and PV."""

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return expected load and PV of ``timeline`` as known at ``now``, kWh per slot."""


@dataclass(frozen=True, slots=True)
class ForecastArchive:
    """Forecasts in order of issue; each covers its own timeline."""

    forecasts: Sequence[Forecast]

    def latest(self, now: datetime) -> Forecast:
        """Return the forecast last issued at or before ``now``.

        Raises:
            InvalidInputError: none was issued by then.
        """
        index = bisect_right(self.forecasts, now, key=lambda forecast: forecast.issued_at)
        if index == 0:
            raise refuse("no-forecast-then", field="forecast", value=now.isoformat())
        return self.forecasts[index - 1]

    def find(self, now: datetime, *, within: timedelta) -> Forecast | None:
        """Return the forecast last issued at or before ``now``.

        None where it is ``within`` old or older, or begins after ``now``.
        """
        index = bisect_right(self.forecasts, now, key=lambda forecast: forecast.issued_at)
        if index == 0:
            return None
        forecast = self.forecasts[index - 1]
        is_fresh = forecast.issued_at > now - within
        return forecast if is_fresh and forecast.timeline.start <= now else None

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return expected load and PV; slots beyond the forecast's end repeat its last day.

        Raises:
            InvalidInputError: none was issued by ``now``, or the last one begins after ``timeline``
                does.
        """
        forecast = self.latest(now)
        first = (timeline.start - forecast.timeline.start) // timeline.step
        if first < 0:
            raise refuse("no-forecast-then", field="forecast", value=timeline.start.isoformat())
        place = repeat_last(
            np.arange(first, first + timeline.count),
            forecast.timeline.count,
            period=DAY // timeline.step,
        )
        return forecast.load_kwh.expected[place], forecast.pv_kwh.expected[place]


@dataclass(frozen=True, slots=True)
class PerfectForesight:
    """Actual load and PV as the forecast: for policies that measure the cost of forecast errors."""

    timeline: Timeline
    load_kwh: FloatArray
    pv_kwh: FloatArray

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return actual load and PV; ``now`` does not matter."""
        del now
        first = self.timeline.index_of(timeline.start)
        slots = slice(first, first + timeline.count)
        return self.load_kwh[slots], self.pv_kwh[slots]


@dataclass(frozen=True, slots=True)
class MixedForecast:
    """Load from one source, PV from another."""

    load: EnergyOutlook
    pv: EnergyOutlook

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return load and PV of the two sources."""
        load, _ = self.load.ahead(now, timeline)
        _, pv = self.pv.ahead(now, timeline)
        return load, pv


def look_ahead(
    now: datetime, timeline: Timeline, *, energy: EnergyOutlook, prices: SitePrices
) -> Outlook:
    """Return the outlook over ``timeline`` from prices and forecasts as of ``now``."""
    load, pv = energy.ahead(now, timeline)
    site_prices = prices.ahead(now, timeline)
    carbon = prices.carbon.ahead(now, timeline) if prices.carbon else None
    return Outlook(timeline, load, pv, site_prices.import_price, site_prices.export_price, carbon)
