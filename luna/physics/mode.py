"""What a battery and PV may be told: modes, and set-points made of them."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from luna.timeline import FloatArray

IntArray = NDArray[np.int8]


class Mode(IntEnum):
    """What a battery follows inside a slot; the table stands in docs/architecture.md."""

    SELF_CONSUMPTION = 0
    SAVE = 1
    SUPPLY = 2
    HOLD = 3
    CHARGE = 4
    EXPORT = 5

    @property
    def word(self) -> str:
        """The mode's name on the outside."""
        return self.name.lower()


# By mode: is PV surplus stored, is the load served?
STORES = np.array([True, True, False, False, True, False])
SERVES = np.array([True, False, True, False, False, True])


class Curtailment(IntEnum):
    """How PV is held back: not at all, instead of exporting it, or altogether (importing is paid)."""

    NONE = 0
    EXPORT = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class SetPoint:
    """What batteries and PV are told for one slot; a mode with limits, not a number.

    ``power_kw`` bounds exchange with the grid in the modes charge and export; ``target_soc`` is where that exchange ends.
    Storing surplus ends at ``ceiling_soc``, serving the load at ``floor_soc``. In every mode, surplus that the connection cannot take is
    stored up to ``spill_soc`` before it is held back. Arrays have shape ``(batteries, sites)``; ``curtailment`` and ``pv_limit_kw``, what PV
    may produce at most, have shape ``(sites,)``.
    """

    mode: IntArray
    power_kw: FloatArray
    target_soc: FloatArray
    floor_soc: FloatArray
    ceiling_soc: FloatArray
    spill_soc: FloatArray
    curtailment: IntArray
    pv_limit_kw: FloatArray
