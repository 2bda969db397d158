"""A day of many sites: what each part of it costs in CPU, rows and bytes, by the tasks' own code
with a clock that is given; and one turn at 10,000.

Run as ``python -m bench.fleet_day`` (1 and 5 sites, one turn at 50), or
``python -m bench.fleet_day full`` (1 and 100 sites, one turn at 10,000). Everything runs in one
process beside its own PostgreSQL, so that their CPU seconds can be told apart.
"""

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, func, select, text

from bench.cases import SEED
from bench.processes import ProcessTree
from bench.stored_sites import DAY, METERS, TIMEZONE, draw_days, store_sites
from luna.contracts.agent import choose_replay
from luna.contracts.data import BuildSlotsRequest, JudgeQualityRequest
from luna.contracts.fleet import PlanSitesRequest
from luna.contracts.forecast import RefreshForecastsRequest, TrainRequest
from luna.contracts.job import Job
from luna.contracts.message import Request
from luna.contracts.replay import ReplayRequest
from luna.contracts.tasks import list_periodic
from luna.drivers.control.device import DryRun
from luna.energy.errors import LunaError
from luna.energy.timeline import SLOT, FloatArray, parse_zone
from luna.platform.database import control, engine, jobs, rollups, volume
from luna.platform.database.engine import unit_of_work
from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import start
from luna.platform.objects import FileObjects, ObjectStore
from luna.platform.queue import Client, TaskContext
from luna.platform.queue.jobs import submit_job
from luna.platform.queue.services import SERVICES
from luna.platform.queue.task import definitions
from luna.platform.settings import Settings
from luna.platform.telemetry import configure_logging
from services.executor.control_step import Executor
from services.executor.target import DeviceConnections
from services.executor.watch import SiteUnits, describe_sites, list_due_units
from services.forecaster.retraining.refresh import ForecastBatches, refresh_forecasts
from services.forecaster.retraining.training import train_and_tell
from services.ingest.listening.slot_scheduler import OVERLAP
from services.ingest.quality_service import judge_quality
from services.ingest.recorder import ReadingKind
from services.ingest.slot_builder import build_site_slots
from services.ingest.source_readings import Reading
from services.planner.problem.scenarios import DAYS
from services.planner.service import fleet
from services.planner.service.replay import replay_site

# Midnight of the sites' clock.
START = datetime(2031, 6, 2, 22, tzinfo=UTC)
QUARTER_HOURS = 96
# Sites of whole days, and of the one turn.
SITES = (1, 5, 60)
FULL_SITES = (1, 100, 10_000)
# Of many sites so many batches are planned; the others would take as much each.
MOST_BATCHES = 20
# A model is trained on two months; a whole day of the lone site is forecast by one.
TRAINED_DAYS = 60
UNITS = {"soc": "%"}
SAMPLE = timedelta(minutes=1)
# They ask others for prices and weather, or look for logs of containers.
OUTSIDE = ("ingest.prices.fetch", "ingest.weather.fetch", "ingest.logs.archive")
TABLES = (
    "sensor_readings",
    "slot_observations",
    "slot_forecasts",
    "forecast_issues",
    "forecast_scenarios",
    "plan_history",
    "control_log",
    "daily_scores",
    "oracle_daily_results",
    "antares_learning",
    "data_quality_daily",
    "jobs",
)


