"""Appliances that may take PV surplus alone, in the mixed-integer model: together they take no more than there is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luna.physics import BoolArray
from luna.timeline import FloatArray
from services.planner.model.solver import Indices, ModelBuilder


@dataclass(frozen=True, slots=True)
class Taker:
    """What uses energy: its columns, kWh per slot for each at 1, the most they are, and the slots in which it may take surplus alone."""

    columns: Indices
    kwh: FloatArray
    most: FloatArray
    bound: BoolArray


def share_surplus(builder: ModelBuilder, takers: Sequence[Taker], surplus_kwh: FloatArray) -> None:
    """Keep takers within the surplus, where there are several; what one may take alone is in its bounds."""
    wanted = np.array([taker.kwh * taker.most * taker.bound for taker in takers]).reshape(-1, surplus_kwh.size)
    crowded = np.flatnonzero(((wanted > 0).sum(axis=0) > 1) & (wanted.sum(axis=0) > surplus_kwh + 1e-9))
    if not crowded.size:
        return
    rows = builder.add_rows(np.full(crowded.size, -np.inf), surplus_kwh[crowded], [])
    for taker, most in zip(takers, wanted, strict=True):
        takes = most[crowded] > 0
        builder.add_entries(rows[takes], taker.columns[crowded][takes], taker.kwh[crowded][takes])
