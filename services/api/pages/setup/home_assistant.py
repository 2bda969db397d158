"""Query a Home Assistant for its sensors and commands, and guess the roles they fit.

The gateway itself connects, so that the token crosses no queue. Source: Home Assistant developer
documentation, REST API and WebSocket API; ``homeassistant/components/energy/data.py`` for the
energy dashboard.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from itertools import chain
from ssl import create_default_context
from typing import Any, Literal, TypeGuard
from urllib.parse import urlsplit

import structlog
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from luna.energy.site import SENSOR_ROLES
from luna.platform.address_policy import HOME_ASSISTANT, open_connection
from luna.platform.addresses import HomeAssistantAccess
from luna.platform.database.observations import MEASURED
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.battery import BATTERY_WORDS
from services.api.pages.setup.devices.form import SWITCHED, SensorHints

TIMEOUT_SECONDS = 10.0
# A large home has a few thousand states of a kilobyte each.
MOST_BYTES = 32_000_000
# Faults of a look-up; ``ha_<fault>`` is the page's phrase.
AWAY = "away"
REFUSED = "token"
STRANGE = "strange"

_log = structlog.get_logger("luna.api")


@dataclass(frozen=True, slots=True)
class HomeSensor:
    """A sensor of Home Assistant; ``counts``: it is a counter of energy."""

    entity: str
    name: str
    unit: str
    device_class: str = ""
    counts: bool = False


@dataclass(frozen=True, slots=True)
class HomeCommand:
    """An entity that accepts a number, or one of its ``options``."""

    entity: str
    name: str
    unit: str = ""
    device_class: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """The result of a look-up: version, sensors and commands, or the fault.

    ``dashboard``: sensors of the energy dashboard by role; ``devices``: its sensors of single
    devices, with their names there.
    """

    fault: str | None = None
    version: str = ""
    sensors: tuple[HomeSensor, ...] = ()
    commands: tuple[HomeCommand, ...] = ()
    dashboard: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)

    def without(self, entities: Collection[str]) -> "Lookup":
        """Return the look-up without entities that are in use elsewhere."""
        sensors = [sensor for sensor in self.sensors if sensor.entity not in entities]
        commands = [command for command in self.commands if command.entity not in entities]
        return replace(self, sensors=tuple(sensors), commands=tuple(commands))

    def nearest(self, entity: str) -> "Lookup":
        """Sort the entities by the length of the name prefix that they share with ``entity``.

        Of two inverters, the entities of the same one come first.
        """
        words = _name_words(entity)

        def count_shared_words(other: HomeSensor | HomeCommand) -> int:
            shared = 0
            for word, other_word in zip(words, _name_words(other.entity), strict=False):
                if word != other_word:
                    break
                shared += 1
            return shared

        sensors = sorted(self.sensors, key=count_shared_words, reverse=True)
        commands = sorted(self.commands, key=count_shared_words, reverse=True)
        return replace(self, sensors=tuple(sensors), commands=tuple(commands))


def _name_words(entity: str) -> list[str]:
    return entity.partition(".")[2].split("_")


def look_up(access: HomeAssistantAccess) -> Lookup:
    """Query a Home Assistant for version and entities.

    Takes ten seconds where it does not respond.
    """
    try:
        status, config = _ask(access, "/api/config")
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return Lookup(REFUSED)
        if status != HTTPStatus.OK or not isinstance(config, dict) or "version" not in config:
            _log.warning("not a home assistant", status=status)
            return Lookup(STRANGE)
        status, states = _ask(access, "/api/states")
    except (OSError, HTTPException) as exc:
        _log.warning("home assistant unreachable", error=str(exc))
        return Lookup(AWAY)
    except ValueError as exc:
        _log.warning("not a home assistant", error=str(exc)[:100])
        return Lookup(STRANGE)
    dashboard, devices = read_dashboard(_ask_dashboard(access))
    return Lookup(
        version=str(config["version"])[:40],
        sensors=read_sensors(states),
        commands=read_commands(states),
        dashboard=dashboard,
        devices=devices,
    )


def _ask(access: HomeAssistantAccess, path: str) -> tuple[int, Any]:
    """Return status and JSON of a response.

    Redirections are not followed, since they would send the token elsewhere.

    Raises:
        OSError, HTTPException: no response, or not by HTTP.
        ValueError: the address is invalid, or the response is no JSON or too long.
    """
    parts = urlsplit(access.url)
    host, port = access.host_and_port
    connection = HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.sock = open_connection(HOME_ASSISTANT, host, port, TIMEOUT_SECONDS)
        if parts.scheme == "https":
            connection.sock = create_default_context().wrap_socket(
                connection.sock, server_hostname=host
            )
        connection.request(
            "GET",
            parts.path.rstrip("/") + path,
            headers={"Authorization": f"Bearer {access.token}", "Accept": "application/json"},
        )
        response = connection.getresponse()
        body = response.read(MOST_BYTES + 1)
    finally:
        connection.close()
    if len(body) > MOST_BYTES:
        raise ValueError("the answer is too long")
    return response.status, json.loads(body) if response.status == HTTPStatus.OK else None


def _ask_dashboard(access: HomeAssistantAccess) -> Any:
    """Return the configuration of the energy dashboard.

    None without one or on failure: sensors are then guessed by name.
    """
    try:
        # A given socket keeps the library from following redirections, which would send the token
        # elsewhere.
        link = open_connection(HOME_ASSISTANT, *access.host_and_port, TIMEOUT_SECONDS)
        with connect(
            access.socket_url,
            sock=link,
            open_timeout=TIMEOUT_SECONDS,
            close_timeout=1,
            max_size=MOST_BYTES,
        ) as socket:
            socket.recv(timeout=TIMEOUT_SECONDS)
            socket.send(json.dumps({"type": "auth", "access_token": access.token}))
            if json.loads(socket.recv(timeout=TIMEOUT_SECONDS)).get("type") != "auth_ok":
                return None
            socket.send(json.dumps({"id": 1, "type": "energy/get_prefs"}))
            answer = json.loads(socket.recv(timeout=TIMEOUT_SECONDS))
    except (OSError, WebSocketException, ValueError, AttributeError):
        return None
    return answer.get("result") if isinstance(answer, dict) and answer.get("success") else None


def read_dashboard(preferences: Any) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return an energy dashboard's sensors by role, and those of its devices with their names.

    Entries of unknown form are skipped.

    Older grid sources have lists of flows, newer ones two statistics of their own. A battery's
    ``from`` is its discharge.
    """
    prefs = preferences if isinstance(preferences, dict) else {}
    entities: dict[str, list[str]] = {}
    for source in _documents(prefs.get("energy_sources")):
        kind = str(source.get("type"))
        flows = [source]
        if kind == "grid":
            flows += _documents(source.get("flow_from"))
            flows += _documents(source.get("flow_to"))
        for role, hints in _HINTS.items():
            if not hints.statistic or hints.statistic[0] != kind:
                continue
            values = [flow.get(hints.statistic[1]) for flow in flows]
            sensors = [value for value in values if _is_sensor(value)]
            entities.setdefault(role, []).extend(sensors)
    devices = {}
    for device in _documents(prefs.get("device_consumption")):
        entity = device.get("stat_consumption")
        if _is_sensor(entity):
            devices[entity] = str(device.get("name") or "")
    by_role = {role: tuple(dict.fromkeys(names)) for role, names in entities.items() if names}
    return by_role, devices


