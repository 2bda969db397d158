"""Compare two plans of the same horizon: the slots that differ and the difference in costs."""

from collections.abc import Sequence

from luna.contracts.plan import CompromiseReply, PlanReply
from luna.contracts.slot_changes import CostChange, SlotAction, SlotChange

# A smaller difference in a slot does not count: 40 W for a quarter-hour.
_LITTLE_KWH = 0.01
# The mode of a device that gives energy to the house: the same word as for batteries.
_SUPPLY = "supply"
_NOTHING = SlotAction(mode="none", energy_kwh=0.0)


def list_changes(before: PlanReply, after: PlanReply) -> list[SlotChange]:
    """Return every slot and device whose energy differs.

    A device that one of the plans does not have does nothing there.
    """
    changes = []
    for place, slot in enumerate(before.slots):
        actions_before = _list_actions(before, place)
        actions_after = _list_actions(after, place)
        for device in dict.fromkeys([*actions_before, *actions_after]):
            was = actions_before.get(device, _NOTHING)
            becomes = actions_after.get(device, _NOTHING)
            if abs(was.energy_kwh - becomes.energy_kwh) > _LITTLE_KWH:
                change = SlotChange(start=slot.start, device=device, before=was, after=becomes)
                changes.append(change)
    return changes


def _list_actions(plan: PlanReply, place: int) -> dict[str, SlotAction]:
    slot = plan.slots[place]
    actions = {}
    for name, flow in slot.batteries.items():
        net_kwh = round(flow.charge_kwh - flow.discharge_kwh, 6)
        actions[name] = SlotAction(mode=plan.setpoints[name].mode[place], energy_kwh=net_kwh)
    for name, load in slot.scheduled:
        mode = _SUPPLY if load.used_kwh < 0 else load.mode
        actions[name] = SlotAction(mode=mode, energy_kwh=round(load.used_kwh, 6))
    return actions


def compare_costs(before: PlanReply, after: PlanReply, *, stored: float) -> CostChange:
    """Return the additional cost of the second plan.

    ``stored`` is the value of the energy that it leaves less in the batteries.
    """
    names = ("import_", "export", "wear", "peak")
    parts = {
        name: round(getattr(after.cost, name) - getattr(before.cost, name), 6) for name in names
    }
    return CostChange(
        total=round(after.cost.total - before.cost.total + stored, 6),
        **parts,
        stored=round(stored, 6),
    )


def newly_missed(
    before: Sequence[CompromiseReply], after: Sequence[CompromiseReply]
) -> list[CompromiseReply]:
    """Return the compromises of the second plan that the first does not make."""
    made_before = {(compromise.constraint, compromise.shortfall) for compromise in before}
    return [
        compromise
        for compromise in after
        if (compromise.constraint, compromise.shortfall) not in made_before
    ]
