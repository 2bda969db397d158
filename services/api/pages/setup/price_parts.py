"""Compose a price from the parts of a bill, and find the parts of a stored price. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from luna.energy.tariffs.calendar import CalendarComponent, CalendarWindow
from luna.energy.tariffs.component import Component
from luna.energy.tariffs.components import COMPONENT, ComponentsPrice
from luna.energy.tariffs.fixed import FixedComponent
from luna.energy.tariffs.spot import SpotComponent
from luna.platform.grid_fees.published import (
    LEVIES,
    PublishedProduct,
    PublishedTariff,
    list_published,
)
from services.api.pages.setup.devices.form import write_numbers
from services.api.pages.setup.fields import FEE_WINDOWS, KEPT, PARTS, FieldFault

# What a part is called where its field was left empty.
NAMES = {
    "energy": "energy",
    "surcharge": "surcharge",
    "fee": "grid fee",
    "levies": "taxes and levies",
    "base": "base price",
    "feed_in": "feed-in",
    "feed_in_fee": "fee",
    "vehicles": "car tariff",
    "heat_pumps": "heat pump tariff",
}
_MONTHS = {"all": (), "summer": (4, 5, 6, 7, 8, 9), "winter": (1, 2, 3, 10, 11, 12)}
_WINDOW_NEEDS = ("fee_from", "fee_to", "fee_window_price")

Documents = list[dict[str, Any]]


def list_fees(country: str) -> dict[str, tuple[PublishedTariff, PublishedProduct]]:
    """Return the published grid fees of a country that are prices per kWh, by their choice."""
    fees = {}
    for tariff in list_published():
        if tariff.country != country:
            continue
        for product in tariff.products:
            if product.role == "grid_fee" and product.components:
                fees[f"{tariff.operator}: {product.name}"] = (tariff, product)
    return fees


def list_levies(country: str) -> list[PublishedProduct]:
    """Return the published levies of a country."""
    levies: list[PublishedProduct] = []
    for tariff in list_published():
        if (tariff.country, tariff.operator) == (country, LEVIES):
            levies += [product for product in tariff.products if product.role == "levy"]
    return levies


def name_part(part: str, typed: Mapping[str, Any]) -> str:
    """Return what a part is called: as typed, else in English."""
    name = str(typed.get(f"{part}_name", "")).strip()
    return name or NAMES[part]


def find_part_faults(
    typed: Mapping[str, str], values: Mapping[str, Any], country: str
) -> list[FieldFault]:
    """Return the faults of parts that are valid field by field."""
    faults = []
    if typed["fee_kind"] == "windows":
        faults += _find_window_faults(typed)
    fee = values.get("fee_published")
    if fee is not None and fee not in list_fees(country):
        faults.append(FieldFault("fee_published", "choice"))
    if typed["levies_kind"] == "published" and not list_levies(country):
        faults.append(FieldFault("levies_kind", "choice"))
    return faults


def _find_window_faults(typed: Mapping[str, str]) -> list[FieldFault]:
    """Return what is missing of the grid fee's further windows: none is there by half."""
    faults = []
    for place in range(1, len(FEE_WINDOWS)):
        fields = [f"fee-{place}-{name}" for name in _WINDOW_NEEDS]
        missing = [name for name in fields if not typed.get(name, "").strip()]
        if len(missing) < len(fields):
            faults += [FieldFault(name, "band") for name in missing]
    return faults


def compose_parts(
    typed: Mapping[str, str], values: Mapping[str, Any], *, country: str, stored: Any = None
) -> dict[str, Any]:
    """Return the document of a price by the parts of a bill.

    Args:
        typed: the tariff's fields.
        values: of valid fields.
        country: ISO 3166, whose published figures are offered.
        stored: the price of the stored site; it holds until the day from which the parts do.
    """
    vat = values["parts_vat_percent"] / 100
    parts = [
        *_compose_energy(typed, values, vat),
        *_compose_fee(typed, values, vat, country),
        *_compose_levies(typed, values, vat, country),
    ]
    day = values.get("parts_from")
    if day is not None and stored is not None:
        rule = ComponentsPrice.model_validate({"kind": "components", "components": stored})
        parts = [*_end_on(day, dump_parts(rule.parts)), *_begin_on(day, parts)]
    return {"kind": "components", "components": parts}


