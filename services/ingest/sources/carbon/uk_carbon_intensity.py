"""Great Britain through the Carbon Intensity API of its system operator: no token, half-hours.

Source: carbonintensity.org.uk, "Carbon Intensity API", ``/intensity/{from}/{to}`` and
``/intensity/{from}/fw48h``. Actual values come about half an hour late; until then they are null.
It does not say when forecasts were made.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, Field

from services.ingest.sources.carbon.declaration import CarbonSourceDeclaration
from services.ingest.sources.carbon.publication import (
    HALF_HOUR,
    Intensity,
    make_sheet,
    split_span,
)
from services.ingest.sources.source import CarbonSheet, SourceError
from services.ingest.sources.web import Web

URL = "https://api.carbonintensity.org.uk/intensity"
# The longest past window that one request may have.
LONGEST = timedelta(days=14)


class _Values(BaseModel):
    forecast: float | None
    actual: float | None


class _HalfHour(BaseModel):
    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    intensity: _Values


class _Answer(BaseModel):
    data: list[_HalfHour]


@dataclass(frozen=True)
class UkCarbonIntensity:
    """Carbon intensity from the Carbon Intensity API."""

    name = "uk_carbon_intensity"
    web: Web

    def fetch(
        self, zone: str, first: datetime, end: datetime, *, now: datetime
    ) -> list[CarbonSheet]:
        paths = [
            f"{_write(begin)}/{_write(until)}"
            for begin, until in split_span(first, min(end, now), LONGEST)
        ]
        if end > now:
            paths.append(f"{_write(max(first, now))}/fw48h")
        sheets = []
        for path in paths:
            half_hours = self.web.get(f"{URL}/{path}", {}).parse(_Answer).data
            self._check(half_hours)
            actual = []
            forecast = []
            for half_hour in half_hours:
                actual.append(Intensity(half_hour.start, half_hour.intensity.actual))
                forecast.append(Intensity(half_hour.start, half_hour.intensity.forecast))
            sheets.append(make_sheet(self.name, actual, HALF_HOUR, is_measured=True))
            sheets.append(make_sheet(self.name, forecast, HALF_HOUR, is_measured=False))
        return sheets

    def _check(self, half_hours: list[_HalfHour]) -> None:
        for half_hour in half_hours:
            if half_hour.end - half_hour.start != HALF_HOUR:
                span = f"{half_hour.start.isoformat()} to {half_hour.end.isoformat()}"
                raise SourceError(
                    f"has a value from {span}",
                    field=self.name,
                    remedy="Try again later.",
                )


def _write(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


SOURCE = CarbonSourceDeclaration(
    zones={"GB": "GB"}, open=lambda access: UkCarbonIntensity(access.web)
)
