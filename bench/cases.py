"""Twenty planning cases: those of ``$LUNA_BENCH_DATA/cases`` where they are, else the same kind
from a seed.

48 h × 15 min, one battery, hourly spot prices; seven cases with negative import prices, three of
them with hours in which importing is cheaper than exporting pays.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from luna.contracts.plan import PlanRequest
from luna.energy.timeline import FloatArray

COUNT = 20
HOURS = 48
SEED = 20240604
START = datetime(2024, 6, 3, 22, tzinfo=UTC)
# What deep wind and sun take off the spot price at most in the negative cases: two depths, and
# their share by hour of the day.
NEGATIVE = 0.35
INVERTED = 0.61
DIP = {11: 0.4, 12: 0.75, 13: 1.0, 14: 0.85, 15: 0.5}
# The hardest that prices get: a whole noon at the bottom, forty slots whose way has to be chosen.
FLAT_DIP = dict.fromkeys(DIP, 0.92)
HARD = 3
# How far from the optimum a plan with devices may be.
FULL_GAP = 0.003


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases as documents and as requests.

    ``optimum`` holds the exact cost where it is known.
    """

    source: str
    documents: list[dict[str, Any]]
    requests: list[PlanRequest]
    optimum: dict[str, float]

    @property
    def negative(self) -> list[int]:
        """Places of the cases with a negative import price."""
        return [
            place
            for place, document in enumerate(self.documents)
            if min(document["outlook"]["import_price"]) < 0
        ]


def load_cases() -> Cases:
    """Return the cases and where they come from."""
    folder = Path(os.environ.get("LUNA_BENCH_DATA", "")) / "cases"
    paths = sorted(folder.glob("case_*.json")) if os.environ.get("LUNA_BENCH_DATA") else []
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in paths] or generate_cases(
        np.random.default_rng(SEED)
    )
    known = folder / "optima.json"
    optimum = (
        json.loads(known.read_text(encoding="utf-8"))["optimum_eur"]
        if paths and known.exists()
        else {}
    )
    source = (
        f"{len(paths)} cases of LUNA_BENCH_DATA" if paths else f"{COUNT} cases from seed {SEED}"
    )
    return Cases(
        source, documents, [PlanRequest.model_validate(document) for document in documents], optimum
    )


