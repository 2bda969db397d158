"""Plans of a test's own, as they are stored."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from luna.contracts.control import BatterySetpoint
from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.columns import Columns, PlanColumns
from luna.contracts.plan.request_bytes import write_inputs
from luna.energy.devices import FLOW_KINDS
from luna.energy.part import StrictModel
from luna.energy.reason import ReasonReply
from luna.energy.timeline import SLOT
from luna.platform.database import plans
from luna.words import LIMITS as NAMED_LIMITS
from luna.words import limit

EXAMPLE = Path(__file__).parents[3] / "examples" / "plan_request.json"
_CODES = {limit(code, language="en"): code for code in NAMED_LIMITS}
_SECTIONS = [kind.section for kind in FLOW_KINDS]

FLOWS = dict.fromkeys(
    (
        "load_kwh",
        "pv_kwh",
        "curtailed_kwh",
        "import_kwh",
        "export_kwh",
        "import_price",
        "export_price",
    ),
    0.1,
)
LIMITS = {
    "power_kw": 5.0,
    "target_soc": 0.9,
    "floor_soc": 0.1,
    "ceiling_soc": 0.9,
    "spill_soc": 0.9,
}
# Of a code without words the code is said.
REASON = {"code": "hold", "text": "hold"}


def describe_plan(
    plan_id: str, start: datetime, setpoints: Sequence[BatterySetpoint], *, soc: float = 0.5
) -> PlanReply:
    """A plan of one battery, issued at its start, which stays as full as it is."""
    flows = {"battery": {"charge_kwh": 0, "discharge_kwh": 0, "soc_end": soc}}
    slots = [
        FLOWS
        | {"start": start + place * SLOT, "mode": "hold", "reason": REASON, "batteries": flows}
        for place in range(len(setpoints))
    ]
    told = {
        "battery": {
            name: [getattr(each, name) or LIMITS.get(name) for each in setpoints]
            for name in BatterySetpoint.model_fields
        }
    }
    cost = {"total": 1.0, "import": 1.0, "export": 0.0, "wear": 0.0}
    about = {
        "site": "home",
        "timezone": "UTC",
        "currency": "EUR",
        "slot_minutes": 15,
        "issued_at": start,
        "setpoints": told,
    }
    return PlanReply.model_validate(
        {
            "plan_id": plan_id,
            "status": "optimal",
            "gap": 0,
            "cost": cost,
            "timing_ms": {},
            "slots": slots,
        }
        | about
    )


def store_plan(
    connection: Connection,
    site_id: str,
    plan: PlanReply,
    *,
    request: PlanRequest | None = None,
    inputs_digest: str = "",
) -> None:
    """Store a plan of English words, made by hand or changed since it was made, as made from
    ``request``, else from the example's.
    """
    row = plans.PlanRow.of(
        as_columns(plan),
        site_id=site_id,
        inputs_digest=inputs_digest,
        inputs=write_inputs(request) if request else _example_inputs(),
    )
    plans.write(connection, [row])


@cache
def _example_inputs() -> bytes:
    return write_inputs(PlanRequest.model_validate_json(EXAMPLE.read_text(encoding="utf-8")))


def as_columns(plan: PlanReply) -> PlanColumns:
    """A plan with its slots as columns: all of it that the planner writes but words, which are said
    anew where it is read.
    """
    columns = _list_columns(plan.slots, without=("reason", *_SECTIONS)) | {
        "language": "en",
        "reason": _list_reasons([slot.reason for slot in plan.slots]),
    }
    for section in _SECTIONS:
        flows = [getattr(slot, section) for slot in plan.slots]
        columns[section] = {name: _list_flows([each[name] for each in flows]) for name in flows[0]}
    return PlanColumns(plan.model_copy(update={"slots": []}), columns)


def _list_flows(flows: Sequence[StrictModel]) -> Columns:
    columns = _list_columns(flows, without=("reason",))
    reasons = [getattr(flow, "reason", None) for flow in flows]
    return columns | ({"reason": _list_reasons(reasons)} if any(reasons) else {})


def _list_columns(rows: Sequence[StrictModel], *, without: Sequence[str]) -> Columns:
    return {
        name: [getattr(row, name) for row in rows]
        for name in type(rows[0]).model_fields
        if name not in without
    }


def _list_reasons(reasons: Sequence[ReasonReply | None]) -> Columns:
    said = [{"code": each.code, "figures": each.figures} for each in reasons if each]
    limits = [[_CODES[name] for name in each.binding] if each else [] for each in reasons]
    places = iter(range(len(said)))
    evidence = ReasonReply.model_fields.keys() - {"code", "text", "short", "figures", "binding"}
    beside: dict[str, Any] = {
        name: [getattr(each, name, None) for each in reasons] for name in evidence
    }
    told = [next(places) if each else None for each in reasons]
    return beside | {
        "told": told,
        "said": said,
        "binding": list(range(len(reasons))),
        "limits": limits,
    }
