"""Reasons of sites without batteries."""

from collections.abc import Iterator

import numpy as np

from luna.energy.timeline import FloatArray, IndexArray
from services.planner.reply.evidence import DECIMALS, Evidence
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.reply.reason_columns import CodedReason


def explain_idle(evidence: Evidence) -> Iterator[tuple[IndexArray, list[CodedReason]]]:
    """Yield the reasons of sites without batteries: each slot's index and the distinct reasons."""
    reasons = _list_idle_reasons(evidence)
    for first in range(0, len(reasons), evidence.slots):
        own = reasons[first : first + evidence.slots]
        places = {reason: place for place, reason in enumerate(dict.fromkeys(own))}
        distinct: list[CodedReason] = []
        for code, fee in places:
            distinct.append((code, {} if fee is None else {"fee": fee}))
        yield np.array([places[reason] for reason in own]), distinct


def _list_idle_reasons(evidence: Evidence) -> list[tuple[str, float | None]]:
    """Return the code of each slot, and what the grid pays or charges."""
    curtailed = evidence.flows.curtailed_kwh > NOTHING_KWH
    is_off = (curtailed & evidence.short & np.isfinite(evidence.grid_pays)).tolist()
    is_held_back = (curtailed & evidence.holds_back).tolist()
    reasons: list[tuple[str, float | None]] = []
    for slot in range(evidence.first.size):
        if is_off[slot]:
            reasons.append(("idle_pv_off", _read_fee(evidence.grid_pays, slot)))
        elif is_held_back[slot]:
            reasons.append(("idle_held_back", _read_fee(evidence.fee, slot)))
        else:
            reasons.append(("idle_no_battery", None))
    return reasons


def _read_fee(fees: FloatArray, slot: int) -> float | None:
    fee = float(fees[slot])
    return round(fee, DECIMALS) if np.isfinite(fee) else None
