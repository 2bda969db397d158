"""Compose a price for what cars or heat pumps draw, and find the fields of a stored one. Pure."""

from collections.abc import Mapping
from typing import Any

from luna.energy.site import Tariff
from luna.energy.tariffs.device_price import DevicePrice
from luna.energy.timeline import SLOTS_PER_HOUR
from services.api.pages.setup.devices.form import write_numbers
from services.api.pages.setup.fields import DEVICE_PRICE, PRICED_DEVICES, Entry, FieldFault
from services.api.pages.setup.price_parts import name_part

_NONE = "none"
_LIMITS = {"hours": "hours_per_day", "kwh": "kwh_per_day"}
_DAY_BEGINS = {"midnight": "00:00", "noon": "12:00"}


def list_device_entries(typed: Mapping[str, str]) -> list[Entry]:
    """Return the fields of device prices; none if no device has its own price."""
    if typed.get(PRICED_DEVICES.name, "") in {"", _NONE}:
        return []
    return [PRICED_DEVICES, *DEVICE_PRICE]


def find_device_faults(values: Mapping[str, Any]) -> list[FieldFault]:
    """Return the faults of valid fields that do not go together."""
    if "device_price" not in values or "device_limit_unit" not in values:
        return []
    limit = values.get("device_limit")
    if limit is None:
        return []
    faults = []
    is_whole = float(limit * SLOTS_PER_HOUR).is_integer()
    if values["device_limit_unit"] == "hours" and (limit > 24 or not is_whole):
        faults.append(FieldFault("device_limit", "quarter_hours"))
    if values.get("device_beyond", 0.0) < values["device_price"]:
        faults.append(FieldFault("device_beyond", "dearer_beyond"))
    return faults


def compose_device_price(typed: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a tariff's document, {} where no device has a price of its own."""
    devices = values.get(PRICED_DEVICES.name)
    if devices is None:
        return {}
    begin = values["device_from"]
    price = {
        "name": name_part(devices, typed),
        "devices": devices,
        "price": values["device_price"],
        "price_beyond": values["device_beyond"],
        "from": "00:00" if begin == "24:00" else begin,
        "to": values["device_to"],
        "day_begins": _DAY_BEGINS[values["device_day_begins"]],
    }
    if "device_limit" in values:
        price[_LIMITS[values["device_limit_unit"]]] = values["device_limit"]
    return {"devices": [price]}


def answer_device_price(tariff: Tariff, scale: int) -> dict[str, str]:
    """Return the fields of a stored price, {} where they cannot express it."""
    if len(tariff.devices) != 1:
        return {}
    price = tariff.devices[0]
    typed = {
        f"{price.devices}_name": price.name,
        PRICED_DEVICES.name: price.devices,
        "device_limit_unit": "kwh" if price.kwh_per_day is not None else "hours",
        "device_from": price.from_,
        "device_to": price.to,
        "device_day_begins": "noon" if price.day_begins == _DAY_BEGINS["noon"] else "midnight",
    }
    limit = price.hours_per_day if price.kwh_per_day is None else price.kwh_per_day
    typed |= write_numbers(
        device_price=price.price * scale,
        device_beyond=price.price_beyond * scale,
        device_limit=limit,
    )
    values = {
        "device_price": price.price,
        "device_beyond": price.price_beyond,
        "device_limit": limit,
    }
    known = {name: value for name, value in values.items() if value is not None}
    composed = compose_device_price(typed, typed | known)
    return typed if DevicePrice.model_validate(composed["devices"][0]) == price else {}