@dataclass
class Clock:
    """Says what it is told."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant


@dataclass
class Meter:
    """CPU seconds of this process and of the database, and wall seconds, by part of the day."""

    parts: dict[str, dict[str, float]] = field(
        default_factory=lambda: defaultdict(
            lambda: dict.fromkeys(("worker_s", "database_s", "wall_s", "calls"), 0.0)
        )
    )
    _tree: ProcessTree = field(default_factory=lambda: ProcessTree(os.getpid(), "worker"))

    @contextmanager
    def note(self, part: str) -> Iterator[None]:
        before = self._tree.cpu()
        own = time.process_time()
        yield
        # Looking at all processes costs as much as a short part.
        spent = time.process_time() - own
        after = self._tree.cpu()
        row = self.parts[part]
        row["worker_s"] += spent
        row["database_s"] += after.spent_since(before).get("database", 0.0)
        row["wall_s"] += after.at - before.at
        row["calls"] += 1


@dataclass(frozen=True)
class Fleet:
    """Stored sites, and what their tasks need."""

    database: Engine
    client: Client
    objects: ObjectStore
    settings: Settings
    clock: Clock
    names: list[str]
    executor: Executor
    units: SiteUnits = field(default_factory=SiteUnits)

    @classmethod
    def store(
        cls,
        database: Engine,
        client: Client,
        folder: Path,
        count: int,
        *,
        past_days: int,
        issues: int,
    ) -> "Fleet":
        """Store so many sites, all of them armed."""
        names = store_sites(database, count, until=START, past_days=past_days, issues=issues)
        clock = Clock(START)
        with unit_of_work(database) as connection:
            for name in names:
                control.arm(connection, name, at=START, by="bench")
        settings = Settings(data_folder=folder, outside_services=False)
        executor = Executor(
            database,
            DeviceConnections(lambda _: DryRun(), data_folder=settings.data_folder),
            lambda _: None,
            clock=clock,
            plan_max_age=settings.plan_max_age,
            read_flow=lambda _: None,
        )
        return cls(
            database, client, FileObjects(folder / "objects"), settings, clock, names, executor
        )

    def refresh_forecasts(self) -> None:
        """Do what the forecaster's refresh does, and what the jobs do that it asks for."""
        wanted: list[RefreshForecastsRequest] = []

        def ask(part: RefreshForecastsRequest, key: str) -> Job:
            wanted.append(part)
            return self.ask(part, key)

        def issue(request: RefreshForecastsRequest) -> None:
            with unit_of_work(self.database) as connection:
                spread = ForecastBatches(self.settings.forecast_batch_sites, ask)
                refresh_forecasts(
                    connection, request, objects=self.objects, now=self.clock.now(), spread=spread
                )

        issue(RefreshForecastsRequest())
        for part in wanted:
            issue(part)

    def refresh_plans(self) -> None:
        """Do what the planner's refresh does, and what the jobs do that it asks for."""
        wanted: list[PlanSitesRequest] = []

        def ask(part: PlanSitesRequest, key: str) -> Job:
            wanted.append(part)
            return self.ask(part, key)

        fleet.refresh_plans(self.database, self.settings, ask=ask, now=self.clock.now())
        for part in wanted:
            with unit_of_work(self.database) as connection:
                faults = fleet.plan_sites(connection, part, now=self.clock.now()).faults
            if faults:
                raise RuntimeError(f"{faults[0].site_id}: {faults[0].error}")

    def plan_all(self) -> None:
        """Plan every site, batch by batch."""
        size = self.settings.plan_batch_sites
        for first in range(0, len(self.names), size):
            with unit_of_work(self.database) as connection:
                fleet.plan_sites(
                    connection,
                    PlanSitesRequest(site_ids=self.names[first : first + size]),
                    now=self.clock.now(),
                )

    def ask(self, request: Request, key: str) -> Job:
        """Accept a job that no worker takes, and close it: here it is done at once."""
        job = submit_job(self.database, self.client, request, key=key)
        with unit_of_work(self.database) as connection:
            jobs.cancel(connection, job.job_id)
        return job

    def hear(self, bodies: Mapping[str, Sequence[bytes]]) -> None:
        """Store readings as the recorder hands them over."""
        for name, rows in bodies.items():
            with unit_of_work(self.database) as connection:
                ReadingKind().store(connection, name, rows)

    def build_slots(self) -> None:
        """Build the slots that are over."""
        now = self.clock.now()
        for name in self.names:
            with unit_of_work(self.database) as connection:
                build_site_slots(
                    connection,
                    BuildSlotsRequest(site_id=name, first=now - OVERLAP, end=now),
                    now=now,
                )

    def control(self) -> None:
        """Tell every device of every site what its plan says of the slot that begins."""
        with unit_of_work(self.database) as connection:
            turns = list_due_units(connection, self.units)
        for turn in turns:
            self.executor.turn(*turn)

    def replay_day(self) -> None:
        """Replay the day that has ended, as the night does."""
        day = (self.clock.now() - DAY).astimezone(parse_zone(TIMEZONE)).date()
        for name in self.names:
            with unit_of_work(self.database) as connection:
                replay_site(
                    connection, choose_replay(ReplayRequest(site_id=name, from_day=day, to_day=day))
                )

    def judge(self) -> None:
        """Judge the last days of each site."""
        with unit_of_work(self.database) as connection:
            judge_quality(connection, JudgeQualityRequest(), now=self.clock.now())

    def train(self) -> None:
        """Train a model for each site, as once a week in its night."""
        for name in self.names:
            with unit_of_work(self.database) as connection:
                train_and_tell(
                    connection,
                    TrainRequest(site_id=name),
                    objects=self.objects,
                    now=self.clock.now(),
                )


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return the parts of a whole day by number of sites, and one turn of the clock at many."""
    configure_logging("bench", level="ERROR")
    for service in SERVICES:
        import_module(f"services.{service}.tasks")
    one, several, many = FULL_SITES if full else SITES
    return {
        f"day_of_{one}": _simulate_day(one, trained=True),
        f"day_of_{several}": _simulate_day(several, trained=False),
        f"turn_of_{many}": _turn(many, MOST_BATCHES),
        "seed": SEED,
    }


@contextmanager
def stored_fleet(count: int, *, past_days: int, issues: int) -> Iterator[Fleet]:
    """Yield stored sites with servers of their own."""
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with start(folder) as servers:
            upgrade(servers.database_url)
            database = engine.create(servers.database_url, application_name="bench")
            client = Client(servers.redis_url)
            yield Fleet.store(database, client, folder, count, past_days=past_days, issues=issues)
            client.close()
            database.dispose()


# --- a whole day ----------------------------------------------------------------------------------


def _simulate_day(count: int, *, trained: bool) -> dict[str, Any]:
    """Return CPU seconds, rows and bytes per site of a day, by part and by table."""
    meter = Meter()
    with stored_fleet(
        count, past_days=TRAINED_DAYS if trained else DAYS, issues=DAYS + 1
    ) as fleet_of_day:
        if trained:
            with meter.note("training"):
                fleet_of_day.train()
        before = _measure_tables(fleet_of_day.database)
        meters = _Meters(fleet_of_day.names)
        for quarter in range(QUARTER_HOURS):
            _live_quarter(fleet_of_day, meter, meters, quarter)
        fleet_of_day.clock.instant = START + DAY + timedelta(hours=4)
        _spend_night(fleet_of_day, meter)
        grown = _subtract(_measure_tables(fleet_of_day.database), before)
    parts = {
        part: {name: value / (1 if name == "calls" else count) for name, value in row.items()}
        for part, row in meter.parts.items()
    }
    return {
        "per_site": parts,
        "grown_per_site": {
            table: {name: value / count for name, value in row.items()}
            for table, row in grown.items()
        },
    }


def _live_quarter(fleet_of_day: Fleet, meter: Meter, meters: "_Meters", quarter: int) -> None:
    fleet_of_day.clock.instant = START + (quarter + 1) * SLOT
    bodies = meters.read(quarter)
    with meter.note("readings"):
        fleet_of_day.hear(bodies)
    with meter.note("slots"):
        fleet_of_day.build_slots()
    with meter.note("forecasts"):
        fleet_of_day.refresh_forecasts()
    with meter.note("plans"):
        fleet_of_day.refresh_plans()
    with meter.note("control"):
        fleet_of_day.control()


def _spend_night(fleet_of_day: Fleet, meter: Meter) -> None:
    with meter.note("quality"):
        fleet_of_day.judge()
    with meter.note("rollups"):
        rollups.refresh(fleet_of_day.database)
    with meter.note("replay"):
        fleet_of_day.replay_day()


class _Meters:
    """What the sites' sensors say: counters of energy every minute, and the state of charge."""

    def __init__(self, names: Sequence[str]) -> None:
        rng = np.random.default_rng(SEED)
        self._names = names
        per_slot = SLOT // SAMPLE
        self._values = {
            name: {
                sensor: _interpolate(values, per_slot) for sensor, values in _count_up(rng).items()
            }
            for name in names
        }

    def read(self, quarter: int) -> dict[str, list[bytes]]:
        """Return the readings of a quarter-hour by site, as the recorder's spool holds them."""
        per_slot = SLOT // SAMPLE
        kind = ReadingKind()
        minutes = range(quarter * per_slot + (quarter > 0), (quarter + 1) * per_slot + 1)
        return {
            name: [
                kind.encode(
                    Reading(
                        f"{sensor}.{name}",
                        START + minute * SAMPLE,
                        float(values[minute]),
                        UNITS.get(sensor, "kWh"),
                    )
                )
                for sensor, values in self._values[name].items()
                for minute in minutes
            ]
            for name in self._names
        }