def _documents(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict)]


def _is_switched(entity: Any) -> TypeGuard[str]:
    domains = ("binary_sensor.", "input_boolean.")
    return isinstance(entity, str) and entity.startswith(domains) and len(entity) <= 255


def _is_sensor(entity: Any) -> TypeGuard[str]:
    # External statistics, such as a supplier's, have no sensor to record.
    return isinstance(entity, str) and entity.startswith("sensor.") and len(entity) <= 255


def read_commands(states: Any) -> tuple[HomeCommand, ...]:
    """Return the entities that accept a value, by name; states of unknown form are skipped."""
    commands = [_read_command(state) for state in _documents(states)]
    return tuple(sorted(filter(None, commands), key=_folded_name))


def _folded_name(entity: HomeSensor | HomeCommand) -> str:
    return entity.name.casefold()


_CHOICES = ("select", "input_select")
_SWITCHES = ("switch", "input_boolean")
_NUMBERS = ("number", "input_number")


def _read_command(state: Mapping[str, Any]) -> HomeCommand | None:
    entity = state.get("entity_id")
    attributes = state.get("attributes")
    if not isinstance(entity, str) or not isinstance(attributes, dict) or len(entity) > 255:
        return None
    domain = entity.partition(".")[0]
    unit = str(attributes.get("unit_of_measurement") or "")
    options: tuple[str, ...] = ()
    choices = attributes.get("options")
    if domain in _CHOICES and isinstance(choices, list):
        options = tuple(str(choice)[:255] for choice in choices)
    elif domain in _SWITCHES:
        options = ("on", "off")
    if not options and not (domain in _NUMBERS and unit in {"W", "kW", "%", "A"}):
        return None
    name = str(attributes.get("friendly_name") or entity)[:120]
    device_class = str(attributes.get("device_class") or "")
    return HomeCommand(
        entity=entity, name=name, unit=unit, device_class=device_class, options=options
    )


