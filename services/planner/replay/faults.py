"""Fault injection in a replay: place faults on the window, and run policies under them."""

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
class PlacedFault:
    """A fault and its spans, each from the first instant on, before the second."""

    fault: Fault
    spans: tuple[Span, ...]

    @property
    def late(self) -> timedelta:
        """Delay of the fault."""
        return timedelta(hours=self.fault.late_hours)

    def strikes(self, instant: datetime) -> bool:
        """Return whether the fault is active at an instant."""
        return any(first <= instant < end for first, end in self.spans)

    def mask(self, timeline: Timeline) -> BoolArray:
        """Return the mask of slots that begin within the fault."""
        hit = np.zeros(timeline.count, dtype=bool)
        for first, end in self.spans:
            bounds = (
                int(np.clip(-((timeline.start - instant) // timeline.step), 0, timeline.count))
                for instant in (first, end)
            )
            hit[slice(*bounds)] = True
        return hit


def place_faults(faults: Sequence[Fault], timeline: Timeline, *, seed: int) -> list[PlacedFault]:
    """Return each fault with its spans: at its own instant, else at ``times`` instants drawn by the
    seed and the fault's position.
    """
    placed = []
    for place, fault in enumerate(faults):
        length = timedelta(hours=fault.hours)
        if fault.from_ is None:
            last = max((timeline.end - length - timeline.start) // timeline.step, 0)
            drawn = np.random.default_rng([seed, place]).integers(0, last + 1, fault.times)
            begins = [timeline.start + first * timeline.step for first in np.sort(drawn).tolist()]
        else:
            begins = [fault.from_]
        placed.append(PlacedFault(fault, tuple((begin, begin + length) for begin in begins)))
    return placed


@dataclass(frozen=True, slots=True)
class FaultEffects:
    """The effects of faults: a scene with altered forecasts and prices, and masks of shape
    ``(slots,)``.

    ``frozen``: the sensor repeats its last value; ``deaf``: the inverter follows no command;
    ``unplanned``: the planner is down; ``off_grid``: grid outage; ``behind``: slots by which the
    clock is late.
    """

    scene: ReplayData
    frozen: BoolArray
    deaf: BoolArray
    unplanned: BoolArray
    off_grid: BoolArray
    behind: IndexArray

    @classmethod
    def of(cls, scene: ReplayData, placed: Sequence[PlacedFault]) -> "FaultEffects":
        """Return the joint effects of several faults."""
        timeline = scene.timeline
        clear = np.zeros(timeline.count, dtype=bool)
        masks = {
            kind: clear.copy()
            for kind in ("sensor_frozen", "command_lost", "planner_down", "grid_outage")
        }
        behind = np.zeros(timeline.count, dtype=np.int64)
        for each in placed:
            hit = each.mask(timeline)
            masks.get(each.fault.kind, clear.copy())[hit] = True
            behind[hit] += each.late // timeline.step if each.fault.kind == "clock_behind" else 0
        faulty = replace(
            scene,
            prices=_spoil_prices(scene.prices, placed),
            forecasts=_spoil_forecasts(scene.forecasts, placed),
        )
        return cls(
            faulty,
            masks["sensor_frozen"],
            masks["command_lost"],
            masks["planner_down"],
            masks["grid_outage"],
            behind,
        )


def _spoil_forecasts(book: ForecastArchive, placed: Sequence[PlacedFault]) -> ForecastArchive:
    """Return the forecasts without missing ones, and with delayed instants of issue."""
    forecasts: list[Forecast] = list(book.forecasts)
    for each in placed:
        if each.fault.kind == "forecasts_missing":
            forecasts = [forecast for forecast in forecasts if not each.strikes(forecast.issued_at)]
        if each.fault.kind == "forecasts_late":
            forecasts = [
                replace(one, issued_at=one.issued_at + each.late)
                if each.strikes(one.issued_at)
                else one
                for one in forecasts
            ]
    return ForecastArchive(sorted(forecasts, key=lambda forecast: forecast.issued_at))


def _spoil_prices(site_prices: SitePrices, placed: Sequence[PlacedFault]) -> SitePrices:
    """Return the prices with delayed publication instants; the final prices stay."""
    books = dict(site_prices.books)
    for each in placed:
        if each.fault.kind in ("prices_late", "prices_missing"):
            late = (
                np.timedelta64(each.late)
                if each.fault.kind == "prices_late"
                else np.timedelta64(365 * 100, "D")
            )
            books = {market: _delay(book, each, late) for market, book in books.items()}
    return replace(site_prices, books=books)


def _delay(book: PriceVintages, placed: PlacedFault, late: np.timedelta64) -> PriceVintages:
    published = book.published_at
    for first, end in placed.spans:
        hit = (book.published_at >= np.datetime64(first.replace(tzinfo=None))) & (
            book.published_at < np.datetime64(end.replace(tzinfo=None))
        )
        published = np.where(hit, book.published_at + late, published)
    return replace(book, published_at=published)


@dataclass
class FaultyPolicy:
    """A policy under faults: where it cannot decide or its command is lost, the fall-back is
    self-consumption, as in the executor.

    While the planner is down, the last plan is followed until it is too old.
    """

    policy: Policy
    fault_effects: FaultEffects
    sensor_kwh: FloatArray

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-point, self-consumption where a command is lost."""
        self.sensor_kwh = self.sensor_kwh if self.fault_effects.frozen[slot] else stored_kwh
        if self.fault_effects.deaf[slot]:
            return _own(stored_kwh)
        if isinstance(self.policy, ModelPredictive):
            self.policy.may_plan = not self.fault_effects.unplanned[slot]
        try:
            return self.policy.decide(
                max(slot - int(self.fault_effects.behind[slot]), 0), self.sensor_kwh
            )
        except InvalidInputError:
            # Without a forecast or price there is no plan to follow.
            return _own(stored_kwh)


def _own(stored_kwh: FloatArray) -> SetPoint:
    return whole_range(
        np.full_like(stored_kwh, Mode.SELF_CONSUMPTION, dtype=np.int8), np.zeros(1, dtype=np.int8)
    )
