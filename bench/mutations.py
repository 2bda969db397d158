"""Thirty faults put into the product, one at a time: whether the tests that ``make test-changed``
selects find each. By hand, half an hour.

A test that also fails without the fault is named and finds nothing.

``python -m bench.mutations [--only N ...] [--suite test]``
"""

import argparse
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal, get_args

import psutil

from luna.energy.errors import MachineError
from tests.selection.durations import SLOW_FOLDER
from tests.selection.ranking import BUDGET

Concern = Literal["limits", "money", "permissions", "idempotence", "recovery"]
Suite = Literal["all", "test", "test-system"]
SUITES: tuple[Suite, ...] = get_args(Suite)
# Built, so git does not hold it; pages are served from there.
STATIC = Path("services/api/static")
NODE_MODULES = Path("services/api/frontend/node_modules")
# It reads the text of every fault, and fails on any of them.
OWN_TEST = "tests/unit/bench/test_mutations.py"
LONGEST_RUN_SECONDS = 600
END_SECONDS = 30
# Source: Linux, prctl(2).
PR_SET_CHILD_SUBREAPER = 36
# "[gw0] [ 12%] FAILED tests/unit/test_heat.py::test_warm[cold day]", and of a row "SUBFAILED[its
# name] tests/unit/test_heat.py::test_warm".
FAILED = re.compile(r"(?:FAILED(?:\[.*\])?|ERROR) (tests/\S+?(?:\[.*\])?)(?: - .*)?\s*$")


@dataclass(frozen=True, slots=True)
class Mutation:
    """A fault: in ``file``, ``old``, which stands there once, becomes ``new``.

    ``breaks`` says what no longer holds.
    """

    concern: Concern
    file: str
    old: str
    new: str
    breaks: str


