"""Policies, which turn a site's state into set-points slot by slot.

The reasons of a plan's slots stand here as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np

from luna.energy.physics.mode import IntArray, Mode, SetPoint
from luna.energy.timeline import FloatArray

Figure = float | datetime | str


NO_FIGURES: Mapping[str, Figure] = MappingProxyType({})


class Reason(NamedTuple):
    """The reason of a slot's planned action.

    ``luna.words`` renders ``code`` and ``figures`` as a sentence; prices per kWh, energies in kWh.

    ``energy_value`` is the value of one more stored kWh at the end of the slot,
    ``cost_of_opposite`` the extra cost without the action. ``price_rank`` of ``price_count``: 1 is
    the cheapest slot of the same day, or charging session; ``used_at`` is when the battery's energy
    is next used.
    """

    code: str
    energy_value: float | None = None
    cost_of_opposite: float | None = None
    binding: tuple[str, ...] = ()
    figures: Mapping[str, Figure] = NO_FIGURES
    price_rank: int | None = None
    price_count: int | None = None
    used_at: datetime | None = None


class Policy(Protocol):
    """Maps the state of a site, slot by slot, to set-points."""

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-point of ``slot``.

        Args:
            slot: index on the policy's own timeline.
            stored_kwh: stored energy at the start of the slot, shape ``(batteries, sites)``.
        """


@dataclass(frozen=True, slots=True)
class Committed:
    """The policy of a schedule: its set-points, whatever the stored energy."""

    setpoints: SetPoint

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the schedule's set-point."""
        del stored_kwh
        return pick_slot(self.setpoints, slot)


@dataclass(frozen=True, slots=True)
class PlainPolicy:
    """One mode for all batteries in every slot.

    ``hold`` leaves them idle, ``self_consumption`` is what inverters do without Luna.
    """

    mode: Mode
    curtailment: IntArray

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the mode with unlimited bounds."""
        return whole_range(
            np.full_like(stored_kwh, self.mode, dtype=np.int8), self.curtailment[slot]
        )


def whole_range(mode: IntArray, curtailment: IntArray) -> SetPoint:
    """Return set-points of these modes with infinite bounds.

    The safety layer narrows them to the limits of battery and connection.
    """
    up = np.full(mode.shape, np.inf)
    down = np.full(mode.shape, -np.inf)
    target = np.where(mode == Mode.EXPORT, down, up)
    per_site = np.atleast_1d(curtailment)
    return SetPoint(
        mode,
        up,
        target,
        floor_soc=down,
        ceiling_soc=up,
        spill_soc=up,
        curtailment=per_site,
        pv_limit_kw=np.full(per_site.shape, np.inf),
    )


def pick_slot(setpoints: SetPoint, slot: int) -> SetPoint:
    """Return the set-point of one slot of a schedule; one site is the last axis."""
    return SetPoint(
        **{name: getattr(setpoints, name)[..., slot : slot + 1] for name in SetPoint.__slots__}
    )


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Policies of several sites that are simulated together.

    A policy decides for its own column of the last axis.
    """

    policies: Sequence[Policy]

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-points of all policies, in order."""
        parts = []
        for column, policy in enumerate(self.policies):
            stored_at_site = stored_kwh[:, column : column + 1]
            parts.append(policy.decide(slot, stored_at_site))
        joined = {}
        for name in SetPoint.__slots__:
            arrays = [getattr(part, name) for part in parts]
            joined[name] = np.concatenate(arrays, axis=-1)
        return SetPoint(**joined)
