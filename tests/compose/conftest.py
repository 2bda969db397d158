"""One copy of the platform for most tests here: built, started, tested, hurt, taken down.

What needs less of it runs beside, in another process.
"""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.compose.jobs import Jobs
from tests.compose.prepare import prepare
from tests.compose.stack import RESULTS, ROOT, Stack, wait_for

# Tests with containers of their own, or without any that stay.
BESIDE = {"test_backup.py", "test_frozen_beat.py", "test_home_assistant_app.py", "test_servers.py"}
TIMES = pytest.StashKey[dict[str, float]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TIMES] = {}


def pytest_sessionstart(session: pytest.Session) -> None:
    # Once, before there are processes that need them.
    if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
        prepare()


class Scheduler(LoadScopeScheduling):
    """One process has the platform with all tests that share it.

    Each file of those that do not is another's.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0].rpartition("/")[2]
        return file if file in BESIDE else "platform"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    return Scheduler(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["times"] = session.config.stash[TIMES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[TIMES].update(getattr(node, "workeroutput", {}).get("times", {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
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
def stack(
    tmp_path_factory: pytest.TempPathFactory, recovered: Callable[[str, float], None]
) -> Iterator[Stack]:
    """The platform, all of it healthy."""
    stack = Stack("luna-test", tmp_path_factory.mktemp("stack"))
    with stack.running() as seconds:
        recovered("cold start to all healthy", seconds)
        yield stack


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
    stack.restore()
    wait_for(
        lambda: api.get("/health/ready").status_code == httpx.codes.OK,
        seconds=180,
        what="the gateway is ready",
    )


@pytest.fixture(scope="session")
def demo_begun(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[Path]]:
    """The demo through the containers, under way: what is only looked at needs not wait for it."""
    folder = tmp_path_factory.mktemp("report")
    own = f"{os.getuid()}:{os.getgid()}"
    words = ("luna", "demo", "--on-servers", "--out", "/report", "--days", "2")

    def run_demo() -> Path:
        stack.compose(
            "run", "--rm", "-T", "--user", own, "--volume", f"{folder}:/report", "cli", *words
        )
        return folder

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run_demo)


@pytest.fixture(scope="session")
def demo(demo_begun: Future[Path]) -> Path:
    """The folder of the demo's report, once it has run through the containers.

    Its sites and models stay for the other tests.
    """
    return demo_begun.result()


@pytest.fixture
def plan_request() -> dict[str, object]:
    """A request for the plan of a home with a battery."""
    document: dict[str, object] = json.loads(
        (Path(ROOT) / "examples/plan_request.json").read_text(encoding="utf-8")
    )
    return document
