"""An owner's blocks: stored with their history, over HTTP and in the terminal, and in every plan
until they expire.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import PlanReply
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT
from luna.platform.database import manual_blocks
from luna.platform.embedded.supervisor import Addresses
from tests.support.command_line.call import Luna
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site, stored_site
from tests.support.gateway.server import serve

START = datetime(2024, 2, 1, 12, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
SITE = {
    "name": "pinned",
    "timezone": "Europe/Berlin",
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": 0.07},
    },
}
# Commands and routes look at the clock: what they add lies ahead of it for long.
PATH = "/v1/sites/pinned/manual-blocks"
WANTED = {
    "device": "battery",
    "action": "charge",
    "from": "2099-07-01T02:00:00Z",
    "to": "2099-07-01T04:00:00Z",
    "power_kw": 3.0,
}
NO_REDIS = "redis://127.0.0.1:9/0"


@pytest.fixture
def home(connection: Connection) -> Connection:
    """A stored site with a forecast of half a kilowatt."""
    store_site(connection, **SITE)
    issue_half_a_kilowatt(connection, "pinned", START - SLOT)
    return connection


@pytest.fixture
def stored(database: Engine) -> Iterator[None]:
    with stored_site(database, **SITE):
        yield


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=NO_REDIS)) as client:
        yield client


def block(action: str, first: datetime, hours: float, **more: object) -> ManualBlock:
    return ManualBlock.model_validate(
        {"device": "battery", "action": action, "from": first, "to": first + hours * HOUR} | more
    )


def plan(connection: Connection, start: datetime) -> PlanReply:
    return plan_stored(connection, "pinned", start)


def test_block_is_in_every_plan_until_it_expires_or_is_taken_back(home: Connection) -> None:
    added = manual_blocks.add(
        home, "pinned", block("charge", START + HOUR, 1, power_kw=2), by="anna", now=START
    )
    plans = [plan(home, START + minutes * timedelta(minutes=1)) for minutes in (0, 15, 120)]
    charged = [
        sum(slot.batteries["battery"].charge_kwh for slot in each.slots if slot.manual)
        for each in plans
    ]
    # Planned again a slot later it is still there; two hours later it has passed.
    assert charged == pytest.approx([2.0, 2.0, 0.0])
    assert [each.manual is not None for each in plans] == [True, True, False]
    assert plans[0].manual is not None
    assert plans[0].manual.blocks[0].block_id == added.block_id
    manual_blocks.remove(home, "pinned", added.block_id or 0, by="bert")
    assert plan(home, START).manual is None
    history = manual_blocks.read_history(home, "pinned")
    assert [(each.added_by, each.removed_by) for each in history] == [("anna", "bert")]


def test_block_added_twice_stands_once(home: Connection) -> None:
    wanted = block("hold", START, 2)
    numbers = {
        manual_blocks.add(home, "pinned", wanted, by="anna", now=START).block_id for _ in range(2)
    }
    assert len(numbers) == len(manual_blocks.read_standing(home, "pinned", first=START)) == 1


def test_block_that_contradicts_one_that_stands_is_refused(home: Connection) -> None:
    manual_blocks.add(home, "pinned", block("hold", START, 2), by="anna", now=START)
    with pytest.raises(InvalidInputError, match="contradicts hold"):
        manual_blocks.add(home, "pinned", block("charge", START + HOUR, 2), by="anna", now=START)


def test_stored_block_of_a_device_that_is_gone_is_said_in_the_plan(home: Connection) -> None:
    manual_blocks.add(home, "pinned", block("hold", START, 2), by="anna", now=START)
    renamed = SITE | {
        "batteries": [
            {"name": "cellar", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
        ]
    }
    store_site(home, **renamed)
    manual = plan(home, START).manual
    assert manual is not None
    assert [(each.applied, each.why) for each in manual.blocks] == [
        (False, "the site has no such device")
    ]


@pytest.mark.usefixtures("stored")
def test_blocks_over_http(api: httpx.Client) -> None:
    added = api.post(PATH, json=WANTED, params={"by": "anna"})
    assert (added.status_code, added.json()["added_by"], added.json()["from"]) == (
        201,
        "anna",
        "2099-07-01T02:00:00Z",
    )
    number = added.json()["block_id"]
    assert [each["block_id"] for each in api.get(PATH).json()["blocks"]] == [number]
    removed = api.delete(f"{PATH}/{number}", params={"by": "bert"})
    assert (removed.status_code, removed.json()["removed_by"]) == (200, "bert")
    assert api.get(PATH).json()["blocks"] == []
    assert len(api.get(PATH, params={"history": True}).json()["blocks"]) == 1


@pytest.mark.usefixtures("stored")
def test_what_cannot_be_had_is_refused_over_http_with_the_reason(api: httpx.Client) -> None:
    strong = api.post(PATH, json=WANTED | {"power_kw": 7})
    stranger = api.post("/v1/sites/elsewhere/manual-blocks", json=WANTED)
    backwards = api.post(PATH, json=WANTED | {"to": "2098-01-01T00:00:00Z"})
    nothing = api.delete(f"{PATH}/999999999")
    assert (strong.status_code, strong.json()["field"]) == (422, "block.power_kw")
    assert "5 kW" in strong.json()["remedy"]
    assert [answer.status_code for answer in (stranger, backwards, nothing)] == [404, 422, 404]


@pytest.mark.usefixtures("stored")
def test_blocks_in_the_terminal(luna_on_servers: Luna) -> None:
    times = ("--from", "2099-07-01T02:00", "--until", "2099-07-01T04:00")
    added = luna_on_servers(
        "manual",
        "add",
        "--site",
        "pinned",
        "--device",
        "battery",
        "--action",
        "charge",
        "--power-kw",
        "3",
        *times,
        "--json",
    )
    document = json.loads(added.out)
    # Berlin is two hours ahead of UTC in July.
    assert (document["from"], document["power_kw"]) == ("2099-07-01T00:00:00Z", 3.0)
    listed = json.loads(luna_on_servers("manual", "list", "--site", "pinned", "--json").out)
    assert [each["block_id"] for each in listed["blocks"]] == [document["block_id"]]
    assert "2099-07-01 02:00" in luna_on_servers("manual", "list", "--site", "pinned").out
    luna_on_servers("manual", "remove", "--site", "pinned", "--block", str(document["block_id"]))
    assert (
        json.loads(luna_on_servers("manual", "list", "--site", "pinned", "--json").out)["blocks"]
        == []
    )
    refused = luna_on_servers(
        "manual",
        "add",
        "--site",
        "pinned",
        "--device",
        "battery",
        "--action",
        "hold",
        "--until",
        "2020-01-01T00:00",
    )
    assert refused.code == 2
