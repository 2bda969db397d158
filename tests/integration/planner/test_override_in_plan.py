"""An owner's override, given over HTTP, is part of the next plan, its price, the timeline and the
page, whether commands are sent or not.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.alternative import Alternative, WhyNotRequest
from luna.contracts.charging_sessions import NewSession
from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.owner import OVERRIDE_BLOCK, ManualBlock
from luna.contracts.plan import PlanReply
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.house import control_service
from luna.house.now_reader import read_house, read_planned
from luna.platform.clock import FixedClock
from luna.platform.database import (
    charging_sessions,
    forecasts,
    manual_blocks,
    observations,
    plan_causes,
    plans,
    readings,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.plans import plan_history
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from luna.words import say_mode
from services.home_assistant.entities import list_entities, numbers_of
from services.planner.milp.solver import Solver
from services.planner.service.alternative import plan_stored_alternative
from services.planner.service.fleet import follow_changes, plan_sites
from tests.support.control.inverters import describe
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording

START = datetime(2024, 2, 1, 11, 0, tzinfo=UTC)
# Five minutes into a quarter-hour that is no cheaper than any other: nobody would charge by
# himself.
NOW = START + timedelta(minutes=5)
UNTIL = START + 6 * SLOT
NAME = "ordered home"
DOCUMENT: dict[str, Any] = {
    "name": NAME,
    "timezone": "Europe/Berlin",
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 4, "discharge_limit_kw": 4}
    ],
    "pv": [{"name": "roof", "peak_kw": 6}],
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
    "loads": [
        {"name": "boiler", "kind": "water_heater", "power_kw": 2.0, "energy_kwh_per_day": 16.0}
    ],
    "input_sensors": {"water_heater_consumption": "sensor.boiler", "battery_soc": "sensor.soc"},
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": 0.07},
    },
}
CONTROL = describe() | {
    "vehicles": [
        {
            "vehicle": "car",
            "modes": {"charge": "on", "stop": "off"},
            "writes": [{"to": "switch.car", "value": "{mode}"}],
        }
    ],
    "loads": [
        {
            "load": "boiler",
            "modes": {"on": "on", "off": "off"},
            "writes": [{"to": "switch.boiler", "value": "{mode}"}],
        }
    ],
}


# An order is planned alike, whether commands are sent or not: a short run shows that with one of
# these tests.
@pytest.fixture(params=[pytest.param("advice", marks=pytest.mark.long), "armed"])
def home(database: Engine, request: pytest.FixtureRequest) -> Iterator[str]:
    """A stored site at 10 %, planned, with a car at its charger."""
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(DOCUMENT | {"control": CONTROL}))
        load = Quantiles.exact(np.full(192, 0.1))
        sun = Quantiles.exact(np.full(192, 0.05))
        forecasts.upsert(
            connection,
            NAME,
            [Forecast(Timeline(START, SLOT, 192), START, DEFAULT_VERSION, load, sun)],
        )
        record_soc(connection, START - SLOT, 0.1)
        parked = {
            "vehicle": "car",
            "from": START - SLOT,
            "to": START + timedelta(hours=12),
            "arrival_soc": 0.4,
        }
        charging_sessions.add(
            connection, NAME, NewSession.model_validate(parked), by="anna", now=START
        )
        if request.param == "armed":
            control_service.arm(
                connection, NAME, now=START, by="anna", data_folder=Path("/nonexistent")
            )
        plan_sites(connection, PlanSitesRequest(site_ids=[NAME]), now=START)
    yield NAME
    with unit_of_work(database) as connection:
        connection.execute(plan_history.delete().where(plan_history.c.site == NAME))
    remove_site(database, NAME)


def record_soc(connection: Any, slot: datetime, soc: float) -> None:
    starts = np.array([slot.replace(tzinfo=None)], dtype="datetime64[s]")
    observations.upsert(connection, NAME, Observations.of(starts, {"soc": np.array([soc])}))


def report_soc(connection: Any, at: datetime, percent: float) -> None:
    key = readings.register(connection, NAME, {"sensor.soc": "%"})["sensor.soc"]
    instants = np.array([at.replace(tzinfo=None)], dtype="datetime64[us]")
    readings.upsert(connection, np.array([key], dtype=np.int32), instants, np.array([percent]))


def read_entities(database: Engine) -> dict[str, Any]:
    """Return what Home Assistant is told, by the entities' keys."""
    with unit_of_work(database) as connection:
        site = sites.load(connection, NAME)
        view = read_house(
            connection,
            site,
            read_planned(connection, site, now=NOW),
            plan_max_age=timedelta(hours=3),
            now=NOW,
        )
    numbers = numbers_of(view, "en")
    return {
        each.key: each.state(view, numbers)
        for each in list_entities(view, numbers, commands=False)
        if each.state
    }


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url), FixedClock(NOW)
    ) as client:
        yield client


