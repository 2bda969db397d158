"""The action spaces of the agent's policies, and conversion of actions to set-points.

These are safe only after ``physics.safety.clamp``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np

from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import (
    CHARGE,
    EXPORT,
    HOLD,
    SUPPLY,
    BoolArray,
    IntArray,
    Mode,
    SetPoint,
)
from luna.energy.timeline import FloatArray, IndexArray


class Action(IntEnum):
    """A discrete action, the same for all batteries of a site.

    Given a slot's load and PV these are all its options: surplus is stored (``COVER_LOAD``) or sold
    (``HOLD``), the load is served (``COVER_LOAD``) or bought (``HOLD``), and battery and grid
    exchange as much as limits allow (``CHARGE_FULL``, ``EXPORT``).
    """

    CHARGE_FULL = 0
    HOLD = 1
    COVER_LOAD = 2
    EXPORT = 3

    @property
    def mode(self) -> Mode:
        """The battery's mode."""
        return _MODES[self]


_MODES = {
    Action.CHARGE_FULL: Mode.CHARGE,
    Action.HOLD: Mode.HOLD,
    Action.COVER_LOAD: Mode.SELF_CONSUMPTION,
    Action.EXPORT: Mode.EXPORT,
}
# For invalid actions; no mode, so the safety layer turns it into ``hold``.
_NO_MODE = 127
ACTION_MODES = tuple(_MODES[action] for action in Action)
ALL_MODES = tuple(Mode)
# Powers of a continuous action: charge, discharge to the house, discharge to the grid.
POWERS = 3
_ANY = np.full((1, 1), np.inf)
_LEAST = np.full((1, 1), -np.inf)
_FREE = np.full(1, np.inf)


def choose_setpoint(
    actions: IndexArray,
    curtailment: IntArray,
    *,
    batteries: int,
    modes: Sequence[Mode] = ACTION_MODES,
) -> SetPoint:
    """Return the set-point of discrete actions (``(sites,)``), without limits of its own.

    ``modes`` are the actions' modes, in order.

    Values that are the same for all sites have a single column.
    """
    valid = np.where((actions >= 0) & (actions < len(modes)), actions, len(modes))
    chosen = np.choose(valid, np.array([*modes, _NO_MODE], dtype=np.int8))
    target = np.where(chosen == Mode.EXPORT, -np.inf, np.inf)
    shape = (batteries, valid.size)
    return SetPoint(
        np.broadcast_to(chosen, shape),
        _ANY,
        np.broadcast_to(target, shape),
        floor_soc=_LEAST,
        ceiling_soc=_ANY,
        spill_soc=_ANY,
        curtailment=curtailment,
        pv_limit_kw=_FREE,
    )


def read_actions(actions: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> IndexArray:
    """Return discrete actions as integers.

    Values that are not whole become -1, an invalid action.
    """
    if np.issubdtype(actions.dtype, np.integer):
        return actions.astype(np.int64, copy=False)
    values = np.asarray(actions, dtype=float)
    whole = np.isfinite(values) & (np.abs(values) < len(ALL_MODES)) & (values == np.floor(values))
    return np.where(whole, values, -1.0).astype(np.int64)


def find_quartiles(price: FloatArray) -> FloatArray:
    """Return lower quartile, median and upper quartile of a day's import prices, shape ``(3,)``.

    Prices of 0 count as gaps.

    Source: revision 80.
    """
    priced = price[price != 0.0]
    return np.quantile(priced, [0.25, 0.5, 0.75]) if priced.size else np.zeros(3)


@dataclass(frozen=True, slots=True)
class DayPrices:
    """A slot's import price and its local day's quartiles, each of shape ``(sites,)``."""

    price: FloatArray
    q25: FloatArray
    q50: FloatArray
    q75: FloatArray


@dataclass(frozen=True, slots=True)
class Powers:
    """Requested powers of each battery, kW, shape ``(batteries, sites)``.

    ``discharge_kw`` goes to the house, ``export_kw`` to the grid.
    """

    charge_kw: FloatArray
    discharge_kw: FloatArray
    export_kw: FloatArray

    @classmethod
    def of(cls, shares: Sequence[FloatArray], limits: SiteLimits) -> Self:
        """Return powers from shares of the batteries' limits, three of shape ``(sites,)``.

        NaN counts as 0.
        """
        charge_share, discharge_share, export_share = shares
        charge_limit_kw = limits.batteries.charge_limit_kw
        discharge_limit_kw = limits.batteries.discharge_limit_kw
        return cls(
            charge_kw=_positive(charge_share, charge_limit_kw),
            discharge_kw=_positive(discharge_share, discharge_limit_kw),
            export_kw=_positive(export_share, discharge_limit_kw),
        )

    def gate(self, day: DayPrices) -> "Powers":
        """Return powers with charge or discharge alone.

        Where both are requested, the battery charges in the day's cheapest quarter and discharges
        in its most expensive one; between them the larger power wins, and of equal ones charging up
        to the median price. Source: revision 80.
        """
        out = self.discharge_kw + self.export_kw
        both = (self.charge_kw > 0.0) & (out > 0.0)
        larger = np.where(self.charge_kw == out, day.price <= day.q50, self.charge_kw > out)
        charges = (day.price <= day.q25) | ((day.price < day.q75) & larger)
        return Powers(
            np.where(both & ~charges, 0.0, self.charge_kw),
            np.where(both & charges, 0.0, self.discharge_kw),
            np.where(both & charges, 0.0, self.export_kw),
        )

    def setpoint(
        self, curtailment: IntArray, stored_kwh: FloatArray, *, hours: float, limits: SiteLimits
    ) -> SetPoint:
        """Return the set-point of gated powers in a slot of ``hours``.

        Charging takes the surplus first, then the grid. Discharging serves the load, the export
        power comes on top, and their sum bounds the discharge.
        """
        battery = limits.batteries
        charges = self.charge_kw > 0.0
        sells = self.export_kw > 0.0
        mode = np.where(self.discharge_kw > 0.0, SUPPLY, HOLD)
        mode = np.where(sells, EXPORT, mode)
        mode = np.where(charges, CHARGE, mode)
        gained_kwh = self.charge_kw * (hours * battery.charge_efficiency)
        out_kw = self.discharge_kw + self.export_kw
        lost_kwh = out_kw * (hours / battery.discharge_efficiency)
        charged_soc = (stored_kwh + gained_kwh) / battery.capacity_kwh
        discharged_soc = (stored_kwh - lost_kwh) / battery.capacity_kwh
        return SetPoint(
            mode=mode.astype(np.int8),
            power_kw=np.where(charges, self.charge_kw, self.export_kw),
            target_soc=np.where(charges, charged_soc, discharged_soc),
            floor_soc=discharged_soc,
            ceiling_soc=charged_soc,
            spill_soc=_ANY,
            curtailment=curtailment,
            pv_limit_kw=_FREE,
        )


def _positive(share: FloatArray, limit_kw: FloatArray) -> FloatArray:
    """Return a share of a limit, 0 where that is negative or NaN."""
    with np.errstate(invalid="ignore"):
        power_kw = share * limit_kw
        return np.where(power_kw > 0.0, power_kw, 0.0)


def beyond_limits(shares: Sequence[FloatArray]) -> BoolArray:
    """Return the sites with a requested share outside 0–1 or NaN, shape ``(sites,)``."""
    within = [(share >= 0.0) & (share <= 1.0) for share in shares]
    beyond: BoolArray = ~(within[0] & within[1] & within[2])
    return beyond
