"""Describe the simulated home as a site with MQTT topics."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.charging_sessions import WEEKDAYS, NewSession
from luna.energy.site import Site, parse_site
from luna.energy.timeline import local_instant

SITE_NAME = "simulated_home"
# The time zone of the market.
ZONE = ZoneInfo("Europe/Amsterdam")
# A market of its own without a price service: its prices are the real market's or the recorded
# year's.
MARKET = "SIMULATED"
REAL_MARKET = "NL"
MODES = {
    "self_consumption": "self_use",
    "save": "no_discharge",
    "supply": "no_charge",
    "hold": "standby",
    "charge": "force_charge",
    "export": "force_discharge",
}
# Topics of the readings, by their names in ``measure``.
TOPICS = {
    "grid_import": "simulated_home/meter/import",
    "grid_export": "simulated_home/meter/export",
    "grid_power": "simulated_home/meter/power",
    "pv_energy": "simulated_home/pv/energy",
    "pv_power": "simulated_home/pv/power",
    "battery_charge": "simulated_home/battery/charged",
    "battery_discharge": "simulated_home/battery/discharged",
    "battery_power": "simulated_home/battery/power",
    "battery_soc": "simulated_home/battery/soc",
    "car_energy": "simulated_home/charger/energy",
    "car_power": "simulated_home/charger/power",
    "car_connected": "simulated_home/charger/connected",
    "car_soc": "simulated_home/car/soc",
    "heater_energy": "simulated_home/water_heater/energy",
    "heater_power": "simulated_home/water_heater/power",
    "heater_temperature": "simulated_home/water_heater/temperature",
}
# Submeters: observation column → counter in the home's state.
SUBMETERS = {"vehicle_kwh": "car.charge_kwh", "water_heater_kwh": "heater.used_kwh"}
# Settings of the inverter, written at ``…/set`` and read back; power in W, limits in per cent.
SETTINGS = {
    name: f"simulated_home/inverter/{name}"
    for name in ("power", "target", "floor", "ceiling", "mode")
}
# Settings of charger and water heater in the same way: amperes per phase, and words.
CHARGER_SETTINGS = {
    name: f"simulated_home/charger/{name}" for name in ("current", "phases", "mode")
}
HEATER_SETTINGS = {"mode": "simulated_home/water_heater/mode"}
CAR = "car"
HEATER = "water_heater"
# Target state of charge of every departure, and the car's maximum.
READY_SOC = 0.9
READY_BY = "07:00"
WEEKEND_READY_BY = "09:30"
HOME_FROM = "16:15"
_ARRIVAL_SOC = 0.7
ROOF_PEAK_KW = 6.0

_BATTERY: dict[str, object] = {
    "name": "battery",
    "capacity_kwh": 10,
    "min_soc": 0.1,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 5,
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.95,
    "wear_price": 0.01,
}
_VEHICLE: dict[str, object] = {
    "name": CAR,
    "capacity_kwh": 50,
    "max_soc": READY_SOC,
    "charge_limit_kw": 11.04,
    "charge_efficiency": 0.92,
    "charger": {"phases": [1, 3], "min_current_a": 6, "max_current_a": 16},
    "start_price": 0.02,
    "min_run_minutes": 15,
}
_LOAD: dict[str, object] = {
    "name": HEATER,
    "kind": "water_heater",
    "power_kw": 2,
    "energy_kwh_per_day": 6.5,
    "min_on_minutes": 15,
    "comfort": [{"from": "00:00", "to": "06:30", "energy_kwh": 2, "days": "all"}],
}


def build_site() -> Site:
    """Return the demo home with a car and a water heater."""
    return parse_site(
        {
            "name": SITE_NAME,
            "timezone": ZONE.key,
            "currency": "EUR",
            "grid": {"import_limit_kw": 17, "export_limit_kw": 17},
            "batteries": [_BATTERY],
            "pv": [{"name": "roof", "peak_kw": ROOF_PEAK_KW}],
            "vehicles": [_VEHICLE],
            "loads": [_LOAD],
            "tariff": {
                "import": {"kind": "spot", "market": MARKET, "markup": 0.13},
                "export": {"kind": "spot", "market": MARKET},
            },
            "input_sensors": _list_sensors(),
            "control": {
                "by": "mqtt",
                "steering": True,
                "batteries": [_command_battery()],
                "vehicles": [_command_charger()],
                "loads": [_command_heater()],
            },
        }
    )


def _list_sensors() -> dict[str, str]:
    return {
        "total_grid_import": _counter("grid_import"),
        "total_grid_export": _counter("grid_export"),
        "total_pv_production": _counter("pv_energy"),
        "total_battery_charge": _counter("battery_charge"),
        "total_battery_discharge": _counter("battery_discharge"),
        "battery_soc": f"mqtt:{TOPICS['battery_soc']} [%]",
        "vehicle_consumption": _counter("car_energy"),
        "vehicle_soc": f"mqtt:{TOPICS['car_soc']} [%]",
        "vehicle_connected": f"mqtt:{TOPICS['car_connected']}",
        "water_heater_consumption": _counter("heater_energy"),
    }


def _command_battery() -> dict[str, object]:
    return {
        "battery": "battery",
        "soc": TOPICS["battery_soc"],
        "modes": MODES,
        "writes": [
            _write(SETTINGS["power"], "{power_w}", ["charge", "export"]),
            _write(SETTINGS["target"], "{target_percent}", ["charge", "export"]),
            _write(
                SETTINGS["floor"],
                "{floor_percent}",
                ["self_consumption", "supply", "export"],
            ),
            _write(
                SETTINGS["ceiling"],
                "{ceiling_percent}",
                ["self_consumption", "save", "charge"],
            ),
            # Last, after the limits that it depends on.
            _write(SETTINGS["mode"], "{mode}", []),
        ],
    }


def _command_charger() -> dict[str, object]:
    return {
        "vehicle": CAR,
        "modes": {"own": "neutral", "charge": "on", "stop": "off"},
        "writes": [
            _write(CHARGER_SETTINGS["phases"], "{phases}", ["charge"]),
            _write(CHARGER_SETTINGS["current"], "{current_a}", ["charge"]),
            _write(CHARGER_SETTINGS["mode"], "{mode}", []),
        ],
    }


def _command_heater() -> dict[str, object]:
    return {
        "load": HEATER,
        "modes": {"own": "auto", "on": "on", "off": "off"},
        "writes": [_write(HEATER_SETTINGS["mode"], "{mode}", [])],
    }


def list_charging_sessions(now: datetime) -> list[NewSession]:
    """Return the car's weekly charging sessions.

    It is home in the afternoon and ready in the morning, later at weekends.
    """
    today = now.astimezone(ZONE).date()
    begin = local_instant(today - timedelta(days=1), HOME_FROM, ZONE)
    sessions = []
    for ready_by, days in ((READY_BY, WEEKDAYS[:5]), (WEEKEND_READY_BY, WEEKDAYS[5:])):
        session = {
            "vehicle": CAR,
            "from": begin,
            "to": local_instant(today, ready_by, ZONE),
            "days": days,
            "target_soc": READY_SOC,
            "arrival_soc": _ARRIVAL_SOC,
        }
        sessions.append(NewSession.model_validate(session))
    return sessions


def is_simulated(site: Site) -> bool:
    """Return whether a site is the simulated home."""
    return site.name == SITE_NAME and MARKET in site.tariff.markets


def _counter(name: str) -> str:
    return f"mqtt:{TOPICS[name]} [kWh]"


def _write(topic: str, value: str, modes: list[str]) -> dict[str, object]:
    return {"to": f"{topic}/set", "value": value, "when": modes, "read_back": topic}
