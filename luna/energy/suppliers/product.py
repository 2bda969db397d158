"""The declaration of a supplier's dynamic product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# The market of each area of a country; "" is the area of a product with one price.
Markets = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SupplierProduct:
    """A product that follows a market, and what it asks of a customer.

    Args:
        code: in forms.
        called: supplier and product, as on the bill.
        markets: of bought energy, by country, ISO 3166, and area.
        sold_markets: of feed-in, likewise; empty where it is paid otherwise.
        is_all_in: whether the market's price has grid fees, levies and tax in it.
        key_setting: field of ``Settings`` with the customer's key; None: it needs none.
        billed_minutes: the interval that is billed; None: the customer knows.
    """

    code: str
    called: str
    markets: Mapping[str, Markets]
    sold_markets: Mapping[str, Markets] = field(default_factory=dict)
    is_all_in: bool = False
    key_setting: str | None = None
    billed_minutes: Literal[15, 60] | None = None
