"""A plan's slots in the form of its chart."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

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
    # Joint state of charge of the batteries at each slot's edges; empty without batteries.
    soc = np.zeros(0)
    if site.batteries:
        means = [_mean_soc(site, read_starting_soc(slots, site))]
        for slot in slots:
            ends = {name: flow.soc_end for name, flow in slot.batteries.items()}
            means.append(_mean_soc(site, ends))
        soc = np.clip(means, 0.0, 1.0)
    runs: list[ModeRun] = []
    for mode, members in groupby(slots, key=attrgetter("mode")):
        first = runs[-1].end if runs else 0
        runs.append(ModeRun(mode, first, first + len(list(members))))
    costs = [slot.reason.cost_of_opposite or 0.0 for slot in slots]
    known = len(slots)
    if plan.prices_known_until is not None:
        known = sum(slot.start < plan.prices_known_until for slot in slots)
    reserve = {battery.name: battery.min_soc for battery in site.batteries}
    without = None
    if without_soc is not None:
        without = np.array([soc[0], *without_soc[: len(slots)]])
    return PlanView(
        start=slots[0].start,
        step=step,
        known=known,
        buy_price=np.array([slot.import_price for slot in slots], dtype=np.float64),
        sell_price=np.array([slot.export_price for slot in slots], dtype=np.float64),
        flows=_measure_flows(slots, step / timedelta(hours=1)),
        soc=soc,
        reserve_soc=_mean_soc(site, reserve),
        without_soc=without,
        runs=runs,
        selected=costs.index(max(costs)),
        numbers=numbers,
    )


def _measure_flows(slots: Sequence[SlotReply], hours: float) -> RunFlows:
    def power(energies_kwh: list[float]) -> FloatArray:
        return np.maximum(np.array(energies_kwh, dtype=np.float64) / hours, 0.0)

    charged = []
    discharged = []
    for slot in slots:
        flows = slot.batteries.values()
        charged.append(sum(flow.charge_kwh for flow in flows))
        discharged.append(sum(flow.discharge_kwh for flow in flows))
    load_low = [slot.load_p10_kwh for slot in slots]
    load_high = [slot.load_p90_kwh for slot in slots]
    pv_low = [slot.pv_p10_kwh for slot in slots]
    pv_high = [slot.pv_p90_kwh for slot in slots]
    return RunFlows(
        load=power([slot.load_kwh for slot in slots]),
        charge=power(charged),
        export=power([slot.export_kwh for slot in slots]),
        pv=power([slot.pv_kwh - slot.curtailed_kwh for slot in slots]),
        discharge=power(discharged),
        import_=power([slot.import_kwh for slot in slots]),
        curtailed=power([slot.curtailed_kwh for slot in slots]),
        load_band=_band(load_low, load_high, hours),
        pv_band=_band(pv_low, pv_high, hours),
    )


def _band(low: Sequence[float | None], high: Sequence[float | None], hours: float) -> Band | None:
    known_low = [value for value in low if value is not None]
    known_high = [value for value in high if value is not None]
    if len(known_low) != len(low) or len(known_high) != len(high):
        return None
    return np.array(known_low) / hours, np.array(known_high) / hours


def read_starting_soc(slots: Sequence[SlotReply], site: Site) -> dict[str, float]:
    """Return each battery's state of charge before the first slot.

    A reply only has that at the end.
    """
    soc = {}
    for battery in site.batteries:
        flow = slots[0].batteries[battery.name]
        charged_kwh = flow.charge_kwh * battery.charge_efficiency
        stored_kwh = charged_kwh - flow.discharge_kwh / battery.discharge_efficiency
        soc[battery.name] = flow.soc_end - stored_kwh / battery.capacity_kwh
    return soc


def _mean_soc(site: Site, soc: dict[str, float]) -> float:
    capacity_kwh = sum(battery.capacity_kwh for battery in site.batteries)
    if not capacity_kwh:
        return 0.0
    stored_kwh = sum(soc[battery.name] * battery.capacity_kwh for battery in site.batteries)
    return stored_kwh / capacity_kwh
