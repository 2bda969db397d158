"""What trained policies are worth on days that they have not seen: the demo's households under
tariffs A, B and D, with intervals.

Run as ``python -m bench.agent_decisions``: a fortnight of autumn and one of winter, one household,
trained on the weeks before; ``python -m bench.agent_decisions full``: the hundred days of both,
trained on all days before them. Forecasts are Aurora's without weather: of the days that are
learned from by models that know nothing of the month they speak in, of the unseen ones by a model
trained before them.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import product
from multiprocessing import get_context
from typing import Any, get_args

import numpy as np

from bench.decisions import HOMES, SLOTS_PER_HOUR, forecast_hourly
from bench.scenes import TARIFFS, Home, build_scene, load_home
from luna.contracts.agent import AgentKind
from luna.contracts.replay import ReplayReply
from luna.energy.bootstrap import bound_sum, permute_signs
from luna.energy.timeline import FloatArray, local_days
from services.agent.artefacts import Artefact
from services.agent.declaration import Lesson
from services.agent.evaluation.compare import PolicyCosts, score_policies
from services.agent.registry import find_kinds
from services.agent.training import compose_artefact
from services.agent.training_history import ForecastMaker, History, complete_forecasts
from services.forecaster.inputs.context import NO_CONTEXT
from services.forecaster.model.aurora import VERSION
from services.ingest.demo_data.demo import TEST_FIRST_DAY, TEST_LAST_DAY
from services.planner.compiled import load_kernels
from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import ForecastArchive, SitePrices
from services.planner.problem.problem import Problem
from services.planner.replay import ReplaySpec, run
from services.planner.replay.policies import MakePlan

BESIDE = ("idle", "self_consumption", "rule", "mpc", "mpc_scenarios", "oracle")
PLANNER = "mpc"
# Neither in summer, when a home needs no plan, nor next to what was learned from.
FORTNIGHTS = ((date(2023, 10, 7), date(2023, 10, 20)), (date(2023, 11, 20), date(2023, 12, 3)))
# A fortnight before the first day that is learned from fills the forecasts' features; the short
# form learns from ten weeks.
FIRST_DAY = date(2023, 1, 15)
FEW_WEEKS = 10
STEPS = 2_000_000
FEW_STEPS = 200_000
# Processes at once; each works with one thread.
WORKERS = 2

Windows = Sequence[tuple[date, date]]


@dataclass
class TimedPlans:
    """What makes a policy's plans, and how long each took, in milliseconds."""

    make: MakePlan
    milliseconds: list[float] = field(default_factory=list)

    def __call__(self, problem: Problem, prices: SitePrices) -> Plan:
        """Return the plan."""
        begun = time.perf_counter()
        plan = self.make(problem, prices)
        self.milliseconds.append((time.perf_counter() - begun) * 1e3)
        return plan


@dataclass(frozen=True, slots=True)
class HomeForecasts:
    """What was forecast for a household: on the days that are learned from, and in each unseen
    window.
    """

    learned: ForecastArchive
    unseen: Sequence[ForecastArchive]


