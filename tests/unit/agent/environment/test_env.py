"""The environment of one site keeps the contract of its kind, and its costs are the replay's."""

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from luna.energy.errors import InvalidInputError
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode
from luna.energy.schedule import PlainPolicy
from luna.energy.simulator import price, simulate
from services.agent.environment.actions import Action
from services.agent.environment.env import AntaresEnv
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import LAYOUTS, StateLayout
from services.agent.environment.transition import EnvRule
from services.planner.replay.data import Rules
from tests.support.planning.replay import make_scene
from tests.support.suite.tables import each_row


@each_row("control", ["discrete", "continuous"])
@each_row("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_environment_passes_the_checker_without_a_warning(
    layout: StateLayout, control: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # There is nothing to draw.
        check_env(
            AntaresEnv(EpisodeBatch.of(make_scene()), EnvRule(layout, control)),
            skip_render_check=True,
        )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "mode"),
    [(Action.HOLD, Mode.HOLD), (Action.COVER_LOAD, Mode.SELF_CONSUMPTION)],
    ids=["idle", "self-consumption"],
)
def test_a_day_costs_what_the_simulator_says(action: Action, mode: Mode) -> None:
    scene = make_scene()
    rules = Rules.of(scene)
    env = AntaresEnv(EpisodeBatch.of(scene))
    lived = simulate(
        PlainPolicy(mode, rules.curtailment),
        scene.actuals,
        limits=rules.limits,
        stored_kwh=rules.initial_kwh,
    )
    costs = price(
        lived,
        import_price=rules.import_price,
        export_price=rules.export_price,
        wear_price=rules.wear_price,
    ).total[0]
    env.reset(options={"day": "2023-10-03"})
    steps = [env.step(action) for _ in range(96)]
    assert [step[4]["cost"] for step in steps] == pytest.approx(costs[:96].tolist())
    assert [step[2] for step in steps] == [False] * 95 + [True]
    assert not any(step[4]["intervened"] for step in steps)


def test_full_charging_and_emptying_reach_the_limits() -> None:
    batch = EpisodeBatch.of(make_scene())
    env = AntaresEnv(batch)
    battery = SiteLimits.of(batch.sites[0]).batteries
    env.reset(options={"day": "2023-10-03"})
    # 4 kWh are missing to full, 0.95 kWh a slot come in; 8 kWh are more than 8 slots of 1 kWh empty
    # at 0.95, nine at the most.
    charged = [env.step(Action.CHARGE_FULL)[4]["stored_kwh"] for _ in range(5)]
    emptied = [env.step(Action.EXPORT)[4]["stored_kwh"] for _ in range(9)]
    assert charged[-1] == pytest.approx([battery.max_kwh[0, 0]])
    assert emptied[-1] == pytest.approx([battery.min_kwh[0, 0]])


def test_the_same_day_and_seed_give_the_same_course() -> None:
    env = AntaresEnv(EpisodeBatch.of(make_scene()), EnvRule(start_share=None))

    def live() -> list[float]:
        state, info = env.reset(seed=3, options={"day": "2023-10-04"})
        assert info["day"] == "2023-10-04"
        return [float(state[0]), *(env.step(slot % 4)[1] for slot in range(96))]

    assert live() == live()


def test_what_is_no_action_holds_and_is_told() -> None:
    env = AntaresEnv(EpisodeBatch.of(make_scene()))
    env.reset(options={"day": "2023-10-03"})
    told = [env.step(action)[4] for action in (7, -1, float("nan"), float("inf"), 1.5)]
    assert [info["mode"] for info in told] == [[Mode.HOLD]] * 5
    assert all(info["intervened"] for info in told)


def test_a_contract_that_forbids_trading_holds_and_is_told() -> None:
    battery = {
        "capacity_kwh": 8,
        "charge_limit_kw": 4,
        "discharge_limit_kw": 4,
        "charge_from_grid": False,
        "discharge_to_grid": False,
    }
    env = AntaresEnv(EpisodeBatch.of(make_scene(batteries=[battery])))
    env.reset(options={"day": "2023-10-03"})
    told = [env.step(action)[4] for action in (Action.CHARGE_FULL, Action.EXPORT)]
    assert [info["mode"] for info in told] == [[Mode.SAVE], [Mode.SUPPLY]]
    assert all(info["intervened"] for info in told)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_beyond_the_battery_is_refused(share: float) -> None:
    with pytest.raises(InvalidInputError, match="share"):
        AntaresEnv(EpisodeBatch.of(make_scene())).reset(options={"share": share})


def test_a_share_of_the_powers_moves_that_share() -> None:
    env = AntaresEnv(EpisodeBatch.of(make_scene()), EnvRule(control="continuous"))
    env.reset(options={"day": "2023-10-03"})
    # A quarter of 4 kW for a quarter-hour, of the sun or of the grid.
    assert env.step(np.array([0.25, 0.0, 0.0]))[4]["charge_kwh"] == pytest.approx(0.25)
    # At night there is load: it is served, and a quarter of 4 kW is sold beside it.
    sold = env.step(np.array([0.0, 0.0, 0.25]))[4]
    assert sold["discharge_kwh"] == pytest.approx(0.25)
    assert env.step(np.zeros(3))[4]["mode"] == [Mode.HOLD]
