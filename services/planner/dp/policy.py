"""From the value of stored energy to the modes and thresholds that a battery follows."""

from dataclasses import fields, replace
from itertools import starmap
from operator import attrgetter

import numpy as np

from luna.energy.devices import Battery
from luna.energy.economics import BreakEven
from luna.energy.physics import CHARGE, EXPORT, HOLD, SAVE, SELF_CONSUMPTION, SERVES, STORES, SUPPLY, BoolArray, IntArray, Mode, SetPoint
from luna.energy.policy import HIGHEST_SOC, LITTLE_SOC, LOWEST_SOC, SAME_SOC, BatteryPolicy, SocThresholds
from luna.energy.timeline import FloatArray, bound
from services.planner.dp import kernels
from services.planner.dp.plan import BatteryValue
from services.planner.dp.segments import FIRST_OUT, KINDS, SECOND_OUT, Segments
from services.planner.dp.value import Thresholds
from services.planner.problem.owner_constraints import Manual
from services.planner.problem.problem import Margin

_read_levels = attrgetter(*SocThresholds.__slots__)
# Stored energies this close are the same.
_SAME_KWH = 1e-7


def read_modes(
    thresholds: Thresholds, stored_kwh: FloatArray, battery: Battery, *, curtailment: IntArray, pv_limit_kw: FloatArray | float = np.inf
) -> SetPoint:
    """Return what one battery follows when a slot begins with ``stored_kwh``.

    Between the thresholds, a full battery counts as storing and an empty one as serving: the mode then follows the house instead of
    flickering with the last watt-hour.

    Args:
        thresholds: of the same slots, kWh above the reserve.
        stored_kwh: at the start of each slot, kWh above the reserve, shape ``(slots,)``.
        battery: of the site.
        curtailment: how PV is held back, shape ``(slots,)``.
        pv_limit_kw: what PV may produce, where a plan lets the battery displace it.
    """
    usable_kwh = (battery.max_soc - battery.min_soc) * battery.capacity_kwh
    stores = (stored_kwh < thresholds.store_kwh - _SAME_KWH) | (thresholds.store_kwh >= usable_kwh - _SAME_KWH)
    serves = (stored_kwh > thresholds.serve_kwh + _SAME_KWH) | (thresholds.serve_kwh <= _SAME_KWH)
    mode = np.where(serves, np.where(stores, SELF_CONSUMPTION, SUPPLY), np.where(stores, SAVE, HOLD))
    charges, exports = stored_kwh < thresholds.buy_kwh - _SAME_KWH, stored_kwh > thresholds.sell_kwh + _SAME_KWH
    mode = np.where(charges, CHARGE, np.where(exports, EXPORT, mode))
    target_kwh = np.where(charges, thresholds.buy_kwh, thresholds.sell_kwh)
    levels_kwh = np.array([target_kwh, thresholds.serve_kwh, thresholds.store_kwh, thresholds.spill_kwh])
    target, floor, ceiling, spill = bound(battery.min_soc + levels_kwh / battery.capacity_kwh, battery.min_soc, battery.max_soc)
    return SetPoint(
        mode=mode.astype(np.int8)[None, :],
        power_kw=np.where(charges, battery.charge_limit_kw, battery.discharge_limit_kw)[None, :],
        target_soc=target[None, :],
        floor_soc=floor[None, :],
        ceiling_soc=ceiling[None, :],
        spill_soc=spill[None, :],
        curtailment=curtailment,
        pv_limit_kw=np.broadcast_to(np.asarray(pv_limit_kw, dtype=float), curtailment.shape),
    )


def serve_island(manual: Manual, setpoints: SetPoint, battery: Battery) -> SetPoint:
    """Return set-points that serve the house where its owner lets nothing be imported."""
    mode = setpoints.mode
    serves = manual.no_import & ~SERVES[mode] & manual.may_discharge & (mode < Mode.CHARGE)
    mode = np.where(serves, np.where(STORES[mode], Mode.SELF_CONSUMPTION, Mode.SUPPLY), mode)
    return replace(setpoints, mode=mode.astype(np.int8), floor_soc=np.where(serves, battery.min_soc, setpoints.floor_soc))