def order(api: httpx.Client, device: str, **fields: Any) -> None:
    answer = api.put(
        f"/v1/sites/{NAME}/control/overrides/{device}", json={"until": UNTIL.isoformat()} | fields
    )
    assert answer.status_code == 200, answer.text


def plan(database: Engine, now: datetime = NOW) -> PlanReply:
    """Plan what has changed, as the worker does, and return the plan in force."""
    asked: list[str] = []
    # Of a site that is not armed as well, even where none but armed ones are planned otherwise.
    follow_changes(
        database,
        Settings(plan_refresh="armed"),
        ask=lambda wanted: asked.extend(wanted.site_ids),
        now=now,
    )
    assert NAME in asked
    with unit_of_work(database) as connection:
        reply = plan_sites(connection, PlanSitesRequest(site_ids=[NAME]), now=now)
        assert reply.faults == []
        assert plan_causes.read(connection, [NAME]) == {}
        return plans.load(connection, reply.plans[NAME])


@pytest.mark.parametrize("home", ["advice", "armed"], indirect=True)
def test_a_charge_that_was_ordered_is_planned_paid_drawn_and_shown(
    api: httpx.Client, database: Engine, home: str
) -> None:
    with unit_of_work(database) as connection:
        before = plans.latest(connection, home, now=NOW)
    order(api, "batteries", mode="charge", power_kw=3)
    reply = plan(database)
    # It charges with 3 kW from 12:05 until 13:30, 85 minutes of it, and with nothing before.
    charged = [slot.batteries["battery"].charge_kwh for slot in reply.slots[:7]]
    assert charged[:6] == pytest.approx([0.5, *[0.75] * 5], abs=1e-3)
    assert [slot.mode for slot in reply.slots[:6]] == ["charge"] * 6
    assert [slot.reason.code for slot in reply.slots[:6]] == ["manual"] * 6
    assert before is not None
    assert reply.slots[5].batteries["battery"].soc_end > 0.45
    assert (
        sum(slot.import_kwh for slot in reply.slots[:6])
        > sum(slot.import_kwh for slot in before.slots[:6]) + 4
    )
    assert reply.manual is not None
    assert [(each.block_id, each.action, each.applied) for each in reply.manual.blocks] == [
        (OVERRIDE_BLOCK, "charge", True)
    ]
    shown = api.get(f"/v1/sites/{home}/timeline").json()
    assert shown["plan"]["plan_id"] == reply.plan_id
    now = shown["past_slots"]
    assert shown["planned"]["soc"][now + 5] == pytest.approx(
        reply.slots[5].batteries["battery"].soc_end, abs=1e-3
    )
    states = read_entities(database)
    assert states["planned_mode"] == say_mode("charge", language="en", of_battery=True)
    # Ten minutes of the quarter-hour's fifteen, with the losses of charging.
    assert states["plan_battery"] == pytest.approx(2.0, abs=1e-3)
    assert states["plan_soc"] == pytest.approx(10 + 5 * 0.95, abs=0.1)


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "overrides/batteries"), ("POST", "disarm")]
)
def test_an_order_that_is_ended_is_in_no_plan_any_more(
    api: httpx.Client, database: Engine, home: str, *, method: str, path: str
) -> None:
    order(api, "batteries", mode="charge", power_kw=3)
    assert plan(database).manual is not None
    assert api.request(method, f"/v1/sites/{home}/control/{path}").status_code == 200
    freed = plan(database)
    assert freed.manual is None
    assert freed.slots[0].batteries["battery"].charge_kwh == 0


def test_the_page_says_what_is_fixed_by_an_override(
    api: httpx.Client, database: Engine, home: str
) -> None:
    order(api, "batteries", mode="charge")
    page = unescape(api.get(f"/ui/sites/{home}/planning").text)
    assert wording("planning", "headline_fixed", count=1) in page
    assert wording("planning", "blocks_empty") not in page
    # On the strip of a wide screen and on that of a narrow one.
    assert page.count('class="fixed"') == 2
    assert (
        api.post(f"/ui/sites/{home}/planning/resume", data={"device": "batteries"}).status_code
        == 303
    )
    free = unescape(api.get(f"/ui/sites/{home}/planning").text)
    assert wording("planning", "headline_free") in free
    assert wording("planning", "blocks_empty") in free


