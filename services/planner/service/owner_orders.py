"""Convert the overrides in force at a stored site into blocks and limits of a plan."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from luna.contracts.battery_setpoints import make_safe, to_arrays
from luna.contracts.control import BatterySetpoint, Override
from luna.contracts.owner import GRID, OVERRIDE_BLOCK, Action, ManualBlock
from luna.contracts.owner_constraints import contradict, find_actions, find_device
from luna.contracts.plan import OutlookMessage, StateMessage
from luna.energy.devices import find_commands
from luna.energy.devices.battery import BATTERIES, Battery
from luna.energy.devices.kind import ChargedDevice
from luna.energy.devices.pv import PV
from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline

# Less than this is no exchange.
_NOTHING_KW = 1e-4
# Actions still forbidden to a battery in a mode, once there is no more energy to move.
_AT_REST: Mapping[str, Action] = {
    "charge": "no_discharge",
    "export": "no_charge",
    "self_consumption": "hold",
}
# Modes of PV that bound its power.
_PV_OFF = "off"
_PV_LIMIT = "limit"
_PV_NO_EXPORT = "no_export"


@dataclass(frozen=True, slots=True)
class OrderedSpan:
    """The part of an override that lies within a plan."""

    override: Override
    start: datetime
    end: datetime


def list_ordered_blocks(
    site: Site,
    overrides: Mapping[str, Override],
    *,
    outlook: OutlookMessage,
    state: StateMessage,
    start: datetime,
) -> list[ManualBlock]:
    """Return the blocks that hold a site's devices to their owner's overrides.

    Args:
        site: as stored.
        overrides: by the devices' keys.
        outlook: load and PV from ``start`` on, in quarter-hours.
        state: at ``start``.
        start: of the plan.

    A mode that leaves a device to itself, such as ``own`` of a charger, fixes nothing.
    """
    end = start + len(outlook.load_kwh) * SLOT
    blocks: list[ManualBlock] = []
    for key, override in overrides.items():
        span = _find_span(override, start, end)
        if span is None:
            continue
        if key == BATTERIES:
            blocks += _order_batteries(site, span, outlook=outlook, state=state, start=start)
        elif key == PV.name:
            blocks += _order_pv(span)
        else:
            blocks += _order_device(site, key, span)
    return blocks


def give_way(blocks: Iterable[ManualBlock], orders: Sequence[ManualBlock]) -> list[ManualBlock]:
    """Return stored blocks that begin when the orders which contradict them end.

    One that is covered wholly stays, and the plan says why it is not kept.
    """
    return [_shorten(block, orders) for block in blocks]


def hold_back_pv(
    outlook: OutlookMessage, override: Override | None, *, start: datetime
) -> OutlookMessage:
    """Return the outlook with PV off, or limited, as long as an override lasts."""
    if override is None or override.mode not in (_PV_OFF, _PV_LIMIT):
        return outlook
    timeline = Timeline(start, SLOT, len(outlook.pv_kwh))
    span = _find_span(override, start, timeline.end)
    if span is None:
        return outlook
    share = timeline.overlap_hours(span.start, span.end) / timeline.hours
    limit_kw = 0.0 if override.mode == _PV_OFF else override.power_kw
    if limit_kw is None:
        return outlook
    most_kwh = limit_kw * timeline.hours

    def limit(series: FloatArray) -> FloatArray:
        return np.asarray(series * (1.0 - share) + np.minimum(series, most_kwh) * share)

    changed: dict[str, object] = {}
    for name in ("pv_kwh", "pv_p10_kwh", "pv_p90_kwh"):
        series = getattr(outlook, name)
        if series is not None:
            changed[name] = limit(np.array(series)).tolist()
    for name in ("scenarios", "errors"):
        scenarios = getattr(outlook, name)
        if scenarios is not None:
            changed[name] = scenarios.model_copy(
                update={"pv_kwh": limit(np.array(scenarios.pv_kwh))}
            )
    return outlook.model_copy(update=changed)


def _find_span(override: Override, start: datetime, end: datetime) -> OrderedSpan | None:
    begin = start if override.since is None else max(override.since, start)
    until = min(override.until, end)
    return OrderedSpan(override, begin, until) if begin < until else None


def _make_block(
    device: str, action: str, begin: datetime, end: datetime, *, power_kw: float | None = None
) -> ManualBlock:
    fields = {
        "device": device,
        "action": action,
        "from": begin,
        "to": end,
        "power_kw": power_kw,
        "block_id": OVERRIDE_BLOCK,
    }
    return ManualBlock.model_validate(fields)


def _order_device(site: Site, key: str, span: OrderedSpan) -> Iterator[ManualBlock]:
    """Yield the block of a single device.

    None for a mode that leaves it to itself, or for a device that the site has no longer.
    """
    action = find_commands(key).orders.get(span.override.mode)
    name = key.partition(":")[2]
    if action is None or action not in find_actions(site).get(name, []):
        return
    block = _make_block(name, action, span.start, span.end)
    device = find_device(block, site)
    power_kw = span.override.power_kw
    if action == "charge" and power_kw is not None and isinstance(device, ChargedDevice):
        limited_kw = min(power_kw, device.charge_limit_kw)
        block = block.model_copy(update={"power_kw": limited_kw})
    yield block


def _order_pv(span: OrderedSpan) -> Iterator[ManualBlock]:
    """Yield the block of PV that may not feed in.

    Off and limited PV changes what is expected instead (``hold_back_pv``).
    """
    if span.override.mode == _PV_NO_EXPORT:
        yield _make_block(GRID, "no_export", span.start, span.end)


def _order_batteries(
    site: Site, span: OrderedSpan, *, outlook: OutlookMessage, state: StateMessage, start: datetime
) -> Iterator[ManualBlock]:
    batteries = list(site.batteries)
    if site.control and site.control.batteries:
        controlled = {control.battery for control in site.control.batteries}
        batteries = [battery for battery in batteries if battery.name in controlled]
    action = find_commands(BATTERIES).orders.get(span.override.mode)
    if action is not None:
        for battery in batteries:
            yield _make_block(battery.name, action, span.start, span.end)
        return
    if not batteries or any(battery.name not in state.batteries for battery in batteries):
        # A state that lacks a battery is refused where the problem is posed.
        return
    alone = site.model_copy(update={"batteries": batteries})
    runs = _simulate(alone, span, outlook=outlook, state=state, start=start)
    for index in range(len(batteries)):
        yield from _merge(run[index] for run in runs)


def _simulate(
    site: Site, span: OrderedSpan, *, outlook: OutlookMessage, state: StateMessage, start: datetime
) -> list[list[ManualBlock]]:
    """Return a block per slot and battery with the power of the ordered mode.

    Load and PV are the expected ones.
    """
    order = span.override
    setpoint = BatterySetpoint.model_validate(
        {"mode": order.mode, "power_kw": order.power_kw, "target_soc": order.target_soc}
    )
    limits = SiteLimits.of(site)
    capacity_kwh = BatteryLimits.of(site.batteries).capacity_kwh
    stored_kwh = np.array(
        [[state.batteries[battery.name].soc * battery.capacity_kwh] for battery in site.batteries]
    )
    timeline = Timeline(start, SLOT, len(outlook.load_kwh))
    hours = timeline.overlap_hours(span.start, span.end)
    slots = []
    for slot in np.flatnonzero(hours > 0).tolist():
        share = hours[slot] / timeline.hours[slot]
        socs = (stored_kwh / capacity_kwh)[:, 0].tolist()
        soc = {battery.name: level for battery, level in zip(site.batteries, socs, strict=True)}
        safe = make_safe(site, {battery.name: setpoint for battery in site.batteries}, soc)
        load_kwh = np.array([outlook.load_kwh[slot] * share])
        pv_kwh = np.array([outlook.pv_kwh[slot] * share])
        actuals = SlotActuals(load_kwh, pv_kwh, float(hours[slot]))
        flows = simulate_slot(to_arrays(list(safe.values())), stored_kwh, actuals, limits=limits)
        stored_kwh = flows.stored_kwh
        begin = max(span.start, start + slot * SLOT)
        end = min(span.end, start + (slot + 1) * SLOT)
        powers_kw = ((flows.charge_kwh - flows.discharge_kwh) / hours[slot])[:, 0].tolist()
        blocks = []
        for battery, power_kw in zip(site.batteries, powers_kw, strict=True):
            blocks.append(_describe_run(battery, order.mode, power_kw, begin=begin, end=end))
        slots.append(blocks)
    return slots


def _describe_run(
    battery: Battery, mode: str, power_kw: float, *, begin: datetime, end: datetime
) -> ManualBlock:
    """Return the block of a battery that charges with ``power_kw``; negative: it discharges."""
    if power_kw > max(_NOTHING_KW, battery.min_charge_kw - _NOTHING_KW):
        charge_kw = min(round(power_kw, 6), battery.charge_limit_kw)
        return _make_block(battery.name, "charge", begin, end, power_kw=charge_kw)
    if power_kw < -_NOTHING_KW:
        discharge_kw = min(round(-power_kw, 6), battery.discharge_limit_kw)
        return _make_block(battery.name, "discharge", begin, end, power_kw=discharge_kw)
    return _make_block(battery.name, _AT_REST[mode], begin, end)


def _merge(blocks: Iterable[ManualBlock]) -> list[ManualBlock]:
    """Return consecutive blocks that ask for the same as one."""
    merged: list[ManualBlock] = []
    for block in blocks:
        if merged and _continues(merged[-1], block):
            merged[-1] = merged[-1].model_copy(update={"to": block.to})
        else:
            merged.append(block)
    return merged


def _continues(last: ManualBlock, block: ManualBlock) -> bool:
    asks_same = (last.action, last.power_kw) == (block.action, block.power_kw)
    return last.to == block.from_ and asks_same


def _shorten(block: ManualBlock, orders: Sequence[ManualBlock]) -> ManualBlock:
    against = [order for order in orders if contradict(order, block)]
    if not against:
        return block
    end = max(order.to for order in against)
    return block.model_copy(update={"from_": end}) if end < block.to else block
