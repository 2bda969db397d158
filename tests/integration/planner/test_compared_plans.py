"""A stored plan beside the one before it."""

import itertools
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from luna.contracts.plan import PlanRequest
from luna.contracts.plan_questions import PlanChangesRequest
from luna.energy.errors import NotFoundError
from luna.platform.database.engine import unit_of_work
from services.planner.milp.solver import Solver
from services.planner.service.plan_diff import compare_stored
from services.planner.service.plans import plan_and_store
from tests.support.command_line.call import Luna
from tests.support.planning.problems import BATTERY, START
from tests.support.words.wording import wording

HOURS = 12
HOUR = timedelta(hours=1)
_NUMBERS = itertools.count()


def store(connection: Connection, name: str, later: int, load_kwh: float) -> str:
    """Plan a site so many hours after the start and return the plan's id."""
    outlook = {
        "load_kwh": [load_kwh] * HOURS,
        "pv_kwh": [0.0] * HOURS,
        "import_price": [0.1] * 4 + [0.5] * 8,
        "export_price": [0.0] * HOURS,
    }
    site = {"name": name, "timezone": "Europe/Berlin", "batteries": [BATTERY | {"name": "battery"}]}
    state = {"batteries": {"battery": {"soc": 0.5}}}
    document = {
        "site": site,
        "start": START + later * HOUR,
        "slot_minutes": 60,
        "outlook": outlook,
        "state": state,
        "options": {"language": "de"},
    }
    request = PlanRequest.model_validate(document)
    return plan_and_store(
        request, lambda: connection, now=START + later * HOUR, solver=Solver()
    ).plan_id


@pytest.fixture
def plans(database: Engine) -> Iterator[tuple[str, str]]:
    """Two plans of a site, an hour apart."""
    name = f"compared-{next(_NUMBERS)}-{time.time_ns()}"
    with unit_of_work(database) as connection:
        stored = store(connection, name, 0, 1.0), store(connection, name, 1, 1.4)
    yield stored
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM plan_history WHERE site = :name"), {"name": name})


def test_a_stored_plan_is_compared_with_the_one_before_it_in_its_language(
    database: Engine, plans: tuple[str, str]
) -> None:
    with unit_of_work(database) as connection:
        told = compare_stored(connection, PlanChangesRequest(plan_id=plans[1]), solver=Solver())
    assert (told.before_id, told.slots) == (plans[0], HOURS - 1)
    assert "load" in [cause.code for cause in told.causes]
    said = wording("differences", "cause_load_higher", "de", kwh="4,4\u00a0kWh")
    assert any(cause.text.startswith(said) for cause in told.causes)


def test_a_first_plan_has_none_before_it(database: Engine, plans: tuple[str, str]) -> None:
    with unit_of_work(database) as connection, pytest.raises(NotFoundError) as refused:
        compare_stored(connection, PlanChangesRequest(plan_id=plans[0]), solver=Solver())
    assert refused.value.reason == "no-plan-before"


def test_the_command_says_what_did_it(luna_on_servers: Luna, plans: tuple[str, str]) -> None:
    said = luna_on_servers("plans", "changes", "--plan", plans[1], "--language", "en")
    assert wording("differences", "cause_load_higher", kwh="4.4 kWh") in " ".join(said.out.split())
    document = luna_on_servers("plans", "changes", "--plan", plans[1], "--json").document
    assert (document["plan_id"], document["before_id"]) == (plans[1], plans[0])
