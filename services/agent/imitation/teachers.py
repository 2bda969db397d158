"""Label each slot of a history with a teacher's mode and every mode's regret.

The oracle knows the whole window; the stochastic programme knows what was known in each hour. Both
are value functions, so labels hold for any state.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from itertools import pairwise
from multiprocessing import get_context

import numpy as np

from luna.energy.economics.costs import slot_costs
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.errors import InvalidInputError
from luna.energy.outlook import Outlook
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import IntArray, Mode
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from luna.energy.policy import BatteryPolicy, SocThresholds
from luna.energy.schedule import whole_range
from luna.energy.timeline import FloatArray, Timeline
from luna.platform.child_processes import allow_children, watch_parent
from services.agent.training_history import History
from services.forecaster.model.trees import count_processors
from services.planner.dp.planner import find_nights, read_policy
from services.planner.dp.value import ValueFunction
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.knowledge import DAY
from services.planner.problem.problem import (
    ACTING,
    ACTING_ON_MEAN,
    Problem,
    SearchLimits,
    TerminalRule,
)
from services.planner.problem.rolling_horizon import SiteKnowledge
from services.planner.problem.scenarios import ErrorScenarios, blend

MODES = tuple(Mode)
_EXACT_S = 300.0
_HOUR = timedelta(hours=1)
# Half full, as replays begin.
_START_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Teacher:
    """The value function of each slot of a window, with the scenario of load, PV and prices.

    Arrays have the shape ``(slots,)``. ``weight`` is 0 for slots that cannot be learned from, less
    than 1 where the battery's data are masked.

    Invariants: a label depends on nothing but the slot and the stored energy.
    """

    limits: SiteLimits
    outlook: Outlook
    curtailment: IntArray
    wear_price: float
    policy: BatteryPolicy
    function: ValueFunction
    weight: FloatArray

    def modes(self, stored_kwh: FloatArray) -> IntArray:
        """Return the mode of each slot when it begins with ``stored_kwh``, ``(slots,)``."""
        battery = self.policy.battery
        before = np.full(stored_kwh.size, Mode.SELF_CONSUMPTION, dtype=np.int8)
        commanded: IntArray = self.policy.read(
            slice(None), before, stored_kwh / battery.capacity_kwh
        ).mode[0]
        return commanded

    def regrets(self, stored_kwh: FloatArray) -> FloatArray:
        """Return the additional cost of each mode over the cheapest, ``(slots, modes)``, currency.

        Slots begin with ``stored_kwh``. A mode costs what the slot costs, less the value of the
        energy then stored.
        """
        outlook = self.outlook
        lowest = self.limits.batteries.min_kwh[0, 0]
        stored = stored_kwh[None, :]
        actuals = SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours)
        costs_by_mode: list[FloatArray] = []
        for mode in MODES:
            modes = np.full(stored.shape, mode, dtype=np.int8)
            safe = clamp(whole_range(modes, self.curtailment), stored, self.limits)
            flows = simulate_slot(safe, stored, actuals, limits=self.limits)
            paid = slot_costs(
                import_kwh=flows.import_kwh,
                export_kwh=flows.export_kwh,
                throughput_kwh=flows.charge_kwh + flows.discharge_kwh,
                import_price=outlook.import_price,
                export_price=outlook.export_price,
                wear_price=np.array([[self.wear_price]]),
            ).total
            remaining = np.clip(flows.stored_kwh[0] - lowest, 0.0, self.function.capacity_kwh)
            value = self.function.integral(np.zeros_like(remaining), remaining)
            costs_by_mode.append(paid - value)
        costs = np.stack(costs_by_mode, axis=1)
        return np.asarray(costs - costs.min(axis=1, keepdims=True))


def ask_oracle(history: History) -> Teacher:
    """Return the teacher with hindsight over the whole window.

    Slots with gaps are bridged by the day before, and count nothing.

    Raises:
        InvalidInputError: a value function does not tell all of the site, as with several
            batteries.
    """
    scene = history.scene
    slots = history.episodes.slots
    slots_per_day = DAY // scene.timeline.step
    outlook = Outlook(
        timeline=scene.timeline,
        load_kwh=_bridge(slots.load_kwh, slots_per_day),
        pv_kwh=_bridge(slots.pv_kwh, slots_per_day),
        import_price=_bridge(slots.import_price, slots_per_day),
        export_price=_bridge(slots.export_price, slots_per_day),
    )
    limits = SiteLimits.of(scene.site)
    battery = limits.batteries
    count = len(scene.site.batteries)
    last_week_price = float(outlook.import_price[-7 * slots_per_day :].mean())
    worth = TERMINAL_SHARE * max(last_week_price, 0.0)
    terminal = TerminalRule(battery.min_kwh[:, 0], battery.max_kwh[:, 0], np.full(count, worth))
    start = (battery.min_kwh + _START_SHARE * (battery.max_kwh - battery.min_kwh))[:, 0]
    problem = Problem(
        scene.site, outlook, start, terminal, limits, SearchLimits(time_limit_s=_EXACT_S)
    )
    plan = make_plan(problem, Solver())
    if plan.value is None:
        remedy = "Train the kind `value`, which leaves all of it to the planner."
        raise InvalidInputError(
            "modes of one battery do not say everything that this site needs",
            field="site",
            value=plan.problem.site.name,
            remedy=remedy,
        )
    solved = plan.problem
    owned = plan.problem.site.batteries[0]
    night = find_nights(solved.outlook.pv_kwh, solved.outlook.timeline.hours)
    # A label must not depend on the mode before: no hysteresis, no price of switching.
    policy = read_policy(
        plan.values[0],
        owned,
        night=np.zeros_like(night),
        margin=replace(ACTING, hysteresis=0.0),
        switching_price=0.0,
    )
    weight = weigh_slots(history)
    return Teacher(
        limits=solved.limits,
        outlook=solved.outlook,
        curtailment=solved.curtailment,
        wear_price=owned.wear_price,
        policy=replace(policy, begin=policy.keep),
        function=plan.value.function,
        weight=weight,
    )


def _bridge(series: FloatArray, period: int) -> FloatArray:
    """Return a series with gaps filled from the day before, else from the first known day."""
    days = np.append(series, np.full(-series.size % period, np.nan)).reshape(-1, period)
    for order in (days, days[::-1]):
        for before, after in pairwise(order):
            after[:] = np.where(np.isfinite(after), after, before)
    return np.asarray(days.ravel()[: series.size])


# Weight of a day with bad battery data: load and sun come from them in part.
MASKED_WEIGHT = 0.5


def weigh_slots(history: History) -> FloatArray:
    """Return each slot's weight in learning, ``(slots,)``: 0 on refused days, half on masked."""
    table = history.episodes.episodes
    weight = np.zeros(history.scene.timeline.count)
    for first, count, masked in zip(table.first, table.count, table.masked, strict=True):
        weight[first : first + count] = MASKED_WEIGHT if masked else 1.0
    return weight


