"""Many sites planned by one task: each gets the plan, or the error, that it would get alone."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import numpy as np
import psycopg
import pytest
from sqlalchemy import Connection, Engine, delete, func, select, text, update

from luna.contracts.charging_sessions import NewSession
from luna.contracts.fleet import PlanSitesReply, PlanSitesRequest
from luna.contracts.job import Job
from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.errors import LunaError
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import (
    charging_sessions,
    control,
    copy,
    forecasts,
    observations,
    plan_slots,
    plans,
    prices,
    site_removal,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.plan_slots import PlanSpan
from luna.platform.database.schema.plans import plan_causes, plan_history
from luna.platform.settings import Settings
from services.planner.milp.solver import Solver
from services.planner.service.fleet import plan_sites, refresh_plans
from services.planner.service.inputs import read_facts
from services.planner.service.plans import complete, plan_and_store
from tests.support.database.databases import remove_site
from tests.support.worker.workers import wait_for

START = datetime(2024, 2, 1, 12, 15, tzinfo=UTC)
DAY = timedelta(days=1)
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SPOT = {
    "import": {"kind": "spot", "market": "NL", "markup": 0.13},
    "export": {"kind": "spot", "market": "NL"},
}
CAR = {"name": "car", "capacity_kwh": 40, "charge_limit_kw": 11, "min_charge_kw": 1.4}
HEATER = {"name": "boiler", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 6}
BLOCKS = {"kind": "blocks", "blocks": [{"up_to_kwh": 10, "price": 0.2}, {"price": 0.4}]}
KINDS: dict[str, dict[str, Any]] = {
    "spot": {"batteries": [BATTERY], "tariff": SPOT},
    "held back": {
        "batteries": [BATTERY | {"wear_price": 0.02}],
        "tariff": SPOT,
        "pv": [{"peak_kw": 9, "curtailable": True}],
    },
    "own meter alone": {
        "batteries": [BATTERY | {"charge_from_grid": False, "discharge_to_grid": False}],
        "tariff": SPOT,
    },
    "one price": {
        "batteries": [BATTERY],
        "tariff": {
            "import": {"kind": "fixed", "price": 0.3},
            "export": {"kind": "fixed", "price": 0.07},
        },
    },
    "narrow": {
        "batteries": [BATTERY],
        "tariff": SPOT,
        "grid": {"import_limit_kw": 11, "export_limit_kw": 1.5},
    },
    "weighed": {
        "batteries": [BATTERY],
        "tariff": SPOT,
        "objective": {"self_sufficiency_price": 0.05, "switching_price": 0.01},
    },
    "least power": {"batteries": [BATTERY | {"min_charge_kw": 0.5}], "tariff": SPOT},
    "two": {
        "batteries": [BATTERY | {"name": "one"}, BATTERY | {"name": "other", "capacity_kwh": 5}],
        "tariff": SPOT,
    },
    "none": {"tariff": SPOT},
    "car": {"batteries": [BATTERY], "vehicles": [CAR], "tariff": SPOT},
    "heater": {
        "batteries": [BATTERY],
        "loads": [HEATER],
        "input_sensors": {"water_heater_consumption": "sensor.boiler"},
        "tariff": SPOT,
    },
    "peak": {"batteries": [BATTERY], "tariff": SPOT | {"peak": {"price_per_kw_month": 4}}},
    "blocks": {
        "batteries": [BATTERY],
        "tariff": {"import": BLOCKS, "export": {"kind": "fixed", "price": 0.07}},
    },
    "spared": {"batteries": [BATTERY | {"max_cycles_per_day": 1}], "tariff": SPOT},
}
# What is known of these alone: stays, plans in force, what the month and the day have seen.
ASKED_OF = ("car", "heater", "peak", "spared")


def store(
    connection: Connection,
    name: str,
    parts: dict[str, Any],
    *,
    rng: np.random.Generator,
    past_days: int = 0,
) -> None:
    """Store a site with a forecast of the start and, of so many days before, forecasts and what
    happened.
    """
    sites.save(
        connection,
        parse_site({"name": name, "timezone": "Europe/Berlin", "pv": [{"peak_kw": 6}]} | parts),
    )
    first = START - past_days * DAY
    sun = np.clip(np.sin((np.arange(192) - 20) / 48 * np.pi), 0.0, None)
    issues = [START - back * DAY - SLOT for back in range(past_days, -1, -1)]
    load, pv = ([base * rng.gamma(5.0, 0.2, 192) for _ in issues] for base in (0.15, 1.1 * sun))
    told = [
        Forecast(
            Timeline(at, SLOT, 192),
            at,
            DEFAULT_VERSION,
            Quantiles.exact(one),
            Quantiles.exact(other),
        )
        for at, one, other in zip(issues, load, pv, strict=True)
    ]
    forecasts.upsert(connection, name, told)
    slots = Timeline(first, SLOT, max(past_days, 1) * 96)
    seen = {
        "load_kwh": rng.gamma(2.0, 0.08, slots.count),
        "pv_kwh": np.resize(sun[:96], slots.count),
        "soc": rng.uniform(0.2, 0.9, slots.count),
    }
    # Of what was bought the month keeps account, of what batteries gave the day.
    seen |= {"import_kwh": 2 * seen["load_kwh"], "discharge_kwh": seen["load_kwh"] / 2}
    observations.upsert(connection, name, Observations.of(slots.starts, seen))


@pytest.fixture
def fleet(connection: Connection) -> list[str]:
    """A stored site of each kind, half of them with a past, and prices of the market."""
    rng = np.random.default_rng(7)
    slots = Timeline(START - 9 * DAY, SLOT, 12 * 96)
    hour = np.arange(slots.count) // 4 % 24
    spot = (
        0.1
        + 0.06 * np.sin((hour - 14) * np.pi / 6)
        + np.repeat(rng.normal(0.0, 0.02, slots.count // 4), 4)
    )
    prices.upsert(
        connection,
        "NL",
        starts=slots.starts,
        price=spot,
        currency="EUR",
        published_at=START - 10 * DAY,
    )
    for place, (name, parts) in enumerate(KINDS.items()):
        store(connection, name, parts, rng=rng, past_days=6 * (place % 2))
    return list(KINDS)


def plan_alone(connection: Connection, name: str, now: datetime = START) -> dict[str, Any]:
    """Return the plan of one site asked for alone, without the time it took, or its error.

    Nothing of it stays stored.
    """
    trial = connection.begin_nested()
    try:
        reply = plan_and_store(
            PlanRequest(site_id=name), lambda: connection, now=now, solver=Solver()
        )
        return describe(reply) | read_stored(connection, name, reply.plan_id)
    except LunaError as error:
        return error.problem()
    finally:
        trial.rollback()


def describe(reply: PlanReply) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        reply.model_copy(update={"timing_ms": {}}).model_dump_json(by_alias=True)
    )
    return document


def read_stored(connection: Connection, name: str, plan_id: str) -> dict[str, Any]:
    """Return what each reader of stored plans finds of a plan."""
    span = PlanSpan(plan_id, START, START, START + 2 * DAY)
    found = plan_slots.read_document(connection, plan_id)
    assert found is not None
    document, told = found
    part = plan_slots.read_slots(
        connection, span, START + timedelta(minutes=20), START + timedelta(hours=3)
    )
    ahead = Timeline(START - SLOT, SLOT, 200)
    columns = ("load_kwh", "import_price", "load_p90_kwh", "discharge_kwh")
    series = {
        column: values.tolist()
        for column, values in plans.read_latest(
            connection, name, ahead, columns=columns, issued=(START, START)
        ).columns.items()
    }
    return {
        "inputs": plans.load_inputs(connection, plan_id).model_dump(mode="json"),
        "text": json.loads(plans.read_text(connection, plan_id)) | {"timing_ms": {}},
        "document": document | {"timing_ms": {}},
        "told": told,
        "part": part,
        "series": {
            column: [None if np.isnan(value) else value for value in values]
            for column, values in series.items()
        },
        "listed": [plan.model_dump() for plan in plans.list_newest(connection, name)],
    }


def plan_together(
    connection: Connection, names: Sequence[str], now: datetime = START
) -> tuple[PlanSitesReply, dict[str, dict[str, Any]]]:
    """Return the reply of a batch, and by site the stored plan or the error."""
    reply = plan_sites(connection, PlanSitesRequest(site_ids=list(names)), now=now)
    made = {
        name: describe(plans.load(connection, plan_id)) | read_stored(connection, name, plan_id)
        for name, plan_id in reply.plans.items()
    }
    return reply, made | {fault.site_id: fault.error for fault in reply.faults}


def test_each_site_gets_the_plan_that_it_would_get_alone(
    connection: Connection, fleet: list[str]
) -> None:
    alone = {name: plan_alone(connection, name) for name in fleet}
    reply, together = plan_together(connection, fleet)
    assert reply.faults == []
    assert together == alone


def test_the_next_plans_of_a_batch_go_on_where_each_one_alone_would(
    connection: Connection, fleet: list[str]
) -> None:
    session_a_day(connection, "car")
    _, first = plan_together(connection, ASKED_OF)
    later = START + 3 * SLOT
    alone = {name: plan_alone(connection, name, later) for name in ASKED_OF}
    _, together = plan_together(connection, ASKED_OF, later)
    assert together == alone
    carried = {name: each["inputs"]["state"] for name, each in together.items()}
    assert (
        carried["car"]["vehicles"]["car"]["soc"]
        == first["car"]["slots"][2]["vehicles"]["car"]["soc_end"]
    )
    seen = observations.read(
        connection,
        "peak",
        Timeline(START.replace(day=1, hour=0, minute=0) - timedelta(hours=1), SLOT, 56),
    ).import_kwh
    # One kWh in a quarter-hour is four kW; the local month began an hour before that in UTC.
    assert carried["peak"]["peaks"]["peak"]["highest_kw"] == [pytest.approx(4 * np.nanmax(seen))]
    given = observations.read(
        connection,
        "spared",
        Timeline(START.replace(hour=0, minute=0) - timedelta(hours=1), SLOT, 56),
    ).discharge_kwh
    assert carried["spared"]["batteries"]["battery"]["discharged_today_kwh"] >= np.nansum(given) > 0


def test_what_a_batch_asks_the_database_does_not_grow_with_its_sites(
    connection: Connection, fleet: list[str]
) -> None:
    rng = np.random.default_rng(9)
    for name in ASKED_OF:
        store(connection, f"another {name}", KINDS[name], rng=rng)
    for name in ("car", "another car"):
        session_a_day(connection, name)
    twice = [*ASKED_OF, *(f"another {name}" for name in ASKED_OF)]
    plan_together(connection, twice)
    one, two = (
        {name: sites.load(connection, name) for name in names} for names in (ASKED_OF, twice)
    )
    assert count_statements(connection, one) == count_statements(connection, two)


def test_a_plan_in_force_that_cannot_be_read_holds_no_new_plan_up(
    connection: Connection, fleet: list[str]
) -> None:
    plan_together(connection, ["car", "spot", "heater"])
    connection.execute(
        update(plan_history).where(plan_history.c.site == "car").values(packed_reply=b"torn")
    )
    reply, _ = plan_together(connection, ["car", "spot", "heater"], START + 3 * SLOT)
    assert (set(reply.plans), reply.faults) == ({"spot", "heater", "car"}, [])


def session_a_day(connection: Connection, name: str) -> None:
    session = {
        "vehicle": "car",
        "from": START,
        "to": START + DAY,
        "arrival_soc": 0.3,
        "target_soc": 0.8,
    }
    charging_sessions.add(
        connection, name, NewSession.model_validate(session), by="owner", now=START
    )


def count_statements(connection: Connection, found: dict[str, Site]) -> int:
    """Return by how many statements the requests of sites are completed."""
    driver = copy.cursor(connection).connection
    asked = []

    class Counting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Self:
            asked.append(query)
            return super().execute(query, *args, **options)

    usual = driver.cursor_factory
    driver.cursor_factory = Counting
    later = START + 3 * SLOT
    for name, facts in read_facts(connection, list(found.values()), later, now=later).items():
        complete(connection, facts, PlanRequest(site_id=name))
    driver.cursor_factory = usual
    return len(asked)


def test_one_sites_fault_is_its_own(connection: Connection, fleet: list[str]) -> None:
    rng = np.random.default_rng(8)
    store(
        connection,
        "no prices",
        {"batteries": [BATTERY], "tariff": SPOT | {"import": {"kind": "series"}}},
        rng=rng,
    )
    sites.save(
        connection,
        parse_site({"name": "no forecast", "timezone": "Europe/Berlin", "batteries": [BATTERY]}),
    )
    store(connection, "broken", {"batteries": [BATTERY]}, rng=rng)
    broken = (
        "UPDATE site_versions SET configuration = '{\"name\": 3}' WHERE site_key = (SELECT "
        "site_key FROM sites WHERE name = 'broken')"
    )
    connection.execute(text(broken))
    store(connection, "unknown", {"batteries": [BATTERY]}, rng=rng)
    unknown = (
        "UPDATE slot_forecasts SET load_kwh = NULL, pv_kwh = NULL WHERE site_key = (SELECT "
        "site_key FROM sites WHERE name = 'unknown')"
    )
    connection.execute(text(unknown))
    asked = ["no prices", "spot", "no forecast", "broken", "unknown", "never there", "car"]
    alone = {
        name: plan_alone(connection, name)
        for name in ("no prices", "spot", "no forecast", "never there", "car")
    }
    reply, together = plan_together(connection, asked)
    assert set(reply.plans) == {"spot", "car"}
    assert {fault.site_id for fault in reply.faults} == set(asked) - {"spot", "car"}
    assert {name: together[name] for name in alone} == alone


def test_a_batch_that_is_repeated_stores_nothing_twice(
    connection: Connection, fleet: list[str]
) -> None:
    first, _ = plan_together(connection, fleet[:4])
    again, _ = plan_together(connection, fleet[:5])
    assert first.plans.items() <= again.plans.items()
    count = select(func.count()).select_from(plan_history).where(plan_history.c.site.in_(fleet))
    assert connection.scalar(count) == 5


@contextmanager
def stored_sites(database: Engine, names: Sequence[str]) -> Iterator[None]:
    """Stored sites that other connections see."""
    try:
        with unit_of_work(database) as connection:
            for name in names:
                store(connection, name, {"batteries": [BATTERY]}, rng=np.random.default_rng(1))
        yield
    finally:
        with unit_of_work(database) as connection:
            connection.execute(delete(plan_history).where(plan_history.c.site.in_(names)))
        for name in names:
            remove_site(database, name)


def plan_meanwhile(
    database: Engine, names: Sequence[str], meanwhile: Callable[[Connection], object]
) -> PlanSitesReply:
    """Return the reply of a batch that comes to its end only after another transaction's end, which
    does something before the batch is stored.
    """

    def plan() -> PlanSitesReply:
        with unit_of_work(database) as connection:
            return plan_sites(connection, PlanSitesRequest(site_ids=list(names)), now=START)

    def waits() -> bool:
        with unit_of_work(database) as connection:
            return bool(
                connection.scalar(
                    text(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                        "current_database() AND wait_event_type = 'Lock'"
                    )
                )
            )

    with ThreadPoolExecutor(1) as pool, unit_of_work(database) as connection:
        meanwhile(connection)
        batch = pool.submit(plan)
        wait_for(waits)
        connection.commit()
        return batch.result()


def test_a_plan_that_another_process_stores_meanwhile_is_stored_once(database: Engine) -> None:
    names = ["conflict one", "conflict two"]
    with stored_sites(database, names):
        reply = plan_meanwhile(
            database,
            names,
            lambda connection: plan_sites(
                connection, PlanSitesRequest(site_ids=names[:1]), now=START
            ),
        )
        assert (set(reply.plans), reply.faults) == (set(names), [])
        with unit_of_work(database) as connection:
            stored = (
                select(plan_history.c.site, plan_history.c.plan_id)
                .where(plan_history.c.site.in_(names))
                .order_by(plan_history.c.site)
            )
            assert [tuple(row) for row in connection.execute(stored)] == sorted(reply.plans.items())


def test_no_plan_is_left_of_a_site_that_is_removed_while_its_batch_is_planned(
    database: Engine,
) -> None:
    names = ["removed", "sessions"]
    with stored_sites(database, names):
        reply = plan_meanwhile(
            database, names, lambda connection: site_removal.remove(connection, "removed")
        )
        assert (
            set(reply.plans),
            [(fault.site_id, fault.error["status"]) for fault in reply.faults],
        ) == ({"sessions"}, [("removed", 404)])
        with unit_of_work(database) as connection:
            assert connection.scalars(
                select(plan_history.c.site).where(plan_history.c.site.in_(names))
            ).all() == ["sessions"]


def test_what_cannot_be_stored_of_one_site_keeps_no_other_from_being_stored(
    connection: Connection, fleet: list[str]
) -> None:
    connection.execute(text("ALTER TABLE plan_history ADD CONSTRAINT no_car CHECK (site <> 'car')"))
    reply, _ = plan_together(connection, ["spot", "car", "two"])
    assert (set(reply.plans), [fault.site_id for fault in reply.faults]) == (
        {"spot", "two"},
        ["car"],
    )


def test_sites_whose_plans_grow_old_are_asked_for_in_batches_that_stay_the_same(
    database: Engine,
) -> None:
    names = [f"fleet {number}" for number in range(5)]
    try:
        with unit_of_work(database) as connection:
            # Batches are cut from all armed sites and those with an order, also from what other
            # tests left.
            for left in control.list_planned(connection, "armed"):
                control.disarm(connection, left)
            connection.execute(delete(plan_causes))
            for name in names:
                store(connection, name, {"batteries": [BATTERY]}, rng=np.random.default_rng(1))
                control.arm(connection, name, at=START, by="test")
            plan_together(connection, names[1:2])
        asked: dict[str, list[str]] = {}

        def ask(request: PlanSitesRequest, key: str) -> Job:
            asked[key] = request.site_ids
            return Job(
                job_id=key,
                task=request.task,
                key=key,
                status="queued",
                attempts=0,
                submitted_at=START,
                request={},
                trace_id="",
            )

        settings = Settings(plan_batch_sites=2, plan_refresh="armed")
        reply = refresh_plans(database, settings, ask=ask, now=START)
        # One of them has a plan already; cut in twos, it leaves the first batch with one.
        assert (reply.sites, asked) == (
            4,
            {"batch 0": names[:1], "batch 1": names[2:4], "batch 2": names[4:]},
        )
        assert (
            refresh_plans(database, settings, ask=ask, now=START + timedelta(minutes=46)).sites == 5
        )
    finally:
        with unit_of_work(database) as connection:
            connection.execute(delete(plan_history).where(plan_history.c.site.in_(names)))
        for name in names:
            remove_site(database, name)
