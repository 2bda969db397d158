"""Slots whose measurements were changed by control, or by an operator's limit.

Curtailed PV and scheduled or dimmed loads say nothing about possible PV or usual load.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luna.energy.devices import DEVICE_KINDS
from luna.energy.operator_limits import OperatorLimit
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, InstantArray, Timeline


@dataclass(frozen=True, slots=True)
class Steering:
    """The controlled slots, by their starts in UTC; a slot may occur more than once.

    Args:
        pv_starts: slots with limited PV.
        pv_limit_kwh: by slot of ``pv_starts``: zero where PV was off, infinite where only feed-in
            was curtailed.
        load_starts: slots in which a load without a meter of its own ran by a plan, an order or an
            owner's block, or was dimmed for an operator's limit.
    """

    pv_starts: InstantArray
    pv_limit_kwh: FloatArray
    load_starts: InstantArray


_NONE: InstantArray = np.empty(0, dtype="datetime64[s]")
NO_STEERING = Steering(_NONE, np.empty(0), _NONE)


def mark_dimmed(limits: Iterable[OperatorLimit], timeline: Timeline) -> NDArray[np.bool_]:
    """Return the slots in which an operator limited what may be drawn, shape ``(slots,)``.

    Devices may have drawn less than they were planned to, without a fault of theirs.
    """
    dimmed = np.zeros(timeline.count, dtype=np.bool_)
    for limit in limits:
        begin = max(limit.start, timeline.start)
        end = timeline.end if limit.end is None else min(limit.end, timeline.end)
        if limit.import_kw is not None and begin < end:
            dimmed |= timeline.overlap_hours(begin, end) > 0
    return dimmed


def is_metered_apart(site: Site, key: str) -> bool:
    """Return whether a device is submetered, apart from the house load.

    ``key`` is its key in the control log.
    """
    for kind in DEVICE_KINDS:
        if not kind.commands or not kind.consumption.meter:
            continue
        for device in kind.of(site):
            if kind.commands.key(device.name) != key:
                continue
            role = kind.consumption.meter(device)
            if role is not None and getattr(site.input_sensors, role):
                return True
    return False
