"""Many sites at once are what one site is, whatever is asked of them."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.agent.environment.env import AntaresEnv
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import COMPACT, V1_1
from services.agent.environment.transition import EnvRule, RewardRule
from services.agent.environment.vector_env import VectorEnv
from tests.support.agent.made_up_days import bounds_kwh, join_sites, make_days
from tests.support.planning.replay import BATTERY, make_scene
from tests.support.suite.depth import LONG, draws

SHAPED = RewardRule(discount=0.99, terminal_soc_penalty=0.5, cheap_discharge_penalty=0.1)
SPRING = (date(2024, 3, 30), date(2024, 3, 31))
# Sites side by side in one block.
MANY = 256
# Sites whose steps are compared with those of one site alone, and steps under wild actions.
COMPARED_SITES = 24 if LONG else 6
WILD_STEPS = 1_000 if LONG else 250
WILD = np.array([np.nan, np.inf, -np.inf, -3.0, 1e12, 0.0, 0.5, 1.0])


def draw_actions(
    rng: np.random.Generator, rule: EnvRule, shape: tuple[int, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Draw actions of which half are none."""
    if rule.control == "continuous":
        return np.where(
            rng.random((*shape, 3)) < 0.3, rng.choice(WILD, (*shape, 3)), rng.random((*shape, 3))
        )
    return np.where(rng.random(shape) < 0.1, rng.choice(WILD, shape), rng.integers(0, 4, shape))


def compare(
    batch: EpisodeBatch,
    rule: EnvRule,
    rng: np.random.Generator,
    episodes: np.ndarray[tuple[int], np.dtype[np.int64]],
    alone: int,
) -> None:
    """Assert that the first ``alone`` episodes, stepped beside all others, are those of the
    environment of one site.
    """
    many = VectorEnv(batch, episodes.size, rule=rule)
    one = AntaresEnv(batch, rule)
    slots = int(batch.episodes.count[episodes].min())
    actions = draw_actions(rng, rule, (slots, episodes.size))
    states = [many.reset(np.random.default_rng(0), episodes)]
    rewards = []
    infos = []
    for asked in actions:
        state, reward, _ = many.step(asked)
        states = [*states, state]
        rewards = [*rewards, reward]
        infos = [*infos, many.info]
    for place in range(alone):
        day = batch.episodes.day[episodes[place]]
        name = batch.sites[batch.episodes.site[episodes[place]]].name
        first, _ = one.reset(options={"day": day, "site": name})
        np.testing.assert_array_equal(first, states[0][place])
        for slot in range(slots - 1):
            state, reward, _, _, info = one.step(actions[slot, place])
            assert reward == pytest.approx(rewards[slot][place], abs=1e-9)
            assert info["cost"] == pytest.approx(infos[slot].cost[place], abs=1e-9)
            assert sum(info["stored_kwh"]) == pytest.approx(infos[slot].stored_kwh[place], abs=1e-9)
            assert info["intervened"] == infos[slot].intervened[place]
            np.testing.assert_allclose(state, states[slot + 1][place], atol=1e-6)


@settings(max_examples=draws(12), deadline=None)
@given(seed=st.integers(0, 2**32 - 1), control=st.sampled_from(["discrete", "continuous"]))
def test_sites_side_by_side_are_stepped_as_one_alone(seed: int, control: str) -> None:
    rng = np.random.default_rng(seed)
    batch = join_sites(rng, 4)
    episodes = rng.permutation(batch.episodes.size)
    compare(batch, EnvRule(COMPACT, control, SHAPED), rng, episodes, 4 if LONG else 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("inverter_share", [0.0, 0.3], ids=["no inverters", "inverters"])
@pytest.mark.parametrize("control", ["discrete", "continuous"])
def test_many_sites_are_stepped_as_one_alone(control: str, inverter_share: float) -> None:
    rng = np.random.default_rng(1)
    batch = join_sites(rng, COMPARED_SITES, inverter_share=inverter_share)
    episodes = np.resize(rng.permutation(batch.episodes.size), MANY)
    compare(batch, EnvRule(V1_1, control, SHAPED), rng, episodes, COMPARED_SITES)  # type: ignore[arg-type]


def test_sites_with_two_batteries_are_stepped_as_one_alone() -> None:
    rng = np.random.default_rng(2)
    batch = EpisodeBatch.of(
        make_scene(
            batteries=[BATTERY | {"name": "old"}, BATTERY | {"name": "new", "capacity_kwh": 3}]
        )
    )
    compare(batch, EnvRule(COMPACT), rng, np.resize(np.arange(3), MANY), 3)


@pytest.mark.parametrize("inverter_share", [0.0, 0.3], ids=["no inverters", "inverters"])
@pytest.mark.parametrize("control", ["discrete", "continuous"])
def test_no_policy_leads_a_battery_out_of_its_limits(control: str, inverter_share: float) -> None:
    rng = np.random.default_rng(3)
    batch = join_sites(rng, 30, inverter_share=inverter_share)
    rule = EnvRule(V1_1, control, SHAPED)  # type: ignore[arg-type]
    env = VectorEnv(batch, MANY, rule=rule)
    env.reset(rng)
    least, most = np.array([bounds_kwh(site) for site in batch.sites]).T
    for _ in range(WILD_STEPS):
        states, rewards, _ = env.step(draw_actions(rng, rule, (env.count,)))
        site = batch.episodes.site[env.info.episode]
        assert (env.info.stored_kwh >= least[site] - 1e-9).all()
        assert (env.info.stored_kwh <= most[site] + 1e-9).all()
        assert np.isfinite(states).all()
        assert np.isfinite(rewards).all()


def test_the_same_seed_gives_the_same_course_whatever_the_number_of_threads() -> None:
    batch = EpisodeBatch.of(make_scene())

    def live(threads: int) -> tuple[list[float], list[int]]:
        env = VectorEnv(batch, 10_000, rule=EnvRule(COMPACT, start_share=None), threads=threads)
        rng = np.random.default_rng(7)
        env.reset(np.random.default_rng(5))
        rewards = [float(env.step(rng.integers(0, 4, env.count))[1].sum()) for _ in range(100)]
        return rewards, env.episode.tolist()

    assert live(1) == live(3)


def test_an_episode_that_ends_is_followed_by_another() -> None:
    # The day on which the clocks go forward has 92 slots, the one before it 96.
    env = VectorEnv(EpisodeBatch.of(make_days(*SPRING)), 2, rule=EnvRule(COMPACT))
    env.reset(np.random.default_rng(0), [0, 1])
    ended = [env.step(np.full(2, 2))[2].tolist() for _ in range(96)]
    assert ended[91] == [False, True]
    assert ended[95][0]
