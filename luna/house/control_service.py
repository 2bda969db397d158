"""An owner's commands to a site's devices, validated and stored.

Shared by terminal, gateway and Home Assistant.

The executor decides what devices are sent, through the safety layer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import ValidationError
from sqlalchemy import Connection

from luna.contracts.control import ControlPause, ControlState, Override
from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_trial import own_command
from luna.drivers.profile import DeviceProfile, ProfileKind
from luna.drivers.trial import TrialBounds, bound_by, bound_unknown, is_same_host
from luna.energy.devices import find_commands
from luna.energy.devices.battery import BATTERIES
from luna.energy.devices.commands import Via
from luna.energy.devices.pv import PvControl
from luna.energy.devices.switched import LoadControl
from luna.energy.devices.vehicle import VehicleControl
from luna.energy.refusals import refuse
from luna.energy.site import OWN_VACATION, Site, invalid_input
from luna.energy.site.control import NOT_SENT, Control
from luna.energy.timeline import SLOT, floor_to, to_instant
from luna.house.control_standing import judge_standing
from luna.house.untried_devices import find_untried
from luna.platform.database import control, executor_locks, readings, sites
from luna.words import read_mode

# A value holds for a slot if it was set before the slot begins.
_BEFORE = timedelta(seconds=1)


def modes_of(device: str) -> tuple[str, ...]:
    """Return the modes of a device by its key, see ``DeviceCommands.key``."""
    return find_commands(device).modes


def arm(
    connection: Connection, site_id: str, *, now: datetime, by: str, data_folder: Path
) -> ControlState:
    """Allow commands to a site's devices, and return the control state.

    ``data_folder`` holds the owner's profiles.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the site configures no control, or control by hand.
        ConflictError: a device has to be tried first.
    """
    section = sites.load(connection, site_id).control
    if section is None:
        raise refuse("no-control", field="control", value=site_id)
    if section.by == "advice":
        raise refuse("only-advised", field="control.by", value=section.by)
    untried = find_untried(connection, section.vias_by_key, data_folder)
    for device, profile in untried.items():
        name = device.rpartition(":")[2]
        raise refuse(
            "device-untried", field="control", value=name, device=name, profile=profile.title
        )
    control.arm(connection, site_id, at=now, by=by)
    return control.load(connection, site_id)


def override(
    connection: Connection, site_id: str, device: str, fields: Mapping[str, Any], *, now: datetime
) -> ControlState:
    """Store the owner's override of a device's plan, and return the device's control state.

    Args:
        connection: to the database.
        site_id: of a stored site.
        device: by its key.
        fields: the fields of ``Override``.
        now: the override has to end later.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: a device the site does not control, a mode it does not have, a value out
            of bounds, or an end that has passed.
        ConflictError: its owner paused the device.
    """
    site = sites.load(connection, site_id)
    _require_device(site, device)
    if control.load(connection, site_id, device).paused is not None:
        raise refuse("device-paused", field="device", value=device, device=device)
    mode = str(read_mode(fields.get("mode")))
    modes = modes_of(device)
    if mode not in modes:
        raise refuse("no-such-mode", field="mode", value=mode, device=device, modes=tuple(modes))
    try:
        checked = Override.model_validate(fields)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc
    if checked.until <= now:
        raise refuse(
            "time-passed",
            field="until",
            value=checked.until.astimezone(ZoneInfo(site.timezone)).isoformat(),
        )
    before = control.load(connection, site_id, device).override
    is_repeated = before is not None and before.until > now and before.asks_same(checked)
    if before is None or not is_repeated:
        control.override(
            connection, site_id, checked.model_copy(update={"since": now}), device=device
        )
    return control.load(connection, site_id, device)


def resume(connection: Connection, site_id: str, device: str = BATTERIES) -> ControlState:
    """End an override or a pause, and return the control state.

    The device follows the plan again.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: a device that the site neither controls nor ever did.
    """
    # A device that was removed from the configuration may still have an override.
    if device in (BATTERIES, *control.list_devices(connection, site_id)):
        control.override(connection, site_id, None, device=device)
        control.pause(connection, site_id, None, device=device)
    else:
        _require_device(sites.load(connection, site_id), device)
    return control.load(connection, site_id, device)


def list_overridable_devices(site: Site) -> tuple[str, ...]:
    """Return the devices of a site that an owner may override, batteries first."""
    controlled = site.control.devices if site.control else ()
    others = [device for device in controlled if device != BATTERIES]
    return (BATTERIES, *others)


def read_states(connection: Connection, site_id: str, *, now: datetime) -> list[ControlState]:
    """Return the control states of a site's devices, the batteries first.

    With their standing, and without expired overrides.

    Raises:
        NotFoundError: no such site.
    """
    runs = executor_locks.read_executors(connection, site_id).runs
    states = []
    for device in (BATTERIES, *control.list_devices(connection, site_id)):
        state = control.load(connection, site_id, device)
        changes: dict[str, Any] = {"standing": judge_standing(state, runs=runs, now=now)}
        if state.override is not None and state.override.until <= now:
            changes["override"] = None
        states.append(state.model_copy(update=changes))
    return states


def disarm(connection: Connection, site_id: str, *, now: datetime) -> ControlState:
    """Have a site's devices handed back, and return the batteries' control state.

    This ends overrides and pauses; the state says how the batteries stand.

    Raises:
        NotFoundError: no such site.
    """
    control.disarm(connection, site_id)
    return read_states(connection, site_id, now=now)[0]


def pause(
    connection: Connection, site_id: str, device: str, *, now: datetime, by: str
) -> ControlState:
    """Have a device handed back and left alone until ``resume``, and return its control state.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: a device that the site does not control.
    """
    _require_device(sites.load(connection, site_id), device)
    if control.load(connection, site_id, device).paused is None:
        control.override(connection, site_id, None, device=device)
        control.pause(connection, site_id, ControlPause(since=now, by=by), device=device)
    return _read_state(connection, site_id, device, now=now)


def _read_state(
    connection: Connection, site_id: str, device: str, *, now: datetime
) -> ControlState:
    state = control.load(connection, site_id, device)
    runs = executor_locks.read_executors(connection, site_id).runs
    return state.model_copy(update={"standing": judge_standing(state, runs=runs, now=now)})


def switch_vacation(connection: Connection, site_id: str, *, on: bool, now: datetime) -> None:
    """Store whether the house is on vacation, from the running slot on.

    The site's own switches apply as well.

    Raises:
        NotFoundError: no such site.
    """
    key = readings.register(connection, site_id, {OWN_VACATION: None})[OWN_VACATION]
    instant = to_instant(floor_to(now, SLOT) - _BEFORE).astype("datetime64[us]")
    readings.upsert(
        connection, np.array([key], dtype=np.int32), np.array([instant]), np.array([float(on)])
    )


def is_on_vacation(connection: Connection, site_id: str, *, now: datetime) -> bool:
    """Return whether an owner set vacation, regardless of the site's own switches.

    Raises:
        NotFoundError: no such site.
    """
    if OWN_VACATION not in readings.read_units(connection, site_id):
        return False
    values = readings.read_with_previous(connection, site_id, OWN_VACATION, first=now, end=now)[1]
    return bool(values.size and values[0] > 0)


def allow_trial(connection: Connection, via: Via) -> TrialBounds:
    """Return a battery's bounds for a trial: its site's, or narrow ones without a site.

    Raises:
        ConflictError: a site is armed that commands this device, or batteries over a channel that
            may reach this device.
    """
    for name in control.list_armed(connection):
        section = sites.load_last_readable(connection, name)[0].control
        batteries = () if section is None or section.by in NOT_SENT else section.batteries
        for battery in batteries:
            if battery.via is None or is_same_host(battery.via.host, via.host):
                raise refuse("device-commanded", field="via", value=via.host, site=name)
    for site in sites.load_all(connection).sites:
        vias = {} if site.control is None else site.control.vias
        for battery_name, device_via in vias.items():
            if is_same_host(device_via.host, via.host):
                return bound_by(site, battery_name)
    return bound_unknown()


def allow_command_trial(connection: Connection, via: Via, profile: DeviceProfile) -> DeviceCommand:
    """Return the command that leaves a device to itself after a trial.

    Raises:
        ConflictError: a site is armed that commands this device, or one of its kind over a channel
            that may reach this device.
    """
    for name in control.list_armed(connection):
        section = sites.load_last_readable(connection, name)[0].control
        if section is None or section.by in NOT_SENT:
            continue
        for entry in _list_of_kind(section, profile.kind):
            if entry.via is None or is_same_host(entry.via.host, via.host):
                raise refuse("device-commanded", field="via", value=via.host, site=name)
    for site in sites.load_all(connection).sites:
        if site.control is None:
            continue
        described: list[VehicleControl | LoadControl] = [*site.control.vehicles]
        described += site.control.loads
        for entry in described:
            if entry.via is not None and is_same_host(entry.via.host, via.host):
                return own_command(profile, site, entry.device)
    return own_command(profile, None, None)


def _list_of_kind(
    section: Control, kind: ProfileKind
) -> Sequence[VehicleControl | LoadControl | PvControl]:
    """Return the entries of a section that command devices of a kind."""
    if kind == "charge_point":
        return section.vehicles
    if kind == "pv_inverter":
        return () if section.pv is None else (section.pv,)
    return section.loads


def _require_device(site: Site, device: str) -> None:
    # Without control, overrides of the batteries still affect the plan.
    controlled = (site.control.devices if site.control else ()) or (BATTERIES,)
    if device not in controlled:
        raise refuse(
            "device-not-controlled", field="device", value=device, devices=tuple(controlled)
        )
