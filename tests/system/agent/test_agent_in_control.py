"""Hours that the executor follows while the agent may decide: who decides each slot, and what the
device receives. A whole day: test_nights.py.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from luna.contracts.agent_control import ControlMode
from luna.contracts.control import BatterySetpoint, ControlEntry, Override
from luna.energy.timeline import SLOT
from luna.platform.database import plan_forms, plans
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.agent import antares_plan_history
from services.agent.policy import AgentPolicy
from tests.support.agent.agent_controlled_days import SteeredDays, read_told
from tests.support.agent.agents import (
    Bent,
    Raises,
    SwitchesFreely,
    end_early,
    keep,
    know_nothing,
    sell_always,
)
from tests.support.control.executor import BATTERY
from tests.support.control.lived_days import FIRST
from tests.support.suite.depth import LONG

# A day; or two hours from a slot before noon on, at which it pays to sell.
FIRST_SLOT, SLOTS = (0, 96) if LONG else (47, 8)


def read_planned(days: SteeredDays, entry: ControlEntry) -> str:
    """The mode that the planner's plan said of the slot of an entry."""
    with unit_of_work(days.home.database) as connection:
        plan = plans.read_due(connection, days.home.name, entry.slot_start)
    assert plan is not None
    return str(
        read_told(
            plan, days.home, entry.slot_start, days.soc_before(entry.slot_start), "self_consumption"
        )["mode"]
    )


@pytest.fixture
def steer(database: Engine) -> Iterator[Callable[[AgentPolicy, ControlMode], SteeredDays]]:
    homes: list[SteeredDays] = []

    def make(agent: AgentPolicy, wanted: ControlMode) -> SteeredDays:
        homes.append(SteeredDays(database, agent, wanted))
        return homes[-1]

    yield make
    for days in homes:
        days.home.close()


Steer = Callable[[AgentPolicy, ControlMode], SteeredDays]


def test_who_may_only_sell_decides_nothing_else(steer: Steer) -> None:
    days = steer(SwitchesFreely(), "export_only")
    days.decide("export_only", "offered")
    days.rest(FIRST_SLOT)
    days.plan(FIRST + FIRST_SLOT * SLOT)
    log = days.run(SLOTS, FIRST_SLOT)
    by_agent = [entry for entry in log if entry.decided_by == "agent"]
    assert by_agent
    for entry in by_agent:
        assert "export" in {entry.requested["battery"]["mode"], read_planned(days, entry)}


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        pytest.param(Raises(), "plan_failed", id="an exception"),
        pytest.param(Bent(know_nothing), "plan_failed", id="no numbers"),
        pytest.param(Bent(end_early), "plan_failed", id="too few slots"),
        pytest.param(Bent(keep, power_kw=1e9), "not_safe", id="more power than there is"),
        pytest.param(Bent(sell_always), "not_cheaper", id="always sells"),
    ],
)
def test_a_broken_agent_leaves_the_planners_plan_in_force(
    steer: Steer, agent: AgentPolicy, reason: str
) -> None:
    days = steer(agent, "full_control")
    days.decide("full_control", "offered")
    days.plan(FIRST)
    log = days.run(8)
    assert {entry.decided_by for entry in log} == {"planner"}
    assert {entry.reason for entry in log} == {reason}
    assert set(days.verdicts()) == {reason}


def test_without_the_evidence_the_planner_decides_and_says_so(steer: Steer) -> None:
    days = steer(SwitchesFreely(), "full_control")
    days.plan(FIRST)
    assert {(entry.decided_by, entry.reason) for entry in days.run(4)} == {
        ("planner", "mode_not_offered")
    }


def test_a_withdrawal_takes_effect_in_the_next_slot(steer: Steer) -> None:
    days = steer(SwitchesFreely(), "full_control")
    days.decide("full_control", "offered")
    days.plan(FIRST)
    before = days.run(4)
    assert before[-1].decided_by == "agent"
    days.decide("full_control", "withdrawn", by="owner")
    log = days.run(2, first=4)
    assert [(entry.decided_by, entry.reason) for entry in log] == [
        ("planner", "mode_withdrawn")
    ] * 2


def test_the_owner_stands_above_the_agent(steer: Steer) -> None:
    days = steer(SwitchesFreely(), "full_control")
    days.decide("full_control", "offered")
    days.plan(FIRST)
    days.home.override(Override(mode="charge", until=FIRST + timedelta(days=1), by="owner"))
    assert {entry.decided_by for entry in days.run(4)} == {"owner"}


def pack_much(plan: dict[str, Any]) -> bytes:
    plan["thresholds"]["battery"]["keep"]["sell"] = "much"
    return pack(plan)


def pack_other_slots(plan: dict[str, Any]) -> bytes:
    plan["slots"]["start"][0] = "2024-01-01T00:00:00Z"
    return pack(plan)


def pack_a_slot_less(plan: dict[str, Any]) -> bytes:
    del plan["slots"]["start"][-1]
    return pack(plan)


def pack_a_threshold_less(plan: dict[str, Any]) -> bytes:
    del plan["thresholds"]["battery"]["keep"]["sell"][-1]
    return pack(plan)


def pack_half(plan: dict[str, Any]) -> bytes:
    return pack(plan)[: len(pack(plan)) // 2]


def pack(plan: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(plan).encode())


@pytest.mark.parametrize(
    "write", [pack_much, pack_other_slots, pack_a_slot_less, pack_a_threshold_less, pack_half]
)
def test_a_plan_that_does_not_fit_the_planners_is_not_followed(
    steer: Steer, write: Callable[[dict[str, Any]], bytes]
) -> None:
    """As a row would hold it that another release had written."""
    days = steer(SwitchesFreely(), "full_control")
    days.decide("full_control", "offered")
    plan_id = days.plan(FIRST)
    table = antares_plan_history.c
    with unit_of_work(days.home.database) as connection:
        assert plans.load(connection, plan_id).thresholds.keys() == {"battery"}
        packed = connection.scalars(
            select(table.packed_reply).where(table.based_on == plan_id)
        ).one()
        verdict = {"code": "agent_cheaper", "follow": "all", "interventions": 0}
        changed = {"verdict": verdict, "packed_reply": write(plan_forms.unpack(packed))}
        connection.execute(
            update(antares_plan_history).where(table.based_on == plan_id).values(**changed)
        )
    assert {(entry.decided_by, entry.reason) for entry in days.run(2)} == {
        ("planner", "plan_failed")
    }


def test_what_the_agent_asks_beyond_the_battery_is_clamped(steer: Steer) -> None:
    """Even where a row says that it may be followed: the safety layer knows no verdicts."""
    days = steer(Bent(sell_always, power_kw=9_999.0), "full_control")
    days.decide("full_control", "offered")
    plan_id = days.plan(FIRST)
    with unit_of_work(days.home.database) as connection:
        connection.exec_driver_sql(
            'UPDATE antares_plan_history SET verdict = \'{"code": "agent_cheaper", '
            '"follow": "all", "interventions": 0}\' WHERE based_on = %s',
            (plan_id,),
        )
    entry = days.run(1)[0]
    allowed = BatterySetpoint.model_validate(entry.allowed["battery"])
    assert entry.decided_by == "agent"
    assert allowed.power_kw == BATTERY["discharge_limit_kw"]
    assert allowed.target_soc == BATTERY["min_soc"]
