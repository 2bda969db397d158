"""A year of one series among 150 site-years over HTTP, and a file handed over through the gateway
until it is stored.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import polars as pl

from bench.stack import owner_headers
from luna.platform.embedded.supervisor import Addresses

QUERIES = 40
FORMATS = ("json", "csv", "arrow")
YEAR = {"series": "load_kwh", "from": "2023-01-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"}
PIECE_ROWS = 1_000_000
START_SECONDS = 60
Process = subprocess.Popen[bytes]


def measure_queries(
    client: httpx.Client, sites: int, resolutions: tuple[str, ...] = ("15m", "1h", "1d")
) -> dict[str, float]:
    """Return the caller's milliseconds per resolution, as JSON.

    And those of a full year in the other forms.
    """
    chosen = np.random.default_rng(0).integers(sites, size=QUERIES)
    figures: dict[str, float] = {}
    for resolution in resolutions:
        for form in FORMATS if resolution == "15m" else FORMATS[:1]:
            _ask(client, 0, resolution, form)
            times = [_ask(client, site, resolution, form) for site in chosen]
            name = resolution if form == "json" else f"{resolution}_{form}"
            figures |= {
                f"{name}_p50_ms": median(times),
                f"{name}_p95_ms": float(np.percentile(times, 95)),
            }
    return figures


def measure_upload(client: httpx.Client, gateway: Process, path: Path) -> dict[str, float]:
    """Hand over a file and wait until its rows are stored."""
    before = _peak_mb(gateway)
    began = time.perf_counter()
    with path.open("rb") as file:
        accepted = client.post(
            "/data/load", data={"site": "loaded", "kind": "observations"}, files={"file": file}
        )
    handed_over = time.perf_counter() - began
    accepted.raise_for_status()
    job = _wait(client, accepted.headers["Location"])
    seconds = time.perf_counter() - began
    return {
        "rows_per_s": job["reply"]["rows"] / seconds,
        "hand_over_mb_per_s": path.stat().st_size / 1e6 / handed_over,
        "gateway_peak_mb": _peak_mb(gateway),
        "gateway_before_mb": before,
        "file_mb": path.stat().st_size / 1e6,
    }


def write_file(path: Path, rows: int) -> None:
    """Write a CSV file of quarter-hours, piece by piece."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for first in range(0, rows, PIECE_ROWS):
            count = min(PIECE_ROWS, rows - first)
            starts = np.datetime64("2023-01-01", "s") + np.arange(
                first, first + count
            ) * np.timedelta64(900, "s")
            columns: dict[str, Any] = {"slot_start": np.datetime_as_string(starts, timezone="UTC")}
            columns |= {
                name: rng.random(count).round(4)
                for name in ("load_kwh", "pv_kwh", "import_kwh", "export_kwh", "soc")
            }
            pl.DataFrame(columns).write_csv(file, include_header=first == 0)


@contextmanager
def running_gateway(addresses: Addresses, folder: Path) -> Iterator[tuple[httpx.Client, Process]]:
    """Run the gateway and an ingest worker as processes of their own.

    Yield a client and the gateway's process.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    named = {
        "LUNA_DATABASE_URL": addresses.database_url,
        "LUNA_REDIS_URL": addresses.redis_url,
        "LUNA_DATA_FOLDER": str(folder),
        "LUNA_API_PORT": str(port),
    }
    commands = (["services.api"], ["luna.platform.queue.worker", "ingest"])
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", *words], env=os.environ | named, stderr=subprocess.DEVNULL
        )
        for words in commands
    ]
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=owner_headers(folder), timeout=600
        ) as client:
            _await_gateway(client)
            yield client, processes[0]
    finally:
        for process in processes:
            process.terminate()
            process.wait(timeout=30)


def _ask(client: httpx.Client, site: int, resolution: str, form: str) -> float:
    began = time.perf_counter()
    client.get(
        "/data/query",
        params=YEAR | {"site": f"site {site}", "resolution": resolution, "format": form},
    ).raise_for_status()
    return (time.perf_counter() - began) * 1000


def _await_gateway(client: httpx.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            client.get("/health/live")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the gateway did not start")


def _wait(client: httpx.Client, job: str) -> dict[str, Any]:
    while (found := client.get(job).json())["status"] in {"queued", "running"}:
        time.sleep(0.05)
    if found["status"] != "done":
        raise RuntimeError(f"the load ended otherwise: {found['error']}")
    return dict(found)


def _peak_mb(process: Process) -> float:
    found = re.search(
        r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    )
    return int(found[1]) / 1024 if found else float("nan")