def test_a_quarter_hour_that_is_not_recorded_yet_is_read_from_the_sensor(
    api: httpx.Client, database: Engine, home: str
) -> None:
    order(api, "batteries", mode="charge", power_kw=3)
    plan(database)
    with unit_of_work(database) as connection:
        # At 12:14 it was at 16 %; at 12:16, within the plan's first quarter-hour, at 19 %.
        for minutes, percent in ((14, 16.0), (16, 19.0)):
            report_soc(connection, START + timedelta(minutes=minutes), percent)
        plan_causes.note(connection, [sites.key_of(connection, home)], "override")
    later = plan(database, START + timedelta(minutes=16))
    assert later.slots[0].batteries["battery"].soc_end == pytest.approx(
        0.16 + 0.075 * 0.95, abs=0.001
    )
    # Once it is recorded, it is what was recorded that counts.
    with unit_of_work(database) as connection:
        record_soc(connection, START, 0.28)
        plan_causes.note(connection, [sites.key_of(connection, home)], "override")
    later = plan(database, START + timedelta(minutes=22))
    assert later.slots[0].start == START + SLOT
    # 0.75 kWh into 10 kWh, with the losses of charging.
    assert later.slots[0].batteries["battery"].soc_end == pytest.approx(
        0.28 + 0.075 * 0.95, abs=0.01
    )


@pytest.mark.parametrize("home", ["advice"], indirect=True)
@each_row(
    ("orders", "expected"),
    [
        (
            {"batteries": {"mode": "hold"}, "vehicle:car": {"mode": "charge", "power_kw": 5}},
            {("battery", "hold"), ("car", "charge")},
        ),
        (
            {
                "batteries": {"mode": "charge", "target_soc": 0.15},
                "vehicle:car": {"mode": "stop"},
                "load:boiler": {"mode": "on"},
            },
            {("battery", "charge"), ("car", "no_charge"), ("boiler", "on")},
        ),
        (
            {"batteries": {"mode": "self_consumption"}, "load:boiler": {"mode": "off"}},
            {("battery", "discharge"), ("boiler", "off")},
        ),
    ],
)
def test_every_kind_of_device_is_held_to_its_order(
    api: httpx.Client,
    database: Engine,
    home: str,
    orders: dict[str, dict[str, Any]],
    expected: set[tuple[str, str]],
) -> None:
    with unit_of_work(database) as connection:
        record_soc(connection, START - SLOT, 0.1)
    for device, fields in orders.items():
        order(api, device, **fields)
    reply = plan(database)
    assert reply.manual is not None
    assert expected <= {(each.device, each.action) for each in reply.manual.blocks}
    assert [each.why for each in reply.manual.blocks if not each.applied] == []
    assert [each for each in reply.compromises if each.code == "manual"] == []
    for device in orders:
        api.delete(f"/v1/sites/{NAME}/control/overrides/{device}")


ELSE = (
    ("battery", "hold", 2),
    ("battery", "self_consumption", 0),
    ("battery", "hold", 60),
    ("car", "charge", 3),
    ("boiler", "off", 40),
)


@pytest.mark.parametrize("home", ["advice"], indirect=True)
def test_what_else_would_cost_is_answered_beside_an_order(
    api: httpx.Client, database: Engine, home: str
) -> None:
    order(api, "batteries", mode="charge", power_kw=3)
    order(api, "vehicle:car", mode="charge", power_kw=5)
    planned = plan(database)
    costs: dict[tuple[str, str, int], float] = {}
    for device, mode, place in ELSE:
        asked = Alternative.model_validate(
            {"slot": planned.slots[place].start, "mode": mode, "device": device}
        )
        with unit_of_work(database) as connection:
            reply = plan_stored_alternative(
                connection,
                WhyNotRequest(plan_id=planned.plan_id, alternative=asked),
                solver=Solver(),
            )
        costs[device, mode, place] = reply.cost.total
    assert np.isfinite(list(costs.values())).all(), costs


def test_an_order_outranks_a_block_only_while_it_lasts(
    api: httpx.Client, database: Engine, home: str
) -> None:
    block = ManualBlock.model_validate(
        {"device": "battery", "action": "hold", "from": START, "to": UNTIL + 4 * SLOT}
    )
    with unit_of_work(database) as connection:
        manual_blocks.add(connection, home, block, by="anna", now=START)
    order(api, "batteries", mode="charge", power_kw=3)
    reply = plan(database)
    charged = [slot.batteries["battery"].charge_kwh for slot in reply.slots[:10]]
    assert min(charged[:6]) > 0.4
    assert charged[6:] == [0.0] * 4
    assert reply.manual is not None
    assert all(each.applied for each in reply.manual.blocks)
