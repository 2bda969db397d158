"""Processes that find no memory: they end, so that whoever supervises them starts others."""

import resource
from contextlib import ExitStack
from pathlib import Path

from tests.support.worker.processes import Process, free_port, luna_process, says
from tests.support.worker.workers import wait_for

# Above the five seconds between two turns of a loop.
STALL = ("--stall-seconds", "6")
MODULES = {
    "services.executor": (),
    "services.home_assistant": (),
    "services.ingest.live": (),
    "luna.platform.queue.beat": (),
    "luna.platform.queue.worker": ("ingest", "--beat-seconds", "1"),
}


def leave_no_memory(process: Process) -> None:
    """Let a process have no more data than it has now."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmData:")]
    limit = int(line.split()[1]) * 1024
    resource.prlimit(process.pid, resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))


def test_a_process_that_stands_still_for_want_of_memory_ends(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    ports = {module: free_port() for module in MODULES}
    own = {"database_url": database_url, "redis_url": redis_url, "worker_processes": "1"}
    processes: dict[str, Process] = {}
    with ExitStack() as stack:
        for module, arguments in MODULES.items():
            words = (module, *arguments, *STALL, "--health-port", str(ports[module]))
            folder = {"data_folder": str(tmp_path / module)}
            processes[module] = stack.enter_context(luna_process(*words, **own | folder))
        for port in ports.values():
            wait_for(lambda: says(port, "ready", 200))  # noqa: B023 - called at once
        for process in processes.values():
            leave_no_memory(process)
        ended = {module: process.wait(60) for module, process in processes.items()}
    assert all(code != 0 for code in ended.values()), ended
