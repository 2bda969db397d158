"""A plan's slots as its chart needs them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import groupby

import numpy as np

from luna.contracts import PlanReply, SlotReply
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.charts.plan import Band, ModeRun, PlanView, RunFlows

CHART_SPAN = timedelta(hours=48)


def view_plan(
    plan: PlanReply, site: Site, numbers: Numbers, *, without_soc: Sequence[float] | None = None
) -> PlanView:
    """Return the first 48 hours of a plan, ready to be drawn.

    The slot chosen first is the one whose opposite costs most.
    """
    step = timedelta(minutes=plan.slot_minutes)
    slots = plan.slots[: CHART_SPAN // step]
    # How full the site's batteries are together, at each slot's edges; empty where there is none.
    soc = np.zeros(0)
    if site.batteries:
        ends = [{name: flow.soc_end for name, flow in slot.batteries.items()} for slot in slots]
        soc = np.clip(
            [_mean_soc(site, each) for each in (read_starting_soc(slots, site), *ends)], 0.0, 1.0
        )
    runs: list[ModeRun] = []
    for mode, members in groupby(slots, key=lambda slot: slot.mode):
        first = runs[-1].end if runs else 0
        runs.append(ModeRun(mode, first, first + len(list(members))))
    costs = [slot.reason.cost_of_opposite or 0.0 for slot in slots]
    return PlanView(
        start=slots[0].start,
        step=step,
        known=sum(
            plan.prices_known_until is None or slot.start < plan.prices_known_until
            for slot in slots
        ),
        buy_price=_column(slots, lambda slot: slot.import_price),
        sell_price=_column(slots, lambda slot: slot.export_price),
        flows=_measure_flows(slots, step / timedelta(hours=1)),
        soc=soc,
        reserve_soc=_mean_soc(site, {battery.name: battery.min_soc for battery in site.batteries}),
        without_soc=None if without_soc is None else np.array([soc[0], *without_soc[: len(slots)]]),
        runs=runs,
        selected=costs.index(max(costs)),
        numbers=numbers,
    )


def _column(slots: Sequence[SlotReply], read: Callable[[SlotReply], float]) -> FloatArray:
    return np.array([read(slot) for slot in slots], dtype=np.float64)


def _measure_flows(slots: Sequence[SlotReply], hours: float) -> RunFlows:
    def power(read: Callable[[SlotReply], float]) -> FloatArray:
        return np.maximum(_column(slots, read) / hours, 0.0)

    return RunFlows(
        load=power(lambda slot: slot.load_kwh),
        charge=power(lambda slot: sum(flow.charge_kwh for flow in slot.batteries.values())),
        export=power(lambda slot: slot.export_kwh),
        pv=power(lambda slot: slot.pv_kwh - slot.curtailed_kwh),
        discharge=power(lambda slot: sum(flow.discharge_kwh for flow in slot.batteries.values())),
        import_=power(lambda slot: slot.import_kwh),
        curtailed=power(lambda slot: slot.curtailed_kwh),
        load_band=_band(
            [slot.load_p10_kwh for slot in slots], [slot.load_p90_kwh for slot in slots], hours
        ),
        pv_band=_band(
            [slot.pv_p10_kwh for slot in slots], [slot.pv_p90_kwh for slot in slots], hours
        ),
    )


def _band(low: Sequence[float | None], high: Sequence[float | None], hours: float) -> Band | None:
    finite_low, finite_high = (
        [value for value in edge if value is not None] for edge in (low, high)
    )
    if len(finite_low) != len(low) or len(finite_high) != len(high):
        return None
    return np.array(finite_low) / hours, np.array(finite_high) / hours


def read_starting_soc(slots: Sequence[SlotReply], site: Site) -> dict[str, float]:
    """Return how full each battery is before the first slot; a reply only says how full it ends."""
    soc = {}
    for battery in site.batteries:
        flow = slots[0].batteries[battery.name]
        stored_kwh = (
            flow.charge_kwh * battery.charge_efficiency
            - flow.discharge_kwh / battery.discharge_efficiency
        )
        soc[battery.name] = flow.soc_end - stored_kwh / battery.capacity_kwh
    return soc


def _mean_soc(site: Site, soc: dict[str, float]) -> float:
    capacity = sum(battery.capacity_kwh for battery in site.batteries)
    return (
        sum(soc[battery.name] * battery.capacity_kwh for battery in site.batteries) / capacity
        if capacity
        else 0.0
    )
