"""Devices that were found in the home's network, taken into what is set up: how a battery is told, what is read. Pure."""

from collections.abc import Mapping
from typing import Any

from luna.contracts.device_search import NetworkDevice
from services.api.pages.setup.composition import TAKEN, battery_names
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import MOST_DEVICES, write_numbers

# Where a battery's inverter is, as it is typed.
_PLACE = {"host_place": "host", "port_number": "port", "unit_number": "unit", "prefix_text": "prefix", "secret_text": "secret"}


def is_taken(answers: Mapping[str, Any], device: NetworkDevice) -> bool:
    """Return whether a device is among the answers already."""
    return any(_is_same(each, device) for each in answers.get(TAKEN, []))


def take_device(answers: Mapping[str, Any], device: NetworkDevice) -> dict[str, Any]:
    """Return the answers with a found device: an inverter tells the next battery, and what it reads is measured."""
    if is_taken(answers, device):
        return dict(answers)
    taken = answers.get(TAKEN, [])
    document = device.model_dump(mode="json", include={"host", "port", "unit", "prefix", "secret", "profile", "kind", "reads"})
    after = {**answers, TAKEN: [*taken, document]}
    place = sum(each["kind"] == "battery_inverter" for each in taken)
    return after if device.kind == "meter" or place >= MOST_DEVICES else _tell_battery(after, device, place)


def leave_device(answers: Mapping[str, Any], device: NetworkDevice) -> dict[str, Any]:
    """Return the answers without a device that was taken."""
    after = {**answers, TAKEN: [each for each in answers.get(TAKEN, []) if not _is_same(each, device)]}
    control = answers.get("control") or {}
    place = _write_place(device)
    told = {name: typed for name, typed in control.get("profile", {}).items() if {field: typed.get(field, "") for field in _PLACE} != place}
    return after if control.get("by") != "profile" else after | {"control": {**control, "profile": told} if told else {"by": "advice"}}


def _tell_battery(answers: dict[str, Any], device: NetworkDevice, place: int) -> dict[str, Any]:
    batteries = [dict(each) for each in answers.get("batteries", [])]
    if place == len(batteries):
        batteries.append(DEVICE_FORMS["batteries"].begin())
    limits = [limit for limit in (device.charge_limit_kw, device.discharge_limit_kw) if limit is not None]
    if limits and not batteries[place].get("power_kw"):
        batteries[place] |= write_numbers(power_kw=min(limits))
    if device.capacity_kwh is not None and not batteries[place].get("capacity_kwh"):
        batteries[place] |= write_numbers(capacity_kwh=device.capacity_kwh)
    answers = answers | {"batteries": batteries}
    typed = {"profile_place": device.profile, **_write_place(device)}
    control = answers.get("control") or {}
    told = control.get("profile", {}) | {battery_names(answers)[place]: typed}
    return answers | {"control": {**control, "by": "profile", "profile": told}}


def _is_same(taken: Mapping[str, Any], device: NetworkDevice) -> bool:
    return all(taken[part] == getattr(device, part) for part in ("host", "port", "unit", "prefix", "profile"))


def _write_place(device: NetworkDevice) -> dict[str, str]:
    return {field: "" if (value := getattr(device, part)) is None else str(value) for field, part in _PLACE.items()}