def _interpolate(values: FloatArray, steps: int) -> FloatArray:
    return np.interp(
        np.arange((values.size - 1) * steps + 1) / steps, np.arange(values.size), values
    )


def _count_up(rng: np.random.Generator) -> dict[str, FloatArray]:
    """Return by sensor what it says at each edge of the day's quarter-hours."""
    drawn = draw_days(START, 1, rng)
    meters = {
        series: 1000 + np.concatenate([[0.0], np.cumsum(getattr(drawn, series))])
        for series in METERS.values()
    }
    return meters | {"soc": 100 * np.concatenate([drawn.soc[:1], drawn.soc])}


def _measure_tables(database: Engine) -> dict[str, dict[str, float]]:
    with unit_of_work(database) as connection:
        sizes = {table.name: table.size_bytes for table in volume.list_tables(connection)}
        rows = {
            table: connection.scalar(select(func.count()).select_from(text(table))) or 0
            for table in TABLES
        }
    return {table: {"rows": float(rows[table]), "bytes": float(sizes[table])} for table in TABLES}


def _subtract(
    after: Mapping[str, Mapping[str, float]], before: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    return {
        table: {name: value - before[table][name] for name, value in row.items()}
        for table, row in after.items()
    }


# --- one turn of the clock ------------------------------------------------------------------------


def _turn(count: int, batches: int | None) -> dict[str, Any]:
    """Return what each task that the clock asks for takes at so many sites, and what one batch of
    sites takes among them.

    Sites have one day of past and one forecast: what a plan reads of more is in the whole days.
    """
    with stored_fleet(count, past_days=1, issues=1) as many:
        periodic = {
            request.task: _run_task(many, request)
            for request in list_periodic()
            if request.task not in OUTSIDE
        }
        meter = Meter()
        some = many.names[: batches * many.settings.plan_batch_sites] if batches else many.names
        lot = replace(many, names=some)
        with meter.note("plans"):
            lot.plan_all()
        with meter.note("control"):
            lot.control()
        with meter.note("executor_look"), unit_of_work(many.database) as connection:
            describe_sites(connection, many.units)
        tables = _measure_tables(many.database)
    batch = {
        part: {name: value / len(some) for name, value in row.items()}
        for part, row in meter.parts.items()
    }
    return {
        "tasks": periodic,
        "per_site_of_batches": batch,
        "sites_of_batches": len(some),
        "tables": tables,
    }


def _run_task(many: Fleet, request: type[Request]) -> dict[str, Any]:
    """Run a task's body as a worker does: seconds, CPU, how much memory it took at its peak, and
    its limit.
    """
    definition = definitions()[request.task]
    meter = Meter()
    held = _reset_peak()
    work = TaskContext(many.settings, lambda: many.database, many.clock, queue=lambda: many.client)
    failed = ""
    with meter.note(request.task):
        try:
            with work:
                definition.body(request(), work)
        except LunaError as error:
            failed = str(error)
    row = meter.parts[request.task]
    return row | {
        "peak_mb": _read_status("VmHWM") - held,
        "limit_s": definition.soft_limit.total_seconds(),
        "failed": failed,
    }


def _reset_peak() -> float:
    """Forget the peak of this process's memory, and return what it holds now, MB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _read_status("VmRSS")


def _read_status(name: str) -> float:
    return (
        int(
            Path("/proc/self/status")
            .read_text(encoding="ascii")
            .partition(f"{name}:")[2]
            .split()[0]
        )
        / 1024
    )


if __name__ == "__main__":
    print(json.dumps(measure(full="full" in sys.argv[1:]), indent=2))
