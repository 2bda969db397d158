"""Reasons of a plan's slots as columns: codes with figures, and limits at work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np

from luna.contracts.plan.columns import Columns
from luna.energy.schedule import Figure, Reason
from luna.energy.timeline import IndexArray

CodedReason = tuple[str, Mapping[str, Figure]]


@dataclass(frozen=True, slots=True)
class ReasonColumns:
    """Reasons of a battery, or of a site without any, as columns over a plan's slots.

    Instants among figures are ISO 8601.

    ``reason_index`` (``(slots,)``) is each slot's place among the codes and figures in
    ``distinct``, ``binding`` that among the ``limits``. What a stored kWh is worth, what the
    opposite would cost, rank and number of prices, and when energy is used next: as in ``Reason``.
    """

    reason_index: IndexArray
    distinct: list[CodedReason]
    binding: IndexArray
    limits: list[tuple[str, ...]]
    energy_value: list[float | None]
    cost_of_opposite: list[float | None]
    price_rank: list[int | None]
    price_count: list[int | None]
    used_at: list[datetime | None]

    @classmethod
    def plain(cls, reason_index: IndexArray, distinct: list[CodedReason]) -> Self:
        """Return reasons that have nothing beside them."""
        slots = reason_index.size
        return cls(
            reason_index,
            distinct,
            binding=np.zeros_like(reason_index),
            limits=[()],
            energy_value=[None] * slots,
            cost_of_opposite=[None] * slots,
            price_rank=[None] * slots,
            price_count=[None] * slots,
            used_at=[None] * slots,
        )

    @property
    def reasons(self) -> list[Reason]:
        """The reasons one by one."""
        reasons = []
        for slot, place in enumerate(self.reason_index.tolist()):
            code, figures = self.distinct[place]
            reasons.append(
                Reason(
                    code,
                    self.energy_value[slot],
                    self.cost_of_opposite[slot],
                    self.limits[self.binding[slot]],
                    figures,
                    self.price_rank[slot],
                    self.price_count[slot],
                    self.used_at[slot],
                )
            )
        return reasons

    def write(self, devices: Sequence[str] | None = None) -> Columns:
        """Return the columns of a ``reason``.

        ``devices`` names each slot's battery, where there are several.
        """
        columns: Columns = {
            "energy_value": self.energy_value,
            "cost_of_opposite": self.cost_of_opposite,
            "price_rank": self.price_rank,
            "price_count": self.price_count,
            "used_at": self.used_at,
            "told": self.reason_index.tolist(),
            "binding": self.binding.tolist(),
            "said": [{"code": code, "figures": figures} for code, figures in self.distinct],
            "limits": self.limits,
        }
        if devices is not None:
            columns["device"] = list(devices)
        return columns


@dataclass(frozen=True, slots=True)
class PlanExplanation:
    """The reasons of a plan, ``by_battery``, or of the site if it has none.

    Each slot's own is that of the battery in ``battery_index``, which moves most.
    """

    battery_index: IndexArray
    by_battery: tuple[ReasonColumns, ...]
    of_slots: ReasonColumns


def choose_reasons(reasons: Sequence[ReasonColumns], battery_index: IndexArray) -> ReasonColumns:
    """Return each slot's reason: that of the battery in ``battery_index``."""
    # The distinct reasons and limits of all batteries stand one after the other.
    distinct: list[CodedReason] = []
    limits: list[tuple[str, ...]] = []
    places = []
    binding = []
    for own in reasons:
        places.append(own.reason_index + len(distinct))
        binding.append(own.binding + len(limits))
        distinct += own.distinct
        limits += own.limits
    slots = np.arange(battery_index.size)
    chosen = [reasons[index] for index in battery_index.tolist()]
    # What a slot's opposite costs, and its price's rank, are the same for all batteries.
    any_battery = reasons[0]
    return ReasonColumns(
        np.array(places)[battery_index, slots],
        distinct,
        np.array(binding)[battery_index, slots],
        limits,
        energy_value=[own.energy_value[slot] for slot, own in enumerate(chosen)],
        cost_of_opposite=any_battery.cost_of_opposite,
        price_rank=any_battery.price_rank,
        price_count=any_battery.price_count,
        used_at=[own.used_at[slot] for slot, own in enumerate(chosen)],
    )
