"""The gym in steps per second: thousands of site-days side by side on the kernel's physics and
economics, with and without states, and one site alone.

Run as ``python -m bench.agent_environment``. Days are a demo household's under tariff A, with
sixteen sizes of battery; forecasts are last week's values, issued every hour. ``few_sites`` are
255: what a step costs whatever the number of sites shows there.
"""

import json
import time
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any

import numpy as np

from bench.scenes import build_scene, load_home
from bench.timing import time_call
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import FloatArray
from services.agent.environment.env import AntaresEnv
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import COMPACT, LAYOUTS
from services.agent.environment.transition import EnvRule
from services.agent.environment.vector_env import VectorEnv
from services.planner.problem.knowledge import DAY, ForecastArchive
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData

FIRST_DAY = date(2023, 3, 1)
DAYS = 60
FULL_DAYS = 300
SITES = 16_384
SLOTS = 96
ROUNDS = 5
FULL_ROUNDS = 20
FEW_SITES = 255
HOUR = timedelta(hours=1)


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return steps per second of many sites and of one, and what making episodes takes."""
    scene = _tell_last_week(
        build_scene(
            load_home(),
            FIRST_DAY,
            FIRST_DAY + timedelta(days=(FULL_DAYS if full else DAYS) - 1),
            tariff="A",
        )
    )
    begun = time.perf_counter()
    one = EpisodeBatch.of(scene)
    built = time.perf_counter() - begun
    battery = one.sites[0].batteries[0]
    sizes = [
        {"capacity_kwh": capacity, "charge_limit_kw": power, "discharge_limit_kw": power}
        for capacity, power in product((5, 8, 12, 16), (2.5, 4, 5, 10))
    ]
    batch = one.equip([[battery.model_copy(update=size)] for size in sizes])
    rounds = FULL_ROUNDS if full else ROUNDS
    begun = time.perf_counter()
    _make(batch, EnvRule(COMPACT), 1)
    started = time.perf_counter() - begun
    return {
        "sites": SITES,
        "episodes": batch.episodes.size,
        "build_ms_per_day": built / one.episodes.size * 1e3,
        "first_step_s": started,
        "steps_per_s": _rate(_make(batch, EnvRule(COMPACT), 1), rounds),
        "two_threads_steps_per_s": _rate(_make(batch, EnvRule(COMPACT), 2), rounds),
        "continuous_steps_per_s": _rate(_make(batch, EnvRule(COMPACT, "continuous"), 1), rounds),
        "with_states": {
            version: _rate(_make(batch, EnvRule(layout), 1), rounds, observe=True)
            for version, layout in LAYOUTS.items()
        },
        "few_sites_steps_per_s": _rate(VectorEnv(batch, FEW_SITES, rule=EnvRule(COMPACT)), rounds),
        "one_site_steps_per_s": _rate_one(AntaresEnv(one)),
    }


def _tell_last_week(scene: ReplayData) -> ReplayData:
    """Return the scene with a forecast for each hour that repeats the last seven days."""
    seen = scene.foresight
    before = seen.timeline.index_of(scene.timeline.start)

    def last(series: FloatArray, slot: int) -> Quantiles:
        week = 7 * DAY // seen.timeline.step
        return Quantiles.exact(series[slot - week : slot - week + HORIZON // seen.timeline.step])

    hours = range(before, before + scene.timeline.count, HOUR // seen.timeline.step)
    windows = [(slot, seen.timeline.window(slot, HORIZON // seen.timeline.step)) for slot in hours]
    told = [
        Forecast(
            ahead, ahead.start, "last_week", last(seen.load_kwh, slot), last(seen.pv_kwh, slot)
        )
        for slot, ahead in windows
    ]
    return replace(scene, forecasts=ForecastArchive(told))


def _make(batch: EpisodeBatch, rule: EnvRule, threads: int) -> VectorEnv:
    """Return an environment that has made its first step, which loads or compiles the loop."""
    env = VectorEnv(batch, SITES, rule=rule, threads=threads)
    env.reset(np.random.default_rng(0))
    env.step(_draw(env, 1)[0])
    return env


def _draw(env: VectorEnv, slots: int) -> Any:
    rng = np.random.default_rng(1)
    shape = (
        (slots, env.count)
        if env.rule.control == "discrete"
        else (slots, env.count, env.action_count)
    )
    return (
        rng.integers(0, env.action_count, shape)
        if env.rule.control == "discrete"
        else rng.random(shape)
    )


def _rate(env: VectorEnv, rounds: int, *, observe: bool = False) -> float:
    actions = _draw(env, SLOTS)
    env.reset(np.random.default_rng(2))

    def live(_: None) -> None:
        for asked in actions:
            env.step(asked, observe=observe)

    return (
        env.count * SLOTS / float(np.median([time_call(live, None) for _ in range(rounds)])) * 1e3
    )


def _rate_one(env: AntaresEnv) -> float:
    def live(_: None) -> None:
        env.reset(seed=0)
        for slot in range(SLOTS):
            env.step(slot % 4)

    return SLOTS / float(np.median([time_call(live, None) for _ in range(5)])) * 1e3


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
