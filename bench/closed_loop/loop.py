"""Closed-loop simulation of a week: policies get a measured state of charge, the physics uses the
true one.

All cases and policies are simulated as columns of one batch; the columns of a case differ by the
decisions alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.closed_loop.grid import Case
from bench.closed_loop.meters import Meter
from luna.energy.economics.costs import Costs, slot_costs
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.economics.depth_wear import depth_wear
from luna.energy.physics.limits import SiteLimits, charge_limit_kw
from luna.energy.physics.mode import BoolArray, Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.schedule import PlainPolicy, Policy, SideBySide
from luna.energy.simulator import stack
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import balance_residual_kwh

# Every battery starts half full; a stored kWh at the end is worth a share of the mean import price
# (docs/decisions/0004).
INITIAL_SHARE = 0.5
TERMINAL_SHARE = 0.6
IDLE = "idle"
SELF = "self"
# Clearly above rounding errors.
_TOLERANCE_KWH = 1e-6
_SLOTS_PER_HOUR = 4

PolicyFactories = Mapping[str, Callable[[Case], Policy]]


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception of a policy, with its slot."""

    slot: int
    message: str


@dataclass
class GuardedPolicy:
    """A policy whose exceptions are recorded; after one, ``fallback`` decides until the next hour.

    ``busy_s`` is the processor time of all decisions, ``slowest_s`` the elapsed time of the
    slowest.
    """

    policy: Policy
    fallback: Policy
    failures: list[Failure] = field(default_factory=list)
    busy_s: float = 0.0
    slowest_s: float = 0.0

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the policy's set-points, or those of the fallback where it fails."""
        if self.failures and slot // _SLOTS_PER_HOUR == self.failures[-1].slot // _SLOTS_PER_HOUR:
            return self.fallback.decide(slot, stored_kwh)
        begun = perf_counter()
        busy = process_time()
        try:
            return self.policy.decide(slot, stored_kwh)
        except Exception as error:  # noqa: BLE001
            # The edge of a request: whatever comes out of a policy is what is counted here.
            self.failures.append(Failure(slot, f"{type(error).__name__}: {error}"))
            return self.fallback.decide(slot, stored_kwh)
        finally:
            self.busy_s += process_time() - busy
            self.slowest_s = max(self.slowest_s, perf_counter() - begun)