def _compose_energy(
    typed: Mapping[str, str], values: Mapping[str, Any], vat: float
) -> Iterator[dict[str, Any]]:
    name = name_part("energy", typed)
    if typed["energy_kind"] == "fixed":
        yield _fixed(name, values["energy_price"], vat)
        return
    yield {
        "kind": "spot",
        "name": name,
        "market": values["energy_market"],
        "billing_minutes": int(values["energy_billed"]),
        "vat": vat,
    }
    if values["energy_surcharge"]:
        yield _fixed(name_part("surcharge", typed), values["energy_surcharge"], vat)


def _compose_fee(
    typed: Mapping[str, str], values: Mapping[str, Any], vat: float, country: str
) -> Documents:
    if typed["fee_kind"] == "published":
        _, product = list_fees(country)[values["fee_published"]]
        return dump_parts(product.lasting_components)
    name = name_part("fee", typed)
    if typed["fee_kind"] == "fixed":
        return [_fixed(name, values["fee_price"], vat)]
    windows = []
    for place in range(len(FEE_WINDOWS)):
        prefix = f"fee-{place}-"
        if f"{prefix}fee_from" not in values:
            continue
        begin = values[f"{prefix}fee_from"]
        window = {
            "from": "00:00" if begin == "24:00" else begin,
            "to": values[f"{prefix}fee_to"],
            "days": values[f"{prefix}fee_days"],
            "months": [*_MONTHS[values[f"{prefix}fee_months"]]],
            "price": values[f"{prefix}fee_window_price"],
        }
        windows.append(window)
    price = values["fee_default_price"]
    return [{"kind": "calendar", "name": name, "price": price, "windows": windows, "vat": vat}]


def _compose_levies(
    typed: Mapping[str, str], values: Mapping[str, Any], vat: float, country: str
) -> Documents:
    if typed["levies_kind"] == "fixed":
        return [_fixed(name_part("levies", typed), values["levies_price"], vat)]
    documents: Documents = []
    for product in list_levies(country):
        documents += dump_parts(product.lasting_components)
    return documents


def _fixed(name: str, price: float, vat: float) -> dict[str, Any]:
    return {"kind": "fixed", "name": name, "price": price, "vat": vat}


def dump_parts(components: Iterable[Component]) -> Documents:
    """Return the documents of components."""
    return [part.model_dump(mode="json", by_alias=True) for part in components]


def _end_on(day: date, parts: Documents) -> Documents:
    """Return the parts valid before a day, ended on that day."""
    ended = []
    for part in parts:
        begins, ends = _dates(part)
        if begins is None or begins < day:
            ended.append(part | {"valid_to": min(ends or day, day).isoformat()})
    return ended


def _begin_on(day: date, parts: Documents) -> Documents:
    """Return the parts valid from a day on, begun on that day."""
    begun = []
    for part in parts:
        begins, ends = _dates(part)
        if ends is None or ends > day:
            begun.append(part | {"valid_from": max(begins or day, day).isoformat()})
    return begun


def _dates(part: Mapping[str, Any]) -> tuple[date | None, date | None]:
    begins, ends = (part.get(name) for name in ("valid_from", "valid_to"))
    return (
        None if begins is None else date.fromisoformat(begins),
        None if ends is None else date.fromisoformat(ends),
    )


def answer_parts(rule: ComponentsPrice, country: str, scale: int) -> Iterator[dict[str, str]]:
    """Yield the fields of a price as parts of a bill, as far as they express it.

    They are those from each of its days on, the last day first, then as if they held always.
    """
    days = {part.valid_from for part in rule.parts if part.valid_from is not None}
    for day in (*sorted(days, reverse=True), None):
        yield _answer_parts_from(day, rule, country=country, scale=scale)


def _answer_parts_from(
    day: date | None, rule: ComponentsPrice, *, country: str, scale: int
) -> dict[str, str]:
    rest: list[Component] = [*rule.parts]
    typed = {"import_kind": PARTS}
    if day is not None:
        rest = [part for part in rest if part.valid_to is None or part.valid_to > day]
        typed["parts_from"] = day.isoformat()
    typed |= _take_published(rest, country, day)
    # In the order in which they are composed: energy, surcharge, grid fee, levies.
    if rest:
        typed |= _answer_energy(rest.pop(0), scale)
    others = [name for name in ("fee_kind", "levies_kind") if name not in typed]
    if len(rest) > len(others):
        typed |= _answer_fixed("surcharge", "energy_surcharge", rest.pop(0), scale)
    if "fee_kind" in others and rest:
        typed |= _answer_fee(rest.pop(0), scale)
    if "levies_kind" in others and rest:
        typed |= {"levies_kind": "fixed"}
        typed |= _answer_fixed("levies", "levies_price", rest.pop(0), scale)
    return typed


