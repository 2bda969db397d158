"""Real-time control in a simulated home, second by second: surplus charging, limits, export cap.

Run as ``luna bench steering --days 8``. Days are drawn from ``SEEDS``, on which nothing was fitted:
the parameters of ``luna.energy.steering`` were chosen on ``TUNING_SEEDS``. Beside Luna's function
stand an ideal follower and a plain copy of the peers' rule, in the same homes on the same days.
The process itself runs for a minute with one home and with a hundred (``bench.steering.process``).
Days under the real planner run by themselves as well: ``luna bench steering-fortnight``.
"""

import time
from datetime import date
from typing import Any

from bench.steering.fortnight import measure_both
from bench.steering.home import LivedHome
from bench.steering.limited import cap_days, dim_days, fuse_days
from bench.steering.loop_costs import compare_costs
from bench.steering.process import HOMES, LONG_SECONDS, SECONDS, measure_process
from bench.steering.profiles import HomeDay, draw_days
from bench.steering.surplus import (
    BATTERY,
    CAR,
    PEAK_KW,
    charge_day,
    describe_home,
    follow_mean,
    follow_surplus,
    sum_up,
)
from luna.energy.steering import (
    BatteryPower,
    LiveLimits,
    LiveMeasurement,
    LoopMemory,
    VehiclePower,
    steer,
)

SEEDS = tuple(range(43, 47))
TUNING_SEEDS = (1, 2, 3, 4, 21, 22, *range(31, 37), 41, 42, *range(1001, 1041))
# Four skies take turns.
DAYS = 4
LONG_DAYS = 8
CYCLE_S = 2.0
LIMITS = LiveLimits(import_kw=20.0, export_kw=6.0, fuse_a=35.0)


def measure(*, full: bool = False, days: float | None = None) -> dict[str, Any]:
    """Return figures of surplus charging, costs, limits, export cap, CPU time, and the process.

    Args:
        full: twice the days, a fortnight under the planner, and ten times the minutes of the
            process.
        days: days of each seed.
    """
    seconds = LONG_SECONDS if full else SECONDS
    count = int(days) if days else LONG_DAYS if full else DAYS
    drawn: list[HomeDay] = []
    for seed in SEEDS:
        drawn += draw_days(seed, max(count, 1), peak_kw=PEAK_KW)
    return {
        "seeds": list(SEEDS),
        "days": len(drawn),
        "surplus": _measure_surplus(drawn, has_battery=False),
        "surplus_beside_battery": _measure_surplus(drawn, has_battery=True),
        # A day under each sky.
        "costs": compare_costs(drawn[:DAYS]),
        "fortnight": measure_both(full=full),
        "limit_of_devices": dim_days(drawn, "devices"),
        "limit_of_connection": dim_days(drawn, "connection"),
        "fuse_of_phase": fuse_days(drawn[:DAYS]),
        "export_cap": cap_days(drawn, has_battery=False),
        "export_cap_with_battery": cap_days(drawn, has_battery=True),
        "cpu": _measure_cpu(),
        "process": measure_process(1, seconds),
        "process_100_homes": measure_process(HOMES, seconds),
    }


def _measure_surplus(days: list[HomeDay], *, has_battery: bool) -> dict[str, Any]:
    home = describe_home(has_battery=has_battery)
    luna = [charge_day(home, day, follow_surplus(home)) for day in days]
    peers = [charge_day(home, day, follow_mean(home)) for day in days]
    by_sky = {}
    for sky in dict.fromkeys(day.sky for day in days):
        of_sky = [charged for day, charged in zip(days, luna, strict=True) if day.sky == sky]
        by_sky[sky] = sum_up(of_sky)
    return {"luna": sum_up(luna), "peers": sum_up(peers), "luna_by_sky": by_sky}


def _measure_cpu() -> dict[str, float]:
    """Return the CPU time of a cycle, and of a core's for a home and for a hundred."""
    home = describe_home(has_battery=True)
    cycles = 300
    cycle_ms = _time_cycles(home, homes=1, cycles=cycles)
    many_ms = _time_cycles(home, homes=HOMES, cycles=10)
    return {
        "cycle_ms": cycle_ms,
        "core_share": cycle_ms / (1_000 * CYCLE_S),
        "core_share_100_homes": many_ms / (1_000 * CYCLE_S),
    }


def _time_cycles(home: LivedHome, *, homes: int, cycles: int) -> float:
    """Return milliseconds of CPU for one cycle of all homes."""
    targets = follow_surplus(home).targets
    memories = [LoopMemory() for _ in range(homes)]
    begun = time.process_time()
    for cycle in range(cycles):
        at_s = CYCLE_S * cycle
        surplus_kw = 1.0 + cycle % 7
        measured = LiveMeasurement(
            at_s=at_s,
            read_at_s=at_s,
            day=date(2026, 5, 15),
            import_kw=0.0,
            export_kw=surplus_kw,
            pv_kw=surplus_kw + 0.5,
            house_kw=0.5,
            batteries={BATTERY: BatteryPower(0.0, 0.5)},
            vehicles={CAR: VehiclePower(0.0)},
        )
        for number, memory in enumerate(memories):
            _, memories[number] = steer(
                targets, measured, memory, limits=LIMITS, devices=home.devices
            )
    return (time.process_time() - begun) * 1_000 / cycles
