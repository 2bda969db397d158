"""``python -m luna.platform.queue.worker [QUEUE …]``: runs tasks of the installed services."""

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
from itertools import chain
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
from luna.platform.health.health_server import HealthServer, announce_release
from luna.platform.health.probes import probes_for
from luna.platform.health.readiness import ALIVE, TAKES, Liveness, Readiness
from luna.platform.health.stall_watch import StallWatch
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
from luna.platform.service_process import add_stall_option, exit_from
from luna.platform.settings import Settings, load_settings
from luna.platform.telemetry import configure_logging
from luna.platform.tracing import configure_tracing

LOOK_SECONDS = 1.0
FORGET_SECONDS = 10.0
# Longest back-off between two tries to reach Redis; a plan that waits for the worker should not
# wait much longer.
RECONNECT_SECONDS = 5

log = structlog.get_logger("luna.queue")


class Cancellation:
    """Ends the processes of cancelled jobs; the pool replaces them.

    Called from the event loop, where a process cannot get another task meanwhile. The attempt's
    transaction is rolled back with its connection. The job's row is final already, so a redelivered
    message is dropped.

    Args:
        redis_url: the queue; short time-outs, because this runs in the event loop.
    """

    def __init__(self, redis_url: str) -> None:
        self._tracker = TaskTracker(connect(redis_url))

    def look(self, pool: object) -> None:
        """End cancelled jobs; without Redis, at the next look."""
        active = [request for request in list(active_requests) if "job_id" in request.kwargs]
        try:
            cancelled = self._tracker.find_cancelled(sorted({request.id for request in active}))
            for request in active:
                if request.id in cancelled:
                    # SIGKILL: a body inside a library would not see a gentler signal.
                    request.terminate(pool, signal="KILL")
                    TASKS.labels(request.name, "cancelled").inc()
                    # A cancelled start does not count as a crash.
                    self._tracker.end(request.id, request.id)
                    log.info(
                        "job cancelled, its process is ended",
                        task_id=request.id,
                        task_name=request.name,
                    )
        except redis.RedisError as exc:
            log.warning("queue does not answer", error=str(exc))


@dataclass(frozen=True)
class NodeHeartbeat:
    """Beats in the event loop: this process's liveness and its heartbeat to the others."""

    pulse: Liveness
    node: Node
    readiness: Readiness
    consumption: Consumption
    server: HealthServer | None
    stall_watch: StallWatch

    def begin(self) -> None:
        """Start the threads for probes and health, after the pool has forked its processes.

        A lock that a thread holds at a fork, such as a module's import lock, stays locked in the
        new process for ever. Later forks only replace dead processes.
        """
        self.readiness.watch()
        self.stall_watch.add("readiness", self.readiness.age_seconds)
        self.stall_watch.add("main", lambda: self.pulse.age_seconds)
        if self.server:
            self.server.start()
            self.stall_watch.add("health", self.server.age_seconds)
        self.stall_watch.start()

    def leave(self) -> None:
        """Stop the health server and withdraw the heartbeat."""
        self.stall_watch.stop()
        if self.server:
            self.server.close()
        self.node.leave()

    def beat(self) -> None:
        self.pulse.beat()
        self.consumption.look()
        self.node.beat()


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
    """Celery's step for heartbeat, cancellation and metrics.

    It goes on during a warm shutdown, or another worker would repeat the last tasks.
    """

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")
    heart: NodeHeartbeat
    cancellation: Cancellation
    metrics: MetricPipe

    def start(self, worker: WorkController) -> None:
        self.heart.beat()
        self.heart.begin()
        worker.timer.call_repeatedly(self.heart.pulse.every.total_seconds(), self.heart.beat)
        # More often than Celery's five seconds, to notice dead processes.
        self._look_timer = worker.timer.call_repeatedly(LOOK_SECONDS, self._look, (worker.pool,))
        worker.timer.call_repeatedly(FORGET_SECONDS, forget_cancelled, (worker.timer,))

    def _look(self, pool: Any) -> None:
        pool.maintain_pool()
        self.cancellation.look(pool)
        self.metrics.drain()
        processes = pool._pool  # noqa: SLF001 - Celery shows no other way to it
        if isinstance(processes, SparingPool):
            processes.end_rested()

    def stop(self, worker: WorkController) -> None:
        self._look_timer.cancel()

    def terminate(self, worker: WorkController) -> None:
        self._look_timer.cancel()


