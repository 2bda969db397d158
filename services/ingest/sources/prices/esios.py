"""Spain's regulated household price, PVPC, through ESIOS of Red Eléctrica: for a free token.

It is what a customer pays for a kWh before electricity tax and VAT: energy, grid fees and charges.
Those of the peninsula; the islands, Ceuta and Melilla have rows of their own. Tomorrow's prices are
out at about 20:20.

Source: api.esios.ree.es, ``/indicators/1001``. Its instant of change is that of all values, so that
it does not say when each of them was published.
"""

from dataclasses import dataclass, field
from datetime import datetime, time

from pydantic import AwareDatetime, BaseModel

from luna.energy.timeline import parse_zone
from services.ingest.sources.prices.declaration import PriceSourceDeclaration, canonical_market
from services.ingest.sources.prices.publication import (
    DeliveryWindow,
    Issue,
    make_sheets,
    measure_lengths,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web

PVPC = 1001
URL = f"https://api.esios.ree.es/indicators/{PVPC}"
PUBLISHED = time(20, 20)
CLOCK = "Europe/Madrid"
# By market, ESIOS' number of its area.
CODES = {"ES-PVPC": "8741"}


class _Value(BaseModel):
    value: float | None
    datetime_utc: AwareDatetime
    geo_id: int


class _Indicator(BaseModel):
    id: int
    values: list[_Value]


class _Answer(BaseModel):
    indicator: _Indicator


@dataclass(frozen=True)
class Esios:
    """Prices from ESIOS.

    Args:
        web: HTTP client.
        token: a user's personal token.
    """

    name = "esios"
    web: Web
    token: str = field(repr=False)

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        area = CODES[canonical_market(market)]
        headers = {
            "accept": "application/json; application/vnd.esios-api-v1+json",
            "x-api-key": self.token,
        }
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            parameters = {
                "start_date": f"{window.first:%Y-%m-%dT%H:%M:%SZ}",
                "end_date": f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
                "geo_ids[]": area,
            }
            indicator = self.web.get(URL, parameters, headers=headers).parse(_Answer).indicator
            if indicator.id != PVPC:
                raise SourceError(
                    f"answers indicator {indicator.id} instead of {PVPC}",
                    field=self.name,
                    remedy="Try again later.",
                )
            values = [value for value in indicator.values if str(value.geo_id) == area]
            starts = [value.datetime_utc for value in values]
            prices = [value.value for value in values]
            products = measure_lengths(starts, prices, parse_zone(CLOCK))
            sheets += make_sheets(window, products, Issue("EUR"))
        return sheets


SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: Esios(access.web, access.token),
    setting="esios_token",
    currencies=frozenset({"EUR"}),
    clock=CLOCK,
    published=PUBLISHED,
)
