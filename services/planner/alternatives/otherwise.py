"""What a battery is told instead of what is planned, and which limit forbids it."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luna.contracts.why_not import Alternative
from luna.errors import InvalidInputError
from luna.physics import Mode, SetPoint
from luna.site import Battery, Site
from luna.timeline import Timeline, floor_to, require_utc
from services.planner.alternatives.deviation import Deviation, take
from services.planner.answer.explanation import find_limits
from services.planner.plan import Plan

_NOTHING_KWH = 1e-6


def find_slots(alternative: Alternative, timeline: Timeline) -> tuple[int, int]:
    """Return first slot and end of what goes another way.

    Raises:
        InvalidInputError: it lies outside the plan.
    """
    until = alternative.until or floor_to(require_utc(alternative.slot, field="alternative.slot"), timeline.step) + timeline.step
    for field, instant in (("slot", alternative.slot), ("until", until)):
        if not timeline.start <= instant <= timeline.end or (field == "slot" and instant == timeline.end):
            span = f"{timeline.start.isoformat()} to {timeline.end.isoformat()}"
            raise InvalidInputError("lies outside the plan", field=f"alternative.{field}", value=instant.isoformat(), remedy=f"The plan covers {span}.")
    first = timeline.index_of(alternative.slot)
    return first, max(-((timeline.start - until) // timeline.step), first + 1)


def find_battery(alternative: Alternative, site: Site) -> int:
    """Return which of the site's batteries is meant.

    Raises:
        InvalidInputError: none is named where there are several, or the site has none; the mode is none of a battery's.
    """
    names = [battery.name for battery in site.batteries]
    if alternative.device is not None and alternative.device not in names:
        known = [*names, *(each.name for each in site.vehicles), *(each.name for each in site.loads)]
        remedy = f"Name one of: {', '.join(known) or 'none'}."
        raise InvalidInputError("the site has no such device", field="alternative.device", value=alternative.device, remedy=remedy)
    if alternative.device is None and len(names) != 1:
        remedy = f"Name one of: {', '.join(names)}." if names else "The site has no battery."
        raise InvalidInputError("which battery is not said", field="alternative.device", value=alternative.device, remedy=remedy)
    if alternative.mode in ("on", "off"):
        raise InvalidInputError("is no mode of a battery", field="alternative.mode", value=alternative.mode, remedy="Choose from: " + _MODES + ".")
    return names.index(alternative.device) if alternative.device else 0


_MODES = ", ".join(mode.word for mode in Mode)


def require_allowed(alternative: Alternative, battery: Battery) -> None:
    """Refuse what the battery is never allowed or able to do.

    Raises:
        InvalidInputError: names the limit that forbids it.
    """
    charging = alternative.mode == "charge"
    contract, power = ("charge_from_grid", "charge_limit_kw") if charging else ("discharge_to_grid", "discharge_limit_kw")
    if alternative.mode in ("charge", "export") and not getattr(battery, contract):
        raise _forbid("mode", alternative.mode, f"batteries.{battery.name}.{contract} is false")
    if alternative.power_kw is not None and alternative.power_kw > getattr(battery, power):
        raise _forbid("power_kw", alternative.power_kw, f"batteries.{battery.name}.{power} is {getattr(battery, power):g}")
    if alternative.target_soc is not None and not battery.min_soc <= alternative.target_soc <= battery.max_soc:
        limits = f"min_soc is {battery.min_soc:g}, max_soc {battery.max_soc:g}"
        raise _forbid("target_soc", alternative.target_soc, f"of batteries.{battery.name} {limits}")


def tell_otherwise(plan: Plan, alternative: Alternative, *, index: int, slots: tuple[int, int]) -> SetPoint:
    """Return the plan's set-points of ``slots`` with the battery of that index in the mode asked for, with its widest limits."""
    told, battery = take(plan.setpoints, slice(*slots)), plan.problem.site.batteries[index]
    charging, exporting = alternative.mode == "charge", alternative.mode == "export"
    widest = {
        "mode": Mode[alternative.mode.upper()].value,
        "power_kw": alternative.power_kw or (battery.charge_limit_kw if charging else battery.discharge_limit_kw),
        "target_soc": alternative.target_soc if alternative.target_soc is not None else (battery.min_soc if exporting else battery.max_soc),
        "floor_soc": battery.min_soc,
        "ceiling_soc": battery.max_soc,
    }
    return replace(told, **{name: _put(getattr(told, name), index, value) for name, value in widest.items()})


def _put(values: NDArray[Any], index: int, value: float) -> NDArray[Any]:
    changed = values.copy()
    changed[index] = value
    return changed


def require_happens(alternative: Alternative, deviation: Deviation, index: int) -> None:
    """Refuse an exchange with the grid of which physics leaves nothing.

    Raises:
        InvalidInputError: names the limits at work.
    """
    if alternative.mode not in ("charge", "export"):
        return
    flows, here = deviation.after.flows, slice(deviation.first, deviation.end)
    moved = flows.charge_kwh if alternative.mode == "charge" else np.minimum(flows.discharge_kwh, flows.export_kwh)
    if moved[index, here].sum() <= _NOTHING_KWH:
        raise _forbid("mode", alternative.mode, _say_why(alternative, deviation, index))


def _say_why(alternative: Alternative, deviation: Deviation, index: int) -> str:
    plan, slot, charging = deviation.after, deviation.first, alternative.mode == "charge"
    problem, battery = plan.problem, plan.problem.site.batteries[index]
    soc = float(plan.start_kwh[index, slot]) / battery.capacity_kwh
    end = alternative.target_soc if alternative.target_soc is not None else (battery.max_soc if charging else battery.min_soc)
    if (soc >= end - _NOTHING_KWH) if charging else (soc <= end + _NOTHING_KWH):
        return f"batteries.{battery.name} is at {soc:.0%} then, and {end:.0%} is as far as it goes"
    room = float((problem.import_limit_kwh if charging else problem.export_limit_kwh)[slot] / problem.outlook.timeline.hours[slot])
    if charging and problem.import_limit_kwh[slot] < problem.carried_kwh[slot] - _NOTHING_KWH:
        return f"the peak of {room:.2f} kW that is planned for the capacity tariff leaves nothing for it"
    return f"the connection's {'import' if charging else 'export'} limit of {room:g} kW leaves nothing for it"


def _forbid(field: str, value: object, why: str) -> InvalidInputError:
    return InvalidInputError(f"impossible: {why}", field=f"alternative.{field}", value=value, remedy="Ask for less, for another mode or for another slot.")


def limits_at_work(deviation: Deviation) -> list[str]:
    """Return the codes of the limits at work in the slots that go another way, each once; of the first battery, as in reasons."""
    found = find_limits(deviation.after)[deviation.first : deviation.end]
    return list(dict.fromkeys(code for codes in found for code in codes))
