"""Control methods for batteries in set-up, one declaration each.

Each method (Home Assistant, MQTT, device profiles …) has a server, fields and proposals, and
produces the site's section ``control``; a new method is a new ``ControlMethod``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from pydantic import ValidationError

from luna.drivers.profiles import list_profiles
from luna.energy.devices.battery import BatteryControl, Mode
from luna.energy.devices.commands import Via
from luna.energy.errors import InvalidInputError
from luna.energy.site.control import NOT_SENT, Control, ControlledBy
from luna.platform.addresses import HomeAssistantAccess, parse_broker
from luna.platform.mqtt import BrokerError, BrokerLink
from luna.platform.settings import Settings
from services.api.pages.setup.device_control import DEVICES, VIA_FIELDS, answer_devices
from services.api.pages.setup.fields import ON, Entry, FieldFault, check_entries
from services.api.pages.setup.home_assistant import (
    Lookup,
    guess_command,
    guess_sensor,
    look_up,
    offer_commands,
    offer_sensors,
)
from services.api.pages.setup.server_access import BROKER, HOME_ASSISTANT, ServerAccess

BROKER_PATIENCE_SECONDS = 3.0
# The modes whose names are asked for; an inverter uses self-consumption in place of the others.
NAMED_MODES: tuple[Mode, ...] = ("self_consumption", "hold", "charge", "export")
# Modes with a power and a target state of charge.
_POWERED: tuple[Mode, ...] = ("charge", "export")
_POWER = {"W": "{power_w}", "kW": "{power_kw}"}
# Each method that sends has it; its answer is that of the chosen one.
STEERING = Entry("steering", "switch", required=False, hint=True)
Typed = Mapping[str, str]


class ServerAnswer(NamedTuple):
    """The result of querying a server, as a phrase of the page with its figures.

    ``lookup``: the entities of a Home Assistant.
    """

    good: bool
    phrase: str
    figures: Mapping[str, object] = {}
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class ControlMethod:
    """A method of controlling batteries.

    Args:
        by: its name in the section ``control``; ``by_<by>`` and ``by_<by>_lead`` are its phrases.
        server: that it needs, None for none.
        ask: queries the server; takes seconds.
        asks: the fields of each battery.
        proposes_unasked: whether to show the fields before the server was queried.
        propose: returns the default texts of a battery's fields by its name and the server's
            entities, if known.
        offer: returns the choices of a field, None for free text.
    """

    by: ControlledBy
    server: ServerAccess | None = None
    ask: Callable[[Settings], ServerAnswer] | None = None
    asks: tuple[Entry, ...] = ()
    proposes_unasked: bool = False
    propose: Callable[[str, Lookup | None], dict[str, str]] = lambda _name, _lookup: {}
    offer: Callable[[str, Typed, Lookup | None], list[tuple[str, str]] | None] = (
        lambda _field, _typed, _lookup: None
    )

    def describe(
        self, batteries: Sequence[str], typed: Mapping[str, Typed]
    ) -> tuple[dict[str, Any] | None, list[FieldFault]]:
        """Return the section ``control`` (None if nothing valid was typed) and the faults.

        Batteries without any text are left out; if all are, the first one is validated, so that its
        fields are reported missing.
        """
        if not self.asks:
            return {"by": self.by}, []
        described = [name for name in batteries if any(typed.get(name, {}).values())]
        if not described:
            described = list(batteries[:1])
        sections = []
        faults = []
        for name in described:
            prefix = f"{self.by}-{batteries.index(name)}-"
            values, battery_faults = check_entries(self.asks, typed.get(name, {}), prefix=prefix)
            faults += battery_faults
            if not battery_faults:
                sections.append(_describe_battery(name, values))
        return ({"by": self.by, "batteries": sections} if sections else None), faults

    def fill(
        self, batteries: Sequence[str], typed: Mapping[str, Typed], lookup: Lookup | None
    ) -> dict[str, dict[str, str]]:
        """Return the texts of each battery's fields: as typed, else proposed.

        An entity is proposed for one battery only.
        """
        answered = {name: dict(fields) for name, fields in typed.items() if _names_place(fields)}
        for name in batteries:
            if name not in answered:
                taken = {*chain.from_iterable(fields.values() for fields in answered.values())}
                answered[name] = self.propose(name, lookup and lookup.without(taken))
        return {name: answered[name] for name in batteries}


def _names_place(fields: Typed) -> bool:
    # Fields shown empty, as while Home Assistant was away, do not count as answered.
    return any(text for field, text in fields.items() if field.endswith("_place"))


def read_vias(answers: Mapping[str, Any]) -> dict[str, Via | None]:
    """Return the connection of each battery that Luna controls directly.

    None where the typed address is incomplete.
    """
    vias: dict[str, Via | None] = {}
    if answers.get("by") != "profile":
        return vias
    for name, typed in answers.get("profile", {}).items():
        vias[name] = None
        with suppress(ValidationError):
            vias[name] = Via.model_validate(_describe_via(typed))
    return vias


def _describe_via(typed: Mapping[str, Any]) -> dict[str, Any]:
    via = {part: typed.get(field) for part, field in VIA_FIELDS.items()}
    return {part: value for part, value in via.items() if value not in {None, ""}}


def answer_control(control: Control) -> dict[str, Any]:
    """Return the typed form of a section ``control``, as far as the fields can express it."""
    batteries = {target.battery: _answer_battery(target) for target in control.batteries}
    by: ControlledBy = control.by
    if not batteries and by not in NOT_SENT:
        by = "advice"
    elif batteries and all(target.via is not None for target in control.batteries):
        by = "profile"
    answers: dict[str, Any] = {"by": by, by: batteries}
    devices = answer_devices(control)
    if devices:
        answers[DEVICES] = devices
    if control.steering:
        answers[STEERING.name] = ON
    return answers


def _describe_battery(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    if "profile_place" in values:
        return {"battery": name, "via": _describe_via(values)}
    modes = {mode: values[f"word_{mode}"] for mode in NAMED_MODES if f"word_{mode}" in values}
    powered = [mode for mode in _POWERED if mode in modes]
    writes = []
    if powered and "power_place" in values:
        power = _POWER[values.get("power_unit", "W")]
        writes.append({"to": values["power_place"], "value": power, "when": powered})
        if "power_state" in values:
            writes[-1]["read_back"] = values["power_state"]
    if powered and "target_place" in values:
        target = {"to": values["target_place"], "value": "{target_percent}", "when": powered}
        writes.append(target)
    # Write the mode last, when power and target are already set.
    writes.append({"to": values["mode_place"], "value": "{mode}"})
    if "mode_state" in values:
        writes[-1]["read_back"] = values["mode_state"]
    return {"battery": name, "soc": values["soc_place"], "modes": modes, "writes": writes}


def _answer_battery(control: BatteryControl) -> dict[str, str]:
    via = control.via
    if via is not None:
        parts = {field: getattr(via, part) for part, field in VIA_FIELDS.items()}
        return {field: str(value) for field, value in parts.items() if value is not None}
    typed = {"soc_place": control.soc or ""}
    for mode, word in control.modes.items():
        if mode in NAMED_MODES:
            typed[f"word_{mode}"] = word
    units = {value: unit for unit, value in _POWER.items()}
    for write in control.writes:
        if write.value in units:
            typed["power_unit"] = units[write.value]
            place, state = "power_place", "power_state"
        elif write.value == "{target_percent}":
            place, state = "target_place", ""
        else:
            place, state = "mode_place", "mode_state"
        typed[place] = write.to
        if state and write.read_back:
            typed[state] = write.read_back
    return typed


def ask_home_assistant(settings: Settings) -> ServerAnswer:
    """Query the configured Home Assistant for its entities."""
    lookup = look_up(HomeAssistantAccess.of(settings))
    if lookup.fault:
        return ServerAnswer(good=False, phrase=f"ha_{lookup.fault}", lookup=lookup)
    figures: dict[str, object] = {"version": lookup.version, "count": len(lookup.sensors)}
    return ServerAnswer(good=True, phrase="ha_found", figures=figures, lookup=lookup)


def _ask_broker(settings: Settings) -> ServerAnswer:
    """Test the connection to the MQTT broker.

    The gateway itself connects, so that the password crosses no queue.
    """
    try:
        address = parse_broker(settings.mqtt_url or "", settings.mqtt_password)
        link = BrokerLink(address, (), lambda _: None, patience_s=BROKER_PATIENCE_SECONDS)
    except InvalidInputError:
        # An operator's setting may be no valid address.
        return ServerAnswer(good=False, phrase="broker_away")
    try:
        link.open()
    except BrokerError as error:
        phrase = "broker_refused" if error.fault == "refused" else "broker_away"
        return ServerAnswer(good=False, phrase=phrase)
    finally:
        link.close()
    return ServerAnswer(good=True, phrase="broker_found")


_WORDS = tuple(
    Entry(f"word_{mode}", "text", required=mode in {"self_consumption", "hold"})
    for mode in NAMED_MODES
)
_UNIT = Entry("power_unit", "choice", required=False, options=tuple(_POWER), default="W")


def _propose_topics(battery: str, _: Lookup | None) -> dict[str, str]:
    base = re.sub(r"[^\w-]+", "_", battery)
    proposed = {
        "soc_place": f"{base}/soc",
        "mode_place": f"{base}/mode/set",
        "mode_state": f"{base}/mode",
        "power_place": f"{base}/power/set",
        "power_state": f"{base}/power",
        "power_unit": "W",
    }
    return proposed | {f"word_{mode}": mode for mode in NAMED_MODES}


# Regular expressions for inverters' names of the modes.
_SOUNDS_LIKE: Mapping[str, str] = {
    "self_consumption": r"self|eigen|auto|normal|general|optimi",
    "hold": r"stand.?by|hold|idle|halt|pause|stop|ruhe",
    "charge": r"(?<!dis)charg|(?<!ent)laden",
    "export": r"discharg|entlad|feed|export|sell|einspeis|verkauf",
}


def _propose_entities(_: str, lookup: Lookup | None) -> dict[str, str]:
    if lookup is None or lookup.fault:
        return {}
    mode = guess_command("mode_place", lookup.commands)
    if mode is None:
        proposed = {"mode_place": ""}
    else:
        lookup = lookup.nearest(mode.entity)
        proposed = {"mode_place": mode.entity} | guess_words(mode.options)
    proposed["soc_place"] = guess_sensor("battery_soc", lookup)
    power = guess_command("power_place", lookup.commands)
    if power:
        proposed |= {"power_place": power.entity, "power_unit": power.unit}
    target = guess_command("target_place", lookup.commands)
    if target:
        proposed["target_place"] = target.entity
    return proposed


def guess_words(options: Sequence[str]) -> dict[str, str]:
    """Match an inverter's options to modes by name; an option matches at most one mode."""
    remaining = list(options)
    words: dict[str, str] = {}
    for mode, pattern in _SOUNDS_LIKE.items():
        matches = [option for option in remaining if re.search(pattern, option.casefold())]
        if matches:
            words[f"word_{mode}"] = matches[0]
            remaining = [option for option in remaining if option != matches[0]]
    return words


