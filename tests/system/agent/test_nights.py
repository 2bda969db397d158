"""A day under full control.

What its stored plans would have cost is what they cost on the device; what the agent's nights do
with that.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.agent import TrainAgentRequest
from luna.contracts.agent_control import ControlMode, NightReply, NightRequest
from luna.contracts.data import DayQuality
from luna.contracts.job import Job
from luna.contracts.message import Request
from luna.contracts.replay import DayCost
from luna.energy.observations import Observations
from luna.energy.timeline import SLOT
from luna.platform.database import (
    agent_gates,
    agent_status,
    observations,
    quality,
    scores,
    training_runs,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.training_runs import TrainingRun
from services.agent.night import UnscoredDayError, run_night, score_day, wants_training
from tests.support.agent.agent_controlled_days import POLICY, SteeredDays, read_told
from tests.support.agent.agents import SwitchesFreely
from tests.support.control.lived_days import BEFORE, FIRST
from tests.support.suite.depth import LONG

DAY = date(2024, 2, 1)
# 04:15 in Berlin, in the night after the day.
NIGHT = FIRST + timedelta(days=1, hours=4, minutes=15)
SYSTEM = "prod_shadow_antares"


# The planner decides in the shadow's day, the agent in the other.
MODES: tuple[ControlMode, ...] = ("shadow", "full_control") if LONG else ("full_control",)
PLAN_EVERY = timedelta(hours=0 if LONG else 2)
# Of 24 or 12.
MANY_PLANS = 20 if LONG else 10


def live_day(database: Engine, mode: ControlMode) -> SteeredDays:
    days = SteeredDays(database, SwitchesFreely(), mode, plan_every=PLAN_EVERY)
    days.decide(mode, "offered")
    days.plan(FIRST)
    days.run(96)
    return days


@pytest.fixture(scope="module")
def lived(database: Engine) -> Iterator[dict[ControlMode, SteeredDays]]:
    """A day on which the agent decided, and in a long run the same day on which the planner did."""
    days = {mode: live_day(database, mode) for mode in MODES}
    yield days
    for each in days.values():
        each.home.close()


@pytest.fixture(scope="module")
def scored(lived: dict[ControlMode, SteeredDays]) -> dict[ControlMode, dict[str, DayCost]]:
    """What each policy costs on the day, by who decided on it."""
    found = {}
    for mode, days in lived.items():
        with unit_of_work(days.home.database) as connection:
            found[mode] = score_day(connection, days.home.site(None), DAY, policy=POLICY)
    return found


def cost_executed(days: SteeredDays) -> float:
    """What the day's import cost less what its export earned, on the device.

    Its battery does not wear.
    """
    spot = days.spot[BEFORE * 96 : (BEFORE + 1) * 96]
    imported, exported = (
        np.array([getattr(flows, name)[0] for flows in days.flows])
        for name in ("import_kwh", "export_kwh")
    )
    return float((imported * (spot + 0.13)).sum() - (exported * spot).sum())


def test_a_day_under_full_control_is_what_the_agents_plans_say(
    lived: dict[ControlMode, SteeredDays],
) -> None:
    days = lived["full_control"]
    log = days.read_log()
    by_agent = [(before, entry) for before, entry in pairwise(log) if entry.decided_by == "agent"]
    assert len(by_agent) > 48
    for before, entry in by_agent:
        soc = days.soc_before(entry.slot_start)
        expected = read_told(
            days.read_plan(entry.plan_id),
            days.home,
            entry.slot_start,
            soc,
            before.allowed["battery"]["mode"],
        )
        assert {name: entry.requested["battery"][name] for name in expected} == pytest.approx(
            expected
        )
        assert entry.confirmed is not None
    assert {entry.reason for _, entry in by_agent} == {"agent_cheaper"}
    assert {entry.reason for entry in log if entry.decided_by == "planner"} <= {
        "planned",
        "not_cheaper",
        "no_verdict",
    }


@pytest.mark.parametrize(
    ("mode", "policy"),
    [pytest.param("shadow", "mpc", marks=pytest.mark.long), ("full_control", POLICY)],
)
def test_a_chain_of_stored_plans_costs_what_it_cost_on_the_device(
    lived: dict[ControlMode, SteeredDays],
    scored: dict[ControlMode, dict[str, DayCost]],
    mode: ControlMode,
    policy: str,
) -> None:
    costs = scored[mode]
    assert costs[policy].cost == pytest.approx(cost_executed(lived[mode]), abs=1e-6)
    assert set(costs) == {"mpc", POLICY, f"{POLICY}_export", "oracle", "idle", "self_consumption"}


def test_nobody_is_cheaper_than_the_oracle_stored_energy_counted_in(
    scored: dict[ControlMode, dict[str, DayCost]],
) -> None:
    costs = scored[MODES[0]]
    settled = {name: cost.cost - (cost.value_gain or 0.0) for name, cost in costs.items()}
    assert min(settled.values()) == settled["oracle"]
    assert settled[POLICY] < settled["mpc"]


def test_a_day_scored_twice_is_scored_once(
    lived: dict[ControlMode, SteeredDays], scored: dict[ControlMode, dict[str, DayCost]]
) -> None:
    days = lived[MODES[0]]
    first = scored[MODES[0]]
    with unit_of_work(days.home.database) as connection:
        again = score_day(connection, days.home.site(None), DAY, policy=POLICY)
        stored = scores.read_daily(connection, days.home.name, system_id=SYSTEM)
    assert first == again
    assert {name: len(found) for name, found in stored.items()} == dict.fromkeys(first, 1)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        pytest.param(DAY - timedelta(days=1), "too_few_plans", id="nothing planned"),
        pytest.param(DAY + timedelta(days=1), "gaps", id="not lived"),
    ],
)
def test_a_day_that_tells_nothing_is_left_out(
    lived: dict[ControlMode, SteeredDays], day: date, reason: str
) -> None:
    days = lived[MODES[0]]
    with unit_of_work(days.home.database) as connection, pytest.raises(UnscoredDayError) as caught:
        score_day(connection, days.home.site(None), day, policy=POLICY)
    assert caught.value.reason == reason


def test_an_excluded_day_is_left_out(lived: dict[ControlMode, SteeredDays]) -> None:
    days = lived["full_control"]
    with unit_of_work(days.home.database) as connection:
        nested = connection.begin_nested()
        quality.save(connection, days.home.name, [DayQuality(day=DAY, verdict="exclude")])
        with pytest.raises(UnscoredDayError) as caught:
            score_day(connection, days.home.site(None), DAY, policy=POLICY)
        nested.rollback()
    assert caught.value.reason == "excluded"


def spend(days: SteeredDays, asked: list[Request]) -> NightReply:
    def ask(request: Request) -> Job:
        asked.append(request)
        about = {
            "job_id": f"{len(asked)}",
            "task": request.task,
            "key": "",
            "status": "queued",
            "attempts": 0,
            "submitted_at": NIGHT,
            "trace_id": "",
        }
        return Job.model_validate(about | {"request": {}, "reply": None})

    return run_night(days.home.database, NightRequest(site_id=days.home.name), ask, now=NIGHT)


def test_a_night_scores_and_judges_once(lived: dict[ControlMode, SteeredDays]) -> None:
    days = lived["full_control"]
    asked: list[Request] = []
    did = spend(days, asked).sites[days.home.name]
    assert f"scored {DAY}" in did
    assert "judged full_control: not_ready (replay_days)" in did
    again = spend(days, asked)
    assert again.faults == {}
    assert not [line for line in again.sites[days.home.name] if line.startswith("judged")]
    with unit_of_work(days.home.database) as connection:
        kept = [
            entry
            for _, entry in agent_gates.list_newest(connection, days.home.name)
            if entry.kind == "judged" and entry.mode == "full_control"
        ]
        status = agent_status.read_status(connection, days.home.site(None), now=NIGHT)
    # The one by which the test began, and that of the night: what was offered without evidence is
    # not any more.
    assert [entry.state for entry in kept] == ["not_ready", "offered"]
    assert {each.kind: each.days for each in kept[0].evidence} == {
        "replay": 0,
        "shadow": 1,
        "both": 1,
    }
    assert (status.mode, status.next_step_code, status.shadow_plans > MANY_PLANS) == (
        "shadow",
        "train",
        True,
    )


@pytest.mark.parametrize(("back", "wanted"), [(6, False), (7, True)])
def test_an_agent_learns_anew_a_week_after_what_its_last_trial_saw(
    lived: dict[ControlMode, SteeredDays], back: int, wanted: bool
) -> None:
    """The four weeks of its trial are no age: it learned until they began."""
    days = lived[MODES[0]]
    site = days.home.site(None)
    tried = NIGHT - timedelta(days=back)
    run = TrainingRun(
        f"run {back}",
        "agent_value_v1",
        FIRST - timedelta(days=90),
        tried - timedelta(days=28),
        "1",
        0,
        1.0,
        tried_until=tried,
    )
    with days.home.database.connect() as connection:
        old = np.array([np.datetime64((FIRST - timedelta(days=60)).replace(tzinfo=None), "s")])
        observations.upsert(
            connection, site.name, Observations.of(old, {"load_kwh": np.full(1, 0.1)})
        )
        training_runs.save(connection, site.name, run)
        assert wants_training(connection, site, policy=POLICY, now=NIGHT, lost=False) is wanted
        connection.rollback()


def test_a_site_that_has_recorded_enough_is_trained_first_on_what_was_before_its_evidence(
    lived: dict[ControlMode, SteeredDays],
) -> None:
    days = lived[MODES[0]]
    with unit_of_work(days.home.database) as connection:
        nested = connection.begin_nested()
        earlier = FIRST - timedelta(days=60)
        starts = np.array(
            [
                np.datetime64((earlier + place * SLOT).replace(tzinfo=None), "s")
                for place in range(96)
            ]
        )
        observations.upsert(
            connection, days.home.name, Observations.of(starts, {"load_kwh": np.full(96, 0.1)})
        )
        nested.commit()
    asked: list[Request] = []
    assert spend(days, asked).faults == {}
    # Four weeks after the first recorded day begins what evidence may be made of; and a training on
    # all there is.
    assert [(type(request), getattr(request, "until", None)) for request in asked] == [
        (TrainAgentRequest, earlier + timedelta(days=28)),
        (TrainAgentRequest, None),
    ]
