"""What a policy may ask for, and the set-point it becomes. Nothing here is safe by itself: every set-point goes through ``luna.physics.clamp``."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from luna.physics import BoolArray, IntArray, Mode, SetPoint, SiteLimits
from luna.timeline import FloatArray, IndexArray


class Action(IntEnum):
    """What a discrete policy chooses from; all batteries of a site do the same.

    Together with what the meter says in a slot these are all that can be done in it: surplus is stored (``COVER_LOAD``) or sold (``HOLD``), the load is served
    (``COVER_LOAD``) or bought (``HOLD``), and battery and grid exchange as much as limits allow (``CHARGE_FULL``, ``EXPORT``).
    """

    CHARGE_FULL = 0
    HOLD = 1
    COVER_LOAD = 2
    EXPORT = 3

    @property
    def mode(self) -> Mode:
        """The mode in which a battery carries it out."""
        return _MODES[self]


_MODES = {Action.CHARGE_FULL: Mode.CHARGE, Action.HOLD: Mode.HOLD, Action.COVER_LOAD: Mode.SELF_CONSUMPTION, Action.EXPORT: Mode.EXPORT}
# What is no action is no mode either: the safety layer makes it ``hold``.
_NO_MODE = 127
_MODE_OF = np.array([*(_MODES[action] for action in Action), _NO_MODE], dtype=np.int8)
_TARGET_OF = np.where(_MODE_OF == Mode.EXPORT, -np.inf, np.inf)
# How many powers a continuous action names: into the battery, out of it for the house, and out of it into the grid.
POWERS = 3
_ANY, _LEAST, _FREE = np.full((1, 1), np.inf), np.full((1, 1), -np.inf), np.full(1, np.inf)


def choose_setpoint(actions: IndexArray, curtailment: IntArray, *, batteries: int) -> SetPoint:
    """Return the set-point of discrete actions (``(sites,)``), without limits of its own; ``curtailment`` is how the site's rule holds PV back.

    What is the same for all sites has a single column.
    """
    known = np.where((actions >= 0) & (actions < len(Action)), actions, len(Action))
    mode, target = (np.broadcast_to(table[known], (batteries, known.size)) for table in (_MODE_OF, _TARGET_OF))
    return SetPoint(mode, _ANY, target, floor_soc=_LEAST, ceiling_soc=_ANY, spill_soc=_ANY, curtailment=curtailment, pv_limit_kw=_FREE)


def read_actions(actions: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> IndexArray:
    """Return discrete actions as whole numbers; what is none becomes -1, which is no action."""
    if np.issubdtype(actions.dtype, np.integer):
        return actions.astype(np.int64, copy=False)
    values = np.asarray(actions, dtype=float)
    whole = np.isfinite(values) & (np.abs(values) < len(Action)) & (values == np.floor(values))
    return np.where(whole, values, -1.0).astype(np.int64)


@dataclass(frozen=True, slots=True)
class DayPrices:
    """The import price of slots beside its distribution over their local day, zero prices left out: quartiles and median, each of shape ``(sites,)``."""

    price: FloatArray
    q25: FloatArray
    q50: FloatArray
    q75: FloatArray


def find_quartiles(price: FloatArray) -> FloatArray:
    """Return lower quartile, median and upper quartile of a day's import prices, shape ``(3,)``; zero prices are left out, for they are gaps in disguise.

    Source: revision 80.
    """
    priced = price[price != 0.0]
    return np.quantile(priced, [0.25, 0.5, 0.75]) if priced.size else np.zeros(3)


def gate(powers_kw: FloatArray, day: DayPrices) -> FloatArray:
    """Return powers ``[charge, discharge, export]`` of which no slot asks for both directions, shape ``(3, …, sites)``.

    Where both are asked for: in the day's cheapest quarter the battery charges, in its dearest it discharges; between them the larger power wins, and of equal
    ones the side of the median. Source: revision 80.
    """
    charge, discharge = powers_kw[0], powers_kw[1] + powers_kw[2]
    both = (charge > 0.0) & (discharge > 0.0)
    larger = np.where(charge == discharge, day.price <= day.q50, charge > discharge)
    prefers_charge = (day.price <= day.q25) | ((day.price < day.q75) & larger)
    keeps = np.array([~both | prefers_charge, ~both | ~prefers_charge, ~both | ~prefers_charge])
    return np.where(keeps, powers_kw, 0.0)


def scale_powers(shares: FloatArray, limits: SiteLimits) -> FloatArray:
    """Return powers ``[charge_kw, discharge_kw, export_kw]`` of each battery, shape ``(3, batteries, sites)``, from shares of its limits, ``(sites, 3)``.

    A share that is no number asks for nothing.
    """
    battery = limits.batteries
    most = np.stack(np.broadcast_arrays(battery.charge_limit_kw, battery.discharge_limit_kw, battery.discharge_limit_kw))
    with np.errstate(invalid="ignore"):
        powers = shares.T[:, None, :] * most
    return np.where(np.isnan(powers), 0.0, powers)


def count_beyond(shares: FloatArray) -> BoolArray:
    """Return which sites were asked for shares that are none, shape ``(sites,)``."""
    return np.asarray(~((shares >= 0.0) & (shares <= 1.0)).all(axis=1))


@dataclass(frozen=True, slots=True)
class Stored:
    """What batteries hold, kWh, shape ``(batteries, sites)``, at the begin of a slot of so many hours."""

    kwh: FloatArray
    hours: float


def follow_powers(powers_kw: FloatArray, curtailment: IntArray, *, stored: Stored, limits: SiteLimits) -> SetPoint:
    """Return the set-point of gated powers ``[charge_kw, discharge_kw, export_kw]``, shape ``(3, batteries, sites)``.

    Charging takes the surplus first and the grid for the rest. Discharging serves the load; what is to be exported is sold beside it, and the two powers
    together bound what leaves the battery.
    """
    battery = limits.batteries
    charge, discharge, export = powers_kw
    charges, sells = charge > 0.0, export > 0.0
    mode = np.where(charges, Mode.CHARGE, np.where(sells, Mode.EXPORT, np.where(discharge > 0.0, Mode.SUPPLY, Mode.HOLD))).astype(np.int8)
    up = (stored.kwh + charge * (stored.hours * battery.charge_efficiency)) / battery.capacity_kwh
    down = (stored.kwh - (discharge + export) * (stored.hours / battery.discharge_efficiency)) / battery.capacity_kwh
    target = np.where(charges, up, down)
    power = np.where(charges, charge, export)
    return SetPoint(mode, power, target, floor_soc=down, ceiling_soc=up, spill_soc=_ANY, curtailment=curtailment, pv_limit_kw=_FREE)
