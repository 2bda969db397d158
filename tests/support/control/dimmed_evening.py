"""An evening on which the grid operator dims a car that was planned to charge: plan, commands and
meters as they are stored.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.contracts.control import BatterySetpoint, ControlState, Decision, VehicleSetpoint
from luna.contracts.operator_limits import NewLimit, StoredLimit
from luna.contracts.plan.reply import VehicleFlow
from luna.energy.observations import Observations
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import control, observations, operator_limits
from tests.support.planning.plans import describe_plan, store_plan

# 16:30 in Berlin; the limit came five minutes later and holds until 18:30.
EVENING = datetime(2026, 1, 15, 15, 30, tzinfo=UTC)
BEGIN = EVENING + timedelta(minutes=5)
END = EVENING + timedelta(hours=2)
HOME: dict[str, Any] = {
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    ],
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
}
PLANNED_KW = 11.0
ALLOWED_KW = 4.2
# Planned for an hour from 16:30 on, of which the limit took 55 minutes.
LESS_KWH = (PLANNED_KW - ALLOWED_KW) * 55 / 60


def plan_charging(connection: Connection, site_id: str) -> None:
    """Store the plan from before the limit: the car charges for an hour."""
    plan = describe_plan(f"{site_id}-evening", EVENING, [BatterySetpoint(mode="hold")] * 96)
    slots = []
    for place, slot in enumerate(plan.slots):
        charge_kwh = PLANNED_KW / 4 if place < 4 else 0.0
        flow = VehicleFlow(charge_kwh=charge_kwh, soc_end=0.5)
        slots.append(slot.model_copy(update={"vehicles": {"car": flow}}))
    store_plan(connection, site_id, plan.model_copy(update={"slots": slots}))


def demand_limit(
    connection: Connection, site_id: str, *, source: str = "contact", **changes: Any
) -> StoredLimit:
    """Store the limit when it comes."""
    fields = {"import_kw": ALLOWED_KW, "scope": "devices", "end": END} | changes
    return operator_limits.store(connection, site_id, NewLimit(**fields), source=source, now=BEGIN)


def follow_limit(connection: Connection, site_id: str) -> None:
    """Store what the car was told, slot by slot, and what the meter counted."""
    state = ControlState(site=site_id, device="vehicle:car")
    for place in range(8):
        slot_start = EVENING + place * SLOT
        for allowed_kw in (PLANNED_KW, ALLOWED_KW) if place == 0 else (ALLOWED_KW,):
            decision = Decision(
                slot_start=slot_start,
                source="planner",
                decided_by="planner",
                reason="planned",
                requested={"car": VehicleSetpoint(mode="charge", charge_kw=PLANNED_KW)},
                allowed={"car": VehicleSetpoint(mode="charge", charge_kw=allowed_kw)},
            )
            control.record(connection, state, decision, {"car": "charge"})
    import_kwh = np.array([2.0, 1.1, 1.15, 1.05, 0.2, 0.2, 0.2, 0.2])
    window = Timeline(EVENING, SLOT, 8)
    observations.upsert(
        connection, site_id, Observations.of(window.starts, {"import_kwh": import_kwh})
    )