@dataclass(frozen=True, slots=True)
class TariffFigures:
    """One household under one tariff: its figures, and by policy and day what it gained over the
    planner in points of what can be saved.
    """

    figures: dict[str, Any]
    gain: Mapping[str, FloatArray]


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return per household, tariff and policy cost and score with their intervals, and all
    households pooled.
    """
    homes = HOMES if full else HOMES[:1]
    windows: Windows = ((TEST_FIRST_DAY, TEST_LAST_DAY),) if full else FORTNIGHTS
    first = FIRST_DAY if full else TEST_FIRST_DAY - timedelta(weeks=FEW_WEEKS)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        forecasts = dict(
            zip(
                homes,
                pool.map(_forecast, homes, [first] * len(homes), [windows] * len(homes)),
                strict=True,
            )
        )
        cases = [(home, tariff) for tariff, home in product(TARIFFS, homes)]
        measured = pool.map(
            _measure_case,
            [(*case, first, windows, full) for case in cases],
            [forecasts[home] for home, _ in cases],
        )
        found = {case: _tell(case, figures) for case, figures in zip(cases, measured, strict=True)}
    figures = {
        home: {"home": home, "tariffs": {tariff: found[home, tariff].figures for tariff in TARIFFS}}
        for home in homes
    }
    days = sum((last - begin).days + 1 for begin, last in windows)
    return {
        "from": windows[0][0].isoformat(),
        "days": days,
        **figures[homes[0]],
        **{home: figures[home] for home in homes[1:]},
        "pooled": {
            tariff: pool_gains([found[home, tariff].gain for home in homes]) for tariff in TARIFFS
        },
        "decision_p50_ms": _worst_decisions(found.values()),
        "never_trained": sorted(set(get_args(AgentKind)) - set(find_kinds())),
    }


def _tell(case: tuple[str, str], found: TariffFigures) -> TariffFigures:
    """Say what one household came to under one tariff: all of them take hours."""
    print(json.dumps({"case": case, **found.figures}), file=sys.stderr, flush=True)
    return found


def _forecast(home_name: str, first: date, windows: Windows) -> HomeForecasts:
    home = load_home(home_name)
    learned = local_days(first, TEST_FIRST_DAY - timedelta(days=1), home.zone)
    source = ForecastMaker(VERSION, NO_CONTEXT)
    archive = complete_forecasts(
        [], home.household.observations, home.household.site, learned, source=source
    )
    return HomeForecasts(archive, [forecast_hourly(home, *window) for window in windows])


def _measure_case(
    case: tuple[str, str, date, Windows, bool], forecasts: HomeForecasts
) -> TariffFigures:
    load_kernels()
    home_name, tariff, first, windows, full = case
    home = load_home(home_name)
    history = History(
        build_scene(
            home,
            first,
            TEST_FIRST_DAY - timedelta(days=1),
            tariff=tariff,
            forecasts=forecasts.learned,
        ),
        {},
    )
    trained, seconds = train_kinds(history, steps=STEPS if full else FEW_STEPS)
    replies = [
        _replay(home, window, tariff, forecasts=archive, trained=trained)
        for window, archive in zip(windows, forecasts.unseen, strict=True)
    ]
    costs = PolicyCosts.of(
        {
            name: [day for reply in replies for day in reply.policies[name].days]
            for name in replies[0].policies
        }
    )
    possible = costs.possible
    scores = {name: score.model_dump() for name, score in score_policies(costs, replies).items()}
    gain = (
        {}
        if possible is None
        else {name: costs.gain(name, over=PLANNER) * 100 / possible.sum() for name in trained}
    )
    timed = {name: float(np.median(plans.milliseconds)) for name, plans in trained.items()}
    beside = {name: scores[name]["over_self_consumption"] for name in trained}
    figures = {
        "policies": scores,
        "best_score": max(score["score"] or 0.0 for score in scores.values()),
        "worst_over_self_consumption": min(
            (found["points"] for found in beside.values() if found is not None), default=None
        ),
        "breaches": _count_breaches(replies),
        "train_seconds": seconds,
        "decision_p50_ms": timed,
    }
    return TariffFigures(figures, gain)


def train_kinds(
    history: History, *, steps: int
) -> tuple[dict[str, TimedPlans], dict[AgentKind, float]]:
    """Return every kind's policy, trained on a history, and the seconds each training took.

    One may begin from what another learned.
    """
    site = history.scene.site
    artefacts: dict[AgentKind, Artefact] = {}
    seconds: dict[AgentKind, float] = {}
    policies = {}
    for kind, declared in find_kinds().items():
        lesson = Lesson(history, steps=steps, teacher=artefacts.get)
        begun = time.perf_counter()
        artefacts[kind] = compose_artefact(declared, site, lesson, declared.train(lesson))
        seconds[kind] = time.perf_counter() - begun
        policies[declared.policy] = TimedPlans(declared.load(artefacts[kind], site).plan)
    return policies, seconds


def _replay(
    home: Home,
    window: tuple[date, date],
    tariff: str,
    *,
    forecasts: ForecastArchive,
    trained: Mapping[str, MakePlan],
) -> ReplayReply:
    scene = build_scene(home, *window, tariff=tariff, forecasts=forecasts)
    return run(scene, ReplaySpec([*BESIDE, *trained], SLOTS_PER_HOUR, agents=trained)).reply


def _count_breaches(replies: Sequence[ReplayReply]) -> int:
    return sum(
        policy.violations + (policy.unserved_kwh > 0)
        for reply in replies
        for policy in reply.policies.values()
    )


def pool_gains(gains: Sequence[Mapping[str, FloatArray]]) -> dict[str, dict[str, float]]:
    """Return by policy what it gains over the planner in points, the mean of households, with its
    interval: blocks of days of each are drawn.
    """
    pooled = {}
    for name in gains[0]:
        daily = np.concatenate([each[name] for each in gains]) / len(gains)
        rng = np.random.default_rng(0)
        low, high = bound_sum(daily, rng=rng)
        pooled[name] = {
            "points": float(daily.sum()),
            "low": low,
            "high": high,
            "p_value": permute_signs(daily, rng=rng),
        }
    return pooled


def _worst_decisions(found: Any) -> dict[str, float]:
    timed = [each.figures["decision_p50_ms"] for each in found]
    return {name: max(each[name] for each in timed) for name in timed[0]}


if __name__ == "__main__":
    print(json.dumps(measure(full="full" in sys.argv), indent=2))
