"""Merge what a step's form brought into the answers of a draft. Pure."""

from collections.abc import Mapping
from typing import Any

from services.api.pages.setup import control_step, data_step
from services.api.pages.setup.composition import country_of, is_southern
from services.api.pages.setup.device_control import CONTROL_FORMS
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import MOST_DEVICES
from services.api.pages.setup.fields import GRID, HOUSEHOLD, SITE, TARIFF
from services.api.pages.setup.postcode import follow_postcode


def merge_step(answers: dict[str, Any], step: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers with those of one step replaced."""
    if step == "site":
        site = {entry.name: typed.get(entry.name, "") for entry in SITE}
        household = {entry.name: typed.get(entry.name, "") for entry in HOUSEHOLD}
        merged = answers | {"site": site, "household": household}
        southern = is_southern(merged)
        return _cross_equator(merged, southern) if southern != is_southern(answers) else merged
    if step == "devices":
        devices = {section: form.gather(typed) for section, form in DEVICE_FORMS.items()}
        grid = {entry.name: typed.get(entry.name, "") for entry in GRID}
        return answers | devices | {"grid": grid}
    if step == "tariff":
        return answers | {"tariff": _merge_tariff(answers, typed)}
    if step == "data":
        return data_step.merge_data(answers, typed)
    if step == "control":
        return control_step.merge_control(answers, typed)
    return answers


def _merge_tariff(answers: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, str]:
    names = {entry.name for entry in TARIFF}
    tariff = {name: text for name, text in typed.items() if name in names}
    country = country_of(answers)
    return follow_postcode(answers.get("tariff", {}), tariff, country.code if country else "")


def _cross_equator(answers: Mapping[str, Any], southern: bool) -> dict[str, Any]:
    """Return the answers with devices whose defaults are those of the home's new side."""
    crossed = dict(answers)
    for section, form in DEVICE_FORMS.items():
        devices = answers.get(section, [])
        crossed[section] = [form.cross_equator(device, southern=southern) for device in devices]
    return crossed


def change_devices(answers: dict[str, Any], button: str) -> None:
    """Add or remove a device by a button named ``add-<kind>`` or ``remove-<kind>-<place>``."""
    verb, kind, *place = button.split("-")
    if kind not in DEVICE_FORMS:
        return
    devices = answers[kind]
    if verb == "add" and len(devices) < MOST_DEVICES:
        answers[kind] = [*devices, DEVICE_FORMS[kind].begin(southern=is_southern(answers))]
    elif verb == "remove" and place and place[0].isdigit():
        is_controlled = kind == "batteries" or kind in CONTROL_FORMS
        if is_controlled and not all(device.get("name") for device in devices):
            # New devices are named by their order: removing one would give its control to another.
            answers.pop("control", None)
        removed = int(place[0])
        answers[kind] = [device for index, device in enumerate(devices) if index != removed]
