"""Reasons of a site without batteries."""

import numpy as np

from services.planner.reply.evidence import DECIMALS, Evidence
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.reply.reason_columns import CodedReason, ReasonColumns


def explain_idle(evidence: Evidence) -> ReasonColumns:
    """Return the reasons of a site without batteries."""
    reasons = _list_idle_reasons(evidence)
    places = {reason: place for place, reason in enumerate(dict.fromkeys(reasons))}
    distinct: list[CodedReason] = [(code, dict(figures)) for code, figures in places]
    return ReasonColumns.plain(np.array([places[reason] for reason in reasons]), distinct)


def _list_idle_reasons(evidence: Evidence) -> list[tuple[str, tuple[tuple[str, float], ...]]]:
    """Return the code and the figures of each slot."""
    curtailed = evidence.flows.curtailed_kwh > NOTHING_KWH
    is_off = (curtailed & evidence.short & np.isfinite(evidence.grid_pays)).tolist()
    is_held_back = (curtailed & evidence.holds_back).tolist()
    reasons: list[tuple[str, tuple[tuple[str, float], ...]]] = []
    for slot in range(evidence.slots):
        if is_off[slot]:
            reasons.append(("solar_limited", _read_figure("paid", evidence.grid_pays[slot])))
        elif is_held_back[slot]:
            reasons.append(("solar_limited", _read_figure("fee", evidence.fee[slot])))
        else:
            reasons.append(("no_battery", ()))
    return reasons


def _read_figure(name: str, price: float) -> tuple[tuple[str, float], ...]:
    """Return a price under its name, or nothing where it is unknown."""
    return ((name, round(float(price), DECIMALS)),) if np.isfinite(price) else ()
