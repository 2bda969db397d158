"""Compose the document of a tariff from the fields of its step, with their faults. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from luna.energy.site.countries import Country
from luna.words import Numbers
from services.api.pages.setup.device_prices import (
    compose_device_price,
    find_device_faults,
    list_device_entries,
)
from services.api.pages.setup.fields import (
    BASE,
    EXPORT_ENTRIES,
    EXPORT_KINDS,
    EXPORT_SPOT,
    KEPT,
    KINDS,
    ON,
    PARTS,
    PEAK,
    PRODUCT,
    Entry,
    FieldFault,
    check_entries,
    list_import_entries,
)
from services.api.pages.setup.peak_charges import compose_peaks, list_peak_charges
from services.api.pages.setup.postcode import suggest_by_postcode
from services.api.pages.setup.price_parts import (
    compose_feed_in,
    compose_parts,
    find_part_faults,
    name_part,
)
from services.api.pages.setup.supplier_offers import (
    compose_offer,
    compose_sold,
    find_offer,
    find_offer_faults,
    list_offer_entries,
)

_SECOND_BAND = ("second_from", "second_to", "second_price")


def compose_tariff(
    answered: Mapping[str, str], country: Country | None, *, currency: str, kept: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[FieldFault]]:
    """Return the document of a tariff, None where it has faults, and these.

    Args:
        answered: its fields.
        country: of the home.
        currency: of the home.
        kept: the stored site's prices; {} for a new one.
    """
    country_code = country.code if country else ""
    typed = {**answered, **suggest_by_postcode(answered, country_code)}
    kind = typed["import_kind"]
    export_kind = typed["export_kind"]
    has_kinds = kind in KINDS and export_kind in EXPORT_KINDS
    if not has_kinds or (KEPT in {kind, export_kind} and not kept):
        return None, [FieldFault("import_kind", "choice")]
    offer = find_offer(typed, country_code)
    import_entries = list_import_entries(typed)
    if offer is not None:
        import_entries += list_offer_entries(offer, typed)
    bought, faults = _check_prices(import_entries, typed, currency)
    beside_entries = (*BASE, *PEAK, *list_device_entries(typed))
    others, other_faults = _check_prices(beside_entries, typed, currency)
    other_faults += find_device_faults(others)
    sold, export_faults = _check_prices(_list_export_entries(typed), typed, currency)
    faults += _find_market_faults(bought | sold, country)
    faults += _find_choice_faults(typed, bought | others, country_code)
    faults += other_faults + export_faults
    if faults:
        return None, faults
    rules = {"import": kept.get("import"), "export": kept.get("export")}
    stored = kept.get("components")
    if kind == PARTS:
        rules["import"] = compose_parts(typed, bought, country=country_code, stored=stored)
    elif offer is not None:
        rules["import"] = compose_offer(offer, typed, bought, country=country_code, stored=stored)
    elif kind != KEPT:
        rules["import"] = _compose_import(kind, bought)
    if export_kind == PRODUCT and offer is not None:
        rules["export"] = compose_sold(offer, typed)
    elif export_kind != KEPT:
        rules["export"] = _compose_export(typed, sold)
    return rules | _compose_charges(typed, others, country_code), []


def _compose_charges(
    typed: Mapping[str, str], values: Mapping[str, Any], country: str
) -> dict[str, Any]:
    """Return the documents of what is due beside the house's kWh: base, peaks, devices."""
    charges: dict[str, Any] = {}
    if "base_price" in values:
        charges["base"] = [{"name": name_part("base", typed), "price": values["base_price"]}]
    if "peak_published" in values:
        charges["peak"] = compose_peaks(list_peak_charges(country)[values["peak_published"]])
    return charges | compose_device_price(typed, values)


def _find_choice_faults(
    typed: Mapping[str, str], values: Mapping[str, Any], country: str
) -> list[FieldFault]:
    """Return the faults of choices that do not fit each other or the country."""
    faults = []
    kind = typed["import_kind"]
    if kind == "time_of_use":
        # A second band needs all of its fields.
        missing = [name for name in _SECOND_BAND if name not in values]
        if len(missing) < len(_SECOND_BAND):
            faults += [FieldFault(name, "band") for name in missing]
    elif kind == PRODUCT:
        faults += find_offer_faults(typed, values, country)
    elif kind == PARTS:
        faults += find_part_faults(typed, values, country)
    offer = find_offer(typed, country)
    if typed["export_kind"] == PRODUCT and (offer is None or not offer.sold_markets):
        faults.append(FieldFault("export_kind", "unpaid"))
    peak = values.get("peak_published")
    if peak is not None and peak not in list_peak_charges(country):
        faults.append(FieldFault("peak_published", "choice"))
    return faults


def _find_market_faults(values: Mapping[str, Any], country: Country | None) -> list[FieldFault]:
    """Return a fault for each market that the country does not have."""
    markets = country.markets if country else ()
    faults = []
    for name in ("market", "energy_market", "export_market"):
        if name in values and values[name] not in markets:
            faults.append(FieldFault(name, "choice"))
    return faults


def _check_prices(
    entries: Iterable[Entry], typed: Mapping[str, str], currency: str
) -> tuple[dict[str, Any], list[FieldFault]]:
    """Validate fields whose prices are in the unit and within the bounds of the currency."""
    scale, _ = Numbers("en", ZoneInfo("UTC"), currency).price_unit
    in_currency = [entry.in_currency(currency) for entry in entries]
    return check_entries(in_currency, typed, price_scale=scale)


def _list_export_entries(typed: Mapping[str, str]) -> list[Entry]:
    """Return the fields that count for the chosen kind of a feed-in price."""
    kind = typed["export_kind"]
    entries = [*EXPORT_ENTRIES[kind]]
    if kind == "fixed" and typed.get("export_below_zero") == ON:
        entries += [entry for entry in EXPORT_SPOT if entry.name == "export_market"]
    return entries


def _compose_import(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "fixed":
        return {"kind": kind, "price": values["import_price"]}
    if kind == "spot":
        vat = values["vat_percent"] / 100
        return {"kind": kind, "market": values["market"], "markup": values["markup"], "vat": vat}
    bands = []
    for band in ("first", "second"):
        if f"{band}_from" in values:
            begin = values[f"{band}_from"]
            document = {"from": "00:00" if begin == "24:00" else begin}
            document |= {part: values[f"{band}_{part}"] for part in ("to", "price", "days")}
            bands.append(document)
    return {"kind": kind, "default": values["default_price"], "bands": bands}


def _compose_export(typed: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    if values.get("export_below_zero"):
        return compose_feed_in(typed, values)
    if "export_market" in values:
        markup = -values["export_fee"]
        return {"kind": "spot", "market": values["export_market"], "markup": markup}
    # Without payment the price is 0.
    return {"kind": "fixed", "price": values.get("export_price", 0.0)}
