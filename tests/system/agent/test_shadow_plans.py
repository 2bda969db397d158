"""The agent's plans beside the planner's: stored, judged, never in the way.

And what cannot plan for a site leaves a row that says why.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, func, select, text

from luna.contracts.agent_control import ShadowPlanReply, ShadowPlanRequest
from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.errors import NotFoundError
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT
from luna.platform.clock import FixedClock
from luna.platform.database import (
    agent_plans,
    plans,
    site_references,
    site_removal,
    sites,
    training_runs,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.agent import agent_gates, antares_plan_history
from luna.platform.database.training_runs import TrainingRun
from luna.platform.embedded.supervisor import start
from luna.platform.objects import FileObjects
from luna.platform.queue import Client, TaskContext
from luna.platform.settings import Settings
from services.agent.artefacts import Artefact, Header, SiteFacts, save_artefact
from services.agent.policy import TrainedAgent
from services.agent.registry import find_kind
from services.agent.shadow import LoadAgent, plan_beside
from services.agent.tasks import load_from
from services.planner.tasks import solve
from tests.support.agent.agent_controlled_days import POLICY, SteeredDays
from tests.support.agent.agents import Raises, SwitchesFreely, loading
from tests.support.control.lived_days import FIRST
from tests.support.worker.workers import kill, wait_for, worker_process

NOW = FIRST + timedelta(seconds=5)


@pytest.fixture(scope="module")
def days(database: Engine) -> Iterator[SteeredDays]:
    """A site that has just begun to be planned for; nobody plans beside the planner."""
    days = SteeredDays(database, SwitchesFreely(), "shadow")
    days.beside = lambda _: None
    yield days
    days.home.close()


@pytest.fixture
def plan_id(days: SteeredDays) -> Iterator[str]:
    """A plan of the planner that has nothing beside it yet."""
    yield days.plan(FIRST)
    with unit_of_work(days.home.database) as connection:
        connection.execute(antares_plan_history.delete())


Shadow = Callable[[LoadAgent], ShadowPlanReply]


@pytest.fixture
def shadow(days: SteeredDays, plan_id: str) -> Shadow:
    return lambda load: plan_beside(
        days.home.database, ShadowPlanRequest(plan_id=plan_id), load, clock=FixedClock(NOW)
    )


def test_a_plan_is_stored_beside_the_planners_with_what_it_was_judged_by(
    days: SteeredDays, plan_id: str, shadow: Shadow
) -> None:
    reply = shadow(loading(SwitchesFreely(), "run-7"))
    with unit_of_work(days.home.database) as connection:
        found = agent_plans.find(connection, plan_id, POLICY)
        planned = plans.load(connection, plan_id)
        made = agent_plans.load(connection, str(reply.plan_id))
        assert (
            site_references.find_reference(connection, "plan_id", str(reply.plan_id))
            == days.home.name
        )
    assert found is not None
    assert (found.verdict.code, found.verdict.follow, found.run_id) == (
        "mode_is_shadow",
        "nothing",
        "run-7",
    )
    assert [slot.start for slot in made.slots] == [slot.start for slot in planned.slots]
    assert (found.starts_at, found.ends_at) == (
        planned.slots[0].start,
        planned.slots[-1].start + SLOT,
    )
    assert found.metrics["planner_cost"] - found.metrics["agent_cost"] == pytest.approx(
        found.verdict.expected_gain
    )
    assert found.metrics["scenarios"] > 1
    assert made.followed is not None
    assert made.followed.policy == "learned"


def test_asking_twice_plans_once(days: SteeredDays, shadow: Shadow) -> None:
    first = shadow(loading(SwitchesFreely()))
    assert shadow(loading(Raises())) == first
    with unit_of_work(days.home.database) as connection:
        assert agent_plans.count(connection, days.home.name, policy=POLICY).plans == 1


def test_a_plan_takes_the_place_of_none(days: SteeredDays, plan_id: str, shadow: Shadow) -> None:
    assert shadow(loading(Raises())).verdict.code == "plan_failed"
    assert shadow(loading(SwitchesFreely())).plan_id is not None
    with unit_of_work(days.home.database) as connection:
        assert agent_plans.count(connection, days.home.name, policy=POLICY).failed == 0


def test_without_a_training_there_is_no_plan(shadow: Shadow) -> None:
    def load_none(
        _connection: Connection, _site: Site, _name: str, _before: datetime
    ) -> TrainedAgent | None:
        return None

    reply = shadow(load_none)
    assert (reply.plan_id, reply.verdict.code, reply.verdict.follow) == (
        None,
        "no_artefact",
        "nothing",
    )


def test_a_plan_that_is_not_there_is_refused(days: SteeredDays) -> None:
    with pytest.raises(NotFoundError):
        plan_beside(
            days.home.database,
            ShadowPlanRequest(plan_id="none"),
            loading(SwitchesFreely()),
            clock=FixedClock(NOW),
        )


@pytest.mark.parametrize(
    ("name", "state_version"),
    [
        pytest.param("elsewhere", None, id="trained for another site"),
        pytest.param(None, "v0", id="reads other states"),
    ],
)
def test_what_was_trained_for_something_else_is_refused(
    days: SteeredDays, shadow: Shadow, tmp_path: Path, name: str | None, state_version: str | None
) -> None:
    """The artefact is whole and its training accepted.

    It is only none for this site, or for these states.
    """
    objects = FileObjects(tmp_path)
    declared = find_kind("imitation")
    site = days.home.site(None)
    facts = SiteFacts.of(site).model_copy(update={} if name is None else {"name": name})
    about = {
        "kind": "imitation",
        "state_version": state_version or declared.state_version,
        "site": facts,
        "data_from": FIRST,
        "data_until": FIRST,
        "seed": 0,
    }
    key = save_artefact(Artefact(Header.model_validate(about), {"part": b"{}"}), objects)
    chosen = parse_site(
        site.model_dump(mode="json", by_alias=True)
        | {"antares": {"shadow_policy_type": "imitation"}}
    )
    with unit_of_work(days.home.database) as connection:
        sites.save(connection, chosen)
        run = TrainingRun(
            f"run {key}",
            declared.version,
            FIRST - timedelta(days=30),
            FIRST - timedelta(days=1),
            "1",
            0,
            1.0,
            artefact_key=key,
        )
        training_runs.save(connection, site.name, run)
    reply = shadow(load_from(objects))
    with unit_of_work(days.home.database) as connection:
        sites.save(connection, site)
    assert (reply.policy, reply.plan_id, reply.verdict.code) == ("imitation", None, "no_artefact")


# --- the planner's task ---------------------------------------------------------------------------


def solve_by(days: SteeredDays, client: Client) -> PlanReply:
    """The planner's task as a worker does it, with all that it does once its plan is stored."""
    with TaskContext(
        Settings(), lambda: days.home.database, clock=FixedClock(NOW), queue=lambda: client
    ) as work:
        reply = solve(PlanRequest(site_id=days.home.name), work)
    return TypeAdapter(PlanReply).validate_json(str(reply))


