"""Whether a Home Assistant can be reached, which sensors it has, and which of them may be meant for what.

Asked by the gateway itself, so that the token crosses no queue. Source: Home Assistant developer documentation, REST API.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from luna.addresses import HomeAssistantAccess

TIMEOUT_SECONDS = 10.0
# A large home has a few thousand states of a kilobyte each.
MOST_BYTES = 32_000_000
# Why nothing was found: words of ``ha_<fault>`` of the page.
AWAY, REFUSED, STRANGE = "away", "token", "strange"


@dataclass(frozen=True, slots=True)
class HomeSensor:
    """A sensor as Home Assistant shows it."""

    entity: str
    name: str
    unit: str
    device_class: str = ""
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """What came of asking: its version and sensors, or why there is none of it."""

    fault: str | None = None
    detail: str = ""
    version: str = ""
    sensors: tuple[HomeSensor, ...] = ()


def look_up(access: HomeAssistantAccess) -> Lookup:
    """Ask a Home Assistant who it is and what it measures; takes ten seconds where nobody answers."""
    try:
        status, config = _ask(access, "/api/config")
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return Lookup(REFUSED)
        if status != HTTPStatus.OK or not isinstance(config, dict) or "version" not in config:
            return Lookup(STRANGE, str(status))
        status, states = _ask(access, "/api/states")
    except (OSError, HTTPException) as exc:
        return Lookup(AWAY, str(exc))
    except ValueError as exc:
        return Lookup(STRANGE, str(exc)[:100])
    return Lookup(version=str(config["version"])[:40], sensors=read_sensors(states))


def _ask(access: HomeAssistantAccess, path: str) -> tuple[int, Any]:
    """Return status and JSON of an answer; a redirection is not followed, for it would carry the token elsewhere.

    Raises:
        OSError, HTTPException: nobody answers, or not in HTTP.
        ValueError: the address is none, or the answer no JSON or too long.
    """
    parts = urlsplit(access.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", parts.path.rstrip("/") + path, headers={"Authorization": f"Bearer {access.token}", "Accept": "application/json"})
        response = connection.getresponse()
        body = response.read(MOST_BYTES + 1)
    finally:
        connection.close()
    if len(body) > MOST_BYTES:
        raise ValueError("the answer is too long")
    return response.status, json.loads(body) if response.status == HTTPStatus.OK else None


def read_sensors(states: Any) -> tuple[HomeSensor, ...]:
    """Return the sensors among states that hold energies, powers or states of charge, by name; what has another form is left out."""
    found = (_read_sensor(state) for state in states) if isinstance(states, list) else ()
    return tuple(sorted((sensor for sensor in found if sensor is not None), key=lambda sensor: sensor.name.casefold()))


def _read_sensor(state: Any) -> HomeSensor | None:
    entity, attributes = (state.get("entity_id"), state.get("attributes")) if isinstance(state, dict) else (None, None)
    if not isinstance(entity, str) or not entity.startswith("sensor.") or not isinstance(attributes, dict) or len(entity) > 255:
        return None
    unit = str(attributes.get("unit_of_measurement") or "")
    if unit not in {*_ENERGIES, *_POWERS, "%"}:
        return None
    counts = attributes.get("state_class") in {"total", "total_increasing"}
    return HomeSensor(entity, str(attributes.get("friendly_name") or entity)[:120], unit, str(attributes.get("device_class") or ""), counts)


_ENERGIES, _POWERS = ("Wh", "kWh", "MWh"), ("W", "kW", "MW")


@dataclass(frozen=True, slots=True)
class _Hints:
    """Words that speak for a sensor of a role, and words that speak against it."""

    wanted: str
    against: str = "$^"
    also: str = ""


_BATTERY = r"batter|speicher|akku|powerwall|storage"
_GRID = r"grid|netz|meter|zähler|zaehler|utility|p1|tibber"
_HINTS: Mapping[str, _Hints] = {
    "total_load_consumption": _Hints(r"house|home|haus|load|consum|verbrauch|last\b", rf"{_BATTERY}|{_GRID}|solar|pv|export|wallbox|\bev\b|car|auto|heat"),
    "total_pv_production": _Hints(r"pv|solar|photovolt|roof|dach|yield|ertrag", rf"{_BATTERY}|export|forecast|prognose|tomorrow|remaining"),
    "total_grid_import": _Hints(r"import|bezug|consum|from_grid|delivered|bought", rf"{_BATTERY}|export|einspeis", also=_GRID),
    "total_grid_export": _Hints(r"export|einspeis|feed|return|to_grid|sold", _BATTERY, also=_GRID),
    "total_battery_charge": _Hints(r"(?<!dis)charg|laden|geladen|\bin\b", r"discharg|entlad|car|auto|wallbox|\bev\b", also=_BATTERY),
    "total_battery_discharge": _Hints(r"discharg|entlad|\bout\b", r"car|auto|wallbox|\bev\b", also=_BATTERY),
    "battery_soc": _Hints(
        r"soc|state.of.charge|ladezustand|ladestand|speicher|powerwall|inverter|home|house|storage", r"phone|watch|tablet|car|auto|\bev\b|remote"
    ),
    "vehicle_consumption": _Hints(r"wallbox|charger|\bev\b|car|auto|vehicle", rf"{_BATTERY}|price"),
    "water_heater_consumption": _Hints(r"water.heater|boiler|heizstab|warmwasser|hot.water"),
}


def roles_for(devices: Mapping[str, Sequence[object]]) -> list[str]:
    """Return the roles that a site with these devices should have sensors for."""
    asked = ["total_load_consumption", "total_grid_import", "total_grid_export"]
    if devices.get("pv"):
        asked.append("total_pv_production")
    if devices.get("batteries"):
        asked += ["total_battery_charge", "total_battery_discharge", "battery_soc"]
    if devices.get("vehicles"):
        asked.append("vehicle_consumption")
    if devices.get("loads"):
        asked.append("water_heater_consumption")
    return asked


def offer_sensors(role: str, sensors: Sequence[HomeSensor]) -> list[HomeSensor]:
    """Return the sensors that can hold a role, the likeliest first."""
    units = ("%",) if role == "battery_soc" else (*_ENERGIES, *_POWERS)
    return sorted((sensor for sensor in sensors if sensor.unit in units), key=lambda sensor: -_likelihood(role, sensor))


def guess_sensor(role: str, sensors: Sequence[HomeSensor]) -> str:
    """Return the entity that is likely meant for a role; empty where none is."""
    offered = offer_sensors(role, sensors)
    return offered[0].entity if offered and _likelihood(role, offered[0]) >= _LIKELY else ""


_LIKELY = 2


def _likelihood(role: str, sensor: HomeSensor) -> int:
    hints, text = _HINTS[role], f"{sensor.entity.partition('.')[2].replace('_', ' ')} {sensor.entity} {sensor.name}".casefold()
    if re.search(hints.against, text):
        return -1
    words = 2 * bool(re.search(hints.wanted, text))
    if hints.also and not re.search(hints.also, text):
        words = min(words, 1)
    if not words:
        return 0
    # A counter loses nothing between two looks; a power has to be summed up.
    return words + 2 * (sensor.counts and sensor.unit in _ENERGIES) + (sensor.unit in {*_ENERGIES, "%"})