def read_sensors(states: Any) -> tuple[HomeSensor, ...]:
    """Return the sensors of energies, powers, states of charge, ranges and plugs, by name.

    States of unknown form are skipped.
    """
    sensors = [_read_sensor(state) for state in _documents(states)]
    return tuple(sorted(filter(None, sensors), key=_folded_name))


def _read_sensor(state: Mapping[str, Any]) -> HomeSensor | None:
    entity = state.get("entity_id")
    attributes = state.get("attributes")
    if not isinstance(attributes, dict):
        return None
    device_class = str(attributes.get("device_class") or "")
    if _is_switched(entity):
        name = str(attributes.get("friendly_name") or entity)[:120]
        is_plug = device_class in _PLUG_CLASSES
        return HomeSensor(entity, name, SWITCHED, device_class) if is_plug else None
    if not _is_sensor(entity):
        return None
    unit = str(attributes.get("unit_of_measurement") or "")
    if unit not in _CLASSES or device_class not in {"", _CLASSES[unit]}:
        return None
    name = str(attributes.get("friendly_name") or entity)[:120]
    counts = attributes.get("state_class") in {"total", "total_increasing"}
    return HomeSensor(entity=entity, name=name, unit=unit, device_class=device_class, counts=counts)


_ENERGIES = ("Wh", "kWh", "MWh")
_POWERS = ("W", "kW", "MW")
# The device class that fits a unit; another class means something else, such as humidity or the
# energy in a store.
_CLASSES = (
    dict.fromkeys(_ENERGIES, "energy")
    | dict.fromkeys(_POWERS, "power")
    | {"%": "battery", "km": "distance", "mi": "distance"}
)
# Of what is on or off, the classes that a cable may have.
_PLUG_CLASSES = frozenset({"", "plug", "connectivity"})


