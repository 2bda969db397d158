"""Compute the features known at the start of each slot.

They come from forecasts as issued and prices as published, and are stored once per issue and
publication.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import (
    FloatArray,
    IndexArray,
    InstantArray,
    Timeline,
    local_offsets,
    repeat_last,
    split_days,
)
from services.agent.environment.summaries import HourArray, compare_prices, sum_up_energy
from services.planner.problem.knowledge import DAY
from services.planner.problem.problem import Problem
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay.data import ReplayData

HOURS = int(HORIZON / timedelta(hours=1))
_HOUR = timedelta(hours=1)
_HALF_DAY = timedelta(hours=12)
# Least divisor of prices, currency/kWh; they are divided by their mean magnitude over a day.
LEAST_SCALE = 0.01


@dataclass(frozen=True, slots=True)
class HoursAhead:
    """Means of whole hours (UTC), all rows end to end: powers in kW, prices in currency/kWh.

    Each of shape ``(hours,)``.
    """

    load_kw: HourArray
    pv_kw: HourArray
    import_price: HourArray
    export_price: HourArray


@dataclass(frozen=True)
class SlotFeatures:
    """Features known at the start of slots, arrays of shape ``(slots,)``.

    ``time_sin`` and ``time_cos`` encode the local clock, ``day_share`` is its time and
    ``day_remaining`` the rest of the local day, both as shares of 24 hours. ``price_factor`` is one
    over the mean magnitude of the import price in the 24 hours from the slot on, ``highest_price``
    the highest in twelve. A slot's hours after its own are the ``HOURS − 1`` values of ``ahead``
    from ``energy_at`` and ``price_at`` on.

    Invariants: nothing depends on what was measured, issued or published after the slot's start.
    """

    time_sin: FloatArray
    time_cos: FloatArray
    day_share: FloatArray
    day_remaining: FloatArray
    load_kw: FloatArray
    pv_kw: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    price_factor: FloatArray
    highest_price: FloatArray
    energy_at: IndexArray
    price_at: IndexArray
    ahead: HoursAhead

    @cached_property
    def energy_summary(self) -> HourArray:
        """Sums of energy in the hours after each slot, kWh, shape ``(slots, len(ENERGY_NAMES))``.

        Made at first use.
        """
        load, pv = self._hours("load_kw", "pv_kw")
        prices = self._prices
        return sum_up_energy(pv - load, *prices)

    @cached_property
    def price_summary(self) -> HourArray:
        """Prices of each slot relative to those after it, over the day's mean.

        Shape ``(slots, len(PRICE_NAMES))``; made at first use.
        """
        return compare_prices(*self._prices)

    @property
    def _prices(self) -> list[HourArray]:
        prices = self._hours("import_price", "export_price")
        factor = self.price_factor[:, None]
        return [(series * factor).astype(np.float32) for series in prices]

    def _hours(self, *names: str) -> list[HourArray]:
        """Return series of each slot and the hours after its own, each ``(slots, HOURS)``."""
        first = self.price_at if "price" in names[0] else self.energy_at
        at = first[:, None] + np.arange(HOURS - 1)
        series = []
        for name in names:
            now = getattr(self, name)[:, None]
            ahead = getattr(self.ahead, name)[at]
            series.append(np.concatenate([now, ahead], axis=1, dtype=np.float32))
        return series

    @classmethod
    def of_problem(cls, problem: Problem) -> "SlotFeatures":
        """Return the features of each slot of a problem's horizon by its outlook.

        Beyond the horizon its last day repeats.
        """
        outlook = problem.at_tariff_prices.outlook
        timeline = outlook.timeline
        zone = ZoneInfo(problem.site.timezone)
        span = Span(0, timeline.count)
        slots = np.arange(timeline.count + HORIZON // timeline.step)
        period = min(DAY // timeline.step, timeline.count)
        place = repeat_last(slots, timeline.count, period=period)
        load = (outlook.load_kwh / timeline.hours)[place]
        pv = (outlook.pv_kwh / timeline.hours)[place]
        energy = FeatureRows(timeline)
        energy.add(span, load, pv)
        prices = FeatureRows(timeline)
        prices.add(span, outlook.import_price[place], outlook.export_price[place])
        return _join_rows(timeline, zone, energy, prices)

    @classmethod
    def join(cls, parts: Sequence["SlotFeatures"]) -> Self:
        """Return the slots of all parts, one after the other."""
        # Indices of hours are moved behind those of the parts before.
        moved = []
        energy_hours = 0
        price_hours = 0
        for part in parts:
            energy_at = part.energy_at + energy_hours
            price_at = part.price_at + price_hours
            moved.append(replace(part, energy_at=energy_at, price_at=price_at))
            energy_hours += part.ahead.load_kw.size
            price_hours += part.ahead.import_price.size
        hours = {}
        for field in fields(HoursAhead):
            series = [getattr(part.ahead, field.name) for part in parts]
            hours[field.name] = np.concatenate(series)
        columns = {}
        for field in fields(cls):
            if field.name != "ahead":
                series = [getattr(part, field.name) for part in moved]
                columns[field.name] = np.concatenate(series)
        return cls(ahead=HoursAhead(**hours), **columns)


class Span(NamedTuple):
    """Slots with the same information: the first, and the end."""

    first: int
    end: int


class FeatureRows:
    """Two series as known in spans of a timeline, by slot and as means of later hours."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._per_hour = _HOUR // timeline.step
        start_s = timeline.starts[0].astype("datetime64[s]").astype(np.int64)
        self._first_of_hour = int((start_s % 3600) // int(timeline.step.total_seconds()))
        self._rows: list[FloatArray] = []
        self._size = 0
        self.now = np.zeros((2, timeline.count))
        self.factor = np.ones(timeline.count)
        self.highest = np.zeros(timeline.count)
        self.at: IndexArray = np.zeros(timeline.count, dtype=np.int64)

    def add(self, span: Span, *series: FloatArray) -> None:
        """Add the series known in a span.

        Each begins with the span and extends one horizon beyond its last slot.
        """
        count = span.end - span.first
        values = np.stack(series)
        self.now[:, span.first : span.end] = values[:, :count]
        begun = (self._first_of_hour + span.first) % self._per_hour
        lead = -begun % self._per_hour
        hours = (values.shape[1] - lead) // self._per_hour
        whole_hours = values[:, lead : lead + hours * self._per_hour]
        self._rows.append(whole_hours.reshape(2, hours, self._per_hour).mean(axis=2))
        # A slot at the begin of an hour looks at the hours after its own.
        hour_of_slot = (begun + np.arange(count)) // self._per_hour + (0 if lead else 1)
        self.at[span.first : span.end] = self._size + hour_of_slot
        self._size += hours
        day = _roll(np.abs(values[0]), DAY // self._timeline.step, count)
        self.factor[span.first : span.end] = 1.0 / np.maximum(day.mean(axis=1), LEAST_SCALE)
        half_day = _roll(values[0], _HALF_DAY // self._timeline.step, count)
        self.highest[span.first : span.end] = half_day.max(axis=1)

    @property
    def hours(self) -> HourArray:
        """All rows, one after the other, shape ``(2, hours)``."""
        # Padding for slots without information, whose index is 0.
        return np.concatenate([*self._rows, np.zeros((2, HOURS))], axis=1, dtype=np.float32)


def _roll(series: FloatArray, width: int, count: int) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(series, width)[:count]


def _join_rows(
    timeline: Timeline, zone: ZoneInfo, energy: FeatureRows, prices: FeatureRows
) -> SlotFeatures:
    hour, hours_remaining = read_clock(timeline, zone)
    angle = 2.0 * np.pi / 24.0 * hour
    load_kw, pv_kw = energy.now
    import_price, export_price = prices.now
    return SlotFeatures(
        time_sin=np.sin(angle),
        time_cos=np.cos(angle),
        day_share=hour / 24.0,
        day_remaining=hours_remaining / 24.0,
        load_kw=load_kw,
        pv_kw=pv_kw,
        import_price=import_price,
        export_price=export_price,
        price_factor=prices.factor,
        highest_price=prices.highest,
        energy_at=energy.at,
        price_at=prices.at,
        ahead=HoursAhead(*energy.hours, *prices.hours),
    )


def read_clock(timeline: Timeline, zone: ZoneInfo) -> tuple[FloatArray, FloatArray]:
    """Return each slot's local hour, and the hours left of its local day, each ``(slots,)``."""
    local = timeline.starts + local_offsets(timeline.starts, zone)
    hour: FloatArray = (local - local.astype("datetime64[D]")) / np.timedelta64(1, "h")
    whole = Timeline(timeline.start, timeline.step, timeline.count + 2 * DAY // timeline.step)
    edges = np.array(split_days(whole, zone)[1:])
    ends = edges[np.searchsorted(edges, np.arange(timeline.count), side="right")]
    slots_left = ends - np.arange(timeline.count)
    return hour, np.asarray(slots_left * (timeline.step / _HOUR), dtype=float)


@dataclass(frozen=True, slots=True)
class SceneKnowledge:
    """The features of each slot of a scene's window.

    ``unknown``: the reasons for slots without features.
    """

    features: SlotFeatures
    unknown: dict[int, str]

    @classmethod
    def of(cls, scene: ReplayData) -> Self:
        """Return the features of a scene's slots."""
        timeline = scene.timeline
        unknown: dict[int, str] = {}
        energy = FeatureRows(timeline)
        prices = FeatureRows(timeline)
        instants_of_issue = [
            forecast.issued_at.replace(tzinfo=None) for forecast in scene.forecasts.forecasts
        ]
        issued = np.array(instants_of_issue, dtype="datetime64[us]")
        published = [book.published_at for book in scene.prices.books.values()]

        def expect(now: datetime, ahead: Timeline) -> tuple[FloatArray, ...]:
            energies = scene.forecasts.ahead(now, ahead)
            return tuple(energy_kwh / ahead.hours for energy_kwh in energies)

        def pay(now: datetime, ahead: Timeline) -> tuple[FloatArray, ...]:
            if ahead.end > scene.prices.timeline.end:
                raise InvalidInputError(
                    "prices end before the horizon does",
                    field="prices",
                    value=scene.prices.timeline.end.isoformat(),
                )
            published_prices = scene.prices.ahead(now, ahead)
            return published_prices.import_price, published_prices.export_price

        for rows, lookup, instants in ((energy, expect, [issued]), (prices, pay, published)):
            for span in _cut_spans(scene, instants):
                reason = _read(rows, lookup, scene, span)
                if reason is not None:
                    unknown |= dict.fromkeys(range(*span), reason)
        return cls(_join_rows(timeline, scene.zone, energy, prices), unknown)


def _cut_spans(scene: ReplayData, instants: Sequence[InstantArray]) -> list[Span]:
    """Return spans from each local day and each issue or publication to the next."""
    timeline = scene.timeline
    starts = timeline.starts.astype("datetime64[us]")
    days = np.array([first for first, _ in scene.days])
    changes = [np.searchsorted(starts, np.unique(series)) for series in instants]
    edges = np.unique(np.concatenate([days, *changes, [timeline.count]]))
    return [Span(*ends) for ends in pairwise(edges[edges <= timeline.count].tolist())]


def _read(
    rows: FeatureRows,
    lookup: Callable[[datetime, Timeline], tuple[FloatArray, ...]],
    scene: ReplayData,
    span: Span,
) -> str | None:
    """Add the series known in a span; return the reason if there are none, else None."""
    timeline = scene.timeline
    ahead = Timeline(
        timeline.start + span.first * timeline.step,
        timeline.step,
        span.end - span.first + HORIZON // timeline.step,
    )
    try:
        series = lookup(ahead.start, ahead)
    except InvalidInputError as error:
        return str(error)
    if not all(part.size == ahead.count and np.isfinite(part).all() for part in series):
        return f"what was known at {ahead.start.isoformat()} has gaps"
    rows.add(span, *series)
    return None