def generate_cases(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return plan requests as documents."""
    depths = [INVERTED] * 3 + [NEGATIVE] * 4 + [0.0] * (COUNT - 7)
    return [
        draw_case(rng, name=f"case_{place:02d}", dip=depth)
        for place, depth in enumerate(rng.permutation(depths))
    ]


def generate_hard_cases(rng: np.random.Generator) -> list[PlanRequest]:
    """Return cases in which importing is paid, and cheaper than exporting, for whole noons."""
    return [
        PlanRequest.model_validate(
            draw_case(rng, name=f"hard_{place:02d}", dip=INVERTED, shape=FLAT_DIP)
        )
        for place in range(HARD)
    ]


def draw_case(
    rng: np.random.Generator, *, name: str, dip: float, shape: Mapping[int, float] = DIP
) -> dict[str, Any]:
    """Return one case.

    ``dip`` is by how much the spot price falls around noon, ``shape`` in which hours by how much of
    that.
    """
    hour = np.arange(HOURS) % 24
    spot = (
        0.08
        + 0.04 * np.sin((hour - 14) * np.pi / 6)
        + rng.normal(0.0, 0.015, HOURS)
        - dip * np.array([shape.get(int(each), 0.0) for each in hour])
    )
    spot = np.repeat(spot, 4)
    soc = round(float(rng.uniform(0.25, 0.8)), 3)
    series = {
        "load_kwh": draw_load(rng),
        "pv_kwh": draw_pv(rng),
        "import_price": (spot + 0.08) * 1.21,
        "export_price": spot - 0.01,
    }
    return {
        "site": describe_site(name),
        "start": START.isoformat(),
        "slot_minutes": 15,
        "outlook": {key: np.round(values, 6).tolist() for key, values in series.items()},
        "state": {"batteries": {"battery": {"soc": soc}}},
        "options": {"terminal": {"kind": "minimum_soc", "soc": soc}, "mip_gap": 0.0},
    }


def generate_full_cases(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return cases with a vehicle, a water heater and a capacity tariff beside the battery, as
    documents.
    """
    depths = [NEGATIVE] * 4 + [0.0] * (COUNT - 4)
    return [
        add_devices(draw_case(rng, name=f"full_{place:02d}", dip=depth), rng)
        for place, depth in enumerate(rng.permutation(depths))
    ]


def add_devices(document: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return a case with a car that is plugged in at night, a water heater that never rests for
    long, and a price on the month's peak.
    """
    car = {
        "name": "car",
        "capacity_kwh": 60,
        "min_charge_kw": 1.4,
        "charge_limit_kw": 11,
        "charge_efficiency": 0.9,
    }
    heater = {
        "name": "water_heater",
        "kind": "water_heater",
        "power_kw": 3,
        "energy_kwh_per_day": 6,
        "max_gap_hours": 8,
        "min_on_minutes": 30,
    }
    peak = {"price_per_kw_month": 5.0, "highest": 1, "interval_minutes": 15}
    tariff = {
        "import": {"kind": "spot", "market": "NL"},
        "export": {"kind": "spot", "market": "NL"},
        "peak": peak,
    }
    nights = [
        (START + timedelta(days=day, hours=17), START + timedelta(days=day + 1, hours=7))
        for day in range(HOURS // 24)
    ]
    soc = rng.uniform(0.2, 0.5)
    targets = sorted(rng.uniform(0.6, 0.9, len(nights)))
    sessions = [
        {"from": first.isoformat(), "to": last.isoformat(), "target_soc": round(wanted, 3)}
        for (first, last), wanted in zip(nights, targets, strict=True)
    ]
    state = document["state"] | {
        "vehicles": {"car": {"soc": round(float(soc), 3), "sessions": sessions}},
        "loads": {"water_heater": {"off_hours": round(float(rng.uniform(0, 4)), 2)}},
        "month_peaks_kw": [round(float(rng.uniform(2, 5)), 2)],
    }
    site = document["site"] | {"vehicles": [car], "loads": [heater], "tariff": tariff}
    return document | {
        "site": site,
        "state": state,
        "options": document["options"] | {"mip_gap": FULL_GAP},
    }


def start_later(document: dict[str, Any], *, hours: int) -> dict[str, Any]:
    """Return a case with devices that begins so many hours into its first day: what the days bring
    comes round, the car is plugged in a night more.
    """
    outlook = document["outlook"]
    state = document["state"]
    start = START + timedelta(hours=hours)
    car = state["vehicles"]["car"]
    nights = [
        (datetime.fromisoformat(session["from"]), datetime.fromisoformat(session["to"]), session)
        for session in car["sessions"]
    ]
    nights.append((*(instant + timedelta(days=1) for instant in nights[-1][:2]), nights[-1][2]))
    sessions = [
        session | {"from": max(first, start).isoformat(), "to": last.isoformat()}
        for first, last, session in nights
        if last > start
    ]
    turned = {name: values[4 * hours :] + values[: 4 * hours] for name, values in outlook.items()}
    vehicles = {"car": car | {"sessions": sessions}}
    return document | {
        "start": start.isoformat(),
        "outlook": turned,
        "state": state | {"vehicles": vehicles},
    }


def add_scenarios(
    document: dict[str, Any], rng: np.random.Generator, *, count: int
) -> dict[str, Any]:
    """Return a case with scenarios that load and PV may take, as likely as the expected one, to be
    weighed.
    """
    revised = [revise_forecast(document, rng)["outlook"] for _ in range(count - 1)]
    scenarios = {"probability": [1 / count] * (count - 1)} | {
        name: [each[name] for each in revised] for name in ("load_kwh", "pv_kwh")
    }
    return document | {
        "outlook": document["outlook"] | {"scenarios": scenarios},
        "options": document["options"] | {"uncertainty": "scenarios"},
    }


def revise_forecast(document: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return the same request with load and PV forecast anew: each hour some percent off, prices as
    they were.
    """
    outlook = dict(document["outlook"])
    for name in ("load_kwh", "pv_kwh"):
        slots = len(outlook[name])
        outlook[name] = np.round(
            outlook[name] * np.repeat(rng.normal(1.0, 0.08, -(-slots // 4)), 4)[:slots], 6
        ).tolist()
    return document | {"outlook": outlook}


def draw_load(rng: np.random.Generator) -> FloatArray:
    """Return a household's load: a base, a morning, an evening, and appliances."""
    slot = np.arange(HOURS * 4) % 96
    base = 0.06 + 0.12 * np.exp(-(((slot - 30) / 6) ** 2)) + 0.3 * np.exp(-(((slot - 76) / 9) ** 2))
    load: FloatArray = base * rng.gamma(6.0, 1 / 6, slot.size)
    for first in rng.integers(0, slot.size - 6, 4):
        load[first : first + 5] += rng.uniform(0.2, 0.5)
    return load


def draw_pv(rng: np.random.Generator) -> FloatArray:
    """Return a roof's output on two days, each with its own clouds."""
    slot = np.arange(96)
    clear = (
        1.9
        * np.clip(np.sin((slot - 20) / 60 * np.pi), 0.0, None) ** 1.3
        * (slot > 20)
        * (slot < 80)
    )
    days = [
        clear * rng.uniform(0.2, 0.9) * np.clip(rng.normal(1.0, 0.15, 96), 0.0, 1.2)
        for _ in range(HOURS // 24)
    ]
    return np.concatenate(days)


def describe_site(name: str) -> dict[str, Any]:
    """Return the site every case plans."""
    return {
        "name": name,
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "location": {"latitude": 52.0, "longitude": 10.0},
        "grid": {"import_limit_kw": 11, "export_limit_kw": 8},
        "batteries": [
            {
                "name": "battery",
                "capacity_kwh": 10,
                "charge_limit_kw": 5,
                "discharge_limit_kw": 5,
                "charge_efficiency": 0.95,
                "discharge_efficiency": 0.95,
                "wear_price": 0.01,
            }
        ],
        "pv": [
            {"name": "roof", "peak_kw": 10, "tilt_deg": 30, "azimuth_deg": 180, "curtailable": True}
        ],
    }
