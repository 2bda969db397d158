"""Fault injection in a replay: draw the spans of faults, and run policies under them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from luna.contracts.replay import Fault
from luna.energy.errors import InvalidInputError
from luna.energy.outlook import Forecast
from luna.energy.physics.mode import BoolArray, Mode, SetPoint
from luna.energy.schedule import Policy, whole_range
from luna.energy.timeline import FloatArray, IndexArray, Timeline
from services.planner.problem.knowledge import ForecastArchive, PriceVintages, SitePrices
from services.planner.replay.data import ReplayData
from services.planner.replay.policies import ModelPredictive

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class TimedFault:
    """A fault and its spans, each from the first instant on, before the second."""

    fault: Fault
    spans: tuple[Span, ...]

    @property
    def late(self) -> timedelta:
        """Delay of the fault."""
        return timedelta(hours=self.fault.late_hours)

    def is_active(self, instant: datetime) -> bool:
        """Return whether the fault is active at an instant."""
        return any(first <= instant < end for first, end in self.spans)

    def mask(self, timeline: Timeline) -> BoolArray:
        """Return the mask of slots that begin within the fault."""
        active = np.zeros(timeline.count, dtype=bool)
        for first, end in self.spans:
            active[_slot_from(first, timeline) : _slot_from(end, timeline)] = True
        return active


def _slot_from(instant: datetime, timeline: Timeline) -> int:
    """Return the first slot of a timeline that begins at or after an instant."""
    slot = -((timeline.start - instant) // timeline.step)
    return int(np.clip(slot, 0, timeline.count))


def draw_faults(faults: Sequence[Fault], timeline: Timeline, *, seed: int) -> list[TimedFault]:
    """Return each fault with its spans.

    A fault without an instant strikes at ``times`` instants drawn by the seed and its position.
    """
    timed_faults = []
    for place, fault in enumerate(faults):
        length = timedelta(hours=fault.hours)
        if fault.from_ is None:
            last = max((timeline.end - length - timeline.start) // timeline.step, 0)
            drawn = np.random.default_rng([seed, place]).integers(0, last + 1, fault.times)
            begins = [timeline.start + first * timeline.step for first in np.sort(drawn).tolist()]
        else:
            begins = [fault.from_]
        spans = tuple((begin, begin + length) for begin in begins)
        timed_faults.append(TimedFault(fault, spans))
    return timed_faults


@dataclass(frozen=True, slots=True)
class FaultEffects:
    """The effects of faults; arrays of shape ``(slots,)``.

    Args:
        scene: with altered forecasts and prices.
        frozen: whether the sensor repeats its last value.
        deaf: whether the inverter follows no command.
        unplanned: whether the planner is down.
        off_grid: whether the grid is out.
        behind: slots by which the clock is late.
    """

    scene: ReplayData
    frozen: BoolArray
    deaf: BoolArray
    unplanned: BoolArray
    off_grid: BoolArray
    behind: IndexArray

    @classmethod
    def of(cls, scene: ReplayData, faults: Sequence[TimedFault]) -> "FaultEffects":
        """Return the joint effects of several faults."""
        timeline = scene.timeline
        kinds = ("sensor_frozen", "command_lost", "planner_down", "grid_outage")
        masks = {kind: np.zeros(timeline.count, dtype=bool) for kind in kinds}
        behind = np.zeros(timeline.count, dtype=np.int64)
        for fault in faults:
            kind = fault.fault.kind
            active = fault.mask(timeline)
            if kind in masks:
                masks[kind][active] = True
            if kind == "clock_behind":
                behind[active] += fault.late // timeline.step
        faulty = replace(
            scene,
            prices=_spoil_prices(scene.prices, faults),
            forecasts=_spoil_forecasts(scene.forecasts, faults),
        )
        return cls(
            faulty,
            frozen=masks["sensor_frozen"],
            deaf=masks["command_lost"],
            unplanned=masks["planner_down"],
            off_grid=masks["grid_outage"],
            behind=behind,
        )


def _spoil_forecasts(book: ForecastArchive, faults: Sequence[TimedFault]) -> ForecastArchive:
    """Return the forecasts without missing ones, and with delayed instants of issue."""
    forecasts: list[Forecast] = list(book.forecasts)
    for fault in faults:
        if fault.fault.kind == "forecasts_missing":
            forecasts = [
                forecast for forecast in forecasts if not fault.is_active(forecast.issued_at)
            ]
        if fault.fault.kind == "forecasts_late":
            for place, forecast in enumerate(forecasts):
                if fault.is_active(forecast.issued_at):
                    issued_at = forecast.issued_at + fault.late
                    forecasts[place] = replace(forecast, issued_at=issued_at)
    return ForecastArchive(sorted(forecasts, key=lambda forecast: forecast.issued_at))


def _spoil_prices(site_prices: SitePrices, faults: Sequence[TimedFault]) -> SitePrices:
    """Return the prices with delayed publication instants; the final prices stay."""
    books = dict(site_prices.books)
    for fault in faults:
        if fault.fault.kind == "prices_late":
            late = np.timedelta64(fault.late)
        elif fault.fault.kind == "prices_missing":
            late = np.timedelta64(365 * 100, "D")
        else:
            continue
        books = {market: _delay(book, fault, late) for market, book in books.items()}
    return replace(site_prices, books=books)


def _delay(book: PriceVintages, fault: TimedFault, late: np.timedelta64) -> PriceVintages:
    published = book.published_at
    for first, end in fault.spans:
        is_after_begin = book.published_at >= np.datetime64(first.replace(tzinfo=None))
        is_before_end = book.published_at < np.datetime64(end.replace(tzinfo=None))
        is_late = is_after_begin & is_before_end
        published = np.where(is_late, book.published_at + late, published)
    return replace(book, published_at=published)


@dataclass
class FaultyPolicy:
    """A policy under faults.

    If it cannot decide or its command is lost, the fall-back is self-consumption, as in the
    executor. While the planner is down, the last plan is followed until it is too old.
    """

    policy: Policy
    fault_effects: FaultEffects
    sensor_kwh: FloatArray

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-point, self-consumption where a command is lost."""
        effects = self.fault_effects
        if not effects.frozen[slot]:
            self.sensor_kwh = stored_kwh
        if effects.deaf[slot]:
            return _self_consumption(stored_kwh)
        if isinstance(self.policy, ModelPredictive):
            self.policy.may_plan = not effects.unplanned[slot]
        clock_slot = max(slot - int(effects.behind[slot]), 0)
        try:
            return self.policy.decide(clock_slot, self.sensor_kwh)
        except InvalidInputError:
            # Without a forecast or price there is no plan to follow.
            return _self_consumption(stored_kwh)


def _self_consumption(stored_kwh: FloatArray) -> SetPoint:
    modes = np.full_like(stored_kwh, Mode.SELF_CONSUMPTION, dtype=np.int8)
    return whole_range(modes, np.zeros(1, dtype=np.int8))
