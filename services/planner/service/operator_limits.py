"""Bring the stored limits of a site's grid operator into the outlook of its plan."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from luna.contracts.plan import Assumption, OutlookMessage
from luna.energy.operator_limits import OperatorLimit, limit_slots
from luna.energy.timeline import SLOT, FloatArray, Timeline

# Decimals of the limits in a plan's request, kW.
_DIGITS = 6
# A plan names the first of its limits; all of them count.
_MOST_NOTES = 6


def limit_outlook(
    outlook: OutlookMessage,
    limits: Sequence[OperatorLimit],
    *,
    start: datetime,
    stated: OutlookMessage | None = None,
) -> OutlookMessage:
    """Return the outlook under stored limits and those that a request states.

    Args:
        outlook: load and PV from ``start`` on, in quarter-hours.
        limits: those that hold at any time from ``start`` on.
        start: of the plan.
        stated: of the request; the stricter of its limits and the stored ones holds.
    """
    slots = limit_slots(
        limits,
        Timeline(start, SLOT, len(outlook.load_kwh)),
        load_kwh=np.array(outlook.load_kwh),
        pv_kwh=np.array(outlook.pv_kwh),
    )
    import_kw = slots.import_kw
    export_kw = slots.export_kw
    if stated is not None:
        import_kw = _take_stricter(import_kw, stated.import_limit_kw)
        export_kw = _take_stricter(export_kw, stated.export_limit_kw)
    changed = {"import_limit_kw": _describe(import_kw), "export_limit_kw": _describe(export_kw)}
    return outlook.model_copy(update=changed)


def note_limits(limits: Sequence[OperatorLimit]) -> list[Assumption]:
    """Return notes on the first limits that a plan keeps."""
    notes = []
    for limit in limits:
        if limit.import_kw is not None:
            code = "limited_devices" if limit.scope == "devices" else "limited_import"
            notes.append(_note(code, limit, limit.import_kw))
        if limit.export_kw is not None:
            notes.append(_note("limited_export", limit, limit.export_kw))
    return notes[:_MOST_NOTES]


def _note(code: str, limit: OperatorLimit, power_kw: float) -> Assumption:
    figures = {
        "kw": power_kw,
        "at": limit.start.isoformat(),
        "until": None if limit.end is None else limit.end.isoformat(),
    }
    return Assumption(code=code, figures=figures)


def _take_stricter(most_kw: FloatArray, stated_kw: Sequence[float | None] | None) -> FloatArray:
    """Return the lower of both limits by slot; the stated ones may be fewer or more."""
    stricter_kw = most_kw.copy()
    for slot, limit_kw in enumerate((stated_kw or ())[: most_kw.size]):
        if limit_kw is not None:
            stricter_kw[slot] = min(stricter_kw[slot], limit_kw)
    return stricter_kw


def _describe(most_kw: FloatArray) -> list[float | None] | None:
    """Return limits as a request holds them: None for a slot without one, or without any."""
    if np.isinf(most_kw).all():
        return None
    return [round(limit, _DIGITS) if np.isfinite(limit) else None for limit in most_kw.tolist()]
