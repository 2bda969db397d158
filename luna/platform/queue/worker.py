"""The worker: ``python -m luna.platform.queue.worker [QUEUE …]`` runs the tasks of the installed services."""

import argparse
import gc
import os
import platform
import uuid
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from heapq import heapify
from importlib.metadata import version
from typing import Any

import redis
import structlog
from celery import bootsteps
from celery.concurrency.prefork import TaskPool
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging
from celery.worker import WorkController
from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.request import Request
from celery.worker.state import active_requests, maybe_shutdown
from kombu.asynchronous.timer import Timer

from luna.contracts.health import NodeSign
from luna.contracts.message import service_of
from luna.platform.clock import SystemClock
from luna.platform.embedded.supervisor import Addresses, running
from luna.platform.health.probes import probes_for
from luna.platform.health.readiness import ALIVE, TAKES, Liveness, Readiness
from luna.platform.health.server import HealthServer, announce_release
from luna.platform.memory import affordable_processes
from luna.platform.queue.app import create_worker
from luna.platform.queue.connection import connect
from luna.platform.queue.consumption import Consumption, Places
from luna.platform.queue.heartbeats import BEAT, Node
from luna.platform.queue.idle_processes import REST_SECONDS, SparingPool, sparing_pool
from luna.platform.queue.services import choose_queues, load_services
from luna.platform.queue.task import definitions
from luna.platform.queue.task_base import TASKS, Process, register
from luna.platform.queue.task_metrics import MetricPipe, open_pipe
from luna.platform.queue.task_tracker import TaskTracker
from luna.platform.service_process import exit_from
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging
from luna.platform.tracing import configure_tracing

LOOK_SECONDS = 1.0
FORGET_SECONDS = 10.0
# How long a worker waits at most before it tries Redis again; a plan that waits for it should not wait much longer than Redis was away.
RECONNECT_SECONDS = 5

log = structlog.get_logger("luna.queue")


class Cancellation:
    """Ends the process of a job that was cancelled; the pool replaces it. Belongs to the event loop, where no process is given another task meanwhile.

    What the attempt did is rolled back with its connection, and its row is ended already, so that its message, should it come again, finds nothing to do.

    Args:
        redis_url: the queue; impatient, because the loop has other work.
    """

    def __init__(self, redis_url: str) -> None:
        self._tracker = TaskTracker(connect(redis_url))

    def look(self, pool: object) -> None:
        """End what was cancelled; without Redis, at the next look."""
        active = [request for request in list(active_requests) if "job_id" in request.kwargs]
        try:
            cancelled = self._tracker.find_cancelled(sorted({request.id for request in active}))
            for request in active:
                if request.id in cancelled:
                    # Not to be caught: a body inside a library would hear of nothing gentler.
                    request.terminate(pool, signal="KILL")
                    TASKS.labels(request.name, "cancelled").inc()
                    # A start that was ended from outside is no death.
                    self._tracker.end(request.id, request.id)
                    log.info("job cancelled, its process is ended", task_id=request.id, task_name=request.name)
        except redis.RedisError as exc:
            log.warning("queue does not answer", error=str(exc))


