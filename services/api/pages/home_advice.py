"""Advice to set batteries by hand where Luna only advises.

Values are those that the app of a battery takes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from luna.contracts.battery_setpoints import make_safe
from luna.contracts.control import BatterySetpoint
from luna.energy.timeline import floor_to
from luna.house.now import BatteryRun, charge_of, discharge_of
from services.api.pages.home_view import HomeView

# The current and the next run: later ones may be replanned.
MOST_RUNS = 2
# Modes that an inverter's app does not distinguish.
BY_HAND = {"supply": "self_consumption"}
# The smallest power that apps accept.
LEAST_KW = 0.1
# A run that lasts to the plan's horizon has no meaningful end.
FAR = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class Advice:
    """The settings of one battery now and next; ``name`` is empty where there is only one."""

    name: str
    lines: list[str]


def list_advice(view: HomeView) -> list[Advice]:
    """Return what to set by hand on each battery.

    None where Luna sends set-points, or without a plan.
    """
    if not view.house.only_advised or not view.has_plan or not view.window.site.batteries:
        return []
    advice = []
    for battery in view.batteries:
        name = battery.battery_name if battery.battery else ""
        advice.append(Advice(name, _list_lines(battery)))
    return advice


def _list_lines(view: HomeView) -> list[str]:
    lines: list[str] = []
    far = view.window.running + FAR
    for run in _join_runs(view)[:MOST_RUNS]:
        if run.end < far:
            phrase = "advice_span" if lines else "advice_until"
        else:
            phrase = "advice_on" if lines else "advice_now"
        start = view.say_instant(run.start)
        end = view.say_instant(run.end)
        lines.append(view.words(phrase, start=start, end=end, deed=_say_settings(view, run)))
    return lines


def _join_runs(view: HomeView) -> list[BatteryRun]:
    """Return the battery's runs, joined where an app does not distinguish them."""
    joined: list[BatteryRun] = []
    for run in view.runs:
        mode = BY_HAND.get(run.mode, run.mode)
        if joined and joined[-1].mode == mode:
            slots = (*joined[-1].slots, *run.slots)
            joined[-1] = replace(joined[-1], end=run.end, slots=slots)
        else:
            joined.append(replace(run, mode=mode))
    return joined


def _say_settings(view: HomeView, run: BatteryRun) -> str:
    if run.mode == "self_consumption":
        return view.words("deed_self_consumption")
    setpoints = list(_list_setpoints(view, run))
    # An app takes one power for the whole run: the greatest, for the battery stops by itself at the
    # target.
    power_kw = max([LEAST_KW, *(setpoint.power_kw or 0.0 for setpoint in setpoints)])
    target_soc = run.deciding[-1].batteries[view.house.site.batteries[0].name].soc_end
    targets = [setpoint.target_soc for setpoint in setpoints if setpoint.target_soc is not None]
    # A target out of reach leaves the end to the clock; by hand the battery would take more in the
    # time than was planned.
    if targets and run.mode == "charge":
        target_soc = min(target_soc, max(targets))
    elif targets and run.mode == "export":
        target_soc = max(target_soc, min(targets))
    power = view.numbers.number(power_kw, 1)
    deed = view.words("deed_" + run.mode, kw=power, soc=view.numbers.share(target_soc))
    return view.words("advice_set", deed=deed)


def _list_setpoints(view: HomeView, run: BatteryRun) -> Iterator[BatterySetpoint]:
    """Yield the battery's set-points in the run's slots, at its planned charge."""
    plan = view.house.planned.plan
    if plan is None:
        return
    battery = view.house.site.batteries[0]
    series = plan.setpoints.get(battery.name)
    length = timedelta(minutes=plan.slot_minutes)
    places = {slot.start: place for place, slot in enumerate(plan.slots)}
    for slot in run.deciding:
        place = places[slot.start]
        before = plan.slots[place - 1] if place else slot
        soc = {battery.name: before.batteries[battery.name].soc_end}
        if series is not None and series.mode[place] == run.mode:
            yield make_safe(view.window.site, {battery.name: series.at(place)}, soc)[battery.name]
            continue
        # Plans without set-points, and overrides: the mean power in the slot, of which a plan's
        # first one may be a part.
        moved_kwh = discharge_of(slot) if run.mode == "export" else charge_of(slot)
        hours = (floor_to(slot.start, length) + length - slot.start) / timedelta(hours=1)
        yield BatterySetpoint.model_validate({"mode": run.mode, "power_kw": moved_kwh / hours})