def serve_nowhere(setpoint: SetPoint, where: BoolArray) -> SetPoint:
    """Return set-points under which no battery feeds what it may not in the slots ``where``, whatever load and sun turn out to be: none serves.

    An inverter sees the meter and knows no charger. What is planned for the house would go into the car as soon as the house takes less.
    """
    mode = np.where(where & SERVES[setpoint.mode], np.where(STORES[setpoint.mode], Mode.SAVE, Mode.HOLD), setpoint.mode)
    return replace(setpoint, mode=mode.astype(np.int8))


# Where buying and selling cost the same, storing and serving win exact ties alone. Source: docs/decisions/0004.
_EVEN_TIE = 1e-6
# An action begins that moves so large a share of the capacity, or gains so many margins against switching. Source: docs/decisions/0033.
_LEAST_MOVE_SOC, _CLEAR_GAIN = 0.05, 3.0
# No night is longer, but polar ones: whoever expects no sun for longer knows nothing of it.
_LONGEST_NIGHT_HOURS = 20.0


def read_policy(value: BatteryValue, battery: Battery, *, night: BoolArray, margin: Margin, switching_price: float) -> BatteryPolicy:
    """Return a battery's policy by its value.

    Args:
        value: of the battery, whatever the others do.
        battery: whose it is.
        night: slots without sun, shape ``(slots,)``.
        margin: per stored kWh toward the house, and against another mode.
        switching_price: what another mode has to gain at least.
    """
    levels, even = value.segments.levels, value.segments.even
    house = np.where(even, min(_EVEN_TIE, margin.self_consumption_margin), margin.self_consumption_margin)
    hysteresis = np.where(even, 0.0, margin.hysteresis)
    stick = np.maximum(hysteresis, switching_price)
    # What actions have to gain per stored kWh that go on, that begin, and that begin however little they move.
    gains = np.array([-stick, stick, stick + (_CLEAR_GAIN - 1.0) * hysteresis])
    # Where nothing is to be gained by going on, an action begins where it goes on.
    gains = gains if stick.any() else gains[:1]
    break_even = BreakEven(
        buy=levels.buy + gains,
        store=levels.store + gains,
        spill=np.broadcast_to(levels.spill, gains.shape),
        serve=levels.serve - gains,
        sell=levels.sell - gains,
        displace=np.broadcast_to(levels.displace, gains.shape),
    )
    soc_levels = to_soc(value.function.thresholds(break_even, self_consumption_margin=house), battery, value.function.capacity_kwh)
    keep, *begins = starmap(SocThresholds, zip(*_read_levels(soc_levels), strict=True))
    keep = begin = keep.rounded()
    if begins:
        # Actions begin that move enough, or whose gain is clear.
        enough, clear = begins
        begin = SocThresholds(
            buy=np.maximum(enough.buy - _LEAST_MOVE_SOC, clear.buy),
            store=np.maximum(enough.store - _LEAST_MOVE_SOC, clear.store),
            spill=enough.spill,
            serve=np.minimum(enough.serve + _LEAST_MOVE_SOC, clear.serve),
            sell=np.minimum(enough.sell + _LEAST_MOVE_SOC, clear.sell),
        ).rounded()
    slots = value.segments.charge_kwh.size
    charge_kw, discharge_kw = np.full(slots, battery.charge_limit_kw), np.full(slots, battery.discharge_limit_kw)
    return BatteryPolicy(battery, keep, begin, night[:slots], charge_kw, discharge_kw)


def correct_value(value: BatteryValue, correction: FloatArray) -> BatteryValue:
    """Return what is read where a stored kWh counts as worth ``correction`` more than by the value function, ``(slots,)``.

    V′ and a correction reach a break-even value where V′ alone reaches one that is so much lower.
    """
    levels = value.segments.levels
    lower = BreakEven(*(getattr(levels, each.name) - correction for each in fields(BreakEven)))
    return replace(value, segments=replace(value.segments, levels=lower))


