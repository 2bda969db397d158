"""Outside services as tests see them: recorded replies, handed out through a transport, and what
was asked of it.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

REPLIES = Path(__file__).parents[2] / "replies"
Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def recorded(name: str, *, status: int = 200) -> httpx.Response:
    """Return a recorded reply."""
    return httpx.Response(status, content=(REPLIES / name).read_bytes())


def document(content: Any) -> httpx.Response:
    """Return a reply of JSON."""
    return httpx.Response(200, content=json.dumps(content).encode())


class Service(httpx.BaseTransport):
    """Gives one reply after the other, the last one for good.

    Keeps what was asked and how long the caller waited in between.
    """

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[httpx.Request] = []
        self.pauses: list[float] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        return _give(self.replies[min(len(self.asked), len(self.replies)) - 1], request)

    def wait(self, seconds: float) -> None:
        """Take the place of sleeping."""
        self.pauses.append(seconds)


class Services(httpx.BaseTransport):
    """Several services by host; any other host is not there."""

    def __init__(self, **services: Service) -> None:
        self.services = {HOSTS[name]: service for name, service in services.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.services.get(request.url.host, NOBODY).handle_request(request)


HOSTS = {
    "entsoe": "web-api.tp.entsoe.eu",
    "energy_charts": "api.energy-charts.info",
    "nord_pool": "dataportal-api.nordpoolgroup.com",
    "awattar": "api.awattar.de",
    "tibber": "api.tibber.com",
    "octopus": "api.octopus.energy",
    "elering": "dashboard.elering.ee",
    "energinet": "api.energidataservice.dk",
    "omie": "www.omie.es",
    "comed": "hourlypricing.comed.com",
    "esios": "api.esios.ree.es",
    "smart_energy": "apis.smartenergy.at",
    "ostrom_access": "auth.production.ostrom-api.io",
    "ostrom": "production.ostrom-api.io",
    "amber": "api.amber.com.au",
    "solcast": "api.solcast.com.au",
    "forecast_solar": "api.forecast.solar",
    "forecast": "api.open-meteo.com",
    "past_forecast": "historical-forecast-api.open-meteo.com",
    "archive": "archive-api.open-meteo.com",
    "uk_carbon_intensity": "api.carbonintensity.org.uk",
    "electricity_maps": "api.electricitymap.org",
}
NOBODY = Service(httpx.ConnectError("nobody is there"))


def energy_charts(starts: Sequence[datetime], price: Sequence[float | None]) -> httpx.Response:
    """Return what energy-charts.info says of these prices per MWh."""
    return document(
        {
            "unix_seconds": [int(start.timestamp()) for start in starts],
            "price": [*price],
            "unit": "EUR / MWh",
        }
    )


def nord_pool(
    starts: Sequence[datetime],
    price: Sequence[float],
    *,
    updated_at: datetime,
    area: str = "GER",
    minutes: int = 15,
) -> httpx.Response:
    """Return what Nord Pool says of these prices per MWh."""
    entries = [
        {
            "deliveryStart": start.isoformat(),
            "deliveryEnd": (start + timedelta(minutes=minutes)).isoformat(),
            "entryPerArea": {area: value},
        }
        for start, value in zip(starts, price, strict=True)
    ]
    return document(
        {"updatedAt": updated_at.isoformat(), "currency": "EUR", "multiAreaEntries": entries}
    )


def amber(
    starts: Sequence[datetime], cents: Sequence[float], *, kind: str = "ForecastInterval"
) -> Service:
    """Return Amber with a site whose half-hours have these prices, whatever days are asked for.

    Args:
        cents: per kWh, one for each start.
        kind: of the intervals, as Amber names it.
    """
    intervals = [
        {
            "type": kind,
            "duration": 30,
            "startTime": (start + timedelta(seconds=1)).isoformat(),
            "endTime": (start + timedelta(minutes=30)).isoformat(),
            "perKwh": price,
            "channelType": "general",
        }
        for start, price in zip(starts, cents, strict=True)
    ]
    return amber_with(intervals, [])


def amber_with(past: Sequence[Any], ahead: Sequence[Any]) -> Service:
    """Return Amber with intervals of the days asked for, and those from the current one on."""
    answers = {
        "sites": recorded("amber_sites.json"),
        "prices": document(past),
        "current": document(ahead),
    }
    return Service(lambda request: answers[request.url.path.rsplit("/", 1)[-1]])


def _give(reply: Reply, request: httpx.Request) -> httpx.Response:
    if isinstance(reply, Exception):
        raise reply
    if isinstance(reply, httpx.Response):
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
    return reply(request)