def _offer_entities(name: str, typed: Typed, lookup: Lookup | None) -> list[tuple[str, str]] | None:
    """Return the entities for a field.

    For a mode's word, the options of the entity chosen for the mode.
    """
    if lookup is None or lookup.fault or name == "power_unit":
        return None
    offered: list[tuple[str, str]] = []
    if name == "soc_place":
        sensors = offer_sensors("battery_soc", lookup.sensors)
        offered = [(sensor.entity, f"{sensor.name} ({sensor.unit})") for sensor in sensors]
    elif name.startswith("word_"):
        for command in lookup.commands:
            if command.entity == typed.get("mode_place"):
                offered += [(option, option) for option in command.options]
    else:
        for command in offer_commands(name, lookup.commands):
            label = f"{command.name} ({command.unit})" if command.unit else command.name
            offered.append((command.entity, label))
    return _with_chosen(offered, typed.get(name, ""))


def _with_chosen(offered: list[tuple[str, str]], chosen: str) -> list[tuple[str, str]]:
    """Return the choices; one that was made before and is not offered any more comes first."""
    if not chosen or chosen in dict(offered):
        return offered
    return [(chosen, chosen), *offered]


def _offer_profiles(name: str, typed: Typed, _: Lookup | None) -> list[tuple[str, str]] | None:
    """Return the profiles of battery inverters.

    The owner's own profile is added if it was chosen.
    """
    if name != "profile_place":
        return None
    offered = []
    for profile in list_profiles():
        if profile.kind == "battery_inverter" and profile.is_commanded:
            offered.append((profile.profile, profile.title))
    return _with_chosen(offered, typed.get(name, ""))


