"""What an owner does by hand whom Luna only advises: what holds now and what comes next, so that it can be set in the battery's app."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from luna.energy.timeline import SLOT, floor_to
from luna.platform.house_now import BatteryRun, charge_of, discharge_of
from services.api.pages.home_view import HomeView

# Now and next: what is further off may be planned anew by then.
MOST_RUNS = 2
# What an app does not tell apart: a battery that serves the house is one that is left to itself.
BY_HAND = {"supply": "self_consumption"}
# Less than that no app lets be set.
LEAST_KW = 0.1
# A run that goes on as far as the plan has no end that means anything.
FAR = timedelta(hours=36)


def list_advice(view: HomeView) -> list[str]:
    """Return what to do by hand, a sentence for each of the next runs; none where Luna sends it, or there is no plan."""
    if not view.house.only_advised or not view.has_plan or not view.window.site.batteries:
        return []
    runs = [_join(list(alike)) for _, alike in groupby(view.runs, key=lambda run: BY_HAND.get(run.mode, run.mode))]
    return [_say(view, run, first=place == 0) for place, run in enumerate(runs[:MOST_RUNS])]


def _join(runs: Sequence[BatteryRun]) -> BatteryRun:
    slots = tuple(slot for run in runs for slot in run.slots)
    return replace(runs[0], mode=BY_HAND.get(runs[0].mode, runs[0].mode), end=runs[-1].end, slots=slots)


def _say(view: HomeView, run: BatteryRun, *, first: bool) -> str:
    ends = run.end < view.window.running + FAR
    phrase = {(True, True): "advice_until", (True, False): "advice_now", (False, True): "advice_span", (False, False): "advice_on"}[first, ends]
    start, end = view.say_instant(run.start), view.say_instant(run.end)
    deed = view.words("deed_" + run.mode, kw=view.numbers.number(_power_kw(view, run), 1), soc=view.numbers.share(_soc_end(view, run)))
    if run.mode != "self_consumption":
        deed = view.words("advice_set", deed=deed)
    return view.words(phrase, start=start, end=end, deed=deed)


def _power_kw(view: HomeView, run: BatteryRun) -> float:
    """Return the greatest power of a run: an app takes one, and what is full ends by itself."""
    plan, moved = view.house.planned.plan, discharge_of if run.mode == "export" else charge_of
    step = timedelta(minutes=plan.slot_minutes) if plan else SLOT
    # The first slot of a plan may have begun before the plan was made: its energy is that of what remains.
    return max([LEAST_KW, *(moved(slot) / ((floor_to(slot.start, step) + step - slot.start) / timedelta(hours=1)) for slot in run.deciding)])


def _soc_end(view: HomeView, run: BatteryRun) -> float:
    """Return how full all batteries together are at the end of a run."""
    capacities = {battery.name: battery.capacity_kwh for battery in view.window.site.batteries}
    flows = {name: flow for name, flow in run.deciding[-1].batteries.items() if name in capacities}
    capacity = sum(capacities[name] for name in flows)
    return sum(flow.soc_end * capacities[name] for name, flow in flows.items()) / capacity if capacity else 0.0
