"""Programmes in a plan: runs of given power steps, begun once each when requested."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.contracts.plan.columns import Columns
from luna.energy.devices.appliance import APPLIANCE, DeferrableLoad, LoadRun, LoadState
from luna.energy.physics.mode import BoolArray
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices.appliance.shared import (
    LOAD_SLACK,
    explain_idle,
    list_limits,
    read_allowed,
    takes_surplus_alone,
    write_columns,
)
from services.planner.devices.causes import (
    LITTLE_KWH,
    NOTHING_KWH,
    DeviceReasons,
    SlotReasonBuilder,
    SlotWindow,
)
from services.planner.devices.kind import DemandColumns, LoadPricing, MissedDemand, SurplusUse
from services.planner.linear.model import Indices, ModelBuilder

HOUR = timedelta(hours=1)
# Uses below this are the solver's inaccuracy.
_INACCURACY_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class CycleRun:
    """One requested run.

    Args:
        use_kwh: energy per slot for each possible start, ``(starts, slots)``, in the order of the
            starts.
        by: its deadline.
        open: whether there is time for it after the horizon.
    """

    use_kwh: FloatArray
    by: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class CycleDemand:
    """A programme over the horizon.

    ``running_kwh`` is the energy left of the run under way at the start, ``(slots,)``.
    """

    section: ClassVar[str] = APPLIANCE.section

    load: DeferrableLoad
    runs: tuple[CycleRun, ...]
    running_kwh: FloatArray

    @property
    def name(self) -> str:
        return self.load.name

    @property
    def most_kwh(self) -> FloatArray:
        """The most energy that it can use per slot, whenever its runs start, ``(slots,)``."""
        most = self.running_kwh
        for run in self.runs:
            most = most + run.use_kwh.max(axis=0, initial=0.0)
        return most

    @property
    def energy_kwh(self) -> float:
        """The energy of one run."""
        return sum(self.load.profile_kw) * self.load.profile_minutes / 60

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        return self.running_kwh

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        return self.most_kwh

    def is_settled(self, hours: FloatArray) -> bool:
        return True

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "CycleDemand":
        return self

    def pin(self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray) -> None:
        """Return None: the requested runs decide when it runs."""

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add its use per slot, and whether each of its runs is missed.

        No run is split, and a run under way at the start goes on.
        """
        use = builder.add_columns(
            self.running_kwh.size, cost=0.0, lower=self.running_kwh, upper=self.most_kwh
        )
        # rows use[t] == running[t] + sum over all runs and starts of start * run's use[t]
        used = builder.add_rows(self.running_kwh, self.running_kwh, [(use, 1.0)])
        surplus_alone = takes_surplus_alone(self.load, ahead)
        most_allowed = np.where(surplus_alone, ahead.surplus_kwh, np.inf) + 1e-9
        missed = [use[:0]]
        for run in self.runs:
            fits = ~(run.use_kwh > most_allowed).any(axis=1)
            starts = builder.add_columns(
                run.use_kwh.shape[0],
                cost=run.use_kwh @ ahead.tie,
                upper=fits.astype(float),
                integer=True,
            )
            # A run that may wait beyond the horizon will cost the mean price.
            price = max(ahead.mean_price, 0.0) if run.open else LOAD_SLACK * ahead.dearest
            skipped = builder.add_columns(1, cost=price * self.energy_kwh, upper=1.0)
            # row sum(starts) + skipped == 1
            builder.add_sum(1.0, 1.0, [(starts, 1.0), (skipped, 1.0)])
            start, slot = np.nonzero(run.use_kwh)
            builder.add_entries(used[slot], starts[start], -run.use_kwh[start, slot])
            missed.append(skipped)
        surplus = SurplusUse(
            use, np.ones(use.size), self.most_kwh, surplus_alone & (self.running_kwh == 0)
        )
        read_schedule = partial(_read_schedule, self, use, np.concatenate(missed))
        return DemandColumns(use, 1.0, read_schedule, surplus=surplus)