def ask_programme(
    history: History,
    *,
    progress: Callable[[int, int, str], None] = lambda _count, _total, _label: None,
) -> Teacher:
    """Return the teacher that plans each hour by the stochastic programme, with its knowledge.

    It is the mean over scenarios, as ``mpc_scenarios`` plans. Hours without a forecast, a price or
    a sufficient value function have no weight.

    Raises:
        InvalidInputError: no hour can be used.
    """
    scene = history.scene
    knowledge = SiteKnowledge(scene.site, scene.forecasts, scene.prices)
    errors = ErrorScenarios(scene.forecasts, scene.foresight)
    weight = weigh_slots(history)
    every = _HOUR // scene.timeline.step
    hours: list[_Hour | None] = []
    for place, first in enumerate(range(0, scene.timeline.count, every)):
        count = min(every, scene.timeline.count - first)
        hour = None
        if weight[first : first + count].any():
            hour = _plan_hour(knowledge, errors, scene.timeline.window(first, count))
        hours.append(hour)
        if place % (DAY // _HOUR) == 0:
            progress(first, scene.timeline.count, "stochastic programme")
    return _join_hours(history, hours, every)


@dataclass(frozen=True, slots=True)
class _Hour:
    """The first slots of a plan: thresholds, expected scenario, and V′ at the end of each slot.

    A step of V′ has a length and a value.
    """

    level: SocThresholds
    steps: Sequence[tuple[FloatArray, FloatArray]]
    expected: FloatArray


def _plan_hour(knowledge: SiteKnowledge, errors: ErrorScenarios, hour: Timeline) -> _Hour | None:
    battery = knowledge.site.batteries[0]
    stored = np.array([(battery.min_soc + battery.max_soc) / 2 * battery.capacity_kwh])
    try:
        problem = knowledge.build_problem(hour.start, stored)
    except InvalidInputError:
        return None
    outlook = problem.outlook
    kinds = errors.scenarios(
        outlook.timeline.start, outlook.timeline, (outlook.load_kwh, outlook.pv_kwh)
    )
    if kinds:
        problem = problem.over_scenarios(blend(kinds), risk=0.0)
    plan = make_plan(problem, Solver())
    if plan.value is None:
        return None
    night = np.zeros(outlook.timeline.count, dtype=bool)
    policy = read_policy(
        plan.value,
        battery,
        night=night,
        margin=replace(ACTING_ON_MEAN, hysteresis=0.0),
        switching_price=0.0,
    )
    part = slice(0, hour.count)
    expected = np.stack(
        [
            outlook.load_kwh[part],
            outlook.pv_kwh[part],
            outlook.import_price[part],
            outlook.export_price[part],
        ]
    )
    return _Hour(
        policy.keep.at(part),
        [plan.value.function.after(slot) for slot in range(hour.count)],
        expected,
    )


def _join_hours(history: History, hours: Sequence[_Hour | None], every: int) -> Teacher:
    """Return the hours as one teacher; missing ones have no weight and serve the house."""
    scene = history.scene
    battery = scene.site.batteries[0]
    timeline = scene.timeline
    usable = (battery.max_soc - battery.min_soc) * battery.capacity_kwh
    counts = [min(every, timeline.count - first) for first in range(0, timeline.count, every)]
    if not any(hours):
        raise InvalidInputError(
            "the stochastic programme has no value function for any hour",
            field="site",
            value=scene.site.name,
        )
    worthless = (np.array([usable]), np.zeros(1))
    joined = []
    for hour, count in zip(hours, counts, strict=True):
        house = SocThresholds.follow_house(battery, count)
        joined.append(hour or _Hour(house, [worthless] * count, np.zeros((4, count))))
    thresholds = {}
    for field in fields(SocThresholds):
        series = [getattr(hour.level, field.name) for hour in joined]
        thresholds[field.name] = np.concatenate(series)
    level = SocThresholds(**thresholds)
    steps = [worthless]
    for hour in joined:
        steps += hour.steps
    offsets = np.cumsum([0, *(length.size for length, _ in steps)])
    function = ValueFunction(
        usable,
        np.concatenate([length for length, _ in steps]),
        np.concatenate([value for _, value in steps]),
        offsets,
    )
    outlook = Outlook(timeline, *np.concatenate([hour.expected for hour in joined], axis=1))
    weight = weigh_slots(history) * np.repeat([hour is not None for hour in hours], counts)
    policy = replace(BatteryPolicy.follow_house(battery, timeline.count), keep=level, begin=level)
    curtailment = site_curtailment(scene.site, outlook.import_price, outlook.export_price)
    return Teacher(
        limits=SiteLimits.of(scene.site),
        outlook=outlook,
        curtailment=curtailment,
        wear_price=battery.wear_price,
        policy=policy,
        function=function,
        weight=weight,
    )


def ask_oracles(histories: Sequence[History], *, workers: int) -> list[Teacher]:
    """Return the teacher with hindsight of each history, in processes of their own.

    With one worker they are made in this process.
    """
    if workers == 1 or len(histories) == 1:
        return [ask_oracle(history) for history in histories]
    processes = min(workers, len(histories), count_processors())
    with (
        allow_children(),
        ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=watch_parent
        ) as pool,
    ):
        return list(pool.map(ask_oracle, histories))
