"""Alternatives to stored plans."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.alternative import Alternative, WhyNotRequest
from luna.contracts.plan import PlanRequest
from luna.contracts.variant import PlanVariantRequest, Variant
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.platform.database import plans
from luna.platform.database.engine import unit_of_work
from services.planner.milp.solver import Solver
from services.planner.service.alternative import plan_stored_alternative
from services.planner.service.plans import plan_and_store
from services.planner.service.variant import plan_stored_variant
from tests.support.command_line.call import Luna
from tests.support.planning.problems import BATTERY, START
from tests.support.words.wording import wording, wording_pattern

HOUR = timedelta(hours=1)


def request() -> PlanRequest:
    """Twelve hours, the last eight dear."""
    outlook = {
        "load_kwh": [1.0] * 12,
        "pv_kwh": [0.0] * 12,
        "import_price": [0.1] * 4 + [0.5] * 8,
        "export_price": [0.0] * 12,
    }
    site = {"name": "why not", "timezone": "UTC", "batteries": [BATTERY | {"name": "battery"}]}
    state = {"batteries": {"battery": {"soc": 0.5}}}
    return PlanRequest.model_validate(
        {
            "site": site,
            "start": START,
            "slot_minutes": 60,
            "outlook": outlook,
            "state": state,
            "options": {"language": "de"},
        }
    )


def store(connection: Connection) -> str:
    return plan_and_store(request(), lambda: connection, now=START, solver=Solver()).plan_id


def hold(plan_id: str) -> WhyNotRequest:
    return WhyNotRequest(
        plan_id=plan_id, alternative=Alternative(slot=START + 5 * HOUR, mode="hold")
    )


def test_a_stored_plan_answers_from_its_own_inputs_in_its_language(connection: Connection) -> None:
    plan_id = store(connection)
    reply = plan_stored_alternative(connection, hold(plan_id), solver=Solver())
    opposite = plans.load(connection, plan_id).slots[5].reason.cost_of_opposite
    assert reply.plan_id == plan_id
    assert reply.cost.total == pytest.approx(opposite, abs=1e-6)
    holding = wording("alternatives", "does_hold", "de")
    battery = wording("device_battery", "name_battery", "de")
    begins = wording("alternatives", "at", "de", what=holding, time="Do. 05:00", device=battery)
    assert reply.text.startswith(f"{begins}: ")


def test_an_unknown_plan_is_not_found(connection: Connection) -> None:
    with pytest.raises(NotFoundError) as refused:
        plan_stored_alternative(connection, hold("unknown"), solver=Solver())
    assert refused.value.reason == "not-found"


def test_the_command_says_cost_and_changes(luna_on_servers: Luna, database: Engine) -> None:
    with unit_of_work(database) as connection:
        plan_id = store(connection)
    words = ("why-not", "--plan", plan_id, "--mode", "hold", "--language", "en")
    assert (
        luna_on_servers(*words, "--slot", "2024-02-01T05:00Z", "--json").document["cost"]["total"]
        > 0
    )
    shown = luna_on_servers(*words, "--slot", "2024-02-01T05:00Z").out
    holding = wording("alternatives", "does_hold")
    assert wording("alternatives", "at", what=holding, time="Thu 05:00", device="Battery") in shown
    assert wording_pattern("alternatives", "cost_more").search(shown)
    refused = luna_on_servers(*words, "--slot", "2024-02-03T05:00Z")
    assert (refused.code, refused.problem["field"]) == (2, "alternative.slot")


def test_a_stored_plan_is_planned_with_something_different(connection: Connection) -> None:
    plan_id = store(connection)
    larger = Variant(name="20 kWh", site={"batteries": {"battery": {"capacity_kwh": 20}}})
    reply = plan_stored_variant(
        connection, PlanVariantRequest(plan_id=plan_id, variant=larger), solver=Solver()
    )
    assert reply.plan_id == plan_id
    assert reply.cost.total < 0
    assert reply.text.startswith("20 kWh: ")
    assert wording_pattern("alternatives", "cost_less", "de").search(reply.text)
    spot = Variant(name="spot", site={"tariff": {"import": {"kind": "spot", "market": "NL"}}})
    with pytest.raises(InvalidInputError, match="quarter-hours"):
        plan_stored_variant(
            connection, PlanVariantRequest(plan_id=plan_id, variant=spot), solver=Solver()
        )


def test_the_command_plans_a_plan_with_something_different(
    luna_on_servers: Luna, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        plan_id = store(connection)
    said = luna_on_servers(
        "what-if", "--plan", plan_id, "--variant", "none: batteries.battery=null"
    )
    assert "none: €" in said.out
    assert (
        luna_on_servers("what-if", "--plan", plan_id, "--export", "2", "--json").document["cost"][
            "export"
        ]
        == 0.0
    )
    refused = luna_on_servers("what-if", "--plan", plan_id)
    assert (refused.code, refused.problem["field"]) == (2, "--variant")
    assert (
        luna_on_servers("what-if", "--plan", "unknown", "--export", "2").problem["field"]
        == "plan_id"
    )
