"""Check the quality of a forecast's inputs, and widen its bands accordingly.

Codes are worded in ``luna.words.conditions``. Nothing here reads at or after an origin.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from luna.energy.observations import Observations
from luna.energy.outlook import SHARES, Quantiles
from luna.energy.site import LoadBasis, Site
from luna.energy.timeline import (
    SLOT,
    SLOT_HOURS,
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    FloatArray,
    InstantArray,
    Timeline,
    floor_to,
    parse_zone,
)
from luna.energy.weather import WeatherVintages
from services.forecaster.forecaster import HORIZON_SLOTS, Batch
from services.forecaster.inputs.curtailment import AT_INVERTER, count_curtailed_days, sum_ac_limits
from services.forecaster.inputs.frame import BoolArray, number_slot
from services.forecaster.inputs.preparation import mark_frozen_load, mark_frozen_pv
from services.forecaster.inputs.roof import CapacityChange
from services.forecaster.inputs.solar import estimate_clear_sky, limit_output, sum_peaks
from services.forecaster.model.baseline import BASELINES, LIKE_DAYS

YOUNG_DAYS = 14
# Followed by the number of curtailed days, and of how many; similar days still use two weeks back
CURTAILED = "pv_held_back"
CURTAILED_DAYS = 20
# Followed by the observed limit of PV in kW, which the site's configuration lacks
UNNAMED_LIMIT = "unnamed_ac_limit"
WEEK_SLOTS = 7 * SLOTS_PER_DAY
# Least measured shares of the last day and the last week, which forecasts of tomorrow mostly use.
LEAST_OF_DAY = 0.5
LEAST_OF_WEEK = 0.75
STILL_SLOTS = 2 * SLOTS_PER_DAY  # how long a frozen value affects forecasts
SILENT_SLOTS = 3 * SLOTS_PER_DAY
GROWN_SLOTS = 28 * SLOTS_PER_DAY  # how long arrays count as new: the history of a profile
# Single quarter-hours above the peak power are reflections from cloud edges
PEAK_EXCESS = 1.1
EXCESS_SLOTS = 4
NEAR_SLOTS = SLOTS_PER_DAY  # weather is needed for the next day
# Codes by the basis of a load that was never measured.
LOAD_BASES: Mapping[LoadBasis, str] = {
    "yearly_kwh": "load_by_yearly_kwh",
    "persons": "load_by_persons",
    "assumed": "load_assumed",
}
LATE_SLOTS = 12 * 4  # weather services publish every one to six hours


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Conditions of a forecast besides its history.

    Args:
        model: the code of why the model is not used, or None.
        weather: as issued, if the model was trained with weather, else None.
        growth: the arrays' capacity change found in the history.
        future: whether readings are dated in the future.
    """

    model: str | None = None
    weather: WeatherVintages | None = None
    growth: CapacityChange | None = None
    future: bool = False


