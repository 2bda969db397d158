"""EPEX and the other coupled exchanges through energy-charts.info of Fraunhofer ISE.

No token, quarter-hours, in euros.

Source: api.energy-charts.info, ``/price``. It does not say when prices were published.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from luna.energy.timeline import parse_zone
from services.ingest.sources.prices.declaration import (
    BIDDING_ZONES,
    COUPLED,
    PriceSourceDeclaration,
    canonical_market,
)
from services.ingest.sources.prices.publication import (
    DeliveryWindow,
    Issue,
    make_sheets,
    measure_lengths,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web, instant_of

URL = "https://api.energy-charts.info/price"
UNIT = "EUR/MWh"
# It knows the zones of the Transparency Platform, by their names.
CODES = {name: name for name in BIDDING_ZONES}
# It answers 404 where it has nothing for that time.
NOTHING = 404


class _Prices(BaseModel):
    unix_seconds: list[int]
    price: list[float | None]
    unit: str


@dataclass(frozen=True)
class EnergyCharts:
    """Prices from energy-charts.info."""

    name = "energy_charts"
    web: Web

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        code = CODES[canonical_market(market)]
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            parameters = {
                "bzn": code,
                "start": f"{window.first:%Y-%m-%dT%H:%MZ}",
                "end": f"{window.end:%Y-%m-%dT%H:%MZ}",
            }
            answer = self.web.get(URL, parameters, accept=(200, NOTHING))
            if answer.status == NOTHING:
                continue
            document = answer.parse(_Prices)
            time_count = len(document.unix_seconds)
            price_count = len(document.price)
            if document.unit.replace(" ", "") != UNIT or time_count != price_count:
                raise SourceError(
                    f"answers {price_count} prices in {document.unit} for {time_count} times",
                    field=self.name,
                    remedy="Try again later.",
                )
            starts = [instant_of(second) for second in document.unix_seconds]
            products = measure_lengths(starts, document.price, parse_zone(COUPLED))
            sheets += make_sheets(window, products, Issue("EUR"))
        return sheets


SOURCE = PriceSourceDeclaration(
    codes=CODES, open=lambda access: EnergyCharts(access.web), currencies=frozenset({"EUR"})
)
