"""The real servers for every test that needs them: one pair for all workers of a run, a database
for each worker.
"""

import gc
import logging
import os
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from sqlalchemy import Connection, Engine

from luna.platform import passwords
from luna.platform.embedded.supervisor import Servers, start
from luna.platform.telemetry import ensure_plain_lines
from tests.selection import durations
from tests.selection.durations import TABLE, duration_of, read_durations
from tests.support.browser import chromium
from tests.support.command_line.call import Luna, Said
from tests.support.database.databases import (
    empty_database,
    migrated_database,
    spare_disk,
    spare_passwords,
)
from tests.support.database.object_servers import OUTSIDE, OUTSIDE_VARIABLE
from tests.support.database.server_folders import make_server_folder, server_folder
from tests.support.home_assistant.broker import SAID
from tests.support.suite import failed_again
from tests.support.suite.depth import LONG, LONG_VARIABLE, draws

FOLDER = pytest.StashKey[Path]()
DATABASE = pytest.StashKey[Engine]()
# Each takes up to two gigabytes.
MOST_PROCESSES = 5
# Hashing is dear on purpose: 25 ms of CPU for each person and each sign-in of the tests.
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
# As many as workers of Luna's own have, luna/platform/queue/worker.py.
YOUNG_OBJECTS = 50_000
# The address, as a superuser, of a TimescaleDB on which the tests of the database run as well.
TIMESCALE_VARIABLE = "LUNA_TEST_TIMESCALE_URL"
TIMESCALE = os.environ.get(TIMESCALE_VARIABLE)