def forget_cancelled(timer: Timer) -> None:
    """Remove cancelled timer entries.

    kombu keeps them until they are due: the time limit of every ended task, of a file for two
    hours.
    """
    waiting = timer._queue  # noqa: SLF001 - no other way to it
    waiting[:] = [event for event in waiting if not event.entry.canceled]
    heapify(waiting)


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Celery's consumer, which stays live while it waits for Redis."""

    pulse: Liveness
    places: Places

    def apply_eta_task(self, task: Request) -> None:
        """Start a delayed task, or retry soon while all processes for it are busy."""
        if self.places.has_room(task.delivery_info["routing_key"]):
            super().apply_eta_task(task)
        else:
            task._eta_timer_entry = self.timer.call_after(  # noqa: SLF001
                LOOK_SECONDS, self.apply_eta_task, (task,)
            )

    def ensure_connected(self, conn: Any) -> Any:
        def log_error(error: Exception, seconds: float) -> None:
            log.warning("queue does not answer", error=str(error), again_in_seconds=seconds)

        return conn.ensure_connection(
            log_error,
            None,
            interval_start=1,
            interval_step=1,
            interval_max=RECONNECT_SECONDS,
            callback=self._live_on,
        )

    def _live_on(self) -> None:
        self.pulse.beat()
        maybe_shutdown()


def build(
    settings: Settings,
    addresses: Addresses,
    served: Mapping[str, tuple[str, ...]],
    places: Places,
    *,
    options: argparse.Namespace,
) -> tuple[WorkController, NodeHeartbeat]:
    """Return a worker for the declared tasks, and its heartbeat.

    Args:
        settings: of this process.
        addresses: of database and queue.
        served: the queues, each with the dependencies of its tasks.
        places: the processes reserved for queues.
        options: interval of heartbeats, port of the health server, idle time of processes.

    Raises:
        MachineError: the heartbeat file cannot be written, or the port is in use.
    """
    # PostgreSQL limits application names to 63 bytes.
    name = f"{platform.node()[:32]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    app = create_worker(addresses.redis_url, node=name, order=places.ordered())
    beat = timedelta(seconds=options.beat_seconds)
    health_port = options.health_port
    process = Process(settings, addresses.database_url, addresses.redis_url, name)
    for definition in definitions().values():
        register(app, definition, process)
    pulse = Liveness(beat, settings.heartbeat_file)
    needs = dict.fromkeys(chain.from_iterable(served.values()))
    consumption = Consumption(addresses.redis_url, tuple(served), places.has_room)
    readiness = Readiness(
        {ALIVE: pulse.probe, TAKES: consumption.probe, **probes_for(needs, settings, addresses)}
    )
    sign = NodeSign(
        version=version("luna-energy"), started_at=SystemClock().now(), queues=dict(served)
    )
    server: HealthServer | None = None
    if health_port:
        server = HealthServer(settings.api_host, health_port, pulse=pulse, readiness=readiness)

    def read_sign() -> NodeSign:
        return sign.model_copy(update={"checks": readiness.checks})

    node = Node(app, name, read_sign, beat=beat)
    stall_watch = StallWatch(stalled_after=timedelta(seconds=options.stall_seconds))
    heart = NodeHeartbeat(pulse, node, readiness, consumption, server, stall_watch)
    parts = {
        "heart": heart,
        "cancellation": Cancellation(addresses.redis_url),
        "metrics": open_pipe(),
    }
    app.steps["worker"].add(type("Beat", (Heartbeat,), parts))
    # With a health server threads run at any time, so there is no safe moment to fork on demand.
    pool = TaskPool
    if server is None:
        pool = sparing_pool(
            readiness, rest_seconds=options.rest_seconds, turn_seconds=options.turn_seconds
        )
    consumer = type("BeatingConsumer", (Consumer,), {"pulse": pulse, "places": places})
    options_of_pool = {
        "consumer_cls": consumer,
        "pool_cls": pool,
        "concurrency": places.processes,
        "loglevel": settings.log_level,
    }
    with warnings.catch_warnings():
        # As root Celery warns of pickled messages; ours are JSON.
        warnings.simplefilter("ignore", SecurityWarning)
        worker: WorkController = app.Worker(
            hostname=f"luna@{name}",
            queues=list(served),
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
            **options_of_pool,
        )
    return worker, heart


