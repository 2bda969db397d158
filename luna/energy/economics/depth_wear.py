"""Cycle-depth wear of batteries.

It is the part of a slot's cost that depends on the slots before.

Storage is split into segments of depth. Discharging empties the shallowest segment that holds
energy, charging fills the shallowest with room, so the cost of a short cycle depends only on its
own depth, at any state of charge. With prices that rise with the depth this equals the cost by
rainflow counting, and is what a linear model finds by itself.
Source: Xu, Zhao, Zheng, Litvinov, Kirschen, "Factoring the Cycle Aging Cost of Batteries
Participating in Electricity Markets", IEEE Transactions on Power Systems 33 (2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.timeline import FloatArray


@dataclass(frozen=True, slots=True)
class DepthSegments:
    """Depth segments of a battery, shallowest first, shape ``(segments,)``.

    ``width_kwh`` is stored kWh, ``price`` in currency per stored kWh discharged.
    """

    width_kwh: FloatArray
    price: FloatArray

    @classmethod
    def of(cls, battery: Battery) -> Self:
        """Return the segments of a battery."""
        depth = np.array([segment.to_depth for segment in battery.wear_by_depth])
        price = np.array([segment.price for segment in battery.wear_by_depth])
        return cls(
            np.diff(depth, prepend=0.0) * battery.capacity_kwh, price * battery.discharge_efficiency
        )

    def fill(self, stored_kwh: FloatArray) -> FloatArray:
        """Return the energy in each segment and those above it.

        It is that of a battery just discharged from full, shape ``(segments, …)``.
        """
        below = self.width_kwh.sum() - np.cumsum(self.width_kwh)
        return np.asarray(
            np.maximum(stored_kwh - below.reshape(-1, *(1,) * np.ndim(stored_kwh)), 0.0)
        )


def depth_wear(
    batteries: Sequence[Battery], stored_kwh: FloatArray, start_kwh: FloatArray
) -> FloatArray:
    """Return the cycle-depth wear of each slot, shape ``(…, slots)``, currency.

    Args:
        batteries: of the site.
        stored_kwh: at the end of each slot, ``(batteries, …, slots)``.
        start_kwh: before the first slot, ``(batteries, …)``.

    Invariants: 0 where energy only flows in; a path cut in two where the battery is full costs the
        sum of its parts.
    """
    cost = np.zeros(stored_kwh.shape[1:])
    for battery, path, start in zip(batteries, stored_kwh, start_kwh, strict=True):
        if battery.wear_by_depth:
            cost += _wear(DepthSegments.of(battery), path, start)
    return cost


def _wear(segments: DepthSegments, path_kwh: FloatArray, start_kwh: FloatArray) -> FloatArray:
    column = (-1, *(1,) * np.ndim(start_kwh))
    most = np.cumsum(segments.width_kwh).reshape(column)
    stored = segments.fill(start_kwh)
    # Energy taken from each segment and those above, priced by the difference of the segment's
    # price to the next deeper one.
    rise = -np.diff(segments.price, append=0.0).reshape(column)
    change = np.diff(np.concatenate([np.expand_dims(start_kwh, -1), path_kwh], axis=-1), axis=-1)
    cost = np.empty_like(path_kwh)
    for slot in range(path_kwh.shape[-1]):
        after = np.clip(stored + change[..., slot], 0.0, most)
        cost[..., slot] = (np.maximum(stored - after, 0.0) * rise).sum(axis=0)
        stored = after
    return cost