MUTATIONS = (
    Mutation(
        "limits",
        "luna/energy/physics/safety.py",
        "buys(mode) & ~battery.charge_from_grid",
        "buys(mode) & False",
        "a contract without charging from the grid",
    ),
    Mutation(
        "limits",
        "luna/energy/physics/safety.py",
        "unknown, soc), battery.min_soc,",
        "unknown, soc), 0.0,",
        "the reserve of a battery",
    ),
    Mutation(
        "limits",
        "luna/energy/physics/safety.py",
        "[(least, min(most, carried))",
        "[(least, most)",
        "what the connection carries, at a charger",
    ),
    Mutation(
        "limits",
        "luna/energy/physics/limits.py",
        "else np.minimum(exported, export_kw)",
        "else exported",
        "a feed-in limit that changes by slot",
    ),
    Mutation(
        "limits",
        "services/agent/gatekeeper.py",
        "breaches_more = second.breach_kwh > first.breach_kwh + _SAME_KWH",
        "breaches_more = False",
        "an agent's plan beyond limits is refused",
    ),
    Mutation(
        "limits",
        "services/planner/milp/battery_constraints.py",
        "most[0] -= steepness",
        "most[0] += steepness",
        "charging power near full, in plans",
    ),
    Mutation(
        "money",
        "luna/energy/economics/costs.py",
        "serve=(import_price - wear_price)",
        "serve=(import_price + wear_price)",
        "wear counts when serving the load",
    ),
    Mutation(
        "money",
        "luna/energy/economics/costs.py",
        "-export_kwh * export_price, wear",
        "export_kwh * export_price, wear",
        "exports earn",
    ),
    Mutation(
        "money",
        "luna/energy/economics/prices.py",
        "total += net * (1.0 + vat)",
        "total += net + vat",
        "VAT as a share",
    ),
    Mutation(
        "money",
        "luna/energy/economics/charges.py",
        "max(sum(highest) / price.highest, price.least_kw)",
        "sum(highest) / price.highest",
        "the least power billed",
    ),
    Mutation(
        "money",
        "luna/energy/economics/charges.py",
        "self.drawn_kwh if first else 0.0",
        "self.drawn_kwh",
        "blocks begin anew with each month",
    ),
    Mutation(
        "money",
        "services/agent/gatekeeper.py",
        "elif gain <= LEAST_GAIN:",
        "elif gain <= -1.0:",
        "an agent's dearer plan is refused",
    ),
    Mutation(
        "permissions",
        "services/api/identity/guard.py",
        "if operation.scope not in caller.scopes:",
        "if not caller.scopes:",
        "scopes of people and keys",
    ),
    Mutation(
        "permissions",
        "services/api/identity/guard.py",
        "and caller.csrf_token is not None:",
        'and caller.csrf_token == "":',
        "a page's token (CSRF)",
    ),
    Mutation(
        "permissions",
        "services/api/identity/caller.py",
        "or name in self.sites",
        "or bool(self.sites)",
        "whose site it is",
    ),
    Mutation(
        "permissions",
        "services/api/identity/access_tokens.py",
        " or expires_at <= now.timestamp()",
        "",
        "access tokens end",
    ),
    Mutation(
        "permissions",
        "luna/platform/database/api_keys.py",
        'ROLE_SCOPES[row["role"]] & frozenset',
        "frozenset",
        "a key has no more than its owner has",
    ),
    Mutation(
        "permissions",
        "luna/platform/database/sessions.py",
        "connection.execute(delete(sessions).where(sessions.c.session_id.in_(reused)))",
        "connection.execute(again)",
        "a refresh token used twice ends the sign-in",
    ),
    Mutation(
        "idempotence",
        "luna/platform/database/idempotency.py",
        "and stored.digest != digest:",
        "and not stored.digest:",
        "a key's second, different request is refused",
    ),
    Mutation(
        "idempotence",
        "luna/platform/database/idempotency.py",
        ".where(*_own(key), idempotent_answers.c.status.is_(None))\n        .values(values)",
        ".where(*_own(key))\n        .values(values)",
        "of two answers of a key one is kept",
    ),
    Mutation(
        "idempotence",
        "luna/platform/database/jobs.py",
        "        jobs.c.attempts == job.attempts,\n        jobs.c.started_at == job.started_at,\n",
        "",
        "a superseded attempt of a job stores nothing",
    ),
    Mutation(
        "idempotence",
        "luna/platform/database/jobs.py",
        'text(OPEN))\n        .values(status="running"',
        'True)\n        .values(status="running"',
        "a job that has ended never begins again",
    ),
    Mutation(
        "idempotence",
        "services/executor/control_request.py",
        "return last.slot_start == floor_to(now, SLOT) and (",
        "return last.slot_start > floor_to(now, SLOT) and (",
        "a slot is decided once",
    ),
    Mutation(
        "idempotence",
        "luna/platform/database/notifications.py",
        "        .on_conflict_do_nothing()\n        .returning(",
        "        .returning(",
        "a message to owners that comes twice is one",
    ),
    Mutation(
        "recovery",
        "luna/platform/embedded/replacement.py",
        "if not (home / CLUSTER).exists() and",
        "if (home / CLUSTER).exists() and",
        "an interrupted restore",
    ),
    Mutation(
        "recovery",
        "luna/platform/spool/file.py",
        "if salvaged.exists() and not current",
        "if salvaged.exists() and current",
        "an interrupted repair of the spool",
    ),
    Mutation(
        "recovery",
        "luna/platform/queue/task_base.py",
        "if crashes >= MAX_STARTS:",
        "if crashes >= 100 * MAX_STARTS:",
        "a task that ends its worker is buried",
    ),
    Mutation(
        "recovery",
        "luna/platform/database/jobs.py",
        "jobs.c.sent_at.is_(None),",
        "",
        "a job whose message was never sent is sent",
    ),
    Mutation(
        "recovery",
        "services/backup/retention.py",
        "latest.values(), reverse=True)",
        "latest.values())",
        "the newest backups stay",
    ),
    Mutation(
        "recovery",
        "services/executor/delivery.py",
        "RESEND.gives_up(decision.tries)",
        "RESEND.gives_up(0)",
        "what is never confirmed is taken back",
    ),
)


