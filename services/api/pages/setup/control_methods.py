"""Control methods for batteries in set-up (Home Assistant, MQTT, device profiles …): one
declaration each, with server, fields and proposals.

Each method produces the site's section ``control``; a new method is a new ``ControlMethod``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from luna.energy.devices.battery import BatteryControl, Mode
from luna.energy.devices.commands import Via
from luna.energy.errors import InvalidInputError
from luna.energy.site.control import Control, ControlledBy
from luna.platform.addresses import HomeAssistantAccess, parse_broker
from luna.platform.drivers.profiles import list_profiles
from luna.platform.mqtt import BrokerError, BrokerLink
from luna.platform.settings import Settings
from services.api.pages.setup.fields import Entry, FieldFault, check_entries
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
Typed = Mapping[str, str]


class ServerAnswer(NamedTuple):
    """The result of querying a server: a phrase of the page with its figures, and the entities of a
    Home Assistant (``lookup``).
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
        described = [name for name in batteries if any(typed.get(name, {}).values())] or list(
            batteries[:1]
        )
        sections = []
        faults = []
        for name in described:
            values, wrong = check_entries(
                self.asks, typed.get(name, {}), prefix=f"{self.by}-{batteries.index(name)}-"
            )
            faults += wrong
            if not wrong:
                sections.append(_describe_battery(name, values))
        return ({"by": self.by, "batteries": sections} if sections else None), faults

    def fill(
        self, batteries: Sequence[str], typed: Mapping[str, Typed], lookup: Lookup | None
    ) -> dict[str, dict[str, str]]:
        """Return the texts of each battery's fields: as typed, else proposed from entities that no
        other battery uses.
        """
        # Fields shown empty, as while Home Assistant was away, do not count as answered.
        answered = {
            name: dict(fields)
            for name, fields in typed.items()
            if any(text for field, text in fields.items() if field.endswith("_place"))
        }
        for name in batteries:
            if name not in answered:
                taken = {text for fields in answered.values() for text in fields.values()}
                answered[name] = self.propose(name, lookup and lookup.without(taken))
        return {name: answered[name] for name in batteries}


# Fields of the form by part of a direct connection.
_VIA_FIELDS = {
    "profile": "profile_place",
    "host": "host_place",
    "port": "port_number",
    "unit": "unit_number",
    "prefix": "prefix_text",
    "secret": "secret_text",
}


def read_vias(answers: Mapping[str, Any]) -> dict[str, Via | None]:
    """Return the connection of each battery that Luna controls directly.

    None where the typed address is incomplete.
    """
    vias: dict[str, Via | None] = {}
    for name, typed in answers.get("profile", {}).items() if answers.get("by") == "profile" else ():
        vias[name] = None
        with suppress(ValidationError):
            vias[name] = Via.model_validate(_describe_via(typed))
    return vias


def _describe_via(typed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        part: typed[field]
        for part, field in _VIA_FIELDS.items()
        if typed.get(field) not in {None, ""}
    }


def answer_control(control: Control) -> dict[str, Any]:
    """Return the typed form of a section ``control``, as far as the fields can express it."""
    return {
        "by": control.by,
        control.by: {each.battery: _answer_battery(each) for each in control.batteries},
    }


