"""Weeks in quarter-hours that are hard to plan: two or three batteries with least powers and tapers behind a narrow connection, PV that may not be held back.

Beside that a week has pins, a price on peaks, appliances or negative prices, each with a chance of its own.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from luna.timeline import FloatArray

DAYS, SLOTS = 7, 7 * 96
START = datetime(2024, 5, 5, 22, tzinfo=UTC)
SEED = 20240505


def draw_week(rng: np.random.Generator, *, name: str, batteries: int, parts: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return a week as a plan request; ``parts`` are any of pins, peaks, appliances and negative_prices."""
    devices = [_draw_battery(rng, f"battery_{place}") for place in range(batteries)]
    site: dict[str, Any] = {
        "name": name,
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "grid": {"import_limit_kw": 11, "export_limit_kw": 2},
        "batteries": devices,
        "pv": [{"name": "roof", "peak_kw": 10, "curtailable": False}],
    }
    spot = _draw_spot(rng, dip=0.3 if "negative_prices" in parts else 0.0)
    series = {"load_kwh": _draw_load(rng), "pv_kwh": _draw_pv(rng), "import_price": spot + 0.1, "export_price": spot - 0.01}
    document: dict[str, Any] = {
        "site": site,
        "start": START.isoformat(),
        "slot_minutes": 15,
        "outlook": {key: np.round(values, 6).tolist() for key, values in series.items()},
        "state": {"batteries": {each["name"]: {"soc": round(float(rng.uniform(0.2, 0.6)), 3)} for each in devices}},
        "options": {"terminal": {"kind": "automatic"}},
    }
    if "peaks" in parts:
        peak = {"price_per_kw_month": 5.0, "highest": 1, "interval_minutes": 15}
        site["tariff"] = {"import": {"kind": "spot", "market": "NL"}, "export": {"kind": "spot", "market": "NL"}, "peak": peak}
        document["state"]["month_peaks_kw"] = [round(float(rng.uniform(1, 4)), 2)]
    if "appliances" in parts:
        site["loads"] = [{"name": "heater", "kind": "water_heater", "power_kw": 3, "energy_kwh_per_day": 6, "max_gap_hours": 12, "min_on_minutes": 30}]
    if "pins" in parts:
        document["manual"] = [_draw_pin(rng, devices) for _ in range(3)]
    return document


def _draw_battery(rng: np.random.Generator, name: str) -> dict[str, Any]:
    power = round(float(rng.uniform(2.5, 5.0)), 2)
    return {
        "name": name,
        "capacity_kwh": round(float(rng.uniform(5, 12)), 1),
        "min_soc": 0.1,
        "charge_limit_kw": power,
        "discharge_limit_kw": power,
        "min_charge_kw": round(float(rng.uniform(0.8, 1.8)), 2),
        "charge_efficiency": 0.95,
        "discharge_efficiency": 0.95,
        "wear_price": 0.01,
        "taper_from_soc": round(float(rng.uniform(0.75, 0.9)), 2),
        "taper_to_share": round(float(rng.uniform(0.2, 0.4)), 2),
    }


def _draw_spot(rng: np.random.Generator, *, dip: float) -> FloatArray:
    hour = np.arange(DAYS * 24) % 24
    noon = np.exp(-(((hour - 13) / 2.0) ** 2))
    depth = np.repeat(rng.uniform(0.3, 1.0, DAYS), 24) * dip
    spot = 0.09 + 0.05 * np.sin((hour - 14) * np.pi / 6) + rng.normal(0.0, 0.015, hour.size) - depth * noon
    return np.repeat(spot, 4)


def _draw_load(rng: np.random.Generator) -> FloatArray:
    slot = np.arange(SLOTS) % 96
    base = 0.06 + 0.12 * np.exp(-(((slot - 30) / 6) ** 2)) + 0.3 * np.exp(-(((slot - 76) / 9) ** 2))
    return np.asarray(base * rng.gamma(6.0, 1 / 6, slot.size))


def _draw_pv(rng: np.random.Generator) -> FloatArray:
    slot = np.arange(96)
    clear = 1.9 * np.clip(np.sin((slot - 20) / 60 * np.pi), 0.0, None) ** 1.3 * (slot > 20) * (slot < 80)
    return np.concatenate([clear * rng.uniform(0.25, 0.65) * np.clip(rng.normal(1.0, 0.15, 96), 0.0, 1.2) for _ in range(DAYS)])


def _draw_pin(rng: np.random.Generator, devices: list[dict[str, Any]]) -> dict[str, Any]:
    battery, begin = devices[int(rng.integers(len(devices)))], START + timedelta(hours=int(rng.integers(0, DAYS * 24 - 3)))
    return {
        "device": battery["name"],
        "action": str(rng.choice(["charge", "discharge"])),
        "power_kw": round(float(rng.uniform(battery["min_charge_kw"], battery["charge_limit_kw"])), 2),
        "from": begin.isoformat(),
        "to": (begin + timedelta(hours=2)).isoformat(),
    }
