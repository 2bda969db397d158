"""Rows per second into the database beside bare COPY and pandas, a file's way in, and a year of one
series out again over HTTP among 150 site-years.

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
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, text

from bench import data_http
from bench.peers.pandas_load import run_pandas
from luna.energy.observations import SERIES
from luna.energy.site import parse_site
from luna.energy.timeline import FloatArray, InstantArray
from luna.platform.database import copy, engine, migrate, observations, rollups, sites
from luna.platform.database.schema.series import slot_observations
from luna.platform.embedded.supervisor import Addresses, Servers, start
from services.ingest.loading import FileForm, load_file

ROWS = 1_000_000
ROUNDS = 3
FILE_ROWS = 1_000_000
# A gigabyte of them.
FULL_FILE_ROWS = 19_000_000
# Fewer, for a hundred times as slow.
PEER_ROWS = 50_000
SITE_YEARS = 150
YEAR = 35_040
# Those a home with PV records; the COPY comparison writes all seven.
RECORDED = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh")


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return rows per second of COPY, upsert and file load, the load's peak memory, the client's
    milliseconds per query, and a file's way over HTTP.

    Args:
        full: load and hand over a file of a gigabyte.
    """
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        # As root the servers run under another account, which must be able to walk through.
        Path(folder).chmod(0o711)
        file = Path(folder) / "observations.csv"
        data_http.write_file(file, FULL_FILE_ROWS if full else FILE_ROWS)
        with start(Path(folder) / "servers", services=("postgres", "redis")) as servers:
            migrate.upgrade(servers.database_url)
            pool = engine.create(servers.database_url)
            figures: dict[str, Any] = {
                "copy": measure_copy(pool),
                "load": measure_load(pool, servers.database_url, file),
            }
            figures["load"]["ratio_to_bare"] = (
                figures["load"]["rows_per_s"] / figures["copy"]["bare_rows_per_s"]
            )
            figures |= measure_peers(
                pool,
                servers.database_url,
                Path(folder),
                load_rows_per_s=figures["load"]["rows_per_s"],
            )
            figures |= measure_http(pool, servers, file)
            pool.dispose()
            return figures


def measure_copy(pool: Engine) -> dict[str, float]:
    """Write the same million rows by bare COPY into a table of the same kind, by upsert into the
    empty table, and by upsert onto themselves.
    """
    rows: copy.Columns = {"site_key": 1, "slot_start": _starts(ROWS), **_series(ROWS, SERIES)}
    # Without the triggers that mark days for the rollups.
    _make_like(pool, "bare_observations")
    seconds: dict[str, list[float]] = {"bare": [], "new": [], "again": []}
    for _ in range(ROUNDS):
        seconds["bare"].append(
            _write(
                pool,
                lambda connection: copy.append(connection, "bare_observations", rows),
                emptied="bare_observations",
            )
        )
        seconds["new"].append(
            _write(
                pool,
                lambda connection: copy.upsert(connection, slot_observations, rows),
                emptied="slot_observations",
            )
        )
        seconds["again"].append(
            _write(pool, lambda connection: copy.upsert(connection, slot_observations, rows))
        )
    bare, new, again = (median(times) for times in seconds.values())
    return {
        "bare_rows_per_s": ROWS / bare,
        "upsert_rows_per_s": ROWS / new,
        "upsert_again_rows_per_s": ROWS / again,
        "ratio_to_bare": bare / new,
        "again_ratio_to_bare": bare / again,
    }


