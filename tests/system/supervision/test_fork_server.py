"""A fork server and what it forks, as processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from luna.platform.supervision.fork_server import ForkedProcess, ForkServer

PATIENCE_SECONDS = 60
# Says what it is, and ends with its starter: with 3 where it was told so on its standard input.
SPEAKER = """
import atexit, os, sys
atexit.register(lambda: print("ended", file=sys.stderr))
print(os.getsid(0) == os.getpid(), *sys.argv[1:], file=sys.stderr, flush=True)
sys.exit(3 if os.read(0, 1) else 0)
"""
# As ``luna up`` does: loads without a collector of cycles, and forks the server from itself.
STARTER = """
import gc
gc.disable()
from luna.platform.supervision.fork_server import ForkServer
server = ForkServer("shared", here=True)
with server.start(["collector"]) as forked:
    print(forked.stderr.readline().decode(), end="")
server.close()
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForkServer]:
    (tmp_path / "speaker.py").write_text(SPEAKER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    server = ForkServer("shared")
    yield server
    server.close()


def test_a_forked_process_is_one_of_its_own_and_is_ended_as_any_other(server: ForkServer) -> None:
    with server.start(["speaker", "one", "two"]) as forked, server.start(["speaker"]) as killed:
        assert isinstance(forked, ForkedProcess)
        assert forked.stderr is not None
        assert forked.stderr.readline() == b"True one two\n"
        assert Path(f"/proc/{forked.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")[1:] == [
            b"-m",
            b"speaker",
            b"one",
            b"two",
        ]
        assert forked.poll() is None
        forked.stdin.send(b"end")
        killed.terminate()
        assert (await_end(forked), await_end(killed)) == (3, -signal.SIGTERM)


def test_a_forked_process_does_what_it_wanted_done_at_its_end(server: ForkServer) -> None:
    with server.start(["speaker"]) as forked:
        assert forked.stderr is not None
        assert forked.stderr.readline() == b"True\n"
        forked.stdin.send(b"end")
        assert forked.stderr.read() == b"ended\n"
        assert await_end(forked) == 3


def test_a_server_that_is_alone_becomes_each_process_that_is_asked_for(server: ForkServer) -> None:
    alone = ForkServer("shared", parent=server, alone=True)
    for word in ("first", "second"):
        with alone.start(["speaker", word]) as forked:
            assert isinstance(forked, ForkedProcess)
            assert forked.stderr is not None
            assert forked.stderr.readline() == f"True {word}\n".encode()
            assert Path(f"/proc/{forked.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")[
                1:
            ] == [b"-m", b"speaker", word.encode()]
            forked.stdin.send(b"end")
            assert await_end(forked) == 3
    alone.close()


def test_what_was_forked_outlives_the_server_and_what_is_started_then_is_executed(
    server: ForkServer,
) -> None:
    with server.start(["speaker"]) as forked:
        [running] = subprocess.run(
            ["pgrep", "-P", str(os.getpid()), "-f", "fork_server shared"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        os.kill(int(running), signal.SIGKILL)
        with server.start(["speaker", "executed"]) as executed:
            assert isinstance(executed, subprocess.Popen)
            assert executed.stderr is not None
            assert executed.stderr.readline() == b"True executed\n"
            assert forked.poll() is None
        forked.terminate()


def test_a_forked_process_collects_cycles_though_its_starter_loads_without(tmp_path: Path) -> None:
    (tmp_path / "collector.py").write_text(
        "import gc, sys; print(gc.isenabled(), file=sys.stderr)", encoding="utf-8"
    )
    environment = os.environ | {
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    }
    done = subprocess.run(
        [sys.executable, "-c", STARTER],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stdout == "True\n"


def await_end(process: "subprocess.Popen[bytes] | ForkedProcess") -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (code := process.poll()) is None:
        assert time.monotonic() < deadline, "did not end in time"
        time.sleep(0.02)
    return code
