"""Spain and Portugal through OMIE, the operator of their market: no token, in euros.

Quarter-hours since October 2025, hours before. A file holds a day of Madrid, also Portugal's
prices.

Source: OMIE, "Modelo de ficheros para la distribución pública de información", 6.18 MARGINALPDBC.
A file does not say when its prices were published.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from luna.energy.timeline import local_day, parse_zone
from services.ingest.sources.prices.declaration import PriceSourceDeclaration, canonical_market
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web, WebAnswer

URL = "https://www.omie.es/en/file-download"
FOLDER = "marginalpdbc"
CLOCK = "Europe/Madrid"
# Columns of the prices; before them stand year, month, day and the number of the period.
COLUMNS = {"PT": 4, "ES": 5}
CODES = {name: name for name in COLUMNS}
HEADER = "MARGINALPDBC;"
END = "*"
# A later version of a day's file has a higher suffix.
VERSIONS = range(1, 10)
MINUTES = (15, 60)
# It answers 404 where there is no such file.
NOTHING = 404


@dataclass(frozen=True)
class Omie:
    """Prices from OMIE."""

    name = "omie"
    web: Web

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        column = COLUMNS[canonical_market(market)]
        window = DeliveryWindow(market, first, end)
        zone = parse_zone(CLOCK)
        sheets: list[PriceSheet] = []
        for day in window.days(zone):
            answer = self._latest(day)
            if answer is None:
                continue
            try:
                products = list(_read_products(_read_periods(answer, day, column), day, zone))
            except ValueError as exc:
                raise SourceError(
                    f"answers what cannot be read: {exc}",
                    field=self.name,
                    remedy="Try again later.",
                ) from exc
            sheets += make_sheets(window, products, Issue("EUR"))
        return sheets

    def _latest(self, day: date) -> WebAnswer | None:
        """Return the last version of a day's file, None before there is any."""
        latest = None
        for version in VERSIONS:
            parameters = {"parents": FOLDER, "filename": f"{FOLDER}_{day:%Y%m%d}.{version}"}
            answer = self.web.get(URL, parameters, accept=(200, NOTHING))
            if answer.status == NOTHING:
                break
            latest = answer
        return latest


def _read_periods(answer: WebAnswer, day: date, column: int) -> dict[int, float]:
    """Return the price of each period of a day's file, currency per MWh.

    Raises:
        ValueError: it is no such file, or one of another day.
    """
    header, *lines = answer.content.decode("latin-1").splitlines() or [""]
    if header.strip() != HEADER:
        raise ValueError(f"a file that begins with {header[:20]}")
    prices: dict[int, float] = {}
    for line in lines:
        if line.strip() == END:
            break
        cells = line.split(";")
        if len(cells) <= max(COLUMNS.values()):
            raise ValueError(f"a line of {len(cells)} cells")
        year, month, day_of_month, period = (int(cell) for cell in cells[:4])
        if date(year, month, day_of_month) != day:
            raise ValueError(f"prices of {year}-{month}-{day_of_month}, wanted is {day}")
        prices[period] = float(cells[column])
    return prices


def _read_products(prices: dict[int, float], day: date, zone: ZoneInfo) -> Iterator[Product]:
    """Yield the products of a day, numbered from its midnight on without regard to the clock.

    Raises:
        ValueError: the periods make up neither the day's quarter-hours nor its hours.
    """
    for minutes in MINUTES:
        slots = local_day(day, zone, minutes * MINUTE)
        if sorted(prices) == list(range(1, slots.count + 1)):
            for period, start in enumerate(slots, start=1):
                yield Product(start, minutes, prices[period])
            return
    raise ValueError(f"{len(prices)} periods on {day}")


SOURCE = PriceSourceDeclaration(
    codes=CODES, open=lambda access: Omie(access.web), currencies=frozenset({"EUR"})
)