@dataclass(frozen=True, slots=True)
class CycleSchedule:
    """A programme's schedule: the energy used, ``(slots,)``, and the missed share of each run."""

    demand: CycleDemand
    use_kwh: FloatArray
    missed_runs: FloatArray

    def columns(self) -> Columns:
        return write_columns(self.use_kwh)

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield the missed runs that cannot wait beyond the horizon."""
        demand = self.demand
        for run, share in zip(demand.runs, self.missed_runs.tolist(), strict=True):
            if share > 0 and not run.open:
                figures = {"name": demand.name, "by": run.by.astimezone(zone)}
                figures |= list_limits(demand.load)
                yield MissedDemand("load_run", demand.energy_kwh, figures)

    def explain(self, reasons: DeviceReasons) -> Columns:
        """Return the reason of every slot until the last requested run's deadline."""
        demand = self.demand
        slot_reasons = SlotReasonBuilder(self.use_kwh.size)
        end = reasons.outlook.timeline.end
        last_deadline = max((run.by for run in demand.runs), default=end)
        until = min(last_deadline, end)
        window = SlotWindow(
            np.array([begin < until for begin in reasons.outlook.timeline]),
            until,
            used_kwh=self.use_kwh,
            least_kwh=demand.most_kwh,
            most_kwh=demand.most_kwh,
            missing_kwh=float(self.missed_runs.sum()) * demand.energy_kwh,
            whole=True,
        )
        reasons.explain_window(slot_reasons, window, explain_idle(reasons, window))
        # A run under way at the start goes on regardless of the requests.
        slot_reasons.set_reasons(window.chosen, "load_programme")
        for run, used in _match_runs(demand, self.use_kwh):
            run_window = SlotWindow(used > NOTHING_KWH, run.by, used, used, used, whole=True)
            reasons.explain_window(slot_reasons, run_window, "load_programme")
        return slot_reasons.write()

    @property
    def storage(self) -> None:
        return None

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield nothing: a programme cannot be pinned."""
        yield from ()


def _read_schedule(
    demand: CycleDemand, use: Indices, missed: Indices, column: FloatArray
) -> CycleSchedule:
    """Read a programme's schedule from the values of all columns."""
    used = column[use]
    used = np.where(used > _INACCURACY_KWH, used, 0.0)
    return CycleSchedule(demand, used, np.round(column[missed]))


def _match_runs(demand: CycleDemand, use_kwh: FloatArray) -> Iterator[tuple[CycleRun, FloatArray]]:
    """Yield each scheduled run with its energy per slot.

    The schedule is cut into energies of one run each. Each is matched with the first run by
    deadline that one of its starts would use in the same way.
    """
    energy_kwh = demand.energy_kwh
    if energy_kwh <= 0:
        return
    done = np.cumsum(np.maximum(use_kwh - demand.running_kwh, 0.0))
    open_runs = sorted(demand.runs, key=lambda run: run.by)
    for number in range(round(float(done[-1]) / energy_kwh)):
        through = np.clip(done, number * energy_kwh, (number + 1) * energy_kwh)
        used = np.diff(through, prepend=number * energy_kwh)
        match = next((run for run in open_runs if _fits_run(run, used)), None)
        if match is not None:
            open_runs = [run for run in open_runs if run is not match]
            yield match, used


def _fits_run(run: CycleRun, used: FloatArray) -> bool:
    if not run.use_kwh.size:
        return False
    deviations = np.abs(run.use_kwh - used).max(axis=1)
    return bool(deviations.min() < LITTLE_KWH)


def read_cycle(
    load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo
) -> CycleDemand:
    """Return a programme's demand over a timeline.

    Raises:
        InvalidInputError: a run's deadline is before its earliest begin.
    """
    edges = np.concatenate([[0.0], np.cumsum(timeline.hours)])
    running = np.zeros(timeline.count)
    if state.on_hours > 0:
        running = _use_kwh(load, -state.on_hours, edges)
    allowed = read_allowed(load, timeline, zone) > 0
    runs = []
    for place, run in enumerate(state.runs):
        if run.by <= (run.from_ or timeline.begin):
            raise refuse(
                "ends-before-start",
                field=f"state.loads.{load.name}.runs.{place}.by",
                value=run.by.astimezone(zone).isoformat(),
            )
        runs.append(_read_run(load, run, timeline, edges=edges, allowed=allowed))
    return CycleDemand(load, tuple(runs), running)


def _read_run(
    load: DeferrableLoad,
    run: LoadRun,
    timeline: Timeline,
    *,
    edges: FloatArray,
    allowed: BoolArray,
) -> CycleRun:
    """Return a requested run with the energy of each possible start.

    ``edges`` are the slots' edges, in hours after the timeline's begin.
    """
    now = timeline.begin
    earliest = (max(run.from_ or now, now) - now) / HOUR
    latest = (min(run.by, timeline.end) - now) / HOUR - load.programme_hours
    begins = edges[:-1]
    begins = begins[(begins >= earliest - 1e-9) & (begins <= latest + 1e-9)]
    use = np.array([_use_kwh(load, begin, edges) for begin in begins])
    use = use.reshape(-1, timeline.count)
    fits = ~(use[:, ~allowed] > 0).any(axis=1)
    later_hours = (run.by - timeline.end) / HOUR
    return CycleRun(use[fits], by=run.by.astimezone(UTC), open=later_hours >= load.programme_hours)


def _use_kwh(load: DeferrableLoad, begin: float, edges: FloatArray) -> FloatArray:
    """Return the energy per slot of a run that begins ``begin`` hours after the start."""
    step = load.profile_minutes / 60
    passed = np.arange(len(load.profile_kw) + 1) * step
    used = np.concatenate([[0.0], np.cumsum(load.profile_kw) * step])
    return np.diff(np.interp(edges - begin, passed, used))
