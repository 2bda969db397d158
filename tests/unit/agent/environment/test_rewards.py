"""What a learner is given beside the cost changes nothing of what is best."""

from itertools import product

import numpy as np
import pytest

from services.agent.environment.env import AntaresEnv
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.transition import EnvRule, RewardRule
from tests.support.planning.replay import make_scene

DISCOUNT = 0.97
SLOTS = 4


def live(env: AntaresEnv, actions: tuple[int, ...]) -> tuple[float, float, float]:
    """Return discounted rewards, discounted costs, and what was stored at the end."""
    env.reset(options={"day": "2023-10-03"})
    steps = [env.step(action) for action in actions]
    weights = DISCOUNT ** np.arange(len(actions))
    return (
        float(weights @ [step[1] for step in steps]),
        float(weights @ [step[4]["cost"] for step in steps]),
        steps[-1][4]["stored_kwh"][0],
    )


def test_the_value_of_stored_energy_telescopes() -> None:
    batch = EpisodeBatch.of(make_scene())
    env = AntaresEnv(batch, EnvRule(reward=RewardRule(discount=DISCOUNT)))
    worth = batch.episodes.worth[0]
    actions = tuple(np.random.default_rng(0).integers(0, 4, 96).tolist())
    reward, cost, stored = live(env, actions)
    # Half of 8 kWh at the begin.
    assert reward == pytest.approx(-cost + worth * (DISCOUNT**96 * stored - 4.0))


def test_what_is_best_with_what_is_left_at_the_end_is_best_with_every_slot_valued() -> None:
    batch = EpisodeBatch.of(make_scene())
    env = AntaresEnv(batch, EnvRule(reward=RewardRule(discount=DISCOUNT)))
    worth = batch.episodes.worth[0]
    lived = {actions: live(env, actions) for actions in product(range(4), repeat=SLOTS)}
    ahead = {actions: reward for actions, (reward, _, _) in lived.items()}
    judged = {
        actions: worth * DISCOUNT**SLOTS * stored - cost
        for actions, (_, cost, stored) in lived.items()
    }
    # They differ by what was stored at the begin alone, so each order of preference is the other.
    gaps = np.array([judged[actions] - ahead[actions] for actions in lived])
    assert np.ptp(gaps) == pytest.approx(0.0, abs=1e-12)
    assert max(ahead, key=ahead.__getitem__) == max(judged, key=judged.__getitem__)


def test_shaping_is_apart_from_the_cost() -> None:
    batch = EpisodeBatch.of(make_scene())
    plain, shaped = (
        AntaresEnv(batch, EnvRule(reward=rule))
        for rule in (
            RewardRule(),
            RewardRule(terminal_soc_penalty=0.5, cheap_discharge_penalty=0.1),
        )
    )
    actions = np.random.default_rng(1).integers(0, 4, 96)
    for env in (plain, shaped):
        env.reset(options={"day": "2023-10-03"})
    steps = [(plain.step(action), shaped.step(action)) for action in actions]
    assert [one[4]["cost"] for one, _ in steps] == [other[4]["cost"] for _, other in steps]
    prices = batch.slots.import_price[:96]
    cheap = prices < 0.8 * batch.slots.q50[:96]
    shaping = [
        -0.1 * one[4]["discharge_kwh"] * below for (one, _), below in zip(steps, cheap, strict=True)
    ]
    # At the end, half a currency unit for each full battery between begin and end.
    shaping[-1] -= 0.5 * abs(steps[-1][0][4]["stored_kwh"][0] / 8 - 0.5)
    assert [other[4]["shaping"] for _, other in steps] == pytest.approx(shaping)
    assert [other[1] - one[1] for one, other in steps] == pytest.approx(shaping)
