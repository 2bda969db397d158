"""A limit of the grid operator, sent over HTTP, is kept by the next plan and named in it; released,
the plan is as before.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.contracts.charging_sessions import NewSession
from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.operator_limits import FARTHEST
from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.clock import FixedClock
from luna.platform.database import (
    charging_sessions,
    forecasts,
    observations,
    operator_limits,
    plan_causes,
    plans,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.plans import plan_history
from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from luna.words import LIMITS
from services.planner.service.fleet import follow_changes, plan_sites
from services.planner.service.plans import complete_request
from tests.support.command_line.call import Luna
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row

START = datetime(2024, 2, 1, 11, 0, tzinfo=UTC)
NOW = START + timedelta(minutes=5)
HOUR = timedelta(hours=1)
NAME = "limited home"
PATH = f"/v1/sites/{NAME}/limits"
# Every quarter-hour the house uses half a kWh, and the roof brings a fifth.
LOAD_KWH = 0.5
PV_KWH = 0.2
DOCUMENT: dict[str, Any] = {
    "name": NAME,
    "timezone": "Europe/Berlin",
    "grid": {"import_limit_kw": 20},
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 4, "discharge_limit_kw": 4}
    ],
    "pv": [{"name": "roof", "peak_kw": 6}],
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": 0.07},
    },
}


@pytest.fixture
def home(database: Engine) -> Iterator[str]:
    """A planned site whose car has to charge with all its power from now on."""
    with unit_of_work(database) as connection:
        sites.save(connection, parse_site(DOCUMENT))
        forecasts.upsert(connection, NAME, [issue(PV_KWH)])
        starts = np.array([(START - SLOT).replace(tzinfo=None)], dtype="datetime64[s]")
        empty = Observations.of(starts, {"soc": np.array([0.05])})
        observations.upsert(connection, NAME, empty)
        parked = {
            "vehicle": "car",
            "from": START - SLOT,
            "to": START + 3 * HOUR,
            "arrival_soc": 0.4,
            "target_soc": 0.9,
        }
        charging_sessions.add(
            connection, NAME, NewSession.model_validate(parked), by="anna", now=START
        )
        plan_sites(connection, PlanSitesRequest(site_ids=[NAME]), now=NOW)
    yield NAME
    with unit_of_work(database) as connection:
        connection.execute(plan_history.delete().where(plan_history.c.site == NAME))
    remove_site(database, NAME)


def issue(pv_kwh: float) -> Forecast:
    load = Quantiles.exact(np.full(192, LOAD_KWH))
    sun = Quantiles.exact(np.full(192, pv_kwh))
    return Forecast(Timeline(START, SLOT, 192), START, DEFAULT_VERSION, load, sun)


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url), FixedClock(NOW)
    ) as client:
        yield client


def limit(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = api.post(PATH, json=fields)
    assert answer.status_code == 201, answer.text
    stored: dict[str, Any] = answer.json()
    return stored


def plan(database: Engine, now: datetime = NOW) -> PlanReply:
    """Plan what has changed, as the worker does, and return the plan in force."""
    due: list[str] = []
    follow_changes(
        database,
        Settings(plan_refresh="armed"),
        ask=lambda wanted: due.extend(wanted.site_ids),
        now=now,
    )
    assert NAME in due
    return plan_anew(database, now)


def plan_anew(database: Engine, now: datetime = NOW) -> PlanReply:
    with unit_of_work(database) as connection:
        reply = plan_sites(connection, PlanSitesRequest(site_ids=[NAME]), now=now)
        assert reply.faults == []
        assert plan_causes.read(connection, [NAME]) == {}
        return plans.load(connection, reply.plans[NAME])


def imports(reply: PlanReply, count: int = 6) -> list[float]:
    return [slot.import_kwh for slot in reply.slots[:count]]


def read_plan(database: Engine) -> PlanReply:
    with unit_of_work(database) as connection:
        found = plans.latest(connection, NAME, now=NOW)
    assert found is not None
    return found


def test_a_plan_keeps_a_limit_until_it_is_released(
    api: httpx.Client, database: Engine, home: str
) -> None:
    free = read_plan(database)
    assert min(imports(free)) > 2.5
    end = START + HOUR
    stored = limit(api, end=end.isoformat(), import_kw=6.0)
    assert api.get(PATH).json()["limits"] == [stored]
    limited = plan(database)
    # Four quarter-hours of 6 kW; after them the car charges as before.
    assert max(imports(limited, 4)) == pytest.approx(1.5, abs=1e-3)
    assert limited.slots[4].import_kwh > 2.5
    (note,) = [note for note in limited.notes if note.code == "limited_import"]
    assert note.figures["kw"] == 6.0
    assert datetime.fromisoformat(note.figures["until"]) == end
    released = api.delete(f"{PATH}/{stored['limit_id']}")
    assert released.status_code == 200, released.text
    assert api.get(PATH).json()["limits"] == []
    assert len(api.get(PATH, params={"history": True}).json()["limits"]) == 1
    assert imports(plan(database)) == pytest.approx(imports(free), abs=1e-3)


def test_slots_name_the_limit_as_their_reason(
    api: httpx.Client, database: Engine, home: str
) -> None:
    limit(api, end=(START + HOUR).isoformat(), import_kw=6.0)
    limited = plan(database)
    cars = [slot.vehicles["car"].reason for slot in limited.slots[:5]]
    codes = [reason.code for reason in cars if reason is not None]
    assert codes[:4] == ["use_limited"] * 4
    assert codes[4] != "use_limited"
    # 6 kW for everything, of which the house takes 2 kW less 0.8 kW of sun.
    assert cars[0] is not None
    assert cars[0].figures["kw"] == pytest.approx(6.0)
    assert limited.slots[0].reason.code == "operator_limit"
    assert LIMITS.say("operator_limit", "en") in limited.slots[0].reason.binding


def test_own_production_is_used_on_top_of_a_limit_of_devices(
    api: httpx.Client, database: Engine, home: str
) -> None:
    limit(api, end=(START + HOUR).isoformat(), import_kw=4.2, scope="devices")
    # The house needs 2 kW and the roof brings 0.8 kW: 4.2 kW + 1.2 kW pass the meter.
    dull = plan(database)
    assert max(imports(dull, 4)) == pytest.approx(5.4 / 4, abs=1e-3)
    with unit_of_work(database) as connection:
        forecasts.upsert(connection, NAME, [issue(1.0)])
    # The roof covers the house and leaves 2 kW, which the car uses on top of 4.2 kW of the grid.
    bright = plan_anew(database)
    assert max(imports(bright, 4)) == pytest.approx(4.2 / 4, abs=1e-3)
    assert bright.slots[1].vehicles["car"].charge_kwh == pytest.approx(6.2 / 4, abs=1e-3)


def test_feeding_in_is_limited(api: httpx.Client, database: Engine, home: str) -> None:
    with unit_of_work(database) as connection:
        forecasts.upsert(connection, NAME, [issue(6.0)])
    assert plan_anew(database).slots[1].export_kwh > 1.0
    stored = limit(api, export_kw=0.4)
    limited = plan(database)
    exports = [slot.export_kwh for slot in limited.slots]
    # Without an end it holds throughout.
    assert max(exports) == pytest.approx(0.1, abs=1e-3)
    assert {note.code for note in limited.notes} >= {"limited_export"}
    api.delete(f"{PATH}/{stored['limit_id']}")
    assert plan(database).slots[1].export_kwh > 1.0


def test_a_plan_of_a_past_day_keeps_the_limits_that_held(
    api: httpx.Client, database: Engine, home: str
) -> None:
    stored = limit(api, import_kw=6.0)
    later = NOW + 2 * HOUR
    with unit_of_work(database) as connection:
        operator_limits.release(connection, NAME, stored["limit_id"], now=later)
        past = PlanRequest(site_id=NAME, start=START + SLOT)
        outlook = complete_request(connection, past, now=later + 24 * HOUR).outlook
    assert outlook is not None
    assert outlook.import_limit_kw is not None
    # From 11:15 until 13:05, the last quarter-hour of which is limited as a whole.
    assert outlook.import_limit_kw[:10] == [6.0] * 8 + [None] * 2


def test_the_same_limit_sent_twice_is_one(api: httpx.Client, home: str) -> None:
    fields = {"end": (NOW + HOUR).isoformat(), "import_kw": 4.2, "scope": "devices"}
    assert limit(api, **fields) == limit(api, **fields)
    assert len(api.get(PATH).json()["limits"]) == 1


@each_row(
    ("fields", "field"),
    [
        ({}, "limit"),
        ({"scope": "devices"}, "limit"),
        ({"import_kw": -1}, "import_kw"),
        ({"export_kw": "much"}, "export_kw"),
        ({"import_kw": 4.2, "scope": "street"}, "scope"),
        ({"import_kw": 4.2, "start": NOW + HOUR, "end": NOW + HOUR}, "end"),
        ({"import_kw": 4.2, "end": NOW}, "end"),
        ({"import_kw": 4.2, "start": NOW + FARTHEST + HOUR}, "start"),
        ({"import_kw": 4.2, "limit_id": "../else"}, "limit_id"),
        ({"import_kw": 4.2, "source": "lpc"}, "source"),
    ],
    ids=[
        "empty",
        "no power",
        "negative",
        "text",
        "unknown scope",
        "no length",
        "over",
        "far ahead",
        "odd name",
        "unknown field",
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(
    api: httpx.Client, home: str, fields: dict[str, Any], field: str
) -> None:
    body = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in fields.items()
    }
    answer = api.post(PATH, json=body)
    assert answer.status_code == 422, answer.text
    assert field in answer.text
    assert api.get(PATH).json()["limits"] == []


def test_limits_of_sites_and_names_that_do_not_exist(api: httpx.Client, home: str) -> None:
    assert api.delete(f"{PATH}/never").status_code == 404
    assert api.post("/v1/sites/nowhere/limits", json={"import_kw": 1}).status_code == 404


def test_limits_in_the_terminal(luna_on_servers: Luna, home: str) -> None:
    begin = (datetime.now(UTC) + 2 * HOUR).isoformat()
    end = (datetime.now(UTC) + 3 * HOUR).isoformat()
    span = ("--from", begin, "--to", end)
    power = ("--import-kw", "4.2", "--scope", "devices")
    added = luna_on_servers("limits", "set", "--site", home, *power, *span, "--json")
    document = json.loads(added.out)
    assert (document["import_kw"], document["source"]) == (4.2, "owner")
    listed = luna_on_servers("limits", "list", "--site", home)
    assert "4.2" in listed.out
    assert "devices" in listed.out
    luna_on_servers("limits", "release", "--site", home, "--limit", document["limit_id"])
    left = json.loads(luna_on_servers("limits", "list", "--site", home, "--json").out)
    assert left["limits"] == []
    refused = luna_on_servers("limits", "set", "--site", home, "--import-kw", "-1")
    assert refused.code == 2
