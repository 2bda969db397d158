"""ENTSO-E's Transparency Platform: official prices of every bidding zone, for a free token.

Source: Transparency Platform RESTful API, user guide, 4.2.10 "Day-ahead prices" (document type
A44); "Introduction of different time series possibilities (curve types)" for A01 and A03. The
document's own instant is that of the request, not of the publication.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from services.ingest.sources.prices.declaration import (
    BIDDING_ZONES,
    PriceSourceDeclaration,
    canonical_market,
)
from services.ingest.sources.prices.publication import (
    LENGTHS,
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError, SourceRefusedError
from services.ingest.sources.web import Web, WebAnswer

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

URL = "https://web-api.tp.entsoe.eu/api"
DAY_AHEAD_PRICES = "A44"
# In this curve type a missing point repeats the one before; in the others its price is unknown.
VARIABLE_BLOCKS = "A03"
# Beside the coupled auction (1, or not stated) some zones report others.
COUPLED = {None, "1"}
NO_MATCHING_DATA = "No matching data found"
RESOLUTIONS = {f"PT{minutes}M": minutes for minutes in LENGTHS} | {"PT1H": 60}


@dataclass(frozen=True)
class EntsoE:
    """Prices from ENTSO-E.

    Args:
        web: HTTP client.
        token: a user's security token.
    """

    name = "entsoe"
    web: Web
    token: str = field(repr=False)

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        area = BIDDING_ZONES[canonical_market(market)]
        query = {
            "securityToken": self.token,
            "documentType": DAY_AHEAD_PRICES,
            "in_Domain": area,
            "out_Domain": area,
        }
        sheets: list[PriceSheet] = []
        for window in DeliveryWindow(market, first, end).split():
            period = {
                "periodStart": f"{window.first:%Y%m%d%H%M}",
                "periodEnd": f"{window.end:%Y%m%d%H%M}",
            }
            answer = self.web.get(URL, query | period, accept=(200, 400))
            sheets += read_document(answer, window)
        return sheets


SOURCE = PriceSourceDeclaration(
    codes=BIDDING_ZONES,
    open=lambda access: EntsoE(access.web, access.token),
    setting="entsoe_token",
)


@dataclass(frozen=True, slots=True)
class _Node:
    """An XML element with children by their bare names.

    The namespace changes with the document's version.
    """

    element: "Element"

    @property
    def name(self) -> str:
        return str(self.element.tag).rpartition("}")[2]

    def all(self, *path: str) -> "Iterator[_Node]":
        """Yield the descendants at a path of names."""
        name, *further = path
        for child in map(_Node, self.element):
            if child.name != name:
                continue
            if further:
                yield from child.all(*further)
            else:
                yield child

    def text(self, *path: str) -> str | None:
        """Return the text of the first descendant at a path, None without one."""
        for node in self.all(*path):
            return node.element.text
        return None

    def need(self, *path: str) -> str:
        """Return the text at a path.

        Raises:
            ValueError: there is none.
        """
        text = self.text(*path)
        if not text:
            raise ValueError(f"{self.name} has no {path[-1]}")
        return text.strip()


def read_document(answer: WebAnswer, window: DeliveryWindow) -> list[PriceSheet]:
    """Return the sheets of a publication document.

    None of them if an acknowledgement states that nothing was found.

    Raises:
        SourceError: the answer is no such document.
        SourceRefusedError: an acknowledgement with another reason.
    """
    try:
        root = _Node(fromstring(answer.content))
        if root.name != "Acknowledgement_MarketDocument":
            return _read_publication(root, window)
    except (ParseError, DefusedXmlException, ValueError) as exc:
        raise SourceError(
            f"answers what cannot be read: {exc}", field=answer.service, remedy="Try again later."
        ) from exc
    reason = root.text("Reason", "text") or "no reason given"
    if reason.startswith(NO_MATCHING_DATA):
        return []
    raise SourceRefusedError(
        f"refuses what was asked: {reason}", field=answer.service, remedy="Check market and time."
    )


def _read_publication(root: _Node, window: DeliveryWindow) -> list[PriceSheet]:
    if root.name != "Publication_MarketDocument":
        raise ValueError(f"a document named {root.name}")
    sheets: list[PriceSheet] = []
    for series in root.all("TimeSeries"):
        if series.text("classificationSequence_AttributeInstanceComponent.position") not in COUPLED:
            continue
        unit = series.need("price_Measure_Unit.name")
        if unit != "MWH":
            raise ValueError(f"prices per {unit}")
        repeats = series.text("curveType") == VARIABLE_BLOCKS
        products: list[Product] = []
        for period in series.all("Period"):
            products += _read_period(period, repeats=repeats)
        sheets += make_sheets(window, products, Issue(series.need("currency_Unit.name")))
    return sheets


def _read_period(period: _Node, *, repeats: bool) -> Iterator[Product]:
    start = _parse_utc(period.need("timeInterval", "start"))
    end = _parse_utc(period.need("timeInterval", "end"))
    resolution = period.need("resolution")
    if resolution not in RESOLUTIONS:
        raise ValueError(f"products of {resolution}")
    minutes = RESOLUTIONS[resolution]
    prices = {
        int(point.need("position")): float(point.need("price.amount"))
        for point in period.all("Point")
    }
    length = minutes * MINUTE
    price: float | None = None
    for position in range(1, (end - start) // length + 1):
        price = prices.get(position, price if repeats else None)
        yield Product(start + (position - 1) * length, minutes, price)


def _parse_utc(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo:
        return instant.astimezone(UTC)
    return instant.replace(tzinfo=UTC)
