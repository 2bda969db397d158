"""Courses that load and PV may take instead of the expected one, and what each of them counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray

# Of energies, kWh: what is smaller than a tenth of a watt-hour is rounding.
COURSE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Courses:
    """Possible courses; energies of shape ``(paths, slots)``, kWh. What ``weight`` (``(paths,)``) lacks to one is the expected course's."""

    weight: FloatArray
    load_kwh: FloatArray
    pv_kwh: FloatArray

    def add_load(self, energy_kwh: FloatArray) -> "Courses":
        """Return the courses with more load, shape ``(slots,)``; what a vehicle gives is no more than the load there is."""
        return Courses(self.weight, np.maximum(self.load_kwh + energy_kwh, 0.0), self.pv_kwh)


def blend(kinds: Sequence[Courses]) -> Courses:
    """Return courses of several kinds as one: each kind counts as much as the others, and as the expected course.

    Source: docs/decisions/0020; weights tuned on one site do not carry over to the next.
    """
    weight = [kind.weight / kind.weight.sum() / (len(kinds) + 1) for kind in kinds]
    return Courses(np.concatenate(weight), np.concatenate([kind.load_kwh for kind in kinds]), np.concatenate([kind.pv_kwh for kind in kinds]))


def shift_days(errors: FloatArray) -> FloatArray:
    """Return errors of days as if they were independent from slot to slot: each slot takes another day's, every day as often as before.

    ``errors`` has shape ``(days, slots)``. Steps of the golden ratio leave no rhythm, and nothing is drawn at random.
    """
    days, slots = errors.shape
    step = np.floor(np.arange(slots) * (np.sqrt(5.0) - 1.0) / 2.0 % 1.0 * days).astype(np.int64)
    return np.asarray(errors[(np.arange(days)[:, None] + step) % days, np.arange(slots)])


def weigh_worse(weight: FloatArray, cost: FloatArray, risk: float) -> FloatArray:
    """Return weights that leave out the cheapest courses: the mean becomes that of the dearest ``1 − risk``, the conditional value at risk.

    The derivative of that cost by stored energy is the mean of V′ under these weights, so the rest of the planning stays as it is.
    Source: Rockafellar and Uryasev 2000.

    Args:
        weight: of each course, adding up to one.
        cost: of the best plan on each course.
        risk: 0 leaves the weights as they are, 1 counts the dearest course alone.
    """
    order = np.argsort(-cost, kind="stable")
    share = max(1.0 - risk, 1e-9)
    before = np.cumsum(weight[order]) - weight[order]
    kept = np.empty_like(weight)
    kept[order] = np.clip(share - before, 0.0, weight[order])
    return np.asarray(kept / kept.sum())
