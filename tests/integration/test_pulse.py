"""What tells that something of a site is new: each change is told as what it is, and as nothing
else.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, delete

from luna.contracts.agent_control import GateEntry
from luna.contracts.charging_sessions import NewSession
from luna.contracts.control import Decision
from luna.contracts.data import DayQuality
from luna.contracts.owner import ManualBlock
from luna.contracts.replay import DayCost
from luna.energy.errors import NotFoundError
from luna.energy.observations import Observations
from luna.energy.row_fault import RowFault
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.house import control_service
from luna.platform.database import (
    agent_gates,
    charging_sessions,
    control,
    forecast_activations,
    manual_blocks,
    observations,
    prices,
    pulse,
    quality,
    quarantine,
    scores,
    sites,
)
from luna.platform.database.forecast_activations import Activation
from luna.platform.database.quarantine import Refused
from luna.platform.database.schema.plans import plan_history
from tests.support.control.inverters import describe
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SITE = {
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    ],
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
    "tariff": {
        "import": {"kind": "spot", "market": "PULSE"},
        "export": {"kind": "fixed", "price": 0.07},
    },
    "control": describe(),
}


def override(connection: Connection) -> None:
    control_service.override(
        connection, "home", "batteries", {"mode": "hold", "until": START + HOUR}, now=START
    )


def end_override(connection: Connection) -> None:
    control_service.resume(connection, "home", "batteries")


def arm(connection: Connection) -> None:
    control_service.arm(connection, "home", now=START, by="anna", data_folder=Path("/nonexistent"))


def decide(connection: Connection) -> None:
    decision = Decision(
        slot_start=START,
        source="planner",
        decided_by="planner",
        reason="planned",
        requested={},
        allowed={},
    )
    assert control.decide(connection, control.load(connection, "home"), decision)


def fix(connection: Connection) -> None:
    block = ManualBlock.model_validate(
        {"device": "battery", "action": "hold", "from": START, "to": START + HOUR}
    )
    manual_blocks.add(connection, "home", block, by="anna", now=START)


def take_block_back(connection: Connection) -> None:
    (block,) = manual_blocks.read_standing(connection, "home", first=START)
    manual_blocks.remove(connection, "home", block.block_id or 0, by="anna")


def leave(connection: Connection) -> None:
    session = NewSession.model_validate(
        {"vehicle": "car", "from": START, "to": START + HOUR, "target_soc": 0.5, "arrival_soc": 0.4}
    )
    charging_sessions.add(connection, "home", session, by="anna", now=START)


def take_session_back(connection: Connection) -> None:
    (session,) = charging_sessions.read_standing(connection, "home", first=START)
    charging_sessions.remove(connection, "home", session.session_id, by="anna")


def go_on_vacation(connection: Connection) -> None:
    control_service.switch_vacation(connection, "home", on=True, now=START)


def come_home_in_the_same_slot(connection: Connection) -> None:
    control_service.switch_vacation(connection, "home", on=False, now=START)


def measure(connection: Connection) -> None:
    observations.upsert(
        connection,
        "home",
        Observations.of(Timeline(START - SLOT, SLOT, 1).starts, {"load_kwh": np.array([0.1])}),
    )


def issue(connection: Connection) -> None:
    issue_half_a_kilowatt(connection, "home", START - SLOT)


def publish(connection: Connection) -> None:
    starts = Timeline(START, SLOT, 96).starts
    prices.upsert(
        connection,
        "PULSE",
        starts=starts,
        price=np.full(96, 0.3),
        currency="EUR",
        published_at=START,
    )


def judge(connection: Connection) -> None:
    entry = {
        "at": START,
        "kind": "asked",
        "policy": "clone",
        "mode": "shadow",
        "state": None,
        "reason": "asked",
        "decided_by": "anna",
    }
    agent_gates.record(connection, "home", GateEntry.model_validate(entry))


def count_day(connection: Connection) -> None:
    scores.upsert_days(
        connection,
        "home",
        system_id="simulation",
        currency="EUR",
        days={"planner": [DayCost(day=START.date(), cost=1.0)]},
    )


def judge_day(connection: Connection) -> None:
    quality.save(connection, "home", [DayQuality(day=START.date(), verdict="clean")])


def write_to_a_judged_day(connection: Connection) -> None:
    quality.forget(connection, "home", START.date(), START.date())


def refuse(connection: Connection) -> None:
    quarantine.settle(
        connection,
        "home",
        {"sensor.load": [Refused(1, RowFault("far"), {"value": 1e6})]},
        lines=(0, 2),
    )


def free(connection: Connection) -> None:
    quarantine.settle(connection, "home", {"sensor.load": []}, lines=(0, 2))


def promote(connection: Connection) -> None:
    assert forecast_activations.activate(
        connection, "home", Activation("aurora_v1.0", "better", "hand")
    )


def change_site(connection: Connection) -> None:
    sites.save(connection, parse_site({"name": "home", "timezone": "Europe/Vienna"} | SITE))


def plan(connection: Connection) -> None:
    plan_stored(connection, "home", START)


def change_another_site(connection: Connection) -> None:
    sites.save(connection, parse_site({"name": "neighbour", "timezone": "Europe/Vienna"}))
    issue_half_a_kilowatt(connection, "neighbour", START - SLOT)


CHANGES: list[tuple[Callable[[Connection], None], set[str]]] = [
    (override, {"control"}),
    (end_override, {"control"}),
    (arm, {"control"}),
    (decide, {"decisions"}),
    (fix, {"blocks"}),
    (take_block_back, {"blocks"}),
    (leave, {"sessions"}),
    (take_session_back, {"sessions"}),
    (go_on_vacation, {"vacation"}),
    (come_home_in_the_same_slot, {"vacation"}),
    (measure, {"measured"}),
    (issue, {"forecast"}),
    (publish, {"prices"}),
    (judge, {"agent"}),
    (count_day, {"scores"}),
    (judge_day, {"quality"}),
    (write_to_a_judged_day, {"quality"}),
    (refuse, {"quarantine"}),
    (free, {"quarantine"}),
    (promote, {"learning"}),
    (change_site, {"site"}),
    (plan, {"plan"}),
    (change_another_site, set()),
]


def test_each_change_is_told_as_what_it_is(connection: Connection) -> None:
    store_site(connection, **SITE)
    # Other tests leave plans of a site of this name that were issued later.
    connection.execute(delete(plan_history))
    told = []
    for change, _ in CHANGES:
        before = pulse.read(connection, "home")
        change(connection)
        after = pulse.read(connection, "home")
        told.append((change.__name__, {kind for kind in after if after[kind] != before[kind]}))
    assert told == [(change.__name__, kinds) for change, kinds in CHANGES]


def test_a_site_that_is_not_there_has_no_marks(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match="no such site"):
        pulse.read(connection, "nowhere")
