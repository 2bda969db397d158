"""Days that the executor follows on a simulated inverter, and the replay of the same days: slot by
slot the same.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.replay import ReplayRequest
from luna.drivers.control.device import DryRun
from luna.energy.physics.mode import Mode
from luna.energy.timeline import SLOT
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.problem.knowledge import DAY
from services.planner.replay import DayResult, ReplayData
from services.planner.replay.data import Rules
from services.planner.replay.days import simulate_day
from services.planner.replay.policies import CarryOver
from services.planner.replay.policy_factory import PolicyFactory, PolicyRun, plan_with_hindsight
from services.planner.service.inputs import read_scene
from tests.support.control.executor import BATTERY, Home
from tests.support.control.inverters import MODES, describe
from tests.support.control.lived_days import BEFORE, FIRST, TARIFF, LivedDays
from tests.support.suite.depth import LONG

DAY_SLOTS = 96
ALL_MODES = {mode.word: mode.word for mode in Mode}
# From half past eight on, so that the sun fills it into its taper.
SUNNY = (34, 26)
# Until noon: bought at night, used in the morning.
NIGHT = (0, 48)
TAPERS = {"taper_from_soc": 0.7, "taper_to_share": 0.2, "min_charge_kw": 0.4}
# A battery's limits, the modes that its inverter knows, the first slot in which it is followed, and
# for how many it is.
KINDS: dict[str, tuple[dict[str, Any], dict[str, str], tuple[int, int]]] = {
    "plain": ({}, ALL_MODES, (0, 2 * DAY_SLOTS) if LONG else NIGHT),
    "tapers, and its inverter knows four modes": (TAPERS, MODES, (0, DAY_SLOTS) if LONG else SUNNY),
}


@pytest.fixture
def live_days(database: Engine) -> Iterator[Callable[[str], LivedDays]]:
    homes: list[Home] = []

    def make(kind: str) -> LivedDays:
        limits, modes, _ = KINDS[kind]
        section = describe("dry_run", modes=modes)
        batteries = [{"name": "battery"} | BATTERY | limits]
        homes.append(
            Home(
                database,
                lambda _: DryRun(),
                section,
                tariff=TARIFF,
                batteries=batteries,
                pv=[{"name": "roof", "peak_kw": 5}],
            )
        )
        homes[-1].arm()
        return LivedDays(homes[-1], section)

    yield make
    for home in homes:
        home.close()


def replay_days(scene: ReplayData, begin: int, end: int) -> Iterator[DayResult]:
    """Yield the planner's days as a replay lives them, as far as they lie within these slots."""
    rules = Rules.of(scene)
    half = [float(kwh) for kwh in rules.initial_kwh[:, 0]]
    factory = PolicyFactory(scene, rules, 4, plan_with_hindsight(scene, rules))
    before = {"mpc": CarryOver(stored_kwh=half, seen_kwh=half)}
    for slots in scene.days:
        part = max(slots[0], begin), min(slots[1], end)
        # Without those whom a replay lives beside the planner to say what each thing unknown costs.
        day = simulate_day(factory, [PolicyRun("mpc", "mpc")], part, before)
        before = {name: record.standing for name, record in day.records.items()}
        yield day


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_executed_is_what_is_replayed(
    live_days: Callable[[str], LivedDays], kind: str
) -> None:
    lived_days = live_days(kind)
    begin, slots = KINDS[kind][2]
    end = begin + slots
    days = -(-end // DAY_SLOTS)
    lived_days.rest(begin)
    lived_days.plan(FIRST + begin * SLOT)
    executed = [lived_days.live(slot) for slot in range(begin, end)]
    # What is replayed was measured on whole days.
    lived_days.record(
        BEFORE * DAY_SLOTS + end,
        (BEFORE + days) * DAY_SLOTS,
        np.full(days * DAY_SLOTS - end, np.nan),
    )
    first, last = ((FIRST + timedelta(hours=12) + day * DAY).date() for day in (0, days - 1))
    request = ReplayRequest(
        site_id=lived_days.home.name, from_day=first, to_day=last, policies=["mpc"]
    )
    with unit_of_work(lived_days.home.database) as connection:
        scene = read_scene(connection, request, DEFAULT_VERSION)
    replayed = np.concatenate(
        [day.trajectories["mpc"].flows.stored_kwh[0, 0] for day in replay_days(scene, begin, end)]
    )
    assert scene.timeline.start == FIRST
    assert replayed == pytest.approx(np.array(executed), abs=1e-9)
    # Hours in which something happened: bought at night or stored at noon, used in the evening.
    assert np.ptp(replayed) > 5.0
