"""The products of suppliers that a country's customers can choose, and the prices they make.

Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from luna.energy.site import ImportRule, PriceRule, SpotPrice
from luna.energy.suppliers.product import Markets
from luna.energy.suppliers.products import list_products
from luna.energy.tariffs.component import Component
from luna.energy.tariffs.components import ComponentsPrice
from luna.energy.tariffs.spot import SpotComponent
from luna.platform.grid_fees.published import PublishedTariff, list_published
from services.api.pages.setup.fields import (
    PRODUCT,
    PRODUCT_PARTS,
    Entry,
    FieldFault,
    list_bill_entries,
)
from services.api.pages.setup.price_parts import (
    answer_parts,
    compose_parts,
    dump_parts,
    find_part_faults,
)


@dataclass(frozen=True, slots=True)
class SupplierOffer:
    """A product as it is chosen in a country.

    Args:
        called: supplier and product.
        markets: of bought energy by area; empty where ``components`` are its price.
        sold_markets: of feed-in by area.
        is_all_in: whether nothing is added to the price.
        key_setting: field of ``Settings`` with the customer's key; None: it needs none.
        billed_minutes: the interval that is billed; None: the customer knows.
        components: a price that is published.
    """

    called: str
    markets: Markets
    sold_markets: Markets
    is_all_in: bool
    key_setting: str | None = None
    billed_minutes: int | None = None
    components: tuple[Component, ...] = ()

    @property
    def asks(self) -> tuple[str, ...]:
        """Questions to a customer: area, key, parts of the bill, billing interval."""
        is_asked = {
            "area": len(self.markets) > 1,
            "key": self.key_setting is not None,
            "parts": not self.is_all_in,
            "billed": not self.is_all_in and self.billed_minutes is None,
        }
        return tuple(name for name, asks in is_asked.items() if asks)

    def choose_area(self, typed: Mapping[str, str]) -> str | None:
        """Return the chosen area, or the only one; None where it is not chosen."""
        if len(self.markets) == 1:
            return next(iter(self.markets))
        area = typed.get("product_area", "")
        return area if area in self.markets else None


def list_offers(country: str) -> dict[str, SupplierOffer]:
    """Return the products of a country by their code in the form."""
    offers = {}
    for product in list_products(country):
        offers[product.code] = SupplierOffer(
            called=product.called,
            markets=product.markets[country],
            sold_markets=product.sold_markets.get(country, {}),
            is_all_in=product.is_all_in,
            key_setting=product.key_setting,
            billed_minutes=product.billed_minutes,
        )
    for tariff in list_published():
        if tariff.country == country:
            offers |= _offer_supplies(tariff)
    return offers


def _offer_supplies(tariff: PublishedTariff) -> dict[str, SupplierOffer]:
    """Return the products of a published tariff that are a supply, with its own levies."""
    levies: list[Component] = []
    for product in tariff.products:
        if product.role == "levy":
            levies += product.lasting_components
    offers = {}
    for product in tariff.products:
        if product.role == "supply":
            called = f"{tariff.operator}: {product.name}"
            components = (*product.lasting_components, *levies)
            offers[called] = SupplierOffer(called, {}, {}, is_all_in=True, components=components)
    return offers


def find_offer(typed: Mapping[str, str], country: str) -> SupplierOffer | None:
    """Return the chosen product, None where none of the country's is."""
    if typed.get("import_kind") != PRODUCT:
        return None
    return list_offers(country).get(typed.get("product", ""))


def list_offer_entries(offer: SupplierOffer, typed: Mapping[str, str]) -> list[Entry]:
    """Return the fields of a product whose price lacks parts of the bill."""
    return [] if offer.is_all_in else [*PRODUCT_PARTS, *list_bill_entries(typed)]


def find_offer_faults(
    typed: Mapping[str, str], values: Mapping[str, Any], country: str
) -> list[FieldFault]:
    """Return the faults of a chosen product, its area, and the parts of the bill beside it."""
    offer = find_offer(typed, country)
    if offer is None:
        return [FieldFault("product", "choice")]
    if offer.markets and offer.choose_area(typed) is None:
        return [FieldFault("product_area", "area")]
    return [] if offer.is_all_in else find_part_faults(typed, values, country)


def compose_offer(
    offer: SupplierOffer,
    typed: Mapping[str, str],
    values: Mapping[str, Any],
    *,
    country: str,
    stored: Any = None,
) -> dict[str, Any]:
    """Return the document of a product's price; ``stored`` as in ``compose_parts``."""
    area = offer.choose_area(typed)
    if offer.is_all_in:
        return {"kind": "components", "components": dump_parts(_list_components(offer, area))}
    billed = offer.billed_minutes or values["product_billed"]
    energy = {"energy_kind": "spot", "energy_name": offer.called}
    figures = {
        "energy_market": offer.markets[area or ""],
        "energy_billed": billed,
        "energy_surcharge": values["product_surcharge"],
    }
    typed_parts = {**typed, **energy}
    return compose_parts(typed_parts, {**values, **figures}, country=country, stored=stored)


def _list_components(offer: SupplierOffer, area: str | None) -> tuple[Component, ...]:
    if offer.components:
        return offer.components
    market = offer.markets[area or ""]
    return (SpotComponent(kind="spot", name=offer.called, market=market),)


def compose_sold(offer: SupplierOffer, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the document of what a product pays for feed-in."""
    market = offer.sold_markets[offer.choose_area(typed) or ""]
    return {"kind": "spot", "market": market}


def answer_offers(rule: ImportRule, country: str, scale: int) -> Iterator[dict[str, str]]:
    """Yield fields of the products that may have this price, one after the other."""
    if not isinstance(rule, ComponentsPrice):
        return
    offers = list_offers(country)
    for code, offer in offers.items():
        if not offer.is_all_in:
            continue
        chosen = {"import_kind": PRODUCT, "product": code}
        for area in offer.markets or [""]:
            if rule.components == _list_components(offer, area):
                yield chosen | {"product_area": area}
    for typed in answer_parts(rule, country, scale):
        for code, offer in offers.items():
            if not offer.is_all_in and typed.get("energy_name") == offer.called:
                product = {
                    "import_kind": PRODUCT,
                    "product": code,
                    "product_surcharge": typed.get("energy_surcharge", "0"),
                    "product_billed": typed.get("energy_billed", ""),
                }
                yield typed | product


def answer_sold(rule: PriceRule, bought: Mapping[str, str], country: str) -> dict[str, str]:
    """Return the fields of the bought product's feed-in price, {} for another price."""
    offer = find_offer(bought, country)
    if offer is None or not offer.sold_markets or not isinstance(rule, SpotPrice):
        return {}
    sold = offer.sold_markets[offer.choose_area(bought) or ""]
    return {"export_kind": PRODUCT} if rule == SpotPrice(kind="spot", market=sold) else {}
