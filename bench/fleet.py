"""Plans of stored sites per minute in batches, by one worker process and by two.

What each part costs; and whether each is the plan that its site gets alone.

Sites with a battery only, and with car, water heater and a price on the peak, each with sixteen
days of forecasts and of what happened. Run as ``python -m bench.fleet``; figures of one run only
compare with each other. With two cores, database and queue take their share of both.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, delete, text

from bench.cases import HOURS, SEED, START, draw_case, generate_full_cases
from bench.queue import compare_processes, measure_batches, run_worker, time_requests
from bench.stack import data_servers
from luna.contracts.charging_sessions import NewSession
from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.plan import PlanRequest
from luna.contracts.plan.request_bytes import write_inputs
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import charging_sessions, forecasts, observations, plans, prices, sites
from luna.platform.database import engine as engines
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.plans import PlanRow
from luna.platform.database.schema.plans import plan_history
from luna.platform.database.site_facts import PlanningFacts
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue.worker import keep_loaded
from luna.platform.telemetry import configure_logging
from services.planner.compiled import load_kernels
from services.planner.following import follow_plan
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.problem.scenarios import DAYS
from services.planner.reply.reply import answer_columns, digest
from services.planner.service.fleet import plan_sites
from services.planner.service.inputs import read_facts
from services.planner.service.plans import complete, plan_and_store

BATTERY_SITES = 600
FULL_SITES = 60
BATCH = 25
# Sites per minute by two processes, and what the second of them is to bring.
TARGETS = {"battery": 100_000, "full": 2_000}
SECOND_TARGET = 1.8
# Sites whose parts are timed, and that are planned alone as well.
MEASURED = 20
TURNS = 7
COMPARED = 10
DAY = timedelta(days=1)
MARKET = "NL"
DATABASE = "_database"


def measure() -> dict[str, Any]:
    """Return by problem: sites per minute by worker processes, what the second process brings, CPU
    by part, and how many sites got the plan they get alone.
    """
    configure_logging("bench", level="WARNING")
    with _servers() as addresses:
        database = engines.create(addresses.database_url)
        stored = {name: _store_fleet(database, name) for name in FLEETS}
        rates = compare_processes(
            lambda count: _measure_workers(addresses, database, stored, processes=count)
        )
        load_kernels()
        keep_loaded()
        found = {
            name: rates[name]
            | {"sites_per_minute_2_target": TARGETS[name], "second_process_target": SECOND_TARGET}
            | {"cpu_us": _measure_parts(database, names), "equal": _compare(database, names)}
            for name, names in stored.items()
        }
        database.dispose()
    return found


@contextmanager
def _servers() -> Iterator[Addresses]:
    with data_servers() as (addresses, _):
        os.environ["LUNA_REDIS_URL"] = addresses.redis_url
        yield addresses


# --- sites and what is known of them --------------------------------------------------------------


def _draw_batteries(rng: np.random.Generator) -> list[dict[str, Any]]:
    return [draw_case(rng, name="battery", dip=0.0)]


FLEETS: dict[str, tuple[Callable[[np.random.Generator], list[dict[str, Any]]], int]] = {
    "battery": (_draw_batteries, BATTERY_SITES),
    "full": (generate_full_cases, FULL_SITES),
}


def _store_fleet(database: Engine, name: str) -> list[str]:
    """Store sites of a kind with forecasts, prices and a past around now, and return their
    names.
    """
    rng = np.random.default_rng(SEED)
    draw, count = FLEETS[name]
    now = floor_to(SystemClock().now(), SLOT)
    documents: list[dict[str, Any]] = []
    while len(documents) < count:
        documents += draw(rng)
    names = [f"{name}_{place}" for place in range(count)]
    with engines.unit_of_work(database) as connection:
        _store_prices(connection, documents[0]["outlook"], now)
        for site_id, document in zip(names, documents, strict=False):
            _store_site(connection, site_id, document, now=now, rng=rng)
        connection.execute(text("ANALYZE"))
    return names


def _store_prices(connection: Connection, outlook: dict[str, Any], now: datetime) -> None:
    slots = Timeline(floor_to(now, DAY) - 9 * DAY, SLOT, 12 * 96)
    price = np.resize(np.array(outlook["export_price"]), slots.count)
    prices.upsert(
        connection,
        MARKET,
        starts=slots.starts,
        price=price,
        currency="EUR",
        published_at=slots.start - DAY,
    )


def _store_site(
    connection: Connection,
    site_id: str,
    document: dict[str, Any],
    *,
    now: datetime,
    rng: np.random.Generator,
) -> None:
    spot = {
        "import": {"kind": "spot", "market": MARKET, "markup": 0.09},
        "export": {"kind": "spot", "market": MARKET},
    }
    described = document["site"] | {
        "name": site_id,
        "tariff": document["site"].get("tariff", {}) | spot,
    }
    described["batteries"] = [
        described["batteries"][0] | {"capacity_kwh": round(float(rng.uniform(5.0, 15.0)), 1)}
    ]
    site = parse_site(
        described
        | (
            {"input_sensors": {"water_heater_consumption": "sensor.heater"}}
            if described.get("loads")
            else {}
        )
    )
    sites.save(connection, site)
    load, pv = (np.array(document["outlook"][name]) for name in ("load_kwh", "pv_kwh"))
    issues = [now - back * DAY for back in range(DAYS, -1, -1)]
    told = [
        _expect(
            at,
            *(
                series * np.repeat(rng.normal(1.0, 0.1, HOURS), 4).clip(0.0)
                for series in (load, pv)
            ),
        )
        for at in issues
    ]
    forecasts.upsert(connection, site_id, told)
    past = Timeline(now - DAYS * DAY, SLOT, DAYS * 96)
    seen = {
        name: np.resize(series[:96], past.count) * rng.normal(1.0, 0.2, past.count).clip(0.0)
        for name, series in (("load_kwh", load), ("pv_kwh", pv))
    }
    # What the month's peaks are read from: up to 4 kW.
    seen |= {
        "soc": rng.uniform(0.2, 0.9, past.count),
        "import_kwh": rng.uniform(0.0, 1.0, past.count),
    }
    observations.upsert(connection, site_id, Observations.of(past.starts, seen))
    for vehicle, state in document["state"].get("vehicles", {}).items():
        for session in state["sessions"]:
            # As far ahead as in the case, whose start is another.
            window = {
                name: (now + (datetime.fromisoformat(session[name]) - START)).isoformat()
                for name in ("from", "to")
            }
            wanted = {
                "vehicle": vehicle,
                "arrival_soc": state["soc"],
                "target_soc": session["target_soc"],
            } | window
            charging_sessions.add(
                connection, site_id, NewSession.model_validate(wanted), by="bench", now=now
            )


def _expect(at: datetime, load_kwh: FloatArray, pv_kwh: FloatArray) -> Forecast:
    return Forecast(
        Timeline(at, SLOT, load_kwh.size),
        at,
        DEFAULT_VERSION,
        Quantiles.exact(load_kwh),
        Quantiles.exact(pv_kwh),
    )


# --- rates ----------------------------------------------------------------------------------------


def _measure_workers(
    addresses: Addresses, database: Engine, stored: dict[str, list[str]], *, processes: int
) -> dict[str, float]:
    """Return plans per minute by kind of site."""
    rates = {}
    with run_worker(["luna.platform.queue.worker", "planner"], addresses, processes=processes):
        for kind, names in stored.items():
            # At once, so that each process loads what it needs, and plans some.
            time_requests(
                addresses, [PlanSitesRequest(site_ids=[name]) for name in names[: 8 * processes]]
            )
            _forget_plans(database)
            rates[kind] = measure_batches(
                addresses,
                names,
                lambda batch: PlanSitesRequest(site_ids=batch),
                size=min(BATCH, len(names) // 12),
            )
    return rates


def _forget_plans(database: Engine) -> None:
    """Delete the plans: what is stored already is not stored again."""
    with engines.unit_of_work(database) as connection:
        connection.execute(delete(plan_history))


# --- parts ----------------------------------------------------------------------------------------


class _Clock:
    """CPU time by part, of this process and of the database's that serves a connection, seconds."""

    def __init__(self, connection: Connection) -> None:
        self._statistics = Path(
            f"/proc/{connection.scalar(text('SELECT pg_backend_pid()'))}/schedstat"
        )
        self._last = self._read()
        self.spent: dict[str, float] = {}

    def _read(self) -> tuple[float, float]:
        # Source: Linux, Documentation/scheduler/sched-stats: the first number is the time spent on
        # the CPU, ns.
        return time.process_time(), int(self._statistics.read_text().split()[0]) / 1e9

    def note(self, part: str) -> None:
        """Count what was spent since the last note to a part.

        What the database spent meanwhile to the same part beside it.
        """
        now = self._read()
        for name, spent in zip(
            (part, f"{part}{DATABASE}"), np.subtract(now, self._last).tolist(), strict=True
        ):
            self.spent[name] = self.spent.get(name, 0.0) + spent
        self._last = self._read()


