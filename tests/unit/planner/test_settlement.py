"""The compiled settlement of one battery is what physics does, bit by bit."""

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest

from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.timeline import FloatArray
from services.planner.settlement import settle
from tests.support.suite.depth import draws

SLOTS = 400
Case = tuple[SetPoint, FloatArray, SlotActuals, SiteLimits]


def draw(rng: np.random.Generator, least_kw: float = 0.0) -> Case:
    """Return slots of any site in which everything happens.

    Batteries are full, empty and beyond, connections filled; numbers are unknown or infinite, and
    some modes do not exist.
    """

    def pick(*values: float) -> FloatArray:
        return rng.choice(values, (1, SLOTS))

    def one(*values: Any) -> Any:
        return np.array([[rng.choice(values)]])

    battery = BatteryLimits(
        capacity_kwh=one(10.0, 4.2),
        min_soc=one(0.0, 0.1),
        max_soc=one(0.9, 1.0),
        charge_limit_kw=one(0.0, 5.0, 2.3),
        discharge_limit_kw=one(0.0, 4.0, 1.7),
        charge_efficiency=one(0.95, 1.0),
        discharge_efficiency=one(0.93, 1.0),
        min_charge_kw=one(least_kw),
        taper_from_soc=one(0.8, 1.0),
        taper_to_share=one(0.4, 1.0),
        charge_from_grid=one(0, 1) == 1,
        discharge_to_grid=rng.random((1, SLOTS)) < 0.8,
    )
    levels = (np.nan, np.inf, -np.inf, 0.0, 0.3, 0.5, 0.8)
    asked = SetPoint(
        mode=rng.integers(-1, 7, (1, SLOTS)).astype(np.int8),
        power_kw=pick(np.nan, np.inf, -1.0, 0.0, 2.0),
        target_soc=pick(*levels),
        floor_soc=pick(*levels),
        ceiling_soc=pick(*levels),
        spill_soc=pick(*levels),
        curtailment=rng.integers(-1, 4, SLOTS).astype(np.int8),
        pv_limit_kw=rng.choice([np.nan, np.inf, 0.0, 3.0], SLOTS),
    )
    import_kw = rng.choice([1.0, 8.0, np.inf], SLOTS)
    export_kw = rng.choice([0.0, 2.0, np.inf], SLOTS)
    limits = SiteLimits(battery, import_kw, export_kw, np.array([rng.random() < 0.7]))
    actuals = SlotActuals(
        load_kwh=rng.choice([0.0, 0.4, 3.0], SLOTS) * rng.uniform(0.5, 1.5),
        pv_kwh=rng.choice([0.0, 0.7, 2.5], SLOTS) * rng.uniform(0.5, 1.5),
        hours=rng.choice([0.25, 1.0], SLOTS),
    )
    soc = pick(np.nan, np.inf, 0.0, 0.05, 0.1, 0.11, 0.5, 0.87, 0.9, 0.95, 1.0)
    return asked, soc * battery.capacity_kwh, actuals, limits


@pytest.mark.parametrize("least_kw", [0.0, 1.5, 4.0], ids=["any power", "a least power", "half"])
def test_the_loop_does_what_physics_does(least_kw: float) -> None:
    for seed in range(draws(400)):
        asked, stored_kwh, actuals, limits = draw(np.random.default_rng(seed), least_kw)
        found_safe, found_flows = settle(asked, stored_kwh, actuals, limits=limits)
        safe = clamp(asked, stored_kwh, limits)
        flows = simulate_slot(safe, stored_kwh, actuals, limits=limits)
        found = astuple(found_safe) + astuple(found_flows)
        wanted = astuple(safe) + astuple(flows)
        for one, other in zip(found, wanted, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, np.broadcast_to(other, one.shape))
