"""What a question supposes to be different: another battery, roof or price. Pure; the text is one that ``fold`` made plain."""

import re
from typing import Any

from luna.energy.site import Site

_NUMBER = r"(\d{1,4}(?:[.,]\d{1,3})?)"
_CAPACITY = re.compile(rf"{_NUMBER} ?(?:kwh|kilowattstunden|kilowatt hours)")
_PEAK = re.compile(rf"{_NUMBER} ?(?:kwp|kilowatt peak|kw peak)")
_BATTERY = re.compile(r"batterie|akku|speicher|battery|storage")
_WITHOUT = re.compile(r"(?:ohne|without|no|keine?n?) (?:\w+ )?(?:batterie|akku|speicher|battery|storage)")
_TWICE = re.compile(r"doppelt|zweimal so|verdoppel|twice|double")
_HALF = re.compile(r"halb so gross|halbe[nrsm]? |half the|half as")
_PV = re.compile(r"\bpv|solar|photovoltaik|dach|roof|module|panel")
_CENTS = re.compile(rf"{_NUMBER} ?(?:ct|cents?|rappen)\b")
_MONEY = re.compile(rf"(?:{_NUMBER} ?(?:euro|€|eur|chf|franken|francs?)|(?:€|eur|chf) ?{_NUMBER})")
_EXPORT = re.compile(r"einspeis|verguetung|feed-in|feed in|export|verkauf|sell")
_BOUNDS = {"battery_capacity_kwh": (0.0, 1000.0), "pv_peak_kw": (0.001, 1000.0), "import_price": (-1.0, 5.0), "export_price": (-1.0, 5.0)}


def find_variant(text: str, site: Site) -> dict[str, Any]:
    """Return what is different, as the tool ``what_would_it_cost`` takes it; empty where the text names no such variant."""
    variant = {"battery_capacity_kwh": _find_battery(text, site), "pv_peak_kw": _find_pv(text, site)} | _find_price(text)
    return {name: value for name, value in variant.items() if value is not None and _BOUNDS[name][0] <= value <= _BOUNDS[name][1]}


def _find_battery(text: str, site: Site) -> float | None:
    if _WITHOUT.search(text):
        return 0.0
    if not _BATTERY.search(text):
        return None
    capacity = _CAPACITY.search(text)
    if capacity:
        return _read(capacity[1])
    factor = _factor(text)
    return site.batteries[0].capacity_kwh * factor if factor and site.batteries else None


def _find_pv(text: str, site: Site) -> float | None:
    peak = _PEAK.search(text)
    if peak:
        return _read(peak[1])
    factor = _factor(text) if _PV.search(text) and not _BATTERY.search(text) else None
    return site.pv[0].peak_kw * factor if factor and site.pv else None


def _factor(text: str) -> float | None:
    return 2.0 if _TWICE.search(text) else 0.5 if _HALF.search(text) else None


def _find_price(text: str) -> dict[str, float | None]:
    cents, money = _CENTS.search(text), _MONEY.search(text)
    name = "export_price" if _EXPORT.search(text) else "import_price"
    if cents:
        return {name: round(_read(cents[1]) / 100, 6)}
    # Whole euros are what something costs, not a kWh.
    if money and "kwh" in text and _read(money[1] or money[2]) < 5:
        return {name: _read(money[1] or money[2])}
    return {}


def _read(number: str) -> float:
    return float(number.replace(",", "."))
