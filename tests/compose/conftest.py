"""One copy of the platform for all tests here: built, started, tested, hurt, taken down."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.compose.jobs import Jobs
from tests.compose.stack import ROOT, Stack, provide_images, wait_for

RESULTS = ROOT / "var/compose-test"
TIMES = pytest.StashKey[dict[str, float]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TIMES] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    times = config.stash[TIMES]
    if times:
        terminalreporter.section("seconds until things were right again")
        for what, seconds in times.items():
            terminalreporter.write_line(f"{seconds:8.1f}  {what}")
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "recovery.json").write_text(json.dumps(times, indent=2) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def recovered(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Records how long it took until things were right again."""
    return request.config.stash[TIMES].__setitem__


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, recovered: Callable[[str, float], None]) -> Iterator[Stack]:
    """The platform, all of it healthy."""
    say = request.config.get_terminal_writer().line
    stack = Stack("luna-test", tmp_path_factory.mktemp("stack"))
    stack.prepare()
    begun = time.monotonic()
    provide_images(stack)
    say(f"engine and images: {time.monotonic() - begun:.0f} s")
    stack.down()
    try:
        recovered("cold start to all healthy", stack.up())
        yield stack
    finally:
        stack.save_logs(RESULTS / "logs.txt")
        stack.down()


@pytest.fixture(scope="session")
def api(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the gateway, as from this machine."""
    with stack.client() as client:
        yield client


@pytest.fixture
def jobs(api: httpx.Client) -> Jobs:
    """Work that the gateway accepts and nobody waits for."""
    return Jobs(api)


@pytest.fixture
def healthy(stack: Stack, api: httpx.Client) -> Iterator[Stack]:
    """The platform, all of it healthy before the test and again after it."""
    yield stack
    stack.compose("up", "-d", "--wait", "--no-build")
    wait_for(lambda: api.get("/health/ready").status_code == httpx.codes.OK, seconds=60, what="the gateway is ready")


@pytest.fixture(scope="session")
def demo(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo's report, once it has run through the containers; its sites and models stay for the other tests."""
    folder = tmp_path_factory.mktemp("report")
    own = f"{os.getuid()}:{os.getgid()}"
    words = ("luna", "demo", "--on-servers", "--out", "/report", "--days", "2")
    stack.compose("run", "--rm", "-T", "--user", own, "--volume", f"{folder}:/report", "cli", *words)
    return folder


@pytest.fixture
def plan_request() -> dict[str, object]:
    """A request for the plan of a home with a battery."""
    document: dict[str, object] = json.loads((Path(ROOT) / "examples/plan_request.json").read_text(encoding="utf-8"))
    return document
