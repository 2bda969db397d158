"""Wear by depth in the mixed-integer model: a battery's storage in segments, each with its own price on what is taken out."""

import numpy as np

from luna.site import Battery
from luna.timeline import FloatArray
from luna.wear import DepthSegments
from services.planner.model.solver import Indices, ModelBuilder, Term


def add_depth(builder: ModelBuilder, battery: Battery, columns: Indices, *, stored_kwh: float) -> None:
    """Split what is stored and discharged into segments. Because what lies deeper is no cheaper, the shallowest go first without any binary.

    The battery's storage row stays as it is, so its dual is the worth of a kWh that comes in: into the shallowest segment with room.

    Args:
        columns: charge, discharge and stored energy of the battery, as rows of slots.
        stored_kwh: at the start.
    """
    _, discharge, stored = columns
    segments = DepthSegments.of(battery)
    begin = np.diff(segments.fill(np.array(stored_kwh)), prepend=0.0)
    held: list[Term] = [(stored, -1.0)]
    taken: list[Term] = [(discharge, -1.0 / battery.discharge_efficiency)]
    for width, price, first in zip(segments.width_kwh, segments.price, begin, strict=True):
        inside, put_in, taken_out = (builder.add_columns(stored.size, cost=cost, upper=width) for cost in (0.0, 0.0, price))
        before: FloatArray = np.zeros(stored.size)
        before[0] = first
        builder.add_rows(before, before, [(inside, 1.0), (inside[:-1], -1.0), (put_in, -1.0), (taken_out, 1.0)])
        held.append((inside, 1.0))
        taken.append((taken_out, 1.0))
    nothing = np.zeros(stored.size)
    builder.add_rows(nothing, nothing, held)
    builder.add_rows(nothing, nothing, taken)