@dataclass(frozen=True)
class InputQuality:
    """The quality of a gapless history, shared by many origins.

    ``first`` is the number of its first slot.
    """

    site: Site
    first: int
    load_kwh: FloatArray
    pv_kwh: FloatArray
    curtailed: BoolArray
    ceiling_kwh: float = np.inf

    @classmethod
    def of(
        cls,
        history: Observations,
        site: Site,
        *,
        curtailed: BoolArray | None = None,
        ceiling_kwh: float = np.inf,
    ) -> "InputQuality":
        """Return the quality of a gapless history as measured.

        ``curtailed`` marks slots with curtailed PV, ``ceiling_kwh`` is PV's observed limit.
        """
        if curtailed is None:
            curtailed = np.zeros(len(history), dtype=np.bool_)
        first = 0
        if len(history):
            first = int(history.starts[0].astype(np.int64)) // SLOT_SECONDS
        return cls(
            site=site,
            first=first,
            load_kwh=history.load_kwh,
            pv_kwh=history.pv_kwh,
            curtailed=curtailed,
            ceiling_kwh=ceiling_kwh,
        )

    @cached_property
    def load_still(self) -> FloatArray:
        """1 in slots with a frozen load, else 0."""
        return mark_frozen_load(self.load_kwh).astype(np.float64)

    @cached_property
    def pv_still(self) -> FloatArray:
        """1 in slots with frozen PV, else 0."""
        return (mark_frozen_pv(self.pv_kwh) & ~self.curtailed).astype(np.float64)

    def judge(self, origin: int) -> Iterator[str]:
        """Yield the codes of faults in the measurements before ``origin``, an index of the grid."""
        load_kwh = self.load_kwh[:origin]
        measured = ~np.isnan(load_kwh)
        days = np.count_nonzero(measured) / SLOTS_PER_DAY
        if days < 1:
            yield "no_history"
            yield LOAD_BASES[self.site.household.load_basis]
        elif days < YOUNG_DAYS:
            yield "short_history"
        elif _lacks(measured):
            yield "load_gaps"
        if days >= 1 and np.ptp(load_kwh[measured]) == 0:
            yield "load_constant"
        elif self.load_still[max(origin - STILL_SLOTS, 0) : origin].any():
            yield "load_frozen"
        yield from self._judge_pv(origin)

    def _judge_pv(self, origin: int) -> Iterator[str]:
        pv = self.pv_kwh[:origin]
        measured = ~np.isnan(pv)
        if self.site.location is None and self.site.pv and not measured.any():
            yield "sun_from_time_zone"
        if np.count_nonzero(measured) < SLOTS_PER_DAY or not pv[measured].any():
            return
        if _lacks(measured) and np.count_nonzero(measured) >= YOUNG_DAYS * SLOTS_PER_DAY:
            yield "pv_gaps"
        if self.pv_still[max(origin - STILL_SLOTS, 0) : origin].any():
            yield "pv_frozen"
        begin = max(origin - CURTAILED_DAYS * SLOTS_PER_DAY, int(np.flatnonzero(measured)[0]))
        curtailed_days = count_curtailed_days(self.curtailed, begin, origin)
        if curtailed_days:
            days = -((begin - origin) // SLOTS_PER_DAY)  # rounded up
            yield f"{CURTAILED}:{curtailed_days}:{days}"
        recent = pv[-SILENT_SLOTS:][measured[-SILENT_SLOTS:]]
        silent = recent.size >= SILENT_SLOTS // 2 and not recent.any()
        if silent and not self.curtailed[max(origin - SILENT_SLOTS, 0) : origin].any():
            yield "pv_silent"
        beyond_peak = pv[-WEEK_SLOTS:] > PEAK_EXCESS * sum_peaks(self.site)
        if np.count_nonzero(beyond_peak) > EXCESS_SLOTS:
            yield "roof_exceeds_peak"
        if self.ceiling_kwh < AT_INVERTER * sum_ac_limits(self.site):
            yield f"{UNNAMED_LIMIT}:{self.ceiling_kwh / SLOT_HOURS:.1f}"


def judge_origins(
    record: InputQuality, instants: Sequence[datetime], circumstances: Circumstances
) -> list[tuple[str, ...]]:
    """Return for each instant of issue the codes of faults that make its forecast less certain.

    Args:
        record: the quality of a history that covers the first instant's.
        instants: the instants of issue.
        circumstances: further conditions.
    """
    return [tuple(_judge_origin(record, instant, circumstances)) for instant in instants]


def _judge_origin(
    record: InputQuality, instant: datetime, circumstances: Circumstances
) -> Iterator[str]:
    slot = number_slot(instant)
    codes = list(record.judge(min(max(slot - record.first, 0), record.load_kwh.size)))
    yield from codes
    if circumstances.growth is not None:
        since_second = circumstances.growth.since.astype("datetime64[s]").astype(np.int64)
        slots_since = slot - int(since_second) // SLOT_SECONDS
        if 0 <= slots_since < GROWN_SLOTS:
            yield "roof_grown"
    zone = parse_zone(record.site.timezone)
    begin = instant.astimezone(zone)
    end = (instant + HORIZON_SLOTS * SLOT).astimezone(zone)
    if begin.utcoffset() != end.utcoffset():
        yield "clock_change"
    if circumstances.future:
        yield "future_reading"
    if circumstances.weather is not None:
        yield from judge_weather(circumstances.weather, slot)
    # With less than two weeks of measurements, an untrained model needs no code of its own.
    has_little_history = "no_history" in codes or "short_history" in codes
    is_expected = circumstances.model == "untrained" and has_little_history
    if circumstances.model is not None and not is_expected:
        yield circumstances.model


def judge_weather(weather: WeatherVintages, slot: int) -> Iterator[str]:
    """Yield the codes of faults in the weather forecast for the day from ``slot`` on.

    Weather issued after the slot is ignored. Slots are numbered since 1970.
    """
    first, end = np.searchsorted(weather.slot, [slot, slot + NEAR_SLOTS])
    issued = weather.issued[first:end]
    issued_before = issued <= slot
    covered_slots = np.unique(weather.slot[first:end][issued_before])
    if covered_slots.size < NEAR_SLOTS // 2:
        yield "weather_missing"
    elif slot - int(issued[issued_before].max()) > LATE_SLOTS:
        yield "weather_late"


def _lacks(measured: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bool:
    return bool(
        measured[-SLOTS_PER_DAY:].mean() < LEAST_OF_DAY
        or measured[-WEEK_SLOTS:].mean() < LEAST_OF_WEEK
    )


# Code → factors of the half-bands of load and PV. Without a model the profile's bands are wide
# already. A trained model hardly suffers from gaps (over 24 issues for a demo household, the
# coverage of load's 80 % band fell from 78 to 77 %), so a tenth is enough.
FACTORS: dict[str, tuple[float, float]] = {
    "no_history": (1.3, 1.2),
    **dict.fromkeys(LOAD_BASES.values(), (1.0, 1.0)),
    "short_history": (1.05, 1.05),
    "load_gaps": (1.1, 1.0),
    "pv_gaps": (1.0, 1.1),
    "load_frozen": (1.1, 1.0),
    "pv_frozen": (1.0, 1.1),
    "load_constant": (3.0, 1.0),
    "pv_silent": (1.0, 2.0),
    CURTAILED: (1.0, 1.1),
    UNNAMED_LIMIT: (1.0, 1.0),
    "roof_grown": (1.0, 1.15),
    "roof_exceeds_peak": (1.0, 1.15),
    "clock_change": (1.05, 1.0),
    "future_reading": (1.05, 1.05),
    "weather_missing": (1.05, 1.3),
    "weather_late": (1.02, 1.1),
    "model_unusable": (1.0, 1.0),
    "model_away": (1.0, 1.0),
    "untrained": (1.0, 1.0),
    "sun_from_time_zone": (1.0, 1.0),
}
# A baseline's band is that of its last seven days, far too narrow with fewer. For the same
# household the coverage fell from 63 to 45 % after a gap of half a week, and to 24 % with two days
# known; with these factors it is 69 and 81 %, and the pinball loss falls.
BASELINE_FACTORS = FACTORS | {
    "short_history": (2.3, 2.0),
    "load_gaps": (1.25, 1.0),
    "pv_gaps": (1.0, 1.25),
}
# Similar days also use nearby slots: with one to seven days the coverage was 72 to 83 % of load and
# 57 to 70 % of PV.
LIKE_DAYS_FACTORS = FACTORS | {"short_history": (1.15, 1.4)}
MOST = 3.0
CLOUD_EDGE = 1.2  # times clear sky: reflections from cloud edges
# Of the expected load, or of clear sky, per unit of widening: a factor alone does not widen a band
# of no width
SLACK = 0.25
# Distance of each quantile from the median in a normal distribution, relative to that of the 10 %
# quantile.
DISTANCES = {
    "p05": -1.2835,
    "p10": -1.0,
    "p25": -0.5263,
    "p50": 0.0,
    "p75": 0.5263,
    "p90": 1.0,
    "p95": 1.2835,
}


def widen(batch: Batch, reasons: Sequence[tuple[str, ...]], site: Site) -> Batch:
    """Return the batch with ``reasons``, codes per instant, and its bands widened by them.

    Invariants: no band becomes narrower, median and mean stay, and PV stays zero at night.
    """
    load_factor, pv_factor = _combine_factors(batch.version, reasons)
    usual = batch.load_kwh.expected.mean(axis=1, keepdims=True)
    # The arrays' clear-sky and greatest output per slot, shape `(instants, slots)`; without a
    # location, by the expected output.
    sky = batch.pv_kwh.expected
    limit: FloatArray = np.where(sky > 0, limit_output(site), 0.0)
    if site.location is not None and site.pv:
        starts = np.stack([_list_starts(at, sky.shape[1]) for at in batch.issued_at])
        sky = estimate_clear_sky(starts.ravel(), site).reshape(starts.shape)
        limit = np.minimum(CLOUD_EDGE * sky, limit_output(site))
    load = stretch(batch.load_kwh, load_factor, slack_kwh=usual, limit_kwh=np.inf)
    pv = stretch(batch.pv_kwh, pv_factor, slack_kwh=sky, limit_kwh=np.fmax(limit, batch.pv_kwh.p95))
    return replace(batch, reasons=list(reasons), load_kwh=load, pv_kwh=pv)


def _list_starts(issued_at: datetime, slots: int) -> InstantArray:
    return Timeline(floor_to(issued_at, SLOT).astimezone(UTC), SLOT, slots).starts


def _combine_factors(
    version: str, reasons: Sequence[tuple[str, ...]]
) -> tuple[FloatArray, FloatArray]:
    """Return the factors of the half-bands of load and PV, each of shape ``(instants, 1)``."""
    if version == LIKE_DAYS:
        factors = LIKE_DAYS_FACTORS
    elif version in BASELINES:
        factors = BASELINE_FACTORS
    else:
        factors = FACTORS
    load_factors = []
    pv_factors = []
    for codes in reasons:
        # Figures behind a colon are for the words only.
        pairs = [factors[code.partition(":")[0]] for code in codes]
        load_factor = float(np.prod([load for load, _ in pairs]))
        pv_factor = float(np.prod([pv for _, pv in pairs]))
        load_factors.append(min(load_factor, MOST))
        pv_factors.append(min(pv_factor, MOST))
    return np.array(load_factors)[:, None], np.array(pv_factors)[:, None]


def stretch(
    quantiles: Quantiles,
    factor: FloatArray,
    *,
    slack_kwh: FloatArray,
    limit_kwh: FloatArray | float,
) -> Quantiles:
    """Return quantiles ``factor`` times as far from the median, within zero and the limit.

    ``factor`` is at least 1; for each unit above it, a share of ``slack_kwh`` is added as well.
    """
    p50 = quantiles.p50
    slack = SLACK * (factor - 1) * slack_kwh
    parts = {}
    for name in SHARES:
        scaled = p50 + factor * (getattr(quantiles, name) - p50)
        parts[name] = np.clip(scaled + DISTANCES[name] * slack, 0, limit_kwh)
    return Quantiles(quantiles.expected, **parts)
