"""EPEX in Germany through Ostrom, for its customers: hours, in euros.

The exchange's price alone. Ostrom also has the taxes, levies and grid fees that a customer pays,
but only for a postal code, without which they are 0: they belong in the tariff.

Source: docs.ostrom-api.io, "Authentication" and ``/spot-prices``. It does not say when prices were
published.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from luna.energy.timeline import parse_zone
from services.ingest.sources.prices.declaration import COUPLED, PriceSourceDeclaration
from services.ingest.sources.prices.publication import (
    DeliveryWindow,
    Issue,
    make_sheets,
    measure_lengths,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web

TOKEN_URL = "https://auth.production.ostrom-api.io/oauth2/token"  # noqa: S105 - an address
URL = "https://production.ostrom-api.io/spot-prices"
# It makes an access token, and answers 201.
CREATED = 201
# A cent per kWh is ten euros per MWh; cents are rounded to hundredths, up or down.
EUR_PER_MWH_PER_CENT = 10.0
ROUNDING_CENTS = 0.011
CODES = {"DE-LU": "DE"}


class _Access(BaseModel):
    access_token: str


class _Hour(BaseModel):
    date: AwareDatetime
    netMwhPrice: float | None  # noqa: N815 - the service's names
    netKwhPrice: float | None = None  # noqa: N815

    @property
    def contradicts_itself(self) -> bool:
        """Whether its prices per MWh, in euros, and per kWh, in cents, are different ones."""
        if self.netMwhPrice is None or self.netKwhPrice is None:
            return False
        deviation = self.netMwhPrice / EUR_PER_MWH_PER_CENT - self.netKwhPrice
        return abs(deviation) > ROUNDING_CENTS


class _Prices(BaseModel):
    data: list[_Hour]


@dataclass(frozen=True)
class Ostrom:
    """Prices from Ostrom.

    Args:
        web: HTTP client.
        token: ``client_id:client_secret`` of a customer's API client.
    """

    name = "ostrom"
    web: Web
    token: str = field(repr=False)

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        headers = {"authorization": f"Bearer {self._request_access()}"}
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            parameters = {
                "startDate": f"{window.first:%Y-%m-%dT%H:%M:%S.000Z}",
                "endDate": f"{window.end:%Y-%m-%dT%H:%M:%S.000Z}",
                "resolution": "HOUR",
            }
            hours = self.web.get(URL, parameters, headers=headers).parse(_Prices).data
            for hour in hours:
                if hour.contradicts_itself:
                    raise SourceError(
                        f"answers {hour.netMwhPrice} EUR/MWh and {hour.netKwhPrice} ct/kWh",
                        field=self.name,
                        remedy="Try again later.",
                    )
            starts = [hour.date for hour in hours]
            prices = [hour.netMwhPrice for hour in hours]
            products = measure_lengths(starts, prices, parse_zone(COUPLED))
            sheets += make_sheets(window, products, Issue("EUR"))
        return sheets

    def _request_access(self) -> str:
        """Return a token for an hour."""
        credentials = b64encode(self.token.encode()).decode()
        headers = {"authorization": f"Basic {credentials}"}
        form = {"grant_type": "client_credentials"}
        answer = self.web.post_form(TOKEN_URL, form, headers=headers, accept=(200, CREATED))
        return answer.parse(_Access).access_token


SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: Ostrom(access.web, access.token),
    setting="ostrom_token",
    currencies=frozenset({"EUR"}),
)
