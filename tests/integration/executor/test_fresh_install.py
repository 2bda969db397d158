"""A fresh install with everything that could be told something: the acting process runs, plans and
overrides are there, and nothing is sent.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.control import BatterySetpoint, PvSetpoints
from luna.contracts.plan.reply import VehicleFlow
from luna.energy.devices.appliance import LoadFlow
from luna.energy.timeline import SLOT, floor_to
from luna.platform.database import control, engine
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses, Servers
from tests.support.control.executor import BATTERY
from tests.support.control.inverters import (
    BOILER,
    CAR,
    CURRENT,
    DEVICES,
    MODE,
    POWER,
    PV,
    SOC,
    TOKEN,
    Inverter,
    describe,
    describe_devices,
    serve,
)
from tests.support.database.databases import migrated_database
from tests.support.database.site import store_site
from tests.support.gateway.server import serve as serve_gateway
from tests.support.planning.plans import describe_plan, store_plan
from tests.support.worker.processes import free_port, luna_process, says
from tests.support.worker.workers import wait_for

CHARGE = BatterySetpoint(mode="charge", power_kw=3, target_soc=0.8)
ENTITIES = {
    SOC: "50",
    MODE: "Self Use",
    POWER: "0",
    CAR: "off",
    CURRENT: "6",
    BOILER: "off",
    PV: "100",
}
# A site beside the fresh one that its owner has armed: once it was told something, the fresh one
# has had its turn too.
WITNESS_MODE = "select.witness"
WITNESS_POWER = "number.witness"
FRESH = {
    "name": "fresh",
    "timezone": "UTC",
    "batteries": [BATTERY | {"name": "battery"}],
    "control": describe_devices() | describe(),
} | DEVICES


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter(ENTITIES | {WITNESS_MODE: "Self Use", WITNESS_POWER: "0"})) as inverter:
        yield inverter


@pytest.fixture
def database_url(servers: Servers) -> Iterator[str]:
    with migrated_database(servers.database_url, "fresh") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    pool = engine.create(database_url)
    yield pool
    pool.dispose()


@pytest.fixture
def api(database_url: str, redis_url: str) -> Iterator[httpx.Client]:
    with serve_gateway(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def plan_everything(database: Engine, site: str) -> None:
    """Store a plan, issued now, that tells every kind of device to do something."""
    now = datetime.now(UTC)
    plan = describe_plan(f"{site}-plan", floor_to(now, SLOT), [CHARGE] * 8)
    told = {
        "vehicles": {"car": VehicleFlow(charge_kwh=1.0, soc_end=0.5)},
        "loads": {"boiler": LoadFlow(energy_kwh=0.75, on=True)},
    }
    changes = {
        "issued_at": now,
        "slots": [slot.model_copy(update=told) for slot in plan.slots],
        "pv": PvSetpoints(mode=["off"] * 8, limit_kw=[0.0] * 8),
    }
    with unit_of_work(database) as connection:
        store_plan(connection, site, plan.model_copy(update=changes))


def store_witness(database: Engine) -> None:
    writes = [
        {"to": WITNESS_POWER, "value": "{power_w}", "when": ["charge", "export"]},
        {"to": WITNESS_MODE, "value": "{mode}"},
    ]
    with unit_of_work(database) as connection:
        store_site(
            connection,
            name="witness",
            timezone="UTC",
            batteries=[BATTERY],
            control=describe(writes=writes),
        )
        control.arm(connection, "witness", at=datetime.now(UTC), by="owner")


def confirmed(database: Engine, site: str) -> int:
    with unit_of_work(database) as connection:
        return sum(
            entry.confirmed is not None for entry in control.read_log(connection, site, limit=10)
        )


def test_a_fresh_install_sends_no_command_whatever_is_planned_and_wanted(
    api: httpx.Client, database: Engine, database_url: str, redis_url: str, inverter: Inverter
) -> None:
    assert api.post("/v1/sites", json=FRESH).status_code == 201
    plan_everything(database, "fresh")
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wanted = {
        "batteries": {"mode": "charge"},
        "vehicle:car": {"mode": "charge"},
        "load:boiler": {"mode": "on"},
        "pv": {"mode": "off"},
    }
    answers = [
        api.put(f"/v1/sites/fresh/control/overrides/{device}", json=mode | {"until": until})
        for device, mode in wanted.items()
    ]
    assert [answer.status_code for answer in answers] == [200] * 4, [
        answer.text for answer in answers
    ]
    store_witness(database)
    plan_everything(database, "witness")
    own = {
        "database_url": database_url,
        "redis_url": redis_url,
        "home_assistant_url": inverter.url,
        "home_assistant_token": TOKEN,
    }
    port = free_port()
    with luna_process("services.executor", "--health-port", str(port), **own):
        wait_for(lambda: confirmed(database, "witness") > 0)
        assert says(port, "live", 200)
    assert {data["entity_id"] for _, _, data in inverter.calls} == {WITNESS_MODE, WITNESS_POWER}
    assert {name: inverter.states[name] for name in ENTITIES} == ENTITIES
    assert confirmed(database, "fresh") == 0
