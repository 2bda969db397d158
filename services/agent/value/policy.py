"""The policy ``antares``: it plans as the planner does, by the value of stored energy, of which it
knows better what it is on the average.

Beyond what is published it plans by the prices that past days let expect, not by the last known day
again.
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

# A plan's horizon ends within so many local days from the midnight before its start, a change of
# the clock included.
_AHEAD = timedelta(days=3, hours=1)


def foresee_prices(problem: Problem, prices: SitePrices) -> Problem:
    """Return the problem with the prices that past days let expect where none are published.

    As it is where nothing can be said of them.

    Invariants: published prices stay as they are, and nothing published after the problem's start
    is read.
    """
    timeline = problem.outlook.timeline
    if (timeline.step, prices.timeline.step) != (SLOT, SLOT):
        return problem
    try:
        carried = prices.ahead(timeline.start, timeline)
        expected = expect_prices(prices, timeline)
    # A price is missing, or the plan is not on the grid of prices: what the planner expects stands
    except InvalidInputError:
        return problem
    off_import = expected[0] - carried.import_price
    off_export = expected[1] - carried.export_price
    if not np.isfinite(off_import + off_export).all():
        return problem
    return _shift(problem, off_import, off_export)


def _shift(problem: Problem, off_import: FloatArray, off_export: FloatArray) -> Problem:
    """Return the problem with other prices, what is really paid among them."""
    outlook = problem.outlook
    billed = problem.billed
    return replace(
        problem,
        outlook=replace(
            outlook,
            import_price=outlook.import_price + off_import,
            export_price=outlook.export_price + off_export,
        ),
        billed=None if billed is None else _shift(billed, off_import, off_export),
    )


def expect_prices(prices: SitePrices, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
    """Return import and export price of each slot, ``(slots,)``: as published by the timeline's
    start, beyond that as expected; NaN where nothing is known.

    Raises:
        InvalidInputError: the timeline is not on the grid of the prices.
    """
    zone = ZoneInfo(prices.site.timezone)
    spot = {}
    place = prices.timeline.index_of(timeline.start)
    midnight = local_midnight(timeline.start.astimezone(zone).date(), zone)
    begin = place - (timeline.start - midnight) // SLOT
    first = max(begin - MEMORY // SLOT, 0)
    end = min(begin + _AHEAD // SLOT, prices.timeline.count)
    for market, book in prices.books.items():
        published = book.read(timeline.start, first, end)
        expected = _expect(
            published.tobytes(),
            prices.timeline.start + first * SLOT,
            max(begin, first) - first,
            prices.site.timezone,
        )
        spot[market] = expected[place - max(begin, first) :][: timeline.count]
    return price_slots(prices.site.tariff, timeline, zone=zone, spot=spot)


@lru_cache(maxsize=32)
def _expect(published: bytes, start: datetime, ahead: int, timezone: str) -> FloatArray:
    """Return the expected prices from slot ``ahead`` of a series on, NaN beyond the published ones
    where too few days are known to learn from.

    They change only when prices are published, or a day begins.
    """
    series = np.frombuffer(published)
    timeline = Timeline(start + ahead * SLOT, SLOT, series.size - ahead)
    market = look_beyond(
        series, Timeline(start, SLOT, series.size), timeline=timeline, zone=ZoneInfo(timezone)
    )
    return market.published if market.reasons else market.expected


# How far the dearest courses alone count. Source: docs/decisions/0020.
NEUTRAL = 0.0


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """Why the agent plans otherwise than the planner: what one more kWh stored at the end of the
    first slot is worth to either, currency per kWh.

    ``correction`` is the learned part of ``agent_value``, ``courses`` what it is the mean over.
    ``carried_price`` and ``expected_price`` are the mean import prices from ``published_until`` on
    that planner and agent count with; None where all prices are published. NaN: there is no value
    function.
    """

    planner_value: float
    agent_value: float
    correction: float
    courses: int
    published_until: datetime
    carried_price: float | None
    expected_price: float | None


@dataclass(frozen=True, slots=True)
class ValuePolicy:
    """The mean of V′ over the expected course and past errors, with expected prices beyond the
    published ones, and a learned correction where one held up.

    Invariants: a plan depends on the problem, and on prices published by its start, alone. Where a
    policy of one battery's value says nothing, the plan is the planner's, and ``not_learned`` says
    why.
    """

    foresees_prices: bool = True
    correction: ValueCorrection | None = None

    def plan(self, problem: Problem, prices: SitePrices, *, planned: Plan | None = None) -> Plan:
        """Return the plan to follow."""
        obstacle = find_obstacle(problem, places=True)
        if obstacle is not None:
            if planned is None:
                planned = decide(problem, Solver())
            return replace(planned, not_learned=obstacle)
        adapted = self.adapt_problem(problem, prices)
        least_cost = make_plan(adapted, Solver())
        if self.correction is not None:
            least_cost = self.correction.apply(least_cost, prices)
        return follow_plan(adapted, least_cost)

    def adapt_problem(self, problem: Problem, prices: SitePrices) -> Problem:
        """Return the problem as the agent sees it: with prices that it expects, and courses that
        load and PV may take.
        """
        adapted = foresee_prices(problem, prices) if self.foresees_prices else problem
        courses = list_courses(adapted)
        return adapted if courses is None else adapted.over_courses(courses, risk=NEUTRAL)

    def explain(
        self, plan: Plan, problem: Problem, prices: SitePrices, *, planned: Plan
    ) -> ValueFacts:
        """Return the difference of ``plan``, made of ``problem``, from ``planned``, the planner's
        own.
        """
        published = prices.ahead(problem.outlook.timeline.start, problem.outlook.timeline)
        beyond = slice(
            (published.known_until - problem.outlook.timeline.start)
            // problem.outlook.timeline.step,
            None,
        )
        carried, expected = (
            each.outlook.import_price[beyond]
            for each in (problem.at_tariff_prices, plan.problem.at_tariff_prices)
        )
        learned = plan.problem.following.value_correction
        correction = 0.0 if learned is None else float(learned[0])
        return ValueFacts(
            planner_value=_first_value(planned),
            agent_value=_first_value(plan) + correction,
            correction=correction,
            courses=1 if plan.spread is None else plan.spread.courses,
            published_until=published.known_until,
            carried_price=float(carried.mean()) if carried.size else None,
            expected_price=float(expected.mean()) if expected.size else None,
        )

    def list_figures(
        self, plan: Plan, problem: Problem, prices: SitePrices, *, planned: Plan
    ) -> dict[str, float]:
        """Return the figures of ``explain``, as far as they are known."""
        if plan.not_learned is not None:
            return {}
        facts = self.explain(plan, problem, prices, planned=planned)
        names = ("planner_value", "agent_value", "correction", "carried_price", "expected_price")
        figures = {name: getattr(facts, name) for name in names}
        return {
            name: float(value)
            for name, value in figures.items()
            if value is not None and np.isfinite(value)
        }


def list_courses(problem: Problem) -> ScenarioSet | None:
    """Return the courses that load and PV may take: as forecasts lately erred over whole days, and
    the same errors independent from slot to slot.
    """
    errors = problem.uncertainty.errors
    outlook = problem.outlook
    if errors is None:
        return None
    complete = np.isfinite(errors.load_kwh).all(axis=1) & np.isfinite(errors.pv_kwh).all(axis=1)
    whole = ScenarioSet(errors.weight[complete], errors.load_kwh[complete], errors.pv_kwh[complete])
    if not complete.any():
        return None

    def shift(expected: FloatArray, paths: FloatArray) -> FloatArray:
        return np.asarray(np.maximum(expected + shift_days(paths - expected), 0.0))

    return blend(
        [
            whole,
            replace(
                whole,
                load_kwh=shift(outlook.load_kwh, whole.load_kwh),
                pv_kwh=shift(outlook.pv_kwh, whole.pv_kwh),
            ),
        ]
    )


def _first_value(plan: Plan) -> float:
    return float(plan.energy_value[0, 0]) if plan.energy_value.size else float("nan")
