"""The planner is asked over the queue what the plan in force would cost with something
different.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from luna.contracts.site_tools import ToolCallRequest, ToolResult
from luna.contracts.variant import PlanVariantRequest, Variant
from luna.platform.database import plans
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client
from services.planner.milp.solver import Solver
from services.planner.service.variant import plan_stored_variant
from services.rag.tools.registry import call_tool
from tests.support.database.databases import remove_site
from tests.support.pages.random_home import NOW, furnish_told
from tests.support.words.wording import wording_pattern
from tests.support.worker.workers import wait_for, worker_process

NAME = "asked home"


@pytest.fixture(scope="module")
def client(database: Engine, database_url: str, redis_url: str) -> Iterator[Client]:
    """A queue behind which a planner works, and a home with a plan."""
    with unit_of_work(database) as connection:
        furnish_told(connection, name=NAME)
    client = Client(redis_url)
    with worker_process(redis_url, database_url, "services.planner.tasks"):
        wait_for(lambda: client.is_served(PlanVariantRequest, interactive=True))
        yield client
    client.close()
    remove_site(database, NAME)


def ask(database: Engine, client: Client, **arguments: float) -> ToolResult:
    request = ToolCallRequest(
        tool="what_would_it_cost", arguments=arguments, site_id=NAME, language="de"
    )
    with unit_of_work(database) as connection:
        return call_tool(connection, request, now=NOW, client=client)


def test_the_figures_are_the_planner_s(database: Engine, client: Client) -> None:
    result = ask(database, client, battery_capacity_kwh=20)
    with unit_of_work(database) as connection:
        plan = plans.read_due(connection, NAME, NOW)
        assert plan is not None
        variant = Variant(name="variant", site={"batteries": {"battery 2": {"capacity_kwh": 20}}})
        expected = plan_stored_variant(
            connection, PlanVariantRequest(plan_id=plan.plan_id, variant=variant), solver=Solver()
        )
    figures = {figure.name: figure.value for figure in result.figures}
    assert result.found
    assert figures["cost_before"] == pytest.approx(expected.before.total, abs=1e-6)
    assert figures["cost_after"] == pytest.approx(expected.after.total, abs=1e-6)
    assert figures["cost_difference"] == pytest.approx(abs(expected.cost.total), abs=1e-6)


def test_without_any_battery_the_plan_costs_more(database: Engine, client: Client) -> None:
    result = ask(database, client, battery_capacity_kwh=0)
    assert result.found, result.text
    assert "mehr" in result.text


def test_a_fixed_price_is_planned_for(database: Engine, client: Client) -> None:
    result = ask(database, client, import_price=0.3, export_price=0.05)
    assert result.found, result.text


def test_what_the_planner_refuses_is_told_as_its_reason(database: Engine, client: Client) -> None:
    # The battery's limits are too much for so little capacity.
    result = ask(database, client, battery_capacity_kwh=0.01)
    assert not result.found
    assert wording_pattern("answers", "planner_refused", "de").match(result.text)
