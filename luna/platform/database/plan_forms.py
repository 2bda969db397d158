"""The two forms in which a plan is kept, of which its readers see nothing: documents as they were answered, and compressed columns and numbers.

Who reads plans of the version before reads documents alone; what is asked for a stored site by itself is therefore kept as such, what the clock asks for,
or drives nothing, as columns.
"""

import zlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np
from pydantic_core import to_json

from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.columns import Fields, PlanColumns, list_slots, parse_columns
from luna.contracts.plan.inputs import parse_inputs
from luna.energy.timeline import FloatArray, Timeline, align_each
from luna.platform.database.schema.plans import plan_history

REPLY = (plan_history.c.reply, plan_history.c.packed_reply)
INPUTS = (plan_history.c.inputs, plan_history.c.packed_inputs)
OF_BATTERIES = ("charge_kwh", "discharge_kwh")
# A tenth of the time of the usual level, for a fifth more room.
_LEVEL = 1


class ReplyRow(Protocol):
    """A row of ``REPLY``."""

    reply: Fields | None
    packed_reply: bytes | None


class InputsRow(Protocol):
    """A row of ``INPUTS``."""

    inputs: Fields | None
    packed_inputs: bytes | None


def pack_reply(plan: PlanColumns) -> bytes:
    """Return a plan as it is kept in ``packed_reply``."""
    return zlib.compress(plan.write(), _LEVEL)


def pack_inputs(inputs: bytes) -> bytes:
    """Return a complete request, as ``write_inputs`` writes it, as it is kept in ``packed_inputs``."""
    return zlib.compress(inputs, _LEVEL)


def unpack(packed: bytes) -> Fields:
    """Return a packed plan: its head with its columns as ``slots``."""
    return parse_columns(zlib.decompress(packed))


def unpack_inputs(packed: bytes) -> Fields:
    """Return the fields of a packed request."""
    return parse_inputs(zlib.decompress(packed))


def list_fields(packed: bytes) -> Fields:
    """Return a packed plan as it was answered."""
    plan = unpack(packed)
    return plan | {"slots": list_slots(plan)}


def write_text(packed: bytes) -> str:
    """Return a packed plan as it was answered, as JSON."""
    return to_json(list_fields(packed)).decode()


def read_reply(row: ReplyRow, *, until: datetime | None = None) -> PlanReply:
    """Return a plan; ``until``: of its slots those alone that begin by then, the first one in any case."""
    if until is None:
        return PlanReply.model_validate(row.reply if row.packed_reply is None else list_fields(row.packed_reply))
    if row.packed_reply is None:
        plan = row.reply or {}
        return PlanReply.model_validate(plan | {"slots": plan["slots"][: _count_begun(plan, plan["slots"][0]["start"], until)]})
    plan = unpack(row.packed_reply)
    return PlanReply.model_validate(plan | {"slots": list_slots(plan, end=_count_begun(plan, plan["slots"]["start"][0], until))})


def _count_begun(plan: Fields, first: str, until: datetime) -> int:
    return max((until - datetime.fromisoformat(first)) // timedelta(minutes=plan["slot_minutes"]), 0) + 1


def read_inputs(row: InputsRow) -> PlanRequest | None:
    """Return the complete request that a plan was made from; None where it was not kept."""
    document = row.inputs if row.packed_inputs is None else unpack_inputs(row.packed_inputs)
    return None if document is None else PlanRequest.model_validate(document)


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
