"""Names that people give to fields and kinds of a tariff, and the names that Luna reads.

Bills, suppliers and other programs call them so. ``find_known_name`` finds the name for a refusal.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_DATES = {
    "from": "valid_from",
    "from_date": "valid_from",
    "since": "valid_from",
    "start_date": "valid_from",
    "to": "valid_to",
    "to_date": "valid_to",
    "until": "valid_to",
    "valid_until": "valid_to",
    "end_date": "valid_to",
}
_TAX = {
    "vat_percent": "vat: 0.19",
    "vat_rate": "vat",
}
_AMOUNT = {
    "price_per_kwh": "price",
    "rate": "price",
}
# What a bill adds to the price of energy.
_ADDED = ("surcharge", "fee", "grid_fee", "tax", "taxes")
_STANDING = ("standing_charge", "base_price", "base_charge", "monthly_fee")
# What stands elsewhere in a site, wherever it is written in a tariff.
_ELSEWHERE = {
    "currency": "site.currency",
    **dict.fromkeys(_STANDING, "tariff.base"),
}
_ADDED_COMPONENT = "{name: tax, kind: fixed, price: 0.02}"

_RULE = {
    **_ELSEWHERE,
    **dict.fromkeys(_DATES, "kind: components"),
    **dict.fromkeys(_ADDED, "kind: components"),
}
_COMPONENT = {
    **_ELSEWHERE,
    **_DATES,
    **_TAX,
    **dict.fromkeys(_ADDED, _ADDED_COMPONENT),
}
_WINDOW = {
    **_AMOUNT,
    "start": "from",
    "end": "to",
    "until": "to",
    "weekdays": "days",
}
# Part of a tariff → name as people write it → what to write instead.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "": {**_ELSEWHERE, **dict.fromkeys(_ADDED, "tariff.import.components")},
    "fixed": {**_RULE, **_AMOUNT},
    "time_of_use": {
        **_RULE,
        "price": "default",
        "price_per_kwh": "default",
        "rate": "default",
        "windows": "bands",
    },
    "time_of_use.bands": _WINDOW,
    "spot": {
        **_RULE,
        **_TAX,
        **dict.fromkeys(_ADDED, "markup"),
        "price": "markup",
        "billing_interval": "kind: components",
        "billing_minutes": "kind: components",
        "interval": "kind: components",
        "interval_minutes": "kind: components",
    },
    "series": _RULE,
    "blocks": _RULE,
    "blocks.blocks": _AMOUNT,
    "components": _ELSEWHERE,
    "components.fixed": {**_COMPONENT, **_AMOUNT},
    "components.calendar": {
        **_COMPONENT,
        **_AMOUNT,
        "bands": "windows",
        "default": "price",
    },
    "components.calendar.windows": _WINDOW,
    "components.spot": {
        **_COMPONENT,
        "billing_interval": "billing_minutes",
        "interval": "billing_minutes",
        "interval_minutes": "billing_minutes",
        "markup": _ADDED_COMPONENT,
        "price": _ADDED_COMPONENT,
    },
    "components.series": _COMPONENT,
    "components.blocks": _COMPONENT,
    "components.blocks.blocks": _AMOUNT,
    "components.plant_size": _COMPONENT,
    # The dates of an allowance may not be its window's.
    "components.allowance": {
        **{name: known for name, known in _COMPONENT.items() if name not in ("from", "to")},
        "kwh": "kwh_per_day",
        "limit_kwh": "kwh_per_day",
    },
    "components.plant_size.steps": _AMOUNT,
    "base": {**_DATES, **_TAX, "currency": "site.currency", "monthly_fee": "price"},
}
KINDS_OF_RULES: Mapping[str, str] = {
    "calendar": "time_of_use",
    "dynamic": "spot",
    "flat": "fixed",
    "plant_size": "components",
    "tou": "time_of_use",
}
KINDS_OF_COMPONENTS: Mapping[str, str] = {
    "dynamic": "spot",
    "flat": "fixed",
    "time_of_use": "calendar",
    "tou": "calendar",
}


def find_known_name(fault: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what was written and what to write instead.

    None where the fault is no unknown field or kind of a tariff, or the table lacks its name.
    """
    place = _within_tariff(fault["loc"])
    if place is None:
        return None
    if fault["type"] == "union_tag_invalid":
        given = str(fault["ctx"]["tag"])
        kinds = KINDS_OF_COMPONENTS if "components" in place else KINDS_OF_RULES
        return _pair(given, kinds)
    if fault["type"] == "extra_forbidden":
        *part, given = place
        return _pair(given, FIELDS.get(_name_part(part), {}))
    return None


def _within_tariff(loc: Sequence[object]) -> list[str] | None:
    names = [part for part in loc if isinstance(part, str)]
    if "tariff" not in names:
        return None
    return names[names.index("tariff") + 1 :]


def _name_part(names: Sequence[str]) -> str:
    # Both directions have the same rules.
    rule = names[1:] if names[:1] in (["import"], ["export"]) else names
    # The list of a rule of kind "components" has the name of its kind.
    if rule[:2] == ["components", "components"]:
        rule = rule[1:]
    return ".".join(rule)


def _pair(given: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    return (given, known[given]) if given in known else None
