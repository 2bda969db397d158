"""Programmes in the mixed-integer model: each run has one of its starts, or is missed at a price."""

from dataclasses import dataclass

import numpy as np

from services.planner.model.solver import Indices, ModelBuilder
from services.planner.placing.ahead import LOAD_SLACK, Ahead
from services.planner.placing.programme_wish import ProgrammeWish


@dataclass(frozen=True, slots=True)
class ProgrammeColumns:
    """Where a programme stands in the model: what it uses per slot, and whether each of its runs is missed."""

    use: Indices
    missed: Indices


def add_programme(builder: ModelBuilder, wish: ProgrammeWish, ahead: Ahead) -> ProgrammeColumns:
    """Add a programme: no run is split, and what runs at the start runs on."""
    use = builder.add_columns(wish.running_kwh.size, cost=0.0, lower=wish.running_kwh, upper=wish.most_kwh)
    used = builder.add_rows(wish.running_kwh, wish.running_kwh, [(use, 1.0)])
    bound = ahead.bound(wish.load)
    missed = [np.empty(0, dtype=np.int32)]
    for run in wish.runs:
        fits = ~(run.use_kwh > np.where(bound, ahead.surplus_kwh, np.inf) + 1e-9).any(axis=1)
        starts = builder.add_columns(run.use_kwh.shape[0], cost=run.use_kwh @ ahead.tie, upper=fits.astype(float), integer=True)
        # A run that may wait beyond the horizon will cost what a kWh costs on the average.
        price = max(ahead.mean_price, 0.0) if run.open else LOAD_SLACK * ahead.dearest
        skipped = builder.add_columns(1, cost=price * wish.energy_kwh, upper=1.0)
        builder.add_sum(1.0, 1.0, [(starts, 1.0), (skipped, 1.0)])
        start, slot = np.nonzero(run.use_kwh)
        builder.add_entries(used[slot], starts[start], -run.use_kwh[start, slot])
        missed.append(skipped)
    return ProgrammeColumns(use, np.concatenate(missed))