def main(arguments: list[str] | None = None) -> int:
    """Serve queues until SIGTERM or SIGINT; running tasks are finished first."""
    options = _parser().parse_args(arguments)
    settings = load_settings()
    process_count = options.processes
    if not process_count:
        process_count = count_processes(settings, sparing=not options.health_port)
    settings = settings.model_copy(update={"worker_processes": process_count})
    configure_logging("worker", level=settings.log_level)
    configure_tracing("-".join(options.queues) or "worker", settings.traces_url)
    announce_release()
    setup_logging.connect(lambda **_: None, weak=False)
    # A worker without a health server is one of many on a small machine; its idle processes end
    # (``SparingPool``).
    sparing = not options.health_port and not options.load_first
    loaded = load_services(
        options.queues, modules=options.modules, only=options.only, sparing=sparing
    )
    served = choose_queues(loaded, options.only)
    reserved = _read_own(options.own, loaded)
    places = Places(served, settings.worker_processes, reserved)
    # A queue with reserved processes has the dependencies of its service.
    for queue in chain.from_iterable(reserved):
        served[queue] = loaded[service_of(queue)]
    with running(settings) as addresses, ExitStack() as stack:
        worker, heart = build(settings, addresses, served, places, options=options)
        log.info(
            "worker starts",
            queues=sorted(worker.app.amqp.queues.consume_from),
            processes=places.processes,
        )
        stack.callback(heart.leave)
        keep_loaded()
        worker.start()
        return int(worker.exitcode or 0)


def count_processes(settings: Settings, *, sparing: bool) -> int:
    """Return the number of shared processes.

    Without a number in the settings, a sparing worker has no more than memory allows.
    """
    if not sparing or "worker_processes" in settings.model_fields_set:
        return settings.worker_processes
    return min(settings.worker_processes, affordable_processes())


def keep_loaded() -> None:
    """Exclude loaded objects from garbage collection, and collect less often."""
    # Forked processes share these pages until a collector writes into them.
    gc.freeze()
    # A batch of plans creates hundreds of thousands of acyclic objects; a collection every 700 of
    # them took 5 % of the time.
    gc.set_threshold(50_000)


def _read_own(
    groups: Iterable[Sequence[str]], loaded: Collection[str]
) -> dict[frozenset[str], int]:
    """Return the reserved processes per group of queues from the command line.

    Services that are not ``loaded`` are left out.
    """
    reserved = {}
    for number, *queues in groups:
        group = frozenset(queue for queue in queues if service_of(queue) in loaded)
        if group:
            reserved[group] = int(number)
    return reserved


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="luna.platform.queue.worker", description=__doc__)
    parser.add_argument(
        "queues",
        nargs="*",
        metavar="QUEUE",
        help="services to work for; default: every installed one",
    )
    parser.add_argument(
        "--only",
        choices=("interactive", "jobs"),
        help=(
            "what somebody waits for, or jobs and upkeep; default: both, so that one may wait "
            "for the other"
        ),
    )
    parser.add_argument(
        "--processes", type=int, help="processes of this worker; default: LUNA_WORKER_PROCESSES"
    )
    parser.add_argument(
        "--own",
        nargs="+",
        action="append",
        default=[],
        metavar=("NUMBER", "QUEUE"),
        help=(
            "so many processes more, which only messages of these queues take: SERVICE, or "
            "SERVICE.interactive"
        ),
    )
    parser.add_argument(
        "--modules",
        nargs="+",
        default=(),
        metavar="MODULE",
        help="modules that declare tasks; default: those of the services",
    )
    parser.add_argument(
        "--health-port",
        type=int,
        default=0,
        help="port that serves /health/live, /health/ready and /metrics; 0: none",
    )
    add_stall_option(parser)
    parser.add_argument(
        "--beat-seconds",
        type=float,
        default=BEAT.total_seconds(),
        help="time between two signs of life",
    )
    parser.add_argument(
        "--load-first",
        action="store_true",
        help="what only jobs need is loaded once before any process; always with --health-port",
    )
    parser.add_argument(
        "--rest-seconds",
        type=float,
        default=REST_SECONDS,
        help="how long a process without work stays; only without --health-port",
    )
    parser.add_argument(
        "--turn-seconds",
        type=float,
        help=(
            "one task after the other; one that waited so long begins beside; only without "
            "--health-port"
        ),
    )
    return parser


if __name__ == "__main__":
    exit_from(main, log, "worker cannot start")
