"""Keep the parts of a stored section ``control`` that set-up does not ask for. Pure."""

from collections.abc import Mapping
from typing import Any

from luna.energy.devices.commands import DeviceControl
from luna.energy.site import Site
from luna.energy.site.control import Control, ControlledBy
from services.api.pages.setup.device_control import CONTROL_FORMS, SERVED
from services.api.pages.setup.devices import DEVICE_FORMS

_LISTS = ("batteries", *CONTROL_FORMS)


def find_unasked_server(site: Site) -> ControlledBy | None:
    """Return the server of the devices that set-up does not ask for; None: they need none."""
    control = site.control
    if control is None or control.by not in SERVED:
        return None
    has_writes = any(entry.via is None for entry in _list_unasked(site))
    return control.by if has_writes else None


def keep_unasked(section: Mapping[str, Any] | None, site: Site) -> dict[str, Any] | None:
    """Return a section ``control`` of set-up with the stored parts that it does not ask for.

    These are the devices that it does not ask for, the proxy ports, and whether cars are woken. A
    device keeps its port as long as its address stays.
    """
    stored = site.control
    unasked = [] if stored is None else _list_unasked(site)
    if section is None and not unasked:
        return None
    document = dict(section or {"by": "advice"})
    if stored is not None:
        if unasked and document["by"] not in SERVED:
            document["by"] = find_unasked_server(site) or "profile"
        for name in _LISTS:
            document[name] = _merge_entries(document.get(name, ()), stored, name, unasked)
        document["pv"] = None if stored.pv is None else stored.pv.model_dump(mode="json")
    return Control.model_validate(document).model_dump(mode="json", by_alias=True)


def _list_unasked(site: Site) -> list[DeviceControl]:
    """Return the stored entries of devices that set-up does not ask for."""
    control = site.control
    if control is None:
        return []
    unasked: list[DeviceControl] = list(control.section("pv"))
    for section in CONTROL_FORMS:
        form = DEVICE_FORMS[section]
        covered = {device.name for device in getattr(site, section) if form.asks_for(device)}
        unasked += [entry for entry in control.section(section) if entry.device not in covered]
    return unasked


def _merge_entries(
    entries: Any, stored: Control, section: str, unasked: list[DeviceControl]
) -> list[dict[str, Any]]:
    """Return a section's entries with what is kept, in the stored order; new ones come last."""
    composed = Control.model_validate({"by": "dry_run", section: entries}) if entries else None
    by_device = {}
    if composed is not None:
        by_device = {entry.device: entry for entry in composed.section(section)}
    merged = []
    for before in stored.section(section):
        if before in unasked:
            merged.append(_dump(before))
        elif before.device in by_device:
            merged.append(_keep_fields(_dump(by_device.pop(before.device)), before))
    return [*merged, *(_dump(entry) for entry in by_device.values())]


def _keep_fields(entry: dict[str, Any], before: DeviceControl) -> dict[str, Any]:
    """Return an entry with the stored fields that set-up does not ask for."""
    kept = dict(entry)
    stored = _dump(before)
    if "wakes" in stored:
        kept["wakes"] = stored["wakes"]
    via = entry["via"]
    if via and before.via and (via["host"], via["port"]) == (before.via.host, before.via.port):
        kept["via"] = via | {"proxy": stored["via"]["proxy"]}
    return kept


def _dump(entry: Any) -> dict[str, Any]:
    return dict(entry.model_dump(mode="json", by_alias=True))
