"""PV of a home from forecast.solar, without a key: today and tomorrow, without a band.

Twelve calls an hour are free; each array takes one.

Source: doc.forecast.solar, "API", ``estimate/watthours/period``. An energy is that of the period
that ends at its instant; a day begins with sunrise and ends with sunset, between full hours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from pydantic import AwareDatetime, BaseModel

from luna.energy.devices.pv import SOUTH_DEG, PvArray
from luna.energy.site import Location, Site
from luna.energy.timeline import FloatArray, Timeline, local_midnight, parse_zone
from services.ingest.sources.open_meteo import DECIMALS
from services.ingest.sources.pv.estimate import PvEstimate, ask_once
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Web

URL = "https://api.forecast.solar/estimate/watthours/period/{place}/{roof}"
# No period is longer, so that a night between two days is none.
LONGEST = timedelta(hours=1)
WH_PER_KWH = 1000.0


class _Message(BaseModel):
    code: int


class _Estimate(BaseModel):
    result: dict[AwareDatetime, float]
    message: _Message


@dataclass(frozen=True)
class ForecastSolar:
    """PV of a home's arrays from forecast.solar.

    Args:
        web: HTTP client.
    """

    name = "forecast_solar"
    web: Web

    def fetch(self, site: Site, timeline: Timeline) -> PvEstimate:
        if site.location is None:
            raise SourceRefusedError(
                "needs the place of the home", field=self.name, remedy="Enter its location."
            )
        total_kwh = np.zeros(timeline.count)
        for array in site.pv:
            # An array that lacks a slot leaves the sum unknown.
            total_kwh = total_kwh + self._fetch_array(site, site.location, array, timeline)
        return PvEstimate(total_kwh)

    def _fetch_array(
        self, site: Site, location: Location, array: PvArray, timeline: Timeline
    ) -> FloatArray:
        place = f"{round(location.latitude, DECIMALS)}/{round(location.longitude, DECIMALS)}"
        # Theirs is 0 in the south, -90 in the east.
        azimuth_deg = array.azimuth_deg - SOUTH_DEG
        roof = f"{array.tilt_deg:g}/{azimuth_deg:g}/{array.peak_kw:g}"
        answer = ask_once(self.web, URL.format(place=place, roof=roof), {"time": "utc"})
        estimate = answer.parse(_Estimate)
        if estimate.message.code != 0:
            raise SourceError(
                f"answers code {estimate.message.code}", field=self.name, remedy="Try again later."
            )
        return self._put_on_slots(site, estimate.result, timeline)

    def _put_on_slots(
        self, site: Site, energies_wh: dict[datetime, float], timeline: Timeline
    ) -> FloatArray:
        """Return the energies on quarter-hours, kWh, NaN after the last local day."""
        if not energies_wh:
            raise SourceError("answers no forecast", field=self.name, remedy="Try again later.")
        if not np.isfinite(list(energies_wh.values())).all():
            raise SourceError(
                "answers energies that are no numbers", field=self.name, remedy="Try again later."
            )
        instants: list[datetime] = []
        sums_wh: list[float] = []
        sum_wh = 0.0
        for end in sorted(energies_wh):
            begin = end - LONGEST
            if instants:
                begin = max(begin, instants[-1])
            instants += [begin, end]
            sums_wh += [sum_wh, sum_wh + energies_wh[end]]
            sum_wh = sums_wh[-1]
        edges = np.append(timeline.starts, timeline.starts[-1] + np.timedelta64(timeline.step))
        points = np.array(
            [at.astimezone(UTC).replace(tzinfo=None) for at in instants], dtype=edges.dtype
        )
        at_edges = np.interp(edges.astype(np.float64), points.astype(np.float64), sums_wh)
        zone = parse_zone(site.timezone)
        last_day = instants[-1].astimezone(zone).date()
        known_until = local_midnight(last_day + timedelta(days=1), zone).replace(tzinfo=None)
        known = edges[1:] <= np.datetime64(known_until)
        return np.where(known, np.diff(at_edges) / WH_PER_KWH, np.nan)
