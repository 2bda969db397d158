"""Read back what the devices of a unit do, and count changes by other controllers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from luna.contracts.control import (
    BatterySetpoint,
    ControlState,
    Decision,
    DeviceConflict,
    DeviceReport,
    Setpoint,
)
from luna.contracts.device_template import WATTS, Write, matches, read_description
from luna.drivers.control.device import NOT_FOLLOWED, DeviceError
from luna.drivers.control.profile_texts import OTHER, RESET
from luna.energy.devices.battery import BATTERIES, Mode
from luna.energy.devices.commands import DeviceWrite
from luna.energy.site.control import Control
from luna.house.control_standing import CONFLICT_WITHIN
from services.executor.target import ControlTarget

# A device that restarts returns to its own mode once; one that is reset by somebody does so again
# soon.
RESET_AGAIN_WITHIN = timedelta(hours=1)
# The deviation of a power by rounding and a device's own limit.
_SAME_KW = 0.1
_SAME_SHARE = 0.1
# Modes of batteries with a power.
_POWERED_MODES = frozenset({"charge", "export"})
_OWN_MODES = frozenset({"self_consumption", "own", "free"})

log = structlog.get_logger("luna.executor")


@dataclass(frozen=True, slots=True)
class UnitReading:
    """Values by place, and the names of the devices that did not answer."""

    values: Mapping[str, str]
    silent: frozenset[str] = frozenset()


class FoundMode(NamedTuple):
    """A mode that was read, with its power.

    ``commanded``: it is the command. ``by_itself``: the device may have gone there by itself.
    """

    mode: str | None
    power_kw: float | None = None
    commanded: bool = False
    by_itself: bool = False


def read_unit(target: ControlTarget, decision: Decision) -> UnitReading:
    """Read the values that a decision's set-points are compared with.

    A device that does not answer hides no other.
    """
    values: dict[str, str] = {}
    silent = set()
    for name, setpoint in decision.allowed.items():
        places = list_places(target.unit.render({name: setpoint}))
        if not places:
            continue
        try:
            device_values = target.device.read(places)
        except DeviceError as error:
            log.warning("what holds cannot be read", device=name, error=str(error))
            device_values = {}
        values |= device_values
        if not device_values:
            silent.add(name)
    return UnitReading(values, frozenset(silent))


def list_places(writes: Iterable[Write]) -> list[str]:
    """Return where writes are read back."""
    return [write.read_back for write in writes if write.read_back is not None]


def compose_reports(
    state: ControlState,
    target: ControlTarget,
    decision: Decision,
    reading: UnitReading,
    *,
    now: datetime,
) -> dict[str, DeviceReport]:
    """Return the reports of a decision's devices by a reading.

    Devices of earlier decisions keep their reports.
    """
    reports = dict(state.reports)
    for name, setpoint in decision.allowed.items():
        before = state.reports.get(name, DeviceReport())
        if name in reading.silent:
            reports[name] = before.model_copy(update={"silent_since": before.silent_since or now})
        else:
            places = list_places(target.unit.render({name: setpoint}))
            found = _find(target, name, setpoint, reading.values)
            reports[name] = _report(before, found, read_at=now if places else None, now=now)
    return reports


def count_conflicts(
    state: ControlState, reports: Mapping[str, DeviceReport], decision: Decision, *, now: datetime
) -> dict[str, DeviceReport]:
    """Return the reports of batteries with the changes by other controllers.

    A change counts if it happened since the last confirmation, without a command of Luna in
    between. Other devices change by themselves: a car is full, a boiler hot. A battery that goes
    back to its own mode may have restarted, and one in no readable mode may have been read amid
    garbage: only the second time within an hour counts, and none if the battery falls back by
    itself.
    """
    counted = dict(reports)
    if state.device != BATTERIES:
        return counted
    for name, report in reports.items():
        before = state.reports.get(name)
        setpoint = decision.allowed.get(name)
        if before is None or setpoint is None or not before.commanded:
            continue
        is_other = not report.commanded and report.silent_since is None and report.read_at == now
        if not is_other or _is_same(report, setpoint):
            continue
        is_reset = _may_be_reset(report.mode)
        is_repeated = before.reset_at is not None and now - before.reset_at <= RESET_AGAIN_WITHIN
        if is_reset and (report.reset_at != now or not is_repeated):
            continue
        counted[name] = report.model_copy(update={"conflict": _count(before.conflict, report, now)})
    return counted


def _may_be_reset(mode: str | None) -> bool:
    return mode is None or mode in _OWN_MODES


def _find(
    target: ControlTarget, name: str, setpoint: Setpoint, values: Mapping[str, str]
) -> FoundMode:
    """Return the confirmed set-point of a device, or the mode it reports instead."""
    writes = target.unit.render({name: setpoint})
    places = list_places(writes)
    # A device that does not follow its command holds it in its registers all the same.
    is_not_followed = any(values.get(place) == NOT_FOLLOWED for place in places)
    if is_not_followed or matches(writes, values):
        return FoundMode(setpoint.mode, find_power_kw(setpoint), commanded=True)
    return find_mode(target.control, name, places, values)


def _report(
    before: DeviceReport, found: FoundMode, *, read_at: datetime | None, now: datetime
) -> DeviceReport:
    is_same_mode = found.mode is not None and found.mode == before.mode
    is_same = is_same_mode and _is_near(found.power_kw, before.power_kw)
    # After a command that did not arrive, a device still follows Luna's earlier command.
    is_commanded = found.commanded or (is_same and before.commanded)
    is_reset = not is_commanded and _may_be_reset(found.mode) and not found.by_itself
    changes = {
        "mode": found.mode,
        "power_kw": found.power_kw,
        "commanded": is_commanded,
        "read_at": read_at,
        "since": before.since if is_same and before.since is not None else now,
        "silent_since": None,
        "reset_at": now if is_reset else before.reset_at,
    }
    return before.model_copy(update=changes)


def find_mode(
    control: Control, name: str, places: Iterable[str], values: Mapping[str, str]
) -> FoundMode:
    """Return the mode that a device reports, none for unknown words."""
    texts = [values[place] for place in places if place in values]
    for text in texts:
        kind, _, description = text.partition(": ")
        if kind not in {OTHER, RESET}:
            continue
        by_itself = kind == RESET
        if not description:
            return FoundMode(None, by_itself=by_itself)
        setpoint = read_description(description)
        return FoundMode(setpoint.mode, setpoint.power_kw, by_itself=by_itself)
    for battery in control.batteries:
        if battery.battery == name and battery.via is None:
            return _find_named_mode(battery.writes, dict(battery.modes), values)
    return FoundMode(None)


def _find_named_mode(
    writes: Iterable[DeviceWrite], modes: Mapping[Mode, str], values: Mapping[str, str]
) -> FoundMode:
    """Return the mode whose word a home automation reports.

    The device may have gone to its own mode by itself.
    """
    found = None
    power_kw = None
    for write in writes:
        reported = values.get(write.read_back or write.to)
        if reported is None:
            continue
        if write.value == "{mode}":
            words = {word.casefold(): mode for mode, word in reversed(list(modes.items()))}
            found = words.get(reported.strip().casefold())
        if write.value in {"{power_kw}", "{power_w}"}:
            power_kw = _read_kw(reported, in_watts=write.value == "{power_w}")
    has_power = found in _POWERED_MODES
    return FoundMode(found, power_kw if has_power else None, by_itself=found in _OWN_MODES)


def _read_kw(text: str, *, in_watts: bool) -> float | None:
    try:
        return float(text) / (WATTS if in_watts else 1)
    except ValueError:
        return None


def find_power_kw(setpoint: Setpoint) -> float | None:
    """Return the power of a battery's set-point, None where its mode has none."""
    if not isinstance(setpoint, BatterySetpoint) or setpoint.mode not in _POWERED_MODES:
        return None
    return setpoint.power_kw


def _is_same(report: DeviceReport, setpoint: Setpoint) -> bool:
    return report.mode == setpoint.mode and _is_near(report.power_kw, find_power_kw(setpoint))


def _is_near(one_kw: float | None, other_kw: float | None) -> bool:
    if one_kw is None or other_kw is None:
        return True
    return abs(one_kw - other_kw) <= max(_SAME_KW, _SAME_SHARE * abs(other_kw))


def _count(before: DeviceConflict | None, report: DeviceReport, now: datetime) -> DeviceConflict:
    count = 1
    first_at = now
    if before is not None and timedelta(0) <= now - before.last_at < CONFLICT_WITHIN:
        count = before.count + 1
        first_at = before.first_at
    return DeviceConflict(
        count=count, first_at=first_at, last_at=now, mode=report.mode, power_kw=report.power_kw
    )
