"""The worker: ``python -m luna.queue.worker [QUEUE …]`` runs the tasks of the installed services."""

import argparse
import os
import platform
import sys
import uuid
import warnings
from datetime import timedelta
from importlib import import_module

import structlog
from celery import Celery, bootsteps
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging
from celery.worker import WorkController
from prometheus_client import start_http_server

from luna.embedded import Addresses, running
from luna.errors import LunaError, MachineError
from luna.queue.app import create_worker
from luna.queue.execution import Process, register
from luna.queue.nodes import BEAT, Node
from luna.queue.task import definitions
from luna.settings import Settings, load_settings
from luna.telemetry import configure_logging

LOOK_SECONDS = 1.0
SERVICES = ("planner", "forecaster", "ingest")

log = structlog.get_logger("luna.queue")


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
    """Beats from the worker's own event loop, so that a loop that stands still gives no sign of life; and gives back what dead processes held."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")
    node: Node

    def start(self, worker: WorkController) -> None:
        self.node.beat()
        self._entries = [worker.timer.call_repeatedly(self.node.beat_seconds, self.node.beat)]
        # Celery looks every five seconds whether a dead process held a task.
        self._entries.append(worker.timer.call_repeatedly(LOOK_SECONDS, worker.pool.maintain_pool))

    def stop(self, worker: WorkController) -> None:
        self.terminate(worker)

    def terminate(self, worker: WorkController) -> None:
        for entry in self._entries:
            entry.cancel()


def import_tasks(modules: list[str]) -> None:
    """Import the modules that declare tasks; a service whose libraries or system libraries are missing is left out, and they are named.

    A module may offer ``prepare``: what its tasks share is loaded once, before the worker's processes are forked.
    """
    for module in modules:
        try:
            prepare = getattr(import_module(module), "prepare", None)
        except (ImportError, OSError) as exc:
            # Something of our own that is missing inside a service is a fault, not an extra or a system library left out.
            name = getattr(exc, "name", None) or ""
            if name.partition(".")[0] in ("luna", "services") and not module.startswith(name):
                raise
            log.warning("service left out", module=module, missing=str(exc))
            continue
        if prepare is not None:
            prepare()


def build(settings: Settings, addresses: Addresses, queues: list[str], *, beat: timedelta = BEAT) -> tuple[WorkController, Node]:
    """Return a worker for the declared tasks of ``queues`` (none: all that are declared), and its place among the others.

    Raises:
        MachineError: no task is declared for a queue.
    """
    served = _served(queues)
    name = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    app = create_worker(addresses.redis_url, node=name)
    process = Process(settings, addresses.database_url, addresses.redis_url)
    for definition in definitions().values():
        register(app, definition, process)
    node = Node(app, name, served, beat=beat)
    app.steps["worker"].add(type("Beat", (Heartbeat,), {"node": node}))
    return _controller(app, settings, name, served), node


def main(arguments: list[str] | None = None) -> int:
    """Serve queues until SIGTERM or SIGINT; what runs is finished first."""
    options = _parser().parse_args(arguments)
    settings = load_settings()
    configure_logging("worker", level=settings.log_level)
    setup_logging.connect(lambda **_: None, weak=False)
    import_tasks(options.modules or [f"services.{service}.tasks" for service in SERVICES])
    if options.metrics_port:
        start_http_server(options.metrics_port, addr=settings.api_host)
    with running(settings) as addresses:
        worker, node = build(settings, addresses, options.queues, beat=timedelta(seconds=options.beat_seconds))
        log.info("worker starts", queues=sorted(worker.app.amqp.queues.consume_from), processes=settings.worker_processes)
        try:
            worker.start()
        finally:
            node.leave()
        return int(worker.exitcode or 0)


def _served(queues: list[str]) -> list[str]:
    declared = {definition.request.queue() for definition in definitions().values()}
    missing = sorted(set(queues) - declared)
    if missing or not declared:
        raise MachineError(
            "no task is declared for this queue",
            field="queue",
            value=", ".join(missing) or "all",
            remedy="Install the service's extra; the log names what is missing.",
        )
    return sorted(queues or declared)


def _controller(app: Celery, settings: Settings, name: str, queues: list[str]) -> WorkController:
    with warnings.catch_warnings():
        # To root Celery says that messages could be pickled code; ours are JSON.
        warnings.simplefilter("ignore", SecurityWarning)
        worker: WorkController = app.Worker(
            hostname=f"luna@{name}",
            queues=queues,
            concurrency=settings.worker_processes,
            pool_cls="prefork",
            loglevel=settings.log_level,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
    return worker


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="luna.queue.worker", description=__doc__)
    parser.add_argument("queues", nargs="*", metavar="QUEUE", help="services to work for; default: every installed one")
    parser.add_argument("--modules", nargs="+", metavar="MODULE", help="modules that declare tasks; default: those of the services")
    parser.add_argument("--metrics-port", type=int, default=0, help="port that serves /metrics; 0: none")
    parser.add_argument("--beat-seconds", type=float, default=BEAT.total_seconds(), help="time between two signs of life")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LunaError as error:
        log.error("worker cannot start", error=str(error))  # noqa: TRY400 - the message says what to do
        sys.exit(error.exit_code)