def _measure_parts(database: Engine, names: Sequence[str]) -> dict[str, float]:
    """Return CPU µs per site of each part of a batch, the medians of some turns.

    What the database spends has a name of its own.
    """
    turns = [_time_parts(database, names) for _ in range(TURNS)]
    spent = {
        part: round(float(np.median([turn.get(part, 0.0) for turn in turns]))) for part in turns[0]
    }
    database_us = sum(each for part, each in spent.items() if part.endswith(DATABASE))
    return spent | {
        "worker_in_all": sum(spent.values()) - database_us,
        "database_in_all": database_us,
    }


def _time_parts(database: Engine, names: Sequence[str]) -> dict[str, float]:
    some = names[:MEASURED]
    now = SystemClock().now()
    _forget_plans(database)
    with engines.unit_of_work(database) as connection:
        clock = _Clock(connection)
        found = [parse_site(each) for each in sites.read_configurations(connection, some).values()]
        clock.note("site")
        facts = read_facts(connection, found, floor_to(now, SLOT), now=now)
        clock.note("read")
        rows = _time_plans(connection, clock, list(facts.values()), now)
        plans.write(connection, rows)
        clock.note("write")
    return {
        part: 1e6 * seconds / len(some)
        for part, seconds in clock.spent.items()
        if seconds >= 1e-6 * len(some)
    }