def measure_load(pool: Engine, url: str, path: Path) -> dict[str, float]:
    """Load a CSV file of quarter-hours in a process of its own."""
    with engine.unit_of_work(pool) as connection:
        connection.execute(text("TRUNCATE slot_observations"))
        sites.save(connection, parse_site({"name": "loaded", "timezone": "Europe/Berlin"}))
    done = subprocess.run(
        [sys.executable, "-m", "bench.data", url, str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    rows, seconds, peak_mb = json.loads(done.stdout)
    return {
        "rows_per_s": rows / seconds,
        "seconds": seconds,
        "peak_mb": peak_mb,
        "file_mb": path.stat().st_size / 1e6,
    }


def measure_peers(
    pool: Engine, url: str, folder: Path, *, load_rows_per_s: float
) -> dict[str, Any]:
    """Let pandas load a file of the same kind, without validating anything, into a table of the
    same kind.
    """
    data_http.write_file(folder / "peers.csv", PEER_ROWS)
    _make_like(pool, "pandas_observations")
    found = run_pandas(url, folder / "peers.csv", "pandas_observations")
    if found is None:
        return {"missing": ["pandas"]}
    return {
        "peers": {
            f"pandas_{way}": {"rows_per_s": speed, "ratio": load_rows_per_s / speed}
            for way, speed in found.items()
        }
    }


def measure_http(pool: Engine, servers: Servers, file: Path) -> dict[str, dict[str, float]]:
    """Read a year of one series of one site among 150 over HTTP, before and after the rollups are
    refreshed, then hand over a file.
    """
    with engine.unit_of_work(pool) as connection:
        connection.execute(text("TRUNCATE slot_observations"))
        for site in range(SITE_YEARS):
            sites.save(
                connection, parse_site({"name": f"site {site}", "timezone": "Europe/Berlin"})
            )
            observations.write(connection, f"site {site}", _starts(YEAR), _series(YEAR, RECORDED))
    addresses = Addresses(database_url=servers.database_url, redis_url=servers.redis_url)
    with data_http.running_gateway(addresses, file.parent / "data") as (client, gateway):
        marked = data_http.measure_queries(client, SITE_YEARS, resolutions=("1h", "1d"))
        refresh = measure_refresh(pool)
        query = data_http.measure_queries(client, SITE_YEARS)
        return {
            "query": query,
            "query_before_refresh": marked,
            "refresh": refresh,
            "upload": data_http.measure_upload(client, gateway, file),
        }


def measure_refresh(pool: Engine) -> dict[str, float]:
    """Bring the rollups of everything up to date, then those of a quarter-hour that all sites have
    just written.
    """
    began = time.perf_counter()
    days = rollups.refresh(pool).days
    seconds = time.perf_counter() - began
    with engine.unit_of_work(pool) as connection:
        for site in range(SITE_YEARS):
            observations.write(
                connection, f"site {site}", _starts(YEAR)[-1:], {"load_kwh": np.zeros(1)}
            )
    return {
        "days": days,
        "days_per_s": days / seconds,
        "seconds": seconds,
        "a_quarter_hour_of_all_s": _time(lambda: rollups.refresh(pool)),
    }


def load_once(url: str, path: Path) -> tuple[int, float, float]:
    """Return rows, seconds and peak memory (MB) of one load in this process."""
    pool = engine.create(url)
    began = time.perf_counter()
    with engine.unit_of_work(pool) as connection:
        report = load_file(connection, "loaded", path, FileForm("observations"))
    return report.rows, time.perf_counter() - began, _peak_mb()


def _peak_mb() -> float:
    # Linux lets a new process begin with its parent's peak in rusage; the process's own stands in
    # /proc.
    status = Path("/proc/self/status")
    own = (
        re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if status.exists()
        else None
    )
    return int(own[1]) / 1024 if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _make_like(pool: Engine, table: str) -> None:
    """Make a table with the columns and the key of the observations, without their triggers."""
    with engine.unit_of_work(pool) as connection:
        connection.execute(text(f"CREATE TABLE {table} (LIKE slot_observations INCLUDING ALL)"))


def _write(
    pool: Engine, write: Callable[[Connection], object], *, emptied: str | None = None
) -> float:
    if emptied:
        with engine.unit_of_work(pool) as connection:
            connection.execute(text(f"TRUNCATE {emptied}"))

    def commit() -> None:
        with engine.unit_of_work(pool) as connection:
            write(connection)

    return _time(commit)


def _time(work: Callable[[], object]) -> float:
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
