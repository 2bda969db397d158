"""The worker's heart: it beats from the event loop, so that a loop that stands still gives no sign of life, and it goes on beating where Celery waits."""

from dataclasses import dataclass
from typing import Any

import structlog
from celery import bootsteps
from celery.worker import WorkController
from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.state import maybe_shutdown

from luna.health import Pulse, Readiness
from luna.queue.nodes import Node

LOOK_SECONDS = 1.0
# How long a worker waits at most before it tries Redis again; a plan that waits for it should not wait much longer than Redis was away.
RECONNECT_SECONDS = 5

log = structlog.get_logger("luna.queue")


@dataclass(frozen=True)
class Heart:
    """What beats with the event loop: the pulse of this process, and its sign to the others."""

    pulse: Pulse
    node: Node
    readiness: Readiness

    def beat(self) -> None:
        """Beat once."""
        self.pulse.beat()
        self.node.beat()


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
    """Beats, and gives back what dead processes held. While the last tasks are finished it still beats: another worker would do them again."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")
    heart: Heart

    def start(self, worker: WorkController) -> None:
        self.heart.beat()
        # From here on no process is forked but in place of a dead one: the thread that looks has nothing that a child would miss.
        self.heart.readiness.watch()
        worker.timer.call_repeatedly(self.heart.pulse.every.total_seconds(), self.heart.beat)
        # Celery looks every five seconds whether a dead process held a task.
        self._looks = worker.timer.call_repeatedly(LOOK_SECONDS, worker.pool.maintain_pool)

    def stop(self, worker: WorkController) -> None:
        self._looks.cancel()

    def terminate(self, worker: WorkController) -> None:
        self._looks.cancel()


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Celery's, that beats also while it waits for Redis: a worker that waits is no worker that hangs."""

    pulse: Pulse

    def ensure_connected(self, conn: Any) -> Any:
        def say(error: Exception, seconds: float) -> None:
            log.warning("queue does not answer", error=str(error), again_in_seconds=seconds)

        return conn.ensure_connection(say, None, interval_start=1, interval_step=1, interval_max=RECONNECT_SECONDS, callback=self._live_on)

    def _live_on(self) -> None:
        self.pulse.beat()
        maybe_shutdown()


def consumer_with(pulse: Pulse) -> type[Consumer]:
    """Return a class of consumers that beat ``pulse``."""
    return type("BeatingConsumer", (Consumer,), {"pulse": pulse})
