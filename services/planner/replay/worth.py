"""What stored energy is worth at midnight, by the oracle's value of stored energy.

Source: docs/decisions/0027: a constant value per kWh needs up to 60 % more days to tell two policies apart.
"""

from collections.abc import Sequence

import numpy as np

from luna.timeline import FloatArray
from services.planner.plan import Plan
from services.planner.replay.scene import Rules
from services.planner.value.energy_value import ValueFunction
from services.planner.value.segments import FORBIDDEN_VALUE


def stored_worth(oracle: Plan, rules: Rules, slot: int, stored_kwh: Sequence[float]) -> float:
    """Return what energy stored at the end of ``slot`` is worth to who knows what comes; before the first slot where that is -1.

    Several batteries count each by its own function, the others being where the oracle has them. Where the oracle knows no function, a stored kWh
    counts as at the end of the replay.
    """
    above = np.array(stored_kwh) - rules.limits.batteries.min_kwh[:, 0]
    if not oracle.values:
        return float(rules.terminal_value * above.sum())
    return sum(_worth(value.function, slot, float(kwh)) for value, kwh in zip(oracle.values, above, strict=True))


def _worth(function: ValueFunction, slot: int, above_kwh: float) -> float:
    length, value = function.after(slot)
    # What only a limit makes priceless is no money.
    priced: FloatArray = np.where(np.abs(value) < FORBIDDEN_VALUE / 2, value, 0.0)
    begins = np.cumsum(length) - length
    return float((np.clip(above_kwh - begins, 0.0, length) * priced).sum())