def _describe_battery(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    if "profile_place" in values:
        return {"battery": name, "via": _describe_via(values)}
    modes = {mode: values[f"word_{mode}"] for mode in NAMED_MODES if f"word_{mode}" in values}
    powered = [mode for mode in _POWERED if mode in modes]
    writes = [
        {"to": values[place], "value": value, "when": powered}
        | ({"read_back": values[state]} if state in values else {})
        for place, value, state in (
            ("power_place", _POWER[values.get("power_unit", "W")], "power_state"),
            ("target_place", "{target_percent}", ""),
        )
        if place in values and powered
    ]
    mode = {"to": values["mode_place"], "value": "{mode}"} | (
        {"read_back": values["mode_state"]} if "mode_state" in values else {}
    )
    # Write the mode last, when power and target are already set.
    return {"battery": name, "soc": values["soc_place"], "modes": modes, "writes": [*writes, mode]}


def _answer_battery(control: BatteryControl) -> dict[str, str]:
    if (via := control.via) is not None:
        return {
            field: str(value)
            for part, field in _VIA_FIELDS.items()
            if (value := getattr(via, part)) is not None
        }
    typed = {"soc_place": control.soc or ""} | {
        f"word_{mode}": word for mode, word in control.modes.items() if mode in NAMED_MODES
    }
    places = {
        "{power_w}": ("power_place", "power_state"),
        "{power_kw}": ("power_place", "power_state"),
        "{target_percent}": ("target_place", ""),
    }
    units = {value: unit for unit, value in _POWER.items()}
    for write in control.writes:
        place, state = places.get(write.value, ("mode_place", "mode_state"))
        typed |= {place: write.to} | ({state: write.read_back} if state and write.read_back else {})
        typed |= {"power_unit": units[write.value]} if write.value in units else {}
    return typed


def ask_home_assistant(settings: Settings) -> ServerAnswer:
    """Query the configured Home Assistant for its entities."""
    lookup = look_up(HomeAssistantAccess.of(settings))
    if lookup.fault:
        return ServerAnswer(
            good=False,
            phrase=f"ha_{lookup.fault}",
            figures={"detail": lookup.detail},
            lookup=lookup,
        )
    return ServerAnswer(
        good=True,
        phrase="ha_found",
        figures={"version": lookup.version, "count": len(lookup.sensors)},
        lookup=lookup,
    )


def _ask_broker(settings: Settings) -> ServerAnswer:
    """Test the connection to the MQTT broker, from the gateway itself so that the password crosses
    no queue.
    """
    try:
        link = BrokerLink(
            parse_broker(settings.mqtt_url or "", settings.mqtt_password),
            (),
            lambda _: None,
            patience_s=BROKER_PATIENCE_SECONDS,
        )
    except InvalidInputError:
        # An operator's setting may be no valid address.
        return ServerAnswer(good=False, phrase="broker_away")
    try:
        link.open()
    except BrokerError as error:
        return ServerAnswer(
            good=False, phrase="broker_refused" if error.fault == "refused" else "broker_away"
        )
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
    topics = {
        "soc_place": "soc",
        "mode_place": "mode/set",
        "mode_state": "mode",
        "power_place": "power/set",
        "power_state": "power",
    }
    return (
        {name: f"{base}/{topic}" for name, topic in topics.items()}
        | {f"word_{mode}": mode for mode in NAMED_MODES}
        | {"power_unit": "W"}
    )


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
    lookup = lookup.nearest(mode.entity) if mode else lookup
    power, target = (
        guess_command(place, lookup.commands) for place in ("power_place", "target_place")
    )
    chosen = {
        "soc_place": guess_sensor("battery_soc", lookup),
        "mode_place": mode.entity if mode else "",
    }
    chosen |= {"power_place": power.entity, "power_unit": power.unit} if power else {}
    chosen |= {"target_place": target.entity} if target else {}
    return chosen | guess_words(mode.options if mode else ())


def guess_words(options: Sequence[str]) -> dict[str, str]:
    """Match an inverter's options to modes by name; an option matches at most one mode."""
    words: dict[str, str] = {}
    for mode, sound in _SOUNDS_LIKE.items():
        word = next(
            (
                option
                for option in options
                if re.search(sound, option.casefold()) and option not in words.values()
            ),
            None,
        )
        if word is not None:
            words[f"word_{mode}"] = word
    return words


def _offer_entities(name: str, typed: Typed, lookup: Lookup | None) -> list[tuple[str, str]] | None:
    """Return the entities for a field.

    For a mode's word, the options of the entity chosen for the mode.
    """
    if lookup is None or lookup.fault or name == "power_unit":
        return None
    if name == "soc_place":
        offered = [
            (each.entity, f"{each.name} ({each.unit})")
            for each in offer_sensors("battery_soc", lookup.sensors)
        ]
    elif name.startswith("word_"):
        offered = [
            (option, option)
            for each in lookup.commands
            if each.entity == typed.get("mode_place")
            for option in each.options
        ]
    else:
        offered = [
            (each.entity, f"{each.name} ({each.unit})" if each.unit else each.name)
            for each in offer_commands(name, lookup.commands)
        ]
    chosen = typed.get(name, "")
    return offered if not chosen or chosen in dict(offered) else [(chosen, chosen), *offered]


def _offer_profiles(name: str, typed: Typed, _: Lookup | None) -> list[tuple[str, str]] | None:
    """Return the profiles of battery inverters.

    The owner's own profile is added if it was chosen.
    """
    if name != "profile_place":
        return None
    offered = [
        (each.profile, each.title) for each in list_profiles() if each.kind == "battery_inverter"
    ]
    chosen = typed.get(name, "")
    return offered if not chosen or chosen in dict(offered) else [(chosen, chosen), *offered]


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
            propose=lambda _name, _lookup: {
                "profile_place": "sunspec_12x",
                "host_place": "inverter.local",
            },
            offer=_offer_profiles,
        ),
        ControlMethod("advice"),
    )
}
