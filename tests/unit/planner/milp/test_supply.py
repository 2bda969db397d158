"""What energy costs beside a plan, by the flows of each slot."""

import numpy as np
import pytest

from services.planner.milp.solver import LinearSolution
from services.planner.milp.supply import BalanceEntries, SupplyCurves

# A slot that exports 2 kWh at 0.08, may discharge 1 kWh more at 0.2, import 10 kWh at 0.3.
CURVES = SupplyCurves(
    price=np.array([[0.08, 0.2, 0.3]]),
    more_kwh=np.array([[2.0, 1.0, 10.0]]),
    less_kwh=np.array([[5.0, 0.5, 0.0]]),
)


@pytest.mark.parametrize(
    ("added", "cost"),
    [
        (0.0, 0.0),
        (1.5, 1.5 * 0.08),
        # 2 kWh are no longer exported, 1 kWh is discharged, 1 kWh is imported.
        (4.0, 2 * 0.08 + 0.2 + 0.3),
        # Half a kWh is not discharged, the rest is exported.
        (-2.0, -(0.5 * 0.2 + 1.5 * 0.08)),
    ],
)
def test_the_cheapest_flows_supply_more_and_the_dearest_are_saved(
    added: float, cost: float
) -> None:
    assert CURVES.cost(np.array([added]))[0] == pytest.approx(cost)


def test_as_much_is_used_as_is_worth_its_price() -> None:
    moves = [CURVES.move_to(np.array([value]))[0] for value in (0.05, 0.1, 0.25, 0.35)]
    assert moves == pytest.approx([-5.5, 2.0 - 0.5, 3.0, 13.0])


def test_energy_is_worth_what_its_present_use_says() -> None:
    curves = SupplyCurves(
        *(np.repeat(part, 2, axis=0) for part in (CURVES.price, CURVES.more_kwh, CURVES.less_kwh))
    )
    use = np.array([1.0, 1.0])
    found = curves.find_values(
        np.full(2, 0.15), use, (np.zeros(2), np.full(2, 4.0)), groups=(np.zeros(2, np.intp), 1)
    )
    # Below 0.08 each slot would use less; from 0.08 on more of what is exported.
    assert found == pytest.approx([0.08, 0.08], abs=1e-4)


def test_flows_of_a_slot_stand_in_order_of_their_prices() -> None:
    # Import at 0.3 (0 of 10 kWh), export at 0.08 (2 kWh), a fixed device.
    entries = BalanceEntries(
        starts=np.array([0, 3]),
        row=np.zeros(3, np.intp),
        column=np.arange(3),
        factor=np.array([1.0, -1.0, -1.0]),
    )
    solution = LinearSolution(
        column=np.array([0.0, 2.0, 1.0]),
        reduced_cost=np.array([0.22, 0.0, 0.0]),
        dual=np.array([0.08]),
        objective=0.0,
    )
    bounds = np.zeros(3), np.array([10.0, 5.0, 4.0])
    curves = entries.curves(solution, bounds, np.array([False, False, True]))
    # 2 kWh less may be exported, or 3 kWh more; then 10 kWh imported.
    assert curves.price[0, :2] == pytest.approx([0.08, 0.3])
    assert curves.more_kwh[0].tolist() == [2.0, 10.0, 0.0]
    assert curves.less_kwh[0].tolist() == [3.0, 0.0, 0.0]
