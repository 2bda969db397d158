"""The form in which a plan is kept, of which its readers see nothing: columns over its slots, with the request it was made from beside, both compressed."""

import zlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from pydantic_core import to_json

from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.columns import Fields, PlanColumns, list_slots, parse_columns
from luna.contracts.plan.request import parse_inputs
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray, Timeline, align_each

OF_BATTERIES = ("charge_kwh", "discharge_kwh")
# A tenth of the time of the usual level, for a fifth more room.
_LEVEL = 1


def pack_reply(plan: PlanColumns) -> bytes:
    """Return a plan as it is kept in ``packed_reply``."""
    return zlib.compress(plan.write(), _LEVEL)


def pack_inputs(inputs: bytes) -> bytes:
    """Return a complete request, as ``write_inputs`` writes it, as it is kept in ``packed_inputs``."""
    return zlib.compress(inputs, _LEVEL)


def unpack(packed: bytes) -> Fields:
    """Return a packed plan: its head with its columns as ``slots``.

    Raises:
        UnreadableError: it is not stored whole, or another release's.
    """
    plan = parse_columns(_decompress(packed))
    if missing := {"plan_id", "slot_minutes", "slots"} - plan.keys():
        raise refuse("plan-of-other-release", names=tuple(sorted(missing)))
    return plan


def unpack_inputs(packed: bytes) -> Fields:
    """Return the fields of a packed request.

    Raises:
        UnreadableError: it is not stored whole.
    """
    return parse_inputs(_decompress(packed))


def _decompress(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error as error:
        raise refuse("plan-not-whole") from error


def list_fields(packed: bytes) -> Fields:
    """Return a packed plan as it was answered."""
    plan = unpack(packed)
    return plan | {"slots": list_slots(plan)}


def write_text(packed: bytes) -> str:
    """Return a packed plan as it was answered, as JSON."""
    return to_json(list_fields(packed)).decode()


def read_reply(packed: bytes, *, until: datetime | None = None) -> PlanReply:
    """Return a packed plan; ``until``: of its slots those alone that begin by then, the first one in any case."""
    plan = unpack(packed)
    end = None if until is None else max((until - datetime.fromisoformat(plan["slots"]["start"][0])) // timedelta(minutes=plan["slot_minutes"]), 0) + 1
    return PlanReply.model_validate(plan | {"slots": list_slots(plan, end=end)})


def read_inputs(packed: bytes) -> PlanRequest:
    """Return the complete request that a plan was made from, unpacked."""
    return PlanRequest.model_validate(unpack_inputs(packed))


def read_columns(packed: bytes, names: Collection[str], timeline: Timeline) -> dict[str, FloatArray]:
    """Return values of a packed plan's slots on quarter-hours, NaN where there is none; ``OF_BATTERIES`` are those of all batteries."""
    plan = unpack(packed)
    if plan["slot_minutes"] != timeline.step.total_seconds() / 60:
        return {name: np.full(timeline.count, np.nan) for name in names}
    columns = plan["slots"]
    starts = np.array([start.removesuffix("Z") for start in columns["start"]], dtype="M8[s]")
    return align_each(starts, {name: _read_values(columns, name, starts.size) for name in names}, timeline)


def _read_values(columns: Mapping[str, Any], name: str, count: int) -> FloatArray:
    if name in OF_BATTERIES:
        flows: FloatArray = np.array([battery[name] for battery in columns["batteries"].values()], dtype=np.float64).reshape(-1, count)
        return np.asarray(flows.sum(axis=0))
    return np.array(columns.get(name, [np.nan] * count), dtype=np.float64)
