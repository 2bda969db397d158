"""Store plans as compressed columns over the slots, beside their compressed requests."""

import zlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from pydantic_core import to_json

from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.columns import Fields, PlanColumns, list_slots, parse_columns
from luna.contracts.plan.request_bytes import parse_inputs
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray, Timeline, align_each

OF_BATTERIES = ("charge_kwh", "discharge_kwh")
# Ten times as fast as the default level, for a fifth more space.
_LEVEL = 1


def pack_reply(plan: PlanColumns) -> bytes:
    """Return a plan in the form of ``packed_reply``."""
    return zlib.compress(plan.write(), _LEVEL)


def change_head(packed: bytes, **fields: Any) -> bytes:
    """Return a packed plan with other fields of its head."""
    return zlib.compress(to_json(unpack(packed) | fields), _LEVEL)


def pack_inputs(inputs: bytes) -> bytes:
    """Return a request from ``write_inputs`` in the form of ``packed_inputs``."""
    return zlib.compress(inputs, _LEVEL)


def unpack(packed: bytes) -> Fields:
    """Unpack a plan: its head, and its columns as ``slots``.

    Raises:
        UnreadableError: it is damaged, or of another release.
    """
    plan = parse_columns(_decompress(packed))
    if missing_keys := {"plan_id", "slot_minutes", "slots"} - plan.keys():
        raise refuse("plan-of-other-release", names=tuple(sorted(missing_keys)))
    return plan


def unpack_inputs(packed: bytes) -> Fields:
    """Unpack the fields of a request.

    Raises:
        UnreadableError: it is damaged.
    """
    return parse_inputs(_decompress(packed))


def _decompress(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error as error:
        raise refuse("plan-not-whole") from error


def list_fields(packed: bytes) -> Fields:
    """Return the fields of a packed plan's reply."""
    plan = unpack(packed)
    return plan | {"slots": list_slots(plan)}


def write_text(packed: bytes) -> str:
    """Return a packed plan's reply as JSON."""
    return to_json(list_fields(packed)).decode()


def read_reply(packed: bytes, *, until: datetime | None = None) -> PlanReply:
    """Return a packed plan's reply.

    ``until`` drops slots that start later, except the first one.
    """
    plan = unpack(packed)
    end: int | None = None
    if until is not None:
        slot_length = timedelta(minutes=plan["slot_minutes"])
        until_slot = (until - datetime.fromisoformat(plan["slots"]["start"][0])) // slot_length
        end = max(until_slot, 0) + 1
    return PlanReply.model_validate(plan | {"slots": list_slots(plan, end=end)})


def read_inputs(packed: bytes) -> PlanRequest:
    """Return the packed request of a plan."""
    return PlanRequest.model_validate(unpack_inputs(packed))


def read_columns(
    packed: bytes, names: Collection[str], timeline: Timeline
) -> dict[str, FloatArray]:
    """Return slot columns of a packed plan on quarter-hours, NaN where there is none.

    ``OF_BATTERIES`` are sums over all batteries; ``section:device:column`` is of one device.
    """
    plan = unpack(packed)
    if plan["slot_minutes"] != timeline.step.total_seconds() / 60:
        return {name: np.full(timeline.count, np.nan) for name in names}
    columns = plan["slots"]
    starts = np.array([start.removesuffix("Z") for start in columns["start"]], dtype="M8[s]")
    return align_each(
        starts, {name: _read_values(columns, name, starts.size) for name in names}, timeline
    )


def _read_values(columns: Mapping[str, Any], name: str, count: int) -> FloatArray:
    if name in OF_BATTERIES:
        flows: FloatArray = np.array(
            [battery[name] for battery in columns["batteries"].values()], dtype=np.float64
        ).reshape(-1, count)
        return np.asarray(flows.sum(axis=0))
    section, _, of_device = name.partition(":")
    if of_device:
        device, _, name = of_device.rpartition(":")
        columns = columns.get(section, {}).get(device, {})
    return np.array(columns.get(name, [np.nan] * count), dtype=np.float64)
