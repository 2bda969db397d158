"""The policy ``antares``: plans as the planner does, by a better mean value of stored energy.

Where no prices are published yet, it plans by prices expected from past days; the planner repeats
the last known day.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.prices import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_midnight
from services.agent.policy import find_obstacle
from services.agent.value.correction import ValueCorrection
from services.forecaster.scenarios.price_model import MEMORY, look_beyond
from services.planner.dp.plan import Plan
from services.planner.following import follow_plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide, make_plan
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem
from services.planner.problem.scenarios import ScenarioSet, blend, shift_days

# Longest horizon of a plan from the midnight before its start; the hour is for a clock change.
_AHEAD = timedelta(days=3, hours=1)


def foresee_prices(problem: Problem, prices: SitePrices) -> Problem:
    """Return the problem with prices expected from past days where none are published.

    The problem is unchanged where no prices can be expected.

    Invariants: published prices stay as they are, and nothing published after the problem's start
    is read.
    """
    timeline = problem.outlook.timeline
    if timeline.step != SLOT or prices.timeline.step != SLOT:
        return problem
    try:
        carried = prices.ahead(timeline.start, timeline)
        import_price, export_price = expect_prices(prices, timeline)
    except InvalidInputError:
        # A price is missing, or the plan is not on the grid of prices.
        return problem
    import_change = import_price - carried.import_price
    export_change = export_price - carried.export_price
    if not np.isfinite(import_change + export_change).all():
        return problem
    return _shift_prices(problem, import_change, export_change)


def _shift_prices(
    problem: Problem, import_change: FloatArray, export_change: FloatArray
) -> Problem:
    """Return the problem with changed prices, also in the billed problem."""
    outlook = replace(
        problem.outlook,
        import_price=problem.outlook.import_price + import_change,
        export_price=problem.outlook.export_price + export_change,
    )
    billed = problem.billed
    if billed is not None:
        billed = _shift_prices(billed, import_change, export_change)
    return replace(problem, outlook=outlook, billed=billed)


def expect_prices(prices: SitePrices, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
    """Return import and export price of each slot, ``(slots,)``; NaN where nothing is known.

    They are those published by the timeline's start, and expected ones beyond.

    Raises:
        InvalidInputError: the timeline is not on the grid of the prices.
    """
    zone = ZoneInfo(prices.site.timezone)
    place = prices.timeline.index_of(timeline.start)
    midnight = local_midnight(timeline.start.astimezone(zone).date(), zone)
    today = place - (timeline.start - midnight) // SLOT
    first = max(today - MEMORY // SLOT, 0)
    begin = max(today, first)
    end = min(today + _AHEAD // SLOT, prices.timeline.count)
    spot = {}
    for market, book in prices.books.items():
        published = book.read(timeline.start, first, end)
        start = prices.timeline.start + first * SLOT
        expected = _expect(published.tobytes(), start, begin - first, prices.site.timezone)
        spot[market] = expected[place - begin :][: timeline.count]
    return price_slots(prices.site.tariff, timeline, zone=zone, spot=spot)


@lru_cache(maxsize=32)
def _expect(published: bytes, start: datetime, ahead: int, timezone: str) -> FloatArray:
    """Return the expected prices from slot ``ahead`` of a series on.

    With too few days to learn from, they are the published ones, and NaN beyond. They change only
    when prices are published or a day begins, hence the cache.
    """
    series = np.frombuffer(published)
    whole = Timeline(start, SLOT, series.size)
    timeline = Timeline(start + ahead * SLOT, SLOT, series.size - ahead)
    market = look_beyond(series, whole, timeline=timeline, zone=ZoneInfo(timezone))
    return market.published if market.reasons else market.expected


# Risk aversion: weight of the dearest scenarios alone. Source: docs/decisions/0020.
NEUTRAL = 0.0


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """The values of stored energy by which agent and planner differ, currency per kWh.

    They are of one more kWh stored at the end of the first slot; NaN: there is no value function.
    ``correction`` is the learned part of ``agent_value``, ``scenarios`` the number of scenarios
    that it
    is the mean over. ``carried_price`` and ``expected_price`` are the mean import prices from
    ``published_until`` on by which planner and agent plan; None where all prices are published.
    """

    planner_value: float
    agent_value: float
    correction: float
    scenarios: int
    published_until: datetime
    carried_price: float | None
    expected_price: float | None


@dataclass(frozen=True, slots=True)
class ValuePolicy:
    """Plans by the mean of V′ over the expected scenario and scenarios of past forecast errors.

    It expects prices beyond the published ones, and adds a learned correction if one passed its
    proof.

    Invariants: a plan depends on the problem, and on prices published by its start, alone. Where
    the value of one battery is not enough, the plan is the planner's, and ``agent_obstacle`` has
    the reason.
    """

    foresees_prices: bool = True
    correction: ValueCorrection | None = None

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        """Return the plan to follow."""
        obstacle = find_obstacle(problem, schedules=True)
        if obstacle is not None:
            if planned is None:
                planned = decide(problem, Solver())
            return replace(planned, agent_obstacle=obstacle)
        adapted = self.adapt_problem(problem, prices)
        least_cost = make_plan(adapted, Solver())
        if self.correction is not None:
            least_cost = self.correction.apply(least_cost, prices)
        return follow_plan(adapted, least_cost)

    def adapt_problem(self, problem: Problem, prices: SitePrices) -> Problem:
        """Return the problem with the agent's expected prices and scenarios of load and PV."""
        adapted = foresee_prices(problem, prices) if self.foresees_prices else problem
        scenarios = list_scenarios(adapted)
        return adapted if scenarios is None else adapted.over_scenarios(scenarios, risk=NEUTRAL)

    def explain(
        self, plan: Plan, problem: Problem, prices: SitePrices, *, planned: Plan
    ) -> ValueFacts:
        """Return the difference of the agent's ``plan`` of ``problem`` from the planner's."""
        timeline = problem.outlook.timeline
        published = prices.ahead(timeline.start, timeline)
        first_beyond = (published.known_until - timeline.start) // timeline.step
        carried = problem.at_tariff_prices.outlook.import_price[first_beyond:]
        expected = plan.problem.at_tariff_prices.outlook.import_price[first_beyond:]
        corrections = plan.problem.following.value_correction
        correction = 0.0 if corrections is None else float(corrections[0])
        return ValueFacts(
            planner_value=_first_value(planned),
            agent_value=_first_value(plan) + correction,
            correction=correction,
            scenarios=1 if plan.spread is None else plan.spread.scenarios,
            published_until=published.known_until,
            carried_price=float(carried.mean()) if carried.size else None,
            expected_price=float(expected.mean()) if expected.size else None,
        )

    def list_figures(
        self, plan: Plan, problem: Problem, prices: SitePrices, *, planned: Plan
    ) -> dict[str, float]:
        """Return the figures of ``explain``, as far as they are known."""
        if plan.agent_obstacle is not None:
            return {}
        facts = self.explain(plan, problem, prices, planned=planned)
        figures = {
            "planner_value": facts.planner_value,
            "agent_value": facts.agent_value,
            "correction": facts.correction,
            "carried_price": facts.carried_price,
            "expected_price": facts.expected_price,
        }
        known = {name: value for name, value in figures.items() if value is not None}
        return {name: float(value) for name, value in known.items() if np.isfinite(value)}


def list_scenarios(problem: Problem) -> ScenarioSet | None:
    """Return possible scenarios of load and PV, from past forecast errors; None without any.

    One half has the errors of whole days, the other the same errors independent from slot to slot.
    """
    errors = problem.uncertainty.errors
    outlook = problem.outlook
    if errors is None:
        return None
    complete = np.isfinite(errors.load_kwh).all(axis=1) & np.isfinite(errors.pv_kwh).all(axis=1)
    if not complete.any():
        return None
    whole_days = ScenarioSet(
        errors.weight[complete], errors.load_kwh[complete], errors.pv_kwh[complete]
    )
    independent = replace(
        whole_days,
        load_kwh=_shift_errors(outlook.load_kwh, whole_days.load_kwh),
        pv_kwh=_shift_errors(outlook.pv_kwh, whole_days.pv_kwh),
    )
    return blend([whole_days, independent])


def _shift_errors(expected: FloatArray, scenarios: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(expected + shift_days(scenarios - expected), 0.0))


def _first_value(plan: Plan) -> float:
    return float(plan.energy_value[0, 0]) if plan.energy_value.size else float("nan")