@dataclass(frozen=True)
class NodeHeartbeat:
    """What beats with the event loop: the pulse of this process, and its sign to the others."""

    pulse: Liveness
    node: Node
    readiness: Readiness
    consumption: Consumption
    server: HealthServer | None

    def begin(self) -> None:
        """Look and answer, in threads: from when on no process is forked but in place of a dead one.

        What a thread holds at that moment, such as the lock of a module that is being imported, a forked process would wait for as long as it lives.
        """
        self.readiness.watch()
        if self.server:
            self.server.start()

    def leave(self) -> None:
        """Tell the others that this worker goes."""
        if self.server:
            self.server.close()
        self.node.leave()

    def beat(self) -> None:
        """Beat once."""
        self.pulse.beat()
        self.consumption.look()
        self.node.beat()


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
    """Beats, and gives back what dead processes held. While the last tasks are finished it still beats: another worker would do them again."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")
    heart: NodeHeartbeat
    cancellation: Cancellation
    metrics: MetricPipe

    def start(self, worker: WorkController) -> None:
        self.heart.beat()
        self.heart.begin()
        worker.timer.call_repeatedly(self.heart.pulse.every.total_seconds(), self.heart.beat)
        # Celery looks every five seconds whether a dead process held a task.
        self._looks = worker.timer.call_repeatedly(LOOK_SECONDS, self._look, (worker.pool,))
        worker.timer.call_repeatedly(FORGET_SECONDS, forget_cancelled, (worker.timer,))

    def _look(self, pool: Any) -> None:
        pool.maintain_pool()
        self.cancellation.look(pool)
        self.metrics.drain()
        if isinstance(processes := pool._pool, SparingPool):  # noqa: SLF001 - Celery shows no other way to it
            processes.end_rested()

    def stop(self, worker: WorkController) -> None:
        self._looks.cancel()

    def terminate(self, worker: WorkController) -> None:
        self._looks.cancel()


def forget_cancelled(timer: Timer) -> None:
    """Drop what was cancelled. kombu keeps it until it would have been due: the time limit of each task that has ended, of a file for two hours."""
    waiting = timer._queue  # noqa: SLF001 - no other way to it
    waiting[:] = [event for event in waiting if not event.entry.canceled]
    heapify(waiting)


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Celery's, that beats also while it waits for Redis: a worker that waits is no worker that hangs."""

    pulse: Liveness
    places: Places

    def apply_eta_task(self, task: Request) -> None:
        """Begin what was to begin later; where its processes are taken by now, it waits for one."""
        if self.places.has_room(task.delivery_info["routing_key"]):
            super().apply_eta_task(task)
        else:
            task._eta_timer_entry = self.timer.call_after(LOOK_SECONDS, self.apply_eta_task, (task,))  # noqa: SLF001 - by which Celery drops it at the end

    def ensure_connected(self, conn: Any) -> Any:
        def log_error(error: Exception, seconds: float) -> None:
            log.warning("queue does not answer", error=str(error), again_in_seconds=seconds)

        return conn.ensure_connection(log_error, None, interval_start=1, interval_step=1, interval_max=RECONNECT_SECONDS, callback=self._live_on)

    def _live_on(self) -> None:
        self.pulse.beat()
        maybe_shutdown()


def build(
    settings: Settings, addresses: Addresses, served: Mapping[str, tuple[str, ...]], places: Places, *, options: argparse.Namespace
) -> tuple[WorkController, NodeHeartbeat]:
    """Return a worker for the declared tasks, and its heart.

    Args:
        settings: of this process.
        addresses: of database and queue.
        served: the queues, each with the dependencies that its tasks need.
        places: which of its processes work for which of them.
        options: how often it beats, which port serves its health, how long its processes rest.

    Raises:
        MachineError: the heartbeat cannot be written, or the port is in use.
    """
    # What the database calls a session has room for 63 letters.
    name = f"{platform.node()[:32]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    app = create_worker(addresses.redis_url, node=name, order=places.ordered())
    beat, health_port = timedelta(seconds=options.beat_seconds), options.health_port
    process = Process(settings, addresses.database_url, addresses.redis_url, name)
    for definition in definitions().values():
        register(app, definition, process)
    pulse = Liveness(beat, settings.heartbeat_file)
    needs = dict.fromkeys(need for needs in served.values() for need in needs)
    consumption = Consumption(addresses.redis_url, tuple(served), places.has_room)
    readiness = Readiness({ALIVE: pulse.probe, TAKES: consumption.probe, **probes_for(needs, settings, addresses)})
    sign = NodeSign(version=version("luna-energy"), started_at=SystemClock().now(), queues=dict(served))
    server = HealthServer(settings.api_host, health_port, pulse=pulse, readiness=readiness) if health_port else None
    heart = NodeHeartbeat(pulse, Node(app, name, lambda: sign.model_copy(update={"checks": readiness.checks}), beat=beat), readiness, consumption, server)
    parts = {"heart": heart, "cancellation": Cancellation(addresses.redis_url), "metrics": open_pipe()}
    app.steps["worker"].add(type("Beat", (Heartbeat,), parts))
    # Who is asked for health answers in threads at any time: there no moment is known at which a process could be forked.
    pool = TaskPool if server else sparing_pool(readiness, rest_seconds=options.rest_seconds, turn_seconds=options.turn_seconds)
    consumer = type("BeatingConsumer", (Consumer,), {"pulse": pulse, "places": places})
    own = {"consumer_cls": consumer, "pool_cls": pool, "concurrency": places.processes, "loglevel": settings.log_level}
    with warnings.catch_warnings():
        # To root Celery says that messages could be pickled code; ours are JSON.
        warnings.simplefilter("ignore", SecurityWarning)
        worker: WorkController = app.Worker(
            hostname=f"luna@{name}", queues=list(served), without_gossip=True, without_mingle=True, without_heartbeat=True, quiet=True, **own
        )
    return worker, heart


