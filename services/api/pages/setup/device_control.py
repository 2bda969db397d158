"""Ways in which set-up has a car or a water heater controlled, one declaration per kind.

Each device has its own way: its charger directly, by OCPP, through Home Assistant, over MQTT, or
none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luna.drivers.profile import DeviceProfile
from luna.drivers.profiles import list_profiles
from luna.drivers.transports import OcppTransport
from luna.energy.devices.commands import ControlPart
from luna.energy.devices.switched import LoadControl
from luna.energy.devices.vehicle import VehicleControl
from luna.energy.site.control import Control, ControlledBy
from services.api.pages.setup.fields import Entry, FieldFault, check_entries
from services.api.pages.setup.home_assistant import Lookup, guess_command, offer_commands

NOT_AT_ALL = "none"
PROFILE = "profile"
OCPP = "ocpp"
HOME_ASSISTANT = "home_assistant"
MQTT = "mqtt"
# Ways over a server, of which a site has one.
SERVED: tuple[ControlledBy, ...] = ("home_assistant", "mqtt")
DEVICES = "devices"
WAY = "way"

_ADDRESS = (
    Entry("profile_place", "text"),
    Entry("host_place", "text"),
    Entry("port_number", least=1, most=65_535, required=False),
    Entry("unit_number", most=255, required=False),
    Entry("prefix_text", "text", required=False),
    Entry("secret_text", "text", required=False),
)
# Fields of the form by part of a direct connection.
VIA_FIELDS = {
    "profile": "profile_place",
    "host": "host_place",
    "port": "port_number",
    "unit": "unit_number",
    "prefix": "prefix_text",
    "secret": "secret_text",
}
_OCPP_FIELDS = {"profile": "profile_place", "host": "point_place"}
_SWITCH = (Entry("switch_place", "text"), Entry("on_word", "text"), Entry("off_word", "text"))
_SWITCH_READ = (
    Entry("switch_place", "text"),
    Entry("switch_state", "text"),
    Entry("on_word", "text"),
    Entry("off_word", "text"),
)
# A value that is written beside the switch, by its field.
_VALUES = {"current_place": "{current_a}", "phases_place": "{phases}"}


@dataclass(frozen=True, slots=True)
class ControlForm:
    """Ways in which the devices of a kind may be controlled.

    Args:
        section: of a site and of its section ``control``.
        named_by: the field of an entry of ``control`` with the device's name.
        profile_kind: the kind of the profiles that fit.
        on: the mode in which the device runs; ``off``: in which it rests.
        off: see ``on``.
        asks: the fields of each way.
    """

    section: str
    named_by: str
    profile_kind: str
    on: str
    off: str
    asks: Mapping[str, tuple[Entry, ...]]

    def describe(self, way: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the entry of ``control`` of valid answers."""
        entry: dict[str, Any] = {self.named_by: name}
        if way in (PROFILE, OCPP):
            fields = VIA_FIELDS if way == PROFILE else _OCPP_FIELDS
            via = {part: values[field] for part, field in fields.items() if field in values}
            return entry | {"via": via}
        writes = []
        for field, value in _VALUES.items():
            if field in values:
                write = {"to": values[field], "value": value, "when": [self.on]}
                writes.append(_read_back(write, values.get(_state_of(field))))
        # Written last: current and phases are already set.
        mode = {"to": values["switch_place"], "value": "{mode}"}
        writes.append(_read_back(mode, values.get("switch_state")))
        modes = {self.on: values["on_word"], self.off: values["off_word"]}
        return entry | {"modes": modes, "writes": writes}

    def answer(self, control: ControlPart, by: str) -> tuple[str, dict[str, str]]:
        """Return way and typed fields of an entry of ``control``."""
        document = control.model_dump(mode="json")
        via: dict[str, Any] | None = document["via"]
        if via is not None:
            return write_connection(via)
        places = {value: field for field, value in _VALUES.items()}
        texts = {"on_word": document["modes"].get(self.on, "")}
        texts["off_word"] = document["modes"].get(self.off, "")
        for write in document["writes"]:
            field = places.get(write["value"], "switch_place")
            texts[field] = write["to"]
            if write["read_back"]:
                texts[_state_of(field)] = write["read_back"]
        return by, texts

    def propose(self, way: str, name: str, lookup: Lookup | None) -> dict[str, str]:
        """Return the texts that a way's fields begin with."""
        if way == MQTT:
            base = re.sub(r"[^\w-]+", "_", name)
            topics = {"on_word": "on", "off_word": "off"}
            for field in ("switch_place", *_VALUES):
                topic = f"{base}/{field.removesuffix('_place')}"
                topics |= {field: f"{topic}/set", _state_of(field): topic}
            known = {entry.name for entry in self.asks[way]}
            return {field: text for field, text in topics.items() if field in known}
        if way != HOME_ASSISTANT or lookup is None or lookup.fault:
            return {}
        proposed = {}
        for entry in self.asks[way]:
            if not entry.name.endswith("_place"):
                continue
            command = guess_command(f"{self.section}.{entry.name}", lookup.commands)
            if command is None:
                continue
            proposed[entry.name] = command.entity
            if entry.name == "switch_place" and set(command.options) >= {"on", "off"}:
                proposed |= {"on_word": "on", "off_word": "off"}
        return proposed

    def offer(
        self, way: str, field: str, typed: Mapping[str, str], lookup: Lookup | None
    ) -> list[tuple[str, str]] | None:
        """Return the choices of a field, None for free text."""
        offered: list[tuple[str, str]] = []
        if field == "profile_place":
            profiles = _list_ocpp() if way == OCPP else list_direct(self.profile_kind)
            offered = [(profile.profile, profile.title) for profile in profiles]
        elif way != HOME_ASSISTANT or lookup is None or lookup.fault:
            return None
        elif field.endswith("_word"):
            for command in lookup.commands:
                if command.entity == typed.get("switch_place"):
                    offered += [(option, option) for option in command.options]
        else:
            commands = offer_commands(f"{self.section}.{field}", lookup.commands)
            offered = [(command.entity, command.name) for command in commands]
        chosen = typed.get(field, "")
        if chosen and chosen not in dict(offered):
            offered = [(chosen, chosen), *offered]
        return offered or None


