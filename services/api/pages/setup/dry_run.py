"""What would be sent to a site's batteries, as it would be sent: in each mode that they know, and in the next quarter-hours of the plan. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from luna.contracts.battery_setpoints import to_supported_modes
from luna.contracts.control import BatterySetpoint
from luna.contracts.device_template import Write, render, service_call
from luna.contracts.plan import PlanReply
from luna.energy.devices import Battery, Mode
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.platform.drivers.profile import DeviceProfile
from luna.platform.drivers.written import describe_writes
from luna.words import MODES

# Two hours of quarter-hours.
MOST_SLOTS = 8


class SentLine(NamedTuple):
    """What is sent at once: when the slot begins, None for a mode in general; the mode, and each value with where it goes."""

    start: datetime | None
    battery: str
    mode: Mode
    writes: tuple[tuple[str, str], ...]


def list_sent_by_mode(site: Site, control: Control, profiles: Mapping[str, DeviceProfile]) -> list[SentLine]:
    """Return what each mode would send to a battery that is half full, at its greatest power; ``profiles``: of those that Luna speaks to itself, by name."""
    batteries = {battery.name: battery for battery in site.batteries}
    lines: list[SentLine] = []
    for target in control.batteries:
        if target.battery in batteries:
            battery = batteries[target.battery]
            powers = {"charge": battery.charge_limit_kw, "export": battery.discharge_limit_kw}
            socs = {"charge": battery.max_soc, "export": battery.min_soc}
            for mode in sorted(target.known_modes, key=MODES.index):
                setpoint = BatterySetpoint(mode=mode, power_kw=powers.get(mode), target_soc=socs.get(mode))
                sent = _say(site, control, {battery.name: setpoint}, profiles, soc={battery.name: _half_full(battery)})
                # What its owner does not let it do becomes another mode.
                lines += [line for line in sent if line.mode == mode]
    return lines


def list_sent_next(site: Site, control: Control, plan: PlanReply, profiles: Mapping[str, DeviceProfile], *, now: datetime) -> list[SentLine]:
    """Return what the quarter-hours of a plan that come next would send, batteries being as full as it expects."""
    names = {each.battery for each in control.batteries}
    step = timedelta(minutes=plan.slot_minutes)
    lines: list[SentLine] = []
    for place, slot in enumerate(plan.slots):
        if slot.start + step <= now:
            continue
        before = plan.slots[place - 1].batteries if place else {}
        soc = {battery.name: before[battery.name].soc_end if battery.name in before else _half_full(battery) for battery in site.batteries}
        setpoints = {name: series.at(place) for name, series in plan.setpoints.items() if name in names}
        lines += _say(site, control, setpoints, profiles, soc=soc, start=slot.start)
        if len(lines) >= MOST_SLOTS * len(names):
            break
    return lines


def _say(
    site: Site,
    control: Control,
    setpoints: Mapping[str, BatterySetpoint],
    profiles: Mapping[str, DeviceProfile],
    *,
    soc: Mapping[str, float],
    start: datetime | None = None,
) -> Iterator[SentLine]:
    say = _SAY.get(control.by, _say_topic)
    for name, safe in to_supported_modes(site, setpoints, soc, control=control).items():
        via = control.vias.get(name)
        writes = [say(write) for write in render(control, {name: safe})] if via is None else describe_writes(profiles[via.profile], via, safe)
        yield SentLine(start, name, safe.mode, tuple(writes))


def _half_full(battery: Battery) -> float:
    return (battery.min_soc + battery.max_soc) / 2


def _say_topic(write: Write) -> tuple[str, str]:
    return write.to, write.value


def _say_service(write: Write) -> tuple[str, str]:
    service, data = service_call(write)
    return f"{service} {write.to}", next(iter(data.values()), "")


# How a write reads; where nothing else is said as topic and payload.
_SAY: Mapping[str, Callable[[Write], tuple[str, str]]] = {"home_assistant": _say_service}
