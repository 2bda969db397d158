"""A stretch of recorded days as it would have been for a changed site: its load and sun, what was expected of them, its prices."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from luna.energy.devices.kind import NamedDevice
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices import PLANNED_KINDS
from services.planner.problem.knowledge import DAY, EnergyOutlook, PerfectForesight, SitePrices
from services.planner.replay import ReplayData

USUAL_DAYS = 7
# Of what recorded days can tell when a variant adds it.
ADDED_KINDS = tuple(kind for kind in PLANNED_KINDS if kind.add)
# What a replay can take to be different; sensors, forecasts and control play no part in it.
_REPLAYED = frozenset({"batteries", "pv", "grid", "tariff", "input_sensors", "forecasting", "control", *(kind.section for kind in ADDED_KINDS)})


@dataclass(frozen=True, slots=True)
class AdaptedSite:
    """Days to live through: what happens in them, and what load and PV are expected to be when."""

    scene: ReplayData
    energy: EnergyOutlook


@dataclass(frozen=True, slots=True)
class SevenDayMean:
    """What is usual: the mean of the same time of day over the last seven days, as far as they were seen; knows nothing of the day to come."""

    past: PerfectForesight

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return expected load and PV.

        Raises:
            InvalidInputError: not even a day was seen.
        """
        past_slots, slots = self.past.timeline.index_of(now), DAY // timeline.step
        first = (timeline.start - now) // timeline.step
        place = (first + np.arange(timeline.count)) % slots
        load, pv = (_mean_day(series[:past_slots], slots, now) for series in (self.past.load_kwh, self.past.pv_kwh))
        return load[place], pv[place]


def _mean_day(measured: FloatArray, slots: int, now: datetime) -> FloatArray:
    week = measured[-USUAL_DAYS * slots :]
    days = week[week.size % slots :].reshape(-1, slots)
    count = np.isfinite(days).sum(axis=0)
    if not days.size or not count.all():
        raise refuse("usual-unknown", field="from_day", value=now.isoformat())
    return np.asarray(np.nansum(days, axis=0) / count)


@dataclass(frozen=True, slots=True)
class Adapted:
    """Expectations for a changed site: PV scaled, and what is added to the load, which is known because it is placed."""

    source: EnergyOutlook
    pv_factor: float
    added: PerfectForesight

    def ahead(self, now: datetime, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
        """Return expected load and PV."""
        load, pv = self.source.ahead(now, timeline)
        return load + self.added.ahead(now, timeline)[0], pv * self.pv_factor


def adapt(original: AdaptedSite, site: Site, prices: SitePrices, *, added_kwh: FloatArray | None = None) -> AdaptedSite:
    """Return the same days for a changed site.

    Args:
        original: as recorded.
        site: with the changes; its arrays yield as much per kWp as was recorded.
        prices: of its tariff.
        added_kwh: what it uses beside the recorded load, shape of the recorded series.

    Raises:
        InvalidInputError: arrays where none were recorded.
    """
    scene, recorded = original.scene, original.scene.foresight
    factor = scale_pv(scene.site, site)
    added = PerfectForesight(recorded.timeline, np.zeros_like(recorded.load_kwh) if added_kwh is None else added_kwh, np.zeros_like(recorded.pv_kwh))
    foresight = replace(recorded, load_kwh=recorded.load_kwh + added.load_kwh, pv_kwh=recorded.pv_kwh * factor)
    return AdaptedSite(ReplayData(site, scene.timeline, foresight, prices, scene.forecasts), Adapted(original.energy, factor, added))


def scale_pv(before: Site, after: Site) -> float:
    """Return by how much recorded PV is scaled.

    Raises:
        InvalidInputError: arrays where none were recorded.
    """
    peaks = [site.peak_kw for site in (before, after)]
    if peaks[0] == 0 and peaks[1] > 0:
        raise refuse("no-array-to-scale", field="site.pv", value=peaks[1])
    return peaks[1] / peaks[0] if peaks[0] else 1.0


def list_added(before: Site, after: Site) -> dict[str, list[NamedDevice]]:
    """Return the devices that are new, by their section, of every kind that may be added.

    Raises:
        InvalidInputError: one that was there is changed or gone: what it used is part of the recorded load and cannot be told from it.
    """
    other = next((name for name in Site.model_fields if name not in _REPLAYED and getattr(before, name) != getattr(after, name)), None)
    if other is not None:
        raise refuse("not-from-recorded-days", field=f"site.{other}")
    added = {}
    for kind in ADDED_KINDS:
        was, now = ({each.name: each for each in getattr(site, kind.section)} for site in (before, after))
        for name, device in was.items():
            if now.get(name) != device:
                raise refuse("part-of-recorded-load", field=f"site.{kind.section}.{name}")
        added[kind.section] = [device for name, device in now.items() if name not in was]
    return added