def main(arguments: list[str] | None = None) -> int:
    """Serve queues until SIGTERM or SIGINT; what runs is finished first."""
    options = _parser().parse_args(arguments)
    settings = load_settings()
    settings = settings.model_copy(update={"worker_processes": options.processes or count_processes(settings, sparing=not options.health_port)})
    configure_logging("worker", level=settings.log_level)
    configure_tracing("-".join(options.queues) or "worker", settings.traces_url)
    announce_release()
    setup_logging.connect(lambda **_: None, weak=False)
    # A worker that nobody asks for health is one of many on a small machine; its processes end when they rest (``SparingPool``).
    sparing = not options.health_port and not options.load_first
    loaded = load_services(options.queues, modules=options.modules, only=options.only, sparing=sparing)
    served, own = choose_queues(loaded, options.only), _read_own(options.own, loaded)
    places = Places(served, settings.worker_processes, own)
    # A queue with processes of its own needs what those of its service need.
    served |= {queue: loaded[service_of(queue)] for group in own for queue in group}
    with running(settings) as addresses, ExitStack() as stack:
        worker, heart = build(settings, addresses, served, places, options=options)
        log.info("worker starts", queues=sorted(worker.app.amqp.queues.consume_from), processes=places.processes)
        stack.callback(heart.leave)
        keep_loaded()
        worker.start()
        return int(worker.exitcode or 0)


def count_processes(settings: Settings, *, sparing: bool) -> int:
    """Return how many processes work for all queues: as many as somebody set; of a worker that spares memory by default no more than there is memory for."""
    if not sparing or "worker_processes" in settings.model_fields_set:
        return settings.worker_processes
    return min(settings.worker_processes, affordable_processes())


def keep_loaded() -> None:
    """Look for cycles in what is made from now on alone, and seldom."""
    # What is loaded by now is shared with the processes to come, as long as no collector writes into it.
    gc.freeze()
    # A batch of plans makes hundreds of thousands of objects that go by themselves at its end: to look for cycles every 700 of them took a twentieth.
    gc.set_threshold(50_000)


def _read_own(groups: Iterable[Sequence[str]], loaded: Collection[str]) -> dict[frozenset[str], int]:
    """Return how many processes are whose alone, as the command line says it, of the services that are ``loaded``."""
    own = {frozenset(queue for queue in queues if service_of(queue) in loaded): int(number) for number, *queues in groups}
    return {queues: number for queues, number in own.items() if queues}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="luna.platform.queue.worker", description=__doc__)
    parser.add_argument("queues", nargs="*", metavar="QUEUE", help="services to work for; default: every installed one")
    parser.add_argument(
        "--only", choices=("interactive", "jobs"), help="what somebody waits for, or jobs and upkeep; default: both, so that one may wait for the other"
    )
    parser.add_argument("--processes", type=int, help="processes of this worker; default: LUNA_WORKER_PROCESSES")
    parser.add_argument(
        "--own",
        nargs="+",
        action="append",
        default=[],
        metavar=("NUMBER", "QUEUE"),
        help="so many processes more, which only messages of these queues take: SERVICE, or SERVICE.interactive",
    )
    parser.add_argument("--modules", nargs="+", default=(), metavar="MODULE", help="modules that declare tasks; default: those of the services")
    parser.add_argument("--health-port", type=int, default=0, help="port that serves /health/live, /health/ready and /metrics; 0: none")
    parser.add_argument("--beat-seconds", type=float, default=BEAT.total_seconds(), help="time between two signs of life")
    parser.add_argument("--load-first", action="store_true", help="what only jobs need is loaded once before any process; always with --health-port")
    parser.add_argument("--rest-seconds", type=float, default=REST_SECONDS, help="how long a process without work stays; only without --health-port")
    parser.add_argument("--turn-seconds", type=float, help="one task after the other; one that waited so long begins beside; only without --health-port")
    return parser


if __name__ == "__main__":
    exit_from(main, log, "worker cannot start")
