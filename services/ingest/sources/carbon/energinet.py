"""Denmark through Energi Data Service of Energinet: no token, five minutes.

Source: energidataservice.dk, datasets ``CO2Emis`` (measured) and ``CO2EmisProg`` (forecast until
the end of a day). Start and end are local times of Denmark, so whole days are requested.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from services.ingest.sources.carbon.declaration import CarbonSourceDeclaration
from services.ingest.sources.carbon.publication import (
    FIVE_MINUTES,
    Intensity,
    make_sheet,
    split_span,
)
from services.ingest.sources.source import CarbonSheet, SourceError
from services.ingest.sources.web import Web

URL = "https://api.energidataservice.dk/dataset"
MEASURED = "CO2Emis"
FORECAST = "CO2EmisProg"
CLOCK = ZoneInfo("Europe/Copenhagen")
DAY = timedelta(days=1)
# 52,000 records of some 120 bytes.
LONGEST = timedelta(days=180)


class _Record(BaseModel):
    Minutes5UTC: datetime
    PriceArea: str
    CO2Emission: float | None


class _Answer(BaseModel):
    records: list[_Record]


@dataclass(frozen=True)
class EnerginetCarbon:
    """Carbon intensity from Energinet."""

    name = "energinet"
    web: Web

    def fetch(
        self, zone: str, first: datetime, end: datetime, *, now: datetime
    ) -> list[CarbonSheet]:
        sheets = []
        for begin, until in split_span(first, min(end, now), LONGEST):
            measured = self._read(MEASURED, zone, begin, until)
            sheets.append(make_sheet(self.name, measured, FIVE_MINUTES, is_measured=True))
        if end > now:
            forecast = self._read(FORECAST, zone, max(first, now), end)
            sheets.append(make_sheet(self.name, forecast, FIVE_MINUTES, is_measured=False))
        return sheets

    def _read(self, dataset: str, zone: str, first: datetime, end: datetime) -> list[Intensity]:
        parameters: dict[str, str | int] = {
            "start": f"{first.astimezone(CLOCK):%Y-%m-%d}",
            "end": f"{end.astimezone(CLOCK) + DAY:%Y-%m-%d}",
            "filter": json.dumps({"PriceArea": [zone]}),
            "limit": 0,
        }
        records = self.web.get(f"{URL}/{dataset}", parameters).parse(_Answer).records
        others = {record.PriceArea for record in records} - {zone}
        if others:
            raise SourceError(
                f"answers for {', '.join(sorted(others))}, wanted is {zone}",
                field=self.name,
                remedy="Try again later.",
            )
        return [
            Intensity(record.Minutes5UTC.replace(tzinfo=UTC), record.CO2Emission)
            for record in records
        ]


SOURCE = CarbonSourceDeclaration(
    zones={"DK1": "DK1", "DK2": "DK2"}, open=lambda access: EnerginetCarbon(access.web)
)
