"""Nights of a site, in which PV is zero whatever the inverter reports."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.site import Site
from luna.energy.sun import HORIZON_DEG, compute_sun_height
from luna.energy.timeline import SLOT_HOURS, FloatArray, InstantArray
from services.ingest.metering.rejection import Mask
from services.ingest.metering.slot_energy import EnergyCurve, SlotValues
from services.ingest.metering.spans import REST_KW, Spans, hours_between, runs_of

# End of civil twilight. Before it bright clouds, or a clock that is minutes wrong, may leave a few
# watts.
DEEP_DEG = -6.0
# Standby and noise of an inverter of a few kilowatts; larger ones have more.
NOISE_SHARE = 0.005
# An inverter in service reports at least once a day.
SERVICE = np.timedelta64(24, "h")
# Generation in one night may be a misreading. In most nights the sensor is no roof, or its clock is
# wrong.
FEWEST_NIGHTS = 2

NIGHT = RowFault("night")


@dataclass(frozen=True, slots=True)
class Nights:
    """The nights over a run of slots.

    Args:
        dark: slots during all of which the sun is below the horizon, shape ``(slots,)``.
        deep: of these the slots after civil twilight.
        number: the night that each slot belongs to, counted from noon to noon of the sun.
        spans: the runs of dark slots.
        noise_kwh: energy per slot that is no generation.
    """

    dark: Mask
    deep: Mask
    number: InstantArray
    spans: Spans
    noise_kwh: float

    @classmethod
    def over(cls, site: Site, edges: InstantArray) -> Self | None:
        """Return the nights between the ``edges`` of slots; None for a site without a location."""
        if site.location is None:
            return None
        at_edges = compute_sun_height(edges, site.location)
        # Half a slot later: around midnight sun and in polar nights the highest point may lie
        # within a slot.
        between = compute_sun_height(edges[:-1] + (edges[1:] - edges[:-1]) // 2, site.location)
        highest = np.max([at_edges[:-1], between, at_edges[1:]], axis=0)
        dark = highest < HORIZON_DEG
        runs = np.array(runs_of(dark), dtype=np.int64).reshape(-1, 2)
        to_solar_noon = np.timedelta64(round((site.location.longitude / 15 - 12) * 3600), "s")
        number = (edges[:-1] + to_solar_noon).astype("datetime64[D]")
        noise_kw = max(REST_KW, NOISE_SHARE * sum(array.peak_kw for array in site.pv))
        spans = Spans(edges[runs[:, 0]], edges[runs[:, 1]])
        return cls(
            dark=dark,
            deep=highest < DEEP_DEG,
            number=number,
            spans=spans,
            noise_kwh=noise_kw * SLOT_HOURS,
        )

    def find_generation(self, kwh: FloatArray) -> Mask:
        """Return a mask of the slots that generation in deep night makes doubtful.

        These are its own slots, or all slots if it happens in most nights.
        """
        wrong = self.deep & (kwh > self.noise_kwh)
        if not wrong.any():
            return wrong
        nights = np.unique(self.number[wrong])
        known = np.unique(self.number[self.deep & np.isfinite(kwh)])
        if nights.size >= FEWEST_NIGHTS and nights.size > known.size / 2:
            return np.isfinite(kwh)
        return np.asarray(wrong)

    def settle(self, measured: SlotValues, in_service: Mask) -> SlotValues:
        """Return the values with zero in dark slots in which nothing or noise was measured.

        Args:
            in_service: slots near a reading of the sensors.
        """
        at_rest = self.dark & in_service & ~(measured.values > self.noise_kwh)
        return SlotValues(
            np.where(at_rest, 0.0, measured.values),
            measured.estimated & ~at_rest,
            measured.filled & ~at_rest,
        )


def find_service(instants: InstantArray, starts: InstantArray, awake: Mask) -> Mask:
    """Return a mask of the slots in which a roof's meter is in service.

    That is within ``SERVICE`` of a reading, and before its last one or while other sensors report.

    Args:
        instants: of its readings, ascending.
        awake: slots near a reading of any of the site's sensors.
    """
    if not instants.size:
        return np.zeros(starts.size, dtype=np.bool_)
    following = np.searchsorted(instants, starts)
    before = instants[np.maximum(following - 1, 0)]
    after = instants[np.minimum(following, instants.size - 1)]
    near = (np.abs(starts - before) <= SERVICE) | (np.abs(after - starts) <= SERVICE)
    return np.asarray(near & (starts >= instants[0]) & (awake | (starts < instants[-1])))


def rest_at_night(curve: EnergyCurve, nights: Spans) -> EnergyCurve:
    """Return a counter's curve made flat at night, its steps spread over the hours of day."""
    edges = np.concatenate([nights.starts, nights.ends])
    if curve.instants.size < 2:
        return curve
    edges = np.sort(edges[(edges > curve.instants[0]) & (edges < curve.instants[-1])])
    edges = edges[~np.isin(edges, curve.instants)]
    if not edges.size:
        return curve
    place = np.searchsorted(curve.instants, edges)
    # Hours of day since the first instant.
    start = curve.instants[0]
    lit = hours_between(start, curve.instants) - covered_hours(nights, curve.instants)
    lit_at_edge = hours_between(start, edges) - covered_hours(nights, edges, since=start)
    whole = lit[place] - lit[place - 1]
    share = np.divide(
        lit_at_edge - lit[place - 1], whole, out=np.full(edges.size, np.nan), where=whole > 1e-9
    )
    by_day = np.isfinite(share)
    kwh = curve.kwh[place - 1] + share * (curve.kwh[place] - curve.kwh[place - 1])
    instants = np.concatenate([curve.instants, edges[by_day]])
    energy = np.concatenate([curve.kwh, kwh[by_day]])
    order = np.argsort(instants, kind="stable")
    return replace(curve, instants=instants[order], kwh=np.maximum.accumulate(energy[order]))


def covered_hours(
    nights: Spans, instants: InstantArray, *, since: np.datetime64 | None = None
) -> FloatArray:
    """Return the hours of night up to each of the ascending ``instants``.

    They are counted from ``since``, or from the first instant.
    """
    if not instants.size:
        return np.zeros(0)
    begin = instants[0] if since is None else since
    edges = np.concatenate([[begin], instants])
    return np.cumsum(nights.hours_per_slot(edges))
