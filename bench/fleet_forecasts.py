"""Forecasts of stored sites per minute in batches, by one worker process and by two.

What each part costs, beside sites asked for one by one.

Sites with a roof of their own each: ``young`` ones with sixteen days of past and no model, and
``trained`` ones with sixty-six and a trained model that drives the planner. All five versions are
due, as in the first quarter of the hours at which they are, with scenarios beside what drives the
planner. Run as ``python -m bench.fleet_forecasts``; figures of one run only compare with each
other. With two cores, database and queue take their share of both.
"""

import json
import os
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Engine, delete, text

from bench.cases import SEED
from bench.processes import ProcessTree
from bench.queue import compare_processes, measure_batches, run_worker, time_requests
from bench.stack import data_servers
from bench.stored_sites import MARKET, draw_days, draw_site
from luna.contracts.forecast import IssueRequest, RefreshForecastsRequest
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import engine as engines
from luna.platform.database import forecast_activations, observations, prices, sites, training_runs
from luna.platform.database.forecast_activations import DEFAULT_VERSION, Activation
from luna.platform.database.schema.forecasting import forecast_issues, forecast_scenarios
from luna.platform.database.schema.series import slot_forecasts
from luna.platform.database.training_runs import TrainingRun
from luna.platform.embedded.supervisor import Addresses
from luna.platform.objects import FileObjects
from luna.platform.queue.worker import keep_loaded
from luna.platform.telemetry import configure_logging
from services.forecaster.forecast_issue import (
    IssueBasis,
    issue_forecasts,
    issue_version,
    read_facts,
    store_issued,
)
from services.forecaster.inputs import solar
from services.forecaster.inputs.frame import MEMORY_DAYS
from services.forecaster.model.artefact import save_aurora
from services.forecaster.model.aurora import VERSION, train
from services.forecaster.model.baseline import BASELINES
from services.forecaster.retraining.refresh import SELDOM, ForecastBatches, refresh_forecasts
from services.forecaster.tasks import prepare_jobs

# Sites by kind, and days of past.
FLEETS = {"young": (100, 16), "trained": (40, MEMORY_DAYS)}
BATCH = 25
MEASURED = 20
PRICE_DAYS = 150
DAY = timedelta(days=1)
VERSIONS = (VERSION, *BASELINES)


def measure() -> dict[str, Any]:
    """Return by kind of site: sites per minute by worker processes, what the second process brings,
    CPU ms per site of a batch and alone, and by part.
    """
    configure_logging("bench", level="ERROR")
    prepare_jobs()
    with data_servers() as (addresses, folder):
        os.environ |= {
            "LUNA_REDIS_URL": addresses.redis_url,
            "LUNA_DATA_FOLDER": str(folder / "data"),
        }
        database = engines.create(addresses.database_url)
        objects = FileObjects(folder / "data" / "objects")
        stored = {kind: _store_fleet(database, objects, kind) for kind in FLEETS}
        rates = compare_processes(
            lambda count: _measure_workers(addresses, database, stored, processes=count)
        )
        keep_loaded()
        found = {
            kind: rates[kind] | _measure_cpu(database, objects, names)
            for kind, names in stored.items()
        }
        database.dispose()
    return found


# --- sites and what is known of them --------------------------------------------------------------


