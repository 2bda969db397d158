"""Features known at the start of each slot, from forecasts as issued and prices as published,
stored once per issue and publication.
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
        """Prices of each slot relative to those after it, over the day's mean, shape
        ``(slots, len(PRICE_NAMES))``; made at first use.
        """
        return compare_prices(*self._prices)

    @property
    def _prices(self) -> list[HourArray]:
        return [
            (series * self.price_factor[:, None]).astype(np.float32)
            for series in self._hours("import_price", "export_price")
        ]

    def _hours(self, *names: str) -> list[HourArray]:
        """Return series of each slot and the hours after its own, each of shape
        ``(slots, HOURS)``.
        """
        at = (self.price_at if "price" in names[0] else self.energy_at)[:, None] + np.arange(
            HOURS - 1
        )
        return [
            np.concatenate(
                [getattr(self, name)[:, None], getattr(self.ahead, name)[at]],
                axis=1,
                dtype=np.float32,
            )
            for name in names
        ]

    @classmethod
    def of_problem(cls, problem: Problem) -> "SlotFeatures":
        """Return the features of each slot of a problem's horizon by its outlook.

        Beyond the horizon its last day repeats.
        """
        outlook = problem.at_tariff_prices.outlook
        timeline = outlook.timeline
        zone = ZoneInfo(problem.site.timezone)
        span = Span(0, timeline.count)
        place = repeat_last(
            np.arange(timeline.count + HORIZON // timeline.step),
            timeline.count,
            period=min(DAY // timeline.step, timeline.count),
        )
        load, pv = (
            (series / timeline.hours)[place] for series in (outlook.load_kwh, outlook.pv_kwh)
        )
        energy = FeatureRows(timeline)
        energy.add(span, load, pv)
        prices = FeatureRows(timeline)
        prices.add(span, outlook.import_price[place], outlook.export_price[place])
        return _join_rows(timeline, zone, energy, prices)

    @classmethod
    def join(cls, parts: Sequence["SlotFeatures"]) -> Self:
        """Return the slots of all parts, one after the other."""
        ends = [0, *np.cumsum([part.ahead.load_kw.size for part in parts]).tolist()]
        price_ends = [0, *np.cumsum([part.ahead.import_price.size for part in parts]).tolist()]
        moved = [
            replace(part, energy_at=part.energy_at + first, price_at=part.price_at + priced)
            for part, first, priced in zip(parts, ends[:-1], price_ends[:-1], strict=True)
        ]
        ahead = HoursAhead(
            **{
                each.name: np.concatenate([getattr(part.ahead, each.name) for part in parts])
                for each in fields(HoursAhead)
            }
        )
        names = [each.name for each in fields(cls) if each.name != "ahead"]
        return cls(
            ahead=ahead,
            **{name: np.concatenate([getattr(part, name) for part in moved]) for name in names},
        )


class Span(NamedTuple):
    """Slots with the same information: the first, and the end."""

    first: int
    end: int


class FeatureRows:
    """Two series as known in spans of a timeline: values of each slot, and means of the hours after
    it.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._per_hour = _HOUR // timeline.step
        self._first_of_hour = int(
            (timeline.starts[0].astype("datetime64[s]").astype(np.int64) % 3600)
            // int(timeline.step.total_seconds())
        )
        self._rows: list[FloatArray] = []
        self._size = 0
        self.now = np.zeros((2, timeline.count))
        self.factor, self.highest = np.ones(timeline.count), np.zeros(timeline.count)
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
        row = (
            values[:, lead : lead + hours * self._per_hour]
            .reshape(2, hours, self._per_hour)
            .mean(axis=2)
        )
        self.at[span.first : span.end] = (
            self._size + (begun + np.arange(count)) // self._per_hour + (0 if lead else 1)
        )
        self._rows.append(row)
        self._size += hours
        self.factor[span.first : span.end] = 1.0 / np.maximum(
            _roll(np.abs(values[0]), DAY // self._timeline.step, count).mean(axis=1), LEAST_SCALE
        )
        self.highest[span.first : span.end] = _roll(
            values[0], _HALF_DAY // self._timeline.step, count
        ).max(axis=1)

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
    """Return the local hour at the start of each slot, and the hours left of its local day, each of
    shape ``(slots,)``.
    """
    local = timeline.starts + local_offsets(timeline.starts, zone)
    hour: FloatArray = (local - local.astype("datetime64[D]")) / np.timedelta64(1, "h")
    whole = Timeline(timeline.start, timeline.step, timeline.count + 2 * DAY // timeline.step)
    edges = np.array(split_days(whole, zone)[1:])
    ends = edges[np.searchsorted(edges, np.arange(timeline.count), side="right")]
    remaining = np.asarray(
        (ends - np.arange(timeline.count)) * (timeline.step / _HOUR), dtype=float
    )
    return hour, remaining


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
        unknown = dict[int, str]()
        energy = FeatureRows(timeline)
        prices = FeatureRows(timeline)
        issued = np.array(
            [each.issued_at.replace(tzinfo=None) for each in scene.forecasts.forecasts],
            dtype="datetime64[us]",
        )
        published = [book.published_at for book in scene.prices.books.values()]

        def expect(now: datetime, ahead: Timeline) -> tuple[FloatArray, ...]:
            return tuple(
                energy_kwh / ahead.hours for energy_kwh in scene.forecasts.ahead(now, ahead)
            )

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
            # A span begins with a local day, or at the first slot after an issue or publication.
            changes = [
                np.searchsorted(timeline.starts.astype("datetime64[us]"), np.unique(each))
                for each in instants
            ]
            edges = np.unique(
                np.concatenate(
                    [np.array([first for first, _ in scene.days]), *changes, [timeline.count]]
                )
            )
            for first, end in pairwise(edges[edges <= timeline.count].tolist()):
                span = Span(first, end)
                reason = _read(rows, lookup, scene, span)
                unknown |= {} if reason is None else dict.fromkeys(range(*span), reason)
        return cls(_join_rows(timeline, scene.zone, energy, prices), unknown)


def _read(
    rows: FeatureRows,
    lookup: Callable[[datetime, Timeline], tuple[FloatArray, ...]],
    scene: ReplayData,
    span: Span,
) -> str | None:
    """Add the series known in a span; return the reason where there are none, else None."""
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
    if not all(each.size == ahead.count and np.isfinite(each).all() for each in series):
        return f"what was known at {ahead.start.isoformat()} has gaps"
    rows.add(span, *series)
    return None
