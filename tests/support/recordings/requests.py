"""Plan requests of every kind a recording holds, as documents: the same on every machine, without
chance.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

Document = dict[str, Any]
START = datetime(2024, 3, 30, 17, tzinfo=UTC)  # the clock changes in the first night
SLOTS = 28


def at(hours: float) -> str:
    """Return an instant so many hours after the plan begins."""
    return (START + timedelta(hours=hours)).isoformat()


def describe_battery(name: str = "battery", **changes: Any) -> Document:
    """Return a battery, with changes."""
    limits = {
        "capacity_kwh": 10,
        "min_soc": 0.1,
        "charge_limit_kw": 4,
        "discharge_limit_kw": 4,
        "wear_price": 0.01,
    }
    return {"name": name} | limits | changes


def pose_request(
    *,
    minutes: int = 60,
    site: Document | None = None,
    outlook: Document | None = None,
    **parts: Any,
) -> Document:
    """Return the request for a house with a roof and a battery, its parts changed or replaced."""
    house: Document = {
        "name": "home",
        "timezone": "Europe/Berlin",
        "grid": {"import_limit_kw": 11, "export_limit_kw": 8},
        "pv": [{"name": "roof", "peak_kw": 8}],
        "batteries": [describe_battery()],
    } | (site or {})
    states = {battery["name"]: {"soc": 0.45} for battery in house["batteries"]}
    document = {
        "site": house,
        "start": START.isoformat(),
        "slot_minutes": minutes,
        "outlook": draw_outlook(minutes) | (outlook or {}),
        "state": {"batteries": states} | parts.pop("state", {}),
        # As long as a slow machine needs: a plan that runs out of time is another one.
        "options": {"time_limit_s": 120} | parts.pop("options", {}),
    }
    return document | parts


def draw_outlook(minutes: int) -> Document:
    """Return load with two peaks a day, sun from six to eighteen, a price by the hour and a feed-in
    of eight cents.
    """
    hours = minutes / 60
    clock = [(START.hour + 1 + slot * hours) % 24 for slot in range(SLOTS)]
    return {
        "load_kwh": [
            round(
                (
                    0.3
                    + 0.9 * math.exp(-((hour - 19) ** 2) / 6)
                    + 0.5 * math.exp(-((hour - 7) ** 2) / 3)
                )
                * hours,
                4,
            )
            for hour in clock
        ],
        "pv_kwh": [
            round(max(math.sin((hour - 6) / 12 * math.pi), 0.0) * 5 * hours, 4) for hour in clock
        ],
        "import_price": [
            round(0.24 + 0.09 * math.sin((hour - 13) / 12 * math.pi) + 0.03 * math.cos(hour), 4)
            for hour in clock
        ],
        "export_price": [0.08] * SLOTS,
    }


def _spot(offset: float) -> Document:
    """Return hourly prices around ``offset`` that are the same both ways, less taxes."""
    spot = [
        round(offset + 0.07 * math.sin(slot * 0.9) + 0.02 * math.cos(slot * 2.3), 4)
        for slot in range(SLOTS)
    ]
    return {"import_price": [round(price + 0.12, 4) for price in spot], "export_price": spot}


def _two_batteries() -> Document:
    small = describe_battery(
        "garage",
        capacity_kwh=5,
        charge_limit_kw=2,
        discharge_limit_kw=2,
        wear_price=0.03,
        charge_from_grid=False,
    )
    return pose_request(site={"batteries": [describe_battery(), small]}, outlook=_spot(0.09))


def _vehicle(**options: Any) -> Document:
    car = {"name": "car", "capacity_kwh": 50, "charge_limit_kw": 7.4, "discharge_limit_kw": 3.0}
    session = {"from": at(2), "to": at(14), "target_soc": 0.7}
    later = {"from": at(18), "to": at(27)}
    return pose_request(
        site={"vehicles": [car]},
        outlook=_spot(0.09),
        state={"vehicles": {"car": {"soc": 0.5, "sessions": [session, later]}}},
        options=options,
    )


def _water_heater() -> Document:
    comfort = [{"from": "00:00", "to": "07:00", "energy_kwh": 2}]
    night = [{"from": "22:00", "to": "01:00"}]
    heater = {
        "name": "boiler",
        "kind": "water_heater",
        "power_kw": 2,
        "energy_kwh_per_day": 5,
        "max_gap_hours": 12,
        "comfort": comfort,
        "forbidden": night,
    }
    return pose_request(
        site={"loads": [heater]}, state={"loads": {"boiler": {"energy_today_kwh": 1.0}}}
    )


def _appliance() -> Document:
    washer = {"name": "washer", "power_kw": 2.2, "profile_kw": [2.0, 0.5], "profile_minutes": 60}
    return pose_request(
        site={"loads": [washer]},
        state={"loads": {"washer": {"runs": [{"by": at(8)}, {"from": at(10), "by": at(24)}]}}},
    )


def _heat_pump() -> Document:
    pump = {
        "name": "heat_pump",
        "power_kw": 3,
        "min_power_kw": 0.8,
        "store": {"capacity_kwh_per_k": 6, "min_c": 20, "max_c": 22, "loss_kw_per_k": 0.15},
    }
    return pose_request(
        site={"heat_pumps": [pump]},
        outlook={"outdoor_temperature_c": [4.0] * SLOTS},
        state={"heat_pumps": {"heat_pump": {"temperature_c": 21}}},
    )


def _peak_tariff() -> Document:
    tariff = {
        "import": {"kind": "fixed", "price": 0.3},
        "peak": {"price_per_kw_month": 5.0, "interval_minutes": 60},
    }
    return pose_request(
        site={"tariff": tariff},
        state={"month_peaks_kw": [0.6]},
        outlook={"import_price": [0.3] * SLOTS},
    )


def _manual() -> Document:
    blocks = [
        {"device": "battery", "action": "charge", "from": at(3), "to": at(5), "power_kw": 2},
        {"device": "battery", "action": "no_discharge", "from": at(8), "to": at(11)},
        {"device": "grid", "action": "no_export", "from": at(18), "to": at(21)},
    ]
    return pose_request(manual=blocks)


def _hybrid() -> Document:
    inverter = {"name": "hybrid", "ac_limit_kw": 3, "pv": ["roof"], "batteries": ["battery"]}
    return pose_request(
        site={"inverters": [inverter]},
        outlook={"pv_kwh": [round(1.6 * energy, 4) for energy in draw_outlook(60)["pv_kwh"]]},
    )


def _scenarios() -> Document:
    expected = draw_outlook(60)
    load = [[round(factor * energy, 4) for energy in expected["load_kwh"]] for factor in (0.8, 1.3)]
    sun = [[round(factor * energy, 4) for energy in expected["pv_kwh"]] for factor in (1.2, 0.5)]
    courses = {"probability": [0.3, 0.3], "load_kwh": load, "pv_kwh": sun}
    return pose_request(
        outlook={"scenarios": courses} | _spot(0.09),
        options={"uncertainty": "scenarios", "risk": 0.2},
    )


def _weighed() -> Document:
    carbon = [round(300 + 150 * math.sin(slot / 4), 1) for slot in range(SLOTS)]
    return pose_request(
        site={"objective": {"carbon_price_per_kg": 0.2, "switching_price": 0.01}},
        outlook={"carbon_g_per_kwh": carbon} | _spot(0.09),
    )


def _strategy() -> Document:
    strategy = {"vacation": {"reserve_soc": 0.3}, "outage": {"reserve_soc": 0.6}, "s_index": {}}
    around = {"vacation": True, "warnings": [{"from": at(6), "to": at(12)}], "temperature_c": 3.0}
    return pose_request(site={"strategy": strategy}, surroundings=around)


# By name of the recording.
REQUESTS: dict[str, Document] = {
    "one_battery": pose_request(),
    "quarter_hours": pose_request(minutes=15, first_slot_minutes=7.5, outlook=_spot(0.09)),
    "no_battery": pose_request(site={"batteries": []}),
    "two_batteries": _two_batteries(),
    "vehicle": _vehicle(price_sessions=True),
    "water_heater": _water_heater(),
    "appliance": _appliance(),
    "heat_pump": _heat_pump(),
    "peak_tariff": _peak_tariff(),
    "spot": pose_request(
        outlook=_spot(0.09), options={"terminal": {"kind": "value", "value": 0.12}}
    ),
    "negative_prices": pose_request(outlook=_spot(-0.14)),
    "export_limit": pose_request(site={"grid": {"import_limit_kw": 11, "export_limit_kw": 0.5}}),
    "contradiction": pose_request(
        site={"grid": {"import_limit_kw": 0.4, "export_limit_kw": 2}},
        options={"terminal": {"kind": "equal_soc", "soc": 0.95}},
    ),
    "manual": _manual(),
    "reserve": pose_request(reserves=[{"soc": 0.7, "from": at(5), "to": at(9)}]),
    "hybrid_inverter": _hybrid(),
    "scenarios": _scenarios(),
    "weighed": _weighed(),
    "strategy": _strategy(),
}
