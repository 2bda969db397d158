"""Days that the executor follows on a simulated inverter, and the replay of the same days: slot by slot the same."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.replay import ReplayRequest
from luna.energy.physics.mode import Mode
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.executor.device import DryRun
from services.planner.problem.knowledge import DAY
from services.planner.replay import DayResult, ReplayData
from services.planner.replay.data import Rules
from services.planner.replay.days import simulate_day
from services.planner.replay.policies import CarryOver
from services.planner.replay.policy_factory import PolicyFactory, PolicyRun, plan_with_hindsight
from services.planner.service.inputs import read_scene
from tests.support.control.executor import BATTERY, Home
from tests.support.control.inverters import MODES, describe
from tests.support.control.lived_days import FIRST, TARIFF, LivedDays

MOST_DAYS = 2
HOUR = timedelta(hours=1)
ALL_MODES = {mode.word: mode.word for mode in Mode}
# A battery's limits, the modes that its inverter knows, and for how many days it is followed.
KINDS: dict[str, tuple[dict[str, Any], dict[str, str], int]] = {
    "plain": ({}, ALL_MODES, MOST_DAYS),
    "tapers, and its inverter knows four modes": ({"taper_from_soc": 0.7, "taper_to_share": 0.2, "min_charge_kw": 0.4}, MODES, 1),
}


@pytest.fixture
def live_days(database: Engine) -> Iterator[Callable[[str], LivedDays]]:
    homes: list[Home] = []

    def make(kind: str) -> LivedDays:
        limits, modes, _ = KINDS[kind]
        section, batteries = describe("dry_run", modes=modes), [{"name": "battery"} | BATTERY | limits]
        homes.append(Home(database, lambda _: DryRun(), section, tariff=TARIFF, batteries=batteries, pv=[{"name": "roof", "peak_kw": 5}]))
        homes[-1].arm()
        return LivedDays(homes[-1], section)

    yield make
    for home in homes:
        home.close()


def replay_days(scene: ReplayData) -> Iterator[DayResult]:
    """Yield the days of the planner as a replay lives them, without those whom a replay lives beside it to say what each thing unknown costs."""
    rules = Rules.of(scene)
    half = [float(kwh) for kwh in rules.initial_kwh[:, 0]]
    factory = PolicyFactory(scene, rules, 4, plan_with_hindsight(scene, rules))
    before = {"mpc": CarryOver(stored_kwh=half, seen_kwh=half)}
    for slots in scene.days:
        day = simulate_day(factory, [PolicyRun("mpc", "mpc")], slots, before)
        before = {name: record.standing for name, record in day.records.items()}
        yield day


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_executed_is_what_is_replayed(live_days: Callable[[str], LivedDays], kind: str) -> None:
    lived_days, days = live_days(kind), KINDS[kind][2]
    lived_days.plan(FIRST)
    executed = [lived_days.live(slot) for slot in range(days * 96)]
    first, last = ((FIRST + timedelta(hours=12) + day * DAY).date() for day in (0, days - 1))
    request = ReplayRequest(site_id=lived_days.home.name, from_day=first, to_day=last, policies=["mpc"])
    with unit_of_work(lived_days.home.database) as connection:
        scene = read_scene(connection, request, DEFAULT_VERSION)
    replayed = np.concatenate([day.trajectories["mpc"].flows.stored_kwh[0, 0] for day in replay_days(scene)])
    assert scene.timeline.start == FIRST
    assert replayed == pytest.approx(np.array(executed), abs=1e-9)
    # Days on which something happened: bought at night, used in the evening.
    assert np.ptp(replayed) > 5.0