@dataclass(frozen=True, slots=True)
class Result:
    """The test that found a mutation, None where none did.

    ``unsound`` are tests that failed with it and without it; ``selected`` is how many files were
    run.
    """

    test: str | None
    unsound: tuple[str, ...]
    selected: int
    seconds: float


def main(words: Sequence[str]) -> int:
    """Try the mutations and print what finds each; returns how many nothing finds."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.mutations", description="See whether the selected tests find faults."
    )
    parser.add_argument(
        "--only",
        nargs="+",
        type=int,
        metavar="N",
        default=range(1, len(MUTATIONS) + 1),
        help="numbers of mutations, from 1",
    )
    parser.add_argument(
        "--budget", type=float, default=BUDGET, help="seconds of tests a selection may take"
    )
    parser.add_argument("--suite", choices=SUITES, default="all", help="which tests may find them")
    given = parser.parse_args(words)
    for each in MUTATIONS:
        _mutate(Path(each.file).read_text(encoding="utf-8"), each)
    _clean_up_when_stopped()
    results: dict[int, Result] = {}
    unsound: list[str] = []
    with copied_tree(Path.cwd()) as copy:
        for number in given.only:
            mutation = MUTATIONS[number - 1]
            selected = _select(copy, mutation, budget=given.budget, suite=given.suite)
            result = try_mutation(copy, mutation, selected, unsound=unsound)
            unsound += result.unsound
            results[number] = result
            _print_result(number, mutation, result)
    caught = [result.test for result in results.values() if result.test]
    outside = sum(not test.startswith("tests/system/") for test in caught)
    print(
        f"{len(caught)} of {len(results)} caught, {outside} of them by a test outside of "
        f"tests/system, in {sum(r.seconds for r in results.values()):.0f} s"
    )
    return len(results) - len(caught)


@contextmanager
def copied_tree(root: Path) -> Iterator[Path]:
    """Return a copy of the tree as it is, uncommitted files included, whose modules are those that
    its processes import.

    Raises:
        MachineError: they would import others.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    # Accounts that servers run under have to walk through.
    with tempfile.TemporaryDirectory(prefix="luna-mutations-") as folder:
        copy = Path(folder)
        copy.chmod(0o711)
        for name in filter(None, listed.stdout.split("\0")):
            if (root / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, copy / name)
        if (root / STATIC).exists():
            shutil.copytree(root / STATIC, copy / STATIC, dirs_exist_ok=True)
        for installed in (Path(".venv"), NODE_MODULES):
            (copy / installed).symlink_to(root / installed)
        found = _run_python(
            copy,
            "-c",
            "import luna, services.cli, tests.selection.graph as t; print(luna.__file__, "
            "services.__file__, t.__file__)",
        )
        if any(not path.startswith(str(copy)) for path in found.split()):
            raise MachineError(
                "the copy's processes import another tree",
                value=found,
                remedy="See that PYTHONPATH comes before what is installed.",
            )
        yield copy


def _select(copy: Path, mutation: Mutation, *, budget: float, suite: Suite) -> list[str]:
    """Return the test files of a suite that a change of the mutation's file selects."""
    options = ["--list", "--budget", str(budget), "--files", mutation.file]
    listed = _run_python(copy, "-m", "tests.selection", *options).split()
    return [test for test in listed if is_in_suite(test, suite)]


def try_mutation(
    copy: Path, mutation: Mutation, selected: Sequence[str], *, unsound: Collection[str] = ()
) -> Result:
    """Put a fault into the copy and run tests until one fails that passes without the fault.

    Failures of ``unsound`` tests, which fail without it too, say nothing.
    """
    began = time.monotonic()
    found_unsound: list[str] = []
    while True:
        with _mutated(copy, mutation):
            failed = _find_failed(copy, selected, besides={*unsound, *found_unsound})
        if failed is None or _find_failed(copy, [failed]) is None:
            break
        found_unsound.append(failed)
    return Result(failed, tuple(found_unsound), len(selected), time.monotonic() - began)


