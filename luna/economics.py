"""What a slot costs: the only place where money and carbon are computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.errors import InvalidInputError
from luna.physics import Curtailment, IntArray
from luna.site import FixedPrice, PeakPrice, PriceBand, PriceRule, Site, SpotPrice, Tariff, TimeOfUsePrice
from luna.timeline import FloatArray, InstantArray, Timeline, local_offsets, repeat_last

DAY_AHEAD_PUBLISHED = time(13)
SpotPrices = Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Costs:
    """Cost per slot in the site's currency; earnings are negative. Arrays have the slot as their last axis."""

    import_cost: FloatArray
    export_cost: FloatArray
    wear_cost: FloatArray

    @property
    def total(self) -> FloatArray:
        """The sum of the parts, per slot."""
        return self.import_cost + self.export_cost + self.wear_cost


def price_slots(tariff: Tariff, timeline: Timeline, *, zone: ZoneInfo, spot: SpotPrices) -> tuple[FloatArray, FloatArray]:
    """Return import and export price per slot, shape ``(slots,)``, currency/kWh; NaN where the spot price is unknown.

    Raises:
        InvalidInputError: the tariff names a market that ``spot`` does not hold.
    """
    return _price_rule(tariff.import_, timeline, zone, spot), _price_rule(tariff.export, timeline, zone, spot)


def _price_rule(rule: PriceRule, timeline: Timeline, zone: ZoneInfo, spot: SpotPrices) -> FloatArray:
    if isinstance(rule, FixedPrice):
        return np.full(timeline.count, rule.price)
    if isinstance(rule, SpotPrice):
        if rule.market not in spot:
            raise InvalidInputError("no prices of this market", field="tariff.market", value=rule.market, remedy="Load them: luna data load --kind prices.")
        return (spot[rule.market] + rule.markup) * (1.0 + rule.vat)
    return _time_of_use(rule, timeline, zone)


def _time_of_use(rule: TimeOfUsePrice, timeline: Timeline, zone: ZoneInfo) -> FloatArray:
    local = timeline.starts + local_offsets(timeline.starts, zone)
    minute = (local - local.astype("datetime64[D]")).astype("timedelta64[m]").astype(int)
    weekday = (local.astype("datetime64[D]").astype(int) + 3) % 7
    price = np.full(timeline.count, rule.default)
    for band in reversed(rule.bands):
        price[_band_holds(band, minute, weekday)] = band.price
    return price


def _band_holds(band: PriceBand, minute: NDArray[np.int_], weekday: NDArray[np.int_]) -> NDArray[np.bool_]:
    first, last = _minutes(band.from_), _minutes(band.to)
    inside = (minute >= first) & (minute < last) if first < last else (minute >= first) | (minute < last)
    days = {"all": weekday >= 0, "weekday": weekday < 5, "weekend": weekday >= 5}[band.days]
    return inside & days


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def slot_costs(
    *,
    import_kwh: FloatArray,
    export_kwh: FloatArray,
    throughput_kwh: FloatArray,
    import_price: FloatArray,
    export_price: FloatArray,
    wear_price: FloatArray | float,
) -> Costs:
    """Return what each slot costs; all arrays broadcast against each other.

    Args:
        import_kwh: energy bought, at the meter.
        export_kwh: energy sold, at the meter.
        throughput_kwh: charge + discharge per battery at its terminals, shape ``(batteries, …)``.
        import_price: currency/kWh.
        export_price: currency/kWh earned.
        wear_price: currency per kWh of throughput, per battery, shape ``(batteries, 1)`` or one number.
    """
    wear = (throughput_kwh * wear_price).sum(axis=0)
    return Costs(import_kwh * import_price, -export_kwh * export_price, wear)


def curtailment_rule(import_price: FloatArray, export_price: FloatArray, *, house_first: bool = False) -> IntArray:
    """Return how PV that may be held back is used: not exported where that costs money, off where importing is paid and selling is not.

    Where both pay, PV is sold: which pays more depends on load and sun, and a plan that knows them may choose otherwise.
    ``house_first``: PV keeps serving house and battery even then, because a battery may take from nothing else.
    """
    kept = np.where(export_price < 0, Curtailment.EXPORT, Curtailment.NONE)
    off = (import_price < 0) & (export_price <= 0) & (not house_first)
    return np.where(off, Curtailment.ALL, kept).astype(np.int8)