_BATTERY_OR_INVERTER = rf"{BATTERY_WORDS}|inverter|wechselrichter|\bess\b|hybrid"
_GRID = r"grid|netz|meter|zähler|zaehler|utility|p1|tibber"
# Roles for which every house should have sensors.
_HOUSE = {
    "total_load_consumption": SensorHints(
        r"house|home|haus|load|consum|verbrauch|last\b",
        rf"{BATTERY_WORDS}|{_GRID}|solar|pv|export|wallbox|\bev\b|car|auto|heat",
    ),
    "total_grid_import": SensorHints(
        r"import|bezug|consum|from_grid|delivered|bought",
        rf"{BATTERY_WORDS}|export|einspeis",
        also=_GRID,
        statistic=("grid", "stat_energy_from"),
    ),
    "total_grid_export": SensorHints(
        r"export|einspeis|feed|return|to_grid|sold",
        BATTERY_WORDS,
        also=_GRID,
        statistic=("grid", "stat_energy_to"),
    ),
}
_HINTS: dict[str, SensorHints] = dict(_HOUSE)
for _form in DEVICE_FORMS.values():
    _HINTS |= _form.sensors


def roles_for(devices: Mapping[str, Sequence[object]]) -> list[str]:
    """Return the roles that a site with these devices should have sensors for, by their series."""
    device_roles: list[str] = []
    for section, form in DEVICE_FORMS.items():
        if devices.get(section):
            device_roles += form.sensors

    def series_order(role: str) -> int:
        series = SENSOR_ROLES[role].series
        # What is only recorded comes last, as it was declared.
        return len(MEASURED) if series is None else MEASURED.index(series)

    return [*_HOUSE, *sorted(device_roles, key=series_order)]


def offer_sensors(role: str, sensors: Sequence[HomeSensor]) -> list[HomeSensor]:
    """Return the sensors that fit a role, the likeliest first."""
    units = _HINTS[role].units
    if not units:
        units = ("%",) if SENSOR_ROLES[role].kind == "level" else (*_ENERGIES, *_POWERS)

    def order(sensor: HomeSensor) -> tuple[int, bool]:
        return -_likelihood(role, sensor), not sensor.device_class

    return sorted((sensor for sensor in sensors if sensor.unit in units), key=order)


def guess_sensor(role: str, lookup: Lookup) -> str:
    """Return the likely sensor of a role (several separated by commas), "" without one.

    The owner's energy dashboard takes precedence over guesses by name.
    """
    if role in lookup.dashboard:
        return ",".join(lookup.dashboard[role])
    taken = {*chain.from_iterable(lookup.dashboard.values())}
    candidates: list[HomeSensor] = []
    # The dashboard lists submetered sensors among its devices.
    if SENSOR_ROLES[role].flow == "submetered":
        for entity, name in lookup.devices.items():
            candidates.append(HomeSensor(entity, name or entity, "kWh", counts=True))
    else:
        taken |= {*lookup.devices}
    candidates += [sensor for sensor in lookup.sensors if sensor.entity not in taken]
    offered = offer_sensors(role, candidates)
    if offered and _likelihood(role, offered[0]) >= _LIKELY:
        return offered[0].entity
    return ""


# Likely names of the commands for a battery's mode, power and target state of charge.
_OTHERS = r"\bcar\b|auto\b|wallbox|\bev\b"
_COMMANDS: dict[str, SensorHints] = {
    "mode_place": SensorHints(
        r"mode|modus|betriebsart|work|strateg|control|steuer",
        rf"{_OTHERS}|heat|climate|light|licht|fan|vacuum|alarm",
        _BATTERY_OR_INVERTER,
    ),
    "power_place": SensorHints(
        r"power|leistung|charg|laden|set.?point|sollwert",
        rf"{_OTHERS}|\bgrid.(import|export)|\bnetz|export.limit|\bpv\b",
        _BATTERY_OR_INVERTER,
    ),
    "target_place": SensorHints(
        r"target|ziel|charge.(limit|to|until)|max.*soc|soc.*max|cut.?off",
        rf"{_OTHERS}|min|discharg|entlad",
        _BATTERY_OR_INVERTER,
    ),
}
_CAR = r"wallbox|charger|charge.?point|\bev(se)?\b|\bcar\b|\bauto\b|ladestation|laadpaal|vehicle"
_NO_CAR = rf"{BATTERY_WORDS}|inverter|wechselrichter|climate|klima|light|licht|lock"
_DEVICE_COMMANDS: dict[str, SensorHints] = {
    "vehicles.switch_place": SensorHints(
        r"charg|laden|enable|start|switch|mode|on.?off|wallbox|evse", _NO_CAR, _CAR
    ),
    "vehicles.current_place": SensorHints(r"current|strom|amp|stroom|limit", _NO_CAR, _CAR),
    "vehicles.phases_place": SensorHints(r"phase|fase", _NO_CAR, _CAR),
    "loads.switch_place": SensorHints(
        r"water.?heater|boiler|heizstab|warmwasser|hot.?water|immersion", _NO_CAR
    ),
}
_COMMAND_UNITS: Mapping[str, frozenset[str]] = {
    "power_place": frozenset({"W", "kW"}),
    "target_place": frozenset({"%"}),
    "vehicles.current_place": frozenset({"A"}),
}


