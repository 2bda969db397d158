"""The simulator and the safety layer, in site-slots per second: a thousand sites side by side over
a day, and one site alone.

Run as ``python -m bench.simulator``. ``bare`` is the least a battery model can do in NumPy: one
clipped step without meter, modes or prices.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bench.timing import race
from luna.energy.devices.battery import Battery
from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.simulator import Actuals, price, simulate
from luna.energy.timeline import SLOT, FloatArray, Timeline

SITES = 1_000
SLOTS = 96
LONE_SLOTS = 960
START = datetime(2024, 2, 1, tzinfo=UTC)
ROUNDS = 7
FULL_ROUNDS = 30
WILD = (np.nan, np.inf, -np.inf, -7.0, 1e12)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A policy that follows set-points drawn beforehand, so that only the simulator is timed."""

    setpoints: SetPoint

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-points of all sites in ``slot``."""
        del stored_kwh
        return SetPoint(
            **{
                part.name: getattr(self.setpoints, part.name)[..., slot]
                for part in fields(SetPoint)
            }
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """Sites with their day: limits, what happens, what they are told, and how full they start."""

    limits: SiteLimits
    actuals: Actuals
    policy: Drawn
    stored_kwh: FloatArray

    @property
    def site_slots(self) -> int:
        """How many steps of one site a run makes."""
        return int(self.actuals.load_kwh.size)


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return site-slots per second of simulating, simulating and pricing, and clamping."""
    rng = np.random.default_rng(0)
    many = draw_fleet(rng, SITES, SLOTS)
    one = draw_fleet(rng, 1, LONE_SLOTS)
    wild = draw_setpoints(rng, (1, SITES * SLOTS), wild=0.2)
    stored = rng.uniform(0, 10, (1, SITES * SLOTS))
    rounds = FULL_ROUNDS if full else ROUNDS

    def rate(work: Callable[[Fleet], object], fleet: Fleet, *, steps: int | None = None) -> float:
        return (
            (steps or fleet.site_slots)
            / float(np.median(race({"": work}, [fleet], rounds=rounds)[""]))
            * 1e3
        )

    simulated = rate(run, many)
    bare = rate(run_bare, many)
    return {
        "sites": SITES,
        "site_slots_per_s": simulated,
        "with_prices_site_slots_per_s": rate(run_and_price, many),
        "one_site_slots_per_s": rate(run, one),
        "clamp_site_slots_per_s": rate(
            lambda fleet: clamp(wild, stored, fleet.limits), many, steps=SITES * SLOTS
        ),
        "bare_site_slots_per_s": bare,
        "ratio_to_bare": simulated / bare,
    }


def run(fleet: Fleet) -> object:
    """Simulate."""
    return simulate(fleet.policy, fleet.actuals, limits=fleet.limits, stored_kwh=fleet.stored_kwh)


def run_and_price(fleet: Fleet) -> object:
    """Simulate and say what each slot cost."""
    trajectory = simulate(
        fleet.policy, fleet.actuals, limits=fleet.limits, stored_kwh=fleet.stored_kwh
    )
    spot = np.linspace(-0.05, 0.3, fleet.actuals.timeline.count)
    return price(
        trajectory, import_price=spot + 0.1, export_price=spot, wear_price=np.full((1, 1, 1), 0.01)
    )


def run_bare(fleet: Fleet) -> object:
    """Step a battery and nothing else."""
    stored = fleet.stored_kwh[0]
    for slot in range(fleet.actuals.timeline.count):
        power = np.clip(
            fleet.actuals.pv_kwh[:, slot] - fleet.actuals.load_kwh[:, slot], -1.25, 1.25
        )
        stored = np.clip(stored + np.where(power > 0, power * 0.95, power / 0.95), 0.0, 10.0)
    return stored


def draw_fleet(rng: np.random.Generator, sites: int, slots: int) -> Fleet:
    """Return sites with the same battery and connection, each with its own day and set-points of
    every mode.
    """
    battery = Battery(
        name="battery",
        capacity_kwh=10,
        charge_limit_kw=5,
        discharge_limit_kw=5,
        charge_efficiency=0.95,
        discharge_efficiency=0.95,
    )
    limits = SiteLimits(
        BatteryLimits.of([battery]), np.array([11.0]), np.array([8.0]), np.array([True])
    )
    actuals = Actuals(
        Timeline(START, SLOT, slots),
        rng.gamma(1.0, 0.2, (sites, slots)),
        rng.gamma(1.0, 0.3, (sites, slots)),
    )
    return Fleet(
        limits,
        actuals,
        Drawn(draw_setpoints(rng, (1, sites, slots), wild=0.0)),
        rng.uniform(0, 10, (1, sites)),
    )


def draw_setpoints(rng: np.random.Generator, shape: tuple[int, ...], *, wild: float) -> SetPoint:
    """Return set-points of any mode; a share of all numbers is none that a battery could follow."""

    def draw(high: float, size: tuple[int, ...]) -> FloatArray:
        values: FloatArray = rng.uniform(0, high, size)
        return np.where(rng.random(size) < wild, rng.choice(WILD, size), values)

    soc = {
        name: draw(1.0, shape) for name in ("target_soc", "floor_soc", "ceiling_soc", "spill_soc")
    }
    mode, curtailment = (
        rng.integers(0, most, size).astype(np.int8) for most, size in ((6, shape), (3, shape[1:]))
    )
    return SetPoint(
        mode=mode,
        power_kw=draw(5.0, shape),
        curtailment=curtailment,
        pv_limit_kw=draw(10.0, shape[1:]),
        **soc,
    )


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
