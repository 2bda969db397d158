"""Rows per second into the database beside bare COPY, a file's way in, and a year of one series out again among 150 site-years.

Run as ``python -m bench.data``; figures of one run only compare with each other.
"""

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Connection, Engine, text

from luna.database import copy, engine, migrate, observations, sites
from luna.database.history import query_series
from luna.database.schema.series import slot_observations
from luna.embedded import start
from luna.history import SeriesQuery, as_rows
from luna.observations import SERIES
from luna.site import parse_site
from luna.timeline import FloatArray, InstantArray
from services.ingest.loading import FileForm, load_file

ROWS = 1_000_000
ROUNDS = 3
FILE_ROWS = 1_000_000
SITE_YEARS = 150
YEAR = 35_040
QUERIES = 40
START = datetime(2023, 1, 1, tzinfo=UTC)
# Those a home with PV and a battery records; the COPY comparison writes all seven.
RECORDED = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh")


def measure() -> dict[str, Any]:
    """Return rows per second of COPY, upsert and file load, the load's peak memory, and the client's milliseconds per query."""
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        # As root the servers run under another account, which must be able to walk through.
        Path(folder).chmod(0o711)
        with start(Path(folder) / "servers", services=("postgres",)) as servers:
            migrate.upgrade(servers.database_url)
            pool = engine.create(servers.database_url)
            figures = {"copy": measure_copy(pool), "load": measure_load(pool, servers.database_url, Path(folder)), "query": measure_queries(pool)}
            pool.dispose()
            return figures


def measure_copy(pool: Engine) -> dict[str, float]:
    """Write the same million rows by bare COPY, by upsert into the empty table, and by upsert onto themselves."""
    rows: copy.Columns = {"site_key": 1, "slot_start": _starts(ROWS), **_series(ROWS, SERIES)}
    seconds: dict[str, list[float]] = {"bare": [], "new": [], "again": []}
    for _ in range(ROUNDS):
        seconds["bare"].append(_write(pool, lambda connection: copy.append(connection, "slot_observations", rows), empty=True))
        seconds["new"].append(_write(pool, lambda connection: copy.upsert(connection, slot_observations, rows), empty=True))
        seconds["again"].append(_write(pool, lambda connection: copy.upsert(connection, slot_observations, rows), empty=False))
    bare, new, again = (median(times) for times in seconds.values())
    return {
        "bare_rows_per_s": ROWS / bare,
        "upsert_rows_per_s": ROWS / new,
        "upsert_again_rows_per_s": ROWS / again,
        "ratio_to_bare": bare / new,
        "again_ratio_to_bare": bare / again,
    }


def measure_load(pool: Engine, url: str, folder: Path) -> dict[str, float]:
    """Load a CSV file of quarter-hours in a process of its own."""
    path = folder / "observations.csv"
    columns = {"slot_start": np.datetime_as_string(_starts(FILE_ROWS), timezone="UTC")}
    pl.DataFrame(columns | {name: values.round(4) for name, values in _series(FILE_ROWS, (*RECORDED, "soc")).items()}).write_csv(path)
    with engine.unit_of_work(pool) as connection:
        connection.execute(text("TRUNCATE slot_observations"))
        sites.save(connection, parse_site({"name": "loaded", "timezone": "Europe/Berlin"}))
    done = subprocess.run([sys.executable, "-m", "bench.data", url, str(path)], check=True, capture_output=True, text=True)
    seconds, peak_mb = json.loads(done.stdout)
    return {"rows_per_s": FILE_ROWS / seconds, "peak_mb": peak_mb, "file_mb": path.stat().st_size / 1e6}


def measure_queries(pool: Engine) -> dict[str, float]:
    """Read a year of one series of one site among 150, at three resolutions, rows ready to be written as JSON."""
    with engine.unit_of_work(pool) as connection:
        connection.execute(text("TRUNCATE slot_observations"))
        for site in range(SITE_YEARS):
            sites.save(connection, parse_site({"name": f"site {site}", "timezone": "Europe/Berlin"}))
            observations.write(connection, f"site {site}", _starts(YEAR), _series(YEAR, RECORDED))
    chosen = np.random.default_rng(0).integers(SITE_YEARS, size=QUERIES)
    figures: dict[str, float] = {}
    for resolution in ("15m", "1h", "1d"):
        times = [_time(partial(_query, pool, f"site {site}", resolution)) * 1000 for site in chosen]
        figures |= {f"{resolution}_p50_ms": median(times), f"{resolution}_p95_ms": float(np.percentile(times, 95))}
    return figures


def load_once(url: str, path: Path) -> tuple[float, float]:
    """Return seconds and peak memory (MB) of one load in this process."""
    pool = engine.create(url)
    began = time.perf_counter()
    with engine.unit_of_work(pool) as connection:
        load_file(connection, "loaded", path, FileForm("observations"))
    return time.perf_counter() - began, _peak_mb()


def _peak_mb() -> float:
    # Linux lets a new process begin with its parent's peak in rusage; the process's own stands in /proc.
    status = Path("/proc/self/status")
    own = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else None
    return int(own[1]) / 1024 if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _query(pool: Engine, site: str, resolution: str) -> None:
    with engine.unit_of_work(pool) as connection:
        as_rows(query_series(connection, site, SeriesQuery("load_kwh", START, START + timedelta(days=365), resolution)))


def _write(pool: Engine, write: Callable[[Connection], object], *, empty: bool) -> float:
    if empty:
        with engine.unit_of_work(pool) as connection:
            connection.execute(text("TRUNCATE slot_observations"))

    def commit() -> None:
        with engine.unit_of_work(pool) as connection:
            write(connection)

    return _time(commit)


def _time(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _starts(count: int) -> InstantArray:
    return np.datetime64("2023-01-01", "s") + np.arange(count) * np.timedelta64(900, "s")


def _series(count: int, names: tuple[str, ...]) -> dict[str, FloatArray]:
    rng = np.random.default_rng(0)
    return {name: rng.random(count) for name in names}


if __name__ == "__main__":
    print(json.dumps(load_once(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) > 1 else measure()))