def _answer_energy(energy: Component, scale: int) -> dict[str, str]:
    typed = {"energy_name": energy.name} | write_numbers(parts_vat_percent=100 * energy.vat)
    if isinstance(energy, SpotComponent):
        return typed | {
            "energy_kind": "spot",
            "energy_market": energy.market,
            "energy_billed": str(energy.billing_minutes),
            "energy_surcharge": "0",
        }
    return typed | {"energy_kind": "fixed"} | _answer_fixed("energy", "energy_price", energy, scale)


def _take_published(rest: list[Component], country: str, day: date | None) -> dict[str, str]:
    """Return the choice of published figures among components, and take these out."""
    typed = {}
    levies = [part for product in list_levies(country) for part in product.lasting_components]
    if _take(rest, levies, day):
        typed["levies_kind"] = "published"
    for choice, (_, product) in list_fees(country).items():
        if _take(rest, product.lasting_components, day):
            return typed | {"fee_kind": "published", "fee_published": choice}
    return typed


def _take(rest: list[Component], published: Sequence[Component], day: date | None) -> bool:
    parts = [*published]
    if day is not None:
        parts = [COMPONENT.validate_python(part) for part in _begin_on(day, dump_parts(parts))]
    if not parts or not all(part in rest for part in parts):
        return False
    for part in parts:
        rest.remove(part)
    return True


def _answer_fixed(part: str, field: str, component: Component, scale: int) -> dict[str, str]:
    if not isinstance(component, FixedComponent):
        return {}
    price = component.per_kwh(component.price)
    return {f"{part}_name": component.name} | write_numbers(**{field: price * scale})


def _answer_fee(component: Component, scale: int) -> dict[str, str]:
    if not isinstance(component, CalendarComponent):
        return {"fee_kind": "fixed"} | _answer_fixed("fee", "fee_price", component, scale)
    typed = {"fee_kind": "windows", "fee_name": component.name}
    default = component.per_kwh(component.price) * scale
    typed |= write_numbers(fee_default_price=default)
    for place, window in enumerate(component.windows[: len(FEE_WINDOWS)]):
        price = component.per_kwh(window.price) * scale
        window_typed = _answer_window(window) | write_numbers(fee_window_price=price)
        typed |= {f"fee-{place}-{name}": text for name, text in window_typed.items()}
    return typed


def _answer_window(window: CalendarWindow) -> dict[str, str]:
    months = {numbers: name for name, numbers in _MONTHS.items()}
    return {
        "fee_from": window.from_,
        "fee_to": window.to,
        "fee_days": window.days if isinstance(window.days, str) else "",
        "fee_months": months.get(window.months, ""),
    }


def compose_feed_in(typed: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a feed-in price that is nothing while the market is below zero."""
    market = values["export_market"]
    below = {"zero_below_spot": market}
    name = name_part("feed_in", typed)
    if typed["export_kind"] == "fixed":
        parts = [_fixed(name, values["export_price"], 0.0) | below]
    else:
        parts = [{"kind": "spot", "name": name, "market": market} | below]
        if values["export_fee"]:
            fee_name = name_part("feed_in_fee", typed)
            parts.append(_fixed(fee_name, -values["export_fee"], 0.0) | below)
    return {"kind": "components", "components": parts}


def answer_feed_in(rule: ComponentsPrice, scale: int) -> dict[str, str]:
    """Return the fields of a feed-in price by components, as far as they express it."""
    first, *others = rule.parts
    if first.zero_below_spot is None:
        return {"export_kind": KEPT}
    typed = {"feed_in_name": first.name, "export_below_zero": "on"}
    if isinstance(first, FixedComponent):
        price = first.per_kwh(first.price) * scale
        typed |= {"export_kind": "fixed", "export_market": first.zero_below_spot}
        return typed | write_numbers(export_price=price)
    typed |= {"export_kind": "spot", "export_fee": "0"}
    if isinstance(first, SpotComponent):
        typed["export_market"] = first.market
    for fee in others:
        if isinstance(fee, FixedComponent):
            typed["feed_in_fee_name"] = fee.name
            typed |= write_numbers(export_fee=-fee.per_kwh(fee.price) * scale)
    return typed
