"""What a device costs: each kWh by where it comes from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from luna.contracts.charging_sessions import find_charging_run
from luna.contracts.device_runs import find_switched_run
from luna.contracts.plan import PlanReply
from luna.energy.timeline import SLOT
from tests.support.planning.plans import FLOWS, describe_plan

START = datetime(2026, 5, 20, tzinfo=UTC)
# Bought alone; bought, from the battery and from the roof; from the roof alone; from a roof that is
# held back; nothing used.
SOURCES: list[dict[str, Any]] = [
    {"import_kwh": 3.0, "import_price": 0.30, "value": 0.25},
    {"import_kwh": 1.0, "given": 0.5, "import_price": 0.20, "value": 0.25},
    {"import_price": 0.20, "value": None},
    {"curtailed_kwh": 0.4, "import_price": 0.20, "value": 0.25},
    {"import_kwh": 0.2, "import_price": 0.20, "value": 0.25},
]


def plan_with(used_kwh: list[float]) -> PlanReply:
    """A plan of these sources in which a car and a washer use so much in each slot."""
    slots = []
    for place, (source, used) in enumerate(zip(SOURCES, used_kwh, strict=True)):
        flows = FLOWS | dict.fromkeys(("import_kwh", "curtailed_kwh"), 0.0) | {"export_price": 0.08}
        battery = {
            "battery": {
                "charge_kwh": 0.0,
                "discharge_kwh": source.get("given", 0.0),
                "soc_end": 0.5,
            }
        }
        reason = {"code": "hold", "text": ".", "energy_value": source["value"]}
        devices = {
            "vehicles": {"car": {"charge_kwh": used, "soc_end": 0.5}},
            "loads": {"washer": {"energy_kwh": used, "on": used > 0}},
        }
        own = {name: value for name, value in source.items() if name in flows}
        slots.append(
            flows
            | own
            | devices
            | {
                "start": START + place * SLOT,
                "mode": "hold",
                "reason": reason,
                "batteries": battery,
            }
        )
    return PlanReply.model_validate(describe_plan("p", START, []).model_dump() | {"slots": slots})


def test_a_run_costs_what_its_energy_would_have_been_worth_elsewhere() -> None:
    run = find_charging_run(
        plan_with([2.0, 2.0, 1.0, 1.0, 0.0]), "car", START, START + timedelta(days=1)
    )
    assert run is not None
    # 2 × 0.30; 1 × 0.20 + 0.5 × 0.25 + 0.5 × 0.08; 1 × 0.08; nothing.
    assert (run.start, run.end, run.energy_kwh) == (START, START + 4 * SLOT, 6.0)
    assert run.cost == pytest.approx(0.60 + 0.365 + 0.08)
    assert run.price == pytest.approx(1.045 / 6)


def test_the_run_of_an_appliance_ends_at_its_first_pause_and_nothing_used_is_none() -> None:
    paused = plan_with([0.0, 1.0, 0.0, 1.0, 0.0])
    first = find_switched_run(paused, "loads", "washer", START)
    whole = find_charging_run(paused, "car", START, START + timedelta(days=1))
    assert first is not None
    assert (first.start, first.end) == (START + SLOT, START + 2 * SLOT)
    assert whole is not None
    assert (whole.start, whole.end) == (START + SLOT, START + 4 * SLOT)
    assert find_charging_run(paused, "car", START + 2 * SLOT, START + 3 * SLOT) is None