def pytest_addoption(parser: pytest.Parser) -> None:
    failed_again.add_option(parser)
    durations.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    # A run in the background inherits these as ignored, and so would the processes that tests
    # interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Threads that grow trees would spin for one that a busy machine has put aside: minutes instead
    # of seconds.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Nor do those that multiply matrices, each over all cores: beside busy processes one of 96 ×
    # 210 by 64 took 41 ms of CPU instead of 0.06.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    passwords.HASHER = CHEAP_HASHER
    # What a gateway's thread logs once its test is over finds a closed stream; told on the next
    # test's stream it would be taken for a command's answer.
    logging.raiseExceptions = False
    # With the variables of every frame, arrays among them, one error would take half a minute to be
    # written.
    ensure_plain_lines()
    # How long an example takes says how busy the machine is.
    settings.register_profile("luna", deadline=None, max_examples=draws(100))
    settings.load_profile("luna")
    config.addinivalue_line(
        "markers",
        (
            "every_database: runs on the embedded PostgreSQL and on the TimescaleDB of "
            f"{TIMESCALE_VARIABLE}"
        ),
    )
    config.addinivalue_line(
        "markers", f"timescale_alone: runs on the TimescaleDB of {TIMESCALE_VARIABLE}"
    )
    config.addinivalue_line(
        "markers", f"long: runs where {LONG_VARIABLE} is set, as in make test-long"
    )
    workerinput = getattr(config, "workerinput", None)
    config.stash[FOLDER] = (
        Path(workerinput["servers_folder"]) if workerinput else make_server_folder()
    )
    failed_again.register(config)
    durations.register(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    # A third of their time tests wait for servers, workers and browsers; two more than cores, and
    # what is tested waits for the tests.
    return min((os.cpu_count() or 2) + 1, MOST_PROCESSES)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    node.workerinput["servers_folder"] = str(node.config.stash[FOLDER])  # type: ignore[attr-defined]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    servers = [pytest.param(None, id="postgresql"), pytest.param(TIMESCALE, id="timescaledb")]
    if (
        TIMESCALE
        and metafunc.definition.get_closest_marker("every_database")
        and "database_server" in metafunc.fixturenames
    ):
        metafunc.parametrize("database_server", servers, indirect=True, scope="session")
    if metafunc.definition.get_closest_marker("timescale_alone"):
        metafunc.parametrize("database_server", servers[1:], indirect=True, scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # A million objects come and stay until the run ends: looking through them again and again takes
    # ten of each process's 57 CPU seconds.
    gc.disable()
    try:
        return (yield)
    finally:
        # What is collected stays: it need not be looked through each time that a test leaves
        # something.
        gc.freeze()
        gc.enable()
        gc.collect()
        gc.freeze()
        # What is left is small; by Python's own thresholds a test that parses all of the code, or
        # reads large documents, spends four fifths of its time looking for what to throw away.
        gc.set_threshold(YOUNG_OBJECTS, 20, 50)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = _left_out_markers()
    items[:] = [
        item for item in items if not any(item.get_closest_marker(marker) for marker in left_out)
    ]
    if hasattr(config, "workerinput"):
        # Each file goes to one process, which makes its fixtures once, and the longest ones go
        # first: none is left over when the others have ended.
        known = read_durations(config.rootpath / TABLE)
        items.sort(key=lambda item: -duration_of(item.nodeid.partition("::")[0], known))


def _left_out_markers() -> list[str]:
    """Return the markers of tests that this run does not collect."""
    markers = []
    # What only a TimescaleDB can show is not collected without one.
    if not TIMESCALE:
        markers.append("timescale_alone")
    if not LONG:
        markers.append("long")
    return markers


# Not the report's header: it is left out when pytest is quiet.
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    no_timescale = f" alone; {TIMESCALE_VARIABLE} names no TimescaleDB"
    beside = " and TimescaleDB" if TIMESCALE else no_timescale
    terminalreporter.write_line(f"databases: embedded PostgreSQL{beside}")
    no_server = f" alone; {OUTSIDE_VARIABLE} names no other S3 server"
    beside = " and the named S3 server" if OUTSIDE else no_server
    terminalreporter.write_line(f"objects: files and moto{beside}")
    terminalreporter.write_line(SAID)
    terminalreporter.write_line(chromium.SAID)


@pytest.fixture
def servers_folder() -> Iterator[Path]:
    """A folder for servers of a test's own."""
    with server_folder() as parent:
        yield parent / "servers"


@pytest.fixture(scope="module")
def kept_folder() -> Iterator[Path]:
    """A folder for servers that a module's tests start one after the other.

    The cluster is made once.
    """
    with server_folder() as parent:
        yield parent / "servers"


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """The embedded servers; the workers of one run share them, and the last worker stops them."""
    with start(request.config.stash[FOLDER] / "servers") as servers:
        spare_disk(servers.database_url)
        spare_passwords(servers.database_url)
        yield servers


@pytest.fixture(scope="session")
def database_server(request: pytest.FixtureRequest) -> str:
    """The PostgreSQL a test runs on: the embedded one unless the test is marked
    ``every_database``.
    """
    address: str = (
        getattr(request, "param", None) or request.getfixturevalue("servers").database_url
    )
    return address


@pytest.fixture(scope="session")
def database_url(database_server: str, worker_id: str) -> Iterator[str]:
    """A fresh, migrated database of this worker's own."""
    with migrated_database(database_server, worker_id) as own:
        yield own


@pytest.fixture(scope="session")
def database(database_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine on this worker's database."""
    from luna.platform.database import engine
    from luna.platform.queue.app import LONGEST_LIMIT

    # As in a worker: where many compute, a training takes longer than a unit of work may otherwise
    # idle.
    pool = engine.create(database_url, idle_limit=LONGEST_LIMIT)
    request.config.stash[DATABASE] = pool
    yield pool
    del request.config.stash[DATABASE]
    pool.dispose()


@pytest.fixture(scope="module", autouse=True)
def tidied_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no home and no price of one file's tests to those of the next."""
    yield
    pool = request.config.stash.get(DATABASE, None)
    if pool is not None:
        empty_database(pool)


@pytest.fixture
def connection(database: Engine) -> Iterator[Connection]:
    """A connection whose transaction is rolled back when the test ends."""
    with database.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture(scope="session")
def redis_url(servers: Servers, worker_id: str) -> str:
    """The queue's server; each worker has a numbered database of its own."""
    number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    return f"{servers.redis_url.rsplit('/', 1)[0]}/{number}"


@pytest.fixture
def luna(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Luna]:
    """Runs command lines as their own process would, in this one.

    Data lie in ``tmp_path``, settings and logging are as before afterwards.
    """
    from luna.energy.errors import LunaError
    from luna.platform.settings import load_settings
    from services.cli.main import main

    monkeypatch.setenv("LUNA_DATA_FOLDER", str(tmp_path))
    # Nothing is fetched for a test that does not ask for it.
    monkeypatch.setenv("LUNA_EMBEDDING_DOWNLOAD", "false")
    handlers = logging.root.handlers[:]
    level = logging.root.level

    def call(*words: str) -> Said:
        load_settings.cache_clear()
        # A gateway of a test before may log its last request late.
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(words)
        cause = end.value.__cause__
        return Said(
            int(end.value.code or 0),
            *capsys.readouterr(),
            cause if isinstance(cause, LunaError) else None,
        )

    yield call
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    load_settings.cache_clear()


@pytest.fixture
def luna_on_servers(
    luna: Luna, monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str
) -> Luna:
    """The same on this worker's database and queue."""
    monkeypatch.setenv("LUNA_DATABASE_URL", database_url)
    monkeypatch.setenv("LUNA_REDIS_URL", redis_url)
    return luna
