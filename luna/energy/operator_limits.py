"""Limits that a grid operator sets for a while, and what follows from them.

A limit holds at the meter of the connection, or for the controllable devices together, as § 14a of
the German Energy Industry Act has it. Devices may use a home's own production on top of theirs.
Where several limits hold at once, the strictest counts, whoever sent them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np

from luna.energy.outlook import Outlook
from luna.energy.timeline import FloatArray, Timeline

# "devices": the controllable devices together; "connection": all that the meter counts.
LimitScope = Literal["devices", "connection"]

# Source: Bundesnetzagentur, BK6-22-300, annex 1, 4.5.2: the least that an operator has to leave.
_LEAST_OF_ONE_KW = 4.2
_LARGE_KW = 11.0
_LEAST_SHARE_OF_LARGE = 0.4
# By the number of devices, from two on; nine and more share the last factor.
_SIMULTANEITY = (0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.50, 0.45)


@dataclass(frozen=True, slots=True)
class OperatorLimit:
    """A limit from ``start`` until before ``end``; without an end it holds until it is released.

    Args:
        limit_id: names the limit within its site.
        start: the first instant at which it holds.
        end: the first instant at which it holds no longer.
        import_kw: the most that may be drawn; None: not limited.
        export_kw: the most that may be fed in at the meter; None: not limited.
        scope: what ``import_kw`` counts.
        source: the way it came, such as api, mqtt, contact, lpc or openadr.
        acknowledged_at: when a device first followed it; None: not yet.
    """

    limit_id: str
    start: datetime
    end: datetime | None
    import_kw: float | None
    export_kw: float | None
    scope: LimitScope
    source: str
    acknowledged_at: datetime | None = None

    def holds_at(self, at: datetime) -> bool:
        """Return whether the limit holds at an instant."""
        return self.start <= at and (self.end is None or at < self.end)

    def overlaps(self, begin: datetime, end: datetime) -> bool:
        """Return whether the limit holds at any instant from ``begin`` until before ``end``."""
        return self.start < end and (self.end is None or begin < self.end)


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """The strictest of the limits that hold at one instant; infinite where nothing limits.

    Args:
        devices_import_kw: the most that the controllable devices may draw from the grid together.
        import_kw: the most that the meter may import.
        export_kw: the most that the meter may export.
        since: the start of the limit that began first.
        sources: of all that hold, each once, the one that began first at the front.
    """

    devices_import_kw: float
    import_kw: float
    export_kw: float
    since: datetime
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SlotLimits:
    """The most that the meter may import and export, by slot.

    Arrays of shape ``(slots,)``, kW; infinite where nothing limits.
    """

    import_kw: FloatArray
    export_kw: FloatArray


def narrow_outlook(
    outlook: Outlook, limits: Sequence[OperatorLimit], *, known_at: datetime
) -> Outlook:
    """Return the outlook under the limits that have begun at ``known_at``.

    Nobody knows of later ones then.
    """
    begun = [limit for limit in limits if limit.start <= known_at]
    if not begun:
        return outlook
    slots = limit_slots(begun, outlook.timeline, load_kwh=outlook.load_kwh, pv_kwh=outlook.pv_kwh)
    return replace(outlook, import_limit_kw=slots.import_kw, export_limit_kw=slots.export_kw)


def find_in_force(limits: Iterable[OperatorLimit], at: datetime) -> LimitInForce | None:
    """Return the strictest of the limits that hold at an instant, or None if none does.

    Invariants: the order of the limits does not matter.
    """
    holding = [limit for limit in limits if limit.holds_at(at)]
    return _combine(holding) if holding else None


def limit_slots(
    limits: Sequence[OperatorLimit],
    timeline: Timeline,
    *,
    load_kwh: FloatArray,
    pv_kwh: FloatArray,
) -> SlotLimits:
    """Return what limits leave for the meter, by slot.

    A slot that a limit covers in part is limited as a whole. A limit without an end holds until
    the last slot: nothing that has to be done in time may rest on a release nobody announced.

    Args:
        limits: in any order.
        timeline: of the slots.
        load_kwh: of the house without its controllable devices, shape ``(slots,)``.
        pv_kwh: own production, shape ``(slots,)``.
    """
    import_kw = np.full(timeline.count, np.inf)
    devices_kw = np.full(timeline.count, np.inf)
    export_kw = np.full(timeline.count, np.inf)
    for limit in limits:
        begin = max(limit.start, timeline.begin)
        end = timeline.end if limit.end is None else min(limit.end, timeline.end)
        if begin >= end:
            continue
        covered = timeline.overlap_hours(begin, end) > 0
        imported_kw = devices_kw if limit.scope == "devices" else import_kw
        if limit.import_kw is not None:
            imported_kw[covered] = np.minimum(imported_kw[covered], limit.import_kw)
        if limit.export_kw is not None:
            export_kw[covered] = np.minimum(export_kw[covered], limit.export_kw)
    most_kw = meter_import_kw(
        import_kw, devices_kw, house_kw=load_kwh / timeline.hours, pv_kw=pv_kwh / timeline.hours
    )
    return SlotLimits(np.asarray(most_kw), export_kw)


def meter_import_kw(
    import_kw: FloatArray | float,
    devices_import_kw: FloatArray | float,
    *,
    house_kw: FloatArray | float,
    pv_kw: FloatArray | float,
) -> FloatArray | float:
    """Return the most that the meter may import under both kinds of limits.

    Beside what devices may draw, the house draws what its own production does not cover. Devices
    may use production that the house leaves, and what a battery gives, on top.

    Args:
        import_kw: limit of the meter.
        devices_import_kw: limit of the controllable devices together.
        house_kw: load of the house without its controllable devices.
        pv_kw: own production.
    """
    uncovered_kw = np.maximum(np.subtract(house_kw, pv_kw), 0.0)
    return np.minimum(import_kw, np.add(devices_import_kw, uncovered_kw))


def least_import_kw(
    devices: int, *, heat_pumps_kw: float = 0.0, air_conditioners_kw: float = 0.0
) -> float:
    """Return the least that an operator has to leave to controllable devices together.

    Source: Bundesnetzagentur, BK6-22-300, annex 1, 4.5.2 (steering by an energy manager).

    Args:
        devices: how many controllable devices the connection has; heat pumps count as one, and so
            do air conditioners.
        heat_pumps_kw: connected load of all heat pumps with their heating rods.
        air_conditioners_kw: connected load of all room coolers.
    """
    if devices < 1:
        return 0.0
    largest_kw = max(heat_pumps_kw, air_conditioners_kw)
    first_kw = _LEAST_OF_ONE_KW
    if largest_kw > _LARGE_KW:
        first_kw = _LEAST_SHARE_OF_LARGE * largest_kw
    if devices == 1:
        return first_kw
    simultaneity = _SIMULTANEITY[min(devices - 2, len(_SIMULTANEITY) - 1)]
    return first_kw + (devices - 1) * simultaneity * _LEAST_OF_ONE_KW


def _combine(holding: Sequence[OperatorLimit]) -> LimitInForce:
    devices_import_kw = math.inf
    import_kw = math.inf
    export_kw = math.inf
    for limit in holding:
        if limit.import_kw is not None and limit.scope == "devices":
            devices_import_kw = min(devices_import_kw, limit.import_kw)
        if limit.import_kw is not None and limit.scope == "connection":
            import_kw = min(import_kw, limit.import_kw)
        if limit.export_kw is not None:
            export_kw = min(export_kw, limit.export_kw)
    ordered = sorted(holding, key=_by_start)
    return LimitInForce(
        devices_import_kw=devices_import_kw,
        import_kw=import_kw,
        export_kw=export_kw,
        since=ordered[0].start,
        sources=tuple(dict.fromkeys(limit.source for limit in ordered)),
    )


def _by_start(limit: OperatorLimit) -> tuple[datetime, str]:
    return limit.start, limit.source