def offer_commands(field_name: str, commands: Sequence[HomeCommand]) -> list[HomeCommand]:
    """Return the commands that fit a field, the likeliest first.

    A mode takes choices and switches, any other field numbers of its unit.
    """
    units = _COMMAND_UNITS.get(field_name)
    if units is None:
        fitting = [command for command in commands if command.options]
    else:
        numbers = [command for command in commands if not command.options]
        fitting = [command for command in numbers if command.unit in units]

    def likelihood(command: HomeCommand) -> int:
        return _command_likelihood(field_name, command)

    # The order of equally likely commands stays.
    return sorted(fitting, key=likelihood, reverse=True)


def guess_command(field_name: str, commands: Sequence[HomeCommand]) -> HomeCommand | None:
    """Return the likely command of a field, None without one."""
    offered = offer_commands(field_name, commands)
    if offered and _command_likelihood(field_name, offered[0]) >= _LIKELY:
        return offered[0]
    return None


def _command_likelihood(field_name: str, command: HomeCommand) -> int:
    hints = (_COMMANDS | _DEVICE_COMMANDS)[field_name]
    name = f"{command.entity.partition('.')[2].replace('_', ' ')} {command.name}".casefold()
    # By the name alone: the option "Auto" is no car.
    if re.search(hints.against, name):
        return -1
    text = f"{name} {' '.join(command.options)}".casefold()
    if not re.search(hints.wanted, text) or not re.search(hints.also, text):
        return 0
    likelihood = 2
    if command.device_class == "power":
        likelihood += 1
    if len(command.options) > 2:
        likelihood += 1
    if re.search(BATTERY_WORDS, text):
        likelihood += 1
    return likelihood


_LIKELY = 2


def _likelihood(role: str, sensor: HomeSensor) -> int:
    hints = _HINTS[role]
    entity_words = sensor.entity.partition(".")[2].replace("_", " ")
    text = f"{entity_words} {sensor.entity} {sensor.name}".casefold()
    if re.search(hints.against, text):
        return -1
    if not re.search(hints.wanted, text):
        return 0
    likelihood = 2
    if hints.also and not re.search(hints.also, text):
        likelihood = 1
    # Prefer counters, which lose nothing between two readings; powers have to be integrated, and
    # other energies are per day or forecasts.
    if sensor.counts and sensor.unit in _ENERGIES:
        likelihood += 3
    if sensor.unit == "%" or sensor.device_class == "plug":
        likelihood += 1
    return likelihood


GuessSource = Literal["dashboard", "device", "name"]


def find_source(role: str, lookup: Lookup) -> GuessSource | None:
    """Return on what a guess for a role rests; None without one."""
    guessed = guess_sensor(role, lookup)
    if not guessed:
        return None
    if role in lookup.dashboard:
        return "dashboard"
    return "device" if guessed in lookup.devices else "name"
