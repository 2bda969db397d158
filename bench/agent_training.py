"""Learning by reinforcement: two million steps of the demo's household on one thread, beside
stable-baselines3 on the same environment where it is installed.

Run as ``python -m bench.agent_training``. Stable-baselines3 learns as ours does, from a vectorised
environment with the same settings, and as it comes, from eight environments; of both a part is
timed and scaled up; ``full``: all of the first, a larger part of the second.
"""

import json
import time
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np

from bench.peers.reinforcement import learn_by_stable_baselines
from bench.scenes import build_scene, load_home
from luna.energy.timeline import local_days
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import COMPACT
from services.agent.environment.transition import EnvRule
from services.agent.environment.vector_env import VectorEnv
from services.agent.reinforcement.ppo import Hyperparameters, Ppo, learn_policy
from services.forecaster.forecast_issue import issue_in_parts, list_instants
from services.forecaster.model.baseline import Baseline
from services.planner.problem.knowledge import ForecastArchive

FIRST_DAY = date(2023, 4, 1)
LAST_DAY = date(2023, 6, 30)
STEPS = 2_000_000
COUNT = 256
RULE = EnvRule(layout=COMPACT, start_share=None)
# Of stable-baselines3, a few seconds each.
FAST_STEPS = 20 * COUNT * 96
DEFAULT_STEPS = 16_384
FULL_DEFAULT_STEPS = 163_840


def build_batch() -> EpisodeBatch:
    """Return the days of a household, with what the week before said of each."""
    home = load_home()
    window = local_days(FIRST_DAY, LAST_DAY, home.zone)
    seen = home.household.observations
    instants = list_instants(window.start, window.end - timedelta(hours=1), timedelta(hours=6))
    issued, _ = issue_in_parts(Baseline("baseline_7_day_avg", home.household.site), seen, instants)
    return EpisodeBatch.of(
        build_scene(home, FIRST_DAY, LAST_DAY, tariff="A", forecasts=ForecastArchive(list(issued)))
    )


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return the seconds of two million steps, what was learned by them, and what stable-baselines3
    takes for as many.
    """
    batch = build_batch()
    settings = Hyperparameters(steps=STEPS)
    learner = Ppo(VectorEnv(batch, COUNT, rule=RULE), settings, seed=0)
    told: list[float] = []

    def note(_done: int, _total: int, metrics: Mapping[str, float]) -> None:
        told.append(metrics["reward"])

    begun = time.perf_counter()
    learn_policy(learner, progress=note)
    taken = time.perf_counter() - begun
    figures: dict[str, Any] = {
        "seconds": taken,
        "steps_per_s": STEPS / taken,
        "reward_first": told[0],
        "reward_last": float(np.mean(told[-5:])),
    }
    peer = learn_by_stable_baselines(
        STEPS if full else FAST_STEPS, FULL_DEFAULT_STEPS if full else DEFAULT_STEPS
    )
    if peer is None:
        return figures | {"missing": ["stable-baselines3"]}
    for name in ("fast", "default"):
        peer[name]["seconds"] = STEPS / peer[name]["steps_per_s"]
        peer[name]["ratio"] = peer[name]["seconds"] / taken
    return figures | {"stable_baselines3": peer, "missing": []}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
