"""Backup and restore benchmark: recovery time and data loss of sites with a year of data each,
backed up during writes and restored on a new machine.

Run as ``luna bench restore_time`` (20 sites) or with ``--full`` (500, 3 GB; 10 GB of disk for a
while). Only the backup folder and the key survive the loss. Wall times depend on the machine's
other load; CPU seconds are given too.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from bench.background import BackgroundThreads
from bench.cases import SEED
from bench.stack import Stack, data_folder, luna_up
from bench.stored_sites import draw_days, draw_site
from luna.platform.database import engine, migrate, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import running
from luna.platform.settings import Settings
from luna.platform.telemetry import configure_logging
from services.backup.create import create_backup, open_work
from services.backup.folder import open_folder, status_instant

SITES = 20
FULL_SITES = 500
DAYS = 365
START = datetime(2023, 1, 1, tzinfo=UTC)
KEY = "a-key-that-only-this-bench-knows-01"
WRITE_SECONDS = 0.2
WATCHED_SECONDS = 90
QUARTER = timedelta(minutes=15)


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return sizes, seconds of backup and restore (RTO), and seconds of lost writes (RPO)."""
    configure_logging("bench", level="WARNING")
    count = FULL_SITES if full else SITES
    with data_folder() as folder:
        before, after = (
            {
                "data_folder": str(folder / name),
                "backup_folder": str(folder / "kept"),
                "backup_key": KEY,
            }
            for name in ("lost", "new")
        )
        for settings in (before, after):
            Path(settings["data_folder"]).mkdir(mode=0o711)
        # Pydantic reads them.
        lost = Settings(**before)  # type: ignore[arg-type]
        figures: dict[str, Any] = {"sites": count, "seed": SEED, **_fill(lost, count)}
        with (
            luna_up(Path(before["data_folder"]), settings=before) as stack,
            Writer(stack.database) as writer,
        ):
            figures |= _back_up(lost)
            figures["log_behind_s"] = _watch_log(lost)
            _lose(stack)
            lost_at = time.monotonic()
        shutil.rmtree(before["data_folder"])
        figures |= _restore(after)
        began = time.monotonic()
        with luna_up(Path(after["data_folder"]), headers={}, settings=after) as stack:
            figures["ready_s"] = round(time.monotonic() - began, 1)
            figures |= writer.compare(stack.database, lost_at)
            figures["rows_lost"] = figures["rows"] - _count_rows(stack.database)
    return figures | {"rto_s": round(figures["restore_s"] + figures["ready_s"], 1)}


class Writer(BackgroundThreads):
    """Writes a quarter-hour of one site every ``WRITE_SECONDS`` and records the times of the
    commits.
    """

    def __init__(self, database: Engine) -> None:
        super().__init__(self._write_on)
        self._database, self._committed = database, list[float]()

    def compare(self, database: Engine, lost_at: float) -> dict[str, Any]:
        """Return the number of commits missing in a database, and the age of the first one when the
        machine was lost.
        """
        query = text(
            "SELECT count(*) FROM slot_observations JOIN sites USING (site_key) WHERE name "
            "= 'written'"
        )
        with unit_of_work(database) as connection:
            there = int(connection.execute(query).scalar_one())
        missing = self._committed[there:]
        return {
            "commits": len(self._committed),
            "commits_lost": len(missing),
            "rpo_s": round(lost_at - missing[0], 1) if missing else 0.0,
        }

    def _write_on(self) -> None:
        # Writes fail once the machine is lost.
        with suppress(Exception):
            while not self._done.wait(WRITE_SECONDS):
                slot = np.array(
                    [
                        np.datetime64("2024-06-01", "s")
                        + len(self._committed) * np.timedelta64(900, "s")
                    ]
                )
                with unit_of_work(self._database) as connection:
                    observations.write(connection, "written", slot, {"load_kwh": np.ones(1)})
                self._committed.append(time.monotonic())


def _fill(settings: Settings, count: int) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    began = time.monotonic()
    with running(settings) as addresses:
        migrate.upgrade(addresses.database_url)
        database = engine.create(addresses.database_url, application_name="bench", pool_size=1)
        with unit_of_work(database) as connection:
            sites.save(connection, draw_site("written", rng))
        for number in range(count):
            with unit_of_work(database) as connection:
                sites.save(connection, draw_site(f"site_{number:05d}", rng))
                observations.upsert(connection, f"site_{number:05d}", draw_days(START, DAYS, rng))
        with unit_of_work(database) as connection:
            size = connection.execute(
                text("SELECT sum(pg_database_size(oid)) FROM pg_database")
            ).scalar_one()
        rows = _count_rows(database)
        database.dispose()
    return {
        "rows": rows,
        "database_gb": round(float(size) / 1e9, 2),
        "fill_s": round(time.monotonic() - began, 1),
    }


def _count_rows(database: Engine) -> int:
    with unit_of_work(database) as connection:
        return int(
            connection.execute(
                text(
                    "SELECT count(*) FROM slot_observations JOIN sites USING (site_key) "
                    "WHERE name <> 'written'"
                )
            ).scalar_one()
        )


def _back_up(settings: Settings) -> dict[str, Any]:
    began = time.monotonic()
    spent = _cpu()
    with running(settings) as addresses, open_work(settings, addresses.database_url) as work:
        manifest = create_backup(work, "asked")
    size = sum(entry.bytes for entry in manifest.files.values())
    return {
        "backup_s": round(time.monotonic() - began, 1),
        "backup_cpu_s": round(_cpu() - spent, 1),
        "backup_gb": round(size / 1e9, 2),
    }


def _watch_log(settings: Settings) -> float:
    """Return the greatest lag of the backup folder behind the commits during writes."""
    folder = open_folder(settings)
    worst = 0.0
    end = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < end:
        reached = status_instant(folder.read_status(), "wal_at")
        if reached is not None:
            worst = max(worst, (datetime.now(UTC) - reached).total_seconds())
        time.sleep(0.5)
    return round(worst, 1)


def _lose(stack: Stack) -> None:
    """Kill all processes at once, as a power loss does."""
    for pid in stack.processes.kinds():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _restore(settings: dict[str, str]) -> dict[str, Any]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")}
    environment = plain | {f"LUNA_{name.upper()}": value for name, value in settings.items()}
    command = [
        sys.executable,
        "-c",
        "from services.cli.main import main; main()",
        "backup",
        "restore",
        "--at",
        "latest",
        "--json",
    ]
    began = time.monotonic()
    spent = _cpu()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the restore failed: {done.stderr[-2000:]}")
    return {
        "restore_s": round(time.monotonic() - began, 1),
        "restore_cpu_s": round(_cpu() - spent, 1),
    }


def _cpu() -> float:
    """Return the CPU seconds of this process and of its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(measure(full="full" in arguments), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