def _store_fleet(database: Engine, objects: FileObjects, kind: str) -> list[str]:
    """Store sites of a kind with a past until now, and forecasts of their active version on the
    days before, and return their names.
    """
    rng = np.random.default_rng(SEED)
    count, days = FLEETS[kind]
    now = floor_to(SystemClock().now(), timedelta(hours=1))
    drawn = [_draw_roof(f"{kind}_{place}", rng) for place in range(count)]
    with engines.unit_of_work(database) as connection:
        slots = Timeline(floor_to(now, DAY) - PRICE_DAYS * DAY, SLOT, (PRICE_DAYS + 2) * 96)
        price = (
            0.08
            + 0.04 * np.sin((np.arange(slots.count) // 4 % 24 - 14) * np.pi / 6)
            + np.repeat(rng.normal(0.0, 0.015, slots.count // 4), 4)
        )
        prices.upsert(
            connection,
            MARKET,
            starts=slots.starts,
            price=price,
            currency="EUR",
            published_at=slots.start,
        )
        for site in drawn:
            sites.save(connection, site)
            observations.upsert(connection, site.name, draw_days(now - days * DAY, days, rng))
    if kind == "trained":
        _use_model(database, objects, drawn, now - 2 * DAY)
    version = VERSION if kind == "trained" else DEFAULT_VERSION
    for site in drawn:
        # The days on which a forecast looks as far ahead as the past reaches, of those that
        # scenarios remember.
        request = IssueRequest(
            site_id=site.name,
            at=now - min(days - 1, 43) * DAY,
            to=now - DAY,
            every_minutes=1440,
            forecast_version=version,
        )
        with engines.unit_of_work(database) as connection:
            issue_forecasts(connection, request, objects=objects)
    with engines.unit_of_work(database) as connection:
        connection.execute(text("ANALYZE"))
    return [site.name for site in drawn]


def _draw_roof(name: str, rng: np.random.Generator) -> Site:
    """Return a site that shares neither place nor roof with another."""
    described = draw_site(name, rng).model_dump(mode="json", by_alias=True)
    described["location"] = {
        "latitude": round(rng.uniform(47.0, 55.0), 3),
        "longitude": round(rng.uniform(6.0, 15.0), 3),
    }
    described["pv"][0] |= {
        "tilt_deg": round(rng.uniform(10.0, 50.0)),
        "azimuth_deg": round(rng.uniform(90.0, 270.0)),
    }
    return parse_site(described)


def _use_model(
    database: Engine, objects: FileObjects, drawn: Sequence[Site], until: datetime
) -> None:
    """Train a model of the first site, and have all of them forecast by it."""
    known = Timeline(floor_to(until, SLOT) - 60 * DAY, SLOT, 60 * 96)
    with engines.unit_of_work(database) as connection:
        learned = observations.read(connection, drawn[0].name, known)
        key = save_aurora(train(learned, site=drawn[0], until=until), objects)
        for site in drawn:
            run = TrainingRun(
                f"bench {site.name}",
                VERSION,
                known.start,
                known.start,
                "bench",
                0,
                1.0,
                {"known_days": 60.0},
                key,
            )
            training_runs.save(connection, site.name, run)
            forecast_activations.activate(
                connection, site.name, Activation(VERSION, "for the bench", "hand", run.run_id)
            )


def _forget_new(database: Engine) -> None:
    """Delete what was issued since all versions were due: what is stored already is not due
    again.
    """
    since = floor_to(SystemClock().now(), SELDOM) - SELDOM
    with engines.unit_of_work(database) as connection:
        for table in (forecast_issues, forecast_scenarios, slot_forecasts):
            connection.execute(delete(table).where(table.c.issued_at > since))


# --- rates ----------------------------------------------------------------------------------------


def _measure_workers(
    addresses: Addresses, database: Engine, stored: dict[str, list[str]], *, processes: int
) -> dict[str, float]:
    """Return sites forecast per minute by kind."""
    rates = {}
    with run_worker(["luna.platform.queue.worker", "forecaster"], addresses, processes=processes):
        # At once, so that each process loads what it needs.
        time_requests(
            addresses,
            [RefreshForecastsRequest(site_ids=[name]) for name in stored["young"][: 8 * processes]],
        )
        for kind, names in stored.items():
            _forget_new(database)
            rates[kind] = measure_batches(
                addresses,
                names,
                lambda batch: RefreshForecastsRequest(site_ids=batch),
                size=min(BATCH, len(names) // 8),
            )
    return rates


# --- CPU ------------------------------------------------------------------------------------------


class _Meter:
    """CPU ms per site by part, of this process and of the database's."""

    def __init__(self, sites_measured: int) -> None:
        self._tree = ProcessTree(os.getpid(), "worker")
        self._sites = sites_measured
        self._last, self._own = self._tree.cpu(), time.process_time()
        self.spent: dict[str, float] = {}

    def note(self, part: str) -> None:
        own = time.process_time()
        now = self._tree.cpu()
        for name, seconds in (
            (part, own - self._own),
            (f"{part}_database", now.spent_since(self._last).get("database", 0.0)),
        ):
            self.spent[name] = round(self.spent.get(name, 0.0) + 1000 * seconds / self._sites, 2)
        self._last, self._own = now, time.process_time()


def _measure_cpu(database: Engine, objects: FileObjects, names: Sequence[str]) -> dict[str, Any]:
    some = list(names[:MEASURED])
    now = SystemClock().now()
    refresh = partial(
        refresh_forecasts, objects=objects, now=now, spread=ForecastBatches(len(names), _ask_nobody)
    )
    meter = _Meter(len(some))
    for part, batches in (("batch", [some]), ("alone", [[name] for name in some])):
        _forget_new(database)
        # More roofs than are kept, as where a worker sees thousands.
        solar.compute_block.cache_clear()
        meter.note("")
        for batch in batches:
            with engines.unit_of_work(database) as connection:
                refresh(connection, RefreshForecastsRequest(site_ids=batch))
        meter.note(part)
    _forget_new(database)
    solar.compute_block.cache_clear()
    parts = _measure_parts(database, objects, some)
    return {
        "cpu_ms": {
            name: spent
            for name, spent in meter.spent.items()
            if name.startswith(("batch", "alone"))
        },
        "parts_ms": parts,
    }


def _ask_nobody(_: RefreshForecastsRequest, key: str) -> Any:
    raise AssertionError(key)


def _measure_parts(
    database: Engine, objects: FileObjects, names: Sequence[str]
) -> dict[str, float]:
    """Return CPU ms per site of each part of one instant's forecasts, without scenarios."""
    at = floor_to(SystemClock().now(), timedelta(hours=1))
    meter = _Meter(len(names))
    with engines.unit_of_work(database) as connection:
        keys = sites.keys_of(connection, names)
        found = {
            keys[name]: parse_site(stored)
            for name, stored in sites.read_configurations(connection, names).items()
        }
        meter.note("site")
        facts = read_facts(connection, found, [at])
        meter.note("read")
        bases = {key: IssueBasis.of(connection, each, now=at) for key, each in facts.items()}
        meter.note("prepare")
        for basis in bases.values():
            _ = basis.origin_views.views
        meter.note("look")
        issued = {
            key: [issue_version(basis, version, objects=objects) for version in VERSIONS]
            for key, basis in bases.items()
        }
        meter.note("forecast")
        store_issued(connection, issued)
        meter.note("write")
    return {part: spent for part, spent in meter.spent.items() if spent}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