@contextmanager
def _mutated(copy: Path, mutation: Mutation) -> Iterator[None]:
    """Put a fault into the copy, and take it out again."""
    path = copy / mutation.file
    sound = path.read_text(encoding="utf-8")
    path.write_text(_mutate(sound, mutation), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(sound, encoding="utf-8")


def is_in_suite(test: str, suite: Suite) -> bool:
    """Return whether ``make test`` or ``make test-system`` runs a test file that knows nothing of
    the faults.
    """
    slow = test.startswith(SLOW_FOLDER)
    return test != OWN_TEST and (suite == "all" or slow == (suite == "test-system"))


def _mutate(text: str, mutation: Mutation) -> str:
    if text.count(mutation.old) != 1:
        raise MachineError(
            f"stands {text.count(mutation.old)} times in {mutation.file}",
            field="old",
            value=mutation.old,
            remedy="Choose other words.",
        )
    return text.replace(mutation.old, mutation.new)


def _find_failed(copy: Path, tests: Sequence[str], *, besides: Collection[str] = ()) -> str | None:
    """Return the first test that fails; of a run that does not end, its first file.

    Those of ``besides`` may fail.
    """
    candidates = [test for test in tests if test not in besides]
    if not candidates:
        return None
    processes = min((os.cpu_count() or 2) + 1, len({test.partition("::")[0] for test in tests}))
    # Twice, for the project's own options are quiet: a line for each test, as soon as it ends.
    options = [
        "-vv",
        "--continue-on-collection-errors",
        "-p",
        "no:cacheprovider",
        "-n",
        str(processes),
        "--dist",
        "worksteal",
        *candidates,
    ]
    command = [str(copy / ".venv/bin/python"), "-m", "pytest", *options]
    run = subprocess.Popen(
        command,
        cwd=copy,
        env=environment_of(copy),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    interrupt = threading.Timer(LONGEST_RUN_SECONDS, _interrupt, [run])
    kill = threading.Timer(LONGEST_RUN_SECONDS + END_SECONDS, _kill_what_was_started)
    try:
        interrupt.start()
        kill.start()
        failed = (match[1] for line in run.stdout or () if (match := FAILED.search(line)))
        found = next((test for test in failed if test not in besides), None)
        timed_out = not interrupt.is_alive()
    finally:
        interrupt.cancel()
        kill.cancel()
        # Others may still look for the smallest example that fails, for minutes.
        _end(run)
    return found or (candidates[0] if timed_out else None)


def _end(run: subprocess.Popen[str]) -> None:
    """End a run as Ctrl-C does, so that it stops its servers; then whatever is left of it."""
    try:
        _interrupt(run)
        with suppress(subprocess.TimeoutExpired):
            # Nobody reads what it still says; a full pipe would keep it from ending.
            run.communicate(timeout=END_SECONDS)
    finally:
        _kill_what_was_started()
        run.wait()


def _interrupt(run: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGINT)


def _kill_what_was_started() -> None:
    """Kill all processes below this one: servers of tests too, which have sessions of their own."""
    left = psutil.Process().children(recursive=True)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=END_SECONDS)


def _clean_up_when_stopped() -> None:
    """Have whoever ends this process end what it started, and remove its folders."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    # A run in the background inherits Ctrl-C as ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    # Processes whose parent ends become this one's, which can find them then.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def environment_of(copy: Path) -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "LUNA_"))
    } | {"PYTHONPATH": str(copy)}


def _run_python(copy: Path, *words: str) -> str:
    return subprocess.run(
        [str(copy / ".venv/bin/python"), *words],
        cwd=copy,
        env=environment_of(copy),
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def _print_result(number: int, mutation: Mutation, result: Result) -> None:
    verdict = f"caught by {result.test}" if result.test else "NOT caught"
    what = f"{mutation.concern}: {mutation.breaks} ({mutation.file})"
    print(
        f"{number:2} {what}: {verdict}, {result.selected} files, {result.seconds:.0f} s", flush=True
    )
    for test in result.unsound:
        print(f"   fails without the fault too, and is left out: {test}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