def find_nights(pv_kwh: FloatArray, hours: FloatArray) -> BoolArray:
    """Return the slots without sun, shape ``(slots,)``: none is expected, for no longer than a night lasts."""
    dark = pv_kwh <= 0
    edges = dark.copy()
    edges[1:] ^= dark[:-1]
    run = np.cumsum(edges)
    length = np.bincount(run, weights=hours)
    return np.asarray(dark & (length[run] <= _LONGEST_NIGHT_HOURS))


def to_soc(thresholds: Thresholds, battery: Battery, usable_kwh: float) -> SocThresholds:
    """Return thresholds above the lowest state of charge as states of charge; what never happens is out of reach."""
    levels_kwh = [thresholds.buy_kwh, thresholds.store_kwh, thresholds.spill_kwh, thresholds.serve_kwh, thresholds.sell_kwh]
    buy, store, spill, serve, sell = battery.min_soc + np.array(levels_kwh) / battery.capacity_kwh
    never_buys, never_sells = thresholds.buy_kwh <= _SAME_KWH, thresholds.sell_kwh >= usable_kwh - _SAME_KWH
    return SocThresholds(np.where(never_buys, LOWEST_SOC, buy), store, spill, serve, np.where(never_sells, HIGHEST_SOC, sell))


def walk_policy(policy: BatteryPolicy, segments: Segments, start_kwh: float, *, mode: int) -> tuple[FloatArray, IntArray]:
    """Return stored energy at the end of each slot, kWh, and modes, both ``(slots,)``, when a policy meets the course that ``segments`` are made of."""
    path, modes, length = np.empty(segments.charge_kwh.size), np.empty(segments.charge_kwh.size, dtype=np.int64), segments.length_kwh
    if (sells_second := segments.displaces_first).any():
        # Who sells, sells: PV is displaced by how it is held back.
        length = length.copy()
        length[sells_second, FIRST_OUT] = length[sells_second, SECOND_OUT]
    limits, state = _describe(policy, start_kwh, mode)
    kernels.follow_policy(limits, (length, policy.no_pv.astype(float)), state, (path, modes))
    battery = policy.battery
    return path + battery.min_soc * battery.capacity_kwh, modes.astype(np.int8)


def cost_courses(
    policy: BatteryPolicy, offered: tuple[FloatArray, FloatArray], start_kwh: float, *, terminal: tuple[FloatArray, FloatArray], mode: int
) -> FloatArray:
    """Return what a policy costs on each of many courses, ``(courses,)``; what every policy costs alike is left out.

    Args:
        policy: of the only battery.
        offered: lengths and values of the courses' segments, both ``(courses, slots, 7)``.
        start_kwh: stored at the start.
        terminal: V′ at the horizon.
        mode: before the first slot.
    """
    cost = np.empty(offered[0].shape[0])
    slots = (*offered, policy.no_pv.astype(float))
    limits, state = _describe(policy, start_kwh, mode)
    kernels.follow_each(limits, slots, terminal, state, cost)
    return cost


def load_kernels() -> None:
    """Load the compiled loops, or compile them the first time."""
    limits, lengths, dark, battery = np.zeros((5, 1)), np.zeros((1, 1, KINDS)), np.ones(1), np.zeros(5)
    kernels.follow_policy((limits, limits), (lengths[0], dark), battery, (np.empty(1), np.empty(1, dtype=np.int64)))
    kernels.follow_each((limits, limits), (lengths, lengths, dark), (dark, dark), battery, np.empty(1))


def _describe(policy: BatteryPolicy, start_kwh: float, mode: int) -> tuple[tuple[FloatArray, FloatArray], FloatArray]:
    """Return thresholds that keep and that begin an action, ``(5, slots)``, and of the battery what the loops need; kWh above its lowest state of charge."""
    battery, capacity = policy.battery, policy.battery.capacity_kwh
    keep, begin = np.array(_read_levels(policy.keep)), np.array(_read_levels(policy.begin))
    usable, lowest = (battery.max_soc - battery.min_soc) * capacity, battery.min_soc * capacity
    state = np.array([start_kwh - lowest, usable, LITTLE_SOC * capacity, SAME_SOC * capacity, mode])
    return ((keep - battery.min_soc) * capacity, (begin - battery.min_soc) * capacity), state
