"""Entities of a Home Assistant, proposed among the devices that are found: what measures the home, and what a battery is told through. Pure."""

from collections.abc import Mapping
from typing import Any

from services.api.pages.setup.composition import battery_names, list_taken_sensors
from services.api.pages.setup.control_methods import METHODS, guess_words
from services.api.pages.setup.data_step import SENSOR, offer_roles
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.home_assistant import Lookup, guess_sensor, roles_for

BY = "home_assistant"
# Which entities take what a battery is told; its inverter's words for its modes are read of the one for the mode.
COMMANDS = ("mode_place", "power_place", "target_place")
Offer = list[tuple[str, list[tuple[str, str]], str]]


def takes_sensors(answers: Mapping[str, Any]) -> bool:
    """Return whether sensors can be taken: a site that is changed keeps its own."""
    return "changes" not in answers


def takes_commands(answers: Mapping[str, Any]) -> bool:
    """Return whether a battery is there that Luna does not speak to itself."""
    told = (answers.get("control") or {}).get("by")
    return bool(battery_names(answers)) and told != "profile" and "control" not in answers.get("fixed", ())


def count_taken(answers: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many sensors are taken, and how many batteries are told through Home Assistant."""
    sensors = answers.get("sensors", {}) if answers.get("data", {}).get("source") == BY else {}
    control = answers.get("control") or {}
    return sum(bool(entity) for entity in sensors.values()), len(control.get(BY, {})) if control.get("by") == BY else 0


def offer_entities(answers: Mapping[str, Any], lookup: Lookup) -> tuple[Offer, dict[str, Offer]]:
    """Return what can be chosen for each role, and for each command of each battery by its name, and what stands there at first."""
    measured = list_taken_sensors(answers).keys()
    # Of kinds of devices that nobody entered, what is there all the same.
    wanted, every = roles_for(answers), roles_for({section: [BY] for section in DEVICE_FORMS}) if takes_sensors(answers) else []
    roles = [role for role in every if role not in measured and (role in wanted or guess_sensor(role, lookup))]
    proposed = METHODS[BY].fill(battery_names(answers), (answers.get("control") or {}).get(BY, {}), lookup) if takes_commands(answers) else {}
    commands = {}
    for place, (name, fields) in enumerate(proposed.items()):
        offers = [(f"{BY}-{place}-{asked}", METHODS[BY].offer(asked, fields, lookup) or [], fields.get(asked, "")) for asked in COMMANDS]
        commands[name] = [offer for offer in offers if offer[1]]
    return [offer for offer in offer_roles(answers, lookup, roles) if offer[1]], commands


def take_entities(answers: Mapping[str, Any], typed: Mapping[str, str], lookup: Lookup) -> dict[str, Any]:
    """Return the answers with the chosen entities; a kind of device that one of them measures and nobody entered is then asked for."""
    after = dict(answers)
    if takes_sensors(answers):
        chosen = {name.removeprefix(SENSOR): entity for name, entity in typed.items() if name.startswith(SENSOR)}
        after |= {"sensors": answers.get("sensors", {}) | chosen, "data": answers.get("data", {}) | {"source": BY}}
        for section, form in DEVICE_FORMS.items():
            if not answers.get(section) and any(chosen.get(role) for role in form.sensors):
                after[section] = [form.begin()]
    commands, told = {each.entity: each for each in lookup.commands}, dict[str, dict[str, str]]()
    for place, battery in enumerate(battery_names(answers) if takes_commands(answers) else ()):
        places = {asked: typed.get(f"{BY}-{place}-{asked}", "") for asked in COMMANDS}
        if (mode := commands.get(places["mode_place"])) is not None:
            soc = guess_sensor("battery_soc", lookup.without({fields["soc_place"] for fields in told.values()}).nearest(mode.entity))
            power = commands.get(places["power_place"])
            told[battery] = {"soc_place": soc, "power_unit": power.unit if power else "W"} | places | guess_words(mode.options)
    control = answers.get("control") or {}
    return after | {"control": control | {"by": BY, BY: control.get(BY, {}) | told}} if told else after
