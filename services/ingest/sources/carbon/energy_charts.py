"""Most countries of Europe through energy-charts.info of Fraunhofer ISE: no token.

Source: api.energy-charts.info, ``/co2eq``: emissions over the life of the plants, quarter-hours or
hours, measured values beside forecast ones. It does not say when forecasts were made.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from pydantic import BaseModel

from luna.energy.timeline import SLOT
from services.ingest.sources.carbon.declaration import CarbonSourceDeclaration
from services.ingest.sources.carbon.publication import (
    HALF_HOUR,
    HOUR,
    Intensity,
    make_sheet,
    split_span,
)
from services.ingest.sources.source import CarbonSheet, SourceError
from services.ingest.sources.web import Web, instant_of

URL = "https://api.energy-charts.info/co2eq"
COUNTRIES = (
    *("AT", "BA", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR"),
    *("HU", "IE", "IT", "LT", "LU", "LV", "MD", "ME", "MK", "NL", "NO", "PL", "PT", "RO", "RS"),
    *("SE", "SI", "SK"),
)
LENGTHS = (SLOT, HALF_HOUR, HOUR)
LONGEST = timedelta(days=180)
# It answers 404 where it has nothing for that time.
NOTHING = 404


class _Answer(BaseModel):
    unix_seconds: list[int]
    co2eq: list[float | None]
    co2eq_forecast: list[float | None]


@dataclass(frozen=True)
class EnergyChartsCarbon:
    """Carbon intensity from energy-charts.info."""

    name = "energy_charts"
    web: Web

    def fetch(
        self, zone: str, first: datetime, end: datetime, *, now: datetime
    ) -> list[CarbonSheet]:
        sheets: list[CarbonSheet] = []
        for begin, until in split_span(first, end, LONGEST):
            parameters = {
                "country": zone,
                "start": f"{begin:%Y-%m-%dT%H:%MZ}",
                "end": f"{until:%Y-%m-%dT%H:%MZ}",
            }
            answer = self.web.get(URL, parameters, accept=(200, NOTHING))
            if answer.status != NOTHING:
                sheets += self._read(answer.parse(_Answer))
        return sheets

    def _read(self, answer: _Answer) -> list[CarbonSheet]:
        starts = [instant_of(second) for second in answer.unix_seconds]
        sheets = []
        for values, is_measured in ((answer.co2eq, True), (answer.co2eq_forecast, False)):
            if len(values) != len(starts):
                raise SourceError(
                    f"answers {len(values)} values for {len(starts)} times",
                    field=self.name,
                    remedy="Try again later.",
                )
            intensities = [
                Intensity(start, value) for start, value in zip(starts, values, strict=True)
            ]
            length = self._measure_length(starts)
            sheets.append(make_sheet(self.name, intensities, length, is_measured=is_measured))
        return sheets

    def _measure_length(self, starts: list[datetime]) -> timedelta:
        """Return the shortest distance between two starts, an hour for fewer than two.

        Raises:
            SourceError: it is no quarter-hour, half-hour or hour.
        """
        distances = [later - earlier for earlier, later in pairwise(sorted(set(starts)))]
        length = min(distances, default=HOUR)
        if length not in LENGTHS:
            raise SourceError(
                f"has values of {length}", field=self.name, remedy="Ask another source."
            )
        return length


SOURCE = CarbonSourceDeclaration(
    zones={country: country.lower() for country in COUNTRIES},
    open=lambda access: EnergyChartsCarbon(access.web),
)
