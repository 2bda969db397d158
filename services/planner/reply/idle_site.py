"""Reasons of a site without batteries."""

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.reply.evidence import DECIMALS, Evidence
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.reply.reason_columns import CodedReason, ReasonColumns


def explain_idle(evidence: Evidence) -> ReasonColumns:
    """Return the reasons of a site without batteries."""
    reasons = _list_idle_reasons(evidence)
    places = {reason: place for place, reason in enumerate(dict.fromkeys(reasons))}
    distinct: list[CodedReason] = []
    for code, fee in places:
        distinct.append((code, {} if fee is None else {"fee": fee}))
    return ReasonColumns.plain(np.array([places[reason] for reason in reasons]), distinct)


def _list_idle_reasons(evidence: Evidence) -> list[tuple[str, float | None]]:
    """Return the code of each slot, and what the grid pays or charges."""
    curtailed = evidence.flows.curtailed_kwh > NOTHING_KWH
    is_off = (curtailed & evidence.short & np.isfinite(evidence.grid_pays)).tolist()
    is_held_back = (curtailed & evidence.holds_back).tolist()
    reasons: list[tuple[str, float | None]] = []
    for slot in range(evidence.slots):
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
