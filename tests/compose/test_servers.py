"""Luna's own tests of its database and objects, on the very servers that the compose file names."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.compose.stack import ROOT, Stack, run, wait_for
from tests.support.worker.processes import free_port

WORD = "a-word-for-this-run-alone"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The compose file, of which nothing runs."""
    stack = Stack("luna-servers-test", tmp_path_factory.mktemp("stack"))
    stack.prepare()
    return stack


@contextmanager
def server(file: Stack, service: str, port: int, **environment: str) -> Iterator[int]:
    """A server of the compose file's image, alone, empty and published on this machine for as long
    as the block runs.
    """
    published = free_port()
    given = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
    command = ["server", "/data"] if service == "minio" else []
    container = run(
        "docker",
        "run",
        "-d",
        "--rm",
        "-p",
        f"127.0.0.1:{published}:{port}",
        *given,
        file.image(service),
        *command,
    ).strip()
    try:
        yield published
    finally:
        run("docker", "rm", "-f", container)


def run_tests(*words: str, **environment: str) -> str:
    """Run some of Luna's tests in a process of their own; return the last lines that it says."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", *words],
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ended.returncode == 0, ended.stdout[-4000:]
    return ended.stdout[-600:]


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_database_does_on_timescaledb_what_it_does_on_postgresql(file: Stack) -> None:
    with server(file, "db", 5432, POSTGRES_PASSWORD=WORD) as port:
        url = f"postgresql://postgres:{WORD}@127.0.0.1:{port}/postgres"
        wait_for(lambda: answers(url), seconds=180, what="the database answers")
        names = (
            "migrations",
            "database",
            "chunks",
            "rollups",
            "timescale",
            "retention",
            "reading_history",
            "job_rows",
            "data_api",
            "history_changes",
            "source_cursors",
        )
        files = [f"tests/integration/test_{name}.py" for name in names]
        assert "TimescaleDB" in run_tests(
            "-m", "every_database or timescale_alone", *files, LUNA_TEST_TIMESCALE_URL=url
        )


def test_objects_do_on_minio_what_they_do_as_files(file: Stack) -> None:
    with server(file, "minio", 9000, MINIO_ROOT_USER="luna", MINIO_ROOT_PASSWORD=WORD) as port:
        wait_for(lambda: "luna" in make_bucket(file, port), seconds=180, what="the bucket is made")
        assert "passed" in run_tests(
            "tests/system/test_objects.py",
            LUNA_TEST_OBJECTS_URL=f"http://luna:{WORD}@127.0.0.1:{port}/luna",
        )


def make_bucket(file: Stack, port: int) -> str:
    """Make the bucket as the compose file's own job does; return what there is then."""
    words = (
        f"mc alias set s http://127.0.0.1:{port} luna {WORD} >/dev/null && mc mb "
        "--ignore-existing s/luna >/dev/null && mc ls s"
    )
    return run(
        "docker",
        "run",
        "--rm",
        "--network",
        "host",
        "--entrypoint",
        "sh",
        file.image("buckets"),
        "-c",
        words,
        check=False,
    )