def is_stored(days: SteeredDays, plan_id: str) -> bool:
    with unit_of_work(days.home.database) as connection:
        return plans.load(connection, plan_id).plan_id == plan_id


def test_a_plan_is_made_where_redis_is_gone(days: SteeredDays) -> None:
    with closing(Client("redis://127.0.0.1:1/0")) as client:
        assert is_stored(days, solve_by(days, client).plan_id)


def test_without_a_worker_of_the_agent_nothing_is_sent(days: SteeredDays, quiet_queue: str) -> None:
    with (
        closing(Client(quiet_queue)) as client,
        closing(redis.Redis.from_url(quiet_queue)) as admin,
    ):
        assert is_stored(days, solve_by(days, client).plan_id)
        assert admin.llen("luna:agent.interactive") == 0


def test_a_plan_is_made_where_the_agents_worker_dies_and_the_queue_is_full(
    days: SteeredDays, servers_folder: Path, database_url: str
) -> None:
    with ExitStack() as stack:
        servers = stack.enter_context(start(servers_folder, services=("redis",)))
        client = stack.enter_context(closing(Client(servers.redis_url)))
        worker = stack.enter_context(
            worker_process(servers.redis_url, database_url, "services.agent.tasks")
        )
        wait_for(lambda: client.is_served(ShadowPlanRequest, interactive=True))
        kill(worker)
        # Its heartbeat outlives it: the plan is asked for, and nobody makes it.
        assert is_stored(days, solve_by(days, client).plan_id)
        assert client.is_served(ShadowPlanRequest, interactive=True)
        stack.enter_context(closing(redis.Redis.from_url(servers.redis_url))).config_set(
            "maxmemory", 1
        )
        assert is_stored(days, solve_by(days, client).plan_id)


def test_a_removed_site_leaves_nothing_of_its_agent(database: Engine) -> None:
    days = SteeredDays(database, Raises(), "shadow")
    days.plan(FIRST)
    days.decide("full_control", "offered")
    days.home.disarm()
    with unit_of_work(database) as connection:
        key = sites.key_of(connection, days.home.name)
        site_removal.remove(connection, days.home.name)
        for table in (antares_plan_history, agent_gates):
            assert (
                connection.scalar(
                    select(func.count()).select_from(table).where(table.c.site_key == key)
                )
                == 0
            )
        assert (
            connection.scalar(
                text("SELECT count(*) FROM plan_history WHERE site = :name"),
                {"name": days.home.name},
            )
            == 0
        )
