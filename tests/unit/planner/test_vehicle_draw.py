"""The powers of a car that draws less than its charger gives."""

from datetime import UTC, datetime
from typing import Any

import pytest

from luna.contracts.plan.state import VehicleState
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.timeline import SLOT, Timeline
from services.planner.devices.vehicle.demand import read_vehicle

THREE = {"phases": [3]}
EITHER = {"phases": [1, 3]}
START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("charger", "most_kw", "ranges"),
    [
        # 6 A to 15 A of one phase.
        (THREE, 3.45, [(1.38, 3.45)]),
        # 240 V in place of 230 V.
        (THREE, 3.84, [(1.38, 3.68)]),
        # Two phases with 8.9 A each.
        (THREE, 4.1, [(2.76, 4.1)]),
        (THREE, 7.2, [(4.14, 7.2)]),
        (EITHER, 3.45, [(1.4, 3.45)]),
        # Of which no phases are known: it is switched on and off.
        (None, 3.45, [(3.45, 3.45)]),
        (THREE, 11.0, [(4.14, 11.0)]),
    ],
)
def test_a_measured_maximum_sets_the_powers_that_are_planned(
    charger: dict[str, Any] | None, most_kw: float, ranges: list[tuple[float, float]]
) -> None:
    document = {"capacity_kwh": 60, "charge_limit_kw": 11, "charger": charger}
    vehicle = ElectricVehicle.model_validate(document)
    state = VehicleState(soc=0.5, most_kw=most_kw)
    demand = read_vehicle(vehicle, state, Timeline(START, SLOT, 4))
    assert [pytest.approx(bounds, abs=0.001) for bounds in demand.vehicle.power_ranges] == ranges
