"""Programmes that run once, from begin to end: what is asked for, as values on the plan's slots."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import LoadState
from luna.errors import InvalidInputError
from luna.site import DeferrableLoad
from luna.timeline import FloatArray, Timeline
from services.planner.placing.load_wish import read_allowed

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Run:
    """One run that is asked for: what each possible start uses per slot, ``(starts, slots)``, begin by begin; it is over at ``by``.

    ``open`` says that there is time for it beyond the horizon.
    """

    use_kwh: FloatArray
    by: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class ProgrammeWish:
    """A programme over the horizon: the runs that are asked for, and what is left of the one that runs at the start, ``(slots,)``."""

    load: DeferrableLoad
    runs: tuple[Run, ...]
    running_kwh: FloatArray

    @property
    def most_kwh(self) -> FloatArray:
        """What it uses at most per slot, whatever its runs' starts, shape ``(slots,)``."""
        return sum((run.use_kwh.max(axis=0, initial=0.0) for run in self.runs), self.running_kwh)

    @property
    def energy_kwh(self) -> float:
        """What one run uses."""
        return sum(self.load.profile_kw) * self.load.profile_minutes / 60


def read_programme(load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo) -> ProgrammeWish:
    """Return what is asked of a programme over a timeline.

    Raises:
        InvalidInputError: a run that is to be over before it may begin.
    """
    edges = np.concatenate([[0.0], np.cumsum(timeline.hours)])
    running = _use_kwh(load, -state.on_hours, edges) if state.on_hours > 0 else np.zeros(timeline.count)
    return ProgrammeWish(load, tuple(_read_runs(load, state, timeline, zone=zone)), running)


def _read_runs(load: DeferrableLoad, state: LoadState, timeline: Timeline, *, zone: ZoneInfo) -> Iterator[Run]:
    edges = np.concatenate([[0.0], np.cumsum(timeline.hours)])
    now = timeline.begin
    allowed = read_allowed(load, timeline, zone) > 0
    for place, run in enumerate(state.runs):
        earliest = max(run.from_ or now, now)
        if run.by <= (run.from_ or now):
            field = f"state.loads.{load.name}.runs.{place}.by"
            raise InvalidInputError("the run is to be over before it may begin", field=field, value=run.by.isoformat(), remedy="Give a later instant.")
        latest = (min(run.by, timeline.end) - now) / HOUR - load.programme_hours
        begins = edges[:-1][(edges[:-1] >= (earliest - now) / HOUR - 1e-9) & (edges[:-1] <= latest + 1e-9)]
        use = np.array([_use_kwh(load, begin, edges) for begin in begins]).reshape(-1, timeline.count)
        fits = ~(use[:, ~allowed] > 0).any(axis=1)
        yield Run(use[fits], run.by.astimezone(UTC), (run.by - timeline.end) / HOUR >= load.programme_hours)


def _use_kwh(load: DeferrableLoad, begin: float, edges: FloatArray) -> FloatArray:
    """Return what a run that begins so many hours after the start uses per slot, shape ``(slots,)``."""
    step = load.profile_minutes / 60
    passed = np.arange(len(load.profile_kw) + 1) * step
    used = np.concatenate([[0.0], np.cumsum(load.profile_kw) * step])
    return np.diff(np.interp(edges - begin, passed, used))
