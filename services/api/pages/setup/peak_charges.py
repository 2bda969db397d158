"""Published capacity charges: prices per kW of a month's peak, as set-up fills them in. Pure."""

from typing import Any

from luna.energy.site import PeakPrice, Tariff
from luna.platform.grid_fees.published import PublishedProduct, list_published


def list_peak_charges(country: str) -> dict[str, PublishedProduct]:
    """Return the published capacity charges of a country by their choice."""
    charges = {}
    for tariff in list_published():
        if tariff.country != country:
            continue
        for product in tariff.products:
            if product.peaks:
                charges[f"{tariff.operator}: {product.name}"] = product
    return charges


def list_peak_prices(product: PublishedProduct) -> list[PeakPrice]:
    """Return the prices of a published capacity charge, with tax."""
    prices = []
    for peak in product.peaks:
        document = peak.model_dump(by_alias=True, exclude={"vat"})
        document["price_per_kw_month"] = round(peak.price_per_kw_month * (1.0 + peak.vat), 6)
        prices.append(PeakPrice.model_validate(document))
    return prices


def compose_peaks(product: PublishedProduct) -> Any:
    """Return the document of a published capacity charge: one price, or a list."""
    documents = []
    for price in list_peak_prices(product):
        documents.append(price.model_dump(mode="json", by_alias=True))
    return documents[0] if len(documents) == 1 else documents


def answer_peaks(tariff: Tariff, country: str) -> dict[str, str]:
    """Return the field of a stored capacity charge, {} if it is not a published one."""
    for choice, product in list_peak_charges(country).items():
        if [*tariff.peaks] == list_peak_prices(product):
            return {"peak_published": choice}
    return {}
