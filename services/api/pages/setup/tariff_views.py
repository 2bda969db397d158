"""Compute the parts of the step Tariff beside its fields, and the tariff in words. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from luna.energy.site import FixedPrice, ImportRule, PriceRule, SpotPrice, Tariff, TimeOfUsePrice
from luna.energy.suppliers.regions import REGIONS
from luna.energy.tariffs.components import ComponentsPrice
from luna.platform.grid_fees.published import PublishedProduct
from luna.words import Language, Numbers
from luna.words.numbers import say_day
from luna.words.pages import PageWords
from luna.words.price_parts import (
    describe_base_charges,
    describe_components,
    describe_device_prices,
)
from luna.words.published_names import format_choice_name, format_published_name
from luna.words.tariffs import say_buying, say_selling
from services.api.pages.setup.composition import country_of, numbers_of, suggest_tariff
from services.api.pages.setup.devices.form import LINE_BREAK
from services.api.pages.setup.fields import (
    DEVICE_PRICE,
    FEE_WINDOWS,
    KEPT,
    PART_NAMES,
    PRICED_DEVICES,
    TARIFF,
    Entry,
)
from services.api.pages.setup.peak_charges import list_peak_charges
from services.api.pages.setup.postcode import asks_postcode, describe_place, suggest_by_postcode
from services.api.pages.setup.price_parts import list_fees, list_levies
from services.api.pages.setup.supplier_offers import list_offers

Lines = list[tuple[str, str]]


class PublishedSource(NamedTuple):
    """The source of published figures: their owner, the document, and its day."""

    of: str
    title: str
    publisher: str
    day: str


class OfferChoice(NamedTuple):
    """A supplier's product in the form: its code, its name, and what it asks."""

    code: str
    called: str
    asks: str


class KeptPrices(NamedTuple):
    """The stored prices that the fields cannot express, in words; "" for others."""

    bought: str
    sold: str
    base: str
    devices: str


def view_tariff(answers: Mapping[str, Any], words: PageWords, language: Language) -> dict[str, Any]:
    """Return the tariff's fields, filled with the country's usual values, and what is offered."""
    country = country_of(answers)
    markets = country.markets if country else ()
    country_code = country.code if country else ""
    numbers = numbers_of(answers, language)
    fees = list_fees(country_code)
    typed = suggest_tariff(answers) | answers.get("tariff", {})
    typed |= suggest_by_postcode(typed, country_code)
    part_names = {}
    for entry in PART_NAMES:
        part_names[entry.name] = typed.get(entry.name) or words(f"part_{entry.name}")
    fee_choices = []
    fee_sources = []
    for choice, (_, product) in fees.items():
        name = format_choice_name(choice, language)
        fee_choices.append((choice, name))
        fee_sources.append(_describe_source(name, product, language))
    peak_choices = []
    peak_sources = []
    for choice, product in list_peak_charges(country_code).items():
        name = format_choice_name(choice, language)
        peak_choices.append((choice, name))
        peak_sources.append(_describe_source(name, product, language))
    levies_sources = []
    for product in list_levies(country_code):
        name = format_published_name(product.name, language)
        levies_sources.append(_describe_source(name, product, language))
    return {
        "entries": {entry.name: entry for entry in TARIFF},
        "typed": typed,
        "part_names": part_names,
        "markets": [(market, market) for market in markets],
        "price_unit": numbers.price_unit[1],
        "amount_unit": words("per_month", currency=numbers.currency_sign),
        "device_fields": [entry.name for entry in DEVICE_PRICE],
        "windows": [[entry.name for entry in window] for window in FEE_WINDOWS],
        "has_window": [_is_typed(window, typed) for window in FEE_WINDOWS],
        "fees": fee_choices,
        "fee_sources": fee_sources,
        "levies_sources": levies_sources,
        "peaks": peak_choices,
        "peak_sources": peak_sources,
        "kept": _say_kept(answers, words, numbers),
        **_view_offers(typed, country_code, words, language),
    }


def _view_offers(
    typed: Mapping[str, str], country: str, words: PageWords, language: Language
) -> dict[str, Any]:
    """Return the country's products, their areas, and what the postcode says."""
    offers = []
    sells = False
    for code, offer in list_offers(country).items():
        called = format_choice_name(offer.called, language)
        offers.append(OfferChoice(code, called, " ".join(offer.asks)))
        sells = sells or bool(offer.sold_markets)
    areas = []
    for region in REGIONS.get(country, ()):
        areas.append((region.letter, f"{region.letter}: {region.name}"))
    postcode = typed.get("postcode", "").strip()
    return {
        "offers": offers,
        "offers_selling": sells,
        "areas": areas,
        "asks_postcode": asks_postcode(country),
        "postcode_said": describe_place(postcode, country, words),
    }


