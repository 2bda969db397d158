"""Plans of a test's own, as they are stored."""

from collections.abc import Sequence
from datetime import datetime

from luna.contracts.control import BatterySetpoint
from luna.contracts.plan import PlanReply
from luna.energy.timeline import SLOT

FLOWS = dict.fromkeys(("load_kwh", "pv_kwh", "curtailed_kwh", "import_kwh", "export_kwh", "import_price", "export_price"), 0.1)
LIMITS = {"power_kw": 5.0, "target_soc": 0.9, "floor_soc": 0.1, "ceiling_soc": 0.9, "spill_soc": 0.9}
REASON = {"code": "hold", "text": "."}


def describe_plan(plan_id: str, start: datetime, setpoints: Sequence[BatterySetpoint], *, soc: float = 0.5) -> PlanReply:
    """A plan of one battery, issued at its start, which stays as full as it is."""
    flows = {"battery": {"charge_kwh": 0, "discharge_kwh": 0, "soc_end": soc}}
    slots = [FLOWS | {"start": start + place * SLOT, "mode": "hold", "reason": REASON, "batteries": flows} for place in range(len(setpoints))]
    told = {"battery": {name: [getattr(each, name) or LIMITS.get(name) for each in setpoints] for name in BatterySetpoint.model_fields}}
    cost = {"total": 1.0, "import": 1.0, "export": 0.0, "wear": 0.0}
    about = {"site": "home", "timezone": "UTC", "currency": "EUR", "slot_minutes": 15, "issued_at": start, "setpoints": told}
    return PlanReply.model_validate({"plan_id": plan_id, "status": "optimal", "gap": 0, "cost": cost, "timing_ms": {}, "slots": slots} | about)
