"""Several batteries behind one meter: who acts first, and who helps an overloaded connection."""

import numpy as np
import pytest

from luna.energy.devices.battery import Battery
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.site import parse_site

LOSSLESS = {
    "capacity_kwh": 10,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
    "charge_efficiency": 1,
    "discharge_efficiency": 1,
}


def settle_pair(
    modes: tuple[Mode, Mode],
    *,
    net_load_kwh: float,
    grid_kw: float = 100.0,
    target_soc: float = 1.0,
) -> Flows:
    """Return what two half-full batteries make of an hour; each may give or take 4 kWh."""
    batteries = [
        Battery.model_validate({"name": name} | LOSSLESS).model_dump() for name in ("one", "two")
    ]
    limits = SiteLimits.of(
        parse_site(
            {
                "name": "home",
                "timezone": "UTC",
                "grid": {"import_limit_kw": grid_kw},
                "batteries": batteries,
            }
        )
    )
    mode = np.array(modes, dtype=np.int8).reshape(2, 1)
    full = np.ones((2, 1))
    empty = np.zeros((2, 1))
    asked = SetPoint(
        mode,
        full * 100,
        full * target_soc,
        floor_soc=empty,
        ceiling_soc=full,
        spill_soc=full,
        curtailment=empty[0],
        pv_limit_kw=full[0] * np.inf,
    )
    load = np.array([max(net_load_kwh, 0.0)])
    pv = np.array([max(-net_load_kwh, 0.0)])
    stored = full * 5.0
    return simulate_slot(
        clamp(asked, stored, limits), stored, SlotActuals(load, pv, 1.0), limits=limits
    )


def test_battery_that_buys_leaves_the_surplus_to_one_that_only_stores() -> None:
    flows = settle_pair((Mode.CHARGE, Mode.SAVE), net_load_kwh=-3.0)
    assert flows.charge_kwh[:, 0] == pytest.approx([4.0, 3.0])
    assert flows.import_kwh[0] == pytest.approx(4.0)


def test_battery_that_sells_leaves_the_house_to_one_that_only_serves() -> None:
    flows = settle_pair((Mode.EXPORT, Mode.SUPPLY), net_load_kwh=3.0, target_soc=0.0)
    assert flows.discharge_kwh[:, 0] == pytest.approx([4.0, 3.0])
    assert flows.export_kwh[0] == pytest.approx(4.0)


def test_resting_battery_helps_only_with_what_a_serving_one_leaves_beyond_the_limit() -> None:
    # 6 kWh of load, 1 kWh through the connection: the serving battery gives its 4, the resting one
    # the last 1.
    flows = settle_pair((Mode.HOLD, Mode.SUPPLY), net_load_kwh=6.0, grid_kw=1.0)
    assert flows.discharge_kwh[:, 0] == pytest.approx([1.0, 4.0])
    assert flows.import_kwh[0] == pytest.approx(1.0)


def test_battery_that_serves_makes_room_for_one_that_buys() -> None:
    flows = settle_pair((Mode.CHARGE, Mode.SUPPLY), net_load_kwh=2.0, grid_kw=1.0)
    assert flows.charge_kwh[0, 0] == pytest.approx(1.0)
    assert flows.import_kwh[0] == pytest.approx(1.0)


def test_rounding_beyond_the_limit_starts_no_battery() -> None:
    # 1.405 kWh of surplus, 0.117 of it stored by the second battery, the rest exported; the
    # difference rounds to a trace above the limit.
    slow = {"name": "one", "min_charge_kw": 1} | LOSSLESS
    grid = {"export_limit_kw": 1.4048600136843434 - 0.11660455264597068}
    roof = {"peak_kw": 9, "curtailable": False}
    site = parse_site(
        {
            "name": "home",
            "timezone": "UTC",
            "grid": grid,
            "pv": [roof],
            "batteries": [slow, {"name": "two"} | LOSSLESS],
        }
    )
    limits = SiteLimits.of(site)
    column = np.ones((2, 1))
    mode = np.array([[Mode.HOLD], [Mode.SAVE]], dtype=np.int8)
    ceiling = column * (5.0 + 0.1166045526459705) / 10
    asked = SetPoint(
        mode,
        column,
        column,
        floor_soc=column * 0,
        ceiling_soc=ceiling,
        spill_soc=column,
        curtailment=np.zeros(1, dtype=np.int8),
        pv_limit_kw=np.full(1, np.inf),
    )
    flows = simulate_slot(
        clamp(asked, column * 5.0, limits),
        column * 5.0,
        SlotActuals(np.zeros(1), np.array([1.4048600136843434]), 1.0),
        limits=limits,
    )
    assert flows.charge_kwh[0, 0] == 0.0
