"""Countries of the whole world through Electricity Maps, for a token: hours.

Source: Electricity Maps, API reference v3, ``/carbon-intensity/history`` (the last 24 hours) and
``/carbon-intensity/forecast``; emissions over the life of the plants. Free plans have no forecast.
It does not say when each forecast was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from pydantic import AwareDatetime, BaseModel, Field

from services.ingest.sources.carbon.declaration import CarbonSourceDeclaration
from services.ingest.sources.carbon.publication import HOUR, Intensity, make_sheet
from services.ingest.sources.source import CarbonSheet, SourceError
from services.ingest.sources.web import Web

URL = "https://api.electricitymap.org/v3/carbon-intensity"
_ZONES_OF_COUNTRIES = {
    "DK": ("DK1", "DK2"),
    "NO": ("NO1", "NO2", "NO3", "NO4", "NO5"),
    "SE": ("SE1", "SE2", "SE3", "SE4"),
}
_ITALY = {
    "IT-Centre-North": "IT-CNO",
    "IT-Centre-South": "IT-CSO",
    "IT-North": "IT-NO",
    "IT-Sardinia": "IT-SAR",
    "IT-Sicily": "IT-SIC",
    "IT-South": "IT-SO",
}
ZONES = _ITALY | {
    market: f"{country}-{market}"
    for country, markets in _ZONES_OF_COUNTRIES.items()
    for market in markets
}
# The token is good, for it opened the history: its plan has no forecast.
NOT_IN_PLAN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN)


class _Hour(BaseModel):
    start: AwareDatetime = Field(alias="datetime")
    carbonIntensity: float | None  # noqa: N815 - the service's names


class _History(BaseModel):
    zone: str
    history: list[_Hour]


class _Forecast(BaseModel):
    zone: str
    forecast: list[_Hour]


@dataclass(frozen=True)
class ElectricityMaps:
    """Carbon intensity from Electricity Maps.

    Args:
        web: HTTP client.
        token: a customer's token.
    """

    name = "electricity_maps"
    web: Web
    token: str = field(repr=False)

    def fetch(
        self, zone: str, first: datetime, end: datetime, *, now: datetime
    ) -> list[CarbonSheet]:
        parameters = {"zone": zone}
        headers = {"auth-token": self.token}
        answer = self.web.get(f"{URL}/history", parameters, headers=headers)
        history = answer.parse(_History)
        sheets = [self._make_sheet(zone, history.zone, history.history, is_measured=True)]
        if end <= now:
            return sheets
        answer = self.web.get(
            f"{URL}/forecast", parameters, headers=headers, accept=(200, *NOT_IN_PLAN)
        )
        if answer.status not in NOT_IN_PLAN:
            forecast = answer.parse(_Forecast)
            sheets.append(
                self._make_sheet(zone, forecast.zone, forecast.forecast, is_measured=False)
            )
        return sheets

    def _make_sheet(
        self, zone: str, answered: str, hours: Sequence[_Hour], *, is_measured: bool
    ) -> CarbonSheet:
        if answered != zone:
            raise SourceError(
                f"answers for {answered}, wanted is {zone}",
                field=self.name,
                remedy="Try again later.",
            )
        intensities = [Intensity(hour.start, hour.carbonIntensity) for hour in hours]
        return make_sheet(self.name, intensities, HOUR, is_measured=is_measured)


SOURCE = CarbonSourceDeclaration(
    zones=ZONES,
    open=lambda access: ElectricityMaps(access.web, access.token),
    setting="electricity_maps_token",
    names_others=True,
)