def _is_typed(window: Iterable[Entry], typed: Mapping[str, str]) -> bool:
    return any(entry.kind != "choice" and typed.get(entry.name) for entry in window)


def _describe_source(of: str, product: PublishedProduct, language: Language) -> PublishedSource:
    source = product.source
    day = say_day(source.published, language)
    return PublishedSource(of, source.title, source.publisher, day)


def _say_kept(answers: Mapping[str, Any], words: PageWords, numbers: Numbers) -> KeptPrices:
    """Describe the stored prices of a site that is changed."""
    if "kept" not in answers:
        return KeptPrices("", "", "", "")
    before = answers.get("before", answers)["tariff"]
    kept = answers["kept"]
    names = ("import", "export", "base", "devices")
    tariff = Tariff.model_validate({name: kept[name] for name in names})
    bought = ""
    sold = ""
    base = ""
    if before["import_kind"] == KEPT:
        bought = describe_bought(tariff.import_, words, numbers)
    if before["export_kind"] == KEPT:
        sold = describe_sold(tariff.export, words, numbers)
    if not before.get("base_price"):
        base = LINE_BREAK.join(describe_base_charges(tariff.base, numbers))
    devices = ""
    if not before.get(PRICED_DEVICES.name):
        devices = LINE_BREAK.join(describe_device_prices(tariff.devices, numbers))
    return KeptPrices(bought, sold, base, devices)


def describe_tariff(tariff: Tariff, words: PageWords, numbers: Numbers) -> Lines:
    """Return the tariff in words: prices of buying and selling, and base charges."""
    lines = [
        (words("buying"), describe_bought(tariff.import_, words, numbers)),
        (words("selling"), describe_sold(tariff.export, words, numbers)),
    ]
    if tariff.base:
        label = words("field_base_price")
        charges = describe_base_charges(tariff.base, numbers, heading=label)
        lines.append((label, LINE_BREAK.join(charges)))
    if tariff.devices:
        devices = LINE_BREAK.join(describe_device_prices(tariff.devices, numbers))
        lines.append((words("field_priced_devices"), devices))
    for peak in tariff.peaks:
        price = numbers.money(peak.price_per_kw_month)
        lines.append((words("field_peak_published"), words("review_peak", price=price)))
    return lines


def describe_bought(rule: ImportRule, words: PageWords, numbers: Numbers) -> str:
    """Return the price of bought energy in words, a line for each part."""
    if isinstance(rule, FixedPrice):
        return words("review_tariff_fixed", price=numbers.price_per_kwh(rule.price))
    if isinstance(rule, TimeOfUsePrice):
        price = numbers.price_per_kwh(rule.default)
        bands = _say_bands(rule, words, numbers)
        return LINE_BREAK.join([*bands, words("review_tariff_time_of_use", price=price)])
    if isinstance(rule, SpotPrice):
        vat = numbers.share(rule.vat, 1)
        markup = numbers.price_per_kwh(rule.markup)
        return words("review_tariff_spot", market=rule.market, markup=markup, vat=vat)
    if isinstance(rule, ComponentsPrice):
        return LINE_BREAK.join(describe_components(rule, numbers))
    # Rules without a form of their own are described as in lists of tariffs.
    return say_buying(rule, numbers)


def describe_sold(rule: PriceRule, words: PageWords, numbers: Numbers) -> str:
    """Return the price of feed-in in words, a line for each part."""
    if isinstance(rule, FixedPrice):
        return words("review_export_fixed", price=numbers.price_per_kwh(rule.price))
    if isinstance(rule, SpotPrice):
        selling = words("review_export_spot", market=rule.market)
        if rule.markup:
            fee = numbers.price_per_kwh(-rule.markup)
            selling += LINE_BREAK + words("review_export_fee", fee=fee)
        return selling
    if isinstance(rule, ComponentsPrice):
        return LINE_BREAK.join(describe_components(rule, numbers))
    return say_selling(rule, numbers)


def _say_bands(rule: TimeOfUsePrice, words: PageWords, numbers: Numbers) -> list[str]:
    sentences = []
    for band in rule.bands:
        days = words(f"option_first_days_{band.days}")
        price = numbers.price_per_kwh(band.price)
        sentence = words("review_band", begin=band.from_, end=band.to, days=days, price=price)
        sentences.append(sentence)
    return sentences
