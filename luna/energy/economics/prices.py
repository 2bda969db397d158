"""Import and export prices per slot from a tariff.

Publication times of day-ahead prices stand here as well, and the extension of prices beyond what is
published.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.clock_window import ClockWindow
from luna.energy.physics.mode import BoolArray
from luna.energy.refusals import refuse
from luna.energy.site import (
    OWN,
    OWN_EXPORT,
    OWN_IMPORT,
    FixedPrice,
    ImportRule,
    PriceRule,
    SeriesPrice,
    SpotPrice,
    Tariff,
    TimeOfUsePrice,
)
from luna.energy.timeline import FloatArray, InstantArray, Timeline, local_offsets, repeat_last

# Prices that are the same on paper differ in their last bits where they are sums: 0.1 + 0.2 is no
# 0.3.
PRICE_ROUNDING = 1e-9


def window_holds(window: ClockWindow, starts: InstantArray, zone: ZoneInfo) -> BoolArray:
    """Return which instants (UTC) lie in a local time window, shape of ``starts``.

    A window that ends at or before its begin runs over midnight.
    """
    local = starts + local_offsets(starts, zone)
    minute = (local - local.astype("datetime64[D]")).astype("timedelta64[m]").astype(int)
    weekday = (local.astype("datetime64[D]").astype(int) + 3) % 7
    first = _minutes(window.from_)
    last = _minutes(window.to)
    inside = (
        (minute >= first) & (minute < last) if first < last else (minute >= first) | (minute < last)
    )
    return np.asarray(
        inside & {"all": weekday >= 0, "weekday": weekday < 5, "weekend": weekday >= 5}[window.days]
    )


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


DAY_AHEAD_PUBLISHED = time(13)
SpotPrices = Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class PricedSlots:
    """The input of a price rule: slots, time zone and price series by name.

    ``own`` names the site's own series among them.
    """

    timeline: Timeline
    zone: ZoneInfo
    spot: SpotPrices
    own: str


# Class of a rule → function that returns the price of each slot's first kWh.
_PRICES: dict[type, Callable[[Any, PricedSlots], FloatArray]] = {}
RuleT = TypeVar("RuleT")


def prices(
    rule: type[RuleT],
) -> Callable[
    [Callable[[RuleT, PricedSlots], FloatArray]], Callable[[RuleT, PricedSlots], FloatArray]
]:
    """Register the price function of a kind of rule."""

    def declare(
        price: Callable[[RuleT, PricedSlots], FloatArray],
    ) -> Callable[[RuleT, PricedSlots], FloatArray]:
        _PRICES[rule] = price
        return price

    return declare


def price_slots(
    tariff: Tariff, timeline: Timeline, *, zone: ZoneInfo, spot: SpotPrices
) -> tuple[FloatArray, FloatArray]:
    """Return import and export price per slot, shape ``(slots,)``, currency/kWh.

    NaN where the spot price is unknown.

    A price that depends on the energy drawn before is that of the first kWh; the tariff's
    ``EnergyCharge`` adds the surcharge of later ones.

    Args:
        tariff: of the site.
        timeline: the slots.
        zone: time zone of the tariff's bands.
        spot: prices on ``timeline`` of each of ``tariff.price_series``: markets, and the site's own
            series.

    Raises:
        InvalidInputError: the tariff names a market, or the site's own series, that ``spot`` does
            not hold.
    """
    imported = price_rule(tariff.import_, PricedSlots(timeline, zone, spot, OWN_IMPORT))
    exported = price_rule(tariff.export, PricedSlots(timeline, zone, spot, OWN_EXPORT))
    return imported, exported


def price_rule(rule: ImportRule | PriceRule, slots: PricedSlots) -> FloatArray:
    """Return the price of one rule per slot, shape ``(slots,)``, currency/kWh.

    See ``price_slots``.
    """
    return _PRICES[type(rule)](rule, slots)


@prices(FixedPrice)
def _price_fixed(rule: FixedPrice, slots: PricedSlots) -> FloatArray:
    return np.full(slots.timeline.count, rule.price)


@prices(SpotPrice)
def _price_spot(rule: SpotPrice, slots: PricedSlots) -> FloatArray:
    return (_find_series(rule.market, slots.spot) + rule.markup) * (1.0 + rule.vat)


@prices(SeriesPrice)
def _price_own(_: SeriesPrice, slots: PricedSlots) -> FloatArray:
    return _find_series(slots.own, slots.spot)


@prices(TimeOfUsePrice)
def _price_by_clock(rule: TimeOfUsePrice, slots: PricedSlots) -> FloatArray:
    price = np.full(slots.timeline.count, rule.default)
    for band in reversed(rule.bands):
        price[window_holds(band, slots.timeline.edges[:-1], slots.zone)] = band.price
    return price


def _find_series(name: str, spot: SpotPrices) -> FloatArray:
    if name not in spot:
        raise refuse(
            "no-own-prices" if name.startswith(OWN) else "market-without-prices",
            field="tariff.market",
            value=name.removeprefix(OWN),
        )
    return spot[name]


def publication_times(
    starts: InstantArray, zone: ZoneInfo, at: time = DAY_AHEAD_PUBLISHED
) -> InstantArray:
    """Return the publication time (UTC) of each slot's day-ahead price.

    It is ``at`` local time of the day before, in the shape of ``starts``.

    Source: EPEX SPOT, SDAC timetable (12:57 at the latest on a regular day).
    """
    local_days = (starts + local_offsets(starts, zone)).astype("datetime64[D]")
    days, where = np.unique(local_days, return_inverse=True)
    published_at = []
    for day in days.tolist():
        published = datetime.combine(day - timedelta(days=1), at, zone)
        published_at.append(published.astimezone(UTC).replace(tzinfo=None))
    return np.array(published_at, dtype="datetime64[us]")[where]


def extend_prices(price: FloatArray, published: int, *, slots_per_day: int) -> FloatArray:
    """Replace the prices that are not published yet.

    From slot ``published`` on they are those of the same slot of the last published day.

    Source: docs/decisions/0004: with it, results hardly depend on the terminal value.

    Args:
        price: currency/kWh, shape ``(slots,)``; should begin a day before the slots it is needed
            for.
        published: number of leading slots whose price is published.
        slots_per_day: 96 for quarter-hours.

    Raises:
        InvalidInputError: no price is published, or the published ones have a gap.
    """
    gaps = np.flatnonzero(~np.isfinite(price[:published]))
    if published == 0 or gaps.size:
        slot = int(gaps[0]) if gaps.size else 0
        raise refuse("slot-price-missing", field=f"import_price[{slot}]")
    period = min(slots_per_day, published)
    return np.asarray(price[repeat_last(np.arange(price.size), published, period=period)])
