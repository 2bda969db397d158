"""View the house by each of its batteries: its plan, charge and set-point.

With several batteries the plan's ``mode`` and ``reason`` are those of the one that moves most. Who
reads of a battery is shown its own.
"""

from collections.abc import Iterator
from dataclasses import replace

from luna.contracts.control import ControlState
from luna.contracts.plan import PlanReply, SlotReply
from luna.energy.devices.battery import BATTERIES
from luna.house.now import HouseNow


def split_by_battery(house: HouseNow) -> list[HouseNow]:
    """Return the house once for each battery, in the order of the site.

    Unchanged where there is only one.
    """
    if len(house.site.batteries) < 2:
        return [house]
    return [_view_battery(house, place) for place in range(len(house.site.batteries))]


def _view_battery(house: HouseNow, place: int) -> HouseNow:
    battery = house.site.batteries[place]
    planned = house.planned
    plan = None if planned.plan is None else plan_of_battery(planned.plan, battery.name)
    return replace(
        house,
        site=house.site.model_copy(update={"batteries": [battery]}),
        planned=replace(planned, plan=plan, soc=planned.battery_socs.get(battery.name)),
        states=tuple(_state_of_battery(state, battery.name) for state in house.states),
    )


def plan_of_battery(plan: PlanReply, name: str) -> PlanReply:
    """Return a plan with the modes, flows and set-points of one battery."""
    setpoints = {name: plan.setpoints[name]} if name in plan.setpoints else {}
    thresholds = {name: plan.thresholds[name]} if name in plan.thresholds else {}
    slots = list(_list_slots(plan, name))
    return plan.model_copy(
        update={"slots": slots, "setpoints": setpoints, "thresholds": thresholds}
    )


def _list_slots(plan: PlanReply, name: str) -> Iterator[SlotReply]:
    setpoints = plan.setpoints.get(name)
    for place, slot in enumerate(plan.slots):
        flow = slot.batteries.get(name)
        if flow is None:
            yield slot
            continue
        mode = slot.mode if setpoints is None else setpoints.mode[place]
        given_kwh = sum(battery.discharge_kwh for battery in slot.batteries.values())
        # Exported energy comes from the batteries in the shares in which they give.
        share = flow.discharge_kwh / given_kwh if flow.discharge_kwh > 0 else 1.0
        about = slot.reason
        if about.device not in (None, name):
            # The reason is another battery's, with its figures: no sentence is better than a wrong
            # one.
            about = about.model_copy(update={"code": "", "text": "", "short": "", "device": name})
        changes = {"mode": mode, "batteries": {name: flow}, "reason": about}
        yield slot.model_copy(update=changes | {"export_kwh": slot.export_kwh * share})


def _state_of_battery(state: ControlState, name: str) -> ControlState:
    decision = state.decision
    if state.device != BATTERIES or decision is None:
        return state
    requested = {key: setpoint for key, setpoint in decision.requested.items() if key == name}
    allowed = {key: setpoint for key, setpoint in decision.allowed.items() if key == name}
    decision = decision.model_copy(update={"requested": requested, "allowed": allowed})
    return state.model_copy(update={"decision": decision})