def site_curtailment(site: Site, import_price: FloatArray, export_price: FloatArray) -> IntArray:
    """Return the rule for a site's PV: none where it may not be held back, the house first where a battery may take from nothing else."""
    if not site.curtailable:
        return np.zeros(import_price.shape, dtype=np.int8)
    return curtailment_rule(import_price, export_price, house_first=not all(battery.charge_from_grid for battery in site.batteries))


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The value of one stored kWh at which an action neither gains nor loses, currency per stored kWh, any shape.

    Above ``buy`` it pays to charge from the grid, above ``store`` to store surplus, above ``spill`` to store surplus that would be held back;
    below ``serve`` to serve the load, below ``sell`` to export, below ``displace`` to empty it in the place of PV that is then held back.
    """

    buy: FloatArray
    store: FloatArray
    spill: FloatArray
    serve: FloatArray
    sell: FloatArray
    displace: FloatArray


def break_even(import_price: FloatArray, export_price: FloatArray, *, charge_efficiency: float, discharge_efficiency: float, wear_price: float) -> BreakEven:
    """Return the break-even values of a battery's four actions; wear counts on both sides.

    ``export_price`` is what surplus earns when it is not stored: 0 where it would be held back instead of sold at a loss.
    """
    return BreakEven(
        buy=(import_price + wear_price) / charge_efficiency,
        store=(export_price + wear_price) / charge_efficiency,
        spill=np.full_like(import_price, wear_price / charge_efficiency),
        serve=(import_price - wear_price) * discharge_efficiency,
        sell=(export_price - wear_price) * discharge_efficiency,
        displace=np.full_like(import_price, -wear_price * discharge_efficiency),
    )


def peak_cost(import_kwh: FloatArray, timeline: Timeline, peak: PeakPrice, *, incurred_kw: list[float] | None = None) -> float:
    """Return what a capacity tariff adds for one month's window: price × mean of the highest intervals, above what was incurred already.

    Raises:
        InvalidInputError: the slots are longer than the tariff's interval.
    """
    interval = timedelta(minutes=peak.interval_minutes)
    if timeline.step > interval:
        raise InvalidInputError(
            "slots are longer than the tariff's interval", field="tariff.peak.interval_minutes", value=peak.interval_minutes, remedy="Plan in shorter slots."
        )
    before = sorted([*(incurred_kw or []), *([0.0] * peak.highest)], reverse=True)
    ticks = (timeline.starts.astype("datetime64[s]").astype(np.int64)) // int(interval.total_seconds())
    _, where = np.unique(ticks, return_inverse=True)
    means = np.bincount(where, weights=import_kwh) / (interval / timedelta(hours=1))
    after = sorted([*before, *means.tolist()], reverse=True)
    rise: float = sum(after[: peak.highest]) - sum(before[: peak.highest])
    return float(peak.price_per_kw_month * rise / peak.highest)


def carbon_g(import_kwh: FloatArray, carbon_g_per_kwh: FloatArray) -> float:
    """Return the carbon of what is imported, grams; exports are not credited."""
    return float(np.sum(import_kwh * carbon_g_per_kwh))


def publication_times(starts: InstantArray, zone: ZoneInfo) -> InstantArray:
    """Return when day-ahead prices of each slot became known: 13:00 of the market's local day before, shape of ``starts``.

    Source: EPEX SPOT, SDAC timetable (12:57 at the latest on a regular day).
    """
    days, where = np.unique((starts + local_offsets(starts, zone)).astype("datetime64[D]"), return_inverse=True)
    known = [datetime.combine(day - timedelta(days=1), DAY_AHEAD_PUBLISHED, zone).astimezone(UTC) for day in days.tolist()]
    return np.array([instant.replace(tzinfo=None) for instant in known], dtype="datetime64[us]")[where]


def extend_prices(price: FloatArray, known: int, *, slots_per_day: int) -> FloatArray:
    """Replace everything from slot ``known`` on by the same slot of the last known day.

    Source: docs/decisions/0004: with it, results hardly depend on the terminal value.

    Args:
        price: currency/kWh, shape ``(slots,)``; should begin a day before the slots it is needed for.
        known: number of leading slots whose price is published.
        slots_per_day: 96 for quarter-hours.

    Raises:
        InvalidInputError: nothing is known, or there is a gap in what is known.
    """
    gaps = np.flatnonzero(~np.isfinite(price[:known]))
    if known == 0 or gaps.size:
        slot = int(gaps[0]) if gaps.size else 0
        raise InvalidInputError("the price of this slot is missing", field=f"import_price[{slot}]", remedy="Load it: luna data load --kind prices.")
    return np.asarray(price[repeat_last(np.arange(price.size), known, period=min(slots_per_day, known))])
