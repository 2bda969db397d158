"""In which slots two plans of the same horizon do something else, and what the other one costs
more.
"""

from collections.abc import Iterator

from luna.contracts.counterfactual import CostChange, SlotAction, SlotChange
from luna.contracts.plan import PlanReply

# Less than this in a slot is the same: 40 W of a quarter-hour, which no meter's owner sees.
_LITTLE_KWH = 0.01
# What a device does that gives to the house, in the word for batteries.
_SUPPLY = "supply"
_NOTHING = SlotAction(mode="none", energy_kwh=0.0)


def list_changes(before: PlanReply, after: PlanReply) -> list[SlotChange]:
    """Return every slot and device whose energy differs.

    A device that one of the plans does not have does nothing there.
    """
    changes = []
    for slot, start in enumerate(each.start for each in before.slots):
        was, will = (dict(_actions(plan, slot)) for plan in (before, after))
        for device in dict.fromkeys([*was, *will]):
            pair = was.get(device, _NOTHING), will.get(device, _NOTHING)
            if abs(pair[0].energy_kwh - pair[1].energy_kwh) > _LITTLE_KWH:
                changes.append(
                    SlotChange(start=start, device=device, before=pair[0], after=pair[1])
                )
    return changes


def _actions(plan: PlanReply, place: int) -> Iterator[tuple[str, SlotAction]]:
    slot = plan.slots[place]
    for name, flow in slot.batteries.items():
        yield (
            name,
            SlotAction(
                mode=plan.setpoints[name].mode[place],
                energy_kwh=round(flow.charge_kwh - flow.discharge_kwh, 6),
            ),
        )
    for name, placed in slot.placed:
        yield (
            name,
            SlotAction(
                mode=_SUPPLY if placed.used_kwh < 0 else placed.mode,
                energy_kwh=round(placed.used_kwh, 6),
            ),
        )


def compare_costs(before: PlanReply, after: PlanReply, *, stored: float) -> CostChange:
    """Return what the second plan costs more.

    ``stored`` is what the energy is worth that it leaves less.
    """
    parts = {
        name: round(getattr(after.cost, name) - getattr(before.cost, name), 6)
        for name in ("import_", "export", "wear", "peak")
    }
    return CostChange(
        total=round(after.cost.total - before.cost.total + stored, 6),
        **parts,
        stored=round(stored, 6),
    )