def _propose_profile(_battery: str, _lookup: Lookup | None) -> dict[str, str]:
    return {"profile_place": "sunspec_12x", "host_place": "inverter.local"}


METHODS: Mapping[str, ControlMethod] = {
    method.by: method
    for method in (
        ControlMethod(
            "home_assistant",
            HOME_ASSISTANT,
            ask_home_assistant,
            (
                Entry("soc_place", "text"),
                Entry("mode_place", "text"),
                *_WORDS,
                Entry("power_place", "text", required=False),
                _UNIT,
                Entry("target_place", "text", required=False),
            ),
            propose=_propose_entities,
            offer=_offer_entities,
        ),
        ControlMethod(
            "mqtt",
            BROKER,
            _ask_broker,
            (
                Entry("soc_place", "text"),
                Entry("mode_place", "text"),
                Entry("mode_state", "text"),
                *_WORDS,
                Entry("power_place", "text", required=False),
                Entry("power_state", "text", required=False),
                _UNIT,
            ),
            proposes_unasked=True,
            propose=_propose_topics,
        ),
        ControlMethod(
            "profile",
            asks=(
                Entry("profile_place", "text"),
                Entry("host_place", "text"),
                Entry("port_number", least=1, most=65_535, required=False),
                Entry("unit_number", most=255, required=False),
                Entry("prefix_text", "text", required=False),
                Entry("secret_text", "text", required=False),
            ),
            proposes_unasked=True,
            propose=_propose_profile,
            offer=_offer_profiles,
        ),
        ControlMethod("advice"),
    )
}