def _time_plans(
    connection: Connection, clock: _Clock, facts: Sequence[PlanningFacts], now: datetime
) -> list[PlanRow]:
    requests = [complete(connection, each, PlanRequest(site_id=each.site.name)) for each in facts]
    clock.note("complete")
    problems = [build_problem(request) for request in requests]
    clock.note("build")
    made = [make_plan(problem, Solver()) for problem in problems]
    clock.note("solve_and_check")
    followed = [follow_plan(problem, plan) for problem, plan in zip(problems, made, strict=True)]
    clock.note("follow")
    inputs = [write_inputs(request) for request in requests]
    digests = [digest(written) for written in inputs]
    clock.note("serialise")
    replies = []
    for plan, request, inputs_digest in zip(followed, requests, digests, strict=True):
        reply = answer_columns(plan, request=request, issued_at=now, inputs_digest=inputs_digest)
        replies.append(reply)
    clock.note("explain")
    rows = []
    for reply, inputs_digest, written in zip(replies, digests, inputs, strict=True):
        row = PlanRow.of(
            reply, site_id=reply.head.site, inputs_digest=inputs_digest, inputs=written
        )
        rows.append(row)
    clock.note("serialise")
    return rows


# --- equality -------------------------------------------------------------------------------------


def _compare(database: Engine, names: Sequence[str]) -> dict[str, int]:
    """Return of how many sites the plan made in a batch is, but for the time it took, the plan made
    alone.
    """
    some = list(names[:COMPARED])
    now = SystemClock().now()
    _forget_plans(database)
    with engines.unit_of_work(database) as connection:
        trial = connection.begin_nested()
        alone = {
            name: plan_and_store(
                PlanRequest(site_id=name), lambda: connection, now=now, solver=Solver()
            )
            for name in some
        }
        # A plan in force would carry what cars and appliances do into the next one.
        trial.rollback()
        reply = plan_sites(connection, PlanSitesRequest(site_ids=some), now=now)
        together = {name: plans.load(connection, plan_id) for name, plan_id in reply.plans.items()}
    same = [
        name
        for name in together
        if together[name] == alone[name].model_copy(update={"timing_ms": together[name].timing_ms})
    ]
    return {"compared": len(some), "same": len(same)}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