def write_connection(via: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return way and typed fields of a connection by a profile."""
    is_ocpp = via["profile"] in {profile.profile for profile in _list_ocpp()}
    fields = _OCPP_FIELDS if is_ocpp else VIA_FIELDS
    typed = {field: via[part] for part, field in fields.items()}
    texts = {field: str(value) for field, value in typed.items() if value is not None}
    return (OCPP if is_ocpp else PROFILE), texts


def leave_connection(control: Mapping[str, Any], via: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers on control without the devices that have a connection."""
    way, texts = write_connection(via)

    def has_connection(answered: Mapping[str, Any]) -> bool:
        typed = {field: text for field, text in answered.get(way, {}).items() if text}
        return answered[WAY] == way and typed == texts

    remaining = {}
    for section, devices in control.get(DEVICES, {}).items():
        remaining[section] = {
            name: answered for name, answered in devices.items() if not has_connection(answered)
        }
    return {**control, DEVICES: remaining} if remaining else dict(control)


def _state_of(field: str) -> str:
    return f"{field.removesuffix('_place')}_state"


def _read_back(write: dict[str, Any], state: str | None) -> dict[str, Any]:
    return write if state is None else write | {"read_back": state}


def _list_ocpp() -> list[DeviceProfile]:
    return [profile for profile in list_profiles() if isinstance(profile.transport, OcppTransport)]


def list_direct(kind: str) -> list[DeviceProfile]:
    """Return the profiles of a kind of devices that Luna connects to."""
    direct = []
    for profile in list_profiles():
        if profile.kind == kind and not isinstance(profile.transport, OcppTransport):
            direct.append(profile)
    return direct


VEHICLES = ControlForm(
    section="vehicles",
    named_by="vehicle",
    profile_kind="charge_point",
    on="charge",
    off="stop",
    asks={
        PROFILE: _ADDRESS,
        OCPP: (Entry("point_place", "text"), Entry("profile_place", "text")),
        HOME_ASSISTANT: (
            *_SWITCH,
            Entry("current_place", "text", required=False),
            Entry("phases_place", "text", required=False),
        ),
        MQTT: (
            *_SWITCH_READ,
            Entry("current_place", "text", required=False),
            Entry("current_state", "text", required=False),
            Entry("phases_place", "text", required=False),
            Entry("phases_state", "text", required=False),
        ),
    },
)
LOADS = ControlForm(
    section="loads",
    named_by="load",
    profile_kind="switched_load",
    on="on",
    off="off",
    asks={PROFILE: _ADDRESS, HOME_ASSISTANT: _SWITCH, MQTT: _SWITCH_READ},
)
CONTROL_FORMS: Mapping[str, ControlForm] = {form.section: form for form in (VEHICLES, LOADS)}


@dataclass(frozen=True, slots=True)
class AnsweredDevice:
    """A device of the answers with its way, and the texts typed for each way.

    ``prefix`` begins the names of its fields; ``has_phases``: its charger's phases are known.
    """

    form: ControlForm
    name: str
    prefix: str
    way: str
    typed: Mapping[str, Mapping[str, str]]
    has_phases: bool = True


def list_controlled(
    answers: Mapping[str, Any], names_by_section: Mapping[str, Sequence[str]]
) -> Iterator[AnsweredDevice]:
    """Yield the cars and water heaters of the answers."""
    answered = (answers.get("control") or {}).get(DEVICES, {})
    for section, form in CONTROL_FORMS.items():
        for place, name in enumerate(names_by_section.get(section, ())):
            stored = answered.get(section, {}).get(name, {})
            typed = {way: texts for way, texts in stored.items() if way != WAY}
            way = stored.get(WAY, NOT_AT_ALL)
            has_phases = answers[section][place].get("phases", "?") != ""
            prefix = f"{section}-{place}-"
            yield AnsweredDevice(
                form=form, name=name, prefix=prefix, way=way, typed=typed, has_phases=has_phases
            )


def describe_devices(
    devices: Iterable[AnsweredDevice],
) -> tuple[dict[str, list[dict[str, Any]]], set[str], list[FieldFault]]:
    """Return the entries of ``control`` by section, the servers they need, and the faults."""
    entries: dict[str, list[dict[str, Any]]] = {}
    servers = set[str]()
    faults: list[FieldFault] = []
    for device in devices:
        asks = device.form.asks.get(device.way)
        if asks is None:
            continue
        prefix = f"{device.prefix}{device.way}-"
        values, device_faults = check_entries(asks, device.typed.get(device.way, {}), prefix=prefix)
        device_faults += _find_unread(device, values, prefix)
        if not device.has_phases:
            device_faults += _find_phaseless(values, prefix)
        faults += device_faults
        if device.way in SERVED:
            servers.add(device.way)
        if not device_faults:
            entry = device.form.describe(device.way, device.name, values)
            entries.setdefault(device.form.section, []).append(entry)
    return entries, servers, faults


def _find_unread(
    device: AnsweredDevice, values: Mapping[str, Any], prefix: str
) -> list[FieldFault]:
    """Return the places that are written over MQTT and read nowhere."""
    if device.way != MQTT:
        return []
    places = [field for field in _VALUES if field in values]
    states = [_state_of(field) for field in places]
    return [FieldFault(f"{prefix}{state}", "missing") for state in states if state not in values]


def _find_phaseless(values: Mapping[str, Any], prefix: str) -> list[FieldFault]:
    """Return the fault of a current that is commanded to a charger of unknown phases."""
    fields = [field for field in ("point_place", "host_place", *_VALUES) if field in values]
    return [FieldFault(f"{prefix}{field}", "needs_phases") for field in fields[:1]]


def merge_devices(
    names_by_section: Mapping[str, Sequence[str]], typed: Mapping[str, str]
) -> dict[str, Any]:
    """Return the answers on devices of the step's form, by section and name."""
    merged: dict[str, Any] = {}
    for section, form in CONTROL_FORMS.items():
        for place, name in enumerate(names_by_section.get(section, ())):
            prefix = f"{section}-{place}-"
            way = typed.get(f"{prefix}{WAY}")
            if way is None:
                continue
            fields: dict[str, Any] = {WAY: way if way in form.asks else NOT_AT_ALL}
            for asked, entries in form.asks.items():
                texts = {}
                for entry in entries:
                    text = typed.get(f"{prefix}{asked}-{entry.name}", "")
                    texts[entry.name] = text.strip()
                if any(texts.values()):
                    fields[asked] = texts
            merged.setdefault(section, {})[name] = fields
    return merged


def answer_devices(control: Control) -> dict[str, Any]:
    """Return the answers that describe how a stored site's devices are controlled."""
    answers: dict[str, Any] = {}
    entries_by_section: Mapping[str, Sequence[VehicleControl | LoadControl]] = {
        "vehicles": control.vehicles,
        "loads": control.loads,
    }
    for section, entries in entries_by_section.items():
        for entry in entries:
            way, texts = CONTROL_FORMS[section].answer(entry, control.by)
            answers.setdefault(section, {})[entry.device] = {WAY: way, way: texts}
    return answers
