"""What another planner's flows are judged by."""

import math
from typing import Any

import pytest

from bench.peers.planning import price_plan
from luna.contracts.plan import PlanRequest


@pytest.fixture
def case() -> PlanRequest:
    """Two slots: 1 kWh of load at 0.30, then 2 kWh of PV that sell at 0.10.

    The battery is to end half full.
    """
    battery = {
        "name": "battery",
        "capacity_kwh": 10,
        "charge_limit_kw": 5,
        "discharge_limit_kw": 5,
        "wear_price": 0.01,
    }
    return PlanRequest.model_validate(
        {
            "site": {"name": "home", "timezone": "Europe/Berlin", "batteries": [battery]},
            "start": "2024-02-01T00:00:00Z",
            "outlook": {
                "load_kwh": [1.0, 0.0],
                "pv_kwh": [0.0, 2.0],
                "import_price": [0.30, 0.20],
                "export_price": [0.10, 0.10],
            },
            "state": {"batteries": {"battery": {"soc": 0.5}}},
            "options": {"terminal": {"kind": "minimum_soc", "soc": 0.5}},
        }
    )


def draw_flows(**changes: list[float]) -> dict[str, Any]:
    flows = {
        "import_kwh": [0.5, 0.0],
        "export_kwh": [0.0, 1.0],
        "throughput_kwh": [0.5, 1.0],
        "curtailed_kwh": [0.0, 0.0],
        "soc_end": [0.45, 0.5],
    }
    return flows | changes


def test_flows_cost_what_they_buy_less_what_they_sell_and_wear(case: PlanRequest) -> None:
    # 0.5 · 0.30 − 1.0 · 0.10 + 1.5 · 0.01
    assert price_plan(draw_flows(), case) == pytest.approx(0.065)


@pytest.mark.parametrize(
    "changes",
    [{"curtailed_kwh": [0.1, 0.0]}, {"soc_end": [0.45, 0.49]}],
    ids=["holds back PV that is not there", "ends below the target"],
)
def test_a_plan_that_cheats_has_no_cost(case: PlanRequest, changes: dict[str, list[float]]) -> None:
    assert math.isnan(price_plan(draw_flows(**changes), case))
