"""Agile tariffs of Octopus Energy in Great Britain: half-hours, in pounds, without a token.

The price is what a customer pays, with grid, levies and VAT; of ``OUTGOING`` what feed-in earns.

Source: docs.octopus.energy, REST API guides, "Endpoints", ``standard-unit-rates``; pence per kWh,
newest first. It does not say when prices were published.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from pydantic import AwareDatetime, BaseModel

from services.ingest.sources.prices.declaration import PriceSourceDeclaration, canonical_market
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web

URL = "https://api.octopus.energy/v1/products"
# Those on sale, since October 2024 and since May 2019; customers of earlier ones pay a little
# more or less. Source: api.octopus.energy, ``/v1/products/``.
AGILE = "AGILE-24-10-01"
AGILE_OUTGOING = "AGILE-OUTGOING-19-05-13"
# The distribution regions; I and O are none. Source: Elexon, "GSP Group".
REGIONS = "ABCDEFGHJKLMNP"
PRODUCTS = {f"GB-AGILE-{region}": AGILE for region in REGIONS} | {
    f"GB-AGILE-OUTGOING-{region}": AGILE_OUTGOING for region in REGIONS
}
# Electricity, one rate at a time, and the region as in the market's name.
CODES = {market: f"E-1R-{product}-{market[-1]}" for market, product in PRODUCTS.items()}
# Most rows of a page. Half a year fills six, or twelve with a row for each way of payment.
PAGE_SIZE = 1500
MOST_PAGES = 20
PENCE_PER_POUND = 100.0
HALF_HOUR = timedelta(minutes=30)
# Where a rate has a row for each way of payment, this is the dearer one.
NOT_BY_DIRECT_DEBIT = "NON_DIRECT_DEBIT"
# Of Brussels: prices of the next day come from 16:00 in London on. Source:
# octopus.energy/smart/agile.
PUBLISHED = time(17)


class Rate(BaseModel):
    """A price between two instants, pence."""

    value_inc_vat: float
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None = None
    payment_method: str | None = None

    def as_product(self) -> Product:
        # Each half-hour has its own price: an open end does not make this one hold for longer.
        end = self.valid_to or self.valid_from + HALF_HOUR
        minutes = (end - self.valid_from) // MINUTE
        return Product(self.valid_from, minutes, self.value_inc_vat / PENCE_PER_POUND)


class _Page(BaseModel):
    results: list[Rate]
    next: str | None = None


@dataclass(frozen=True)
class Octopus:
    """Prices from Octopus Energy."""

    name = "octopus"
    web: Web

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        name = canonical_market(market)
        url = f"{URL}/{PRODUCTS[name]}/electricity-tariffs/{CODES[name]}/standard-unit-rates/"
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            products = [
                rate.as_product()
                for rate in read_rates(self.web, url, window, self.name)
                if rate.payment_method != NOT_BY_DIRECT_DEBIT
            ]
            sheets += make_sheets(window, products, Issue("GBP", per_kwh=1.0))
        return sheets


def read_rates(web: Web, url: str, window: DeliveryWindow, service: str) -> list[Rate]:
    """Return the rates of all pages of a tariff.

    Raises:
        SourceError: there are more pages than the window can fill.
    """
    rates: list[Rate] = []
    for number in range(1, MOST_PAGES + 1):
        parameters: dict[str, str | int] = {
            "period_from": f"{window.first:%Y-%m-%dT%H:%M:%SZ}",
            "period_to": f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
            "page_size": PAGE_SIZE,
            "page": number,
        }
        page = web.get(url, parameters).parse(_Page)
        rates += page.results
        if page.next is None:
            return rates
    raise SourceError(
        f"answers more than {MOST_PAGES} pages", field=service, remedy="Try again later."
    )


# Its days are those of the coupled auction: 23:00 in London is midnight in Brussels all year.
SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: Octopus(access.web),
    currencies=frozenset({"GBP"}),
    published=PUBLISHED,
)
