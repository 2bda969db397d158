"""Made-up plan requests of every kind, as documents: what a site may have, and what its owner may
ask for; the same for the same seed.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tests.support.planning.problems import draw_prices

START = datetime(2024, 3, 30, 17, tzinfo=UTC)  # the clock changes in the second night
Document = dict[str, Any]
PRICES = ("spot", "flat", "two", "negative", "cheap sun", "any")


def draw_request(rng: np.random.Generator, kind: str) -> Document:
    """Return any request of a kind."""
    minutes = int(rng.choice([15, 60, 60, 5] if kind in PLACES else [15, 15, 60, 5, 30]))
    slots = int(rng.integers(*SLOTS.get(kind, (40, 110))))
    document = _draw_house(rng, minutes=minutes, slots=slots)
    if rng.random() < 0.3:
        document["first_slot_minutes"] = round(float(rng.uniform(0.5, minutes - 0.1)), 2)
    KIND_OF[kind](rng, document)
    _draw_state(rng, document, anywhere=kind == "contradiction")
    document["options"] = _draw_options(rng)
    return document


def _draw_house(rng: np.random.Generator, *, minutes: int, slots: int) -> Document:
    hours = minutes / 60
    clock = (START.hour + 1 + np.arange(slots) * hours) % 24
    sun = (
        np.maximum(np.sin((clock - 6) / 12 * np.pi), 0.0)
        * rng.uniform(0, 8)
        * hours
        * rng.choice([1.0, 1.0, rng.uniform(0.2, 1.0, slots)[0]])
    )
    load = (
        rng.gamma(1.0, 1.0, slots)
        * rng.choice([0.3, 1.0, 2.0])
        * hours
        * (rng.random(slots) < rng.choice([1.0, 0.7]))
    )
    bought, sold = _draw_tariff(rng, slots, per_hour=max(60 // minutes, 1))
    limits = [float(rng.uniform(5, 14)), float(rng.choice([0.0, 2.0, rng.uniform(2, 9), 30.0]))]
    site = {
        "name": "home",
        "timezone": "Europe/Berlin",
        "grid": {"import_limit_kw": limits[0], "export_limit_kw": limits[1]},
        "pv": [{"name": "roof", "peak_kw": 8, "curtailable": bool(rng.random() < 0.75)}],
        "batteries": [_draw_battery(rng, "battery")],
    }
    rounded = {"load_kwh": load, "pv_kwh": sun, "import_price": bought, "export_price": sold}
    outlook = {name: np.round(values, 4).tolist() for name, values in rounded.items()}
    if rng.random() < 0.15:
        limited = (rng.random(slots) < 0.3) * 1.0
        outlook["import_limit_kw"] = [
            float(rng.uniform(0.5, 4)) if dims else None for dims in limited
        ]
    return {"site": site, "start": START.isoformat(), "slot_minutes": minutes, "outlook": outlook}


def _draw_tariff(rng: np.random.Generator, slots: int, *, per_hour: int) -> tuple[Any, Any]:
    kind = rng.choice(PRICES)
    hours = -(-slots // per_hour)
    spot = np.repeat(rng.normal(0.08, 0.06, hours), per_hour)[:slots]
    flat = np.full(slots, 0.3)
    tariffs = {
        "spot": (spot + 0.15, spot),
        "flat": (flat, np.full(slots, rng.choice([0.08, 0.0]))),
        "two": (np.where(np.arange(slots) // per_hour % 24 < 8, 0.18, 0.32), np.full(slots, 0.08)),
        "negative": (spot - 0.08, spot - 0.1),
        "cheap sun": (flat - 0.1, np.minimum(spot - 0.1, 0.02)),
        "any": draw_prices(rng, slots),
    }
    return tariffs[kind]


def _draw_battery(rng: np.random.Generator, name: str) -> Document:
    return {
        "name": name,
        "capacity_kwh": round(float(rng.uniform(1, 14)), 2),
        "min_soc": float(rng.choice([0.0, 0.0, 0.1, 0.125, 0.2])),
        "max_soc": float(rng.choice([1.0, 1.0, 0.9])),
        "charge_limit_kw": round(float(rng.uniform(1, 6)), 2),
        "discharge_limit_kw": round(float(rng.uniform(1, 6)), 2),
        "charge_efficiency": float(rng.choice([0.9, 0.95, 1.0])),
        "discharge_efficiency": float(rng.choice([0.9, 0.95, 1.0])),
        "wear_price": float(rng.choice([0.0, 0.01, 0.03])),
        "charge_from_grid": bool(rng.random() < 0.75),
        "discharge_to_grid": bool(rng.random() < 0.75),
    }


def _draw_state(rng: np.random.Generator, document: Document, *, anywhere: bool) -> None:
    state = document.setdefault("state", {})
    state["batteries"] = {
        each["name"]: {
            "soc": round(
                float(
                    rng.uniform(0, 1)
                    if anywhere
                    else rng.choice(
                        [each["min_soc"], rng.uniform(each["min_soc"], each["max_soc"])]
                    )
                ),
                4,
            )
        }
        for each in document["site"]["batteries"]
    }
    for each in document["site"]["batteries"]:
        if "max_cycles_per_day" in each:
            state["batteries"][each["name"]]["discharged_today_kwh"] = round(
                float(rng.uniform(0, each["capacity_kwh"])), 3
            )


def _draw_options(rng: np.random.Generator) -> Document:
    kind = str(
        rng.choice(["automatic", "automatic", "automatic", "minimum_soc", "equal_soc", "value"])
    )
    return {
        "terminal": {"kind": kind}
        | ({"value": round(float(rng.uniform(0, 0.3)), 3)} if kind == "value" else {})
    }


def _change(_rng: np.random.Generator, _document: Document) -> None:
    """Leave a plain house as it is."""


def _contradict(rng: np.random.Generator, document: Document) -> None:
    document["site"]["grid"] = {
        "import_limit_kw": float(rng.uniform(0.5, 4)),
        "export_limit_kw": float(rng.uniform(0, 2)),
    }


def _add_batteries(rng: np.random.Generator, document: Document) -> None:
    count = int(rng.choice([0, 2, 2, 3]))
    document["site"]["batteries"] = [
        _draw_battery(rng, f"battery {index}") for index in range(count)
    ]


def _make_special(rng: np.random.Generator, document: Document) -> None:
    """Least powers, tapers, wear by depth, batteries that can do one thing only."""
    depth = [{"to_depth": 0.3, "price": 0.01}, {"to_depth": 1.0, "price": 0.06}]
    changes = [
        {"min_charge_kw": 0.8},
        {"taper_from_soc": 0.7, "taper_to_share": 0.2},
        {"wear_price": 0.0, "wear_by_depth": depth},
        {"charge_limit_kw": 0.0},
    ]
    document["site"]["batteries"][0] |= changes[int(rng.integers(len(changes)))]


def _limit_cycles(rng: np.random.Generator, document: Document) -> None:
    """Fewer full cycles a day than prices ask for, some of them used already."""
    if rng.random() < 0.3:
        document["site"]["batteries"].append(_draw_battery(rng, "battery 2"))
    for battery in document["site"]["batteries"]:
        battery["max_cycles_per_day"] = float(rng.choice([0.0, 0.3, 0.7, 1.0, 3.0]))


def _add_inverters(rng: np.random.Generator, document: Document) -> None:
    document["site"]["inverters"] = [
        {
            "name": "hybrid",
            "ac_limit_kw": float(rng.uniform(1, 5)),
            "pv": ["roof"],
            "batteries": ["battery"],
        }
    ]
    document["outlook"]["pv_kwh"] = [
        round(energy * 1.5, 4) for energy in document["outlook"]["pv_kwh"]
    ]
    if rng.random() < 0.3:
        document["site"]["inverters"][0]["batteries"] = []


def _add_blocks(rng: np.random.Generator, document: Document) -> None:
    action = str(
        rng.choice(
            ["charge", "discharge", "hold", "no_charge", "no_discharge", "no_import", "no_export"]
        )
    )
    document["manual"] = [
        {
            "device": "grid" if action in ("no_import", "no_export") else "battery",
            "action": action,
            **_draw_span(rng, document),
        }
    ]


def _add_reserve(rng: np.random.Generator, document: Document) -> None:
    document["reserves"] = [
        {"soc": round(float(rng.uniform(0.2, 0.9)), 2), **_draw_span(rng, document)}
    ]


def _weigh(rng: np.random.Generator, document: Document) -> None:
    slots = len(document["outlook"]["load_kwh"])
    document["outlook"]["carbon_g_per_kwh"] = np.round(rng.uniform(50, 600, slots), 1).tolist()
    document["site"]["objective"] = (
        {"carbon_price_per_kg": 0.2} if rng.random() < 0.5 else {"self_sufficiency_price": 0.05}
    )
    if rng.random() < 0.3:
        document["site"]["objective"] = {"switching_price": 0.01}
    if rng.random() < 0.3:
        blocks = [{"up_to_kwh": 10, "price": 0.2}, {"price": 0.3}]
        document["site"] |= {
            "tariff": {"import": {"kind": "blocks", "blocks": blocks}},
            "objective": {},
        }
        document["outlook"]["import_price"] = [0.0] * slots


def _add_vehicles(rng: np.random.Generator, document: Document) -> None:
    car = {
        "name": "car",
        "capacity_kwh": 40,
        "charge_limit_kw": float(rng.choice([3.7, 11.0])),
        "from_battery": str(rng.choice(["never", "if_it_pays"])),
    }
    document["site"]["vehicles"] = [
        car | ({"discharge_limit_kw": 3.0} if rng.random() < 0.3 else {})
    ]
    session = _draw_span(rng, document) | (
        {"target_soc": round(float(rng.uniform(0.3, 1.0)), 2)} if rng.random() < 0.75 else {}
    )
    document["state"] = {
        "vehicles": {"car": {"soc": round(float(rng.uniform(0.2, 0.7)), 2), "sessions": [session]}}
    }


def _add_loads(rng: np.random.Generator, document: Document) -> None:
    heater = {
        "name": "boiler",
        "kind": "water_heater",
        "power_kw": 2,
        "energy_kwh_per_day": float(rng.uniform(1, 8)),
        "max_gap_hours": float(rng.choice([6, 24])),
    }
    night = {"forbidden": [{"from": "22:00", "to": "02:00"}]}
    washer = {"name": "washer", "power_kw": 2, "profile_kw": [2.0, 0.5], "profile_minutes": 60}
    document["site"]["loads"] = [heater | (night if rng.random() < 0.4 else {}), washer]
    span = _draw_span(rng, document)
    document["state"] = {
        "loads": {"boiler": {"energy_today_kwh": 1.0}, "washer": {"runs": [{"by": span["to"]}]}}
    }


def _add_peaks(rng: np.random.Generator, document: Document) -> None:
    minutes = max(document["slot_minutes"], 15)
    document["site"]["tariff"] = {
        "import": {"kind": "fixed", "price": 0.3},
        "peak": {"price_per_kw_month": float(rng.uniform(1, 8)), "interval_minutes": minutes},
    }
    document["state"] = {"month_peaks_kw": [float(rng.uniform(0, 3))]}


def _draw_span(rng: np.random.Generator, document: Document) -> dict[str, str]:
    slots = len(document["outlook"]["load_kwh"])
    step = timedelta(minutes=document["slot_minutes"])
    first, last = sorted(rng.choice(slots + 1, 2, replace=False).tolist())
    return {"from": (START + first * step).isoformat(), "to": (START + last * step).isoformat()}


KIND_OF = {
    "plain": _change,
    "contradiction": _contradict,
    "batteries": _add_batteries,
    "special": _make_special,
    "cycles": _limit_cycles,
    "inverters": _add_inverters,
    "manual": _add_blocks,
    "reserve": _add_reserve,
    "weighed": _weigh,
    "vehicles": _add_vehicles,
    "loads": _add_loads,
    "peaks": _add_peaks,
}
PLACES = ("vehicles", "loads", "peaks")
# Between how many slots: what is scheduled takes longer.
SLOTS = {
    "plain": (96, 193),
    "cycles": (60, 140),
    "vehicles": (12, 30),
    "loads": (12, 30),
    "peaks": (12, 30),
}
