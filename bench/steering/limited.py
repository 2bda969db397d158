"""Operator's limits, fuses and export caps in the simulated home, second by second."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.steering.controllers import Steering
from bench.steering.home import LivedDay, LivedHome, live_day
from bench.steering.profiles import HomeDay, Profile, mean_of_minutes
from luna.energy.steering import (
    BatteryTarget,
    LiveLimits,
    LoadTarget,
    SlotTargets,
    SteeredBattery,
    SteeredDevices,
    SteeredLoad,
    SteeredVehicle,
    VehicleTarget,
)

PEAK_KW = 10.0
LIMIT_KW = 4.2
CONNECTION_KW = 7.0
# A limit comes while all devices run, and is watched for a quarter of an hour.
BEFORE_S = 180
WATCHED_S = 900
# What counts as above: 3 % of what is allowed.
TOLERANCE = 0.03
SETTLE_S = 10
CAP_SHARE = 0.6
# A small main fuse, with all that the house draws on one phase.
FUSE_A = 20.0
FUSE_BEGIN_S = 17 * 3600
FUSE_END_S = 21 * 3600
# An appliance that starts, of 460 W or more.
STEP_A = 2.0
_NEGLIGIBLE_KW = 5e-4

Mask = NDArray[np.bool_]
LimitKind = Literal["devices", "connection"]


@dataclass(frozen=True, slots=True)
class Dimmed:
    """How a limit was kept: seconds until it first held, and the longest time above later."""

    settled_s: int
    longest_over_s: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class FusedTime:
    """The longest time above a phase's fuse, and how long that held the car back.

    ``longest_since_step_s`` counts from the house's last step: a second appliance that starts while
    the car still answers the first is a new event, which nobody can foresee.
    """

    longest_over_s: int
    longest_since_step_s: int
    held_back_s: int
    car_kwh: float


def dim(day: HomeDay, at: int, kind: LimitKind) -> Dimmed:
    """Return how a limit that comes at a second of a day is kept, all devices running."""
    devices = SteeredDevices(
        batteries={"battery": SteeredBattery(20.0, 3.0, 3.0)},
        vehicles={"car": SteeredVehicle(phases=(1, 3))},
        loads={"heater": SteeredLoad(2.0)},
        pv_kw=PEAK_KW,
    )
    targets = SlotTargets(
        batteries={"battery": BatteryTarget("charge", worth_price=0.1)},
        vehicles={"car": VehicleTarget("power", power_kw=11.0, worth_price=0.3)},
        loads={"heater": LoadTarget("on", worth_price=0.2)},
    )
    limits = LiveLimits(devices_import_kw=LIMIT_KW)
    if kind == "connection":
        limits = LiveLimits(operator_import_kw=CONNECTION_KW)
    control = Steering(targets, devices, limits_from=((float(at), limits),))
    begin = at - BEFORE_S
    end = at + WATCHED_S
    lived = live_day(LivedHome(devices), day, control, begin=begin, end=end)
    drawn_kw = np.maximum(day.house_kw[begin:end] - lived.pv_kw, 0.0)
    allowed_kw = LIMIT_KW + drawn_kw
    if kind == "connection":
        allowed_kw = np.full(end - begin, CONNECTION_KW)
    over = (lived.net_kw > (1.0 + TOLERANCE) * allowed_kw)[BEFORE_S:]
    held = np.flatnonzero(~over)
    settled_s = int(held[0]) if held.size else WATCHED_S
    return Dimmed(
        settled_s=settled_s,
        longest_over_s=_find_longest_run(over[SETTLE_S:]),
        stopped=bool((lived.car_kw[BEFORE_S + 60 :] <= 0.0).any()),
    )


def _find_longest_run(over: Mask, *, anew: Mask | None = None) -> int:
    """Return the longest run of seconds; where ``anew`` holds, a run begins again."""
    longest = 0
    running = 0
    begins = np.zeros_like(over) if anew is None else anew
    for is_over, begins_again in zip(over, begins, strict=True):
        if begins_again:
            running = 0
        running = running + 1 if is_over else 0
        longest = max(longest, running)
    return longest


def dim_days(days: Sequence[HomeDay], kind: LimitKind) -> dict[str, Any]:
    """Return how limits are kept that come at four hours of each day."""
    events = []
    for day in days:
        events += [dim(day, hour * 3600, kind) for hour in (7, 12, 17, 19)]
    return {
        "events": len(events),
        "settled_s": max(event.settled_s for event in events),
        "longest_over_s": max(event.longest_over_s for event in events),
        "cars_stopped": sum(event.stopped for event in events),
    }


def fuse_evening(day: HomeDay, *, begin: int = FUSE_BEGIN_S, end: int = FUSE_END_S) -> FusedTime:
    """Return how the fuse of a phase is kept that house and car share, the car at full power."""
    devices = SteeredDevices(vehicles={"car": SteeredVehicle(phases=(3,))}, pv_kw=PEAK_KW)
    targets = SlotTargets(vehicles={"car": VehicleTarget("power", power_kw=11.04)})
    control = Steering(targets, devices, limits=LiveLimits(fuse_a=FUSE_A))
    home = LivedHome(devices, house_phase=1)
    lived = live_day(home, day, control, begin=begin, end=end)
    per_kw = 1000.0 / devices.voltage_v
    own_a = (day.house_kw[begin:end] - lived.pv_kw / 3) * per_kw
    phase_a = own_a + lived.car_kw / 3 * per_kw
    # What the house draws alone is nobody's to lower.
    over = (phase_a > (1.0 + TOLERANCE) * FUSE_A) & (own_a <= FUSE_A)
    steps = np.diff(own_a, prepend=own_a[0]) > STEP_A
    return FusedTime(
        longest_over_s=_find_longest_run(over),
        longest_since_step_s=_find_longest_run(over, anew=steps),
        held_back_s=int((phase_a - own_a < 15.5).sum()),
        car_kwh=float(lived.car_kw.sum()) / 3600,
    )


def fuse_days(days: Sequence[HomeDay]) -> dict[str, Any]:
    """Return how the fuse of a phase is kept on the evenings of several days."""
    times = [fuse_evening(day) for day in days]
    return {
        "evenings": len(times),
        "longest_over_s": max(time.longest_over_s for time in times),
        "longest_since_step_s": max(time.longest_since_step_s for time in times),
        "held_back_s": sum(time.held_back_s for time in times),
        "car_kwh": round(sum(time.car_kwh for time in times), 1),
    }


def cap_day(day: HomeDay, *, has_battery: bool) -> dict[str, float]:
    """Return how an export cap is kept on a day, and what it costs.

    Perfect foresight knows house and battery in every second, and gives what both use and the cap.
    """
    batteries = {"battery": SteeredBattery(10.0, 5.0, 5.0)} if has_battery else {}
    devices = SteeredDevices(batteries=batteries, pv_kw=PEAK_KW, pv_delay_s=4.0)
    cap_kw = CAP_SHARE * PEAK_KW
    targets = SlotTargets(batteries={name: BatteryTarget() for name in batteries})
    control = Steering(targets, devices, limits=LiveLimits(export_kw=cap_kw))
    begin = 5 * 3600
    end = 21 * 3600
    lived = live_day(LivedHome(devices), day, control, begin=begin, end=end)
    foreseen_kw = np.minimum(
        day.pv_kw[begin:end],
        np.maximum(cap_kw + day.house_kw[begin:end] + lived.battery_kw, 0.0),
    )
    minutes_kw = mean_of_minutes(_read_export(lived))
    return {
        "minutes_above": float((minutes_kw > cap_kw + _NEGLIGIBLE_KW).sum()),
        "most_above_kw": float(max(minutes_kw.max() - cap_kw, 0.0)),
        "foreseen_kwh": float(foreseen_kw.sum()) / 3600,
        "given_kwh": float(lived.pv_kw.sum()) / 3600,
        "possible_kwh": float(day.pv_kw[begin:end].sum()) / 3600,
    }


def _read_export(lived: LivedDay) -> Profile:
    return np.asarray(np.maximum(-lived.net_kw, 0.0))


def cap_days(days: Sequence[HomeDay], *, has_battery: bool) -> dict[str, Any]:
    """Return how an export cap is kept on several days."""
    lived = [cap_day(day, has_battery=has_battery) for day in days]
    foreseen_kwh = sum(day["foreseen_kwh"] for day in lived)
    given_kwh = sum(day["given_kwh"] for day in lived)
    possible_kwh = sum(day["possible_kwh"] for day in lived)
    return {
        "minutes_above": int(sum(day["minutes_above"] for day in lived)),
        "most_above_kw": round(max(day["most_above_kw"] for day in lived), 4),
        "lost_share": max(foreseen_kwh - given_kwh, 0.0) / foreseen_kwh,
        "curtailed_share": 1.0 - foreseen_kwh / possible_kwh,
    }
