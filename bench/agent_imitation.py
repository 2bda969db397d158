"""What imitation takes: days labelled a second, milliseconds of a plan by chosen modes and of one
decision.

Run as ``python -m bench.agent_imitation``: the demo's first household under tariff A, labels of 1
January to 31 August with forecasts of the seven-day mean.
"""

import json
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from bench.scenes import build_scene, load_home
from luna.energy.timeline import local_days
from services.agent.environment.states import V1_1
from services.agent.imitation.imitation_agent import (
    NetworkSettings,
    TreeClassifierSettings,
    fit_network,
    grow_classifier,
)
from services.agent.imitation.samples import ModeSamples, School
from services.agent.imitation.teachers import ask_oracles
from services.agent.modes import AgentModes
from services.agent.training_history import ForecastMaker, History, complete_forecasts, cut_scene
from services.forecaster.inputs.context import NO_CONTEXT
from services.planner.compiled import load_kernels
from services.planner.problem.rolling_horizon import SiteKnowledge

FIRST_DAY = date(2023, 3, 1)
LAST_DAY = date(2023, 3, 14)
LABEL_LAST_DAY = date(2023, 8, 31)
_TIMES = 30


def measure() -> dict[str, Any]:
    """Return labels a second and the time that plans and decisions take."""
    load_kernels()
    whole = read_days(date(2023, 1, 1), LABEL_LAST_DAY)
    few = read_days(FIRST_DAY, LAST_DAY)
    days = len(whole.days)
    begun = time.perf_counter()
    ask_oracles([whole], workers=1)
    labelled = days / (time.perf_counter() - begun)
    school = School(few, ask_oracles([few], workers=1)[0], V1_1)
    samples = school.follow_teacher(np.random.default_rng(0))
    learners = {
        "imitation": AgentModes(
            V1_1, grow_classifier(samples, TreeClassifierSettings(), seed=0).scores
        ),
        "network": AgentModes(V1_1, fit_network(samples, NetworkSettings(epochs=3), seed=0).scores),
    }
    return {
        "label_days_per_second": labelled,
        "milliseconds": {
            name: time_policy(policy, few, samples) for name, policy in learners.items()
        },
    }


def read_days(first: date, last: date) -> History:
    """Return days of the household as they were and as they were known."""
    home = load_home()
    window = local_days(first, last, home.zone)
    source = ForecastMaker("baseline_7_day_avg", NO_CONTEXT)
    forecasts = complete_forecasts(
        [], home.household.observations, home.household.site, window, source=source
    )
    scene = build_scene(home, first, last, tariff="A", forecasts=forecasts)
    return History(cut_scene(scene, scene.timeline), {})


def time_policy(policy: AgentModes, history: History, samples: ModeSamples) -> dict[str, float]:
    """Return the milliseconds of a whole plan, with the planner's own decision that it begins from,
    and of scoring one state.
    """
    scene = history.scene
    problem = SiteKnowledge(scene.site, scene.forecasts, scene.prices).build_problem(
        scene.timeline.start, np.array([4.0])
    )
    return {
        "plan": _time(lambda: policy.plan(problem, scene.prices)),
        "decision": _time(lambda: policy.score(samples.states[:1])),
    }


def _time(work: Callable[[], object]) -> float:
    work()
    begun = time.perf_counter()
    for _ in range(_TIMES):
        work()
    return (time.perf_counter() - begun) / _TIMES * 1e3


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