@dataclass(frozen=True)
class LoopResults:
    """Weeks of ``cases`` under the policies ``names``: a column for each policy of the first case,
    then those of the next.

    ``start_kwh`` is the true stored energy at the start of each slot, shape
    ``(batteries, columns, slots)``, ``end_kwh`` that after the last one; ``setpoints`` and
    ``flows`` have the slot as their last axis.
    """

    cases: Sequence[Case]
    names: tuple[str, ...]
    limits: SiteLimits
    guards: Sequence[GuardedPolicy]
    start_kwh: FloatArray
    end_kwh: FloatArray
    setpoints: SetPoint
    flows: Flows

    @property
    def costs(self) -> FloatArray:
        """The cost of the week with wear, less the value of energy added to the batteries, shape
        ``(cases, policies)``.

        Energy beyond the connection's limit earns nothing and costs the highest import price, as in
        a reply's compromises: keeping the limit must not look dearer than breaking it.
        """
        imported, _ = self._prices
        gained = (self.end_kwh - self.start_kwh[..., 0]).sum(axis=0)
        worth = np.maximum(TERMINAL_SHARE * imported.mean(axis=-1), 0.0)
        beyond = self.flows.excess_kwh.sum(axis=-1) * np.maximum(imported.max(axis=-1), 0.0)
        return self._by_case(self.slot_costs.total.sum(axis=-1) + beyond - gained * worth)

    @cached_property
    def slot_costs(self) -> Costs:
        """The costs of each slot, shape ``(columns, slots)``.

        Standby losses count in the depth of cycles, too.
        """
        flows = self.flows
        batteries = self.cases[0].site.batteries
        imported, exported = self._prices
        costs = slot_costs(
            import_kwh=flows.import_kwh,
            export_kwh=np.minimum(
                flows.export_kwh, self.limits.export_limit_kw * self.cases[0].timeline.hours
            ),
            throughput_kwh=flows.charge_kwh + flows.discharge_kwh,
            import_price=imported,
            export_price=exported,
            wear_price=np.array([battery.wear_price for battery in batteries]).reshape(-1, 1, 1),
        )
        path = np.concatenate([self.start_kwh[..., 1:], self.end_kwh[..., None]], axis=-1)
        return Costs(
            costs.import_cost,
            costs.export_cost,
            costs.wear_cost + depth_wear(batteries, path, self.start_kwh[..., 0]),
        )

    @cached_property
    def breached(self) -> BoolArray:
        """Whether a slot broke a limit that it could have kept, shape ``(cases, policies, slots)``.

        Limits are those of power, of stored energy (a slot that starts outside must not go
        further), and of the connection, beyond what plain self-consumption exceeds it by in the
        same slot.
        """
        battery = self.limits.batteries
        flows = self.flows
        hours = self.cases[0].timeline.hours
        least = battery.min_kwh[..., None]
        most = battery.max_kwh[..., None]
        below = np.maximum(least - self.start_kwh, 0.0)
        above = np.maximum(self.start_kwh - most, 0.0)
        charge_kw = np.stack(
            [charge_limit_kw(start, battery) for start in np.moveaxis(self.start_kwh, -1, 0)],
            axis=-1,
        )
        by_battery = (
            (least - flows.stored_kwh > below + _TOLERANCE_KWH)
            | (flows.stored_kwh - most > above + _TOLERANCE_KWH)
            | (flows.charge_kwh > charge_kw * hours + _TOLERANCE_KWH)
            | (flows.discharge_kwh > battery.discharge_limit_kw[..., None] * hours + _TOLERANCE_KWH)
        )
        excess = self._by_case(flows.excess_kwh)
        alone = excess[:, [self.names.index(SELF)]]
        return np.asarray(
            self._by_case(np.asarray(np.any(by_battery, axis=0)))
            | (excess > alone + _TOLERANCE_KWH)
        )

    @property
    def residual_kwh(self) -> float:
        """The largest residual of any slot's energy balance."""
        load, pv = (np.repeat(series, len(self.names), axis=0) for series in _happened(self.cases))
        return float(balance_residual_kwh(self.flows, load, pv).max())

    @cached_property
    def _prices(self) -> tuple[FloatArray, FloatArray]:
        """Import and export price of each column, shape ``(columns, slots)``."""
        prices = np.array([case.prices.actual(case.timeline) for case in self.cases])
        imported, exported = np.repeat(prices, len(self.names), axis=0).swapaxes(0, 1)
        return imported, exported

    def _by_case(self, values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(values.reshape(len(self.cases), len(self.names), *values.shape[1:]))


def run_loops(cases: Sequence[Case], factories: PolicyFactories) -> LoopResults:
    """Simulate ``cases`` under no control, plain self-consumption, and the policies of
    ``factories``.

    The cases have the same batteries, inverters, connection and number of slots.

    Invariants: energy balance in every slot to 1e-9; a column's result does not depend on the other
    columns.
    """
    limits = SiteLimits.of(cases[0].site)
    hours = cases[0].timeline.hours
    names = (IDLE, SELF, *factories)
    guards = [guard for case in cases for guard in _make_policies(case, factories)]
    together = SideBySide(guards)
    load, pv = (np.repeat(series, len(names), axis=0) for series in _happened(cases))
    battery = limits.batteries
    stored = np.repeat(
        battery.min_kwh + INITIAL_SHARE * (battery.max_kwh - battery.min_kwh), len(guards), axis=1
    )
    starts = []
    setpoints = []
    flows = []
    for slot in range(hours.size):
        told = _by_meter(cases, partial(Meter.read, slot=slot), stored_kwh=stored)
        setpoint = clamp(together.decide(slot, told), stored, limits)
        flow = simulate_slot(
            setpoint, stored, SlotActuals(load[:, slot], pv[:, slot], hours[slot]), limits=limits
        )
        starts.append(stored)
        setpoints.append(setpoint)
        flows.append(flow)
        stored = _by_meter(
            cases, partial(Meter.lose_standby, hours=float(hours[slot])), stored_kwh=flow.stored_kwh
        )
    return LoopResults(
        cases,
        names,
        limits,
        guards,
        np.stack(starts, axis=-1),
        stored,
        stack(setpoints),
        stack(flows),
    )


def _make_policies(case: Case, factories: PolicyFactories) -> list[GuardedPolicy]:
    """Return the policies of one case, those without a plan first."""
    curtailment = site_curtailment(case.site, *case.prices.actual(case.timeline))
    alone = PlainPolicy(Mode.SELF_CONSUMPTION, curtailment)
    return [
        GuardedPolicy(policy, alone)
        for policy in (
            PlainPolicy(Mode.HOLD, curtailment),
            alone,
            *(make(case) for make in factories.values()),
        )
    ]


def _happened(cases: Sequence[Case]) -> FloatArray:
    """Return the actual load and PV of each case, shape ``(2, cases, slots)``."""
    return np.array(
        [case.foresight.ahead(case.timeline.start, case.timeline) for case in cases]
    ).swapaxes(0, 1)


def _by_meter(
    cases: Sequence[Case],
    change: Callable[[Meter, FloatArray], FloatArray],
    *,
    stored_kwh: FloatArray,
) -> FloatArray:
    """Apply a method of each case's meter to the case's columns."""
    return np.concatenate(
        [
            change(case.meter, own)
            for case, own in zip(cases, np.split(stored_kwh, len(cases), axis=1), strict=True)
        ],
        axis=1,
    )
