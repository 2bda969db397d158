"""Battery modes, PV curtailment, and the set-point that combines them."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray

IntArray = NDArray[np.int8]
BoolArray = NDArray[np.bool_]


class Mode(IntEnum):
    """The control mode of a battery in a slot; docs/architecture.md has the table."""

    SELF_CONSUMPTION = 0
    SAVE = 1
    SUPPLY = 2
    HOLD = 3
    CHARGE = 4
    EXPORT = 5

    @property
    def word(self) -> str:
        """The mode's name in messages and files."""
        return self.name.lower()


# The modes as plain integers: NumPy handles them four times as fast as members of an enumeration.
SELF_CONSUMPTION, SAVE, SUPPLY, HOLD, CHARGE, EXPORT = (int(mode) for mode in Mode)


def trades(mode: IntArray) -> BoolArray:
    """Return whether a mode exchanges energy between battery and grid."""
    trading: BoolArray = mode >= CHARGE
    return trading


def buys(mode: IntArray) -> BoolArray:
    """Return whether a mode charges from the grid."""
    buying: BoolArray = mode == CHARGE
    return buying


def sells(mode: IntArray) -> BoolArray:
    """Return whether a mode discharges to the grid."""
    selling: BoolArray = mode == EXPORT
    return selling


def stores(mode: IntArray) -> BoolArray:
    """Return whether a mode stores PV surplus."""
    storing: BoolArray = (mode <= SAVE) | (mode == CHARGE)
    return storing


def serves(mode: IntArray) -> BoolArray:
    """Return whether a mode serves the load."""
    serving: BoolArray = (mode == SUPPLY) | (mode == EXPORT) | (mode < SAVE)
    return serving


_ALL_MODES = np.array(Mode, dtype=np.int8)
STORES = stores(_ALL_MODES)
SERVES = serves(_ALL_MODES)


class Curtailment(IntEnum):
    """Curtailment of PV: none, only of feed-in, or all of it (where importing is paid)."""

    NONE = 0
    EXPORT = 1
    ALL = 2


_NO_EXPORT = int(Curtailment.EXPORT)
_OFF = int(Curtailment.ALL)


def holds_export_back(curtailment: IntArray) -> BoolArray:
    """Return whether PV is curtailed instead of fed in."""
    holding: BoolArray = curtailment == _NO_EXPORT
    return holding


def holds_all_back(curtailment: IntArray) -> BoolArray:
    """Return whether PV is off."""
    holding: BoolArray = curtailment == _OFF
    return holding


@dataclass(frozen=True, slots=True)
class SetPoint:
    """The set-point of batteries and PV for one slot: a mode with limits, not a power.

    ``power_kw`` bounds exchange with the grid in the modes charge and export; ``target_soc`` is
    where that exchange ends. Storing surplus ends at ``ceiling_soc``, serving the load at
    ``floor_soc``. In every mode, surplus that the connection cannot take is stored up to
    ``spill_soc`` before it is curtailed. Arrays have shape ``(batteries, sites)``; ``curtailment``
    and ``pv_limit_kw``, the highest PV power, ``(sites,)``.
    """

    mode: IntArray
    power_kw: FloatArray
    target_soc: FloatArray
    floor_soc: FloatArray
    ceiling_soc: FloatArray
    spill_soc: FloatArray
    curtailment: IntArray
    pv_limit_kw: FloatArray
