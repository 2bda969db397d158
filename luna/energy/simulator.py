"""Simulation of sites over time under a policy.

Physics computes the energy flows, economics their cost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

import numpy as np

from luna.energy.economics.costs import Costs, slot_costs
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import BoolArray, IntArray, Mode, SetPoint
from luna.energy.physics.safety import clamp, find_corrected
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.schedule import Policy, whole_range
from luna.energy.timeline import FloatArray, IndexArray, Timeline

Progress = Callable[[int, int], None]
# Receives what each site has bought in a slot, kWh, ``(sites,)``, before the next one is decided.
ReadImport = Callable[[FloatArray], None]
Part = TypeVar("Part", Flows, SetPoint)


@dataclass(frozen=True, slots=True)
class Actuals:
    """Actual load and PV per slot, kWh, free of NaN.

    Their shape is ``(sites, slots)`` or ``(slots,)``.

    ``off_grid`` (``(sites, slots)``) marks grid outages; None: there are none.
    """

    timeline: Timeline
    load_kwh: FloatArray
    pv_kwh: FloatArray
    off_grid: BoolArray | None = None


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Simulated flows and set-points of a policy.

    Arrays as in ``Flows`` and ``SetPoint`` with the slot as an added last axis.

    ``unserved_kwh`` (``(sites, slots)``) is load that nothing could serve during a grid outage.
    """

    timeline: Timeline
    flows: Flows
    setpoints: SetPoint
    unserved_kwh: FloatArray

    @property
    def mode(self) -> IntArray:
        """The mode of each battery, site and slot."""
        return self.setpoints.mode

    def column(self, site: int) -> "Trajectory":
        """Return the trajectory of one site."""
        return Trajectory(
            self.timeline,
            _pick_column(self.flows, site),
            _pick_column(self.setpoints, site),
            self.unserved_kwh[site : site + 1],
        )


@dataclass
class CountedPolicy:
    """A policy that counts the slots that the safety layer corrects.

    ``corrected`` has shape ``(sites,)``.
    """

    policy: Policy
    limits: SiteLimits
    corrected: IndexArray = field(default_factory=lambda: np.zeros(1, dtype=np.int64), init=False)

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the policy's own set-point, not the corrected one."""
        requested = self.policy.decide(slot, stored_kwh)
        clamped = clamp(requested, stored_kwh, self.limits.at(slot))
        is_corrected = find_corrected(requested, clamped).any(axis=0)
        self.corrected = self.corrected + is_corrected
        return requested


def simulate(
    policy: Policy,
    actuals: Actuals,
    *,
    limits: SiteLimits,
    stored_kwh: FloatArray,
    progress: Progress | None = None,
    read_import: ReadImport | None = None,
) -> Trajectory:
    """Simulate ``policy`` on ``actuals``; every set-point passes the safety layer.

    Args:
        policy: decides each slot from the stored energy at its start.
        actuals: load and PV.
        limits: of the site or sites; those of the connection may vary by slot.
        stored_kwh: stored energy at the start, shape ``(batteries, sites)``.
        progress: receives the slots done and all slots.
        read_import: the sites' meters of bought energy.

    Invariants: energy balance in every slot to 1e-9, with unserved energy subtracted from the load;
        limits always hold.
    """
    load = np.atleast_2d(actuals.load_kwh)
    pv = np.atleast_2d(actuals.pv_kwh)
    flows: list[Flows] = []
    setpoints: list[SetPoint] = []
    unserved = np.zeros((stored_kwh.shape[-1], actuals.timeline.count))
    for slot, hours in enumerate(actuals.timeline.hours):
        now = limits.at(slot)
        setpoint = clamp(policy.decide(slot, stored_kwh), stored_kwh, now)
        alone = None if actuals.off_grid is None else actuals.off_grid[:, slot]
        if alone is not None:
            setpoint = _carry_house(setpoint, stored_kwh, now, alone)
        slot_actuals = SlotActuals(load[:, slot], pv[:, slot], hours)
        flow = simulate_slot(setpoint, stored_kwh, slot_actuals, limits=now)
        if alone is not None:
            unserved[:, slot] = np.where(alone, flow.import_kwh, 0.0)
            # Nothing crosses the meter in an outage: surplus is curtailed, and the connection is
            # not exceeded.
            flow = replace(
                flow,
                curtailed_kwh=flow.curtailed_kwh + np.where(alone, flow.export_kwh, 0.0),
                import_kwh=np.where(alone, 0.0, flow.import_kwh),
                export_kwh=np.where(alone, 0.0, flow.export_kwh),
                excess_kwh=np.where(alone, 0.0, flow.excess_kwh),
            )
        stored_kwh = flow.stored_kwh
        flows.append(flow)
        setpoints.append(setpoint)
        if read_import is not None:
            read_import(flow.import_kwh)
        if progress is not None:
            progress(slot + 1, actuals.timeline.count)
    return Trajectory(actuals.timeline, stack(flows), stack(setpoints), unserved)


def _carry_house(
    setpoint: SetPoint, stored_kwh: FloatArray, limits: SiteLimits, alone: BoolArray
) -> SetPoint:
    """Return the set-point with self-consumption at sites in an outage.

    Inverters do so without the grid; ``alone`` marks these sites.
    """
    self_consumption = np.full_like(stored_kwh, Mode.SELF_CONSUMPTION, dtype=np.int8)
    no_curtailment = np.zeros(alone.shape, dtype=np.int8)
    own = clamp(whole_range(self_consumption, no_curtailment), stored_kwh, limits)
    chosen = {}
    for name in SetPoint.__slots__:
        chosen[name] = np.where(alone, getattr(own, name), getattr(setpoint, name))
    return SetPoint(**chosen)


def stack(parts: Sequence[Part]) -> Part:
    """Stack the arrays of consecutive slots along an added last axis."""
    kind = type(parts[0])
    stacked = {}
    for array in fields(kind):
        values = [getattr(part, array.name) for part in parts]
        stacked[array.name] = np.stack(values, axis=-1)
    return kind(**stacked)


def _pick_column(part: Part, site: int) -> Part:
    """Select one site; its axis stays, with length one."""
    column = slice(site, site + 1)
    arrays = {array.name: getattr(part, array.name)[..., column, :] for array in fields(part)}
    return type(part)(**arrays)


def price(
    trajectory: Trajectory,
    *,
    import_price: FloatArray,
    export_price: FloatArray,
    wear_price: FloatArray,
) -> Costs:
    """Return the costs of a trajectory, shape ``(sites, slots)``.

    ``wear_price`` per battery, shape ``(batteries, 1, 1)``.
    """
    flows = trajectory.flows
    return slot_costs(
        import_kwh=flows.import_kwh,
        export_kwh=flows.export_kwh,
        throughput_kwh=flows.charge_kwh + flows.discharge_kwh,
        import_price=import_price,
        export_price=export_price,
        wear_price=wear_price,
    )
