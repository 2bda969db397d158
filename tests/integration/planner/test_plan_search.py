"""A plan that ended with an open gap is searched further in the background: it is replaced by a
better one, or proven.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from luna.contracts.charging_sessions import NewSession
from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.plan import PlanOptions, PlanReply, PlanRequest
from luna.contracts.plan_improvement import SearchPlansRequest
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import charging_sessions, forecasts, jobs, plans
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.plans import plan_history
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client, TaskContext
from luna.platform.queue.jobs import accept_job
from luna.platform.settings import Settings
from services.planner.milp.solver import Solver
from services.planner.service.fleet import RENEW_AGE, plan_sites
from services.planner.service.plan_search import has_open_gap, search_plans
from services.planner.service.plans import plan_and_store
from services.planner.tasks import solve
from tests.support.database.site import stored_site
from tests.support.gateway.server import serve
from tests.support.words.wording import wording, wording_pattern
from tests.support.worker.workers import wait_for, worker_process

NAME = "searched home"
START = datetime(2024, 6, 3, 22, tzinfo=UTC)
SLOTS = 192
LIMIT = timedelta(minutes=1)
# Nothing is solved in a millisecond.
NO_TIME = PlanOptions(time_limit_s=0.001)
DEVICES: dict[str, Any] = {
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "vehicles": [
        {
            "name": "car",
            "capacity_kwh": 60,
            "charge_limit_kw": 11,
            "start_price": 0.05,
            "min_run_minutes": 30,
            "charger": {"phases": [1, 3]},
        }
    ],
    "loads": [
        {
            "name": "boiler",
            "kind": "water_heater",
            "power_kw": 3,
            "energy_kwh_per_day": 6,
            "min_on_minutes": 30,
        }
    ],
    "tariff": {
        "import": {
            "kind": "time_of_use",
            "default": 0.32,
            "bands": [{"from": "00:00", "to": "06:00", "price": 0.21}],
        },
        "export": {"kind": "fixed", "price": 0.07},
    },
}


def furnish(database: Engine, start: datetime, *, sun: float = 0.5) -> None:
    """Issue a forecast of two sunny days from a start on, and keep the car at home for them."""
    hour = np.arange(SLOTS) / 4
    pv = np.maximum(np.sin((hour - 8) / 12 * np.pi), 0.0) * sun
    load = 0.1 + 0.08 * np.abs(np.sin(hour))
    forecast = Forecast(
        Timeline(start, SLOT, SLOTS),
        start,
        DEFAULT_VERSION,
        Quantiles.exact(load),
        Quantiles.exact(pv),
    )
    with unit_of_work(database) as connection:
        forecasts.upsert(connection, NAME, [forecast])


def park_car(database: Engine, start: datetime) -> None:
    session = NewSession(
        vehicle="car",
        **{"from": start, "to": start + timedelta(hours=40)},
        arrival_soc=0.4,
        target_soc=0.8,
    )
    with unit_of_work(database) as connection:
        charging_sessions.add(connection, NAME, session, by="anna", now=start)


@pytest.fixture
def home(database: Engine) -> Iterator[str]:
    """A stored site with a battery, a car at home and a boiler."""
    with stored_site(database, name=NAME, pv=[{"peak_kw": 9}], **DEVICES):
        yield NAME
        with unit_of_work(database) as connection:
            connection.execute(plan_history.delete().where(plan_history.c.site == NAME))


@pytest.fixture
def planned_home(database: Engine, home: str) -> str:
    """The same home with a forecast and a session from ``START`` on."""
    furnish(database, START)
    park_car(database, START)
    return home


def plan(database: Engine, now: datetime, options: PlanOptions | None = None) -> PlanReply:
    with unit_of_work(database) as connection:
        return plan_and_store(
            PlanRequest(site_id=NAME, options=options or PlanOptions()),
            lambda: connection,
            now=now,
            solver=Solver(),
        )


def search(database: Engine, plan_id: str, now: datetime) -> str:
    outcomes, _ = search_plans(database, [plan_id], limit=LIMIT, now=lambda: now)
    return outcomes[plan_id]


def read_due(database: Engine, at: datetime) -> PlanReply:
    with unit_of_work(database) as connection:
        due = plans.read_due(connection, NAME, at)
    assert due is not None
    return due


def count_plans(database: Engine) -> int:
    of_home = select(func.count()).where(plan_history.c.site == NAME)
    with unit_of_work(database) as connection:
        return int(connection.scalar(of_home) or 0)


def test_a_home_that_got_no_plan_in_time_gets_one_as_a_new_version(
    database: Engine, planned_home: str
) -> None:
    first = plan(database, START, NO_TIME)
    assert has_open_gap(first)
    later = START + timedelta(minutes=2)
    assert search(database, first.plan_id, later) == "improved"
    better = read_due(database, later)
    assert better.plan_id != first.plan_id
    assert better.slots[0].start == first.slots[0].start
    assert better.gap_cost is not None
    assert [note.text for note in better.notes if note.code == "plan_found"] == [
        wording("notes", "note_plan_found")
    ]
    # The next plan by the clock is due when it would have been without the better one.
    renewal = first.issued_at + RENEW_AGE + timedelta(seconds=1)
    with unit_of_work(database) as connection:
        due = plans.list_outdated(connection, [NAME], issued_before=renewal - RENEW_AGE)
    assert due == [planned_home]


@pytest.mark.usefixtures("planned_home")
def test_the_gap_of_a_plan_that_cannot_be_beaten_is_proven(database: Engine) -> None:
    first = plan(database, START)
    assert has_open_gap(first)
    outcome = search(database, first.plan_id, START)
    assert outcome in {"narrowed", "improved"}
    due = read_due(database, START)
    assert (due.plan_id == first.plan_id) == (outcome == "narrowed")
    assert due.gap_cost is not None
    assert first.gap_cost is not None
    assert due.gap_cost < first.gap_cost
    assert due.objective_value is not None
    assert first.objective_value is not None
    assert due.objective_value <= first.objective_value + 1e-6
    # Both bounds are below both plans.
    assert due.objective_value - due.gap_cost <= first.objective_value + 1e-6
    assert not has_open_gap(due)
    assert due.status == "optimal"


@pytest.mark.usefixtures("planned_home")
def test_a_search_that_runs_twice_stores_one_plan(database: Engine) -> None:
    first = plan(database, START, NO_TIME)
    assert search(database, first.plan_id, START) == "improved"
    stored = read_due(database, START)
    assert search(database, first.plan_id, START) == "superseded"
    assert (count_plans(database), read_due(database, START)) == (2, stored)


@pytest.mark.usefixtures("planned_home")
def test_a_newer_plan_stays_in_force(database: Engine) -> None:
    first = plan(database, START, NO_TIME)
    furnish(database, START, sun=0.1)
    newer = plan(database, START + timedelta(seconds=5), NO_TIME)
    assert search(database, first.plan_id, START + timedelta(seconds=9)) == "superseded"
    assert read_due(database, START + timedelta(seconds=9)).plan_id == newer.plan_id
    assert count_plans(database) == 2


@pytest.mark.usefixtures("planned_home")
def test_a_plan_whose_first_slot_is_over_is_left_as_it_is(database: Engine) -> None:
    first = plan(database, START, NO_TIME)
    assert search(database, first.plan_id, START + SLOT) == "superseded"
    assert count_plans(database) == 1


@pytest.mark.usefixtures("planned_home")
def test_no_search_begins_when_the_time_for_all_is_over(database: Engine) -> None:
    first = plan(database, START, NO_TIME)
    outcomes, _ = search_plans(database, [first.plan_id], limit=timedelta(), now=lambda: START)
    assert outcomes == {first.plan_id: "postponed"}


@pytest.mark.usefixtures("planned_home")
def test_plans_that_sites_wait_for_go_first(database: Engine) -> None:
    first = plan(database, START, NO_TIME)
    with unit_of_work(database) as connection:
        waiting = accept_job(connection, PlanSitesRequest(site_ids=[NAME]))
    try:
        assert search(database, first.plan_id, START) == "postponed"
    finally:
        with unit_of_work(database) as connection:
            jobs.cancel(connection, waiting.job_id)
    assert count_plans(database) == 1


@pytest.mark.usefixtures("planned_home")
def test_a_batch_names_the_plans_with_an_open_gap(database: Engine) -> None:
    with unit_of_work(database) as connection:
        reply = plan_sites(connection, PlanSitesRequest(site_ids=[NAME]), now=START)
    assert reply.open_gaps == [reply.plans[NAME]]


def test_a_plan_asked_for_over_http_is_improved_in_the_background_and_the_page_says_so(
    database: Engine, home: str, redis_url: str, database_url: str
) -> None:
    asked: dict[datetime, str] = {}

    def ask_for_plan() -> None:
        """Ask for a plan of the running slot, once."""
        slot = floor_to(SystemClock().now(), SLOT)
        if slot not in asked:
            furnish(database, slot)
            request = {"site_id": home, "options": NO_TIME.model_dump(mode="json")}
            answer = api.post("/plan", json=request)
            assert answer.status_code == 200, answer.text
            assert answer.json()["gap_cost"] is None
            asked[slot] = answer.json()["plan_id"]

    def is_improved() -> bool:
        ask_for_plan()
        latest = api.get(f"/v1/sites/{home}/plans/latest").json()
        return latest["plan_id"] not in asked.values() and latest["gap_cost"] is not None

    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with (
        worker_process(redis_url, database_url, "services.planner.tasks"),
        serve(addresses) as api,
    ):
        park_car(database, floor_to(SystemClock().now(), SLOT))
        wait_for(is_improved)
        latest = api.get(f"/v1/sites/{home}/plans/latest").json()
        assert "plan_found" in [note["code"] for note in latest["notes"]]
        page = _read_page(api, f"/ui/sites/{home}/planning")
    assert wording("notes", "note_plan_found") in page
    gap = wording_pattern("plan_command", "gap_cost", cost=re.compile(r"€\d+\.\d\d"))
    assert bool(gap.search(page)) == (latest["gap_cost"] >= 0.005)


def _read_page(api: httpx.Client, address: str) -> str:
    answer = api.get(address, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.text


def list_searched(database: Engine) -> list[list[str]]:
    """Return the plans of each open job that searches further, and cancel it."""
    with unit_of_work(database) as connection:
        waiting = jobs.list_newest(connection, status="open")
        searched = []
        for job in waiting:
            if job.task == SearchPlansRequest.task:
                searched.append(jobs.load(connection, job.job_id).request["plan_ids"])
                jobs.cancel(connection, job.job_id)
        return searched


def solve_without_queue(database: Engine, settings: Settings) -> PlanReply:
    slot = floor_to(SystemClock().now(), SLOT)
    furnish(database, slot)
    park_car(database, slot)
    with closing(Client("redis://127.0.0.1:9/0")) as client:
        work = TaskContext(settings, lambda: database, queue=lambda: client)
        with work:
            reply = solve(PlanRequest(site_id=NAME, options=NO_TIME), work)
    return PlanReply.model_validate_json(str(reply))


@pytest.mark.usefixtures("home")
def test_the_search_is_stored_with_its_plan_while_the_queue_is_away(database: Engine) -> None:
    planned = solve_without_queue(database, Settings())
    assert list_searched(database) == [[planned.plan_id]]


@pytest.mark.usefixtures("home")
def test_no_plan_is_searched_further_where_the_limit_is_none(database: Engine) -> None:
    solve_without_queue(database, Settings(plan_search_limit=timedelta(0)))
    assert list_searched(database) == []
